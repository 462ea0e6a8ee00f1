"""What a campus decides about its charge files: the bursar's coding in dated tables, and what is wrong with it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from string import Formatter

from bursarbridge.errors import Unreadable
from bursarbridge.formats.shape import Layout
from bursarbridge.ledger.entries import Kind

DESCRIPTION_WORDS = frozenset({"label", "office", "source_reference"})
"""What a description may say. Titles and plates are never sent: an account is an education record (peoplesoft.md 7, FERPA)."""

NAME_WORDS = frozenset({"kind", "business_unit", "origin", "made_on", "made_at", "sequence"})
"""What a file name may say."""

CHARGE_NAMES = (
    "account",
    "amount",
    "item_type",
    "term",
    "due_on",
    "reference",
    "description",
    "business_unit",
    "account_type",
    "origin",
    "department",
    "direction",
    "billed_on",
    "effective_on",
    "made_on",
)
"""The fields a charge line can fill, in the order the writer makes them."""

HEAD_NAMES = ("line_count", "total", "business_unit", "account_type", "origin", "department", "made_on", "document")
"""The fields a header or trailer can fill, likewise."""

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_SHORT = {Kind.CHARGE: "CHG", Kind.CREDIT: "CRD"}


class CreditAs(StrEnum):
    """How the bursar takes a credit back (peoplesoft.md 1.6, 8.4)."""

    CREDIT_ITEM_TYPE = "credit_item_type"
    """Under an item type of its own (Humboldt, Cornell)."""
    REVERSAL_FLAG = "reversal_flag"
    """The charge's item type, term and reference, flagged (Arizona State, Princeton)."""
    REVERSAL_EXACT = "reversal_exact"
    """The same for the exact amount of the charge, a day later at the earliest, one a student, term and item type in a file (UChicago)."""
    NEGATIVE_AMOUNT = "negative_amount"
    """The charge's item type, term and reference with a negative amount."""


@dataclass(frozen=True, slots=True)
class ItemType:
    """What the bursar calls one fee type of a source, from a day to a day."""

    category: str
    """The source's fee type, as the source writes it."""
    label: str
    """Words for the statement, at most as wide as the layout's description."""
    charge: str
    """Item type of a charge, digits."""
    credit: str
    """Item type of a credit; the charge's own where the campus flags reversals."""
    valid_from: str
    """Campus date YYYY-MM-DD."""
    valid_to: str = ""
    """The last day, or "" for open."""
    credit_as: CreditAs = CreditAs.CREDIT_ITEM_TYPE


@dataclass(frozen=True, slots=True)
class Term:
    """A term's code and its first and last day, campus dates YYYY-MM-DD."""

    code: str
    begins_on: str
    ends_on: str


class DueKind(StrEnum):
    """How a due date is found from the day the document is made."""

    DAYS_AFTER = "days_after"
    DAY_OF_NEXT_MONTH = "day_of_next_month"
    """Arizona State: the 25th of next month, or of the month after when today is later than the 25th (peoplesoft.md 1.7 L3)."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DueRule:
    """A due date rule, in force from a day until the next rule's."""

    valid_from: str
    kind: DueKind
    number: int = 0
    """Days, or the day of the month (1 to 28)."""


class TermBy(StrEnum):
    """Which date decides a charge's term."""

    MADE = "made"
    ASSESSED = "assessed"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class ChargeSettings:
    """Everything a charge file needs beside its lines."""

    business_unit: str
    origin: str
    account_type: str
    department: str
    layout: Layout
    name: str
    """Template of the file name, such as "LIB_{kind}_{business_unit}_{made_on}_{sequence:06d}.dat"."""
    item_types: tuple[ItemType, ...]
    terms: tuple[Term, ...]
    due_rules: tuple[DueRule, ...]
    term_by: TermBy
    amount_max_cents: int
    description: str = "{label}"
    """Template of the description, from DESCRIPTION_WORDS."""


