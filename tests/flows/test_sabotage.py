"""H02: what people get wrong about a list or its settings moves no hold by itself: it is refused, or waits for people, or changes nothing.

Each mistake of tests/sabotage.py is made on a campus with some hundred holds, whose first list with the right settings came six nights ago.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from bursarbridge.config.faults import SettingsError
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.folders import PARKING_OUT, drop
from bursarbridge.sandbox.tickets import ParkingUser, UserType
from tests.garage import Garage
from tests.sabotage import AGREED, COURTESY, TABLE, List, Sabotage

PAGE = Path(__file__).parents[2] / "docs" / "guards.md"
PEOPLE = 320
NIGHTS = 6
UNGUARDED = '\n[guards.parking-holds]\nsettings = { action = "off" }\n'

Told = set[tuple[str, str, int]]
"""Verb, person and cents of what left."""


class Base(NamedTuple):
    """A campus as it stands before tonight, and its two next lists."""

    folder: Path
    now: datetime
    tonight: List
    tomorrow: List
    right: Told
    """All that may leave: what the lists say with the right settings, tonight's read or missed."""


class Outcome(NamedTuple):
    """What a mistake led to."""

    told: Told
    catches: tuple[str, ...]


@pytest.fixture(scope="module", params=["with the guard of new settings", "without it"])
def base(request: pytest.FixtureRequest) -> Iterator[tuple[Base, str]]:
    """The campus before tonight; beyond the defaults once without the guard that looks at new settings."""
    text = AGREED if "without" not in request.param else AGREED + UNGUARDED
    with _folder() as folder:
        yield _lived(folder, text), text


def test_h02_sabotaged_mappings_place_and_release_nobody_unguarded(base: tuple[Base, str]) -> None:
    campus, text = base
    found = {one.words: _outcome(campus, one, text) for one in TABLE}
    wrong = {words: sorted(outcome.told - campus.right)[:5] for words, outcome in found.items() if outcome.told - campus.right}
    if text == AGREED:
        assert len(TABLE) >= 50 and wrong == {}
        assert _page() == [_row(words, outcome) for words, outcome in found.items()], "\n".join(_row(*one) for one in found.items())
    else:
        assert sorted(wrong) == sorted(SMALL), "\n".join(f"{words}: {len(more)} {found[words].catches} {more[:4]}" for words, more in wrong.items())


SMALL = ("the user types are dropped", "what is disputed is to count")
"""Mistakes that only the guard of new settings can tell from a busy night: few enough for every other limit."""


def _outcome(base: Base, one: Sabotage, text: str) -> Outcome:
    """Two nights after the mistake: the settings stay wrong, a wrong file is followed by a right one."""
    with _folder() as folder:
        shutil.copytree(base.folder, folder, dirs_exist_ok=True)
        garage = Garage(folder, one.settings(text) if one.settings else text)
        garage.now = base.now
        since = _last_run(garage)
        try:
            tonight = one.file(base.tonight) if one.file else base.tonight
            catches = [*_night(garage, tonight), *_night(garage, base.tomorrow)]
            return Outcome(_told(garage, since), tuple(dict.fromkeys(catches)))
        except SettingsError as error:
            return Outcome(set(), tuple(dict.fromkeys(f"settings refused, {fault.code}" for fault in error.faults)))
        finally:
            garage.close()


def _night(garage: Garage, arrived: List | None) -> list[str]:
    """A run on a list, or without any; what stopped it, in words."""
    garage.later(hours=24)
    if arrived is not None:
        drop(garage.folder / PARKING_OUT, Sent(arrived.name, arrived.content), garage.now)
    garage.later(minutes=30)
    ran = garage.run()
    assert ran is not None
    held = [f"{one.kind} held, {', '.join(dict.fromkeys(trip.code for trip in one.trips))}" for one in garage.held()]
    with garage.books() as books:
        asked = books.rows("select code from suspense where resolved_at is null and opened_at = :now group by code order by code", now=books.now)
    return [*held, *(_asked(str(row[0])) for row in asked)]


def _asked(code: str) -> str:
    return f"file refused, {code.removeprefix('file_')}" if code.startswith("file_") else f"rows wait, {code}"


