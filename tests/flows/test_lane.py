"""The fast lane of complete lists: whatever is edited from night to night, the books end as if every list had been read whole."""

from collections import Counter
from contextlib import nullcontext
from io import BytesIO
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import Phase, event, example, given, settings
from hypothesis import strategies as st

from bursarbridge.flows.unlike import Unlike, unlike
from bursarbridge.store import opening
from tests.flows.parking_lot import Lot, books_of, ends, line, lot

QUICK = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
FIRST = [line(f"P-{number}", 1000 + number, f"00123{number:02}") for number in range(12)]


class Edit(NamedTuple):
    what: str
    at: int
    cents: int


EDITS = st.builds(
    Edit,
    st.sampled_from(
        ["delete"] * 4 + ["owe"] * 4 + ["insert"] * 3 + ["move", "move", "remark", "twice", "twice", "spoil", "nameless", "zeros", "again", "person"]
    ),
    st.integers(0, 30),
    st.sampled_from([0, 100, 2500]),
)
BETWEEN = st.sampled_from(["", "", "", "", "", "change", "same", "decide", "late", "newer"])
NIGHTS = st.lists(st.tuples(st.lists(EDITS, max_size=3), BETWEEN), min_size=1, max_size=5)


def edited(lines: list[str], edits: list[Edit], night: int) -> list[str]:
    """The next night's list."""
    lines = list(lines)
    for number, (what, at, cents) in enumerate(edits):
        at %= len(lines) + 1
        here = lines[at].split(",") if at < len(lines) else line(f"N-{night}-{number}", cents, "0099999").split(",")
        if what == "insert" or at == len(lines):
            lines.insert(at, line(f"N-{night}-{number}", cents, "0099999"))
            continue
        if what == "delete":
            del lines[at]
        elif what == "move":
            lines.insert(cents % len(lines), lines.pop(at))
        elif what == "again":
            lines.insert(at, FIRST[cents % len(FIRST)])
        elif what == "twice":
            lines.append(",".join([*here[:3], str(cents or here[3]), *here[4:]]))
        else:
            field, value = {"owe": (3, str(cents)), "remark": (7, "seen\n"), "spoil": (3, "?"), "person": (1, "0077777")}.get(what, (0, ""))
            here[field] = here[0].lstrip("P-0") if what == "zeros" else value
            if what in ("nameless", "zeros"):
                here[3] = "?"
            lines[at] = ",".join(here)
    return lines


@settings(max_examples=60, deadline=None, phases=QUICK)
@given(NIGHTS, st.sampled_from(["cleared", "ask"]))
@example([([Edit("delete", 1, 0)], "newer"), ([], "")], "cleared")  # a list leaves out what a newer change had confirmed
def test_the_lane_and_the_whole_reading_leave_identical_books(nights: list[tuple[list[Edit], str]], absent: str) -> None:
    with lot(absent) as whole, lot(absent, lane=True) as short:
        for office in (whole, short):
            _live(office, nights)
        assert books_of(short) == books_of(whole)
        event(f"lane taken {sum(short.shortened)} of {len(short.shortened)} times")


def _live(office: Lot, nights: list[tuple[list[Edit], str]]) -> None:
    lines = FIRST
    office.put(1, *lines)
    office.collect()
    for night, (edits, between) in enumerate(nights, 1):
        office.campus.later(days=1)
        day = 1 + 5 * night
        if between == "decide":
            for item in office.campus.items():
                office.campus.resolve(item.id, "dismiss")
        elif between:
            cents = 1001 if between == "same" else 77
            office.put(day + {"late": -4, "newer": 3}.get(between, -2), line("P-1", cents, "0012301"), kind="changes")
            office.collect("changes")
        lines = edited(lines, edits, night)
        office.put(day, *lines)
        office.collect("full")


def test_a_quiet_night_reads_the_lines_that_differ_and_counts_every_one() -> None:
    with lot(lane=True) as office:
        office.put(1, *FIRST)
        office.put(2, *FIRST[:5], line("P-5", 5, "0012305"), line("N-1", 10), *FIRST[7:])
        first, second = office.collect()
        assert office.shortened == [False, True]
        assert (ends(first), ends(second)) == ({"posted": 12}, {"already": 10, "posted": 2})
        assert second["tally"]["read"]["cents"] == sum(office.owed().values())
        assert second["words"] == "1 no longer listed, $10.06: nothing is owed for them any more"
        assert office.one("select record_cents from delivery order by id desc limit 1") == sum(office.owed().values())


def test_the_same_bytes_on_a_later_day_are_a_list_of_that_day() -> None:
    with lot(lane=True) as office:
        for day in (1, 2, 3):
            office.put(day, *FIRST)
        office.put(2, line("P-1", 1, "0012301"), kind="changes")
        office.collect()
        assert office.shortened == [False, True, True]
        assert office.owed()["P-1"] == 1001, "the change is older than the list of the third day"


