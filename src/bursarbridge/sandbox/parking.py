"""The parking office as a state machine: violations are issued, paid, appealed, spoiled and exported (parking.md)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bursarbridge.sandbox.cents import Tally
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.parking_files import HoldRow, holds_csv, payment_rows, violations_csv, violations_fixed
from bursarbridge.sandbox.tickets import ParkingUser, Ticket, TicketStatus


class Form(StrEnum):
    """How a list of violations is written; the word is its file's ending."""

    DELIMITED = "csv"
    FIXED = "txt"


@dataclass(frozen=True, slots=True)
class PaymentCount:
    """What one payment file did, row by row."""

    rows: int = 0
    closed: int = 0
    lowered: int = 0
    unknown: int = 0
    refused: int = 0
    """Rows whose amount is not positive."""
    applied_cents: int = 0
    excess_cents: int = 0
    """Paid beyond what was owed: parking owes it to somebody now."""


class ParkingBook(NamedTuple):
    """Where the parking office's money stands: what was issued is open, paid, forgiven or cleaned up."""

    issued: Tally
    open: Tally
    """With something still owed, appealed ones included."""
    paid_cents: int
    forgiven_cents: int
    cleaned_cents: int


class Parking:
    """The books of one parking office. With `billing` an exported violation cannot be paid here any more (parking.md B, W)."""

    def __init__(self, *, billing: bool = False, trailer: bool = False) -> None:
        self.billing = billing
        self.trailer = trailer
        """Whether its CSV lists end with count and total."""
        self.tickets: dict[str, Ticket] = {}
        self._revision = 0
        self._revision_exported = 0
        self._files = 0
        self._told: dict[str, HoldRow] = {}

    def issue(self, user: ParkingUser, violation_type: str, cents: int, at: datetime, *, warning: bool = False) -> Ticket:
        """Writes a violation of `cents` (positive), or a warning that asks for nothing."""
        if (cents != 0) if warning else (cents <= 0):
            raise ValueError("a violation asks for a positive amount, a warning for nothing")
        number = f"V{202600001 + len(self.tickets)}"
        status = TicketStatus.WARNING if warning else TicketStatus.OPEN
        self.tickets[number] = Ticket(number, user, violation_type, cents, cents, status, at, self._next())
        return self.tickets[number]

    def pay(self, number: str, cents: int) -> Ticket:
        """Money at parking's own counter: a part or all of what is owed.

        Raises LookupError for an unknown violation; ValueError for more than is owed, or where it can only be paid elsewhere now.
        """
        ticket = self._ticket(number)
        if self.billing and ticket.exported_at is not None:
            raise ValueError(f"{number} was exported at {ticket.exported_at:%Y-%m-%d %H:%M} and is paid at the bursar now")
        if not 0 < cents <= ticket.owed_cents:
            raise ValueError(f"{number} owes {ticket.owed_cents} cents")
        return self._lowered(ticket, cents)

    def bounce(self, number: str, cents: int) -> Ticket:
        """A check comes back: that much is owed again. Raises LookupError, and ValueError for more than was paid."""
        ticket = self._ticket(number)
        if not 0 < cents <= ticket.paid_cents:
            raise ValueError(f"{number} was paid {ticket.paid_cents} cents")
        ticket.paid_cents -= cents
        ticket.owed_cents += cents
        return self._now(ticket, TicketStatus.OPEN)

    def appeal(self, number: str) -> Ticket:
        """Somebody disputes a violation; the amount stays until it is decided. Raises LookupError, and ValueError when nothing is owed."""
        ticket = self._ticket(number)
        if not ticket.due_cents:
            raise ValueError(f"{number} is {ticket.status.lower()}; there is nothing to appeal")
        return self._now(ticket, TicketStatus.APPEALED)

    def decide(self, number: str, owed_cents: int) -> Ticket:
        """An appeal is decided by void and edit (parking.md A): what is owed stays, goes down, or is gone, under the same number.

        Raises LookupError for an unknown violation, ValueError when it is not under appeal or would owe more than before.
        """
        ticket = self._ticket(number)
        if ticket.status is not TicketStatus.APPEALED or not 0 <= owed_cents <= ticket.owed_cents:
            raise ValueError(f"{number} is {ticket.status.lower()} and owes {ticket.owed_cents} cents")
        ticket.forgiven_cents += ticket.owed_cents - owed_cents
        ticket.owed_cents = owed_cents
        return self._now(ticket, TicketStatus.OPEN if owed_cents else TicketStatus.SPOILED)

    def spoil(self, number: str) -> Ticket:
        """A violation is voided, whatever was still owed. Raises LookupError for an unknown one."""
        ticket = self._ticket(number)
        ticket.forgiven_cents += ticket.owed_cents
        ticket.owed_cents = 0
        return self._now(ticket, TicketStatus.SPOILED)

    def clean_up(self, number: str) -> Ticket:
        """A "system processed" payment closes a violation that was exported: a clean-up, no money (parking.md A).

        Raises LookupError for an unknown violation, ValueError for one that was never exported.
        """
        ticket = self._ticket(number)
        if ticket.exported_at is None:
            raise ValueError(f"{number} was never exported")
        ticket.cleaned_cents += ticket.owed_cents
        ticket.owed_cents = 0
        return self._now(ticket, TicketStatus.CLEANED)

    def full_list(self, now: datetime, form: Form = Form.DELIMITED) -> Sent:
        """Everything outstanding, appealed violations included; an empty list when there is nothing."""
        return self._list("full", [one for one in self.tickets.values() if one.owed_cents], now, form)

    def changes(self, now: datetime, form: Form = Form.DELIMITED) -> Sent:
        """What changed since the last changes file, whatever its status now. Warnings are never exported (parking.md W)."""
        changed = [one for one in self.tickets.values() if one.revision > self._revision_exported]
        self._revision_exported = self._revision
        # One that was spoiled before any export knew it is not worth a row either.
        return self._list("changes", [one for one in changed if one.owed_cents or one.exported_at or one.paid_cents], now, form)

    def hold_files(self, now: datetime) -> tuple[Sent, Sent]:
        """Holds Added (a new or changed total, which overwrites) and Holds Released (now exactly 0.00), as OPSCOM makes them (parking.md H)."""
        standing = self._totals()
        added = [row for user_id, row in standing.items() if user_id not in self._told or self._told[user_id].cents != row.cents]
        released = [row._replace(cents=0) for user_id, row in self._told.items() if user_id not in standing]
        self._told = standing
        self._files += 1
        stamp = f"{now:%Y%m%d_%H%M%S}_{self._files:04d}"
        return holds_csv(f"holds_{stamp}_added.csv", added), holds_csv(f"holds_{stamp}_released.csv", released)

    def owed(self, user_id: str) -> int:
        """A person's total by parking's own reckoning, cents."""
        return sum(one.due_cents for one in self.tickets.values() if one.user.user_id == user_id)

    def take_payments(self, content: bytes) -> PaymentCount:
        """Applies every row of a payment file from the bursar; the same file again is applied again, as at Alma.

        Raises FileRefused, with nothing applied, when the file cannot be read.
        """
        count = PaymentCount()
        for number, cents in payment_rows(content):
            count = self._apply(replace(count, rows=count.rows + 1), number, cents)
        return count

    def book(self) -> ParkingBook:
        """The office's totals now."""
        tickets = self.tickets.values()
        return ParkingBook(
            issued=Tally.of(one.original_cents for one in tickets),
            open=Tally.of(one.owed_cents for one in tickets if one.owed_cents),
            paid_cents=sum(one.paid_cents for one in tickets),
            forgiven_cents=sum(one.forgiven_cents for one in tickets),
            cleaned_cents=sum(one.cleaned_cents for one in tickets),
        )

    def _list(self, kind: str, tickets: list[Ticket], now: datetime, form: Form) -> Sent:
        self._files += 1
        name = f"violations_{kind}_{now:%Y%m%d_%H%M%S}_{self._files:04d}.{form}"
        for one in tickets:
            one.exported_at = one.exported_at or now
        return violations_fixed(name, tickets) if form is Form.FIXED else violations_csv(name, tickets, trailer=self.trailer)

    def _totals(self) -> dict[str, HoldRow]:
        """What everybody with an id owes, with the type and date of the oldest violation that counts."""
        totals: dict[str, HoldRow] = {}
        for one in sorted(self.tickets.values(), key=lambda ticket: (ticket.issued_at, ticket.number)):
            user = one.user
            if one.due_cents and user.user_id:
                first = totals.get(user.user_id, HoldRow(user.user_id, 0, user.user_type, one.violation_type, one.issued_at.date()))
                totals[user.user_id] = first._replace(cents=first.cents + one.due_cents)
        return totals

    def _apply(self, count: PaymentCount, number: str, cents: int) -> PaymentCount:
        ticket = self.tickets.get(number)
        if ticket is None:
            return replace(count, unknown=count.unknown + 1)
        if cents <= 0:
            return replace(count, refused=count.refused + 1)
        applied = min(cents, ticket.owed_cents)
        count = replace(count, applied_cents=count.applied_cents + applied, excess_cents=count.excess_cents + cents - applied)
        if not applied:
            return count
        self._lowered(ticket, applied)
        return replace(count, lowered=count.lowered + 1) if ticket.owed_cents else replace(count, closed=count.closed + 1)

    def _lowered(self, ticket: Ticket, cents: int) -> Ticket:
        ticket.owed_cents -= cents
        ticket.paid_cents += cents
        return self._now(ticket, ticket.status if ticket.owed_cents else TicketStatus.PAID)

    def _now(self, ticket: Ticket, status: TicketStatus) -> Ticket:
        ticket.status = status
        ticket.revision = self._next()
        return ticket

    def _next(self) -> int:
        self._revision += 1
        return self._revision

    def _ticket(self, number: str) -> Ticket:
        ticket = self.tickets.get(number)
        if ticket is None:
            raise LookupError(f"no violation {number}")
        return ticket
