"""What passes a limit is said with both numbers; what is at it passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.ledger.guards import (
    HOLD,
    OFF,
    STANDARD,
    WARN,
    BatchNumbers,
    FileNumbers,
    Guard,
    History,
    Limits,
    Past,
    Plan,
    Share,
    approvers,
    holding,
    judge_batch,
    judge_file,
    judge_plan,
    may_approve,
)

NOW = "2026-11-17T15:30:00Z"
USUAL = History(tuple(Past(100, 500_000) for _ in range(8)), 600_000)
PLAN = Plan(active=120, to_place=0, to_change=0, to_release=0, cents=0, largest=0)
FILE = FileNumbers(100, 500_000, 0, "2026-11-17T13:00:00Z", whole=True)


def codes(trips: object) -> list[str]:
    assert isinstance(trips, tuple)
    return [one.code for one in trips]


@pytest.mark.parametrize(
    ("active", "released", "limit"),
    [(0, 10, None), (0, 11, 10), (120, 10, None), (120, 14, 10), (1000, 50, None), (1000, 51, 50), (219, 11, 10), (220, 11, None)],
)
def test_h02_releases_over_ten_or_a_twentieth_of_what_stands_are_held(active: int, released: int, limit: int | None) -> None:
    trips = judge_plan(STANDARD, PLAN._replace(active=active, to_release=released), History())
    if limit is None:
        assert trips == ()
        return
    (trip,) = trips
    assert (trip.code, trip.action, trip.approvers) == ("releases", HOLD, 2)
    assert trip.short == f"{released} would be released, limit {limit}"
    assert f"{released} holds would be released; the limit is {limit} (10, or 5 % of {active:,} that stand" in trip.words


@pytest.mark.parametrize(("placed", "changed", "found"), [(25, 0, []), (26, 0, ["placements"]), (0, 30, []), (0, 31, ["changes"]), (0, 0, [])])
def test_h02_placements_and_changes_have_limits_too(placed: int, changed: int, found: list[str]) -> None:
    assert codes(judge_plan(STANDARD, PLAN._replace(to_place=placed, to_change=changed), History())) == found


def test_h02_new_settings_hold_the_first_plan_that_changes_something() -> None:
    known = USUAL._replace(fingerprint="a")
    assert judge_plan(STANDARD, PLAN._replace(fingerprint="b"), known) == ()
    one = PLAN._replace(to_change=1, cents=100, largest=100, fingerprint="b")
    (trip,) = judge_plan(STANDARD, one, known)
    assert trip.code == "settings" and "since the last plan that was carried out" in trip.words
    (first,) = judge_plan(STANDARD, one, History())
    assert "no plan was ever carried out with them" in first.words
    assert judge_plan(STANDARD, one._replace(fingerprint="a"), known) == ()
    assert judge_plan(Limits(settings=Guard(action=OFF)), one, known) == ()


@pytest.mark.parametrize(
    ("rows", "found"),
    [(400, []), (401, ["volume"]), (25, []), (24, ["volume"]), (1, ["volume"])],
)
def test_h03_a_file_outside_a_quarter_to_four_times_the_usual_is_held(rows: int, found: list[str]) -> None:
    trips = judge_file(STANDARD, FILE._replace(rows=rows), USUAL, NOW)
    assert codes(trips) == found and all("usual is 100 records" in one.words for one in trips)


def test_h03_a_total_outside_of_the_band_is_held_though_the_rows_are_as_usual() -> None:
    assert codes(judge_file(STANDARD, FILE._replace(cents=2_000_001), USUAL, NOW)) == ["volume"]
    (trip,) = judge_batch(STANDARD, BatchNumbers(100, 1_800_001), USUAL._replace(peak_cents=600_000))
    assert trip.code == "total" and "limit is $18,000.00, 3 times" in trip.words


def test_h03_few_rows_or_few_earlier_ones_prove_nothing() -> None:
    small = History(tuple(Past(3, 900) for _ in range(8)), 900)
    assert judge_batch(STANDARD, BatchNumbers(24, 90_000), small) == ()
    assert set(codes(judge_batch(STANDARD, BatchNumbers(25, 90_000), small))) == {"total", "volume"}
    assert judge_batch(STANDARD, BatchNumbers(2_000, 90_000), small._replace(recent=small.recent[:3])) == ()


def test_h03_a_small_batch_of_money_is_only_told() -> None:
    trips = judge_batch(STANDARD, BatchNumbers(5, 20_000), USUAL)
    assert trips and holding(trips) == () and {one.action for one in trips} == {WARN}
    assert judge_batch(STANDARD, BatchNumbers(0, 0), USUAL) == ()


def test_h04_a_batch_over_the_limit_needs_two_people() -> None:
    assert judge_batch(STANDARD, BatchNumbers(40, 5_000_000), History()) == ()
    trips = judge_batch(STANDARD, BatchNumbers(40, 5_000_001), History())
    assert codes(trips) == ["total"] and approvers(trips) == 2
    assert trips[0].words == "the total is $50,000.01; the limit is $50,000.00"


def test_h04_a_single_hold_over_the_limit_is_held() -> None:
    plan = PLAN._replace(to_place=1, cents=500_001, largest=500_001)
    assert codes(judge_plan(STANDARD, plan, History())) == ["single"]
    assert judge_plan(STANDARD, plan._replace(cents=500_000, largest=500_000), History()) == ()


def test_h01_an_empty_file_is_no_evidence_until_a_person_says_so() -> None:
    empty = FILE._replace(rows=0, cents=0)
    (trip,) = judge_file(STANDARD, empty, USUAL, NOW)
    assert trip.code == "empty" and "an empty file is no evidence" in trip.words and "100 records" in trip.words
    assert judge_file(STANDARD, empty, History(), NOW) == (), "nothing was ever there to be missing"
    approved = History((Past(0, 0), *USUAL.recent[:7]), 0)
    assert judge_file(STANDARD, empty, approved, NOW) == (), "once approved, another is no news"
    assert judge_file(STANDARD, empty._replace(whole=False), USUAL, NOW) == (), "a list of news may be empty"


def test_a_stale_statement_is_held_and_one_without_a_time_is_not() -> None:
    assert judge_file(STANDARD, FILE._replace(as_of="2026-11-16T13:30:00Z"), USUAL, NOW) == ()
    (trip,) = judge_file(STANDARD, FILE._replace(as_of="2026-11-16T12:30:00Z"), USUAL, NOW)
    assert (trip.code, trip.short) == ("stale", "27 hours old, limit 26 hours")
    assert judge_file(STANDARD, FILE._replace(as_of=""), USUAL, NOW) == ()


@pytest.mark.parametrize(("rows", "rejected", "held"), [(8, 5, False), (8, 6, True), (1000, 20, False), (1000, 21, True)])
def test_d01_more_than_a_few_records_that_cannot_be_read_stop_the_file(rows: int, rejected: int, held: bool) -> None:
    trips = judge_file(STANDARD, FileNumbers(rows, 1, rejected, "", whole=False), History(), NOW)
    assert bool(trips) is held


def test_i11_who_started_it_does_not_approve_it() -> None:
    assert not may_approve(" r.  DIAZ", "R. Diaz")
    assert may_approve("Imre", "R. Diaz") and may_approve("Imre", ""), "the timetable is nobody"


def test_h04_a_plan_is_its_lines_and_its_settings() -> None:
    told = PLAN._replace(to_release=3, content="a", fingerprint="s")
    assert told.same(told._replace(active=7))
    for other in (told._replace(content="b"), told._replace(fingerprint="t"), told._replace(to_release=4)):
        assert not told.same(other)


def test_each_guard_holds_warns_or_is_off() -> None:
    plan = PLAN._replace(to_release=50)
    for action, found in ((HOLD, 1), (WARN, 1), (OFF, 0)):
        trips = judge_plan(Limits(releases=Share(most=10, percent=5, action=action)), plan, History())
        assert len(trips) == found and len(holding(trips)) == (action == HOLD)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 1000), st.integers(1, 100))
def test_a_share_is_passed_exactly_when_both_limits_are(active: int, released: int, most: int, percent: int) -> None:
    trips = judge_plan(Limits(releases=Share(most=most, percent=percent)), PLAN._replace(active=active, to_release=released), History())
    assert bool(trips) == (released > most and released * 100 > percent * active)
