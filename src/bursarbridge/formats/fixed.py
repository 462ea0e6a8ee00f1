"""Fixed-position files from and to rows, by a layout: never cut, never shifted (peers.md L10).

A record is compiled once into a template for writing and one regular expression; the expression reads a line and is also the guard every
written line must pass, so that the two directions cannot drift apart. Only a line that fails is looked at field by field, to say why.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from bursarbridge.errors import Unreadable
from bursarbridge.formats.lines import lines
from bursarbridge.formats.patterns import line_pattern, open_field, padded, pattern, stripped, unfolded
from bursarbridge.formats.shape import Align, Blank, Field, FieldKind, Layout, Record, RecordKind, Row, Value
from bursarbridge.formats.values import to_text, unfit


def read(layout: Layout, chunks: Iterable[bytes]) -> Iterator[tuple[RecordKind, Row]]:
    """Yields every record of a file in order: the first line is the header and the last the trailer, when the layout has them.

    Raises Unreadable with line and field: "truncated" (no newline at the end, or a record missing), "line" and what the fields raise.
    """
    compiled = {record.kind: reader(layout, record) for record in layout.records}
    kind = RecordKind.HEADER if RecordKind.HEADER in compiled else RecordKind.DETAIL
    number, held = 0, ""
    for line in _whole_lines(layout, chunks):
        if number:
            yield kind, _located(compiled[kind], held, number)
            kind = RecordKind.DETAIL
        number, held = number + 1, line
    if number < len(compiled) - 1:
        raise Unreadable("truncated", f"the file has {number} of the {len(compiled) - 1} lines that even an empty one has; it is not whole")
    if number:
        kind = RecordKind.TRAILER if RecordKind.TRAILER in compiled else kind
        yield kind, _located(compiled[kind], held, number)


def write(layout: Layout, records: Iterable[tuple[RecordKind, Row]]) -> Iterator[bytes]:
    """Yields the bytes of the records' lines; the inverse of read. Raises Unreadable with the field."""
    compiled = {record.kind: writer(layout, record) for record in layout.records}
    for kind, row in records:
        yield compiled[kind](row).encode(layout.encoding)


def reader(layout: Layout, record: Record) -> Callable[[str], Row]:
    """A function from one line, without its newline, to the record's row. Raises Unreadable naming the field."""
    match = re.compile(line_pattern(layout, record), re.ASCII).fullmatch
    converters = [(at, unfolded(field)) for at, field in enumerate(f for f in record.fields if f.carries) if not (_plain(field) and not field.pad)]

    def row(line: str) -> Row:
        found = match(line)
        if found is None:
            raise _why_unread(layout, record, line)
        texts = found.groups()
        values: list[Value] = list(texts)
        for at, convert in converters:
            values[at] = convert(texts[at])
        return tuple(values)

    return row


def writer(layout: Layout, record: Record) -> Callable[[Row], str]:
    """A function from the record's row to its line with the newline. Raises Unreadable naming field, value width and limit."""
    template, last = _template(record), open_field(record)
    match = re.compile(line_pattern(layout, record) + re.escape(layout.newline), re.ASCII).fullmatch
    converters = [(at, padded(field)) for at, field in enumerate(f for f in record.fields if f.carries) if not _plain(field)]
    newline, encoding, head_width = layout.newline, layout.encoding, last.start - 1 if last else 0

    def line(row: Row) -> str:
        values: list[Value] = list(row)
        for at, convert in converters:
            values[at] = convert(values[at])
        head = template % tuple(values[:-1] if last else values)
        text = f"{head}{values[-1]}{newline}" if last else head + newline
        if match(text) is None or (last and len(head) != head_width):
            raise _why_unwritten(layout, record, row)
        if encoding != "ascii":
            _encodable(layout, record, row, text)
        return text

    return line


def _located(convert: Callable[[str], Row], line: str, number: int) -> Row:
    try:
        return convert(line)
    except Unreadable as error:
        raise Unreadable(error.code, error.words, where=f"line {number}" + (f", {error.where}" if error.where else "")) from error


