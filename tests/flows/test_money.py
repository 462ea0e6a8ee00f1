"""Payments in every order and amount (reliability.md 2.2, D12 to D17): nothing lost, nothing twice, nothing told that is not so."""

import pytest

from bursarbridge.store import views
from tests import campus_files as files
from tests.campus import Campus, counted
from tests.campus_files import TAM, Answer, Fee, Paid
from tests.flows.scenes import on_account, reported, sent, settled


def told(campus: Campus) -> list[tuple[str, int]]:
    """Everything Alma was ever told."""
    return [row for rows in campus.remittances().values() for row in rows]


def test_d12_parts_add_up_and_each_is_told_once(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 200))
    assert campus.place_of("900") == {"bursar": 300, "settled": 200}
    settled(campus, ("900", 200), ("900", 200))
    settled(campus, ("900", 200), ("900", 200), ("900", 100))
    assert campus.place_of("900") == {"settled": 500}
    assert told(campus) == [("900", 200), ("900", 200), ("900", 100)]


def test_d12_two_equal_payments_on_one_day_are_two(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    reported(campus, ("900", 100), ("900", 100))
    assert campus.place_of("900") == {"bursar": 300, "in_transit": 200}


def test_d13_what_is_paid_beyond_the_fee_is_the_students_credit_and_never_told(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 650))
    assert campus.place_of("900") == {"settled": 500, "student_credit": 150}
    assert told(campus) == [("900", 500)]
    settled(campus, ("900", 650), ("900", -150))
    assert campus.place_of("900") == {"settled": 500}


def test_d13_a_credit_is_taken_back_before_the_fee_opens_again(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 650))
    settled(campus, ("900", 650), ("900", -200))
    assert campus.place_of("900") == {"settled": 450, "bursar": 50}


def test_d14_a_payment_for_a_closed_fee_waits_and_can_become_a_credit(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 500))
    reported(campus, ("900", 500), ("900", 80))
    (item,) = campus.items()
    assert (item.code, item.cents) == ("payment_for_closed", 80)
    assert campus.place_of("900") == {"settled": 500}
    campus.resolve(item.id, "credit")
    assert campus.place_of("900") == {"settled": 500, "student_credit": 80}
    reported(campus, ("900", 500), ("900", 80), ("900", 0))
    assert campus.codes() == []


def test_d14_a_payment_for_a_closed_fee_that_is_taken_back_waits_no_more(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 500))
    reported(campus, ("900", 500), ("900", 80))
    assert campus.codes() == ["payment_for_closed"]
    reported(campus, ("900", 500), ("900", 80), ("900", -80))
    assert campus.codes() == []
    assert campus.place_of("900") == {"settled": 500}


@pytest.mark.parametrize("reference", ["L9999999999", "X1", "LIB-4711"])
def test_d14_a_payment_for_an_unknown_fee_waits_and_stays(campus: Campus, reference: str) -> None:
    on_account(campus, Fee("900", 500))
    campus.report(Paid(reference, 500), Paid(campus.reference("900"), 200))
    summary = campus.payments()
    assert (counted(summary, "suspended"), counted(summary, "sent")) == ((1, 500), (1, 200))
    campus.payments()
    assert campus.codes() == ["payment_unknown"]


def test_d14_a_payment_without_a_reference_waits(campus: Campus) -> None:
    campus.report(Paid("", 500))
    assert counted(campus.payments(), "suspended") == (1, 500)
    assert campus.codes() == ["no_reference"]


def test_d15_a_payment_before_its_charge_file_is_parked_and_matched_later(campus: Campus) -> None:
    """Obligation 1's reference, paid before the export that makes it known."""
    ahead = "L0000000101"
    campus.report(Paid(ahead, 200))
    campus.payments()
    assert campus.codes() == ["payment_unknown"]
    on_account(campus, Fee("900", 500))
    assert campus.reference("900") == ahead
    summary = campus.payments()
    assert counted(summary, "sent") == (1, 200)
    assert campus.codes() == []
    assert campus.place_of("900") == {"bursar": 300, "in_transit": 200}


def test_d15_a_parked_payment_of_another_person_is_not_posted(campus: Campus) -> None:
    campus.report(Paid("L0000000101", 200, TAM))
    campus.payments()
    on_account(campus, Fee("900", 500))
    campus.payments()
    assert campus.codes() == ["payment_other_person"]
    assert campus.place_of("900") == {"bursar": 500}


