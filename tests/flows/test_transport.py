"""Files that come twice, late, changed, cut or from elsewhere (reliability.md 2.1): one effect each, and a place for every record."""

from itertools import permutations

import pytest

from bursarbridge.errors import TryLater
from bursarbridge.store import views
from tests.campus import Campus, campus_in_memory, counted
from tests.campus_files import TAM, WREN, Answer, Fee, Paid, export_bytes, report_bytes
from tests.flows.scenes import on_account, sent, settled

TWO = (Fee("900", 500), Fee("901", 500))


def test_t01_a_cut_export_is_refused_whole_and_stays_where_it_lies(campus: Campus) -> None:
    content = export_bytes(TWO)
    campus.put("alma/out", "cut.xml", content[:-40])
    summary = campus.charges()
    assert summary["outcome"] == "completed_with_exceptions"
    assert [one["state"] for one in summary["deliveries"]] == ["refused"]
    assert campus.places() == {}
    assert campus.codes() == ["file_truncated"]
    assert campus.waiting("alma/out") == ["cut.xml"]
    campus.charges()
    assert campus.codes() == ["file_truncated"], "looked at again, asked once"
    campus.put("alma/out", "cut.xml", content)
    assert counted(campus.charges(), "read") == (2, 1000)
    assert campus.places() == {"in_transit": 1000}


def test_t02_a_report_cut_at_a_line_end_takes_nothing_back(campus: Campus) -> None:
    on_account(campus, *TWO, Fee("902", 700))
    rows = [Paid(campus.reference(fee), 500) for fee in ("900", "901")] + [Paid(campus.reference("902"), 700)]
    campus.report(*rows)
    campus.payments()
    campus.later(hours=1)
    whole = report_bytes(rows)
    campus.put("peoplesoft/out", campus.report_name(), b"".join(whole.splitlines(keepends=True)[:-1]))
    before = campus.places()
    summary = campus.payments()
    assert summary["deliveries"][0]["state"] == "read"
    assert campus.places() == before
    assert set(campus.codes()) == {"payment_vanished"}
    campus.later(hours=1)
    campus.report(*rows, Paid("", 1))
    campus.payments()
    assert campus.codes() == ["no_reference"], "listed again, so nothing has vanished"


def test_t04_the_same_file_again_under_the_same_name_has_one_effect(campus: Campus) -> None:
    campus.export(*TWO, name="export.xml")
    first = campus.charges()
    campus.later(hours=1)
    campus.export(*TWO, name="export.xml")
    second = campus.charges()
    assert (counted(first, "read"), counted(first, "sent")) == ((2, 1000), (2, 1000))
    assert (counted(second, "read"), counted(second, "already"), counted(second, "sent")) == ((2, 1000), (2, 1000), (0, 0))
    assert second["deliveries"][0]["state"] == "repeat"
    assert len(campus.charge_files()) == 1
    assert campus.places() == {"in_transit": 1000}
    assert campus.waiting("alma/out") == []


def test_t05_the_same_content_under_another_name_has_one_effect(campus: Campus) -> None:
    campus.export(*TWO, name="export.xml")
    campus.charges()
    campus.export(*TWO, name="copy of export.xml")
    again = campus.charges()
    assert counted(again, "already") == (2, 1000)
    with campus.books() as books:
        assert books.one("select count(*) from delivery") == 1
        assert [row[0] for row in books.rows("select name from arrival order by id")] == ["export.xml", "copy of export.xml"]
        assert len(views.files(books)) == 2
    assert campus.places() == {"in_transit": 1000}


def test_t05_both_names_of_one_file_at_once_have_one_effect(campus: Campus) -> None:
    campus.export(*TWO, name="a.xml")
    campus.export(*TWO, name="b.xml")
    summary = campus.charges()
    assert [one["state"] for one in summary["deliveries"]] == ["read", "repeat"]
    assert counted(summary, "sent") == (2, 1000)


