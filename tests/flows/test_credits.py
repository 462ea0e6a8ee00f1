"""Credits in and out: matched, waiting, echoed, refunded, sent once (reliability.md 2.2, D18 to D21, D33, D35, D36)."""

import pytest

from tests.campus import Campus, campus_in_memory, counted
from tests.campus_files import TAM, Answer, Fee, Paid, credit
from tests.flows.scenes import on_account, reported, sent, settled

BOOK = "39080000001"
LOST = Fee("900", 5000, item=BOOK, category="LOSTITEMREPLACEMENTFEE")
PARTLY = (('amount_max = "5000.00" ', 'full_waive_only = false\namount_max = "5000.00" '),)


def waived(campus: Campus, *rows: Fee) -> dict[str, object]:
    """The credits are exported and the hourly run takes them."""
    campus.later(hours=1)
    campus.export(*rows)
    return dict(campus.credits())


def posted(campus: Campus) -> None:
    """The bursar posts the newest credit file."""
    campus.later(hours=1)
    campus.answer(Answer("POSTED", list(campus.credit_files())[-1]))
    campus.credits()


def test_d21_a_returned_item_leaves_the_student_account_within_the_hour(campus: Campus) -> None:
    on_account(campus, LOST)
    summary = waived(campus, credit("c1", 5000, BOOK))
    assert (counted(summary, "read"), counted(summary, "sent"), summary["outcome"]) == ((1, 5000), (1, 5000), "completed")
    (lines,) = campus.credit_files().values()
    assert [(line.reference, line.cents, line.direction) for line in lines] == [(campus.reference("900"), 5000, "R")]
    assert campus.place_of("900") == {"in_transit": 5000}
    assert "waiver was sent in" in campus.verdict("900").words
    posted(campus)
    assert campus.place_of("900") == {"settled": 5000}
    assert campus.verdict("900").words == "Waived, both sides know."
    assert campus.unexplained() == 0


def test_the_same_credit_again_has_no_second_effect(campus: Campus) -> None:
    on_account(campus, LOST)
    waived(campus, credit("c1", 5000, BOOK))
    posted(campus)
    summary = waived(campus, credit("c1", 5000, BOOK), credit("c1", 5000, BOOK))
    assert (counted(summary, "already"), counted(summary, "sent")) == ((2, 10000), (0, 0))
    conflict = waived(campus, credit("c1", 4000, BOOK))
    assert counted(conflict, "conflicts") == (1, 4000)
    assert "amount $40.00 instead of $50.00" in campus.items()[-1].words
    double = waived(campus, credit("c2", 5000, BOOK))
    assert (counted(double, "sent"), campus.codes()[-1]) == ((0, 0), "credit_double")
    assert campus.place_of("900") == {"settled": 5000}


def test_a_credit_under_a_fees_id_is_a_conflict(campus: Campus) -> None:
    on_account(campus, LOST)
    assert counted(waived(campus, credit("900", 5000, BOOK)), "conflicts") == (1, 5000)
    assert campus.place_of("900") == {"bursar": 5000}


def test_a_fee_waived_before_it_was_sent_meets_its_credit_inside(campus: Campus) -> None:
    campus.export(credit("c1", 5000, BOOK), LOST, Fee("901", 100))
    assert counted(campus.charges(), "sent") == (1, 100)
    assert campus.place_of("900") == {"settled": 5000}
    assert campus.credits()["files"] == []
    assert campus.verdict("900").words == "Waived, both sides know."


def test_a_blocked_fee_that_is_waived_blocks_no_more(campus: Campus) -> None:
    campus.export(LOST._replace(category="CUSTOMER_DEFINED_09"))
    campus.charges()
    assert campus.codes() == ["unmapped_fee_type"]
    waived(campus, credit("c1", 5000, BOOK))
    assert (campus.codes(), campus.place_of("900")) == ([], {"settled": 5000})


def test_a_credit_before_its_charge_waits_and_is_decided_at_the_next_run(campus: Campus) -> None:
    summary = waived(campus, credit("c1", 5000, BOOK))
    assert (counted(summary, "suspended"), campus.codes()) == ((1, 5000), ["credit_before_charge"])
    campus.export(LOST)
    assert counted(campus.charges(), "sent") == (0, 0), "the credit meets the charge in the very run that brings it"
    assert (campus.codes(), campus.place_of("900")) == ([], {"settled": 5000})


