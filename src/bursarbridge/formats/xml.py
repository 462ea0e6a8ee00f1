"""A streaming front to expat that refuses what no campus file needs: any DTD, odd encodings, bottomless nesting, endless text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType, errors

from bursarbridge.errors import Unreadable

DEPTH_MAX = 64
"""Elements inside one another; Alma's deepest document has eight (alma.md 1.1)."""

TEXT_MAX = 1 << 20
"""Characters of text between two tags, and bytes of one unfinished tag, comment or attribute."""

_ENCODINGS = frozenset({"utf-8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "windows-1252"})


@dataclass(frozen=True, slots=True)
class Handlers:
    """What the caller wants to hear; names are "namespace name", or the bare name when there is no namespace."""

    start: Callable[[str, dict[str, str]], None]
    end: Callable[[str], None]
    text: Callable[[str], None]
    """May get one text in several pieces."""


def elements(chunks: Iterable[bytes], handlers: Handlers) -> Iterator[None]:
    """Feeds a document to the handlers, yields after every chunk, and limits depth and text exactly.

    Raises Unreadable: "dtd", "encoding", "too_deep", "too_long", "truncated", "not_well_formed".
    A hot path that cannot pay for a second call per element uses open_parser() and feed() and counts in its own handlers.
    """
    parser = open_parser()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = _limited(parser, handlers)
    return feed(parser, chunks)


def open_parser() -> XMLParserType:
    """A fresh namespace-aware expat parser without handlers that raises Unreadable at any DTD (reliability.md D37) and at encodings we do not read.

    Depth is not limited here, as that would cost a Python call per element; a million nested tags cost expat 130 MB and 0.2 s
    until the caller's own handlers refuse. Handlers may raise Unreadable to stop.
    """
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def doctype(name: str, _system: str | None, _public: str | None, _subset: bool) -> None:
        raise Unreadable(
            "dtd", f'the document brings its own DTD ("{name[:40]}"), which is never read; ask the sender what made it', where=_place(parser)
        )

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise Unreadable("encoding", f'the document says it is written in "{encoding[:40]}"; ask the sender for UTF-8', where=_place(parser))

    parser.StartDoctypeDeclHandler = doctype
    parser.XmlDeclHandler = declaration
    return parser


def feed(parser: XMLParserType, chunks: Iterable[bytes]) -> Iterator[None]:
    """Parses chunk by chunk, yielding after each so that the caller drains what its handlers collected; memory stays flat.

    Raises Unreadable with line and column: "not_well_formed", "truncated" (the end came too early), "too_long" (one unfinished
    tag or comment above TEXT_MAX bytes).
    """
    fed = 0
    for chunk in chunks:
        _parse(parser, chunk, False)
        fed += len(chunk)
        # CurrentByteIndex is where the last event began (-1 before any): what follows it is still waiting for its end.
        if fed - max(parser.CurrentByteIndex, 0) > TEXT_MAX + len(chunk):
            raise Unreadable("too_long", f"one tag, comment or attribute is longer than {TEXT_MAX} bytes", where=_place(parser))
        yield
    _parse(parser, b"", True)
    yield


def _parse(parser: XMLParserType, chunk: bytes, last: bool) -> None:
    try:
        parser.Parse(chunk, last)
    except ExpatError as error:
        raise Unreadable(*_fault(error, last), where=f"line {error.lineno}, column {error.offset + 1}") from error


def _fault(error: ExpatError, last: bool) -> tuple[str, str]:
    if last:
        return "truncated", f"the document ends too early ({errors.messages[error.code]}); it may still be on its way, or was cut: have it sent again"
    return "not_well_formed", f"this is not well-formed XML ({errors.messages[error.code]}); have the sender make the file again"


def _place(parser: XMLParserType) -> str:
    return f"line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber + 1}"


def _limited(parser: XMLParserType, handlers: Handlers) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None], Callable[[str], None]]:
    depth = length = 0
    start, end, text = handlers.start, handlers.end, handlers.text

    def limited_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, length
        depth += 1
        length = 0
        if depth > DEPTH_MAX:
            raise Unreadable("too_deep", f"elements stand more than {DEPTH_MAX} deep in one another", where=_place(parser))
        start(name, attributes)

    def limited_end(name: str) -> None:
        nonlocal depth, length
        depth -= 1
        length = 0
        end(name)

    def limited_text(piece: str) -> None:
        nonlocal length
        length += len(piece)
        if length > TEXT_MAX:
            raise Unreadable("too_long", f"a text is longer than {TEXT_MAX} characters", where=_place(parser))
        text(piece)

    return limited_start, limited_end, limited_text
