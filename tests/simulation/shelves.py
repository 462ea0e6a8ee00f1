"""The library's side of the truth: what Alma knows of every fee and item, what staff do to them, and which credits it has yet to export."""

from collections.abc import Iterator

from bursarbridge.errors import Refused, TryLater
from bursarbridge.ledger.returns import FeeState, LibraryCredit, LibraryFee, Loan
from bursarbridge.ports.calls import Waived
from tests.campus import Campus
from tests.campus_files import Fee, credit, told_in
from tests.library_desk import LOST_FEE, Desk

ASSESSED = "2026-07-20T00:00:00Z"
Where = tuple[tuple[str, str], int]
"""A fee's person and item, and its number among the fees of both."""


class Shelves(Desk):
    """An Alma whose fees are the exported ones; its answers can be lost, and it never forgets what was done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[Fee] = []
        """Credits that the next export holds."""
        self.exported: list[Fee] = []
        self.lose_answer = False
        """The next waive is done and its answer lost."""
        self._credits = 0
        self._taken: set[str] = set()

    def assess(self, fee: Fee) -> None:
        """A fee comes to be; one that is exported again is known already."""
        key = (fee.account, fee.item)
        if any(one.reference == fee.reference for fees in self.held.values() for one in fees):
            return
        made = LibraryFee(f"F{fee.reference}", fee.reference, fee.category, FeeState.OPEN, fee.cents, fee.item, ASSESSED)
        self.held.setdefault(key, []).append(made)
        if fee.category == LOST_FEE:
            self.lent.setdefault(key, [Loan(f"L{fee.item}", "lost")])
            self.blocks[key] = 1

    def waive(self, person: str, fee: str, cents: int, reason: str, ours: str) -> Waived:
        where = next(at for at in self.places() if self.at(at).fee == fee and at[0][0] == person)
        before = self.at(where)
        if before.state == FeeState.OPEN:
            assert self.back(where), "a waive was tried for an item that is not back"
        try:
            told = super().waive(person, fee, cents, reason, ours)
        finally:
            if self.at(where).waived_cents != before.waived_cents:
                self._credit(where, cents, "LOST_ITEM_FOUND")
        if self.lose_answer:
            self.lose_answer = False
            raise TryLater("502: the gateway gave up, and the waive is done")
        return told

    def staff_waives(self, where: Where, cents: int, *, by_itself: bool = False) -> None:
        """Staff waive all or a part; `by_itself`: Alma refunds an item that came back."""
        one = self.at(where)
        cents = min(cents, one.balance_cents)
        if cents <= 0:
            return
        self._put(where, one.balance_cents - cents, waived=one.waived_cents + cents)
        self._credit(where, cents, "refund" if by_itself else "waived")
        if by_itself:
            self.credit_rows.setdefault(where[0], []).append(LibraryCredit(one.item, cents, "2026-08-03T00:00:00Z"))

    def comes_back(self, where: Where, at: str) -> None:
        """The item is returned, once."""
        if not self.back(where):
            self.give_back(*where[0], at=at)

    def back(self, where: Where) -> bool:
        """Whether the item of a fee has come back."""
        return any(one.state == "returned" for one in self.lent.get(where[0], []))

    def disputes(self, where: Where) -> None:
        """The person disputes the fee, or the dispute ends."""
        one = self.at(where)
        if one.state != FeeState.CLOSED:
            self.held[where[0]][where[1]] = one._replace(state=FeeState.OPEN if one.state == FeeState.DISPUTED else FeeState.DISPUTED)

    def echo(self, where: Where, cents: int) -> None:
        """Alma makes a credit of our own payment."""
        self._credit(where, cents, "Bursar")

    def takes(self, campus: Campus) -> None:
        """Alma fetches what waits for it and posts the payments; what is paid beyond a fee comes back as a credit of its own."""
        campus.alma_takes()
        for path in sorted((campus.folder / "alma/taken").glob("*.xml")):
            if path.name not in self._taken:
                self._taken.add(path.name)
                for reference, cents in told_in(path.read_bytes()):
                    self._pay(reference, cents)

    def places(self) -> Iterator[Where]:
        """Every fee, oldest first."""
        return iter([(key, number) for key, fees in self.held.items() for number in range(len(fees))])

    def at(self, where: Where) -> LibraryFee:
        """A fee as it stands."""
        return self.held[where[0]][where[1]]

    def chosen(self, pick: int, *, lost: bool = False) -> Where | None:
        """One of the fees, of the lost items if need be; those with something open are likelier."""
        found = [where for where in self.places() if not lost or self.at(where).category == LOST_FEE]
        still = [where for where in found if self.at(where).balance_cents] if pick % 4 else found
        return still[pick % len(still)] if still else None

    def check(self) -> None:
        """At most one waive with effect for each fee, and none of more than the fee."""
        fees = [fee for fee, _cents, _ours in self.waived]
        assert len(fees) == len(set(fees)), f"a fee was waived twice: {self.waived}"

    def _pay(self, reference: str, cents: int) -> None:
        where = next((at for at in self.places() if self.at(at).reference == reference), None)
        if where is None:
            raise Refused(f"Alma knows no fee {reference}")
        one = self.at(where)
        paid = min(cents, one.balance_cents)
        self._put(where, one.balance_cents - paid, paid=one.paid_cents + paid)
        if cents > paid:
            self.echo(where, cents - paid)

    def _put(self, where: Where, balance: int, *, waived: int = -1, paid: int = -1) -> None:
        one = self.at(where)
        self.held[where[0]][where[1]] = one._replace(
            balance_cents=balance,
            state=one.state if balance else FeeState.CLOSED,
            waived_cents=one.waived_cents if waived < 0 else waived,
            paid_cents=one.paid_cents if paid < 0 else paid,
        )

    def _credit(self, where: Where, cents: int, comment: str) -> None:
        self._credits += 1
        (account, item), _ = where
        self.pending.append(credit(f"C{self._credits}", cents, item, comment, account))
