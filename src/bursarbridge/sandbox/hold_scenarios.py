"""What two offices agree to try before holds go live, as one script of ten days: what parking does, and what must stand in PeopleSoft then.

The same table is played on the emulated campus with a bridge, and read against the lists that a real test account returned (mission.md A7).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.cents import dollars
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.folders import HOLDS_IN, PARKING_OUT, drop
from bursarbridge.sandbox.hold_files import HoldLine, Standing, hold_file, snapshot_rows
from bursarbridge.sandbox.indicators import HoldCode, ServiceIndicators
from bursarbridge.sandbox.parking import Parking
from bursarbridge.sandbox.parking_files import violations_csv
from bursarbridge.sandbox.tickets import ParkingUser

OTHER = HoldCode("OTH", "OTHER", "Another department's hold", "ENVER", "no enrollment verification", "OTHER")
CROWD = 60
"""People who get a first violation on one night: more than any guard lets through unasked (reliability.md H02)."""


class Cast(NamedTuple):
    """Who plays, by ids that the campus's settings accept, and the campus's own code for a parking hold."""

    institution: str
    hold: HoldCode
    ann: str
    bob: str
    cal: str
    crowd: tuple[str, ...] = ()
    """CROWD more, for the emulated campus alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One night: parking acts, the bridge runs, PeopleSoft loads; then exactly these parking holds stand, and nobody else's moved."""

    name: str
    words: str
    act: Callable[[Campus, Cast, datetime], None]
    owed: Mapping[str, int]
    """Role in the cast -> cents."""
    stops: bool = False
    """Whether the bridge has to stop for a person. Such a night sends nothing, so a real account has nothing to load."""
    exports: bool = True
    """Whether parking's nightly list is written as usual."""


class Verdict(NamedTuple):
    """What came of one step."""

    name: str
    passed: bool
    words: str
    """What was agreed, or what is wrong."""


def steps() -> tuple[Step, ...]:
    """The agreed script, in order; each begins where the one before it ended."""
    first = {"ann": 45_00, "bob": 30_00, "cal": 60_00}
    more = {**first, "ann": 120_00}
    less = {**more, "cal": 40_00}
    without_ann = {"bob": 30_00, "cal": 40_00}
    return (
        Step("new-balance", "three people owe for the first time: three holds with the total owed", _new, first),
        Step("changed-balance", "a second violation: the amount is the new total", _second, more),
        Step("partial-payment", "a part is paid: the hold stays and the amount goes down", _part, less),
        Step("released", "all of it is paid: the hold is gone", _paid("bob"), {"ann": 120_00, "cal": 40_00}),
        Step("reappearing", "the check bounces: the hold is back", _bounced, less),
        Step("another-department", "all is paid by somebody with another department's hold: only ours is gone", _paid("ann"), without_ann),
        Step("repeated-file", "files arrive again under other names: nothing changes", _again, without_ann),
        Step("damaged-file", "a file is cut off on its way: nothing of it is taken", _damaged, without_ann),
        Step("empty-file", "parking's list is empty: nobody is released, a person is asked", _empty, without_ann, stops=True, exports=False),
        Step("over-the-limit", "sixty first violations in one night: nothing leaves, a person is asked", _crowd, without_ann, stops=True),
    )


def set_up(campus: Campus, cast: Cast, now: datetime) -> None:
    """Gives a campus the parking office, the indicators and the people of the script; Ann and Bob have another department's hold."""
    for emplid in (cast.ann, cast.bob, cast.cal, *cast.crowd):
        campus.peoplesoft.enroll(emplid, f"Example, {emplid}")
    campus.parking = Parking()
    campus.indicators = ServiceIndicators(cast.institution, campus.peoplesoft.accounts, (cast.hold, OTHER))
    campus.holds.prepare()
    for emplid in (cast.ann, cast.bob):
        campus.indicators.place(emplid, OTHER.code, OTHER.reason, now, "OTHEROFFICE")


def play(campus: Campus, cast: Cast, bridge: Callable[[datetime], bool], start: datetime) -> Iterator[Verdict]:
    """Plays the script, a night a step, on a campus that is set up. `bridge` runs the hold flow and says whether it stopped for a person."""
    before = _snapshot(campus, start)
    for number, step in enumerate(steps()):
        now = start + timedelta(days=number)
        step.act(campus, cast, now)
        if step.exports:
            campus.holds.export_violations(now)
        stopped = bridge(now + timedelta(minutes=30))
        campus.holds.load(now + timedelta(hours=1))
        words = wrong(step, cast, before, _snapshot(campus, now + timedelta(hours=1)))
        if not words and stopped != step.stops:
            words = "the bridge did not stop for a person" if step.stops else "the bridge stopped for a person"
        yield Verdict(step.name, not words, words or step.words)


def returned(cast: Cast, lists: Mapping[str, bytes]) -> Iterator[Verdict]:
    """Reads the lists a test account returned, by the names of `list_name`, against the script. Raises FileRefused for an unreadable one."""
    before = snapshot_rows(lists[list_name(0)]) if list_name(0) in lists else None
    for number, step in enumerate(steps(), 1):
        if step.stops:
            continue
        name = list_name(number)
        if name not in lists or before is None:
            yield Verdict(step.name, False, f"{name if before else list_name(0)} is not there")
            continue
        words = wrong(step, cast, before, snapshot_rows(lists[name]))
        yield Verdict(step.name, not words, words or step.words)


