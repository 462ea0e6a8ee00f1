"""Delimited files (CSV) from and to rows, by a layout: strict RFC 4180 reading with limits, minimal quoting on writing."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from bursarbridge.errors import Unreadable
from bursarbridge.formats.lines import lines
from bursarbridge.formats.shape import Field, FieldKind, Layout, RecordKind, Row, Value
from bursarbridge.formats.values import from_text, to_text, unfit


def rows(layout: Layout, chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """Yields every row after the heading as its raw texts, each with the agreed number of columns.

    Raises Unreadable for the whole file: "empty", "columns" (the heading differs, all differences named), "twice" (the content stands
    there doubled, as some servers leave it, reliability.md F6), "ragged", "csv", and what lines() raises. Blank lines are let go at
    the end of the file only. A quote inside an unquoted text stays a quote.
    """
    return cut(layout, lines(chunks, layout.encoding))


def cut(layout: Layout, texts: Iterable[str], *, closing: str = "", spanning: bool = True, above: int = 0) -> Iterator[list[str]]:
    """The rows of lines that are text already, the first of them the heading where the layout has one; raises as `rows` does.

    `closing` begins a row that may have other columns, a trailer. Without `spanning` every row is one line: a line end in quotes is "csv".
    `above` counts the lines that stood before these, for the numbers in errors.
    """
    source = csv.reader(texts, delimiter=layout.delimiter, strict=True)
    try:
        if layout.heading:
            _check_heading(layout, next(source, None))
        width, blank, number = len(layout.detail.fields), 0, source.line_num
        titles = [field.title for field in layout.detail.fields] if layout.heading else [""]
        first = titles[0]
        for row in source:
            number += 1
            if number != source.line_num and not spanning:
                raise csv.Error("a line ends inside quotes, and these files have one row a line")
            if not blank and (len(row) == width or (closing and row and row[0] == closing)):
                if row[0] == first and row == titles:
                    words = "the heading stands here again: the file holds its content twice"
                    raise Unreadable("twice", words, where=f"line {source.line_num + above}")
                yield row
            elif row:
                raise _ragged(layout, row, blank, source.line_num + above)
            else:
                blank = blank or source.line_num + above
    except csv.Error as error:
        words = f"not well-formed CSV ({error}); a quote or a line end inside a field must stand in quotes"
        raise Unreadable("csv", words, where=f"line {source.line_num + above}") from error


def reader(layout: Layout) -> Callable[[Sequence[str]], Row]:
    """A function from one raw row to the detail record's values, in the order of its names. Raises Unreadable naming the field."""
    fields = layout.detail.fields
    carried = [at for at, field in enumerate(fields) if field.carries]
    straight = carried == list(range(len(fields)))
    constants = [(at, field) for at, field in enumerate(fields) if not field.carries]
    converters = [(at, from_text(field)) for at, field in enumerate(fields) if field.carries and not _free(field)]

    def values(texts: Sequence[str]) -> Row:
        row: list[Value] = list(texts)
        for at, convert in converters:
            row[at] = convert(texts[at])
        if straight:
            return tuple(row)
        for at, field in constants:
            if texts[at] != field.literal:
                raise unfit(field, "literal", f'"{texts[at][:40]}" stands where the layout has "{field.literal}"')
        return tuple(row[at] for at in carried)

    return values


def writer(layout: Layout) -> Callable[[Row], str]:
    """A function from the detail record's values to its line with the newline. Raises Unreadable naming the field."""
    fields = layout.detail.fields
    printers = [to_text(field) for field in fields if field.carries]
    places = [at for at, field in enumerate(fields) if field.carries]
    constants = [field.literal for field in fields]
    delimiter, newline = layout.delimiter, layout.newline
    quotable = re.compile(f'[{re.escape(delimiter)}"\r\n]').search
    ascii_only = layout.encoding == "ascii"

    def line(row: Row) -> str:
        texts = constants.copy()
        for at, printed, value in zip(places, printers, row, strict=True):
            text = printed(value)
            if "\0" in text or (ascii_only and not text.isascii()):
                raise unfit(fields[at], "characters", f'"{text[:80]}" has a character that {layout.encoding} files cannot carry')
            texts[at] = '"' + text.replace('"', '""') + '"' if quotable(text) else text
        return delimiter.join(texts) + newline

    return line


def heading(layout: Layout) -> str:
    """The heading row with its newline, or "" when the layout has none."""
    return layout.delimiter.join(field.title for field in layout.detail.fields) + layout.newline if layout.heading else ""


def read(layout: Layout, chunks: Iterable[bytes]) -> Iterator[tuple[RecordKind, Row]]:
    """Yields every row's values; raises at the first row that cannot be read, naming it by number and field."""
    convert = reader(layout)
    for number, texts in enumerate(rows(layout, chunks), 1):
        try:
            yield RecordKind.DETAIL, convert(texts)
        except Unreadable as error:
            raise Unreadable(error.code, error.words, where=f"row {number}, {error.where}") from error


def write(layout: Layout, records: Iterable[tuple[RecordKind, Row]]) -> Iterator[bytes]:
    """Yields the heading's bytes, then those of each row; the inverse of read. Raises Unreadable with the field."""
    line = writer(layout)
    yield heading(layout).encode(layout.encoding)
    for _, row in records:
        yield line(row).encode(layout.encoding)


def _free(field: Field) -> bool:
    """Whether any text will do, so that no call is spent on it."""
    return field.kind is FieldKind.TEXT and field.blank == "allowed" and not field.width


def _ragged(layout: Layout, row: list[str], blank: int, number: int) -> Unreadable:
    if blank:
        return Unreadable("ragged", "the line is blank and rows follow it", where=f"line {blank}")
    expected = len(layout.detail.fields)
    words = f"the row has {len(row)} columns, and {layout.name} has {expected}; a delimiter is missing, or stands in a text without quotes"
    return Unreadable("ragged", words, where=f"line {number}")


def _check_heading(layout: Layout, found: list[str] | None) -> None:
    """Compares the titles and says every difference at once (reliability.md D27)."""
    wanted = [field.title for field in layout.detail.fields]
    if found is None:
        raise Unreadable("empty", "the file is empty; even a report without rows has its heading, so this is no proof of anything")
    titles = [title.strip() for title in found]
    if titles == wanted:
        return
    missing = [title for title in wanted if title not in titles]
    new = [title for title in titles if title not in wanted]
    said = _renamed(wanted, titles, missing, new) + [f'"{title}" is missing' for title in missing] + [f'"{title}" is new' for title in new]
    if sorted(titles) == sorted(wanted):
        said.append("the columns stand in another order: " + ", ".join(f'"{title}"' for title in titles))
    if len(set(titles)) < len(titles):
        said.append("a title stands twice")
    words = f"the heading is not that of {layout.name}: {'; '.join(said)}. Expected: {', '.join(wanted)}. Ask what changed, then change the layout"
    raise Unreadable("columns", words, where="line 1")


def _renamed(wanted: list[str], titles: list[str], missing: list[str], new: list[str]) -> list[str]:
    """Takes out of both lists the columns that stand in the same place under another name, and says them."""
    pairs = [(old, now) for old, now in zip(wanted, titles, strict=False) if old in missing and now in new] if len(wanted) == len(titles) else []
    for old, now in pairs:
        missing.remove(old)
        new.remove(now)
    return [f'"{old}" is now called "{now}"' for old, now in pairs]
