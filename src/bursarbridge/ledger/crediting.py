"""The crediting decision: what a credit of the source does, which names no fee (alma.md 1.5). Pure and total.

A credit is matched by person, item and open amount; exactly one fee has to fit. What does not fit is never guessed: it
waits, with every fee that could be meant scored in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import Credit
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.posting import AlreadyPosted, Conflict, Suspended

PARKED = ("credit_before_charge", "credit_in_flight", "partial_waive")
"""Codes that time may cure: they are decided again at every run."""

_TOLD_MOST = 5
"""Fees that a question names at most."""


class CreditRules(NamedTuple):
    """What library and bursar agreed about credits."""

    full_waive_only: bool = True
    """Only the whole of what is open may be waived (alma.md 5: Los Rios)."""
    echo_comments: tuple[str, ...] = ("Bursar",)
    """Comments by which the source marks credits that our own payments made (alma.md 2.1)."""
    exact: bool = False
    """Each credit names its fee by the item; a comment means that a person has to decide. What is not billed yet is withdrawn."""


class KnownCredit(NamedTuple):
    """What is known of a credit: the content that a repeat is compared with."""

    account: str
    item: str
    cents: int


class Candidate(NamedTuple):
    """A fee of the credit's person, as it stands; amounts in cents."""

    obligation: int
    reference: str
    category: str
    item: str
    cents: int
    """As assessed."""
    assessed_on: str
    source: int = 0
    in_flight: int = 0
    """Of its charge, without an answer yet."""
    bursar: int = 0
    paid: int = 0
    """What payments cover and no credit has given back."""
    waived: int = 0
    overpaid: int = 0
    """Received beyond what was owed, and not met by an echo yet."""

    @property
    def open(self) -> int:
        """What is owed on it, wherever it is."""
        return self.source + self.in_flight + self.bursar


@dataclass(frozen=True, slots=True)
class Applied:
    """The credit belongs to this obligation, and these entries follow; `refund_cents` of it were paid before: a question for the cashier."""

    obligation: int
    entries: tuple[Entry, ...]
    refund_cents: int = 0


@dataclass(frozen=True, slots=True)
class Echo:
    """The source made it from our own payment: recorded, no entry, never sent. The obligation where it is known, else None."""

    obligation: int | None = None


@dataclass(frozen=True, slots=True)
class Waits(Suspended):
    """Not decided now, for a reason in words; about one obligation where it is clear which."""

    obligation: int | None = None


CreditDecision = Applied | Echo | Waits | AlreadyPosted | Conflict


def decide_credit(credit: Credit, known: KnownCredit | None, candidates: Sequence[Candidate], rules: CreditRules) -> CreditDecision:
    """What a credit does, given all fees of its person: known, an echo, applied, or waiting for time or a person."""
    if known is not None:
        return AlreadyPosted() if (credit.account, credit.item, credit.cents) == tuple(known) else Conflict(_difference(credit, known))
    if rules.exact:
        return _exact(credit, [one for one in candidates if not credit.item or one.item == credit.item])
    if credit.comment.strip().casefold() in {one.strip().casefold() for one in rules.echo_comments if one.strip()}:
        return Echo()
    fitting = sorted((one for one in candidates if not credit.item or one.item == credit.item), key=lambda one: (one.assessed_on, one.obligation))
    if not fitting:
        thing = " for its item" if credit.item else ""  # barcodes stay out of what people see: they say what was borrowed
        words = f"a credit of {shown(credit.cents)} came, and no fee of {credit.account}{thing} is known yet; decided again at every run"
        return Waits("credit_before_charge", words + _scored(credit, candidates))
    owed = [one for one in fitting if one.open]
    return _open(credit, owed, fitting, rules) if owed else _closed(credit, fitting)


def decide_chosen(credit: Credit, chosen: Candidate, rules: CreditRules) -> CreditDecision:
    """The same for the one fee that a person has named, whatever item the credit names."""
    return decide_credit(credit._replace(item="", comment=""), None, [chosen], rules)


def _exact(credit: Credit, named: list[Candidate]) -> Waits | Applied:
    """The one fee that the credit names, whatever else its person owes."""
    if len(named) != 1:
        return Waits("credit_unmatched", f"{shown(credit.cents)} was taken back of {credit.item}, which is no charge of {credit.account}")
    fee = named[0]
    if credit.comment:
        words = (
            f"{shown(credit.cents)} of {fee.reference} is {credit.comment}, which cannot be: it was handed over with the list of "
            f"{credit.extra} and is paid at the bursar since. Ask the office: apply takes it off the student account, dismiss leaves it there"
        )
        return Waits("paid_after_billing", words, fee.obligation)
    rest = credit.cents - fee.open
    if rest > fee.paid and not fee.in_flight:
        words = f"{shown(credit.cents)} of {fee.reference} was taken back, and {shown(rest - fee.paid)} of it is neither open nor paid"
        return Waits("credit_unmatched", words, fee.obligation)
    decision = _apply(credit, fee)
    if isinstance(decision, Waits):
        return decision
    unbilled = (Place.SOURCE, Place.SETTLED)
    entries = (Entry(Place.SOURCE, Place.OUTSIDE, one.cents, Kind.WITHDRAWAL) if one[:2] == unbilled else one for one in decision.entries)
    return Applied(fee.obligation, tuple(entries), decision.refund_cents)


