"""PeopleSoft as a state machine: charge files become groups, groups become items, students and cashier pay the items."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from bursarbridge.sandbox.bursar_reports import payments_file, results_file
from bursarbridge.sandbox.cents import Tally
from bursarbridge.sandbox.charge_file import charge_file
from bursarbridge.sandbox.fees import FileRefused, Sent
from bursarbridge.sandbox.items import ChargeLine, Group, Item, LoadedLine, Payment, PostStatus


class PeopleSoftBook(NamedTuple):
    """Where the bursar's money stands."""

    charged: Tally
    """Items posted to accounts."""
    open: Tally
    """Items that are not paid in full, with what is still owed on them."""
    paid: Tally
    """Payments that stand, with what they paid off."""
    credit_cents: int
    """Received beyond what was owed."""
    taken_back_cents: int
    """Charges taken back by waivers and reversals."""


class PeopleSoft:
    """The bursar's books for one business unit: accounts, items, payments (peoplesoft.md 1.5, 2.1)."""

    def __init__(self, business_unit: str, item_types: Collection[str], open_terms: Sequence[str], credit_item_types: Collection[str] = ()) -> None:
        self.business_unit = business_unit
        self.item_types = item_types
        self.credit_item_types = credit_item_types
        """Waivers' own item types, for a campus that takes charges back by them (peoplesoft.md 1.6)."""
        self.open_terms = open_terms
        """The current term first: a line without a term gets it."""
        self.accounts: dict[str, str] = {}
        """EMPLID -> name."""
        self.groups: list[Group] = []
        self.items: list[Item] = []
        self.payments: list[Payment] = []

    def enroll(self, emplid: str, name: str) -> None:
        """Gives a person an account; charges for anybody else are refused."""
        self.accounts[emplid] = name

    def load(self, name: str, content: bytes) -> Group:
        """Takes a charge file in as a suspended group; nothing is on an account yet.

        Raises FileRefused when the name was loaded before or the file has not the agreed form. A file whose control totals
        do not match is a group that may not be posted.
        """
        if any(group.file_name == name for group in self.groups):
            raise FileRefused(f"{name} was loaded before; names are never used again")
        charges = charge_file(content)
        if charges.business_unit != self.business_unit:
            raise FileRefused(f'business unit "{charges.business_unit}" is not {self.business_unit}')
        lines = [LoadedLine(line, self._objection(line)) for line in charges.lines]
        group = Group(f"{len(self.groups) + 1:09d}", name, lines, charges.imbalance)
        self.groups.append(group)
        return group

    def post(self, group: Group, now: datetime) -> Sent:
        """Moves a group's good lines to the accounts and writes what became of every line. Raises FileRefused the second time.

        A reference that is on an account already is posted again: no delivered check for it was found (peoplesoft.md 1.4).
        """
        if group.post_status is not PostStatus.NOT_POSTED:
            raise FileRefused(f"group {group.number} was posted before")
        for line in group.good:
            if line.takes_back:
                self._taken_back(line).credited_cents += abs(line.cents)
            else:
                self.items.append(self._item(len(self.items) + 1, line, now))
        group.post_status = PostStatus.ERRORS if group.refused or group.blocked_because else PostStatus.COMPLETE
        return results_file(group, group.good, [line for line in group.good if not line.term], now)

    def pay_online(self, emplid: str, now: datetime) -> list[Payment]:
        """Self service: everything the student has listed is paid at once, each item whole (mission.md B4)."""
        return [self._pay(item, item.open_cents, "CC", now) for item in self.items if item.emplid == emplid and item.open_cents]

    def pay_at_cashier(self, emplid: str, reference: str, cents: int, now: datetime, method: str = "CSH") -> Payment:
        """The cashier applies money to the item the student names, in part or whole; the rest becomes credit on the account.

        Raises LookupError when the student has no such item, ValueError when `cents` is not positive.
        """
        if cents <= 0:
            raise ValueError("a payment is a positive number of cents")
        named = [item for item in self.items if (item.emplid, item.reference) == (emplid, reference)]
        if not named:
            raise LookupError(f"{emplid} has no item with reference {reference}")
        return self._pay(next((item for item in named if item.open_cents), named[0]), cents, method, now)

    def reverse_payment(self, number: str) -> Payment:
        """A returned check or a chargeback: the item is open again (peoplesoft.md 2.2).

        Raises LookupError when no standing payment has that number.
        """
        payment = next((payment for payment in self.payments if payment.number == number and not payment.reversed), None)
        if payment is None:
            raise LookupError(f"no standing payment {number}")
        payment.reversed = True
        payment.item.applied_cents -= payment.applied_cents
        return payment

    def payments_report(self, now: datetime) -> Sent:
        """The library's payment report: cumulative since 1 July, a reversed payment's row gone."""
        return payments_file(self.payments, now)

    def items_of(self, emplid: str) -> list[Item]:
        """A student's items in the order they were posted: what self service and the cashier see."""
        return [item for item in self.items if item.emplid == emplid]

    def book(self) -> PeopleSoftBook:
        """The bursar's totals now."""
        standing = [payment for payment in self.payments if not payment.reversed]
        return PeopleSoftBook(
            charged=Tally.of(item.amount_cents for item in self.items),
            open=Tally.of(item.open_cents for item in self.items if item.open_cents),
            paid=Tally.of(payment.applied_cents for payment in standing),
            credit_cents=sum(payment.cents - payment.applied_cents for payment in standing) + sum(item.excess_cents for item in self.items),
            taken_back_cents=sum(item.credited_cents for item in self.items),
        )

    def _objection(self, line: ChargeLine) -> str:
        """The bursar's published words for what is wrong with a line (peoplesoft.md 1.4), or ""."""
        if line.emplid not in self.accounts:
            return "Invalid Employee ID"
        if line.item_type not in self.item_types and not (line.takes_back and line.item_type in self.credit_item_types):
            return "Invalid Item Type"
        if line.term and line.term not in self.open_terms:
            return "Invalid Term"
        if line.takes_back:
            return "" if line.cents and self._originals(line) else "Cannot reverse this charge"
        # The published list has no word for an amount; this one is ours.
        return "" if line.cents > 0 else "Invalid Amount"

    def _originals(self, line: ChargeLine) -> list[Item]:
        """The charges that a line can take back: the person's, by reference, item type and term where it is no waiver's own, with that much left."""
        own = line.item_type in self.credit_item_types
        return [
            item
            for item in self.items
            if (item.emplid, item.reference) == (line.emplid, line.reference)
            and (own or (item.item_type == line.item_type and line.term in ("", item.term)))
            and item.amount_cents - item.credited_cents >= abs(line.cents)
        ]

    def _taken_back(self, line: ChargeLine) -> Item:
        """The charge itself, one that is open first. Raises FileRefused when two lines of a file wanted the same money."""
        found = self._originals(line)
        if not found:
            raise FileRefused(f"{line.reference} is taken back twice in one file")
        return next((item for item in found if item.open_cents), found[0])

    def _item(self, number: int, line: ChargeLine, now: datetime) -> Item:
        return Item(f"{number:015d}", line.emplid, line.item_type, line.term or self.open_terms[0], line.reference, line.description, line.cents, now)

    def _pay(self, item: Item, cents: int, method: str, now: datetime) -> Payment:
        applied = min(cents, item.open_cents)
        item.applied_cents += applied
        payment = Payment(f"{len(self.payments) + 1:012d}", item, cents, applied, method, now)
        self.payments.append(payment)
        return payment
