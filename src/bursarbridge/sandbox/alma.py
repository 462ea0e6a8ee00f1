"""Alma as a state machine: fees are assessed, exported to the bursar, and closed by the payments the bursar sends back."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from bursarbridge.sandbox.alma_files import Paid, export_bytes, import_rows
from bursarbridge.sandbox.cents import Tally
from bursarbridge.sandbox.fees import Credit, Fee, FeeStatus, Sent, User


@dataclass(frozen=True, slots=True)
class ImportCount:
    """What one import job did, row by row; `credits` are overpayments, counted beside the fees they closed."""

    rows: int = 0
    closed: int = 0
    lowered: int = 0
    unknown: int = 0
    refused: int = 0
    """Rows whose sum is not positive. What Alma does with them is not documented (alma.md 2.3); here they change nothing."""
    credits: int = 0
    applied_cents: int = 0
    credit_cents: int = 0


class AlmaBook(NamedTuple):
    """Where Alma's money stands; balances for open fees, original amounts for closed ones."""

    assessed: Tally
    active: Tally
    transferred: Tally
    closed: Tally
    paid_cents: int
    """What payments lowered the fees by."""
    waived_cents: int
    """What waives lowered them by."""
    credits: Tally

    @property
    def open_cents(self) -> int:
        """What Alma believes is still owed: active and transferred balances."""
        return self.active.cents + self.transferred.cents