def _open(credit: Credit, owed: list[Candidate], fitting: list[Candidate], rules: CreditRules) -> CreditDecision:
    equal = [one for one in owed if one.open == credit.cents]
    if len(equal) == 1:
        return _apply(credit, equal[0])
    if equal:
        words = f"a credit of {shown(credit.cents)} fits {len(equal)} fees equally well; apply it to one of them, by its reference"
        return Waits("credit_ambiguous", words + _scored(credit, fitting))
    given_back = [one for one in fitting if credit.item and not one.open and one.paid == credit.cents]
    if len(given_back) == 1:
        return _apply(credit, given_back[0])
    only = owed[0]
    if len(owed) > 1 or (credit.cents > only.open and credit.cents - only.open > only.paid):
        words = f"a credit of {shown(credit.cents)} fits no fee's open amount; apply it to the fee it is meant for, or dismiss it"
        return Waits("credit_unmatched", words + _scored(credit, fitting))
    if credit.cents < only.open and rules.full_waive_only and not only.in_flight:
        return Waits("partial_waive", _partial(credit, only), only.obligation)
    return _apply(credit, only)


def _closed(credit: Credit, fitting: list[Candidate]) -> CreditDecision:
    overpaid = [one for one in fitting if one.overpaid == credit.cents]
    if len(overpaid) == 1:
        return Echo(overpaid[0].obligation)
    paid = [one for one in fitting if one.paid == credit.cents] or [one for one in fitting if one.paid > credit.cents]
    if len(paid) == 1:
        return _apply(credit, paid[0])
    if paid:
        words = f"a credit of {shown(credit.cents)} came after payment, and {len(paid)} paid fees could be meant; apply it to one, by its reference"
        return Waits("credit_ambiguous", words + _scored(credit, fitting))
    if any(one.waived >= credit.cents for one in fitting):
        words = f"a second credit of {shown(credit.cents)} came for what was waived before; it is not applied twice: look the item up in the source"
        return Waits("credit_double", words + _scored(credit, fitting))
    words = f"a credit of {shown(credit.cents)} came, and nothing is open or paid that it could take back; look the item up in the source"
    return Waits("credit_unmatched", words + _scored(credit, fitting))


def _apply(credit: Credit, fee: Candidate) -> Waits | Applied:
    """Never sent: charge and credit meet inside. At the bursar: waived, for our next credit file. Paid: the student's credit."""
    if fee.in_flight:
        words = f"a credit of {shown(credit.cents)} waits until the bursar has answered about fee {fee.reference}; decided again at every run"
        return Waits("credit_in_flight", words, fee.obligation)
    unbilled = min(credit.cents, fee.source)
    billed = min(credit.cents - unbilled, fee.bursar)
    paid = credit.cents - unbilled - billed
    moves = (
        (Place.SOURCE, Place.SETTLED, unbilled, Kind.WAIVER),
        (Place.BURSAR, Place.WAIVED, billed, Kind.WAIVER),
        (Place.OUTSIDE, Place.STUDENT_CREDIT, paid, Kind.CREDIT),
    )
    return Applied(fee.obligation, tuple(Entry(*one) for one in moves if one[2]), paid)


def _partial(credit: Credit, fee: Candidate) -> str:
    rest = shown(fee.open - credit.cents)
    return (
        f"{shown(credit.cents)} of {shown(fee.open)} open on fee {fee.reference} was waived, and only the whole may be: have the student pay "
        f"the agreed {rest} at the cashier; once that payment has arrived here, the waive is carried out by itself"
    )


def _difference(credit: Credit, known: KnownCredit) -> str:
    pairs = (("amount", shown(credit.cents), shown(known.cents)), ("person", credit.account, known.account))
    parts = [f"{name} {new} instead of {old}" for name, new, old in pairs if new != old]
    if credit.item != known.item:
        parts.append("another item")
    return f"credit {credit.reference} came again with {' and '.join(parts)}; what was decided first stands"


def _scored(credit: Credit, candidates: Sequence[Candidate]) -> str:
    """The fees that could be meant, best first, each with what fits and what does not."""
    scored = sorted(candidates, key=lambda one: (-sum(fits for _, fits in _score(credit, one)), one.assessed_on, one.obligation))
    told = [_told(credit, one) for one in scored[:_TOLD_MOST]]
    more = f"; and {len(scored) - _TOLD_MOST} more" if len(scored) > _TOLD_MOST else ""
    return f". Known: {'; '.join(told)}{more}" if told else ""


def _told(credit: Credit, fee: Candidate) -> str:
    fits = ", ".join(f"{name} {'yes' if fit else 'no'}" for name, fit in _score(credit, fee))
    return f"fee {fee.reference} ({shown(fee.open)} of {shown(fee.cents)} open, {shown(fee.paid)} paid, {shown(fee.waived)} waived: {fits})"


def _score(credit: Credit, fee: Candidate) -> tuple[tuple[str, bool], ...]:
    older = not credit.credited_on or not fee.assessed_on or fee.assessed_on <= credit.credited_on
    return (("person", True), ("item", fee.item == credit.item), ("amount", fee.open == credit.cents), ("age", older))
