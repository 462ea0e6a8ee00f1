"""Yesterday's backup after a day of work (reliability.md P21): nothing is sent again, and life goes on as if nothing had been."""

import importlib
import inspect
import shutil
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from bursarbridge.errors import Refused, TryLater
from bursarbridge.sandbox.fees import FeeStatus, User
from bursarbridge.store import epochs, outbox_mail, runlog, runs
from bursarbridge.store.epochs import Mark
from bursarbridge.store.outbox_mail import Letter
from bursarbridge.systems.alma.api import Status
from bursarbridge.systems.alma.teller import FeeTeller
from tests.alma_api import NOON, library
from tests.campus_files import Answer, Fee
from tests.flows.scenes import on_account, reported
from tests.flows.test_tell import BY_API
from tests.keeping.restored import ODA, TAM, WREN, Kept, answer_all, first_day, kept_campus, second_day, third_day


def twin(*, alma_takes: bool) -> tuple[object, ...]:
    """The same three days on a campus whose ledger was never put back."""
    with kept_campus() as kept:
        first_day(kept)
        second_day(kept)
        if alma_takes:
            kept.campus.alma_takes()
        third_day(kept)
        return worlds(kept)


def worlds(kept: Kept) -> tuple[object, ...]:
    """What the bursar was told of which fee, what Alma was told, and where every cent is."""
    assert kept.campus.unexplained() == 0
    fee_of = {reference: fee for fee, (reference, _places) in kept.books().items()}
    of_fees = Counter({(fee_of[reference], direction): times for (reference, direction), times in kept.references().items()})
    return kept.billed(), of_fees, kept.told(), {fee: places for fee, (_reference, places) in kept.books().items()}, kept.campus.places()


def billed_as(kept: Kept) -> dict[str, str]:
    """The reference of every fee that was ever billed; the number of one that never left is nobody's but ours."""
    outside = {reference for reference, _direction in kept.references()}
    return {fee: reference for fee, (reference, _places) in kept.books().items() if reference in outside}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("alma_takes", [False, True])
def test_p21_after_yesterdays_backup_everything_is_as_if_nothing_had_been(database: str, alma_takes: bool, request: pytest.FixtureRequest) -> None:
    address = str(request.getfixturevalue("pg_address")) if database == "postgresql" else ""
    with kept_campus(address=address) as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        if alma_takes:
            kept.campus.alma_takes()
        before, references = (kept.billed(), kept.told()), billed_as(kept)
        kept.put_back()
        looked = kept.reconcile(confirm=False)
        assert {one["state"] for one in looked["documents"]} <= {"known", "sent"}, looked
        found = kept.reconcile(confirm=True)
        assert (kept.billed(), kept.told()) == before, found
        assert billed_as(kept) == references
        third_day(kept)
        assert worlds(kept) == twin(alma_takes=alma_takes)


def test_p21_the_same_without_the_vault_from_what_stands_at_the_partners() -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        kept.put_back(logs=False)
        kept.reconcile(confirm=True)
        third_day(kept)
        assert worlds(kept) == twin(alma_takes=False)


def test_p21_the_same_when_partners_took_the_files_and_give_copies_back(tmp_path: Path) -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        for place in ("peoplesoft/in", "alma/in"):
            shutil.copytree(kept.campus.folder / place, tmp_path, dirs_exist_ok=True)
        bursars = kept.campus.folder / "peoplesoft/in"
        bursars.rename(kept.campus.folder / "loaded")
        bursars.mkdir()
        kept.put_back(logs=False)
        found = kept.reconcile(confirm=False)
        assert "trace" in {one["state"] for one in found["documents"]}, "answers speak of files that nobody has"
        assert "trace" not in {one["state"] for one in kept.reconcile(confirm=False, documents=tmp_path)["documents"]}
        kept.reconcile(confirm=True, documents=tmp_path)
        bursars.rmdir()
        (kept.campus.folder / "loaded").rename(bursars)
        third_day(kept)
        assert worlds(kept) == twin(alma_takes=False)


def test_p21_nothing_leaves_before_a_person_has_confirmed() -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        kept.put_back()
        kept.campus.export(Fee("31", 300, TAM))
        before = kept.billed()
        kept.run("library-charges")
        assert kept.billed() == before, "a batch was sealed at most"
        kept.reconcile(confirm=True)
        with kept.campus.books() as books:
            (epoch,) = epochs.all_of(books)
        assert (epoch.number, epoch.actor, epoch.note) == (1, "Imre", "a test")
        kept.run("library-charges")
        assert kept.billed() - before == Counter({(TAM, 300, "C"): 1})