def test_t06_the_same_name_with_other_content_is_compared_row_by_row(campus: Campus) -> None:
    campus.export(*TWO, name="export.xml")
    campus.charges()
    campus.later(days=1)
    campus.export(Fee("900", 500), Fee("901", 600), Fee("902", 70), name="export.xml")
    summary = campus.charges()
    assert (counted(summary, "already"), counted(summary, "conflicts"), counted(summary, "sent")) == ((1, 500), (1, 600), (1, 70))
    assert campus.codes() == ["conflict"]
    assert campus.place_of("901") == {"in_transit": 500}


def test_t07_overlapping_exports_count_every_fee_once(campus: Campus) -> None:
    campus.export(Fee("900", 500), Fee("901", 100), Fee("902", 100))
    campus.later(minutes=1)
    campus.export(Fee("901", 100), Fee("902", 100), Fee("903", 100, TAM))
    summary = campus.charges()
    assert (counted(summary, "read"), counted(summary, "already"), counted(summary, "sent")) == ((6, 1000), (2, 200), (4, 800))


def test_acceptance_4_three_times_under_two_names_and_one_amount_changed(campus: Campus) -> None:
    campus.export(*TWO, name="a.xml")
    campus.export(*TWO, name="b.xml")
    campus.charges()
    campus.export(Fee("900", 500), Fee("901", 650), name="a.xml")
    last = campus.charges()
    assert (counted(last, "read"), counted(last, "already"), counted(last, "conflicts")) == ((2, 1150), (1, 500), (1, 650))
    assert [line.cents for lines in campus.charge_files().values() for line in lines] == [500, 500]
    assert campus.codes() == ["conflict"]
    assert campus.unexplained() == 0


REPORTS = (("payments_20260803_080000.csv", (200,)), ("payments_20260803_090000.csv", (200, 100)), ("payments_20260803_100000.csv", (200, 100, -100)))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_t08_reports_in_any_order_of_arrival_end_the_same(campus: Campus, order: tuple[int, ...]) -> None:
    on_account(campus, Fee("900", 500))
    for at in order:
        name, cents = REPORTS[at]
        campus.report(*(Paid(campus.reference("900"), one) for one in cents), name=name)
        campus.payments()
        campus.later(hours=1)
    place = campus.place_of("900")
    assert place["bursar"] == 300
    assert sum(place.get(word, 0) for word in ("paid", "in_transit", "settled")) == 200


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_t08_reports_that_wait_together_are_read_by_their_own_time(campus: Campus, order: tuple[int, ...]) -> None:
    on_account(campus, Fee("900", 500))
    for at in order:
        name, cents = REPORTS[at]
        campus.report(*(Paid(campus.reference("900"), one) for one in cents), name=name)
        campus.later(minutes=1)
    summary = campus.payments()
    assert [one["name"] for one in summary["deliveries"]] == [name for name, _ in REPORTS]
    assert campus.place_of("900") == {"bursar": 300, "in_transit": 200}


def test_t08_an_older_state_never_overwrites_a_newer_one(snapshots: Campus) -> None:
    on_account(snapshots, Fee("900", 500), Fee("901", 500))
    ours = [snapshots.reference(fee) for fee in ("900", "901")]
    snapshots.snapshot(Paid(ours[0], 500), name="state_20260803_100000.csv")
    snapshots.payments()
    snapshots.snapshot(Paid(ours[0], 0), Paid(ours[1], 100), name="state_20260803_090000.csv")
    snapshots.payments()
    assert snapshots.place_of("900") == {"in_transit": 500}
    assert snapshots.place_of("901") == {"bursar": 400, "in_transit": 100}, "what the older one is the first to say counts"


def test_t08_what_waits_follows_the_newest_report(campus: Campus) -> None:
    """A payment on an unknown charge is parked; a newer report says it was taken back before the charge is known."""
    reference = "L00000010" + "01"  # obligation 1: the first fee there will be
    campus.report(Paid(reference, 500), name="payments_20260803_080000.csv")
    campus.payments()
    assert campus.codes() == ["payment_unknown"]
    campus.report(name="payments_20260803_090000.csv")
    campus.payments()
    assert campus.codes() == ["payment_unlisted"]
    on_account(campus, Fee("900", 500))
    campus.payments()
    assert campus.place_of("900") == {"bursar": 500}