def checked(settings: ChargeSettings) -> ChargeSettings:
    """The same settings, when they have no fault. Raises Unreadable("settings") naming all faults."""
    faults = tuple(faults_in(settings))
    if faults:
        raise Unreadable("settings", "; ".join(faults))
    return settings


def faults_in(settings: ChargeSettings) -> Iterator[str]:
    """Every fault of the settings as a sentence; dates and overlaps of the tables are the settings file's own check."""
    yield from name_faults(settings.name)
    yield from description_faults(settings.description)
    if not any(True for _ in name_faults(settings.name)):
        yield from _sample_name_faults(settings)
    for record in settings.layout.records:
        known = CHARGE_NAMES if record is settings.layout.detail else HEAD_NAMES
        for name in record.names:
            if name not in known:
                yield f'layout {settings.layout.name}: a charge file has no value for "{name}" in its {record.kind}'
    if settings.amount_max_cents <= 0:
        yield "the highest amount has to be above 0.00"
    for rule in settings.due_rules:
        if rule.kind is DueKind.DAY_OF_NEXT_MONTH and not 1 <= rule.number <= 28:
            yield f"due date rule of {rule.valid_from}: day {rule.number} does not exist in every month; use 1 to 28"


def description_faults(template: str) -> Iterator[str]:
    """What is wrong with a description template: each unknown or private placeholder."""
    for word, plain in _placeholders(template):
        if word not in DESCRIPTION_WORDS:
            why = "titles, plates and names are not sent to the bursar" if word in ("title", "plate", "name") else "it is unknown"
            yield f'description: "{{{word}}}" cannot be used, {why}; use {", ".join(sorted(DESCRIPTION_WORDS))}'
        elif not plain:
            yield f'description: "{{{word}}}" takes no format'


def name_faults(template: str) -> Iterator[str]:
    """What is wrong with a file name template: unknown placeholders, no {sequence}."""
    words = [word for word, _ in _placeholders(template)]
    for word, plain in _placeholders(template):
        if word not in NAME_WORDS:
            yield f'name: "{{{word}}}" is unknown; use {", ".join(sorted(NAME_WORDS))}'
        elif not plain and word != "sequence":
            yield f'name: "{{{word}}}" takes no format'
    if "sequence" not in words:
        yield 'name: it needs "{sequence}" (such as {sequence:06d}), as a name is never used twice'


def document_name(settings: ChargeSettings, kind: Kind, sequence: int, made_at: datetime, made_on: str) -> str:
    """The file name of one document; dates are written without separators, the kind as CHG or CRD."""
    return settings.name.format(
        kind=_SHORT[kind],
        business_unit=settings.business_unit,
        origin=settings.origin,
        made_on=made_on.replace("-", ""),
        made_at=made_at.strftime("%Y%m%d%H%M%S"),
        sequence=sequence,
    )


def document_stem(name: str) -> str:
    """A document's name without its extension, as it stands in a header."""
    return name.rpartition(".")[0] or name


def _placeholders(template: str) -> list[tuple[str, bool]]:
    """The words in braces, and whether each is plain; unbalanced braces are one unknown word."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return [("unbalanced braces", True)]
    return [(word, not spec and not conversion) for _, word, spec, conversion in parts if word is not None]


def _sample_name_faults(settings: ChargeSettings) -> Iterator[str]:
    try:
        name = document_name(settings, Kind.CHARGE, 999_999, datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01")
    except ValueError as error:
        yield f"name: the format of {{sequence}} is wrong ({error}); write {{sequence:06d}}"
        return
    if not _SAFE.fullmatch(name):
        yield f'name: "{name}" has characters beyond letters, digits, point, dash and underscore'
    for record in settings.layout.records:
        for field in record.fields:
            if field.name == "document" and field.carries and len(document_stem(name)) > field.width:
                yield f'name: "{document_stem(name)}" has {len(document_stem(name))} characters, and the {record.kind} has room for {field.width}'