def test_p21_a_document_that_was_about_to_leave_is_found_or_asked_about() -> None:
    with kept_campus() as kept:
        campus = kept.campus
        campus.cut.add("upload")
        campus.export(Fee("11", 8500, WREN, "LOSTITEMREPLACEMENTFEE"))
        with suppress(TryLater):
            campus.charges()
        kept.back_up()
        campus.charges()
        kept.put_back()
        assert [one["state"] for one in kept.reconcile(confirm=True)["documents"]] == ["known"]
        assert [one.state for one in campus.batches()] == ["SENT"]
        campus.charges()
        assert sum(kept.billed().values()) == 1
    with kept_campus() as kept:
        campus = kept.campus
        campus.cut.add("upload")
        campus.export(Fee("11", 8500, WREN, "LOSTITEMREPLACEMENTFEE"))
        with suppress(TryLater):
            campus.charges()
        kept.back_up()
        campus.charges()
        (sent,) = (campus.folder / "peoplesoft/in").iterdir()
        sent.unlink()
        kept.put_back()
        kept.reconcile(confirm=True)
        assert campus.codes() == ["in_doubt"], "nobody can tell, so a person is asked and nothing is sent"
        campus.charges()
        assert kept.billed() == Counter()


def test_p21_a_trace_alone_keeps_back_what_it_may_have_carried() -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        folder = kept.campus.folder / "peoplesoft/in"
        taken = {name: lines for name, lines in kept.campus.charge_files().items() if not name.endswith("_000001.dat")}
        for name in taken:
            (folder / name).unlink()
        kept.put_back(logs=False)
        found = kept.reconcile(confirm=True)
        assert [one["state"] for one in found["documents"] if one["name"] in taken].count("trace") == len(taken)
        before = kept.billed()
        kept.campus.export(Fee("41", 4100, ODA))
        kept.run("library-charges")
        news = kept.billed() - before
        assert news == Counter({(ODA, 4100, "C"): 1}), "what may have been billed waits; what is new is billed"
        used = {line.reference for lines in taken.values() for line in lines}
        assert not used & {line.reference for lines in kept.campus.charge_files().values() for line in lines if line.cents == 4100}
        assert not set(taken) & set(kept.campus.charge_files()), "no name is used twice"
        assert {"sent_unseen", "sent_before"} <= set(kept.campus.codes())
        (trace, *_) = [one for one in kept.campus.items() if one.code == "sent_unseen"]
        kept.campus.resolve(trace.id, "dismiss")
        assert kept.campus.unexplained() == 0


def test_p21_fees_that_nothing_names_are_kept_under_our_reference_and_their_likes_are_asked_about() -> None:
    with kept_campus() as kept:
        campus = kept.campus
        first_day(kept)
        kept.back_up()
        campus.later(hours=20)
        export = campus.export(Fee("51", 5100, ODA), Fee("52", 5200, ODA))
        kept.run("library-charges")
        answer_all(kept)
        kept.run("library-charges")
        (campus.folder / "alma/out/done" / export.name).unlink()
        before, before_places = kept.billed(), campus.places()
        kept.put_back(logs=False)
        assert kept.reconcile(confirm=False)["unnamed"] == {"count": 2, "cents": 10_300}
        kept.reconcile(confirm=True)
        assert campus.places()["bursar"] == before_places["bursar"]
        assert campus.unexplained() == 0
        campus.export(Fee("51", 5100, ODA), Fee("61", 6100, ODA))
        kept.run("library-charges")
        assert kept.billed() - before == Counter({(ODA, 6100, "C"): 1})
        (held,) = [one for one in campus.items() if one.code == "sent_before"]
        campus.resolve(held.id, "withdraw")
        kept.run("library-charges")
        assert sum(kept.billed().values()) == sum(before.values()) + 1


def test_p21_a_run_that_was_made_by_the_old_ledger_is_a_conflict_not_a_guess() -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        kept.put_back()
        with kept.campus.books(writing=True) as books:
            books.do("update epoch set reconciled_at = 'x', actor = 'somebody', note = 'by hand'")
        kept.campus.export(Fee("71", 7100, TAM))
        kept.campus.later(days=1)
        kept.campus.charges()
        with kept.campus.books(writing=True) as books:
            epochs.begin(books, 2, "noticed at last")
        assert kept.reconcile(confirm=False)["conflicts"] >= 1
        with pytest.raises(Refused, match="Two documents cannot have one number"):
            kept.reconcile(confirm=True)
        with kept.campus.books() as books:
            assert epochs.waiting(books) is not None


def test_p21_an_older_ledger_is_known_by_its_mark() -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        with kept.campus.books() as books:
            mark = epochs.mark_of(books)
            assert epochs.behind(books, mark) == ""
            assert epochs.behind(books, Mark()) == ""
            assert "put back" in epochs.behind(books, mark._replace(epoch=1))
        kept.campus.ledger.dispose()
        shutil.copy(kept.campus.folder / "ledger.backup", kept.campus.folder / "ledger.db")
        with kept.campus.books() as books:
            assert "older than it was" in epochs.behind(books, mark)


