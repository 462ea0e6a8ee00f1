"""Conservation: under any legal actions both campus books add up, and the same seed lives the same days."""

from datetime import timedelta
from pathlib import Path
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.fees import FeeStatus
from bursarbridge.sandbox.people import STUDENTS
from bursarbridge.sandbox.peoplesoft import PeopleSoft
from bursarbridge.sandbox.story import make_campus
from bursarbridge.sandbox.traffic import random_day
from tests.sandbox.naive import ITEM_TYPE, NOON, Charge, cents_in, charge_bytes, exported, import_bytes

CENTS = st.integers(1, 500) | st.sampled_from([1, 50, 100, 100_000])
PICK = st.integers(0, 1000)


class TwoBooks(RuleBasedStateMachine):
    """Both machines under random actions; money received is tallied outside them."""

    def __init__(self) -> None:
        super().__init__()
        self.alma, self.bursar = Alma(), PeopleSoft("EXCCD", {ITEM_TYPE}, ("2267",))
        for student in STUDENTS[:3]:
            self.bursar.enroll(student.value, student.name)
        self.assessed = self.imported = self.posted = self.received = 0
        self.exports = 0
        self.last_import = b""

    @rule(who=PICK, cents=CENTS | st.just(0))
    def assess(self, who: int, cents: int) -> None:
        self.alma.assess(STUDENTS[who % len(STUDENTS)], "OVERDUEFINE", cents, NOON)
        self.assessed += cents

    @rule()
    def export(self) -> None:
        active = self.alma.book().active
        sent = self.alma.run_export(NOON)
        rows = exported(sent.content) if sent else []
        assert len(rows) == active.count
        assert sum(cents_in(row["sum"]) for row in rows) == active.cents

    @rule(which=PICK, cents=CENTS)
    def import_one(self, which: int, cents: int) -> None:
        ids = [*self.alma.fees, "unknown"]
        self.last_import = import_bytes([(ids[which % len(ids)], f"{cents // 100}.{cents % 100:02d}")])
        self.import_again()

    @rule()
    def import_again(self) -> None:
        if self.last_import:
            count = self.alma.run_import(self.last_import, NOON)
            self.imported += count.applied_cents + count.credit_cents
            assert count.rows == 1
            assert bool(count.unknown) != bool(count.applied_cents + count.credit_cents)

    @rule(whose=st.lists(st.tuples(PICK, CENTS | st.just(0), st.booleans()), max_size=4))
    def charge(self, whose: list[tuple[int, int, bool]]) -> None:
        charges = [Charge(STUDENTS[who % len(STUDENTS)].value, f"L{who}", cents, ITEM_TYPE if mapped else "1" * 12) for who, cents, mapped in whose]
        group = self.bursar.load(f"{len(self.bursar.groups)}.dat", charge_bytes(charges))
        self.bursar.post(group, NOON)
        known = {student.value for student in STUDENTS[:3]}
        good = [charge for charge in charges if charge.emplid in known and charge.item_type == ITEM_TYPE and charge.cents]
        assert len(group.good) + len(group.refused) == len(charges)
        self.posted += sum(charge.cents for charge in good)

    @rule(who=PICK)
    def pay_online(self, who: int) -> None:
        emplid = STUDENTS[who % len(STUDENTS)].value
        self.received += sum(payment.cents for payment in self.bursar.pay_online(emplid, NOON))
        assert not any(item.open_cents for item in self.bursar.items_of(emplid))

    @rule(which=PICK, cents=CENTS)
    def pay_at_cashier(self, which: int, cents: int) -> None:
        if self.bursar.items:
            item = self.bursar.items[which % len(self.bursar.items)]
            self.bursar.pay_at_cashier(item.emplid, item.reference, cents, NOON)
            self.received += cents

    @rule(which=PICK)
    def reverse(self, which: int) -> None:
        standing = [payment for payment in self.bursar.payments if not payment.reversed]
        if standing:
            self.received -= self.bursar.reverse_payment(standing[which % len(standing)].number).cents

    @invariant()
    def alma_adds_up(self) -> None:
        book = self.alma.book()
        assert book.assessed.cents == self.assessed == book.open_cents + book.paid_cents
        assert self.imported == book.paid_cents + book.credits.cents
        assert book.assessed.count == book.active.count + book.transferred.count + book.closed.count
        for fee in self.alma.fees.values():
            assert 0 <= fee.balance_cents <= fee.original_cents
            assert fee.balance_cents == 0 or fee.status is not FeeStatus.CLOSED

    @invariant()
    def peoplesoft_adds_up(self) -> None:
        book = self.bursar.book()
        assert book.charged.cents == self.posted == book.open.cents + book.paid.cents
        assert self.received == book.paid.cents + book.credit_cents
        assert all(0 <= item.applied_cents <= item.amount_cents for item in self.bursar.items)
        report = self.bursar.payments_report(NOON).content.decode().splitlines()[1:]
        assert sum(int(row.split(",")[4].replace(".", "")) for row in report) == self.received


TestTwoBooks = TwoBooks.TestCase


def test_random_days_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    def live(name: str, seed: int) -> tuple[object, list[str]]:
        campus, dice = make_campus(tmp_path / name), Random(seed)
        for day in range(10):
            random_day(campus, dice, NOON + timedelta(days=day), STUDENTS)
        return campus.books(), sorted(str(path.relative_to(campus.root)) for path in campus.root.rglob("*.*"))

    assert live("a", 1) == live("b", 1) != live("c", 2)
