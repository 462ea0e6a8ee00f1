"""The posting decisions: what one fact does to what is known. Pure, total, and the specification of the store's set statements.

The store applies the same rules to a staged delivery at once (architecture.md, section 4); a property test feeds both the
same facts in any order and compares every outcome.
"""

from dataclasses import dataclass
from typing import NamedTuple

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import AnswerStatus, Charge
from bursarbridge.ledger.money import shown


@dataclass(frozen=True, slots=True)
class Posted:
    """The fact is new: these entries follow from it (none for a fee of 0.00, which is only recorded)."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class AlreadyPosted:
    """Same reference, same content, or older than what is known: no effect."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Same reference, other content: neither is applied over the other; a person decides."""

    words: str


@dataclass(frozen=True, slots=True)
class Suspended:
    """The fact cannot be posted now; it waits, visible, with its money counted."""

    code: str
    words: str


Decision = Posted | AlreadyPosted | Conflict | Suspended


class KnownCharge(NamedTuple):
    """What is known of a fee: the content that a repeat is compared with."""

    account: str
    category: str
    cents: int


class Standing(NamedTuple):
    """Where the cents of one obligation are now."""

    source: int = 0
    in_transit: int = 0
    bursar: int = 0
    paid: int = 0
    waived: int = 0
    settled: int = 0
    student_credit: int = 0


class AppliedLevel(NamedTuple):
    """What the bursar last said has been applied to an obligation in one period, and as of when."""

    cents: int = 0
    as_of: str = ""


def decide_charge(charge: Charge, known: KnownCharge | None) -> Decision:
    """A fee seen in a source: new, the same again, or another content under a known name."""
    if known is None:
        return Posted((Entry(Place.OUTSIDE, Place.SOURCE, charge.cents, Kind.CHARGE),) if charge.cents else ())
    if (charge.account, charge.category, charge.cents) == tuple(known):
        return AlreadyPosted()
    return Conflict(difference(charge, known))


def difference(charge: Charge, known: KnownCharge) -> str:
    """What differs between a fee and the one already known by its name, in words."""
    parts = []
    if charge.cents != known.cents:
        parts.append(f"amount {shown(charge.cents)} instead of {shown(known.cents)}")
    if charge.account != known.account:
        parts.append(f"person {charge.account} instead of {known.account}")
    if charge.category != known.category:
        parts.append(f"fee type {charge.category} instead of {known.category}")
    return f"fee {charge.reference} came again with {' and '.join(parts)}; what was posted first stands"


def decide_applied(told: AppliedLevel, known: AppliedLevel, standing: Standing) -> Decision:
    """What the bursar says is applied to date against what it said before: the difference is the news.

    More: money moves bursar -> paid, and what is beyond the open amount becomes student credit. Less (a reversal, a
    returned check): it moves back, student credit first, then what the source has not been told, then what is settled.
    A level below nothing is lawful for one period, where it takes back what an earlier period had paid.
    An older statement never overwrites a newer one (reliability.md T08).
    """
    if told.as_of < known.as_of or told.cents == known.cents:
        return AlreadyPosted()
    delta = told.cents - known.cents
    decision = _more(delta, standing) if delta > 0 else _less(-delta, standing)
    if told.cents < 0 and isinstance(decision, Suspended) and decision.code == "reversal_too_large":
        return Suspended("negative_total", f"payments add up to {shown(told.cents)}; a charge cannot be paid less than nothing")
    return decision


def _more(cents: int, standing: Standing) -> Decision:
    if standing.bursar == 0:
        if standing.source:
            return Suspended("payment_before_charge", f"{shown(cents)} was paid on a charge that the bursar has not confirmed")
        if standing.in_transit:
            return Suspended("payment_in_flight", f"{shown(cents)} was paid while this obligation's money is still on its way")
        return Suspended("payment_for_closed", f"{shown(cents)} was paid on a charge with nothing open; it may be owed back to the student")
    entries = [Entry(Place.BURSAR, Place.PAID, min(cents, standing.bursar), Kind.PAYMENT)]
    if cents > standing.bursar:
        entries.append(Entry(Place.OUTSIDE, Place.STUDENT_CREDIT, cents - standing.bursar, Kind.PAYMENT))
    return Posted(tuple(entries))


def _less(cents: int, standing: Standing) -> Decision:
    entries = []
    left = cents
    for place, target in ((Place.STUDENT_CREDIT, Place.OUTSIDE), (Place.PAID, Place.BURSAR), (Place.SETTLED, Place.BURSAR)):
        taken = min(left, getattr(standing, place.word))
        if taken:
            entries.append(Entry(place, target, taken, Kind.REVERSAL))
            left -= taken
    if not left:
        return Posted(tuple(entries))
    if standing.in_transit:
        words = f"{shown(cents)} was taken back while the payment is on its way to the source; decided when that is known"
        return Suspended("reversal_in_flight", words)
    return Suspended("reversal_too_large", f"{shown(cents)} was taken back, {shown(left)} more than was ever paid")


class LineState(NamedTuple):
    """One batch line as an answer finds it."""

    state: str
    """sent, posted, assumed or refused."""
    source: Place
    target: Place
    cents: int
    kind: Kind
    held: int
    """The cents of this obligation that still stand where the line would take them from now: for sent lines in transit,
    for assumed ones at their target, for refused ones back where they came from."""


def decide_answer(status: AnswerStatus, line: LineState) -> Decision:
    """What the bursar says of one line, against what the line is. Confirmed moves on, refused moves back."""
    said = "posted" if status is AnswerStatus.POSTED else "refused"
    if status not in (AnswerStatus.POSTED, AnswerStatus.REFUSED) or said == line.state:
        return AlreadyPosted()
    if line.state == "sent":
        target = line.target if said == "posted" else line.source
        return Posted((Entry(Place.IN_TRANSIT, target, line.cents, line.kind),))
    if line.state == "assumed" and said == "posted":
        return Posted(())
    if line.held < line.cents:
        return Conflict(f"the bursar says {said}, but the line was {line.state} before and its money has moved on since")
    if line.state == "posted":
        return Conflict("the bursar says refused, but it said posted before")
    start, target = (line.target, line.source) if said == "refused" else (line.source, line.target)
    return Posted((Entry(start, target, line.cents, line.kind),))
