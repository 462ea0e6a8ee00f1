"""Credit files for PeopleSoft in the four published ways of taking a charge back, chosen per item type (peoplesoft.md 1.6)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bursarbridge.errors import Unreadable
from bursarbridge.formats.shape import Blank, Credits, Row, Sign
from bursarbridge.ledger.entries import Kind
from bursarbridge.ledger.money import shown
from bursarbridge.ports import Heading, Line, Parcel
from bursarbridge.systems.peoplesoft.charges import ChargeWriter, sign_of
from bursarbridge.systems.peoplesoft.coding import coding, item_type_on, sendable
from bursarbridge.systems.peoplesoft.settings import CHARGE_NAMES, ChargeSettings, CreditAs, ItemType, TermBy, document_name

_REVERSALS = (CreditAs.REVERSAL_FLAG, CreditAs.REVERSAL_EXACT)
_REVERSED_WORDS = ("direction", "reversal")
"""The fields by which a layout tells a reversal from a charge."""


class CreditDestination:
    """Sorts credits into documents by how the bursar takes them; a ports.Splitter."""

    def __init__(self, settings: ChargeSettings) -> None:
        self._settings = settings

    def parcels(self, lines: Sequence[Line], made_on: str) -> list[Parcel]:
        """One document a dialect; exact reversals in as many as their rule asks for, and none on the day its charge was sent."""
        sorted_out: dict[tuple[CreditAs, int], list[Line]] = {}
        times: dict[tuple[str, str, str], int] = {}
        for line in lines:
            dialect, number = self._dialect(line, made_on), 0
            if dialect is CreditAs.REVERSAL_EXACT:
                if line.original.sent_on >= made_on:
                    continue
                key = self._matched_by(line, made_on)
                number = times[key] = times.get(key, -1) + 1
            sorted_out.setdefault((dialect, number), []).append(line)
        order = sorted(sorted_out, key=lambda one: (list(CreditAs).index(one[0]), one[1]))
        return [Parcel(DialectDestination(self._settings, one[0]), tuple(sorted_out[one])) for one in order]

    def _dialect(self, line: Line, made_on: str) -> CreditAs:
        """What holds for the charge as it left; an unmapped fee type goes into any document, whose writer says what is wrong."""
        try:
            return item_type_on(self._settings, line.category, line.original.made_on or made_on).credit_as
        except Unreadable:
            return CreditAs.CREDIT_ITEM_TYPE

    def _matched_by(self, line: Line, made_on: str) -> tuple[str, str, str]:
        """What PeopleSoft finds the original by, beside its amount: two of it in one file would be one question with two answers."""
        try:
            entry, term = _original(self._settings, line, made_on)
        except Unreadable:
            return line.account, line.category, ""
        return line.account, entry.charge, term


class DialectDestination:
    """Where credits of one dialect go; a ports.Destination."""

    def __init__(self, settings: ChargeSettings, dialect: CreditAs) -> None:
        self._settings = settings
        self._dialect = dialect
        self.encoding = settings.layout.encoding

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        """The document's file name from the settings' template; unique as its sequence is."""
        return document_name(self._settings, Kind.CREDIT, sequence, made_at, made_on)

    def writer(self, heading: Heading) -> ChargeWriter:
        """A fresh writer for one document."""
        negative = self._dialect is CreditAs.NEGATIVE_AMOUNT
        return ChargeWriter(self._settings, Kind.CREDIT, heading, _row_maker(self._settings, self._dialect, heading), negative=negative)


def _row_maker(settings: ChargeSettings, dialect: CreditAs, heading: Heading) -> Callable[[Line], Row]:
    """A function from a credit's line to the layout's detail row.

    It raises Unreadable: what a charge line raises, "credit_layout" for a layout that cannot say this dialect (the bursar
    would take the credit for a charge), and "not_whole" for an exact reversal of another amount than the charge's.
    """
    layout, made_on = settings.layout, heading.made_on
    names = layout.detail.names
    negative = dialect is CreditAs.NEGATIVE_AMOUNT
    sign = -1 if negative else sign_of(layout.detail, "amount", Kind.CREDIT)
    with_term = "term" in names and settings.term_by is not TermBy.BLANK
    needs_due = any(field.name == "due_on" and field.carries and field.blank is Blank.NEVER for field in layout.detail.fields)
    codes = coding(settings, Kind.CREDIT, made_on)
    # A negative amount is a charge of its own sort, not a reversal.
    direction = Kind.CHARGE.value if negative else Kind.CREDIT.value
    constant = (settings.business_unit, settings.account_type, settings.origin, settings.department, direction, made_on, made_on, made_on)
    picked = tuple(CHARGE_NAMES.index(name) for name in names)

    def row(line: Line) -> Row:
        if line.kind != Kind.CREDIT:
            raise Unreadable("mixed_kinds", f'a line of kind "{line.kind}" cannot go into a file of credits: one kind per file')
        if dialect is CreditAs.CREDIT_ITEM_TYPE:
            entry = item_type_on(settings, line.category, made_on)
            item_type = entry.credit
            term = codes.term(line.assessed_on if settings.term_by is TermBy.ASSESSED else made_on) if with_term else ""
        else:
            entry, term = _original(settings, line, made_on)
            item_type = entry.charge
        _told_apart(settings, dialect, entry)
        if dialect is CreditAs.REVERSAL_EXACT:
            _whole(line)
        due_on = codes.due_on() if needs_due else ""
        words = settings.description.format(label=entry.label, office=line.owner, source_reference=line.source_reference)
        cents = sendable(line.cents, max(settings.amount_max_cents, line.cents)) * sign
        values: Row = (line.account, cents, item_type, term, due_on, line.reference, words, *constant)
        return tuple([values[at] for at in picked])

    return row


def _original(settings: ChargeSettings, line: Line, made_on: str) -> tuple[ItemType, str]:
    """The item type and the term that the charge had when it left."""
    day = line.original.made_on or made_on
    entry = item_type_on(settings, line.category, day)
    if "term" not in settings.layout.detail.names or settings.term_by is TermBy.BLANK:
        return entry, ""
    return entry, coding(settings, Kind.CHARGE, day).term(line.assessed_on if settings.term_by is TermBy.ASSESSED else day)


def _whole(line: Line) -> None:
    if line.cents == line.original.cents:
        return
    raise Unreadable(
        "not_whole",
        f"{shown(line.cents)} is to be taken back of a charge of {shown(line.original.cents)}, and this bursar reverses whole charges only; have "
        "the bursar's office enter it by hand, or choose another credit_as for the item type",
    )


def _told_apart(settings: ChargeSettings, dialect: CreditAs, entry: ItemType) -> None:
    """Whether the layout lets the bursar tell this credit from a charge; else the student would be billed twice."""
    layout = settings.layout
    fields = [field for field in layout.detail.fields if field.name in _REVERSED_WORDS and (field.carries or field.literal)]
    below_zero = any(field.name == "amount" and field.sign is Sign.SIGNED for field in layout.detail.fields)
    flagged = bool(fields) or any(field.name == "amount" and field.credits is Credits.NEGATIVE for field in layout.detail.fields)
    if dialect is CreditAs.NEGATIVE_AMOUNT:
        told = below_zero
    elif dialect in _REVERSALS:
        told = flagged
    else:
        told = flagged or entry.credit != entry.charge
    if not told:
        words = f'layout {layout.name} cannot say credit_as = "{dialect}" for fee type "{entry.category}": the line would read as a charge'
        raise Unreadable("credit_layout", f"{words}; choose another [bursar.credits] layout, or another credit_as")
