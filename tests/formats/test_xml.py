"""The XML front: what it hands on, and what it refuses before it costs anything."""

import time
from collections.abc import Iterator

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats import xml


def heard(document: bytes, size: int = 7) -> list[str]:
    said: list[str] = []
    handlers = xml.Handlers(lambda name, _: said.append(f"<{name}>"), lambda name: said.append(f"</{name}>"), said.append)
    for _ in xml.elements((document[at : at + size] for at in range(0, len(document), size)), handlers):
        pass
    return said


def refusal(document: bytes, size: int = 1 << 16) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        heard(document, size)
    return caught.value


def test_names_carry_the_namespace_and_not_the_prefix() -> None:
    assert heard(b'<p:a xmlns:p="urn:x"><b/>t</p:a>')[:3] == ["<urn:x a>", "<b>", "</b>"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_d39_any_chunk_size_hears_the_same(size: int) -> None:
    document = "<a>één<b>x &amp; y</b><![CDATA[<z>]]></a>".encode()
    assert "".join(heard(document, size)) == "<a>één<b>x & y</b><z></a>"


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://example.invalid/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    ],
)
def test_d37_any_dtd_is_refused(document: bytes) -> None:
    assert refusal(document).code == "dtd"


def test_d37_a_million_nested_tags_are_refused_at_once() -> None:
    began = time.perf_counter()
    assert refusal(b"<a>" * 1_000_000).code == "too_deep"
    assert time.perf_counter() - began < 1.0


def test_d37_endless_text_tags_and_comments_are_refused() -> None:
    def endless(head: bytes) -> Iterator[bytes]:
        yield head
        while True:
            yield b"x" * (1 << 18)

    for head in (b"<a>", b"<a><!-- ", b"<a><", b'<a b="'):
        with pytest.raises(Unreadable, match="longer"):
            for _ in xml.elements(endless(head), xml.Handlers(lambda *_: None, lambda _: None, lambda _: None)):
                pass


def test_t01_a_document_cut_anywhere_is_refused() -> None:
    document = b"<?xml version='1.0'?><a><b>text</b><c/></a>"
    for cut in range(len(document)):
        assert refusal(document[:cut]).code == "truncated", cut


def test_faults_name_line_and_column() -> None:
    error = refusal(b"<a>\n  <b></c></a>")
    assert error.code == "not_well_formed"
    assert error.where == "line 2, column 8"


def test_d25_encodings() -> None:
    assert "".join(heard("<a>é</a>".encode("utf-16"))) == "<a>é</a>"
    assert "".join(heard(b"\xef\xbb\xbf<a>\xc3\xa9</a>")) == "<a>é</a>"
    assert "".join(heard(b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>')) == "<a>é</a>"
    assert refusal(b"<a>\xe9</a>").code == "not_well_formed"
    assert refusal(b"<a>\x00</a>").code == "not_well_formed"
    assert refusal(b'<?xml version="1.0" encoding="x-unheard-of"?><a/>').code == "encoding"
