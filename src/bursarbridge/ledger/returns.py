"""A lost item that came back: what the library says now and what stands in our books -> what becomes of its fee. Pure.

A webhook is a hint and no more: loan, fees and credits are read again, and only a fee that is billed and still open is
waived (alma.md 4.3, 5; reliability.md P08).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from bursarbridge.ledger.money import shown


class LoanState(StrEnum):
    """Where a lent item is, as the library says now."""

    RETURNED = "returned"
    LOST = "lost"
    CLAIMED = "claimed"
    """The person says it came back; the library has not found it."""
    OUT = "out"
    UNKNOWN = "unknown"


class Loan(NamedTuple):
    """One loan of one item by one person."""

    loan: str
    state: str
    """A `LoanState`."""
    returned_at: str = ""
    """UTC text, or "" when it did not come back or nobody knows when."""


class FeeState(StrEnum):
    """How a fee stands at the library."""

    OPEN = "open"
    """Active, or handed to the bursar: Alma's ACTIVE and EXPORTED (alma.md 3.2)."""
    DISPUTED = "disputed"
    CLOSED = "closed"


class LibraryFee(NamedTuple):
    """One fee as the library's own system has it now."""

    fee: str
    """The library's id, by which it is spoken of in calls."""
    reference: str
    """The lasting name it has in exports: what our ledger knows it by."""
    category: str
    state: str
    """A `FeeState`."""
    balance_cents: int
    item: str
    created_at: str = ""
    """UTC text."""
    waived_cents: int = 0
    paid_cents: int = 0
    marks: tuple[str, ...] = ()
    """Comments and external ids of its transactions: our own reference is looked for among them."""


class LibraryCredit(NamedTuple):
    """A credit the library wrote for an item."""

    item: str
    cents: int
    """Positive."""
    created_at: str = ""


class Billed(NamedTuple):
    """Where the cents of the fee's obligation are, and what was ever paid on it."""

    unsent: int = 0
    sending: int = 0
    """In a charge file without an answer yet."""
    open: int = 0
    """On the student account."""
    paying: int = 0
    """Paid at the bursar, and the library does not know yet."""
    crediting: int = 0
    """Waived, and the bursar does not know yet."""
    student_credit: int = 0
    paid: int = 0
    """Paid so far, reversals taken off."""


class Outcome(StrEnum):
    """What becomes of a fee whose item may be back."""

    WAIVE = "waive"
    ALREADY = "already"
    PAID = "paid"
    DISPUTE = "dispute"
    DIFFERS = "differs"
    NOT_RETURNED = "not_returned"
    WAIT = "wait"


WAITING_ON = {
    Outcome.WAIVE: "the library's next credit export",
    Outcome.ALREADY: "the library's next credit export",
    Outcome.WAIT: "our next run of library-returns",
}
"""Who moves next about a fee that is open on the student account while its item is back; the other outcomes are questions or no return."""


class Decision(NamedTuple):
    """An outcome with the sentence for it, and the cents to waive (0 unless it is WAIVE)."""

    outcome: Outcome
    words: str
    cents: int = 0


def decide(loan: LoanState, fee: LibraryFee, credited: int, billed: Billed | None, ours: str) -> Decision:
    """What becomes of one lost-item fee. `credited`: the library's credits for the item since the fee; `ours`: our reference of its waive."""
    kept = _not_back(loan, fee)
    if kept is not None:
        return kept
    if fee.state == FeeState.DISPUTED:
        return Decision(Outcome.DISPUTE, "the item is back and the fee is in dispute at the library, which decides it there first")
    done = _given_up(fee, credited, billed, ours)
    if done is not None:
        return done
    if billed is None:
        return Decision(Outcome.WAIT, "the item is back and the fee is not billed yet; it is looked at again when its export has come")
    return _billed(fee, billed)


