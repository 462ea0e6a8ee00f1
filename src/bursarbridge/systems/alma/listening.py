"""Alma's bursar XML as a stream of fees: the hot path (performance.md 3 and 9), so its handlers are closures over local names."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from xml.parsers.expat import XMLParserType

from bursarbridge.errors import Unreadable
from bursarbridge.formats.xml import DEPTH_MAX, TEXT_MAX, feed, open_parser
from bursarbridge.systems.alma.vocabulary import BOXES, FEE, FEE_SLOTS, FEE_WORDS, NOT_HERE, PLACES, ROOT, TEXTS

_PIECE = 1 << 18
"""Bytes fed at once, so that memory stays flat however large the caller's chunks are."""

_PARTS_MAX = 64
"""Pieces of one unfinished text after which its length is looked at; in a whole file almost every text is one piece."""

_SPACE = " \t\r\n"
"""XML's own white space: other blanks may be part of an id and are left for the id's pattern to judge."""

Start = Callable[[str, list[str]], None]
End = Callable[[str], None]


class Fee(NamedTuple):
    """One row as Alma prints it: texts, trimmed; nil, empty and absent are all ""."""

    account_type: str
    account: str
    institution: str
    patron: str
    person_twice: str
    """The name of a field that stood twice in the user, or ""."""
    twice: str
    """The name of a field that stood twice in the fee, or ""."""
    reference: str
    category: str
    changed: str
    owner: str
    item: str
    currency: str
    sum: str
    comment: str
    """Free text of staff; kept for credits only, as it tells an echo."""


_Person = tuple[str, str, str, str, str]
_NOBODY: _Person = ("", "", "", "", "")
_FEES_SEEN = " "
"""No element's name; stands where the unknown element of a list of fees would, once the list has shown a fee."""
_BLANK = [""] * len(FEE_SLOTS)


@dataclass(slots=True)
class Header:
    """What the header sibling says; filled while the fees are read, wherever it stands."""

    export_number: str = ""


def fees(chunks: Iterable[bytes], header: Header) -> Iterator[Fee]:
    """Every fee in an export or import document, in order, with memory that does not grow with the document.

    Raises Unreadable for the whole document: "not_alma_export", "too_deep", and what formats.xml refuses. Fees may have been
    yielded before: the caller undoes them. Source: alma.md 1.1.
    """
    parser = open_parser()
    # No attribute is wanted, and expat's list of them is cheaper to make than a dict.
    parser.ordered_attributes = True
    done: list[Fee] = []
    parts: list[str] = []
    parser.StartElementHandler, parser.EndElementHandler = _page(parser, parts, done, header)
    for _ in feed(parser, _pieces(chunks)):
        if len(parts) > _PARTS_MAX:
            _joined(parser, parts)
        yield from done
        done.clear()


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) <= _PIECE:
            yield chunk
        else:
            yield from (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE))


def _joined(parser: XMLParserType, parts: list[str]) -> None:
    parts[:] = ["".join(parts)]
    if len(parts[0]) > TEXT_MAX:
        raise Unreadable("too_long", f"one field holds more than {TEXT_MAX} characters; have the sender make the file again", where=_line(parser))


def _page(parser: XMLParserType, parts: list[str], done: list[Fee], header: Header) -> tuple[Start, End]:
    """Handlers for everything above a fee: they follow PLACES and hand over to the fee's own handlers."""
    below, slot, unknown = PLACES[""], "", ""
    above: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    person: list[_Person] = [_NOBODY]
    stray = _stray(parser)
    take = parts.append

    def start(name: str, _attributes: list[str]) -> None:
        nonlocal below, slot, unknown
        place = below.get(name)
        if slot or place is None:
            _unplaced(parser, slot, name, above)
            unknown = unknown or name
            stray(name)
        elif place in TEXTS:
            slot = place
            parser.CharacterDataHandler = take
        elif place == "fee":
            parser.StartElementHandler, parser.EndElementHandler = inside
            unknown = _FEES_SEEN
        else:
            above.append(below)
            below = PLACES[place]
            if place == "fees":
                person[0] = _person(fields)
                unknown = ""
            elif place == "person":
                fields.clear()

    def end(_name: str) -> None:
        nonlocal below, slot
        if slot:
            parser.CharacterDataHandler = None
            if slot in fields:
                fields["person_twice"] = slot
            fields[slot] = "".join(parts).strip(_SPACE)
            parts.clear()
            if slot == "export_number":
                header.export_number = fields.pop(slot) or header.export_number
            slot = ""
        else:
            if unknown and unknown != _FEES_SEEN and below is PLACES["fees"]:
                raise _unlike(parser, f"a list of fees holds {_local(unknown)} and not one userFineFee")
            below = above.pop()

    outside = (start, end)
    inside = _fee(parser, parts, done, person, stray, outside)
    return outside