def test_t08_a_payment_in_flight_taken_back_meanwhile_is_not_posted(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    paid = Paid(campus.reference("900"), 500)
    campus.report(paid, name="payments_20260803_080000.csv")
    campus.payments()
    campus.report(paid, paid, name="payments_20260803_090000.csv")
    campus.payments()
    assert campus.codes() == ["payment_in_flight"]
    campus.report(paid, paid, paid._replace(cents=-500), name="payments_20260803_100000.csv")
    campus.payments()
    assert campus.codes() == []
    campus.alma_takes()
    campus.payments()
    campus.payments()
    assert campus.place_of("900") == {"settled": 500}


def test_t16_an_answer_to_a_file_whose_fate_a_cut_line_hid(campus: Campus) -> None:
    """The file got its name, the connection died before we knew, and the bursar has answered when we look again."""
    campus.export(*TWO)
    campus.cut.add("publish")
    with pytest.raises(TryLater):
        campus.charges()
    (document,) = campus.charge_files()
    assert campus.batches()[0].state == "SEALED"
    campus.answer(Answer("POSTED", document, "", 1000, 2))
    campus.charges()
    assert campus.places() == {"bursar": 1000}
    assert campus.batches()[0].state == "POSTED"
    assert len(campus.charge_files()) == 1


def test_t16_a_cut_line_is_resolved_by_looking_and_nothing_leaves_twice(campus: Campus) -> None:
    campus.export(*TWO)
    for deed in ("upload", "publish"):
        campus.cut.add(deed)
        with pytest.raises(TryLater):
            campus.charges()
    campus.charges()
    assert [(one.state, one.lines) for one in campus.batches()] == [("SENT", 2)]
    assert len(campus.charge_files()) == 1
    assert campus.waiting("peoplesoft/in") == list(campus.charge_files())


def test_t22_a_file_not_collected_yet_is_never_overwritten(campus: Campus) -> None:
    first = sent(campus, Fee("900", 500))
    content = (campus.folder / "peoplesoft/in" / first).read_bytes()
    second = sent(campus, Fee("901", 500))
    assert first != second
    assert (campus.folder / "peoplesoft/in" / first).read_bytes() == content
    campus.later(hours=14)
    assert [one.late for one in campus.batches()] == [True, True], "and after its expected time it is late"


def test_t09_a_day_without_a_report_closes_and_opens_nothing(campus: Campus) -> None:
    on_account(campus, *TWO)
    settled(campus, ("900", 500))
    before = campus.places()
    campus.later(days=3)
    assert campus.payments()["outcome"] == "nothing_to_do"
    assert campus.places() == before
    campus.report(name=campus.report_name())
    campus.payments()
    assert campus.places() == before, "nor does an empty one"
    assert campus.codes() == ["payment_vanished"]


CODED = (('currency = "USD" ', 'institution = "0999"\ncurrency = "USD" '),)


def test_t11_an_export_of_another_institution_is_refused_whole() -> None:
    with campus_in_memory(CODED) as campus:
        campus.export(Fee("900", 500), Fee("901", 500, WREN, "OTHER", "4440"), name="psb.xml")
        summary = campus.charges()
        assert summary["deliveries"][0]["state"] == "refused"
        assert campus.codes() == ["file_institution"]
        assert '"4440"' in campus.items()[0].words
        assert campus.places() == {}
        campus.export(Fee("900", 500), Fee("901", 500, WREN, "OTHER", "null"), name="ours.xml")
        assert counted(campus.charges(), "sent") == (2, 1000)


def test_t11_answers_and_payments_of_another_environment_move_nothing(campus: Campus) -> None:
    document = sent(campus, *TWO)
    campus.answer(Answer("POSTED", document.replace("EXCCD", "EXTST"), "", 1000, 2))
    campus.report(Paid("L000000C2U0", 500), Paid("T0000000101", 500))
    campus.charges()
    campus.payments()
    assert campus.places() == {"in_transit": 1000}
    assert campus.codes() == ["answer_unknown_file", "payment_unknown", "payment_unknown"]
