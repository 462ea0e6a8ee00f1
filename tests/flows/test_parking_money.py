"""Violations billed to the student account (parking.md A, B, W): billed once, taken back by themselves, paid back. D12, D15, D16, D19, D21."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bursarbridge.store import opening
from tests.campus_files import Fee, Paid
from tests.flows.billed_lot import PARKING, TAM, WREN, BilledCampus, billed, sums


@pytest.fixture
def lot() -> Iterator[BilledCampus]:
    with billed() as campus:
        yield campus


def files(lot: BilledCampus) -> list[tuple[str, str, int]]:
    """Every line that left for the bursar: violation's reference of ours, direction, cents."""
    return [(line.reference, line.direction, line.cents) for lines in lot.charge_files().values() for line in lines]


def test_a_new_open_violation_is_charged_once_under_its_own_number(lot: BilledCampus) -> None:
    summary = lot.says(("V1", 4500, "Open"))
    assert (sums(summary), summary["outcome"]) == ({"read": (1, 4500), "sent": (1, 4500)}, "completed")
    ((name, (line,)),) = lot.charge_files().items()
    assert name.startswith("PRK_CHG_PRK01_") and (line.account, line.cents, line.item_type) == (WREN, 4500, "420000000100")
    assert line.reference == lot.reference("V1") and line.reference.startswith("P")
    lot.posts()
    assert lot.place_of("V1") == {"bursar": 4500}
    assert sums(lot.says(("V1", 4500, "Open"))) == {"read": (1, 4500), "already": (1, 4500)}
    assert sums(lot.says(("V1", 4500, "Open"), kind="full"))["read"] == (1, 4500)
    assert len(files(lot)) == 1 and lot.items() == []


def test_only_open_violations_of_a_billed_user_type_become_charges(lot: BilledCampus) -> None:
    lot.says(("V1", 4500, "Appealed"), ("V2", 0, "Paid"), ("V3", 4500, "Spoiled"), ("V4", 4500, "Warning"))
    lot.says(("V5", 4500, "Open"), user_type="Staff")
    assert (files(lot), lot.places(), lot.items()) == ([], {}, [])


def test_what_is_paid_before_it_was_handed_over_is_never_billed(lot: BilledCampus) -> None:
    lot.lists(("V1", 4500, "Open"), ("V2", 3000, "Open"))
    lot.lists(("V1", 0, "Paid"), ("V2", 1000, "Open"))
    lot.run("parking-charges")
    assert files(lot) == [(lot.reference("V2"), "C", 1000)]
    assert (lot.place_of("V1"), lot.items(), lot.unexplained()) == ({}, [], 0)
    assert lot.said("V1").words == "$45.00: withdrawn, nothing is owed."
    lot.posts()
    assert lot.said("V2").words == "Part waived, $10.00 left on the student account."


def test_an_appeal_before_the_charge_left_keeps_it_back_until_it_is_decided(lot: BilledCampus) -> None:
    lot.lists(("V1", 4500, "Open"), ("V2", 4500, "Open"))
    lot.lists(("V1", 4500, "Appealed"), ("V2", 4500, "Appealed"))
    lot.run("parking-charges")
    assert (files(lot), lot.codes(), lot.places()) == ([], ["appealed", "appealed"], {"source": 9000})
    assert "is under appeal" in lot.said("V1").words
    lot.says(("V1", 4500, "Open"), ("V2", 0, "Spoiled"))
    assert (files(lot), lot.codes()) == ([(lot.reference("V1"), "C", 4500)], [])
    assert lot.place_of("V2") == {}


def test_an_appeal_that_was_never_open_before_is_billed_when_it_is_denied(lot: BilledCampus) -> None:
    lot.says(("V1", 4500, "Appealed"))
    lot.says(("V1", 3000, "Open"))
    assert files(lot) == [(lot.reference("V1"), "C", 3000)]


@pytest.mark.parametrize(("owed", "status", "less"), [(0, "Spoiled", 4500), (2000, "Open", 2500), (2000, "Appealed", 2500), (0, "Warning", 4500)])
def test_d21_what_is_taken_back_after_the_export_makes_its_counter_entry_by_itself(lot: BilledCampus, owed: int, status: str, less: int) -> None:
    lot.on_account(("V1", 4500))
    summary = lot.says(("V1", owed, status))
    assert (summary["outcome"], lot.place_of("V1").get("waived")) == ("completed", less)
    assert "waived by the parking office" in lot.said("V1").words
    summary = lot.run("parking-credits")
    assert sums(summary) == {"sent": (1, less)}
    assert files(lot)[-1] == (lot.reference("V1"), "R", less)
    lot.posts()
    assert lot.places() == {place: cents for place, cents in (("bursar", 4500 - less), ("settled", less)) if cents}
    lot.says(("V1", owed, status))
    assert (len(files(lot)), lot.items(), lot.unexplained()) == (2, [], 0)


