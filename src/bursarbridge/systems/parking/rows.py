"""A parking office's file as rows of texts; whatever makes the whole file unfit is found here: first line, heading, columns, trailer."""

import re
from collections.abc import Iterable, Iterator

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited
from bursarbridge.formats.lines import lines
from bursarbridge.formats.shape import Blank, Field, FieldKind, Form, Layout, Record, RecordKind
from bursarbridge.ledger.money import CENTS_MAX, cents_of, shown
from bursarbridge.systems.parking.agreed import Place, Trailer, ViolationForm

Row = list[str]
"""Delimited: every column of the line. Fixed: the agreed columns in the order of `ViolationForm.columns`, without the blanks round them."""


def rows(form: ViolationForm, chunks: Iterable[bytes], *, whole: bool) -> Iterator[Row]:
    """Every row in order, the trailer checked and left out. Without `whole` they are some lines of a file, without its trailer perhaps.

    Raises Unreadable for the whole file, maybe after rows were yielded: "truncated", "empty", "columns", "ragged", "csv", "line", "environment",
    "control_total", and what lines() raises.
    """
    texts = lines(_ended(form, chunks, whole), form.encoding)
    if form.first_line:
        _check_first(next(texts, ""), form)
    found = _delimited(form, texts) if form.delimiter else _fixed(form, texts)
    if form.environment:
        found = _of_environment(form, found)
    return _closed(form, form.trailer, found, whole) if form.trailer else found


def place_of(form: ViolationForm, name: str) -> int:
    """Where a column stands in a row, from 0; -1 when the file does not have it."""
    for at, (known, (start, _)) in enumerate(form.columns):
        if known == name:
            return start - 1 if form.delimiter else at
    return -1


def words_of(form: ViolationForm, name: str) -> str:
    """A column in words, for errors: its title, or its columns."""
    start, width = dict(form.columns).get(name, (0, 0))
    if form.delimiter:
        return f"column {form.titles[start - 1]}" if start else name
    return f"columns {start}-{start + width - 1} ({name})"


def exact_cents(form: ViolationForm, text: str) -> int:
    """An amount as the file prints it, in cents. Raises Unreadable("amount"): nothing is rounded or guessed."""
    plain = text.strip(" ")
    if not form.point:
        if not re.fullmatch(r"-?[0-9]{1,18}", plain, re.ASCII) or abs(int(plain)) > CENTS_MAX:
            raise Unreadable("amount", f'"{text[:40]}" is not an amount in cents: digits alone, without a point')
        return int(plain)
    # Columns are filled with zeros on the left; more than nine digits before the point are none of money.
    return cents_of(re.sub(r"^(-?)0+(?=[0-9])", r"\1", plain))


def _ended(form: ViolationForm, chunks: Iterable[bytes], whole: bool) -> Iterator[bytes]:
    """Refuses a file without a byte, and one whose last line does not end: it may be cut inside an amount (reliability.md T01)."""
    last = b""
    for chunk in chunks:
        yield chunk
        last = chunk or last
    if not last and whole:
        raise Unreadable("empty", "the file is empty, without even a heading; that is nobody's list: have it sent again")
    if last and not last.endswith(b"\n") and form.trailer is None:
        words = "the last line does not end, so the file may be cut inside it; have it sent again, with a line end at its end or with a trailer"
        raise Unreadable("truncated", words)


def _check_first(line: str, form: ViolationForm) -> None:
    if not re.search(form.first_line, line.rstrip("\r\n"), re.ASCII):
        words = f'the first line is "{line.rstrip()[:60]}", agreed is {form.first_line}: a file of another environment or kind; nothing of it is read'
        raise Unreadable("environment", words, where="line 1")


def _delimited(form: ViolationForm, texts: Iterator[str]) -> Iterator[Row]:
    fields = tuple(Field(title, FieldKind.TEXT, title=title, blank=Blank.ALLOWED) for title in form.titles)
    detail = Record(RecordKind.DETAIL, fields)
    layout = Layout(form.name, Form.DELIMITED, form.encoding, "\n", (detail,), delimiter=form.delimiter, heading=form.heading)
    mark = form.trailer.mark if form.trailer else ""
    return delimited.cut(layout, texts, closing=mark, spanning=form.spanning, above=1 if form.first_line else 0)


