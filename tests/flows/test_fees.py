"""Fees that are unknown, repeated, changed, unmapped or many (reliability.md 2.2, D01 to D06, D29, D31, D38, D39)."""

from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bursarbridge.flows import posters
from bursarbridge.store import books
from tests.campus import Campus, campus_in_memory, counted
from tests.campus_files import TAM, WREN, Answer, Fee, Paid
from tests.flows.scenes import on_account, reported, sent


def test_d01_a_person_the_bursar_does_not_know_is_refused_alone_and_the_file_goes_on(campus: Campus) -> None:
    document = sent(campus, Fee("900", 500), Fee("901", 500, TAM))
    said = [
        Answer("REFUSED", document, campus.reference("900"), 500, reason="Invalid Employee ID"),
        Answer("POSTED", document, campus.reference("901"), 500),
    ]
    campus.answer(*said)
    campus.charges()
    assert (campus.place_of("900"), campus.place_of("901")) == ({"source": 500}, {"bursar": 500})
    (item,) = campus.items()
    assert (item.code, item.blocks, item.cents) == ("refused_invalid_account", True, 500)
    assert "PeopleSoft knows no such person" in item.words
    assert campus.batches()[0].state == "PARTLY_POSTED"
    campus.charges()
    assert len(campus.charge_files()) == 1, "D35: a refused line is not sent again by itself"
    campus.resolve(item.id, "resend")
    campus.charges()
    assert [[line.reference for line in lines] for lines in campus.charge_files().values()][1] == [campus.reference("900")]


def test_d02_a_user_without_the_match_id_waits_with_the_money_counted(campus: Campus) -> None:
    campus.export(Fee("900", 500, "w.marlow"), Fee("901", 500))
    summary = campus.charges()
    assert (counted(summary, "suspended"), counted(summary, "sent")) == ((1, 500), (1, 500))
    (item,) = campus.items()
    assert (item.code, item.reference, item.cents) == ("account_form", "900", 500)


def test_d03_a_fee_twice_in_one_file_counts_once(campus: Campus) -> None:
    campus.export(Fee("900", 500), Fee("901", 100), Fee("900", 500))
    summary = campus.charges()
    assert (counted(summary, "read"), counted(summary, "already"), counted(summary, "sent")) == ((3, 1100), (1, 500), (2, 600))


def test_d04_another_amount_under_a_known_name_is_a_question_and_nothing_moves(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    campus.export(Fee("900", 700))
    summary = campus.charges()
    assert (counted(summary, "conflicts"), counted(summary, "sent")) == ((1, 700), (0, 0))
    assert campus.place_of("900") == {"bursar": 500}
    (item,) = campus.items()
    assert "amount $7.00 instead of $5.00" in item.words
    campus.resolve(item.id, "keep")
    campus.export(Fee("900", 700), Fee("901", 1))
    campus.charges()
    assert campus.codes() == [], "what was decided is not asked again"


def test_d04_two_contents_of_one_name_in_one_file_are_a_question(campus: Campus) -> None:
    campus.export(Fee("900", 500), Fee("900", 700))
    assert counted(campus.charges(), "conflicts") == (1, 700)
    assert [line.cents for lines in campus.charge_files().values() for line in lines] == [500]


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(st.sampled_from([(WREN, 500), (WREN, 500), (TAM, 500)]), min_size=2, max_size=5), st.data())
def test_d05_equal_fees_are_told_apart_by_name_never_by_amount(fees: list[tuple[str, int]], data: st.DataObject) -> None:
    with campus_in_memory() as campus:
        named = [Fee(str(900 + at), cents, account) for at, (account, cents) in enumerate(fees)]
        on_account(campus, *named)
        paid = data.draw(st.sets(st.sampled_from([fee.reference for fee in named])))
        account = {fee.reference: fee.account for fee in named}
        campus.report(*(Paid(campus.reference(fee), 500, account[fee]) for fee in sorted(paid)))
        campus.payments()
        for fee in named:
            assert campus.place_of(fee.reference) == {"in_transit" if fee.reference in paid else "bursar": 500}
        assert {fee for rows in campus.remittances().values() for fee, _ in rows} == paid


