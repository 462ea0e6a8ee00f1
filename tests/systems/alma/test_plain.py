"""The quick way and the parser read the same document the same, whatever is done to it, however it is cut into chunks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursarbridge.errors import Unreadable
from bursarbridge.systems.alma import plain
from bursarbridge.systems.alma.listening import Fee, Header, fees
from bursarbridge.systems.alma.plain import fees_quickly

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.xml"))
NAMESPACE = "http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans"
NIL = 'xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def outcome(content: bytes, size: int, *, quickly: bool) -> tuple[list[Fee] | None, str, str, str]:
    """The fees, or the error with its words and place, and the export number."""
    header = Header()
    try:
        found = list((fees_quickly if quickly else fees)(cut(content, size), header))
    except Unreadable as error:
        return None, error.code, str(error), ""
    return found, "", "", header.export_number


def same(content: bytes, size: int) -> None:
    assert outcome(content, size, quickly=True) == outcome(content, 1 << 16, quickly=False)


def document(rows: list[str], *, indent: bool, prefix: str = "xb:", declaration: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> str:
    """An export of one person per pair of rows, as Alma writes it."""
    p = prefix
    bind = f"xmlns:{p[:-1]}" if p else "xmlns"
    n = "\n\t" if indent else ""
    people = []
    for number in range(0, len(rows), 2):
        some = n.join(rows[number : number + 2])
        people.append(
            f"<{p}userExportedFineFeesList>{n}<{p}user>{n}<{p}type>02</{p}type>{n}<{p}value>0{number}123456</{p}value>{n}"
            f"<{p}owneredEntity>{n}<{p}InstitutionId>6761</{p}InstitutionId>{n}</{p}owneredEntity>{n}</{p}user>{n}"
            f"<{p}patronName>Reyes, Tam &amp; Łu</{p}patronName>{n}<{p}finefeeList>{n}{some}{n}</{p}finefeeList>{n}</{p}userExportedFineFeesList>"
        )
    return (
        f'{declaration}<{p}xml-fragment {bind}="{NAMESPACE}">{n}<{p}userExportedFineFees>{n}<{p}exportNumber>77</{p}exportNumber>{n}'
        f"</{p}userExportedFineFees>{n}<{p}userExportedFineFees>{n}<{p}userExportedList>{n}{n.join(people)}{n}</{p}userExportedList>{n}"
        f"</{p}userExportedFineFees>{n}</{p}xml-fragment>\n"
    )


def row(number: int, *, indent: bool, prefix: str = "xb:", title: str = "A &lt;title&gt; café", category: str = "OVERDUEFINE") -> str:
    p, n = prefix, "\n\t\t" if indent else ""
    return (
        f"<{p}userFineFee>{n}<{p}fineFeeComment {NIL}/>{n}<{p}fineFeeType>{category}</{p}fineFeeType>{n}<{p}owneredEntity>{n}"
        f"<{p}InstitutionId>6761</{p}InstitutionId>{n}<{p}libraryId>9</{p}libraryId>{n}<{p}libraryCode>MAIN</{p}libraryCode>{n}</{p}owneredEntity>{n}"
        f"<{p}lastTransactionDate>09/12/2026 15:22:06 EST</{p}lastTransactionDate>{n}<{p}itemTitle>{title}</{p}itemTitle>{n}"
        f"<{p}itemCallNumebr/>{n}<{p}itemLibrary/>{n}<{p}itemLocation/>{n}<{p}itemInternalLocation/>{n}<{p}itemDueDate {NIL}/>{n}"
        f"<{p}itemBarcode>3908{number}</{p}itemBarcode>{n}<{p}compositeSum>{n}<{p}currency>USD</{p}currency>{n}<{p}sum>{number}.5</{p}sum>{n}"
        f"<{p}vat {NIL}/>{n}</{p}compositeSum>{n}<{p}bursarTransactionId>{15216000 + number}</{p}bursarTransactionId>{n}</{p}userFineFee>"
    )


PIECES = """<!-- a comment -->|<![CDATA[<xb:userFineFee>]]>|<?pi x?>|&#65;|&amp;|&unknown;|]]>|\r\n|\x0b|\ufffe|<xb:new>1</xb:new>|</xb:userFineFee>
<xb:userFineFee>|<xb:sum>1</xb:sum>|<xb:userExportedFineFeesList>| |<|&|Z|<!DOCTYPE a>| a='1'|\n""".replace(">\n<xb", ">|<xb").split("|")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 18])
def test_samples_read_the_same(sample: Path, size: int) -> None:
    same(sample.read_bytes(), size)


@settings(max_examples=250, deadline=None)
@given(
    count=st.integers(1, 5),
    indent=st.booleans(),
    prefix=st.sampled_from(["xb:", "", "a.b-c:", "ns0:"]),
    hurts=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PIECES)), max_size=2),
    size=st.sampled_from([3, 50, 333, 4096, 1 << 18]),
    end=st.floats(0, 1) | st.none(),
)
def test_hurt_documents_read_the_same(count: int, indent: bool, prefix: str, hurts: list[tuple[float, str]], size: int, end: float | None) -> None:
    text = document([row(number, indent=indent, prefix=prefix) for number in range(count)], indent=indent, prefix=prefix)
    for where, piece in hurts:
        at = int(where * len(text))
        text = text[:at] + piece + text[at:]
    content = text.encode("utf-8", "surrogatepass")
    same(content if end is None else content[: int(end * len(content))], size)


@given(content=st.binary(max_size=300), size=st.integers(1, 50))
def test_any_bytes_within_a_row_read_the_same(content: bytes, size: int) -> None:
    first, last = document([row(1, indent=True), row(2, indent=True, title="HERE"), row(3, indent=True)], indent=True).encode().split(b"HERE")
    same(first + content + last, size * 20)


def test_a_plain_export_never_meets_the_parser_between_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def watched(chunks: Iterator[bytes], header: Header) -> Iterator[Fee]:
        content = b"".join(chunks)
        seen.append(content)
        yield from fees([content], header)

    monkeypatch.setattr(plain, "fees", watched)
    content = document([row(number, indent=True) for number in range(9)], indent=True).encode()
    assert len(list(fees_quickly(cut(content, 700), Header()))) == 9
    assert b"userFineFee>" not in seen[0]


def test_entities_in_wanted_fields_are_meant() -> None:
    content = document([row(1, indent=False, category="A&amp;B&lt;&gt;&quot;&apos;")], indent=False).encode()
    assert [fee.category for fee in fees_quickly([content], Header())] == ["A&B<>\"'"]