def test_d15_a_payment_on_a_charge_without_an_answer_proves_that_it_arrived(campus: Campus) -> None:
    sent(campus, Fee("900", 500), Fee("901", 500))
    reported(campus, ("900", 500))
    assert campus.place_of("900") == {"in_transit": 500}
    assert campus.place_of("901") == {"in_transit": 500}
    (charges, remittance) = campus.batches()
    assert (charges.state, remittance.state) == ("SENT", "SENT")
    reported(campus, ("900", 500), ("901", 500))
    assert campus.batches()[0].state == "POSTED"
    campus.answer(Answer("POSTED", charges.document, "", 1000, 2))
    campus.charges()
    assert campus.codes() == []


def test_d15_a_payment_on_a_charge_that_never_left_waits(campus: Campus) -> None:
    campus.export(Fee("900", 500, category="CUSTOMER_DEFINED_01"))
    campus.charges()
    reported(campus, ("900", 500))
    assert campus.codes() == ["unmapped_fee_type", "payment_before_charge"]
    assert campus.place_of("900") == {"source": 500}


def test_d16_a_returned_check_opens_the_fee_again_and_a_person_tells_the_library(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 500))
    settled(campus, ("900", 500), ("900", -500))
    assert campus.place_of("900") == {"bursar": 500}
    assert campus.codes() == ["reopened"]
    assert told(campus) == [("900", 500)]


def test_d16_a_fee_that_was_opened_by_hand_is_told_paid_again(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 500))
    settled(campus, ("900", 500), ("900", -500))
    (item,) = campus.items()
    assert "counts as open" in campus.resolve(item.id, "opened")
    settled(campus, ("900", 500), ("900", -500), ("900", 500))
    assert told(campus) == [("900", 500), ("900", 500)]
    assert campus.place_of("900") == {"settled": 500}


def test_d16_what_was_paid_before_the_fee_was_opened_by_hand_stays_told(campus: Campus) -> None:
    """The person opens what is still owed; the part that was paid meanwhile is told already."""
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 500))
    settled(campus, ("900", 500), ("900", -500), ("900", 200))
    (item,) = campus.items()
    assert campus.resolve(item.id, "opened") == "$3.00 counts as open in the source again"
    settled(campus, ("900", 500), ("900", -500), ("900", 200), ("900", 300))
    assert told(campus) == [("900", 500), ("900", 300)]
    assert campus.place_of("900") == {"settled": 500}


def test_d16_a_vanished_payment_that_was_reversed_opens_the_fee_at_the_library_too(campus: Campus) -> None:
    on_account(campus, Fee("900", 500), Fee("901", 700))
    settled(campus, ("900", 500), ("901", 700))
    reported(campus, ("901", 700))
    (item,) = campus.items()
    assert item.code == "payment_vanished"
    campus.resolve(item.id, "reversed")
    assert campus.codes() == ["reopened"]


