"""One obligation's places, lines and open questions -> the sentence staff can say, who it waits for, and by when."""

from dataclasses import dataclass
from typing import NamedTuple

from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.posting import Standing


class InFlight(NamedTuple):
    """A line of this obligation that left and has no answer yet."""

    destination: str
    """In words: "the bursar", "the library"."""
    document: str
    target: Place
    cents: int
    sent_at: str
    """UTC; "" while it waits in our outbox."""
    expected_at: str
    """UTC; "" when nothing is expected."""
    in_doubt: bool
    kind: str = ""
    """The line's `Kind`; "" for a charge."""


class Question(NamedTuple):
    """An open suspense item about this obligation."""

    number: int
    code: str
    words: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of an obligation now."""

    words: str
    waiting_on: str
    expected_by: str
    """UTC, or "" when no time can be given."""


def verdict(
    cents: int,
    office: str,
    standing: Standing,
    in_flight: tuple[InFlight, ...],
    questions: tuple[Question, ...],
    *,
    assumed: bool,
    now: str,
    forgiven: int = 0,
) -> Verdict:
    """The sentence for an obligation of `cents`, assessed by `office` (in words), as of `now` (UTC text); `forgiven` cents of it were waived."""
    flights = (_flight(one, now) for one in in_flight)
    rest = (
        _bursar(cents, standing, forgiven),
        _paid(standing, office),
        _waived(standing, office, any(one.blocks for one in questions)),
        _credit(standing),
        _settled(cents, office, standing, forgiven, assumed),
    )
    parts = [part for part in (_question(questions, standing, in_flight), _source(standing, questions), *flights, *rest) if part]
    if not parts:
        parts = [Verdict(f"{shown(cents)}: {'recorded, nothing is owed' if cents == 0 else 'withdrawn, nothing is owed'}", "nobody", "")]
    words = "; ".join(part.words for part in parts)
    return Verdict(words[0].upper() + words[1:] + ".", parts[0].waiting_on, parts[0].expected_by)


_ASKED_ELSEWHERE = {"refund_question": "the cashier"}
"""Questions that somebody else than whoever looks after the bridge answers."""


def _question(questions: tuple[Question, ...], standing: Standing, in_flight: tuple[InFlight, ...]) -> Verdict | None:
    if not questions:
        return None
    first = next((one for one in questions if one.blocks), questions[0])
    if first.code.endswith("_in_flight") and in_flight:
        return Verdict(first.words, in_flight[0].destination, in_flight[0].expected_at)
    kept = standing.source or standing.waived
    money = f"{shown(kept)} is kept back: " if first.blocks and kept else ""
    waiting_on = _ASKED_ELSEWHERE.get(first.code, f"a person: suspense {first.number}")
    return Verdict(f"{money}{first.words}", waiting_on, "")


def _source(standing: Standing, questions: tuple[Question, ...]) -> Verdict | None:
    if not standing.source or any(one.blocks for one in questions):
        return None
    return Verdict(f"{shown(standing.source)} waits for our next charge file", "our next charge run", "")


def _flight(line: InFlight, now: str) -> Verdict:
    what = " waiver" if line.kind == Kind.CREDIT else " payment" if line.target is Place.SETTLED else ""
    money = f"{shown(line.cents)}{what}"
    if line.in_doubt:
        return Verdict(f"{money}: it is not certain that {line.document} reached {line.destination}", "a person", "")
    if not line.sent_at:
        return Verdict(f"{money} is written to {line.document} and leaves with our next run", "our next run", "")
    late = bool(line.expected_at) and line.expected_at < now
    state = f"late: {line.destination} has not answered" if late else f"normal: {line.destination} has it"
    return Verdict(f"{money} was sent in {line.document}, {state}", line.destination, line.expected_at)


def _waived(standing: Standing, office: str, blocked: bool) -> Verdict | None:
    if not standing.waived or blocked:
        return None
    words = f"{shown(standing.waived)} is waived by {office}; the bursar is told with our next credit file"
    return Verdict(words, "our next credit run", "")


def _bursar(cents: int, standing: Standing, forgiven: int) -> Verdict | None:
    if not standing.bursar:
        return None
    part = standing.bursar < cents
    done = "part waived" if forgiven and standing.bursar == cents - forgiven else "part paid"
    words = f"{done}, {shown(standing.bursar)} left on the student account" if part else f"{shown(standing.bursar)} is on the student account"
    return Verdict(words, "the student", "")


def _paid(standing: Standing, office: str) -> Verdict | None:
    if not standing.paid:
        return None
    return Verdict(f"{shown(standing.paid)} is paid at the bursar; {office} is told with our next remittance", "our next payment run", "")


def _credit(standing: Standing) -> Verdict | None:
    if not standing.student_credit:
        return None
    words = f"{shown(standing.student_credit)} was paid beyond what is owed: a credit of the student's, a refund is the cashier's decision"
    return Verdict(words, "the cashier", "")


def _settled(cents: int, office: str, standing: Standing, forgiven: int, assumed: bool) -> Verdict | None:
    if not standing.settled:
        return None
    unpaid = forgiven >= standing.settled
    mark = f" (that {'the bursar' if unpaid else office} took it in is assumed, there is no answer to prove it)" if assumed else ""
    whole = standing.settled >= cents
    how = "waived" if unpaid else "paid and waived" if forgiven else "paid"
    words = f"{how}, {'both sides know' if whole else shown(standing.settled) + ' of it known to both sides'}{mark}"
    return Verdict(words, "nobody", "")