def _told(garage: Garage, since: int) -> Told:
    sql = "select l.verb, h.account, l.cents from hold_line l join hold h on h.id = l.hold_id where l.sealed_run > :since"
    with garage.books() as books:
        return {(str(verb), str(account), int(cents)) for verb, account, cents in books.rows(sql, since=since)}


def _last_run(garage: Garage) -> int:
    with garage.books() as books:
        return int(books.one("select max(id) from run"))


def _row(words: str, outcome: Outcome) -> str:
    return f"| {words} | {'; '.join(outcome.catches) or 'nothing: the outcome is the right one'} |"


def _page() -> list[str]:
    rows = PAGE.read_text("utf-8").partition("| mistake | what stopped it |\n|---|---|\n")[2].splitlines()
    return rows[: rows.index("")] if "" in rows else rows


# ---- the campus


def _lived(folder: Path, text: str) -> Base:
    garage = Garage(folder, text)
    garage.parking.trailer = True
    _first_day(garage)
    for night in range(NIGHTS):
        _some_things_happen(garage, night)
        garage.jobs.export_violations(garage.now)
        garage.later(minutes=30)
        garage.run()
        if garage.approve_all():
            garage.later(minutes=5)
            garage.run()
        garage.jobs.load(garage.now)
        garage.later(hours=1)
        garage.jobs.report_indicators(garage.now)
        garage.later(hours=22, minutes=25 if night else 20)
    assert not garage.held() and len(garage.at_bursar()) > 250
    now = garage.now
    lists = []
    for night in (NIGHTS, NIGHTS + 1):
        garage.later(hours=24)
        _some_things_happen(garage, night)
        sent = garage.parking.full_list(garage.now)
        lists.append(List(sent.name, sent.content))
    garage.close()
    whole, missed = (_right(folder, text, now, lists, skip=skip) for skip in (False, True))
    assert len(whole) >= 12, "something happens on an ordinary night"
    return Base(folder, now, lists[0], lists[1], whole | missed)


def _right(folder: Path, text: str, now: datetime, lists: list[List], *, skip: bool) -> Told:
    with _folder() as twin:
        shutil.copytree(folder, twin, dirs_exist_ok=True)
        garage = Garage(twin, text)
        garage.now = now
        since = _last_run(garage)
        try:
            for one in [None, *lists[1:]] if skip else lists:
                caught = [words for words in _night(garage, one) if "held" in words or "refused" in words]
                assert caught == [], f"an ordinary night is stopped: {caught}"
            return _told(garage, since)
        finally:
            garage.close()


def _first_day(garage: Garage) -> None:
    for number in range(PEOPLE):
        person = ParkingUser(f"00{12_000 + number}", f"Person {number}", _type(number))
        garage.people[person.user_id] = person.name
        kind = COURTESY if number % 16 == 3 else "Meter" if number % 5 == 0 else "No permit"
        cents = 1000 if number % 16 == 7 else (4000, 4000, 2500, 12_000)[number % 4]
        ticket = garage.parking.issue(person, kind, cents, garage.now - timedelta(days=10 + number % 3))
        if number % 16 == 11:
            garage.parking.issue(person, "Fire lane", 7500, garage.now - timedelta(days=9))
        if number % 16 == 13:
            garage.parking.appeal(ticket.number)


def _some_things_happen(garage: Garage, night: int) -> None:
    """An ordinary day: three pay, two pay a part, four new violations, one appeal, and some fines that are still in grace."""
    tickets = list(garage.parking.tickets.values())
    for number in range(night * 5, night * 5 + 5):
        one = tickets[40 + number]
        if one.due_cents > 100:
            garage.parking.pay(one.number, one.owed_cents if number % 5 < 3 else 100)
    for number in range(4):
        person = tickets[night * 7 + number].user
        garage.parking.issue(person, "No permit", 3300, garage.now - timedelta(days=5))
    for number in range(6):
        fresh = ParkingUser(f"00{13_000 + night * 10 + number}", "Somebody new", UserType.STUDENT)
        garage.people[fresh.user_id] = fresh.name
        garage.parking.issue(fresh, "No permit", 3300, garage.now.replace(hour=0))


def _type(number: int) -> UserType:
    return UserType.VISITOR if number % 40 == 1 else UserType.STAFF if number % 9 == 0 else UserType.STUDENT


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)
