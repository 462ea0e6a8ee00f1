"""What can be wrong with a layout beyond its types: names, columns, widths, forms."""

import codecs
import re
from collections.abc import Iterator

from bursarbridge.formats.shape import Align, Blank, Field, FieldKind, Form, Layout, Record, RecordKind, Sign

FIELD_NAMES = {
    "account": "the person at the bursar, by the agreed match id",
    "account_type": "the bursar's account type",
    "amount": "the line's amount",
    "applied_amount": "paid to date on the item, in a snapshot",
    "as_of_on": "the day a snapshot speaks of",
    "billed_on": "billing date",
    "business_unit": "the bursar's business unit",
    "category": "the source's own type of what is owed",
    "contact": "whom to ask about a hold",
    "charge_amount": "the original amount as the bursar has it",
    "department": "the department a file comes from",
    "description": "free words about the line",
    "direction": 'choice "charge" or "credit"',
    "document": "the name of the file we sent",
    "due_on": "due date",
    "effective_on": "the date the line takes effect",
    "group": "the bursar's id for a loaded file",
    "hold_code": "the bursar's code of a hold",
    "hold_reason": "the bursar's reason of a hold",
    "institution": "the bursar's institution",
    "item_amount": "the original amount, in a snapshot",
    "item_type": "the bursar's code for what is charged or paid",
    "line_count": "how many lines the document has",
    "made_on": "the day the document was made",
    "origin": "the bursar's code for the sending office",
    "paid_amount": "what was paid, in this row",
    "paid_on": "the day of the payment",
    "placed_on": "the first day of a hold",
    "reason": "the bursar's words about an answer",
    "reference": "our lasting name for the fee",
    "source_reference": "the source's own number of what is owed",
    "status": "how far the bursar got",
    "term": "the bursar's term code",
    "total": "the sum of the document's amounts",
    "user_type": "student, staff and so on, as the source says it",
    "verb": 'choice "place", "change" or "release"',
    "violated_on": "the day of a violation",
}
"""The names a field that carries a value may have, and what each means."""

_FORM = re.compile(r"(?:YYYY|YY|MM|DD|[-/. ])+")
_SINGLE_BYTE = frozenset({"ascii", "iso-8859-1", "windows-1252"})


def faults_of(layout: Layout) -> list[str]:
    """Every fault of a layout as a sentence; none means that it can read and write."""
    faults = list(_layout_faults(layout))
    for record in layout.records:
        faults += _record_faults(layout, record)
    return faults


def _layout_faults(layout: Layout) -> Iterator[str]:
    kinds = [record.kind for record in layout.records]
    if kinds.count(RecordKind.DETAIL) != 1 or len(set(kinds)) < len(kinds):
        yield "layout: it needs one detail record, at most one header and at most one trailer"
    if layout.newline not in ("\n", "\r\n"):
        yield 'layout: newline has to be "\\n" or "\\r\\n"'
    if layout.form is Form.FIXED and layout.encoding not in _SINGLE_BYTE:
        yield f'layout: encoding "{layout.encoding}": fixed columns need one byte per character: {", ".join(sorted(_SINGLE_BYTE))}'
    if not _known(layout.encoding):
        yield f'layout: encoding "{layout.encoding}" is unknown; use ascii, utf-8, iso-8859-1 or windows-1252'
    if layout.form is Form.DELIMITED and len(kinds) > 1:
        yield "layout: a delimited file has a detail record only; its heading comes from the titles"
    if layout.form is Form.DELIMITED and layout.delimiter not in (",", ";", "|", "\t"):
        yield f'layout: delimiter "{layout.delimiter}" has to be a comma, semicolon, bar or tab'


def _known(encoding: str) -> bool:
    try:
        return encoding in _SINGLE_BYTE or codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def _record_faults(layout: Layout, record: Record) -> Iterator[str]:
    names = list(record.names)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f'{record.kind}: two fields are called "{name}"'
    if not record.fields:
        yield f"{record.kind}: it has no fields"
    for field in record.fields:
        place = f'{record.kind} field "{field.name}"'
        yield from (f"{place}: {words}" for words in _field_faults(field))
        yield from (f"{place}: {words}" for words in (_fixed_faults(field) if layout.form is Form.FIXED else _delimited_faults(layout, field)))
    if layout.form is Form.FIXED:
        yield from _column_faults(record)


def _field_faults(field: Field) -> Iterator[str]:
    if field.carries and field.name not in FIELD_NAMES:
        yield f"unknown field name; the names are {', '.join(FIELD_NAMES)}"
    if (field.kind is FieldKind.LITERAL) != bool(field.literal):
        yield "literal = text belongs to kind literal, and is needed there"
    if (field.kind is FieldKind.CHOICE) != bool(field.choices):
        yield "choices = { word = text } belongs to kind choice, and is needed there"
    if len({text for _, text in field.choices}) < len(field.choices):
        yield "two choices have the same text"
    if (field.kind is FieldKind.DATE) != bool(field.dates):
        yield 'dates = ["MMDDYYYY"] belongs to kind date, and is needed there'
    for form in field.dates:
        if not _FORM.fullmatch(form) or [form.count(part) for part in ("YY", "MM", "DD")] not in ([1, 1, 1], [2, 1, 1]):
            yield f'date form "{form}" has to be made of YYYY or YY, MM and DD, with - / . or blanks between'
    if field.kind is FieldKind.AMOUNT and field.blank is Blank.ALLOWED and field.sign is Sign.SIGNED:
        yield "an amount that may be blank cannot be signed"
    if field.pad not in (" ", "0") and not (field.pad == "" and field.kind is FieldKind.DIGITS and field.width):
        yield 'pad has to be " " or "0"; for digits of an exact width also ""'
    if not (field.literal + "".join(text for _, text in field.choices)).isprintable():
        yield "a literal or choice has a control character"


def _fixed_faults(field: Field) -> Iterator[str]:
    longest = max([len(field.literal), *(len(text) for _, text in field.choices), *(len(form) for form in field.dates)])
    if field.start < 1:
        yield "start (the first column, counted from 1) is missing"
    if not field.width and not (field.kind is FieldKind.TEXT and field.carries):
        yield "width is missing; only a text at the end of the line may run on without one"
    if field.width and longest > field.width:
        yield f"{longest} characters do not fit into its {field.width} columns"
    if len(field.dates) > 1:
        yield "fixed columns hold one date form"
    if field.kind is FieldKind.AMOUNT and 0 < field.width < (4 if field.point else 1):
        yield "the columns are too few for an amount with cents"
    if field.pad == "0" and field.align is Align.LEFT and field.carries:
        yield "zeros pad a value on the left, so it has to be aligned right"


def _delimited_faults(layout: Layout, field: Field) -> Iterator[str]:
    if field.start:
        yield "start has no meaning in a delimited file"
    if layout.heading and not field.title:
        yield "title, the column's heading, is missing"


def _column_faults(record: Record) -> Iterator[str]:
    for before, after in zip(record.fields, record.fields[1:], strict=False):
        if not before.width:
            yield f'{record.kind} field "{before.name}": only the last field may run to the end of the line'
        elif after.start <= before.end:
            columns = f'columns {after.start}-{after.end} overlap or precede "{before.name}" in {before.start}-{before.end}'
            yield f'{record.kind} field "{after.name}": {columns}'
    if record.width and record.fields and (record.fields[-1].end > record.width or not record.fields[-1].width):
        yield f"{record.kind}: its last field does not fit into its width of {record.width}"