def test_d16_a_returned_check_before_the_library_knew_is_only_ours(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    reported(campus, ("900", 500), ("900", -500))
    assert campus.place_of("900") == {"bursar": 500}
    assert told(campus) == []
    assert campus.codes() == []


def test_d16_a_check_returned_in_the_next_fiscal_year_opens_the_fee_again(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    paid = Paid(campus.reference("900"), 500, paid_on="06/29/2026")
    campus.report(paid, name="payments_20260630_080000.csv")
    campus.payments()
    campus.alma_takes()
    campus.payments()
    assert campus.place_of("900") == {"settled": 500}
    campus.report(paid._replace(cents=-500, paid_on="07/06/2026"), name="payments_20260707_080000.csv")
    campus.payments()
    assert campus.place_of("900") == {"bursar": 500}
    assert campus.codes() == ["reopened"]
    campus.report(paid._replace(cents=-500, paid_on="07/06/2026"), paid._replace(paid_on="07/08/2026"), name="payments_20260708_080000.csv")
    campus.payments()
    assert campus.place_of("900") == {"settled": 500}


def test_d17_a_check_that_is_returned_twice_and_paid_in_between(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    rows: list[tuple[str, int]] = []
    for cents in (500, -500, 500, -500, 500):
        rows.append(("900", cents))
        settled(campus, *rows)
        settled(campus, *rows)
        assert campus.place_of("900") == ({"settled": 500} if cents > 0 else {"bursar": 500})
    assert told(campus) == [("900", 500)], "Alma knows since the first time; more than the fee is never told"


def test_a_payment_that_a_report_no_longer_lists_is_noticed_and_nothing_is_taken_back(campus: Campus) -> None:
    on_account(campus, Fee("900", 500), Fee("901", 500))
    settled(campus, ("900", 500), ("901", 500))
    settled(campus, ("901", 500))
    assert campus.codes() == ["payment_vanished"]
    assert campus.places() == {"settled": 1000}
    campus.resolve(campus.items()[0].id, "reversed")
    assert campus.places() == {"settled": 500, "bursar": 500}


def test_a_payment_that_vanishes_once_more_is_asked_about_once_more(campus: Campus) -> None:
    """Found by the simulator: the first time the report was cut, and a person said so; the second time the payment was reversed."""
    on_account(campus, Fee("900", 500), Fee("901", 500))
    settled(campus, ("900", 500), ("901", 500))
    settled(campus, ("901", 500))
    campus.resolve(campus.items()[0].id, "dismiss")
    settled(campus, ("901", 500))
    assert campus.codes() == []
    settled(campus, ("900", 500), ("901", 500))
    assert campus.codes() == []
    settled(campus, ("901", 500))
    assert campus.codes() == ["payment_vanished"]
    campus.resolve(campus.items()[0].id, "reversed")
    assert campus.places() == {"settled": 500, "bursar": 500}


def test_a_credit_that_was_taken_back_is_asked_about_again_when_it_is_paid_again(campus: Campus) -> None:
    """Found by the simulator: a cut report took a student's credit back, the next one listed it, and the old answer counted for it."""
    on_account(campus, Fee("900", 500))
    settled(campus, ("900", 500))
    settled(campus, ("900", 800))
    campus.resolve(campus.items()[0].id, "credit")
    assert campus.places() == {"settled": 500, "student_credit": 300}
    settled(campus, ("900", 500))
    assert campus.places() == {"settled": 500}
    settled(campus, ("900", 800))
    assert campus.codes() == ["payment_for_closed"]
    campus.resolve(campus.items()[0].id, "credit")
    settled(campus, ("900", 800))
    assert (campus.places(), campus.codes()) == ({"settled": 500, "student_credit": 300}, [])


def test_d24_a_payment_under_another_persons_id_waits(campus: Campus) -> None:
    on_account(campus, Fee("900", 500))
    campus.report(Paid(campus.reference("900"), 500, "12345"))
    campus.payments()
    (item,) = campus.items()
    assert item.code == "payment_other_person"
    campus.resolve(item.id, "accept")
    campus.payments()
    assert campus.place_of("900") == {"in_transit": 500}


def test_a_file_refused_whole_brings_back_what_was_only_assumed(silent: Campus) -> None:
    document = sent(silent, Fee("900", 500), Fee("901", 500))
    silent.later(hours=13)
    silent.charges()
    assert silent.places() == {"bursar": 1000}
    assert silent.batches()[0].assumed
    silent.answer(Answer("REFUSED", document, reason="Invalid Term"))
    silent.charges()
    assert silent.places() == {"source": 1000}
    assert silent.batches()[0].state == "REFUSED"
    assert silent.codes() == ["refused_invalid_term"] * 2


def test_a_file_refused_after_it_was_posted_is_a_question(campus: Campus) -> None:
    document = on_account(campus, Fee("900", 500))
    campus.answer(Answer("REFUSED", document))
    campus.charges()
    assert campus.places() == {"bursar": 500}
    assert campus.codes() == ["answer_conflict"]


def test_an_assumed_charge_is_proven_by_its_payment(silent: Campus) -> None:
    sent(silent, Fee("900", 500))
    silent.later(hours=13)
    silent.charges()
    reported(silent, ("900", 200))
    assert silent.place_of("900") == {"bursar": 300, "in_transit": 200}
    assert not silent.batches()[0].assumed
    with silent.books() as books:
        (one,) = views.obligations(books, "900")
        assert not one.assumed


def test_states_are_levels_not_events(snapshots: Campus) -> None:
    on_account(snapshots, Fee("900", 500), Fee("901", 500))
    ours = [snapshots.reference(fee) for fee in ("900", "901")]
    for cents, place in ((200, {"bursar": 300, "settled": 200}), (500, {"settled": 500}), (100, {"bursar": 400, "settled": 100})):
        for _ in range(2):
            snapshots.later(hours=1)
            snapshots.snapshot(Paid(ours[0], cents), Paid(ours[1], 0))
            snapshots.payments()
            snapshots.alma_takes()
            snapshots.later(hours=1)
            snapshots.payments()
            assert snapshots.place_of("900") == place
    assert snapshots.place_of("901") == {"bursar": 500}
    assert told(snapshots) == [("900", 200), ("900", 300)]


def test_t18_a_report_that_holds_its_content_twice_is_refused_whole(campus: Campus) -> None:
    """Each payment would count twice: two equal rows are two payments, unless the heading stands there again."""
    on_account(campus, Fee("900", 500))
    once = files.report_bytes([Paid(campus.reference("900"), 200)])
    campus.put("peoplesoft/out", campus.report_name(), once + once)
    campus.payments()
    assert campus.place_of("900") == {"bursar": 500}
    assert campus.codes() == ["file_twice"]