class Alma:
    """The library's books with bursar export and import both on (alma.md 1.4, second column)."""

    def __init__(self, profile: str = "BURSAR") -> None:
        self.profile = profile
        self.fees: dict[str, Fee] = {}
        self.credits: list[Credit] = []
        self._jobs = 0
        self._credits_exported = 0

    def assess(self, user: User, fee_type: str, cents: int, at: datetime, *, barcode: str = "", title: str = "", library: str = "") -> Fee:
        """Adds an active fee of `cents` (at least 0) with a fresh 17-digit id, as Alma makes them (alma.md 1.1)."""
        if cents < 0:
            raise ValueError("a fee is not negative; credits have a call of their own")
        fee_id = f"153{len(self.fees) + 1:010d}6001"
        fee = Fee(fee_id, user, fee_type, cents, cents, FeeStatus.ACTIVE, at, barcode, title, library, assessed_at=at)
        self.fees[fee_id] = fee
        return fee

    def run_export(self, now: datetime) -> Sent | None:
        """Writes every active fee to one file and marks it Transferred; None when there is nothing to send.

        Whether Alma writes an empty file in that case is not known (alma.md 1.2); here it writes none.
        """
        active = self._with(FeeStatus.ACTIVE)
        if not active:
            return None
        self._jobs += 1
        job = f"170{self._jobs:010d}6001"
        content = export_bytes(job, active)
        for fee in active:
            fee.status = FeeStatus.TRANSFERRED
        return Sent(f"{self.profile}-{job}-{int(now.timestamp())}.xml", content)

    def waive(self, fee_id: str, now: datetime, comment: str = "item returned", cents: int = 0) -> Credit | None:
        """Staff forgive a fee, whole or `cents` of its balance. A transferred fee leaves a credit for the bursar; one never exported just shrinks.

        Raises LookupError for an unknown fee, ValueError for more than its balance, or nothing. What Alma really does with a
        waived transferred fee is inferred (alma.md 1.5).
        """
        fee = self.fees.get(fee_id)
        if fee is None:
            raise LookupError(f"no fee {fee_id}")
        waived = cents or fee.balance_cents
        if not 0 < waived <= fee.balance_cents:
            raise ValueError(f"fee {fee_id} has a balance of {fee.balance_cents} cents")
        fee.balance_cents -= waived
        fee.waived_cents += waived
        fee.last_transaction_at = now
        transferred = fee.status is FeeStatus.TRANSFERRED
        if not fee.balance_cents:
            fee.status = FeeStatus.CLOSED
        return self.credit(fee, waived, comment, now) if transferred else None

    def refund(self, fee_id: str, cents: int, now: datetime, comment: str = "item returned") -> Credit:
        """A paid item comes back: Alma owes the user money (alma.md 5, the refund ratio). Raises LookupError for an unknown fee."""
        fee = self.fees.get(fee_id)
        if fee is None:
            raise LookupError(f"no fee {fee_id}")
        return self.credit(fee, cents, comment, now)

    def run_credit_export(self, now: datetime) -> Sent | None:
        """The credits made since the last one, as rows of their own with negative sums; None when there are none (alma.md 1.2)."""
        fresh = self.credits[self._credits_exported :]
        if not fresh:
            return None
        self._credits_exported = len(self.credits)
        self._jobs += 1
        job = f"170{self._jobs:010d}6001"
        return Sent(f"{self.profile}-{job}-{int(now.timestamp())}.xml", export_bytes(job, [_row(credit, now) for credit in fresh]))

    @property
    def credits_waiting(self) -> int:
        """How many credits the next credit export takes."""
        return len(self.credits) - self._credits_exported

    def credit(self, fee: Fee, cents: int, comment: str, now: datetime) -> Credit:
        """Writes down that the user is owed money, for the next credit export."""
        credit_id = f"154{len(self.credits) + 1:010d}6001"
        credit = Credit(fee.user, cents, comment, fee.bursar_transaction_id, credit_id, fee.barcode, fee.library, now)
        self.credits.append(credit)
        return credit

    def run_import(self, content: bytes, now: datetime) -> ImportCount:
        """Applies every row of a payment file; the same file again is applied again (alma.md 2.3).

        Raises FileRefused, with nothing applied, when the file cannot be read.
        """
        count = ImportCount()
        for row in import_rows(content):
            count = self._apply(replace(count, rows=count.rows + 1), row, now)
        return count

    def book(self) -> AlmaBook:
        """The library's totals now."""
        fees = self.fees.values()
        return AlmaBook(
            assessed=Tally.of(fee.original_cents for fee in fees),
            active=Tally.of(fee.balance_cents for fee in self._with(FeeStatus.ACTIVE)),
            transferred=Tally.of(fee.balance_cents for fee in self._with(FeeStatus.TRANSFERRED)),
            closed=Tally.of(fee.original_cents for fee in self._with(FeeStatus.CLOSED)),
            paid_cents=sum(fee.original_cents - fee.balance_cents - fee.waived_cents for fee in fees),
            waived_cents=sum(fee.waived_cents for fee in fees),
            credits=Tally.of(credit.cents for credit in self.credits),
        )

    def _apply(self, count: ImportCount, row: Paid, now: datetime) -> ImportCount:
        fee = self.fees.get(row.bursar_transaction_id)
        if fee is None:
            return replace(count, unknown=count.unknown + 1)
        if row.cents <= 0:
            return replace(count, refused=count.refused + 1)
        applied = min(row.cents, fee.balance_cents)
        excess = row.cents - applied
        fee.balance_cents -= applied
        fee.last_transaction_at = now
        count = replace(count, applied_cents=count.applied_cents + applied)
        if excess:
            # Overpayment makes a credit (alma.md 2.1); so does a payment for a fee that is closed already.
            self.credit(fee, excess, "Bursar", now)
            count = replace(count, credits=count.credits + 1, credit_cents=count.credit_cents + excess)
        if fee.balance_cents:
            return replace(count, lowered=count.lowered + 1)
        newly_closed = fee.status is not FeeStatus.CLOSED
        fee.status = FeeStatus.CLOSED
        return replace(count, closed=count.closed + newly_closed)

    def _with(self, status: FeeStatus) -> list[Fee]:
        return [fee for fee in self.fees.values() if fee.status is status]


def _row(credit: Credit, now: datetime) -> Fee:
    """A credit as the export prints it: type CREDIT, below zero, under an id of its own (alma.md 0, item 3)."""
    at = credit.made_at or now
    return Fee(
        credit.credit_id,
        credit.user,
        "CREDIT",
        -credit.cents,
        -credit.cents,
        FeeStatus.CLOSED,
        at,
        credit.barcode,
        library=credit.library,
        comment=credit.comment,
    )