def test_spoiled_while_the_bursar_has_not_answered_waits_and_then_leaves(lot: BilledCampus) -> None:
    lot.says(("V1", 4500, "Open"))
    lot.says(("V1", 0, "Spoiled"))
    assert lot.codes() == ["credit_in_flight"]
    assert lot.said("V1").waiting_on == "the bursar"
    lot.posts()
    lot.run("parking-credits")
    lot.posts()
    assert (lot.place_of("V1"), lot.codes()) == ({"settled": 4500}, [])


def test_spoiled_after_it_was_paid_is_the_students_credit_and_a_question(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    lot.pays(("V1", 4500))
    assert lot.office_takes() == {"V1": 4500}
    lot.says(("V1", 0, "Paid"))
    lot.says(("V1", 0, "Spoiled"))
    assert (lot.place_of("V1"), lot.codes()) == ({"settled": 4500, "student_credit": 4500}, ["refund_question"])
    lot.says(("V1", 0, "Spoiled"))
    assert lot.place_of("V1") == {"settled": 4500, "student_credit": 4500}


def test_d19_a_void_and_a_payment_that_cross_are_both_recorded_and_parking_is_told_nothing(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    lot.later(minutes=1)
    lot.report(Paid(lot.reference("V1"), 4500))
    lot.payments()
    lot.says(("V1", 0, "Spoiled"))
    lot.run("parking-payments")
    assert (lot.place_of("V1"), lot.codes(), lot.office_takes()) == ({"settled": 4500, "student_credit": 4500}, ["refund_question"], {})


def test_d12_parts_go_back_to_parking_each_once_and_its_closing_is_nothing_new(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    assert sums(lot.pays(("V1", 2000)))["sent"] == (1, 2000)
    assert "the parking office" in lot.said("V1").words
    lot.says(("V1", 2500, "Open"))
    assert lot.office_takes() == {"V1": 2000}
    lot.pays(("V1", 2000), ("V1", 2500))
    assert lot.office_takes() == {"V1": 2500}
    summary = lot.says(("V1", 0, "Paid"))
    assert (summary["outcome"], lot.place_of("V1"), lot.items()) == ("completed", {"settled": 4500}, [])
    assert lot.said("V1").words == "Paid, both sides know (that the parking office took it in is assumed, there is no answer to prove it)."
    assert len(files(lot)) == 1


def test_an_appeal_lowers_what_is_part_paid_and_the_two_are_told_apart(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    lot.pays(("V1", 2000))
    lot.says(("V1", 3500, "Open"))
    assert lot.place_of("V1") == {"bursar": 2500, "in_transit": 2000}
    lot.office_takes()
    lot.says(("V1", 1500, "Open"))
    assert lot.place_of("V1") == {"bursar": 1500, "waived": 1000, "settled": 2000}


def test_d15_a_payment_before_its_charge_file_is_parked_and_matched_later(lot: BilledCampus) -> None:
    lot.lists(("V1", 4500, "Open"))
    lot.lists(("V1", 4500, "Appealed"))
    lot.run("parking-charges")
    lot.pays(("V1", 4500))
    assert (lot.place_of("V1"), lot.codes()) == ({"source": 4500}, ["appealed", "payment_before_charge"])
    lot.says(("V1", 4500, "Open"))
    lot.posts()
    lot.run("parking-payments")
    assert (lot.office_takes(), lot.places(), lot.codes()) == ({"V1": 4500}, {"settled": 4500}, [])


def test_d15_a_payment_on_a_charge_without_an_answer_proves_that_it_arrived(lot: BilledCampus) -> None:
    lot.says(("V1", 4500, "Open"))
    lot.pays(("V1", 4500))
    assert lot.office_takes() == {"V1": 4500}
    assert (lot.places(), lot.codes()) == ({"settled": 4500}, [])


def test_d16_a_check_returned_after_parking_was_told_opens_the_charge_and_asks(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    lot.pays(("V1", 4500))
    lot.office_takes()
    lot.says(("V1", 0, "Paid"))
    lot.pays(("V1", 4500), ("V1", -4500))
    assert (lot.place_of("V1"), lot.codes()) == ({"bursar": 4500}, ["reopened"])
    lot.resolve(lot.items()[0].id, "opened")
    lot.says(("V1", 4500, "Open"))
    assert (lot.place_of("V1"), lot.codes()) == ({"bursar": 4500}, [])
    lot.pays(("V1", 4500), ("V1", -4500), ("V1", 4500))
    assert lot.office_takes() == {"V1": 4500}


def test_a_clean_up_at_parking_is_no_money_and_only_noted(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    summary = lot.says(("V1", 0, "System Processed"))
    assert (sums(summary), summary["outcome"]) == ({"read": (1, 0), "noted": (1, 0)}, "completed")
    assert (lot.place_of("V1"), lot.items()) == ({"bursar": 4500}, [])
    lot.says(("V1", 0, "System Processed"), ("V2", 3000, "Open"), kind="full")
    assert (lot.place_of("V1"), lot.items()) == ({"bursar": 4500}, [])


def test_a_violation_that_a_full_list_leaves_out_is_a_question_and_forgives_nothing(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500), ("V2", 3000))
    lot.says(("V2", 3000, "Open"), kind="full")
    assert (lot.place_of("V1"), lot.codes()) == ({"bursar": 4500}, ["violation_absent"])


@pytest.mark.parametrize(("action", "places"), [("apply", {"waived": 4500}), ("dismiss", {"bursar": 4500})])
def test_paid_at_parking_after_it_was_handed_over_is_a_persons_question(lot: BilledCampus, action: str, places: dict[str, int]) -> None:
    lot.on_account(("V1", 4500))
    assert lot.says(("V1", 0, "Paid"))["outcome"] == "completed_with_exceptions"
    (item,) = lot.items()
    assert (item.code, "handed over with the list of 2026-08-02" in item.words) == ("paid_after_billing", True)
    assert lot.place_of("V1") == {"bursar": 4500}
    lot.resolve(item.id, action)
    lot.says(("V1", 0, "Paid"))
    assert (lot.place_of("V1"), lot.codes()) == (places, [])


def test_a_violation_that_rises_is_a_conflict_and_closes_when_it_comes_down(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    summary = lot.says(("V1", 6000, "Open"))
    assert (sums(summary), summary["outcome"]) == ({"read": (1, 6000), "conflicts": (1, 6000)}, "completed_with_exceptions")
    (item,) = lot.items()
    assert (item.code, item.cents, "$60.00 is owed, and $45.00" in item.words) == ("conflict", 6000, True)
    assert lot.place_of("V1") == {"bursar": 4500}
    lot.says(("V1", 4500, "Open"))
    assert lot.codes() == []
    lot.says(("V1", 7000, "Open"))
    lot.resolve(lot.items()[0].id, "keep")
    lot.says(("V1", 7000, "Open"))
    assert lot.codes() == []


def test_a_violation_of_another_person_since_is_a_question(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    lot.says(("V1", 4500, "Open"), account=TAM)
    (item,) = lot.items()
    assert item.code == "violation_other_person"
    lot.resolve(item.id, "accept")
    lot.says(("V1", 4500, "Open"), account=TAM)
    (item,) = lot.items()
    assert (item.code, f"was billed to {WREN}" in item.words, lot.place_of("V1")) == ("conflict", True, {"bursar": 4500})


def test_a_list_that_arrives_late_overwrites_nothing(lot: BilledCampus) -> None:
    lot.on_account(("V1", 4500))
    old = lot.now
    lot.says(("V1", 2000, "Open"))
    lot.now, new = old, lot.now
    lot.lists(("V1", 3000, "Open"))
    lot.now = new
    lot.later(minutes=5)
    lot.run("parking-charges")
    assert lot.place_of("V1") == {"bursar": 2000, "waived": 2500}


def test_a_list_without_a_word_for_paid_takes_nothing_owed_for_taken_back() -> None:
    kept = (line for line in PARKING.splitlines() if not line.startswith(("status = ", "statuses = ")))
    with billed("\n".join(kept)) as lot:
        lot.on_account(("V1", 4500))
        lot.says(("V1", 0, ""))
        assert (lot.place_of("V1"), lot.codes()) == ({"waived": 4500}, [])


def test_one_payment_report_serves_library_and_parking_whichever_flow_reads_it(lot: BilledCampus) -> None:
    lot.export(Fee("900", 500))
    lot.charges()
    lot.on_account(("V1", 4500))
    for fee, violation, first in ((200, 2000, "library-payments"), (500, 4500, "parking-payments")):
        lot.later(minutes=1)
        lot.report(Paid(lot.reference("900"), fee), Paid(lot.reference("V1"), violation))
        read = lot.run(first)
        other = lot.run("parking-payments" if first == "library-payments" else "library-payments")
        assert (read["read"]["count"], other["read"]["count"]) == (2, 0)
        assert (read["sent"]["count"], other["sent"]["count"], lot.items()) == (1, 1, [])
        lot.alma_takes()
        lot.office_takes()
        lot.run("library-payments")
    assert (lot.place_of("900"), lot.place_of("V1"), lot.unexplained()) == ({"settled": 500}, {"settled": 4500}, 0)
    assert [sum(cents for _, cents in rows) for rows in lot.remittances().values()] == [200, 300]


def test_the_main_path_on_postgresql(pg_address: str, lot: BilledCampus) -> None:
    ledger = opening.open_engine(pg_address)
    opening.migrate(ledger)
    lot.ledger.dispose()
    lot.ledger = ledger
    lot.on_account(("V1", 4500), ("V2", 3000), ("V3", 2000), ("V4", 6000))
    lot.says(("V1", 2500, "Open"), ("V2", 0, "Spoiled"), ("V3", 2500, "Open"), ("V4", 0, "System Processed"), ("V5", 1000, "Appealed"))
    lot.run("parking-credits")
    lot.posts()
    lot.pays(("V1", 2500), ("V4", 1000))
    assert lot.office_takes() == {"V1": 2500, "V4": 1000}
    lot.says(("V1", 0, "Paid"), ("V3", 0, "Paid"), ("V5", 1000, "Open"))
    assert (lot.codes(), lot.unexplained()) == (["paid_after_billing"], 0)
    assert lot.places() == {"in_transit": 1000, "bursar": 7000, "settled": 4500 + 3000 + 1000}


ROUNDS = st.lists(
    st.tuples(
        st.sampled_from(["V1", "V2"]), st.sampled_from(["lower", "void", "appeal", "deny", "pay", "list", "full", "credits", "posts", "takes"])
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(ROUNDS)
@example([("V2", "pay"), ("V2", "pay"), ("V2", "pay"), ("V2", "lower"), ("V2", "pay")])
def test_whatever_the_order_the_account_ends_as_parking_says(rounds: list[tuple[str, str]]) -> None:
    with billed() as lot:
        office = Office(lot)
        for violation, deed in rounds:
            office.does(violation, deed)
            assert lot.unexplained() == 0
        office.comes_to_rest()
        with lot.books() as books:
            open_now = {
                str(reference): int(cents)
                for reference, cents in books.rows(
                    "select o.source_reference, p.cents from position p join obligation o on o.id = p.obligation_id where p.place = 3"
                )
            }
        # Lowered before any list said so and then paid: the office's "Paid" cannot be told from a payment of its own, so a person is asked.
        with lot.books() as books:
            named = "select o.source_reference, s.cents from suspense s join obligation o on o.id = s.obligation_id where s.resolved_at is null"
            asked = dict(books.rows(f"{named} and s.code = 'paid_after_billing'"))
        rest = {number: cents - int(asked.get(number, 0)) for number, cents in open_now.items()}
        assert {number: cents for number, cents in rest.items() if cents} == {number: cents for number, cents in office.owed.items() if cents}
        assert set(lot.places()) <= {"bursar", "settled", "student_credit"}
        assert set(lot.codes()) <= {"refund_question", "paid_after_billing"}


class Office:
    """A parking office and the students: what is owed at parking for each of two violations, and what the bursar was paid in all."""

    def __init__(self, lot: BilledCampus) -> None:
        self.lot = lot
        self.owed = {"V1": 4000, "V2": 3000}
        self.status = {"V1": "Open", "V2": "Open"}
        self.paid = {"V1": 0, "V2": 0}
        lot.on_account(*self.owed.items())

    def does(self, violation: str, deed: str) -> None:
        """One thing happens."""
        live = self.status[violation] in ("Open", "Appealed")
        if deed == "lower" and live and self.owed[violation] > 1000:
            self.owed[violation] -= 500
        elif deed == "void" and live:
            self.owed[violation], self.status[violation] = 0, "Spoiled"
        elif deed in ("appeal", "deny") and live:
            self.status[violation] = "Appealed" if deed == "appeal" else "Open"
        elif deed == "pay":
            self._pays(violation)
        elif deed in ("list", "full"):
            self._lists(deed)
        elif deed == "credits":
            self.lot.run("parking-credits")
        elif deed == "posts":
            self.lot.posts()
        elif deed == "takes":
            self._takes()

    def comes_to_rest(self) -> None:
        """Everybody says what is so until nothing moves any more."""
        for _ in range(3):
            self._takes()
            self._lists("list")
            self.lot.run("parking-credits")
            self.lot.posts()

    def _pays(self, violation: str) -> None:
        """The student pays 7.00 of what is open at the bursar."""
        open_now = self.lot.place_of(violation).get("bursar", 0)
        if open_now:
            self.paid[violation] += min(700, open_now)
            self.lot.pays(*((number, cents) for number, cents in self.paid.items() if cents))

    def _lists(self, kind: str) -> None:
        rows = [(number, cents, self.status[number]) for number, cents in self.owed.items() if kind == "list" or cents]
        if rows:
            self.lot.says(*rows, kind="changes" if kind == "list" else "full")

    def _takes(self) -> None:
        for number, cents in self.lot.office_takes().items():
            self.owed[number] = max(self.owed[number] - cents, 0)
            if not self.owed[number] and self.status[number] != "Spoiled":
                self.status[number] = "Paid"
