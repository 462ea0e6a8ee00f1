"""The quick way through a plain export: rows that stand exactly as Alma writes them are taken by pattern, everything else by the parser.

Nine tenths of a large file's time is the parser calling handlers for elements nobody wants (performance.md 3). The patterns
here accept a narrow part of XML that is well-formed by its own form: the known elements in the known order, plain text (with
the five named entities where nobody reads it), no comment, no CDATA, no attribute but nil. What stands before the rows, what
stands after them, and everything from the first row on that is not plain, goes through `listening.fees`, so a document is
never half checked. Both ways read the same (tests/systems/alma/test_plain.py).
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.parsers.expat import ExpatError

from bursarbridge.errors import Unreadable
from bursarbridge.formats.xml import open_parser
from bursarbridge.systems.alma.listening import Fee, Header, fees
from bursarbridge.systems.alma.vocabulary import ROOT, full

_AHEAD = 1 << 18
"""Characters a person's rows may need to be seen whole; more of them go through the parser."""

_ROWS = re.compile(r"<((?:[A-Za-z_][A-Za-z0-9_.-]*:)?)userExportedFineFeesList>")
_ENCODED = re.compile(r"""<\?xml version=["']1\.0["'](?: encoding=["'](?:UTF-8|utf-8)["'])?(?: standalone=["'](?:yes|no)["'])? ?\?>""")
_STACK = [ROOT, full("userExportedFineFees"), full("userExportedList"), full("userExportedFineFeesList")]
_TEXT = "[^<]*+"
"""Possessive: a text is never given back, so a row that does not fit costs one look, not one for every way to cut it."""
_WANTED = r"(?:[^<& \t\n]++(?: [^<& \t\n]++)*+)?+"
"""A text that is wanted, trimmed as it stands and without entities; any other is left to the parser."""
_ODD_BYTES = bytes(set(range(0x20)) - set(b"\t\n"))
"""What may not stand in plain text: XML forbids them, or (the carriage return) the parser would change them."""
_LEGAL_BYTES = bytes(set(range(0x100)) - set(_ODD_BYTES))
_ODD_ENTITY = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")
_NIL = r' xsi:nil="true" xmlns:xsi="http://www\.w3\.org/2001/XMLSchema-instance"'
_SPACE = "[ \t\n]*+"
_BLANK = " \t\n"
_ENTITY = re.compile("&(amp|lt|gt|quot|apos);")
_MEANT = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class _Patterns(NamedTuple):
    """The three forms a plain list is made of."""

    person: re.Pattern[str]
    fee: re.Pattern[str]
    end: re.Pattern[str]


class _Opening(NamedTuple):
    """What stands before the first row, when it is as it should be."""

    text: str
    patterns: _Patterns


def fees_quickly(chunks: Iterable[bytes], header: Header) -> Iterator[Fee]:
    """Every fee of a document, as `listening.fees` reads it, and with its errors; plain documents in a third of the time."""
    source = iter(chunks)
    first = _first(source)
    opening = _opening(first)
    if opening is None:
        yield from fees(_chain(first, source), header)
        return
    rest = _Rest(b"", 0, 0)
    for taken in _plain_rows(first, len(opening.text.encode()), source, opening.patterns):
        if isinstance(taken, _Rest):
            rest = taken
            break
        yield from taken
    yield from fees(_remaining(opening, rest, source), header)


class _Rest(NamedTuple):
    """What is left for the parser, and where it stands: line ends passed since the opening, characters since the last of them."""

    content: bytes
    lines: int
    columns: int


def _remaining(opening: _Opening, rest: _Rest, source: Iterator[bytes]) -> Iterator[bytes]:
    """The document without its plain rows: blanks stand where they stood, so that an error still names its line and column."""
    yield opening.text.encode()
    yield from _blanks(b"\n", rest.lines)
    yield from _blanks(b" ", rest.columns)
    yield rest.content
    yield from source


def _blanks(blank: bytes, count: int) -> Iterator[bytes]:
    for at in range(0, count, _AHEAD):
        yield blank * min(_AHEAD, count - at)


def _first(source: Iterator[bytes]) -> bytes:
    """Enough of the document to see its opening."""
    first = b""
    while b"userExportedFineFeesList>" not in first and len(first) < _AHEAD and (chunk := next(source, b"")):
        first += chunk
    return first


