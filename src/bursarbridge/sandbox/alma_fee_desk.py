"""What the fee calls do to the emulated Alma's books, and what they refuse (alma.md 3.2 and 3.4)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.cents import cents_of
from bursarbridge.sandbox.fees import Fee, FeeStatus

_WORDS = {FeeStatus.ACTIVE: "ACTIVE", FeeStatus.TRANSFERRED: "EXPORTED", FeeStatus.CLOSED: "CLOSED"}
METHODS = frozenset({"CREDIT_CARD", "ONLINE", "CASH"})
REASONS = {"FOUND": "Lost item was found", "GOODWILL": "Goodwill", "EXPIRED": "Lost loan expired"}
"""The sandbox's FineFeeTransactionReason: site data everywhere."""


class ApiRefused(Exception):
    """A call the API says no to, with Alma's code."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Transaction(NamedTuple):
    """One row of a fee's history."""

    kind: str
    cents: int
    external_id: str
    comment: str
    reason: str
    method: str
    at: datetime


@dataclass(slots=True)
class FeeDesk:
    """The fees of one Alma as its API shows them."""

    alma: Alma
    rows: dict[str, list[Transaction]] = field(default_factory=dict)
    """Transactions by the API's fee id."""
    disputed: set[str] = field(default_factory=set)

    def of_user(self, user: str, status: str) -> list[Fee]:
        """A user's fees in one status of the API."""
        return [fee for fee in self.alma.fees.values() if fee.user.value == user and self.status(fee) == status]

    def one(self, user: str, fee_id: str) -> Fee:
        """One fee that is not closed: the API refuses those (alma.md 2.4)."""
        for fee in self.alma.fees.values():
            if self.id_of(fee) == fee_id and fee.user.value == user:
                if fee.status is FeeStatus.CLOSED:
                    raise ApiRefused("402119", "Request failed: API does not support closed fees.")
                return fee
        raise ApiRefused("401665", f"Fine not found. ID: {fee_id}, user {user}")

    def id_of(self, fee: Fee) -> str:
        """The API's own id of a fee, another than its bursar transaction id (alma.md 3.3)."""
        return "138" + fee.bursar_transaction_id[3:]

    def status(self, fee: Fee) -> str:
        """The status in the API's words."""
        return "INDISPUTE" if self.id_of(fee) in self.disputed else _WORDS[fee.status]

    def change(self, fee: Fee, asked: dict[str, str], now: datetime) -> None:
        """Does one op. Raises ApiRefused and changes nothing when it is not lawful."""
        op = asked.get("op", "")
        if op in ("pay", "waive"):
            self._lower(fee, op, asked, now)
        elif op == "dispute":
            self.disputed.add(self.id_of(fee))
        elif op == "restore":
            self.disputed.discard(self.id_of(fee))
        else:
            raise ApiRefused("401666", f"The parameter op is invalid: {op}")

    def _lower(self, fee: Fee, op: str, asked: dict[str, str], now: datetime) -> None:
        cents = self._amount(asked)
        if self.id_of(fee) in self.disputed:
            raise ApiRefused("402119", "General error: the fee is in dispute.")
        if op == "pay" and asked.get("method", "") not in METHODS:
            raise ApiRefused("401666", "The parameter method is invalid or missing.")
        if op == "waive" and asked.get("reason", "") not in REASONS:
            raise ApiRefused("401666", "The parameter reason is invalid or missing.")
        if op == "waive" and cents > fee.balance_cents:
            raise ApiRefused("402119", "General error: the amount is larger than the balance.")
        applied = min(cents, fee.balance_cents)
        billed = fee.status is FeeStatus.TRANSFERRED
        fee.balance_cents -= applied
        fee.waived_cents += applied if op == "waive" else 0
        fee.last_transaction_at = now
        if not fee.balance_cents:
            fee.status = FeeStatus.CLOSED
        if cents > applied:
            self.alma.credit(fee, cents - applied, asked.get("comment", ""), now)
        if op == "waive" and billed:
            # What the bursar has, the next credit export tells it (alma.md 1.5, inferred).
            self.alma.credit(fee, applied, asked.get("comment", ""), now)
        kind = "PAYMENT" if op == "pay" else "WAIVE"
        external, comment, reason, method = (asked.get(name, "") for name in ("external_transaction_id", "comment", "reason", "method"))
        self.rows.setdefault(self.id_of(fee), []).append(Transaction(kind, cents, external, comment, reason, method, now))

    def _amount(self, asked: dict[str, str]) -> int:
        try:
            cents = cents_of(asked.get("amount", ""))
        except ValueError as error:
            raise ApiRefused("401666", f"The parameter amount is invalid: {error}") from error
        if cents <= 0:
            raise ApiRefused("401666", "The parameter amount must be positive.")
        return cents
