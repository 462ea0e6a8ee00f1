"""Hold files: byte for byte as agreed, read back, and what refuses to become a line."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.layout import layout_from_toml, shipped
from bursarbridge.formats.shape import Form, Layout
from bursarbridge.ports import ControlTotal, Heading, HoldDestination, HoldFiles, HoldLine
from bursarbridge.systems.peoplesoft.holds import WIDTHS, HoldSettings, PeopleSoftHolds, hold_files, holds_in
from tests.systems.peoplesoft.samples import GOLDEN
from tests.systems.peoplesoft.samples import HEADING as CHARGES

HEADING = Heading("HOLDS_20261121_000042.dat", 42, CHARGES.made_at, "2026-11-21")
PAIRS = [("generic-holds-added", "generic-holds-released"), ("mass-assign", "mass-release"), ("holds-delimited-added", "holds-delimited-released")]
ADDED = (
    HoldLine("012345678", "place", 6500, "PRK", "PARK", "V0000000017", "EXCCD", "PARKING", "Parking Office", "Student", "No permit", "2026-10-02"),
    HoldLine("987654321", "place", 82, "PRK", "PARK", "V0000000025", "EXCCD", violated_on="2026-11-01", placed_on="2026-11-20"),
    HoldLine("9000000142", "change", 499_999, "PRK", "PARK", "V0000000033", "EXCCD", "PARKING", user_type="Student", category="Boot, wheel"),
)
RELEASED = tuple(line._replace(verb="release", cents=0) for line in ADDED[:2])


def settings(added: str, released: str) -> HoldSettings:
    return HoldSettings(shipped(added), shipped(released), "ADD_{made_on}_{sequence:06d}.dat", "REL_{made_on}_{sequence:06d}.dat", 500_000)


def files(pair: tuple[str, str]) -> PeopleSoftHolds:
    return hold_files(settings(*pair))


def document(made: HoldFiles, destination: HoldDestination, lines: Sequence[HoldLine]) -> bytes:
    writer = destination.writer(HEADING)
    total = ControlTotal(len(lines), sum(line.cents for line in lines))
    return (writer.head(total) + "".join(map(writer.line, lines)) + writer.tail(total)).encode(made.encoding)


def changed(line: HoldLine, field: str, value: str) -> HoldLine:
    return HoldLine._make(value if name == field else old for name, old in line._asdict().items())


def refusal(line: HoldLine, *, pair: tuple[str, str] = PAIRS[0], released: bool = False) -> Unreadable:
    made = files(pair)
    with pytest.raises(Unreadable) as caught:
        (made.released if released else made.added).writer(HEADING).line(line)
    return caught.value


def added_by(pair: tuple[str, str]) -> tuple[HoldLine, ...]:
    return ADDED if files(pair).amounts else ADDED[:2]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
def test_golden_byte_for_byte_and_back(pair: tuple[str, str]) -> None:
    made = files(pair)
    for name, destination, lines in ((pair[0], made.added, added_by(pair)), (pair[1], made.released, RELEASED)):
        golden = (GOLDEN / f"{name}.txt").read_bytes()
        assert document(made, destination, lines) == golden
        assert again(shipped(name), golden) == golden


def again(layout: Layout, content: bytes) -> bytes:
    form = fixed if layout.form is Form.FIXED else delimited
    return b"".join(form.write(layout, form.read(layout, [content])))


def test_count_and_total_stand_on_both_ends_and_the_columns_are_as_agreed() -> None:
    header, first, *_, trailer = document(files(PAIRS[0]), files(PAIRS[0]).added, ADDED).decode().splitlines()
    assert header == "H0000000003" + "0000000005065.81" + "20261121"
    assert trailer == "T0000000003" + "0000000005065.81"
    person = "D" + "012345678".ljust(11) + "EXCCD" + "PRK" + "PARK " + "0000000065.00"
    assert first == person + "V0000000017".ljust(30) + "Parking Office".ljust(30) + "PARKING".ljust(10) + "20261121"


def test_a_hold_without_a_day_of_its_own_begins_on_the_day_of_the_file() -> None:
    rows = [row[-1] for _, row in fixed.read(shipped("generic-holds-added"), [(GOLDEN / "generic-holds-added.txt").read_bytes()])][1:-1]
    assert rows == ["2026-11-21", "2026-11-20", "2026-11-21"]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
def test_nobody_stands_in_the_wrong_document(pair: tuple[str, str]) -> None:
    assert refusal(RELEASED[0], pair=pair).code == "hold_verb"
    assert [refusal(line, pair=pair, released=True).code for line in ADDED] == ["hold_verb"] * 3


def test_only_exactly_nothing_is_released_and_nothing_is_never_a_hold() -> None:
    assert refusal(RELEASED[0]._replace(cents=1), released=True).code == "hold_amount"
    assert [refusal(ADDED[0]._replace(cents=cents)).code for cents in (0, -1)] == ["hold_amount"] * 2
    assert refusal(ADDED[0]._replace(cents=500_001)).code == "amount_over_limit"


@pytest.mark.parametrize(("field", "width"), WIDTHS.items())
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
def test_what_peoplesoft_has_no_room_for_is_refused_and_never_cut(pair: tuple[str, str], field: str, width: int) -> None:
    attribute = {"hold_code": "code", "hold_reason": "reason"}.get(field, field)
    error = refusal(changed(ADDED[0], attribute, "9" * (width + 1)), pair=pair)
    assert (error.code, error.where) == ("too_wide", f"field {field}")
    assert f"{width + 1} characters" in error.words and f"room for {width}" in error.words


def test_overflow_never_shifts_columns() -> None:
    made = hold_files(replace(settings(*PAIRS[0]), amount_max_cents=10**18))
    with pytest.raises(Unreadable, match="room for 13") as caught:
        made.added.writer(HEADING).line(ADDED[0]._replace(cents=10**12))
    assert caught.value.where == "field amount"


def test_a_code_that_is_not_there_is_refused() -> None:
    for field in ("account", "institution", "code", "reason", "reference"):
        assert refusal(changed(ADDED[0], field, "")).code == "blank"
    assert refusal(ADDED[0]._replace(contact="B\u00fcro")).code == "characters"


def test_mass_assign_cannot_say_a_new_amount_and_says_so() -> None:
    assert [files(pair).amounts for pair in PAIRS] == [True, False, True]
    assert refusal(ADDED[2], pair=PAIRS[1]).code == "hold_no_amounts"


@pytest.mark.parametrize("pair", PAIRS[1:], ids=lambda pair: pair[0])
def test_one_list_is_for_one_institution_code_and_reason(pair: tuple[str, str]) -> None:
    writer = files(pair).added.writer(HEADING)
    writer.line(ADDED[0])
    for field, value in (("institution", "OTHER"), ("code", "LIB"), ("reason", "LOST")):
        with pytest.raises(Unreadable) as caught:
            writer.line(changed(ADDED[1], field, value))
        assert caught.value.code == "hold_codes"
    assert writer.line(ADDED[1])


def test_names_are_unique_and_safe() -> None:
    made = files(PAIRS[0])
    assert made.added.name(7, CHARGES.made_at, "2026-11-21") == "ADD_20261121_000007.dat"
    assert made.released.name(8, CHARGES.made_at, "2026-11-21") == "REL_20261121_000008.dat"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"added_name": "x.dat"}, "needs {sequence}"),
        ({"added_name": "{who}.dat"}, "cannot be filled in"),
        ({"released_name": "ADD_{made_on}_{sequence:06d}.dat"}, "the same name"),
        ({"amount_max_cents": 0}, "above 0.00"),
        ({"added": shipped("generic-charges")}, 'no value for "item_type"'),
        ({"added": shipped("holds-delimited-added")}, "two encodings"),
    ],
)
def test_faults_of_the_settings_are_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        hold_files(replace(settings(*PAIRS[0]), **change))  # type: ignore[arg-type]
    assert caught.value.code == "settings" and words in str(caught.value)


def test_a_campus_whose_loader_wants_a_verb_declares_one() -> None:
    own = """