def _chain(first: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from source


def _opening(first: bytes) -> _Opening | None:
    """The document's opening; None when it is not plain UTF-8 or the first row does not stand where rows should."""
    text = first.decode(errors="ignore")
    found = _ROWS.search(text)
    if found is None or not _ENCODED.match(text):
        return None
    opening = text[: found.start()]
    if not first.startswith(opening.encode()) or "\r" in opening or not _stands_in_list(opening + found.group()):
        return None
    return _Opening(opening, _patterns(re.escape(found.group(1))))


def _stands_in_list(opening: str) -> bool:
    """Whether the last tag of the opening opens a person's rows in the list of the export, by the parser's own word."""
    parser = open_parser()
    stack: list[str] = []
    parser.StartElementHandler = lambda name, _attributes: stack.append(name)
    parser.EndElementHandler = lambda _name: stack.pop()
    try:
        parser.Parse(opening, False)
    except (Unreadable, ExpatError):
        return False
    return stack == _STACK


def _plain_rows(first: bytes, start: int, source: Iterator[bytes], patterns: _Patterns) -> Iterator[list[Fee] | _Rest]:
    """The fees of plain rows, a buffer at a time; at the end, or where something is not plain, what is left."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, lines, columns, chunk = "", 0, 0, first[start:]
    while True:
        pending = decoder.getstate()[0]
        try:
            more = decoder.decode(chunk)
        except UnicodeDecodeError:
            yield _Rest(text.encode() + pending + chunk, lines, columns)
            return
        text += more
        done: list[Fee] = []
        plain = not chunk.translate(None, _LEGAL_BYTES) and "\ufffe" not in more and "\uffff" not in more and ("]" not in text or "]]>" not in text)
        at = _take(text, 0, patterns, done) if plain else 0
        if at and _ODD_ENTITY.search(text, 0, at):
            plain, at = False, 0
            done.clear()
        yield done
        passed = text.count("\n", 0, at)
        columns = at - text.rfind("\n", 0, at) - 1 if passed else columns + at
        lines, text = lines + passed, text[at:]
        chunk = next(source, b"") if plain and len(text) < _AHEAD else b""
        if not chunk:
            yield _Rest(text.encode() + decoder.getstate()[0], lines, columns)
            return


def _take(text: str, at: int, patterns: _Patterns, done: list[Fee]) -> int:
    """Takes whole persons from `at` on; returns where the first stands that is not plain, or not whole yet."""
    person, fee, end = patterns.person.match, patterns.fee.match, patterns.end.match
    new, take = tuple.__new__, done.append
    while found := person(text, at):
        kept = len(done)
        account_type, account, institution, patron = found.groups("")
        who = (account_type, account, institution, " ".join(_meant(patron).split()), "", "")
        place = found.end()
        while row := fee(text, place):
            comment, category, owner, changed, item, currency, cents, reference = row.groups("")
            said = comment and _meant(comment).strip(_BLANK)
            take(new(Fee, (*who, reference, category, changed, owner, item, currency, cents, said)))
            place = row.end()
        shut = end(text, place)
        if shut is None or len(done) == kept:
            del done[kept:]
            return at
        at = shut.end()
    return at


def _meant(text: str) -> str:
    return _ENTITY.sub(lambda found: _MEANT[found.group(1)], text) if "&" in text else text


def _patterns(prefix: str) -> _Patterns:
    def wanted(name: str) -> str:
        return rf"<{prefix}{name}(?:>({_WANTED})</{prefix}{name}>|(?:{_NIL})?/>){_SPACE}"

    def passed(name: str) -> str:
        return rf"(?:<{prefix}{name}(?:>{_TEXT}</{prefix}{name}>|(?:{_NIL})?/>){_SPACE})?"

    def box(name: str, *inside: str) -> str:
        return rf"<{prefix}{name}>{_SPACE}{''.join(inside)}</{prefix}{name}>{_SPACE}"

    def maybe(form: str) -> str:
        return rf"(?:{form})?"

    home = maybe(box("owneredEntity", maybe(wanted("InstitutionId"))))
    user = box("user", wanted("type"), wanted("value"), home)
    person = (
        rf"{_SPACE}<{prefix}userExportedFineFeesList>{_SPACE}{user}{maybe(wanted('patronName').replace(_WANTED, _TEXT))}<{prefix}finefeeList>{_SPACE}"
    )
    owner = box("owneredEntity", passed("InstitutionId"), passed("libraryId"), maybe(wanted("libraryCode")))
    about = "".join(passed(name) for name in ("itemTitle", "itemCallNumebr", "itemLibrary", "itemLocation", "itemInternalLocation", "itemDueDate"))
    amount = box("compositeSum", wanted("currency"), wanted("sum"), passed("vat"))
    row = box(
        "userFineFee",
        maybe(wanted("fineFeeComment").replace(_WANTED, _TEXT)),
        wanted("fineFeeType"),
        maybe(owner),
        maybe(wanted("lastTransactionDate")),
        about,
        maybe(wanted("itemBarcode")),
        amount,
        wanted("bursarTransactionId"),
    )
    end = rf"</{prefix}finefeeList>{_SPACE}</{prefix}userExportedFineFeesList>{_SPACE}"
    return _Patterns(re.compile(person), re.compile(row), re.compile(end))