def loan_state(loans: Sequence[Loan], fee: LibraryFee, *, in_place: bool) -> LoanState:
    """Where the item of a fee is: a loan that came back after the fee was made answers for it, an older one does not.

    Loans end up anonymised (alma.md 3.6): without any, an item that stands in its place has come back.
    """
    states = {one.state for one in loans if one.state != LoanState.RETURNED}
    if any(one.state == LoanState.RETURNED and _after(one.returned_at, fee.created_at) for one in loans):
        return LoanState.RETURNED
    for state in (LoanState.LOST, LoanState.CLAIMED, LoanState.OUT):
        if state in states:
            return state
    return LoanState.RETURNED if in_place and not loans else LoanState.UNKNOWN


def returned_at(loans: Sequence[Loan], fee: LibraryFee) -> str:
    """When the item of a fee came back (UTC text), or "" when it did not or nobody knows."""
    return max((one.returned_at for one in loans if one.state == LoanState.RETURNED and _after(one.returned_at, fee.created_at)), default="")


def credited_since(found: Sequence[LibraryCredit], fee: LibraryFee) -> int:
    """The cents the library credited for the fee's item since the fee was made."""
    return sum(one.cents for one in found if one.item == fee.item and _after(one.created_at, fee.created_at))


def _after(later: str, earlier: str) -> bool:
    return not later or not earlier or later >= earlier


def _not_back(loan: LoanState, fee: LibraryFee) -> Decision | None:
    if loan is LoanState.RETURNED:
        return None
    if loan is LoanState.UNKNOWN:
        return Decision(Outcome.WAIT, "the library knows no loan to this fee now; it is asked again")
    words = {
        LoanState.CLAIMED: "it is only claimed to be returned: the library looks for it first",
        LoanState.LOST: "it is still lost",
        LoanState.OUT: "the person still has it on loan",
    }[loan]
    return Decision(Outcome.NOT_RETURNED, f"the item is not back: {words}; {shown(fee.balance_cents)} stays")


def _given_up(fee: LibraryFee, credited: int, billed: Billed | None, ours: str) -> Decision | None:
    """What the library has already given up: by our own hand, by its own refund, or because nothing is open there any more."""
    if any(ours in mark for mark in fee.marks):
        return Decision(Outcome.ALREADY, "already waived at the library by us; the credit comes with the next credit export")
    if credited:
        return Decision(Outcome.ALREADY, f"the library itself credited {shown(credited)} for the item; the credit comes with the next credit export")
    if fee.balance_cents > 0 and fee.state == FeeState.OPEN:
        return None
    if fee.waived_cents:
        return Decision(Outcome.ALREADY, f"already waived at the library ({shown(fee.waived_cents)})")
    if fee.paid_cents or (billed is not None and billed.paid and not billed.open):
        return _refund(max(fee.paid_cents, billed.paid if billed else 0), billed)
    return Decision(Outcome.ALREADY, "nothing is open on the fee at the library any more")


def _billed(fee: LibraryFee, billed: Billed) -> Decision:
    if not billed.open:
        if billed.unsent or billed.sending:
            return Decision(Outcome.WAIT, "the item is back and the charge is not on the student account yet; it is waived when it is")
        if billed.crediting:
            return Decision(Outcome.ALREADY, f"already waived; {shown(billed.crediting)} is on its way to the student account")
        if billed.paid:
            return _refund(billed.paid, billed)
        return Decision(Outcome.ALREADY, "nothing of it is open on the student account any more")
    if billed.paying:
        words = f"the item is back; a payment of {shown(billed.paying)} is on its way to the library, and what remains is waived when it has arrived"
        return Decision(Outcome.WAIT, words)
    if fee.balance_cents != billed.open:
        here, there = shown(billed.open), shown(fee.balance_cents)
        return Decision(Outcome.DIFFERS, f"the item is back; {there} is open at the library, {here} on the student account: find out which is right")
    part = f" (what remains; a refund of the {shown(billed.paid)} paid is the cashier's question)" if billed.paid else ""
    return Decision(Outcome.WAIVE, f"the item is back: {shown(fee.balance_cents)} is waived{part}", fee.balance_cents)


def _refund(paid: int, billed: Billed | None) -> Decision:
    if billed is not None and billed.student_credit >= paid:
        return Decision(Outcome.ALREADY, f"{shown(paid)} was paid before the item came back, and stands as the student's credit")
    return Decision(Outcome.PAID, f"the item is back and {shown(paid)} was paid for it: a refund is a question for the cashier")