def test_p21_whole_documents_that_were_answered_need_no_references() -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        kept.campus.export(Fee("81", 8100, ODA))
        kept.run("library-charges")
        (name,) = set(kept.campus.charge_files()) - {next(iter(kept.campus.charge_files()))}
        kept.campus.answer(Answer("POSTED", name.removesuffix(".dat")))
        kept.run("library-charges")
        (kept.campus.folder / "peoplesoft/in" / name).unlink()
        kept.put_back(logs=False)
        kept.reconcile(confirm=True)
        kept.run("library-charges")
        assert name not in kept.campus.charge_files()
        assert Counter({(ODA, 8100, "C"): 1}) - kept.billed() == Counter({(ODA, 8100, "C"): 1}), "it was billed once, before; it waits for a person"


def test_p21_what_is_told_by_api_is_asked_for_before_it_is_told_again() -> None:
    with library() as alma, kept_campus(BY_API) as kept:
        campus = kept.campus
        campus.teller = FeeTeller(alma.api)
        fees = [alma.alma.assess(User(WREN, "Wren"), "OVERDUEFINE", cents, NOON, barcode=f"31{cents}") for cents in (1_00, 2_00)]
        alma.alma.run_export(NOON)
        on_account(campus, *(Fee(fee.bursar_transaction_id, fee.original_cents) for fee in fees))
        kept.back_up()
        reported(campus, (fees[0].bursar_transaction_id, 1_00))
        assert fees[0].status is FeeStatus.CLOSED
        kept.put_back(logs=False)
        found = kept.reconcile(confirm=True)
        assert [one["name"] for one in found["documents"] if one["kind"] == "payment"] == ["told-000002"]
        reported(campus, (fees[0].bursar_transaction_id, 1_00), (fees[1].bursar_transaction_id, 2_00))
        assert [len(one.transactions) for one in alma.api.fees(WREN, Status.CLOSED)] == [1, 1], "each was told once"
        assert campus.places() == {"settled": 3_00}


def test_p21_mails_of_the_time_after_the_backup_are_not_sent_again() -> None:
    with kept_campus() as kept:
        mail = Letter("late::2026-08-03:a@example.edu", "late", "a@example.edu", "b@example.edu", "Late", "<1@example.edu>", "0" * 64, 10)
        with kept.campus.books(writing=True) as books:
            books.run = runs.begin(books, "report-1", "report-late", "1")
            outbox_mail.queue(books, [mail])
        kept.back_up()
        with kept.campus.books(writing=True) as books:
            books.run = runs.begin(books, "report-2", "report-late", "1")
            (due,) = outbox_mail.due(books)
            outbox_mail.claim(books, due.id)
            outbox_mail.settle(books, due.id, "sent", "", books.now)
            outbox_mail.queue(books, [mail._replace(key="late::2026-08-04:a@example.edu")])
            log = runlog.log_of(books, "report-2")
        assert log is not None and [one.state for one in log.mails] == ["sent", "queued"]
        kept.logs.append(log)
        kept.put_back()
        with kept.campus.books() as books:
            assert outbox_mail.due(books) == [], "nothing leaves while an epoch waits"
        kept.reconcile(confirm=True)
        with kept.campus.books() as books:
            assert outbox_mail.due(books) == []
            assert [one.state for one in outbox_mail.waiting(books)] == ["in_doubt"], "one was sent by the log; of the other nobody knows"


def test_p21_no_outbox_of_any_kind_is_open_while_an_epoch_waits() -> None:
    """Every statement that says what is to leave asks the epoch: a new kind of outbox has to, too."""
    for room, names in (("batches", ["outbox"]), ("telling", ["untold"]), ("returns", ["open_intents"]), ("outbox_mail", ["due"])):
        module = importlib.import_module(f"bursarbridge.store.{room}")
        for name in names:
            assert "NOTHING_LEAVES" in inspect.getsource(getattr(module, name)), f"store.{room}.{name}"


def test_p21_a_file_that_cannot_be_read_is_passed_over() -> None:
    """What lies broken in a source's folder was never posted; it must not keep the ledger blocked."""
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        export = next(iter((kept.campus.folder / "alma/out/done").iterdir())).read_bytes()
        (kept.campus.folder / "alma/out/done/doubled.xml").write_bytes(export + export)
        (kept.campus.folder / "peoplesoft/out/cut.csv").write_bytes(b'"')
        before = kept.billed()
        kept.put_back()
        kept.reconcile(confirm=False)
        kept.reconcile(confirm=True)
        kept.run("library-charges")
        assert kept.billed() == before and kept.campus.unexplained() == 0