def test_d06_an_id_used_again_for_another_person_is_a_question(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    reported(campus, ("900", 500))
    campus.later(days=400)
    campus.export(Fee("900", 500, TAM))
    assert counted(campus.charges(), "conflicts") == (1, 500)
    assert f"person {TAM} instead of {WREN}" in campus.items()[-1].words
    campus.export(Fee("900", 500), Fee("905", 1))
    assert counted(campus.charges(), "already") == (1, 500), "the very same content cannot be told from a repeat"


def test_d08_a_fee_of_nothing_is_recorded_and_not_sent(campus: Campus) -> None:
    campus.export(Fee("900", 0))
    summary = campus.charges()
    assert (counted(summary, "read"), counted(summary, "noted"), counted(summary, "sent")) == ((1, 0), (1, 0), (0, 0))
    assert campus.charge_files() == {}


@pytest.mark.parametrize(("lines", "cents"), [(1, 1000), (2, 999), (3, 1000), (2, 0)])
@pytest.mark.parametrize("status", ["RECEIVED", "LOADED", "POSTED"])
def test_d29_a_control_total_that_is_not_ours_stops_the_document(campus: Campus, status: str, lines: int, cents: int) -> None:
    document = sent(campus, Fee("900", 500), Fee("901", 500))
    campus.answer(Answer(status, document, "", cents, lines))
    campus.charges()
    assert campus.places() == {"in_transit": 1000}
    assert campus.batches()[0].state == "SENT"
    (item,) = campus.items()
    assert item.code == "control_total"
    assert f"{lines} lines, ${cents / 100:,.2f}" in item.words
    assert "2 lines, $10.00" in item.words
    campus.answer(Answer("POSTED", document, "", 1000, 2))
    campus.charges()
    assert campus.places() == {"bursar": 1000}


def test_d31_an_unmapped_fee_type_waits_and_the_rest_goes_out(campus: Campus) -> None:
    campus.export(Fee("900", 500, category="CUSTOMER_DEFINED_01"), Fee("901", 500))
    summary = campus.charges()
    assert (counted(summary, "read"), counted(summary, "sent"), counted(summary, "suspended")) == ((2, 1000), (1, 500), (1, 500))
    assert campus.places() == {"source": 500, "in_transit": 500}
    (item,) = campus.items()
    assert (item.code, item.blocks) == ("unmapped_fee_type", True)
    assert "CUSTOMER_DEFINED_01" in item.words
    assert campus.charges()["outcome"] == "nothing_to_do", "it blocks until a person has cured it"


def test_d31_nothing_but_unmapped_fees_is_no_file(campus: Campus) -> None:
    campus.export(Fee("900", 500, category="CUSTOMER_DEFINED_01"))
    assert counted(campus.charges(), "sent") == (0, 0)
    assert campus.charge_files() == {}
    assert campus.batches() == []


@pytest.mark.parametrize(
    "name", ["  .xml", "a\nb.xml", "caf\u0065\u0301.xml", "..hidden.xml", "x" * 251 + ".xml", "a;rm -rf.xml", "=cmd().xml", "-rf.xml"]
)
def test_d38_odd_names_are_read_once_or_left_and_never_leave_the_folder(campus: Campus, name: str) -> None:
    before = _tree(campus.folder)
    campus.export(Fee("900", 500), name=name)
    campus.charges()
    campus.charges()
    new = {path.parts[0] for path in _tree(campus.folder) - before}
    assert new <= {"alma", "peoplesoft", "vault", "scratch", "ledger.db-journal", "ledger.db-wal", "ledger.db-shm"}
    assert sum(campus.places().values()) in (0, 500)
    assert len(campus.charge_files()) <= 1


def test_d38_links_and_folders_are_not_files(campus: Campus, tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text("<x/>")
    (campus.folder / "alma/out/link.xml").symlink_to(secret)
    (campus.folder / "alma/out/folder.xml").mkdir()
    assert campus.charges()["outcome"] == "nothing_to_do"


@pytest.mark.parametrize("around", [-1, 0, 1])
def test_d39_one_less_and_one_more_than_a_chunk_of_fees(campus: Campus, monkeypatch: pytest.MonkeyPatch, around: int) -> None:
    size = 8
    for room in (books, posters):
        monkeypatch.setattr(room, "CHUNK", size)
    fees = [Fee(str(900 + at), 100 + at) for at in range(2 * size + around)]
    repeated = [*fees, fees[0], fees[size - 1]._replace(cents=1)]
    campus.export(*repeated)
    summary = campus.charges()
    total = sum(fee.cents for fee in fees)
    assert (counted(summary, "sent"), counted(summary, "already"), counted(summary, "conflicts")) == ((len(fees), total), (1, 100), (1, 1))
    ((document, lines),) = campus.charge_files().items()
    assert [line.cents for line in lines] == [fee.cents for fee in fees]
    campus.answer(Answer("POSTED", document, "", total, len(fees)))
    campus.charges()
    campus.report(*(Paid(line.reference, line.cents) for line in reversed(lines)))
    assert counted(campus.payments(), "sent") == (len(fees), total)
    assert campus.unexplained() == 0
    assert campus.batches()[0].state == "POSTED"


def _tree(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}
