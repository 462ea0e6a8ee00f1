"""Alma as the desk that returned items ask and tell (ports.LibraryDesk), by its API (alma.md 3 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.returns import FeeState, LibraryCredit, LibraryFee, Loan, LoanState
from bursarbridge.ports.calls import Waived
from bursarbridge.systems.alma.api import ApiFee, FeeName, Status
from bursarbridge.systems.alma.api_errors import Declined
from bursarbridge.systems.alma.api_loans import ApiLoan, LoanStatus
from bursarbridge.systems.alma.client import AlmaApi
from bursarbridge.systems.alma.export import CREDIT
from bursarbridge.systems.alma.once import AlreadyDone

_UNKNOWN_PERSON = frozenset({"401861", "401890"})
_UNKNOWN_ITEM = frozenset({"401689"})
_STATES = {Status.ACTIVE: FeeState.OPEN, Status.EXPORTED: FeeState.OPEN, Status.INDISPUTE: FeeState.DISPUTED, Status.CLOSED: FeeState.CLOSED}
_CLAIMED = ("CLAIMED_RETURN", "CLAIM_RETURNED_LOAN")


class AlmaDesk:
    """Speaks for one library. What is asked about a person is asked once per run: Alma counts its calls."""

    def __init__(self, api: AlmaApi) -> None:
        self._api = api
        self._known: dict[str, list[ApiFee]] = {}

    def fees(self, person: str, item: str) -> Sequence[LibraryFee]:
        """Every fee of that person for that item but credits, as Alma has it now."""
        self._known.pop(person, None)
        return [_fee(one) for one in self._all(person) if one.barcode == item and one.category != CREDIT]

    def credits(self, person: str, item: str) -> Sequence[LibraryCredit]:
        """The credits of that person for that item."""
        found = [one for one in self._all(person) if one.barcode == item and one.category == CREDIT]
        return [LibraryCredit(item, abs(one.original_cents), instant(one.created_at)) for one in found]

    def loans(self, person: str, item: str) -> Sequence[Loan]:
        """The loans of that item by that person, those that are out and those that ended."""
        found: list[ApiLoan] = []
        for status in (LoanStatus.ACTIVE, LoanStatus.COMPLETE):
            try:
                found += self._api.loans(person, status)
            except Declined as error:
                if error.code not in _UNKNOWN_PERSON:
                    raise
        return [Loan(one.id, _loan_state(one), instant(one.returned_at)) for one in found if one.barcode == item]

    def in_place(self, item: str) -> bool:
        """Whether the item stands where it belongs; an unknown one does not."""
        try:
            return self._api.item(item).in_place
        except Declined as error:
            if error.code in _UNKNOWN_ITEM:
                return False
            raise

    def waive(self, person: str, fee: str, cents: int, reason: str, ours: str) -> Waived:
        """Waives that much of a fee, at most once for `ours`."""
        self._known.pop(person, None)
        done = self._api.waive(FeeName(person, fee), cents, reason, ours)
        return Waived("already" if isinstance(done, AlreadyDone) else "done")

    def refresh_blocks(self, person: str, item: str) -> int:
        """Takes off the blocks that name a loan of this item, or the item in their note; nothing else of the user changes."""
        lost = {one.loan for one in self.loans(person, item)}
        return len(self._api.unblock(person, lambda block: block.loan in lost if block.loan else bool(item) and item in block.note))

    def _all(self, person: str) -> list[ApiFee]:
        if person not in self._known:
            try:
                self._known[person] = [one for status in Status for one in self._api.fees(person, status)]
            except Declined as error:
                if error.code not in _UNKNOWN_PERSON:
                    raise
                return []
        return self._known[person]


def _fee(found: ApiFee) -> LibraryFee:
    if found.status not in _STATES:
        raise Unreadable("fee_status", f'Alma calls a fee "{found.status[:40]}", which is new to us; look at the fee in Alma')
    kinds = {kind: sum(abs(one.cents) for one in found.transactions if one.kind == kind) for kind in ("WAIVE", "PAYMENT")}
    return LibraryFee(
        fee=found.id,
        reference=found.bursar_transaction_id or found.id,
        category=found.category,
        state=_STATES[Status(found.status)],
        balance_cents=found.balance_cents,
        item=found.barcode,
        created_at=instant(found.created_at),
        waived_cents=kinds["WAIVE"],
        paid_cents=kinds["PAYMENT"],
        marks=tuple(text for one in found.transactions for text in (one.comment, one.external_id) if text),
    )


def _loan_state(found: ApiLoan) -> LoanState:
    if found.process_status in _CLAIMED:
        return LoanState.CLAIMED
    if found.status == "COMPLETE" or found.returned_at:
        return LoanState.RETURNED
    return LoanState.LOST if "LOST" in found.process_status else LoanState.OUT


def instant(written: str) -> str:
    """An instant of Alma's as UTC text with seconds: ISO with a zone, or in older rows milliseconds since 1970 (alma.md 3.3)."""
    if not written:
        return ""
    try:
        at = datetime.fromtimestamp(int(written) / 1000, UTC) if written.isdigit() else datetime.fromisoformat(written)
    except ValueError as error:
        raise Unreadable("instant", f'"{written[:40]}" is not an instant as Alma writes them') from error
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
