"""PeopleSoft's service indicators on their own: how the receiver finds a row, what it overwrites, what it leaves behind."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.sandbox.fees import FileRefused
from bursarbridge.sandbox.folders import HOLDS_IN, HOLDS_OUT
from bursarbridge.sandbox.hold_files import HoldLine, emplids, hold_file, hold_lines, snapshot_rows
from bursarbridge.sandbox.indicators import Loaded, RunControl, ServiceIndicators
from bursarbridge.sandbox.parking_people import ADVISING, ADVISING_REASON, CODES, HOLD, REASON
from bursarbridge.sandbox.parking_story import open_parking
from bursarbridge.sandbox.story import make_campus
from tests.sandbox.naive import NOON
from tests.sandbox.naive_holds import fixed

ANN, BOB = "0104231", "10420051934"
PARKING = RunControl(HOLD, REASON, "2267")


def bursar() -> ServiceIndicators:
    return ServiceIndicators("EXCCD", {ANN: "Example, Ann", BOB: "Example, Bob"}, CODES)


def standing(system: ServiceIndicators) -> list[tuple[str, str, int]]:
    return [(row.emplid, row.code, row.cents) for emplid in system.people for row in system.of(emplid)]


def test_an_added_hold_is_placed_then_overwritten_then_released_with_an_audit_row() -> None:
    system = bursar()
    assert system.load("1_added.dat", fixed("added", [(ANN, 45_00)]), NOON) == Loaded("1_added.dat", placed=1)
    assert system.load("2_added.dat", fixed("added", [(ANN, 120_00)]), NOON) == Loaded("2_added.dat", changed=1)
    assert system.load("3_added.dat", fixed("added", [(ANN, 120_00)]), NOON) == Loaded("3_added.dat", same=1)
    (row,) = system.of(ANN)
    assert (row.cents, row.reference, row.contact, row.department, row.active_on) == (120_00, "PRK-" + ANN, "Parking Office", "PARKING", "2026-10-15")
    assert system.shown(ANN) == ["PRK Parking violations, $120.00: classes cannot be added (AENR)"]
    assert system.load("4_released.dat", fixed("released", [(ANN, 0)]), NOON) == Loaded("4_released.dat", released=1)
    assert system.load("5_released.dat", fixed("released", [(ANN, 0)]), NOON) == Loaded("5_released.dat", absent=1)
    assert system.of(ANN) == [] and [(row.action, row.cents) for row in system.audit] == [("A", 45_00), ("C", 120_00), ("D", 120_00)]


def test_another_departments_indicator_survives_and_a_person_cannot_have_it_twice() -> None:
    system = bursar()
    system.place(ANN, ADVISING, ADVISING_REASON, NOON, "ADVISOR1")
    with pytest.raises(ValueError, match="already"):
        system.place(ANN, ADVISING, ADVISING_REASON, NOON, "ADVISOR2")
    system.load("1_added.dat", fixed("added", [(ANN, 45_00)]), NOON)
    assert len({row.placed_at for row in system.of(ANN)}) == 2, "the key is person and time, so no two are placed at one instant"
    system.load("2_released.dat", fixed("released", [(ANN, 0)]), NOON)
    assert standing(system) == [(ANN, ADVISING, 0)]
    system.remove(ANN, ADVISING, ADVISING_REASON, NOON, "ADVISOR1")
    with pytest.raises(LookupError):
        system.remove(ANN, ADVISING, ADVISING_REASON, NOON, "ADVISOR1")


def test_the_receiver_does_not_know_who_placed_a_row() -> None:
    """Why the bridge must never tell it about a hold that is not its own: it would be overwritten, and released."""
    system = bursar()
    system.place(BOB, HOLD, REASON, NOON, "BURSAR1", 99_00)
    assert system.load("1_added.dat", fixed("added", [(BOB, 45_00)]), NOON).changed == 1
    assert system.load("2_released.dat", fixed("released", [(BOB, 0)]), NOON).released == 1


def test_an_older_file_that_comes_late_overwrites_what_is_newer() -> None:
    system = bursar()
    old, new = fixed("added", [(ANN, 45_00)]), fixed("added", [(ANN, 120_00)])
    for name, content in (("2_added.dat", new), ("1_added.dat", old)):
        system.load(name, content, NOON)
    assert standing(system) == [(ANN, HOLD, 45_00)]


def test_names_with_the_word_before_the_number_lose_a_hold_when_two_nights_wait(tmp_path: Path) -> None:
    """Files load in name order: a name has to begin with what rises, or yesterday's release comes after today's hold."""
    first, second = fixed("released", [(ANN, 0)]), fixed("added", [(ANN, 45_00)])
    for names, holds in ((("HOLDS_RELEASED_000001.dat", "HOLDS_ADDED_000002.dat"), 0), (("HOLDS_000001_RELEASED.dat", "HOLDS_000002_ADDED.dat"), 1)):
        campus = make_campus(tmp_path / str(holds))
        open_parking(campus, NOON)
        for name, content in zip(names, (first, second), strict=True):
            (campus.root / HOLDS_IN / name).write_bytes(content)
        campus.holds.load(NOON)
        assert len(campus.holds.indicators.of(ANN)) == holds


def test_lines_it_cannot_take_go_to_a_list_and_the_rest_of_the_file_counts() -> None:
    system = bursar()
    loaded = system.load("1_added.dat", fixed("added", [("999", 1_00), (ANN, 45_00), (BOB, 0)]), NOON)
    assert [(one.line, one.emplid, one.words) for one in loaded.refused] == [(2, "999", "Invalid ID"), (4, BOB, "Invalid Amount")]
    assert loaded.placed == 1 and system.refused == list(loaded.refused)
    assert system.load("2_added.dat", fixed("added", [(ANN, 1)], institution="OTHER"), NOON).refused[0].words == "Invalid Institution"
    assert system.load("3_added.dat", fixed("added", [(ANN, 1)], code="XYZ"), NOON).refused[0].words == "Invalid Service Indicator"
    assert system.load("4_released.dat", fixed("added", [(ANN, 1)]), NOON).refused[0].words == "Amount of a release is not zero"


GOOD = fixed("added", [(ANN, 45_00), (BOB, 30_00)])


@pytest.mark.parametrize("at", range(0, len(GOOD), 7))
def test_a_file_cut_anywhere_is_refused_whole(at: int) -> None:
    system = bursar()
    with pytest.raises(FileRefused):
        system.load("1_added.dat", GOOD[:at], NOON)
    assert standing(system) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("1.dat", GOOD, "neither"),
        ("1_added_released.dat", GOOD, "both"),
        ("1_added.dat", GOOD.replace(b"H0000000002", b"H0000000003"), "header promises"),
        ("1_added.dat", GOOD.replace(b"T00000000020000000000075.00", b"T00000000020000000000075.01"), "trailer promises"),
        ("1_added.dat", GOOD.replace(b"H0000000002", b"H000000000X"), "line 1"),
        ("1_added.dat", GOOD.replace(b"0000000045.00", b"00000000O5.00"), "line 2"),
        ("1_added.dat", GOOD.replace(b"PARKING   20261015", b"PARKING   20261315"), "line 2"),
        ("1_added.dat", GOOD.replace(b"Parking Office ", "Pärking Office".encode()), "ASCII"),
        ("1_added.dat", GOOD.replace(b"\n", b"\r\n"), "line 1"),
        ("1_added.dat", b"H\n", "line 1"),
    ],
)
def test_a_file_without_the_agreed_form_is_not_taken(name: str, content: bytes, words: str) -> None:
    system = bursar()
    with pytest.raises(FileRefused, match=words):
        system.load(name, content, NOON)
    assert standing(system) == []


@given(st.lists(st.tuples(st.sampled_from([ANN, BOB, "8800417"]), st.integers(1, 9_999_999_99)), max_size=5))
def test_the_samples_own_file_reads_as_the_naive_one(rows: list[tuple[str, int]]) -> None:
    lines = [HoldLine(emplid, "EXCCD", HOLD, REASON, cents, f"PRK-{emplid}", "Parking Office", "PARKING", "20261015") for emplid, cents in rows]
    written = hold_file(lines, date(2026, 10, 15))
    assert written == fixed("added", rows)
    assert hold_lines(written) == lines


def test_mass_assign_places_without_an_amount_and_never_twice() -> None:
    system = bursar()
    list_of = f"EMPLID\n{ANN}\n999\n{BOB}\n".encode()
    done = system.mass_assign("list.csv", list_of, PARKING, NOON)
    assert (done.placed, done.same, [one.emplid for one in done.refused]) == (2, 0, ["999"])
    assert standing(system) == [(ANN, HOLD, 0), (BOB, HOLD, 0)]
    assert system.mass_assign("list.csv", list_of, PARKING, NOON).same == 2
    done = system.mass_release("list.csv", list_of, PARKING, NOON)
    assert (done.released, done.absent, standing(system)) == (2, 1, [])
    with pytest.raises(FileRefused):
        emplids(b"EMPLID\n")
    with pytest.raises(FileRefused):
        emplids("Ä\n".encode())
    with pytest.raises(LookupError):
        system.mass_assign("list.csv", list_of, RunControl("XYZ", "XYZ"), NOON)


def test_a_snapshot_is_a_ps_query_with_every_indicator_or_those_of_a_code() -> None:
    system = bursar()
    system.place(ANN, ADVISING, ADVISING_REASON, NOON, "ADVISOR1")
    system.load("1_added.dat", fixed("added", [(ANN, 45_00)]), NOON + timedelta(minutes=1))
    sent = system.snapshot(NOON)
    assert sent.name == "BB_SRVC_IND_20261014_120000.csv"
    assert list(csv.reader(sent.content.decode().splitlines())) == [
        ["EMPLID", "INSTITUTION", "SRVC_IND_CD", "SRVC_IND_REASON", "AMOUNT", "SRVC_IND_REFRNCE", "SRVC_IND_ACTIVE_DT"],
        [ANN, "EXCCD", ADVISING, ADVISING_REASON, "0.00", "", "10/14/2026"],
        [ANN, "EXCCD", HOLD, REASON, "45.00", "PRK-" + ANN, "10/15/2026"],
    ]
    assert [row.code for row in snapshot_rows(system.snapshot(NOON, [HOLD]).content)] == [HOLD]
    assert snapshot_rows(bursar().snapshot(NOON).content) == []


def test_a_returned_list_may_have_more_columns_and_its_own_amounts() -> None:
    content = b'\xef\xbb\xbfemplid,Institution,SRVC_IND_CD,SRVC_IND_REASON,NAME,AMOUNT\r\n0104231,EXCCD,PRK,PARK1,Ann,"1,045.5"\r\n\r\n'
    assert snapshot_rows(content)[0][:5] == (ANN, "EXCCD", HOLD, REASON, 1045_50)
    for bad in (b"", b"EMPLID,AMOUNT\n", content.replace(b"045.5", b"x"), b"\xff"):
        with pytest.raises(FileRefused):
            snapshot_rows(bad)


def test_the_jobs_load_in_name_order_whole_or_not_and_drop_the_snapshot(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    open_parking(campus, NOON)
    folder = tmp_path / HOLDS_IN
    for name, content in (
        ("2_released.dat", fixed("released", [(ANN, 0)])),
        ("1_added.dat", fixed("added", [(ANN, 45_00)])),
        ("0_added.dat", GOOD[:-5]),
        (".3_added.dat.part", b"H"),
    ):
        (folder / name).write_bytes(content)
    assert [(one.name, one.placed, one.released) for one in campus.holds.load(NOON)] == [("1_added.dat", 1, 0), ("2_released.dat", 0, 1)]
    names = sorted(path.name for path in folder.iterdir())
    assert names == [".3_added.dat.part", "0_added.dat.refused", "1_added.dat.loaded", "2_released.dat.loaded"]
    assert len(campus.refusals) == 1 and campus.holds.load(NOON) == []
    report = campus.holds.report_indicators(NOON)
    assert (tmp_path / HOLDS_OUT / report.name).read_bytes() == report.content