def _whole_lines(layout: Layout, chunks: Iterable[bytes]) -> Iterator[str]:
    newline = layout.newline
    for number, line in enumerate(lines(chunks, layout.encoding), 1):
        if not line.endswith(newline):
            words = "the line does not end as the layout says; the file is cut, or its line ends were changed on the way"
            raise Unreadable("truncated", words, where=f"line {number}")
        yield line[: -len(newline)]


def _plain(field: Field) -> bool:
    """Whether the template alone can write the field: left-justified text or digits of an exact width, whose faults the guard finds."""
    left = field.kind is FieldKind.TEXT and field.align is Align.LEFT and field.pad == " "
    return left or (field.pad == "" and field.blank is Blank.NEVER)


def _template(record: Record) -> str:
    """The record as a %-template for its carried values, without an open last field."""
    pieces, at = [], 1
    for field in record.fields:
        pieces.append(" " * (field.start - at))
        at = field.end + 1
        if not field.width:
            return "".join(pieces)
        if field.kind is FieldKind.LITERAL:
            pieces.append(field.literal.ljust(field.width).replace("%", "%%"))
        elif not field.carries:
            pieces.append(" " * field.width)
        else:
            pieces.append(f"%-{field.width}s" if _plain(field) else "%s")
    return "".join(pieces) + " " * (record.width - at + 1)


def _why_unread(layout: Layout, record: Record, line: str) -> Unreadable:
    last = record.fields[-1]
    width = max(record.width, last.end)
    if open_field(record) is None and len(line) != width:
        return Unreadable("line", f"the line has {len(line)} columns, and a {record.kind} record of {layout.name} has {width}")
    at = 1
    for field in record.fields:
        text = line[field.start - 1 : field.end] if field.width else line[field.start - 1 :]
        if line[at - 1 : field.start - 1].strip(" "):
            return unfit(
                field, "line", f'"{line[at - 1 : field.start - 1]}" stands before the field in columns {at}-{field.start - 1}, which are blank'
            )
        if not re.fullmatch(pattern(layout, field), text, re.ASCII):
            return unfit(
                field, _code(field, text), f'columns {field.start}-{field.start + len(text) - 1} hold "{text}", which is not {_expected(field)}'
            )
        at = field.end + 1
    return Unreadable("line", f'columns {at}-{len(line)} hold "{line[at - 1 :]}", which the layout leaves blank')


def _code(field: Field, text: str) -> str:
    return "blank" if not text.strip(" ") else "characters" if field.kind is FieldKind.TEXT else field.kind.value


def _expected(field: Field) -> str:
    if field.blank is Blank.ALWAYS:
        return "blank"
    if field.kind is FieldKind.LITERAL:
        return f'the literal "{field.literal}"'
    return (
        f"a {field.sign} amount with cents" if field.kind is FieldKind.AMOUNT else f"a {field.kind}" + (f" {field.dates[0]}" if field.dates else "")
    )


def _why_unwritten(layout: Layout, record: Record, row: Row) -> Unreadable:
    for field, value in zip((f for f in record.fields if f.carries), row, strict=True):
        try:
            to_text(field)(stripped(value))
        except Unreadable as error:
            return error
        if not re.fullmatch(pattern(layout, field), padded(field)(value), re.ASCII):
            words = f'"{str(value)[:80]}" has a character that a line cannot carry: a control character, or one outside of {layout.encoding}'
            return unfit(field, "characters", words)
    raise AssertionError(f"{layout.name}: a line was refused and no field is at fault")


def _encodable(layout: Layout, record: Record, row: Row, text: str) -> None:
    try:
        text.encode(layout.encoding)
    except UnicodeEncodeError as error:
        named = zip((f for f in record.fields if f.carries), row, strict=True)
        field = next(f for f, value in named if error.object[error.start] in str(value))
        raise unfit(field, "characters", f'"{error.object[error.start]}" cannot be written in {layout.encoding}') from error