def test_a_credit_while_the_charge_is_on_its_way_waits_for_the_bursar(campus: Campus) -> None:
    document = sent(campus, LOST)
    waived(campus, credit("c1", 5000, BOOK))
    assert (campus.codes(), campus.place_of("900")) == (["credit_in_flight"], {"in_transit": 5000})
    said = campus.verdict("900")
    assert (said.waiting_on, bool(said.expected_by)) == ("the bursar", True)
    campus.answer(Answer("POSTED", document))
    assert counted(campus.credits(), "sent") == (1, 5000)
    assert campus.codes() == []


def test_d35_a_charge_refused_after_its_waive_meets_it_inside(campus: Campus) -> None:
    document = sent(campus, LOST)
    waived(campus, credit("c1", 5000, BOOK))
    campus.answer(Answer("REFUSED", document, campus.reference("900"), 5000, reason="Invalid Employee ID"))
    campus.credits()
    assert (campus.codes(), campus.place_of("900"), campus.credit_files()) == ([], {"settled": 5000}, {})


@pytest.mark.parametrize("comment", ["Bursar", "bursar", " BURSAR "])
def test_an_echo_of_our_own_payment_is_noted_and_never_sent(campus: Campus, comment: str) -> None:
    on_account(campus, LOST, Fee("901", 5000, item="39080000002"))
    settled(campus, ("900", 5000))
    summary = waived(campus, credit("c1", 5000, BOOK, comment), credit("c2", 5000, "39080000002", comment))
    assert (counted(summary, "noted"), counted(summary, "sent"), summary["outcome"]) == ((2, 10000), (0, 0), "completed")
    assert (campus.place_of("901"), campus.codes()) == ({"bursar": 5000}, [])


def test_an_overpayment_comes_back_as_an_echo_once(campus: Campus) -> None:
    on_account(campus, LOST)
    settled(campus, ("900", 6000))
    before = campus.place_of("900")
    assert counted(waived(campus, credit("c1", 1000, BOOK, "overpaid")), "noted") == (1, 1000)
    assert campus.place_of("900") == before
    waived(campus, credit("c2", 1000, BOOK, "overpaid"))
    assert campus.codes() == ["refund_question"], "the second of the kind is no echo: the library gives money back"


def test_d18_a_waive_after_a_part_payment_waives_the_remainder_only(campus: Campus) -> None:
    on_account(campus, LOST)
    settled(campus, ("900", 2000))
    assert counted(waived(campus, credit("c1", 3000, BOOK)), "sent") == (1, 3000)
    posted(campus)
    assert campus.place_of("900") == {"settled": 5000}
    assert campus.verdict("900").words.startswith("Paid and waived, both sides know")


def test_d19_a_waive_and_a_payment_that_cross_are_both_recorded_and_the_excess_is_credit(campus: Campus) -> None:
    on_account(campus, LOST)
    campus.report(Paid(campus.reference("900"), 2000))
    campus.cut.add("upload")
    with pytest.raises(Exception, match="cut"):
        campus.payments()
    summary = waived(campus, credit("c1", 5000, BOOK))
    assert counted(summary, "sent") == (1, 3000)
    assert campus.place_of("900") == {"in_transit": 5000, "student_credit": 2000}
    assert campus.codes() == ["refund_question"]
    assert campus.verdict("900").waiting_on == "the cashier"


def test_d19_a_payment_after_the_waive_waits_for_the_cashier_and_alma_is_told_nothing(campus: Campus) -> None:
    on_account(campus, LOST)
    waived(campus, credit("c1", 5000, BOOK))
    posted(campus)
    reported(campus, ("900", 5000))
    (item,) = campus.items()
    assert (item.code, campus.remittances()) == ("payment_for_closed", {})
    campus.resolve(item.id, "credit")
    assert campus.place_of("900") == {"settled": 5000, "student_credit": 5000}