name = "own"
form = "fixed"
[[records]]
kind = "detail"
fields = [
  { name = "verb", kind = "choice", start = 1, width = 1, choices = { place = "A", change = "C", release = "R" } },
  { name = "account", kind = "text", start = 2, width = 11 },
  { name = "hold_code", kind = "text", start = 13, width = 3 },
  { name = "made_on", kind = "date", start = 16, width = 8, dates = ["YYYYMMDD"] },
  { name = "amount", kind = "amount", start = 24, width = 8 },
]
"""
    layout = layout_from_toml(own, "own.toml")
    made = hold_files(replace(settings(*PAIRS[0]), added=layout, released=layout))
    assert made.added.writer(HEADING).line(ADDED[2]) == "C9000000142 PRK2026112104999.99\n"
    assert made.released.writer(HEADING).line(RELEASED[0]) == "R012345678  PRK2026112100000.00\n"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
def test_a_file_of_ours_is_read_back_by_what_its_layout_carries(pair: tuple[str, str]) -> None:
    for name, lines in ((pair[0], added_by(pair)), (pair[1], RELEASED)):
        layout = shipped(name)
        rows = list(holds_in(layout, [(GOLDEN / f"{name}.txt").read_bytes()]))
        assert [row.account for row in rows] == [line.account for line in lines]
        carried = layout.detail.names
        for row, line in zip(rows, lines, strict=True):
            assert row.amount == (line.cents if "amount" in carried else -1)
            assert (row.hold_code, row.hold_reason) == ((line.code, line.reason) if "hold_code" in carried else ("", ""))
            assert row.reference == (line.reference if "reference" in carried else "")


def test_a_cut_file_of_ours_is_not_read_back() -> None:
    golden = (GOLDEN / "generic-holds-added.txt").read_bytes().splitlines(keepends=True)
    with pytest.raises(Unreadable, match="the file is not whole"):
        list(holds_in(shipped("generic-holds-added"), [b"".join(golden[:1] + golden[2:])]))