def _fixed(form: ViolationForm, texts: Iterator[str]) -> Iterator[Row]:
    slices = [(start - 1, start - 1 + width) for _, (start, width) in form.columns]
    mark = form.trailer.mark if form.trailer else ""
    for number, text in enumerate(texts, 2 if form.first_line else 1):
        line = text.rstrip("\r\n")
        if mark and line.startswith(mark):
            yield [line]
        elif len(line) == form.width:
            yield [line[start:end].strip(" ") for start, end in slices]
        else:
            words = f"the line has {len(line)} characters, and every line of {form.name} has {form.width}; its columns are shifted, or it is cut"
            raise Unreadable("line", words, where=f"line {number}")


def _of_environment(form: ViolationForm, found: Iterator[Row]) -> Iterator[Row]:
    """One row of another environment is enough: this is not our file (T11)."""
    at, fits, mark = place_of(form, "environment"), re.compile(form.environment, re.ASCII).search, form.trailer.mark if form.trailer else ""
    seen: set[str] = set()
    for row in found:
        text = row[at] if at < len(row) else ""
        if text not in seen and not _is_closing(form, row, mark):
            if not fits(text):
                words = f'a row is of environment "{text[:60]}", agreed is {form.environment}; nothing of the file is read'
                raise Unreadable("environment", words, where=words_of(form, "environment"))
            seen = {text}
        yield row


def _is_closing(form: ViolationForm, row: Row, mark: str) -> bool:
    return bool(mark) and (row[0] == mark if form.delimiter else len(row) == 1)


def _closed(form: ViolationForm, trailer: Trailer, found: Iterator[Row], whole: bool) -> Iterator[Row]:
    """The rows before the trailer, which has to be the last line and to say what we counted (D29); both figures are shown."""
    at, count, cents, unread, closing = place_of(form, "amount"), 0, 0, 0, Row()
    for row in found:
        if closing:
            raise Unreadable("control_total", f'rows stand after the trailer (the line that begins with "{trailer.mark}"); have the file sent again')
        if _is_closing(form, row, trailer.mark):
            closing = row
            continue
        yield row
        count += 1
        try:
            cents += exact_cents(form, row[at])
        except Unreadable:
            unread += 1
    if whole and not closing:
        words = f'no line begins with "{trailer.mark}", and the last one has to: the file is cut after {count} rows; have it sent again'
        raise Unreadable("truncated", words)
    if whole:
        _agree(form, trailer, closing, (count, cents, unread))


def _agree(form: ViolationForm, trailer: Trailer, closing: Row, found: tuple[int, int, int]) -> None:
    count, cents, unread = found
    if trailer.count and _stated(form, closing, trailer.count, cents_too=False) != count:
        words = f'the trailer says "{_piece(form, closing, trailer.count)}" rows, and the file has {count}; have it sent again'
        raise Unreadable("control_total", words)
    if trailer.total and _stated(form, closing, trailer.total, cents_too=True) != cents:
        more = f" ({unread} amounts cannot be read)" if unread else ""
        words = f'the trailer says "{_piece(form, closing, trailer.total)}", and the amounts are {shown(cents)} in all{more}; have it sent again'
        raise Unreadable("control_total", words)


def _stated(form: ViolationForm, closing: Row, place: Place, *, cents_too: bool) -> int | None:
    """What the trailer says; None when it is no number."""
    text = _piece(form, closing, place)
    if cents_too:
        try:
            return exact_cents(form, text)
        except Unreadable:
            return None
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) else None


def _piece(form: ViolationForm, closing: Row, place: Place) -> str:
    start, width = place
    if form.delimiter:
        return closing[start - 1].strip(" ") if start <= len(closing) else ""
    return closing[0][start - 1 : start - 1 + width].strip(" ")