def _change(office: Lot) -> None:
    office.put(2, line("P-1", 5, "0012301"), kind="changes")
    office.collect()


def _lose(office: Lot) -> None:
    with office.campus.books() as books:
        sha256 = str(books.one("select sha256 from full_list"))
    (office.campus.folder / "vault" / sha256[:2] / sha256[2:4] / sha256).unlink()


def _settings(office: Lot) -> None:
    with office.campus.books(writing=True) as books:
        books.do("update full_list set fingerprint = 'reader 0'")


@pytest.mark.parametrize("disturb", [_change, _lose, _settings])
def test_the_lane_is_left_where_something_could_be_different(disturb: object) -> None:
    with lot(lane=True) as office:
        office.put(1, *FIRST)
        office.collect()
        assert callable(disturb)
        disturb(office)
        office.put(3, *FIRST[1:])
        office.collect()
        assert office.shortened == [False, False]


def test_the_lane_leaves_the_same_books_on_postgresql(pg_address: str) -> None:
    nights = [
        ([Edit("owe", 3, 100), Edit("delete", 5, 0), Edit("insert", 2, 2500)], ""),
        ([Edit("move", 1, 100), Edit("insert", 5, 0)], ""),
        ([Edit("spoil", 4, 0)], ""),
        ([Edit("delete", 7, 0), Edit("twice", 1, 0)], "same"),
    ]
    for absent in ("cleared", "ask"):
        with lot(absent, lane=True) as one, lot(absent, lane=True) as other:
            other.campus.ledger.dispose()
            other.campus.ledger = opening.open_engine(pg_address)
            with other.campus.ledger.begin() as connection:
                connection.exec_driver_sql("drop schema public cascade")
                connection.exec_driver_sql("create schema public")
            opening.migrate(other.campus.ledger)
            for office in (one, other):
                _live(office, nights)
            assert one.shortened == other.shortened == [False, True, True, False, False]
            assert books_of(other) == books_of(one)


LINES = st.lists(st.sampled_from([bytes([65 + number]) * (1 + 7 * (number % 3)) + b"\n" for number in range(8)]), max_size=40)
SMALL: dict[str, Any] = {"_BLOCK": 24, "_NEAR": 12, "_STRIDES": (8, 3), "_AGREE": 6}
"""Sizes of the comparison for files of some lines, so that its blocks and strides end anywhere."""


def compared(old: list[bytes], new: list[bytes], most: int) -> Unlike | None:
    return unlike(BytesIO(b"".join(old)), BytesIO(b"".join(new)), most)


@settings(max_examples=300, deadline=None, phases=QUICK)
@given(LINES, LINES, st.booleans())
def test_what_two_files_do_not_share_is_the_difference_of_their_lines(old: list[bytes], new: list[bytes], small: bool) -> None:
    with patch.multiple("bursarbridge.flows.unlike", **SMALL) if small else nullcontext():
        found = compared(old, new, 1000)
    assert found is not None
    assert (Counter(found.gone), Counter(found.came)) == (Counter(old) - Counter(new), Counter(new) - Counter(old))


@settings(max_examples=50, deadline=None, phases=QUICK)
@given(st.integers(0, 9000), st.integers(0, 9000), st.integers(1, 12))
def test_lines_put_in_and_taken_out_of_a_long_file_are_found_with_little_memory(into: int, out: int, count: int) -> None:
    old = [b"%d\n" % number for number in range(9500)]
    new = old[:into] + [b"new %d\n" % number for number in range(count)] + old[into:]
    del new[out]
    found = compared(old, new, 60)
    assert found is not None
    assert (len(found.gone), len(found.came)) in ((1, count), (0, count - 1))


def test_too_many_differences_are_for_the_whole_reading() -> None:
    def numbered(word: str) -> list[bytes]:
        return [b"%s %d\n" % (word.encode(), number) for number in range(1000)]

    assert compared(numbered("a"), numbered("b"), 50) is None
    assert compared(numbered("a"), numbered("a") + numbered("b"), 50) is None


def test_a_line_without_an_end_in_reason_is_for_the_whole_reading() -> None:
    with patch("bursarbridge.flows.unlike._LINE_MAX", 1000):
        assert compared([b"a\n"], [b"b" * 400_000, b"\n"], 10) is None
        assert compared([b"a\n"], [b"a\n", b"b" * 400_000, b"\n"], 10) is None


def test_a_last_line_without_an_end_is_the_same_line() -> None:
    assert compared([b"a\n", b"b"], [b"b\n", b"a"], 10) == ([], [])
