"""Bytes to lines of text: the declared encoding or nothing, memory flat, faults with their byte offset."""

import codecs
import io
from collections.abc import Iterable, Iterator

from bursarbridge.errors import Unreadable

LINE_MAX = 1 << 20
"""Characters one line may have; a campus file's longest is some hundred (reliability.md D26: a field of 10 MB is refused)."""


def lines(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Yields the lines with the "\\n" that ends them (the last may lack it), whatever the chunking; a UTF-8 byte order mark is dropped.

    Raises Unreadable: "encoding" and "nul" with the byte offset, "too_long" for a line above LINE_MAX.
    """
    rest = ""
    for text in _texts(chunks, encoding):
        cut = text.rfind("\n") + 1
        if cut:
            yield from io.StringIO(rest + text[:cut], newline="\n")
            rest = text[cut:]
        else:
            rest += text
        if len(rest) > LINE_MAX:
            raise Unreadable("too_long", f"a line is longer than {LINE_MAX} characters; this is not the file that was agreed")
    if rest:
        yield rest


def _texts(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset, first = 0, True
    for chunk in chunks:
        pending = len(decoder.getstate()[0])
        text = _decoded(decoder, chunk, offset - pending, encoding, False)
        if b"\0" in chunk:
            raise Unreadable("nul", f"a NUL byte stands at byte {offset + chunk.index(0)}: the file is not {encoding} text (UTF-16, or damaged)")
        if text:
            yield text.removeprefix("\ufeff") if first and encoding == "utf-8" else text
            first = False
        offset += len(chunk)
    yield _decoded(decoder, b"", offset - len(decoder.getstate()[0]), encoding, True)


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, offset: int, encoding: str, last: bool) -> str:
    try:
        return decoder.decode(chunk, last)
    except UnicodeDecodeError as error:
        at, byte = offset + error.start, error.object[error.start]
        words = f"byte {at} (0x{byte:02X}) is not {encoding}, the encoding this layout declares; have the file made again in {encoding}"
        raise Unreadable("encoding", words) from error
