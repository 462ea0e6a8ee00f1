"""What one statement about a violation does to what is known of it. Pure, total, and the specification of the store's set statements.

A parking office tells states, never differences (parking.md): the newest one holds, by the source's own time and never by arrival
(reliability.md F2, T08). Two that differ at the same time hold neither: what stood before them stands, and a person is asked.
"""

from enum import StrEnum
from typing import NamedTuple

from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ledger.money import shown


class KnownViolation(NamedTuple):
    """What is true of a violation by the newest evidence."""

    account: str
    category: str
    cents: int
    violated_on: str
    status: Standing
    user_type: str
    as_of: str
    """The time of that evidence, as text that sorts."""


class Finding(StrEnum):
    """What a statement about one violation is."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    OLDER = "older"
    CONFLICT = "conflict"
    """It differs from another one of the same time: neither holds."""
    OTHER_PERSON = "other_person"
    """The number is known, of somebody else (reliability.md D06, D24): nothing is applied."""


def decide_violation(told: Violation, as_of: str, known: KnownViolation | None, listed: str = "", *, moved: bool = False) -> Finding:
    """What a source says of one violation, as of a time, against what is known.

    `listed`: the time of the newest complete list that spoke of this violation, by holding it or by leaving it out; "" when none did.
    `moved`: a person said that it is this person's now.
    """
    newest = max(known.as_of, listed) if known else listed
    if as_of < newest:
        return Finding.OLDER
    if known is None:
        return Finding.NEW
    if told.account != known.account and not moved:
        return Finding.OTHER_PERSON
    if tuple(told)[1:] == tuple(known)[:-1]:
        return Finding.SAME
    return Finding.CONFLICT if as_of == newest else Finding.CHANGED


def is_cleared(known: KnownViolation, listed: str, list_as_of: str) -> bool:
    """Whether a complete list that does not hold a violation says that nothing is owed for it any more."""
    return known.cents > 0 and max(known.as_of, listed) < list_as_of


def conflict_words(told: Violation, known: KnownViolation) -> str:
    """Why two statements of one time are a question."""
    parts = []
    if told.cents != known.cents:
        parts.append(f"{shown(told.cents)} and {shown(known.cents)}")
    if told.status != known.status:
        parts.append(f"{told.status} and {known.status}")
    if not parts:
        parts.append("other particulars")
    return (
        f"violation {told.reference} was told twice as of the same time, with {', '.join(parts)}; neither was taken, "
        "and what stood before them stands until the parking system says it anew"
    )


def other_person_words(told: Violation, known: KnownViolation) -> str:
    """Why a violation under another person's id is a question."""
    return (
        f"violation {told.reference} ({shown(told.cents)}) names person {told.account}, but it is known as {known.account}'s; nothing was changed. "
        "Check the number and the id in the parking system"
    )
