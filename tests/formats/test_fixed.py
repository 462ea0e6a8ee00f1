"""Fixed files that are not what they should be."""

import time
from collections.abc import Iterator

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats import fixed
from bursarbridge.formats.layout import shipped
from bursarbridge.formats.shape import RecordKind, Row

LAYOUT = shipped("generic-charges")
HEAD: Row = ("LIB01", "EXCCD", "2026-11-21", 1, 1000, "LIB_1")
LINE: Row = ("EXCCD", "0012345678", "240000012000", "SFS", "2267", 1000, "charge", "2026-12-25", "L0000000017", "Library overdue", "2026-11-21")
FILE = b"".join(fixed.write(LAYOUT, [(RecordKind.HEADER, HEAD), (RecordKind.DETAIL, LINE), (RecordKind.TRAILER, (1, 1000))]))


def refusal(content: bytes, layout: str = "generic-charges") -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        list(fixed.read(shipped(layout), [content]))
    return caught.value


def test_t01_a_file_cut_anywhere_is_refused() -> None:
    for cut in range(len(FILE)):
        assert refusal(FILE[:cut]).code in ("truncated", "line"), cut


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        (b"C20261225", b"X20261225", "line 2, field direction", "columns 53-53"),
        (b"C20261225", b"C20261325", "line 2, field due_on", "calendar"),
        (b"0000000000010.00C", b"000000000001,000C"[:17], "line 2, field amount", "signed amount"),
        (b"0000000000010.00C", b"-000000000000.00C", "line 2, field amount", "negative zero"),
        (b"240000012000", b"24000001200 ", "line 2, field item_type", "digits"),
        (b"0012345678 ", b"           ", "line 2, field account", "text"),
        (b"BBCHG01 ", b"BBCHG02 ", "line 1, field tag", 'the literal "BBCHG01"'),
        (b"Library overdue ", b"Library overdue", "line 2", "128 columns"),
        (b"\n", b"\r\n", "line 1", "columns"),
        (b"Library overdue", b"Library\toverdue", "line 2, field description", "text"),
    ],
)
def test_a_damaged_line_is_named_by_line_field_and_columns(old: bytes, new: bytes, where: str, words: str) -> None:
    error = refusal(FILE.replace(old, new))
    assert error.where == where
    assert words in error.words


def test_d25_a_byte_outside_of_the_encoding_is_named() -> None:
    assert f"byte {FILE.index(b'Library')} (0xFC)" in refusal(FILE.replace(b"Library", b"\xfcibrary")).words
    assert "byte 0 (0xEF)" in refusal(b"\xef\xbb\xbf" + FILE).words
    assert refusal(FILE.replace(b"Library", b"\0ibrary")).code == "nul"


def test_d26_an_endless_line_is_refused_early() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    with pytest.raises(Unreadable, match="longer than"):
        list(fixed.read(LAYOUT, endless()))


def test_empty_fixed_files() -> None:
    assert refusal(b"").code == "truncated"
    assert list(fixed.read(shipped("humboldt-charges"), [b""])) == []


@pytest.mark.parametrize("count", [0, 1, 2, 999, 1000, 1001])
def test_d39_any_number_of_lines(count: int) -> None:
    records = [(RecordKind.HEADER, HEAD), *[(RecordKind.DETAIL, LINE)] * count, (RecordKind.TRAILER, (count, 1000 * count))]
    content = b"".join(fixed.write(LAYOUT, records))
    assert list(fixed.read(LAYOUT, (content[at : at + 4096] for at in range(0, len(content), 4096)))) == records


def test_overflow_into_an_open_last_field_never_shifts() -> None:
    layout = shipped("princeton-charges")
    write = fixed.writer(layout, layout.detail)
    good: Row = ("012345678", "240000012000", 100, "R" * 30, "2026-11-21", "Library overdue")
    assert write(good).index("112126") == 77
    for reference in ("R" * 31, "R" * 30 + " "):
        with pytest.raises(Unreadable):
            write((*good[:3], reference, *good[4:]))


def test_writing_is_quick() -> None:
    write = fixed.writer(LAYOUT, LAYOUT.detail)
    began = time.process_time()
    for _ in range(10_000):
        write(LINE)
    assert time.process_time() - began < 0.3, "ten thousand lines took ten times what they should (3 us each)"