def list_name(number: int) -> str:
    """What the list is called that a test account returns after a step; 0 is the one from before the first."""
    return f"{number:02d}_{steps()[number - 1].name if number else 'before'}.csv"


def hold_lines_of(cast: Cast, number: int, made_on: str) -> tuple[list[HoldLine], list[HoldLine]]:
    """What Holds Added and Holds Released say in a step: the difference to the step before. `made_on` is YYYYMMDD."""
    script = steps()
    now, before = script[number - 1].owed, script[number - 2].owed if number > 1 else {}
    added = [_hold(cast, role, cents, made_on) for role, cents in now.items() if before.get(role) != cents]
    return added, [_hold(cast, role, 0, made_on) for role in before if role not in now]


def wrong(step: Step, cast: Cast, before: Sequence[Standing], after: Sequence[Standing]) -> str:
    """What is not as agreed, in words, or ""; `before` is the list from before the first step."""
    hold = (cast.institution, cast.hold.code, cast.hold.reason)
    found = sorted((row.emplid, row.cents) for row in after if row[1:4] == hold)
    agreed = sorted((str(getattr(cast, role)), cents) for role, cents in step.owed.items())
    told = [f"{emplid} should have a hold of {dollars(cents)}" for emplid, cents in agreed if (emplid, cents) not in found]
    told += [f"{emplid} has a hold of {dollars(cents)}" for emplid, cents in found if (emplid, cents) not in agreed]
    if not told and found != agreed:
        told.append("somebody has the same hold twice")
    if _others(before, hold) != _others(after, hold):
        told.append("another department's hold is not what it was")
    return "; ".join(told)


def _others(rows: Sequence[Standing], hold: tuple[str, str, str]) -> list[tuple[str, str, str, str, int]]:
    return sorted(row[:5] for row in rows if row[1:4] != hold)


def _snapshot(campus: Campus, now: datetime) -> list[Standing]:
    return snapshot_rows(campus.holds.report_indicators(now).content)


def _hold(cast: Cast, role: str, cents: int, made_on: str) -> HoldLine:
    emplid = str(getattr(cast, role))
    hold = cast.hold
    return HoldLine(emplid, cast.institution, hold.code, hold.reason, cents, f"SAMPLE-{emplid}", "Parking Office", hold.department, made_on)


def _new(campus: Campus, cast: Cast, now: datetime) -> None:
    for emplid, violation_type, cents in ((cast.ann, "No permit", 45_00), (cast.bob, "Expired meter", 30_00), (cast.cal, "Reserved space", 60_00)):
        campus.holds.parking.issue(ParkingUser(emplid, f"Example, {emplid}"), violation_type, cents, now - timedelta(hours=16))


def _second(campus: Campus, cast: Cast, now: datetime) -> None:
    campus.holds.parking.issue(ParkingUser(cast.ann, f"Example, {cast.ann}"), "Fire lane", 75_00, now - timedelta(hours=16))


def _part(campus: Campus, cast: Cast, _now: datetime) -> None:
    campus.holds.parking.pay(_numbers(campus, cast.cal)[0], 20_00)


def _paid(role: str) -> Callable[[Campus, Cast, datetime], None]:
    def pay(campus: Campus, cast: Cast, _now: datetime) -> None:
        for number in _numbers(campus, str(getattr(cast, role))):
            campus.holds.parking.pay(number, campus.holds.parking.tickets[number].owed_cents)

    return pay


def _bounced(campus: Campus, cast: Cast, _now: datetime) -> None:
    campus.holds.parking.bounce(_numbers(campus, cast.bob)[0], 30_00)


def _again(campus: Campus, cast: Cast, now: datetime) -> None:
    """PeopleSoft gets the file of the reappearing hold a second time; parking's list comes under two names."""
    again = steps_by_name("reappearing")
    drop(campus.root / HOLDS_IN, Sent("00_REPEATED_HOLDS_ADDED.dat", hold_file(hold_lines_of(cast, again, f"{now:%Y%m%d}")[0], now.date())), now)
    sent = campus.holds.parking.full_list(now)
    drop(campus.root / PARKING_OUT, Sent(sent.name.replace(".csv", "_copy.csv"), sent.content), now)


def steps_by_name(name: str) -> int:
    """The number of a step, from 1. Raises ValueError for an unknown one."""
    return [step.name for step in steps()].index(name) + 1


def _damaged(campus: Campus, cast: Cast, now: datetime) -> None:
    content = hold_file(hold_lines_of(cast, 1, f"{now:%Y%m%d}")[0], now.date())
    drop(campus.root / HOLDS_IN, Sent("00_DAMAGED_HOLDS_ADDED.dat", content[: len(content) // 2]), now)


def _empty(campus: Campus, _cast: Cast, now: datetime) -> None:
    drop(campus.root / PARKING_OUT, violations_csv(campus.holds.parking.full_list(now).name, []), now)


def _crowd(campus: Campus, cast: Cast, now: datetime) -> None:
    for emplid in cast.crowd:
        campus.holds.parking.issue(ParkingUser(emplid, f"Example, {emplid}"), "No permit", 45_00, now - timedelta(hours=16))


def _numbers(campus: Campus, emplid: str) -> list[str]:
    return [one.number for one in campus.holds.parking.tickets.values() if one.user.user_id == emplid]