def test_d19_what_the_library_has_forgiven_is_not_remitted(campus: Campus) -> None:
    on_account(campus, LOST._replace(cents=5000), Fee("901", 100))
    campus.report(Paid(campus.reference("900"), 5000))
    campus.export(credit("c1", 5000, BOOK))
    campus.cut.add("refuse")
    campus.payments()
    campus.credits()
    assert campus.place_of("900") == {"in_transit": 5000, "student_credit": 5000}
    assert campus.codes()[-1] == "refund_question"


def test_d16_a_reversal_beyond_what_was_paid_takes_no_waive_back(campus: Campus) -> None:
    on_account(campus, LOST)
    settled(campus, ("900", 5000))
    reported(campus, ("900", 5000), ("900", -5000))
    waived(campus, credit("c1", 5000, BOOK))
    posted(campus)
    reported(campus, ("900", 5000), ("900", -5000), ("900", -5000))
    assert campus.place_of("900") == {"settled": 5000}
    assert campus.codes()[-1] == "negative_total"


def test_d19_a_fee_told_paid_then_reopened_and_forgiven_in_part_is_told_no_more() -> None:
    with campus_in_memory(PARTLY) as campus:
        on_account(campus, LOST)
        settled(campus, ("900", 5000))
        reported(campus, ("900", 5000), ("900", -5000))
        waived(campus, credit("c1", 3000, BOOK))
        posted(campus)
        reported(campus, ("900", 5000), ("900", -5000), ("900", 2000))
        assert campus.place_of("900") == {"settled": 5000}
        assert campus.unexplained() == 0 and len(campus.remittances()) == 1


def test_d19_what_was_told_beyond_what_was_open_does_not_count_when_the_fee_is_opened_again() -> None:
    """Found by the simulator: a payment and a waive cross, then an earlier check comes back, and the student pays once more."""
    with campus_in_memory(PARTLY) as campus:
        on_account(campus, LOST._replace(cents=8500))
        settled(campus, ("900", 4250))
        reported(campus, ("900", 4250), ("900", 2125))
        waived(campus, credit("c1", 4250, BOOK))
        posted(campus)
        settled(campus, ("900", 4250), ("900", 2125), ("900", -4250))
        (item,) = [one for one in campus.items() if one.code == "reopened"]
        assert campus.place_of("900")["bursar"] == 4250, "what the bursar has open: of the half that crossed it was never told"
        assert campus.resolve(item.id, "opened") == "$42.50 counts as open in the source again"
        reported(campus, ("900", 4250), ("900", 2125), ("900", -4250), ("900", 4250))
        assert [row for rows in campus.remittances().values() for row in rows] == [("900", 4250), ("900", 2125), ("900", 4250)]
        assert campus.unexplained() == 0


@pytest.mark.parametrize("cents", [5000, 4000])
def test_d20_a_returned_item_after_payment_is_the_students_credit_once(campus: Campus, cents: int) -> None:
    on_account(campus, LOST)
    settled(campus, ("900", 5000))
    summary = waived(campus, credit("c1", cents, BOOK))
    assert (counted(summary, "sent"), campus.codes()) == ((0, 0), ["refund_question"])
    assert campus.place_of("900") == {"settled": 5000, "student_credit": cents}
    said = campus.verdict("900")
    assert "was forgiven after it was paid" in said.words
    assert said.waiting_on == "the cashier"
    again = waived(campus, credit("c2", 5000, BOOK))
    assert (counted(again, "suspended"), campus.place_of("900")["student_credit"]) == ((1, 5000), cents)
    campus.resolve(campus.items()[0].id, "dismiss")


def test_d20_a_check_that_comes_back_after_the_fee_was_forgiven_opens_it_at_the_bursar(campus: Campus) -> None:
    """The bursar never heard of the forgiving: there the charge is open again, and who had it forgiven is a question of its own."""
    on_account(campus, LOST)
    settled(campus, ("900", 5000))
    waived(campus, credit("c1", 5000, BOOK))
    settled(campus, ("900", 0))
    assert campus.place_of("900") == {"bursar": 5000, "student_credit": 5000}
    assert campus.codes() == ["refund_question", "reopened"]
    assert "$50.00 of it was forgiven after it was paid" in campus.items()[-1].words
    settled(campus, ("900", 5000))
    assert campus.place_of("900") == {"settled": 5000, "student_credit": 5000}


