"""Charge and credit files for PeopleSoft, in whatever layout the campus loads, and the same files read back."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.back import details_in
from bursarbridge.formats.shape import Credits, Form, Layout, Record, RecordKind, Row
from bursarbridge.ledger.entries import Kind
from bursarbridge.ports import ControlTotal, Heading, Line
from bursarbridge.systems.peoplesoft.coding import coding, sendable
from bursarbridge.systems.peoplesoft.settings import CHARGE_NAMES, HEAD_NAMES, ChargeSettings, TermBy, document_name, document_stem


class ChargeDestination:
    """Where batches of one kind (charges or credits) go; a ports.Destination. One kind per file: peoplesoft.md 1.3."""

    def __init__(self, settings: ChargeSettings, kind: Kind = Kind.CHARGE) -> None:
        self._settings = settings
        self._kind = kind
        self.encoding = settings.layout.encoding

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        """The document's file name from the settings' template; unique as its sequence is."""
        return document_name(self._settings, self._kind, sequence, made_at, made_on)

    def writer(self, heading: Heading) -> "ChargeWriter":
        """A fresh writer for one document."""
        return ChargeWriter(self._settings, self._kind, heading, _row_maker(self._settings, self._kind, heading))


class ChargeWriter:
    """Writes one document; a ports.Writer. Every line text ends with the layout's newline."""

    def __init__(self, settings: ChargeSettings, kind: Kind, heading: Heading, row: Callable[[Line], Row], *, negative: bool = False) -> None:
        self._settings = settings
        self._kind = kind
        self._heading = heading
        self._row = row
        self._negative = negative
        self._print = _printer(settings.layout, settings.layout.detail)

    def line(self, line: Line) -> str:
        """The line's text.

        Raises Unreadable: "unmapped_fee_type", "no_term", "no_due_date_rule", "amount", "amount_over_limit", "mixed_kinds", and what the
        layout's fields raise ("too_wide", "too_narrow", "digits", "blank", "characters"), naming the field.
        """
        return self._print(self._row(line))

    def head(self, total: ControlTotal) -> str:
        """The header record or heading row, or ""."""
        layout = self._settings.layout
        return delimited.heading(layout) if layout.form is Form.DELIMITED else self._ends(RecordKind.HEADER, total)

    def tail(self, total: ControlTotal) -> str:
        """The trailer record, or ""."""
        return self._ends(RecordKind.TRAILER, total)

    def _ends(self, kind: RecordKind, total: ControlTotal) -> str:
        layout, settings, heading = self._settings.layout, self._settings, self._heading
        record = layout.record(kind)
        if record is None:
            return ""
        cents = abs(total.cents) * (-1 if self._negative else sign_of(record, "total", self._kind))
        codes = (settings.business_unit, settings.account_type, settings.origin, settings.department)
        values: Row = (total.count, cents, *codes, heading.made_on, document_stem(heading.name))
        return fixed.writer(layout, record)(tuple(values[HEAD_NAMES.index(name)] for name in record.names))


class ChargeRow(NamedTuple):
    """One line of a charge file as it stands there; what the layout does not carry is ""."""

    account: str
    cents: int
    item_type: str
    term: str
    due_on: str
    reference: str
    description: str
    direction: str
    """"charge" or "credit" where a column says it, else ""."""
    effective_on: str


def charges_in(layout: Layout, chunks: Iterable[bytes]) -> Iterator[ChargeRow]:
    """Reads a charge file of ours back, line by line, and checks its control totals when the last line is through.

    Raises Unreadable for the file: what the form raises, and "control_total" with both figures (reliability.md D29).
    """
    called = ["amount" if name == "cents" else name for name in ChargeRow._fields]
    for row in details_in(layout, called, "amount", chunks):
        yield ChargeRow(*(row.get(name, "") for name in called))  # type: ignore[arg-type]


def _row_maker(settings: ChargeSettings, kind: Kind, heading: Heading) -> Callable[[Line], Row]:
    """A function from a line to the layout's detail row; looks nothing up that the layout does not carry."""
    names, made_on = settings.layout.detail.names, heading.made_on
    codes = coding(settings, kind, made_on)
    by_assessed = settings.term_by is TermBy.ASSESSED
    with_term = "term" in names and settings.term_by is not TermBy.BLANK
    with_due = "due_on" in names
    sign, most, template = sign_of(settings.layout.detail, "amount", kind), settings.amount_max_cents, settings.description
    constant = (settings.business_unit, settings.account_type, settings.origin, settings.department, kind.value, made_on, made_on, made_on)
    picked = tuple(CHARGE_NAMES.index(name) for name in names)

    def row(line: Line) -> Row:
        if line.kind != kind:
            raise Unreadable("mixed_kinds", f'a line of kind "{line.kind}" cannot go into a file of kind "{kind}": one kind per file')
        item_type, label = codes.item_type(line.category)
        term = codes.term(line.assessed_on if by_assessed else made_on) if with_term else ""
        due_on = codes.due_on() if with_due else ""
        words = label if template == "{label}" else template.format(label=label, office=line.owner, source_reference=line.source_reference)
        cents = sendable(line.cents, most) * sign
        values: Row = (line.account, cents, item_type, term, due_on, line.reference, words, *constant)
        return tuple([values[at] for at in picked])

    return row


def _printer(layout: Layout, record: Record) -> Callable[[Row], str]:
    return fixed.writer(layout, record) if layout.form is Form.FIXED else delimited.writer(layout)


def sign_of(record: Record, name: str, kind: Kind) -> int:
    """-1 where the layout writes the credits of that field below zero, else 1."""
    negative = any(field.name == name and field.credits is Credits.NEGATIVE for field in record.fields)
    return -1 if negative and kind is Kind.CREDIT else 1
