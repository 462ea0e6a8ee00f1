"""What a parking office's newest word on a violation does to the charge that was made of it (parking.md A, B, W). Pure and total.

The office states what is owed now; we know what was handed over, what the office was told of as paid, and what it took back before.
Only what none of these explains is news: less is a counter entry by itself, more is a question.
"""

from dataclasses import dataclass
from typing import NamedTuple

from bursarbridge.ledger.crediting import CreditRules
from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ledger.money import shown

EXACT = CreditRules(full_waive_only=False, echo_comments=(), exact=True)
"""Every counter entry names its violation."""

PAID_THERE = "paid at the parking office"
"""The comment of a counter entry that a person decides about."""


class Billed(NamedTuple):
    """What became of a violation so far; cents."""

    account: str
    cents: int
    """As it was handed over."""
    unbilled: int = 0
    """Not in any file for the bursar yet."""
    told: int = 0
    """Payments that the office was told of."""
    taken_back: int = 0
    """By what the office said before, carried out or not yet."""
    withdrawn: int = 0
    """By a person; the office does not know."""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """So much of the charge is not owed any more; `asked`: only a person can say why."""

    cents: int
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """The charge stands, and a person finds out which of the two is right."""

    words: str
    cents: int


def is_to_be_billed(now: Violation, user_types: tuple[str, ...]) -> bool:
    """Whether a violation that was never handed over becomes a charge: open, not under appeal, of a user type that is billed (none named: any)."""
    return now.status is Standing.OPEN and now.cents > 0 and (not user_types or now.user_type in user_types)


def decide_billed(now: Violation, billed: Billed, *, tells_paid: bool) -> TakeBack | Ask | None:
    """What follows from what the office says now; None when all of it is explained.

    `tells_paid`: the office's lists have a word for paid. A void takes the whole back, what was paid on it too; anything else is held
    against what the office should know as owed, so that the closing that our own payment file caused is nothing new.
    """
    most = billed.cents - billed.taken_back
    if now.account != billed.account:
        words = f"violation {now.reference} is {now.account}'s by the parking office now, and {shown(billed.cents)} was billed to {billed.account}"
        return Ask(words, now.cents)
    if now.cents > most:
        words = f"violation {now.reference} rose: the parking office says {shown(now.cents)} is owed, and {shown(most)} is what was billed"
        return Ask(f"{words}; nothing was added to the student account", now.cents)
    known = billed.withdrawn if now.status in (Standing.VOID, Standing.WARNING) else billed.told + billed.withdrawn
    less = max(most - known, 0) - now.cents
    if less <= 0:
        return None
    return TakeBack(less, asked=tells_paid and now.status is Standing.PAID and less > billed.unbilled)