def test_d33_a_lowered_fee_is_a_partial_waive_with_the_way_out_in_words(campus: Campus) -> None:
    on_account(campus, LOST)
    summary = waived(campus, credit("c1", 3000, BOOK))
    assert (counted(summary, "sent"), campus.codes()) == ((0, 0), ["partial_waive"])
    assert "have the student pay the agreed $20.00 at the cashier" in campus.items()[0].words
    settled(campus, ("900", 2000))
    assert counted(campus.credits(), "sent") == (1, 3000)
    posted(campus)
    assert (campus.codes(), campus.place_of("900")) == ([], {"settled": 5000})


def test_d33_where_parts_may_be_waived_the_difference_is_sent() -> None:
    with campus_in_memory(PARTLY) as campus:
        on_account(campus, LOST)
        assert counted(waived(campus, credit("c1", 3000, BOOK)), "sent") == (1, 3000)
        posted(campus)
        assert campus.place_of("900") == {"bursar": 2000, "settled": 3000}
        assert campus.verdict("900").words.startswith("Part waived, $20.00 left on the student account")
        assert counted(waived(campus, credit("c2", 2000, BOOK)), "sent") == (1, 2000)


def test_several_or_none_go_to_a_person_with_every_candidate_scored(campus: Campus) -> None:
    on_account(campus, LOST, LOST._replace(reference="901"), Fee("902", 700, item=BOOK), Fee("903", 5000, TAM, item=BOOK))
    waived(campus, credit("c1", 5000, BOOK), credit("c2", 9999, BOOK))
    first, second = campus.items()
    assert (first.code, second.code) == ("credit_ambiguous", "credit_unmatched")
    assert "fee 901 ($50.00 of $50.00 open, $0.00 paid, $0.00 waived: person yes, item yes, amount yes, age yes)" in first.words
    assert "amount no" in second.words
    assert "903" not in first.words, "another person's fee is nobody's business"
    with pytest.raises(Exception, match="name the fee"):
        campus.resolve(first.id, "apply", "it is 903")
    campus.resolve(first.id, "apply", f"the copy of {campus.reference('901').lower()}, says the desk")
    campus.resolve(second.id, "dismiss")
    assert counted(campus.credits(), "sent") == (1, 5000)
    assert campus.place_of("901") == {"in_transit": 5000}
    (done,) = [item for item in campus.items(only_open=False) if item.id == first.id]
    assert (done.resolution, done.actor) == ("apply", "Imre")


def test_a_replacement_fee_is_told_from_the_processing_fee_of_the_same_item(campus: Campus) -> None:
    on_account(campus, LOST, Fee("901", 1500, item=BOOK, category="LOSTITEMPROCESSFEE"))
    assert counted(waived(campus, credit("c1", 5000, BOOK)), "sent") == (1, 5000)
    assert (campus.place_of("900"), campus.place_of("901")) == ({"in_transit": 5000}, {"bursar": 1500})


def test_d35_a_refused_credit_goes_back_to_waived_and_is_not_sent_again_by_itself(campus: Campus) -> None:
    on_account(campus, LOST, Fee("901", 700, item="39080000002"))
    waived(campus, credit("c1", 5000, BOOK), credit("c2", 700, "39080000002"))
    (document,) = campus.credit_files()
    refused = Answer("REFUSED", document, campus.reference("900"), 5000, reason="Cannot reverse this charge")
    campus.answer(refused, Answer("POSTED", document, campus.reference("901"), 700))
    campus.credits()
    assert (campus.place_of("900"), campus.place_of("901")) == ({"waived": 5000}, {"settled": 700})
    (item,) = campus.items()
    assert (item.code, item.blocks, item.cents) == ("refused_no_original", True, 5000)
    assert campus.verdict("900").words.startswith("$50.00 is kept back: the bursar refused it")
    campus.credits()
    assert len(campus.credit_files()) == 1
    campus.resolve(item.id, "resend")
    assert counted(campus.credits(), "sent") == (1, 5000)


