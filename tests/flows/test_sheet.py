"""D28 both ways: nothing in a spreadsheet for people is a formula, and not one byte of a file for machines is changed for that (F9)."""

import csv
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.flows.sheet import Sheet, csv_for_people
from bursarbridge.formats import delimited
from bursarbridge.formats.layout import layout_from_toml
from bursarbridge.formats.shape import RecordKind

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["=1+1", "+cmd|' /C calc'!A0", "-5.00", "-5.00+1", "@SUM(A1)", "\t=1", "\r=1", "\x00=1", " =1", "＝1+1", "0012345", '=HYPERLINK("http://x")']
)
LAYOUT = layout_from_toml(
    """
name = "d28"
about = "a text and an amount"
form = "delimited"
encoding = "utf-8"
newline = "\\r\\n"
delimiter = ","
heading = false
[[records]]
kind = "detail"
fields = [ { name = "description", kind = "text" }, { name = "amount", kind = "amount", sign = "signed" } ]
""",
    "d28.toml",
)


def sheet(*rows: tuple[str | int, ...]) -> Sheet:
    return Sheet("late", 1, ("student", "words", "amount"), frozenset({"student"}), rows)


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))


@given(student=TEXTS, words=TEXTS, cents=st.integers(-(10**9), 10**9))
def test_d28_no_cell_for_people_is_a_formula(student: str, words: str, cents: int) -> None:
    content = csv_for_people(sheet((student, words, cents)))
    heading, row = read(content)
    assert heading == ["student", "words", "amount"]
    for cell in row[:2]:
        plain_number = cell.replace("-", "", 1).replace(".", "", 1).isdecimal() and cell.isascii()
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) or plain_number
        assert not any(character < " " for character in cell)
    assert row[2] == f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def test_what_people_get_opens_rightly() -> None:
    content = csv_for_people(sheet(("0012345", "-5.00", -500), ("", "=1+1", 0), ("17000000000031001", 'a, "b"\nc', 5500)))
    assert content.startswith(b"\xef\xbb\xbfstudent,words,amount\r\n") and content.count(b"\r\n") == 4 == content.count(b"\n")
    assert read(content)[1:] == [["'0012345", "-5.00", "-5.00"], ["", "'=1+1", "0.00"], ["'17000000000031001", 'a, "b" c', "55.00"]]
    assert sheet().file_name("2026-11-17") == "late_2026-11-17_v1.csv"


@given(st.sampled_from(["=1+1", "+1", "@SUM(A1)", "-note", "'quoted"]), st.integers(1, 10**9))
def test_d28_a_machine_file_is_not_altered(words: str, cents: int) -> None:
    written = b"".join(delimited.write(LAYOUT, [(RecordKind.DETAIL, (words, -cents))]))
    assert written == f"{words},-{cents // 100}.{cents % 100:02d}\r\n".encode()
