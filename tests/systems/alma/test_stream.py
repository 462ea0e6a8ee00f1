"""The export as a stream: cut, chunked, wrongly encoded, hostile and long."""

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Charge
from bursarbridge.systems.alma.listening import Header, fees
from tests.systems.alma.documents import PEOPLE, ROOT, SAMPLES, SHUT, document, fee, person, pieces, readings, refusal


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_t01_a_file_cut_at_any_byte_is_refused_whole(sample: Path) -> None:
    text = sample.read_bytes()
    whole = text.rindex(b"xml-fragment>") + len(b"xml-fragment>")
    for cut in range(whole):
        with pytest.raises(Unreadable) as caught:
            for _ in fees([text[:cut]], Header()):
                pass
        assert caught.value.code == "truncated", cut
    for cut in (whole, len(text)):
        assert list(fees([text[:cut]], Header()))


@given(st.sampled_from(SAMPLES), st.integers(1, 2000))
@settings(max_examples=60, deadline=None)
def test_d39_the_same_facts_whatever_the_chunks(sample: Path, size: int) -> None:
    text = sample.read_bytes()
    assert readings(pieces(text, size)) == readings([text])


@pytest.mark.parametrize("around", [1 << 12, 1 << 18])
def test_d39_one_less_and_one_more_than_a_chunk(around: int) -> None:
    text = document(*(person(*(fee(bursarTransactionId=str(number * 2 + k)) for k in (0, 1))) for number in range(700)))
    assert len(text) > 1 << 18
    expected = readings([text])
    assert len(expected) == 1400
    for size in (around - 1, around, around + 1):
        assert readings(pieces(text, size)) == expected


@pytest.mark.parametrize("count", [1, 1000, 1001])
def test_d39_every_row_of_many_is_read(count: int) -> None:
    assert len(readings([document(person(*(fee() for _ in range(count))))])) == count


def test_d25_declared_encodings_say_the_same() -> None:
    plain = f"{PEOPLE}{person(fee(), name='Núñez, Ana')}{SHUT}"
    expected = readings([plain.encode()])
    assert isinstance(expected[0], Charge)
    assert "Núñez, Ana" in expected[0].extra
    assert readings([b"\xef\xbb\xbf" + plain.encode()]) == expected
    assert readings([plain.encode("utf-16")]) == expected
    assert readings([b'<?xml version="1.0" encoding="ISO-8859-1"?>' + plain.encode("latin-1")]) == expected


def test_d25_other_bytes_are_refused_and_the_place_is_named() -> None:
    plain = f"{PEOPLE}{person(fee(), name='Núñez, Ana')}{SHUT}"
    with pytest.raises(Unreadable) as caught:
        readings([plain.encode("latin-1")])
    assert caught.value.code == "not_well_formed"
    assert caught.value.where.startswith("line 1, column ")
    assert refusal([document(person(fee(fineFeeType="A\0B")))]) == "not_well_formed"
    assert refusal([b'<?xml version="1.0" encoding="UTF-7"?>' + plain.encode()]) == "encoding"
    assert refusal([b""]) == "truncated"


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "laughs": f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]>{PEOPLE}{person(fee(), name="&a9;")}{SHUT}',
    "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]>{PEOPLE}{person(fee(), name="&a;" * 1000)}{SHUT}',
    "external": f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>{PEOPLE}{person(fee(), name="&a;")}{SHUT}',
    "dtd": f'<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd">{PEOPLE}{SHUT}',
    "bare": f"<!DOCTYPE x>{PEOPLE}{SHUT}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_d37_any_dtd_is_refused_at_once(kind: str) -> None:
    began = time.perf_counter()
    assert refusal([HOSTILE[kind].encode()]) == "dtd"
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("head", "tag"),
    [
        (ROOT, b"<xb:a>"),
        (ROOT, b"<xb:xml-fragment>"),
        (f"{PEOPLE}<xb:userExportedFineFeesList><xb:finefeeList><xb:userFineFee>", b"<xb:itemTitle>"),
        (f"{PEOPLE}<xb:userExportedFineFeesList><xb:finefeeList><xb:userFineFee>", b"<xb:owneredEntity>"),
        (f"{PEOPLE}<xb:userExportedFineFeesList><xb:user><xb:owneredEntity>", b"<xb:owneredEntity>"),
    ],
)
def test_d37_a_million_nested_tags_are_refused_at_once(head: str, tag: bytes) -> None:
    began = time.perf_counter()
    assert refusal([head.encode(), tag * 1_000_000]) == "too_deep"
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("head", [f"{PEOPLE}<xb:userExportedFineFeesList><xb:patronName>", f"{PEOPLE}<!--", f"{ROOT}<xb:a b='"])
def test_d37_endless_text_is_refused(head: str) -> None:
    def endless() -> Iterator[bytes]:
        yield head.encode()
        yield from repeat(b"x" * (1 << 18), 10_000)

    assert refusal(endless()) == "too_long"


MEASURE = """
from itertools import chain, repeat
from bursarbridge.ports import read
from bursarbridge.systems.alma.export import ExportReader
from tests.systems.alma.documents import PEOPLE, SETTINGS, SHUT, fee, person

def peak(count):
    inner = person(fee(itemTitle="x" * 800) * 10)
    head, tail = person().split("</xb:finefeeList>")
    long = repeat(inner.encode(), count // 20)
    one = repeat((fee() * 10).encode(), count // 20)
    chunks = chain([PEOPLE.encode()], long, [head.encode()], one, [f"</xb:finefeeList>{tail}{SHUT}".encode()])
    assert sum(1 for _ in read(ExportReader(SETTINGS), chunks)) == count
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

small = peak(4_000)
print(peak(40_000) - small)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel does not tell a process its peak")
def test_ten_times_the_input_adds_no_memory_to_speak_of() -> None:
    measured = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert int(measured.stdout) < 8 * 1024, "KiB; 32 MiB is the limit (performance.md 9.6)"