def test_a_refused_credit_may_be_withdrawn_and_the_charge_is_open_again(campus: Campus) -> None:
    on_account(campus, LOST)
    waived(campus, credit("c1", 5000, BOOK))
    (document,) = campus.credit_files()
    campus.answer(Answer("REFUSED", document, campus.reference("900"), 5000, reason="Cannot reverse this charge"))
    campus.credits()
    campus.resolve(campus.items()[0].id, "withdraw")
    assert (campus.place_of("900"), campus.verdict("900").waiting_on) == ({"bursar": 5000}, "the student")


def test_d36_another_amount_posted_for_a_credit_is_a_question_the_same_day(campus: Campus) -> None:
    on_account(campus, LOST)
    waived(campus, credit("c1", 5000, BOOK))
    (document,) = campus.credit_files()
    campus.answer(Answer("POSTED", document, campus.reference("900"), 4900))
    campus.credits()
    assert (campus.codes(), campus.place_of("900")) == (["answer_other_amount"], {"in_transit": 5000})


def test_credits_may_have_an_export_of_their_own() -> None:
    own = (
        (
            "[sources.library.import]",
            '[sources.library.credits_export]\nfolder = "credits"\nfiles = ["*.xml"]\nsettle = "0s"\n\n[sources.library.import]',
        ),
    )
    with campus_in_memory(own) as campus:
        (campus.folder / "alma/credits").mkdir()
        on_account(campus, LOST)
        campus.export(credit("c1", 5000, BOOK)).rename(campus.folder / "alma/credits/credits.xml")
        assert counted(campus.charges(), "read") == (0, 0)
        assert counted(campus.credits(), "sent") == (1, 5000)


@pytest.mark.parametrize(
    ("credit_as", "item_type", "cents", "direction"),
    [
        ("credit_item_type", "410000000121", 5000, "R"),
        ("reversal_flag", "410000000120", 5000, "R"),
        ("reversal_exact", "410000000120", 5000, "R"),
        ("negative_amount", "410000000120", -5000, "C"),
    ],
)
def test_each_dialect_takes_the_charge_back(credit_as: str, item_type: str, cents: int, direction: str) -> None:
    with campus_in_memory(dialect(credit_as)) as campus:
        on_account(campus, LOST)
        campus.later(days=1)
        summary = waived(campus, credit("c1", 5000, BOOK))
        assert counted(summary, "sent") == (1, 5000)
        ((line,),) = campus.credit_files().values()
        assert (line.item_type, line.cents, line.direction, line.reference) == (item_type, cents, direction, campus.reference("900"))
        posted(campus)
        assert campus.place_of("900") == {"settled": 5000}


def test_exact_reversals_wait_a_day_and_stand_one_a_file() -> None:
    with campus_in_memory(dialect("reversal_exact")) as campus:
        others = [LOST._replace(reference="901", item="39080000002"), LOST._replace(reference="902", account=TAM, item="39080000003")]
        campus.answer(Answer("POSTED", sent(campus, LOST, *others)))
        campus.later(hours=1)
        campus.export(credit("c1", 5000, BOOK), credit("c2", 5000, "39080000002"), credit("c3", 5000, "39080000003", account=TAM))
        assert counted(campus.credits(), "sent") == (0, 0), "on the campus day of the charge"
        assert campus.places() == {"waived": 15000}
        assert campus.codes() == []
        campus.later(hours=4)
        assert counted(campus.credits(), "sent") == (3, 15000)
        assert [len(lines) for lines in campus.credit_files().values()] == [2, 1]
        assert campus.credits()["outcome"] == "nothing_to_do"
        assert campus.unexplained() == 0


def test_an_exact_reversal_of_a_part_waits_for_a_person() -> None:
    with campus_in_memory(dialect("reversal_exact")) as campus:
        on_account(campus, LOST)
        settled(campus, ("900", 2000))
        campus.later(days=2)
        waived(campus, credit("c1", 3000, BOOK))
        assert (campus.codes(), campus.credit_files()) == (["not_whole"], {})
        assert campus.place_of("900") == {"waived": 3000, "settled": 2000}


def dialect(credit_as: str) -> tuple[tuple[str, str], ...]:
    """The example settings with another way of taking a replacement fee back."""
    old = 'credit = "410000000121"'
    return ((old, f'{old}\ncredit_as = "{credit_as}"'),)