def _fee(
    parser: XMLParserType, parts: list[str], done: list[Fee], person: list[_Person], stray: Callable[[str], None], outside: tuple[Start, End]
) -> tuple[Start, End]:
    """Handlers within one fee. `words` says what may stand where we are; `slot` what field is open: None none, 0 one that is not wanted."""
    row = _BLANK.copy()
    take, new, words = parts.append, tuple.__new__, FEE_WORDS
    slot: int | None = None

    def start(name: str, _attributes: list[str]) -> None:
        nonlocal words, slot
        if slot is None:
            if name not in words:
                slot = 0
            elif (slot := words[name]) > 0:
                parser.CharacterDataHandler = take
            elif slot == NOT_HERE:
                raise _unlike(parser, "a userFineFee stands within another")
            else:
                words, slot = BOXES[slot], None
        elif slot:
            raise _unlike(parser, f"the field {FEE_SLOTS[slot]} holds an element {_local(name)}")
        else:
            stray(name)

    def end(_name: str) -> None:
        nonlocal words, slot
        if slot:
            parser.CharacterDataHandler = None
            if row[slot]:
                row[0] = FEE_SLOTS[slot]
            row[slot] = parts[0].strip(_SPACE) if len(parts) == 1 else "".join(parts).strip(_SPACE)
            parts.clear()
            slot = None
        elif slot is not None:
            slot = None
        elif words is not FEE_WORDS:
            words = FEE_WORDS
        else:
            done.append(new(Fee, (*person[0], *row)))
            row[:] = _BLANK
            parser.StartElementHandler, parser.EndElementHandler = outside

    return start, end


def _stray(parser: XMLParserType) -> Callable[[str], None]:
    """Called at the start of an element we do not know: passes over all it holds, then gives the handlers back."""
    depth = 0
    start_before, end_before = parser.StartElementHandler, parser.EndElementHandler

    def skip(name: str) -> None:
        nonlocal start_before, end_before
        start_before, end_before = parser.StartElementHandler, parser.EndElementHandler
        parser.StartElementHandler, parser.EndElementHandler = start, end
        start(name, [])

    def start(name: str, _attributes: list[str]) -> None:
        nonlocal depth
        depth += 1
        if name == FEE:
            raise _unlike(parser, "a userFineFee stands where none is known to stand, and no fee may be passed over")
        if depth > DEPTH_MAX:
            raise Unreadable("too_deep", f"elements stand more than {DEPTH_MAX} deep in one another", where=_line(parser))

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1
        if not depth:
            parser.StartElementHandler, parser.EndElementHandler = start_before, end_before

    return skip


def _unplaced(parser: XMLParserType, slot: str, name: str, above: list[dict[str, str]]) -> None:
    if slot:
        raise _unlike(parser, f"the field {slot} holds an element {_local(name)}")
    if not above:
        raise _unlike(parser, f'the root element is "{name[:200]}" and should be "{ROOT}"')


def _person(fields: dict[str, str]) -> _Person:
    get = fields.get
    return get("account_type", ""), get("account", ""), get("institution", ""), " ".join(get("patron", "").split()), get("person_twice", "")


def _unlike(parser: XMLParserType, found: str) -> Unreadable:
    return Unreadable(
        "not_alma_export",
        f"{found}: this is not Alma's bursar file as we know it; check that the right file was sent, or report the new layout",
        where=_line(parser),
    )


def _local(name: str) -> str:
    return name.rpartition(" ")[2][:80]


def _line(parser: XMLParserType) -> str:
    return f"line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber + 1}"
