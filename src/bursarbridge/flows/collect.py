"""Collect: facts in. Look, fetch, keep the exact bytes, read, decide, write in one transaction; only then clear."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict
from zoneinfo import ZoneInfo

from bursarbridge.errors import TryLater, Unreadable
from bursarbridge.flows.doorkeeping import turn_away
from bursarbridge.flows.guarding import FileGuard
from bursarbridge.flows.reading import Reading, Records
from bursarbridge.flows.run import Run
from bursarbridge.ledger.facts import Fact
from bursarbridge.ledger.guards import Trip, holding
from bursarbridge.ports import Endpoint, Waiting
from bursarbridge.store import alarms, deliveries, guarded, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.deliveries import Arrived
from bursarbridge.store.tally import Tally

SKEW_SECONDS = 120
"""By so much a partner's clock may differ from ours."""


@dataclass(frozen=True)
class Channel:
    """A place where files of one kind arrive, and what is done with them."""

    name: str
    endpoint: Endpoint
    patterns: tuple[str, ...]
    excluded: tuple[str, ...]
    settle_seconds: float
    as_of: re.Pattern[str] | None
    zone: ZoneInfo
    records: Callable[[Path], Records]
    """Opens a kept file: its records, streamed."""
    post: Callable[[Reading, Iterator[Fact]], None]
    """Posts the facts of one delivery."""
    statements: bool = False
    """Each file states all that is true at its time, so the same bytes with a later date in their name are news again."""
    prepare: Callable[[Books], int] | None = None
    """What is done before the first file of a run: deciding again what was parked."""
    lane: Callable[[Reading, Callable[[str], Path]], bool] | None = None
    """A shorter way to post a delivery, given where kept bytes are; False when it has done nothing and the whole file is to be read."""
    guard: FileGuard | None = None
    """What stops a file for a person."""
    ending: Callable[[Reading, Callable[[str], Path]], int] | None = None
    """Looks whether a file was cut at a line end, given where kept bytes are, for the guard."""


class Ended(TypedDict):
    """What became of one file."""

    name: str
    sha256: str
    state: str
    """read, repeat, refused, or held for a person."""
    words: str
    """Why it was not read; of one that was, what a guard only tells."""
    tally: dict[str, dict[str, int]]


class Kept(TypedDict):
    """A file that is in the vault."""

    sha256: str
    size: int


def collect(run: Run, channel: Channel) -> list[Ended]:
    """Reads every whole file that waits on a channel, in the order of the source's own time."""
    if channel.prepare is not None:
        run.post(f"{channel.name}: parked", channel.prepare)
    turned_away = turn_away(run, channel.name, channel.endpoint)
    ended = [Ended(name=name, sha256="", state="refused", words=words, tally=Tally().as_json()) for name, words in turned_away]
    if channel.guard is not None:
        ended += _read_approved(run, channel)
    found = run.act(f"{channel.name}: look", partial(_look, run, channel))
    ahead = max((seconds for *_, seconds in found), default=0)
    if ahead > SKEW_SECONDS:
        run.post(f"{channel.name}: clock", partial(alarms.saw_clock, channel=channel.name, ahead_seconds=ahead))
    for name, as_of, dated, _ahead in found:
        kept = run.act(f"{channel.name}: keep {name}", partial(_keep, run, channel, name))
        if kept is None:
            continue
        arrived = Arrived(channel.name, name, kept["sha256"], kept["size"], as_of)
        one = run.post(f"{channel.name}: read {name}", partial(_read, run, channel, arrived, channel.statements and dated))
        run.world.reached("collect.posted")
        _log(run, channel, one)
        if one["state"] in ("read", "repeat"):
            run.act(f"{channel.name}: clear {name}", partial(_clear, channel, name))
            run.world.reached("collect.cleared")
        ended.append(one)
    return ended


def _read_approved(run: Run, channel: Channel) -> list[Ended]:
    """Reads the files that were held and that people have approved, from the vault: whatever lies at the source by now."""
    approved = run.post(f"{channel.name}: approved", partial(guarded.approved_files, channel=channel.name))
    ended = []
    for delivery in approved:
        ended.append(run.post(f"{channel.name}: read approved {delivery}", partial(_read_again, run, channel, delivery)))
        run.world.reached("collect.posted")
    return ended


def _log(run: Run, channel: Channel, one: Ended) -> None:
    """What became of a file, without its name: that is the partner's, and may name a person."""
    read, aside = (one["tally"].get(end, {"count": 0, "cents": 0}) for end in ("read", "suspended"))
    event = {"read": "delivery_read", "repeat": "delivery_repeated"}.get(one["state"], "delivery_refused")
    counts = {"records": read["count"], "cents": read["cents"], "suspended": aside["count"]}
    run.log(event, channel=channel.name, sha256=one["sha256"][:12], **counts)


def _clear(channel: Channel, name: str) -> bool:
    """Takes the read file away; where another one has taken its name since, that one stays and the next run reads it."""
    try:
        channel.endpoint.clear(name)
    except TryLater:
        if name not in {one.name for one in channel.endpoint.waiting(channel.patterns)}:
            raise
        return False
    return True


def _look(run: Run, channel: Channel) -> list[tuple[str, str, bool, int]]:
    """The files that stand still: the same size and time twice, with a pause between (reliability.md T03)."""
    first = {one.name: one for one in _waiting(channel)}
    if not first:
        return []
    run.world.wait(channel.settle_seconds)
    still = [one for one in _waiting(channel) if first.get(one.name) == one]
    return sorted(((one.name, *time_of(channel, one), _seconds_ahead(run, one)) for one in still), key=lambda found: (found[1], found[0]))


def _seconds_ahead(run: Run, waiting: Waiting) -> int:
    """By how much a file is dated after our clock; 0 when it is not, or nothing is compared (reliability.md T12)."""
    return max(0, int((waiting.modified_at - run.world.clock()).total_seconds())) if run.world.clock else 0


def _waiting(channel: Channel) -> list[Waiting]:
    excluded = {one.name for one in channel.endpoint.waiting(channel.excluded)} if channel.excluded else set()
    return [one for one in channel.endpoint.waiting(channel.patterns) if one.name not in excluded]


def time_of(channel: Channel, waiting: Waiting) -> tuple[str, bool]:
    """The source's own time of a file, as YYYYMMDDHHMMSS that sorts, and whether its name tells it; else it is when it was written."""
    if channel.as_of is not None and (match := channel.as_of.search(waiting.name)):
        digits = "".join(group for group in (match.groups() or (match.group(),)) if group)
        return digits.ljust(14, "0")[:14], True
    return waiting.modified_at.astimezone(channel.zone).strftime("%Y%m%d%H%M%S"), False


def _keep(run: Run, channel: Channel, name: str) -> Kept | None:
    """The file's exact bytes in the vault; None when it grew under our hands (the next run takes it), or another run took it."""
    run.world.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.world.scratch) as folder:
        target = Path(folder) / "fetched"
        try:
            waiting = channel.endpoint.fetch(name, target)
        except TryLater:
            channel.endpoint.waiting(channel.patterns)  # a place that cannot be reached is no answer
            return None
        run.world.reached("collect.fetched")
        sha256 = run.world.vault.adopt(target)
    run.world.reached("collect.kept")
    return Kept(sha256=sha256, size=waiting.size)


def _read(run: Run, channel: Channel, arrived: Arrived, restates: bool, books: Books) -> Ended:
    """One delivery into the ledger, whole or not at all. The same bytes again, under any name, have no second effect."""
    known = deliveries.known(books, arrived, restates=restates)
    if known is not None:
        deliveries.record_arrival(books, known.id, arrived.name)
        waits = known.state == "refused" and guarded.of_file(books, known.id) is not None
        state = "held" if waits else "repeat" if known.state == "read" else "refused"
        return Ended(name=arrived.name, sha256=arrived.sha256, state=state, words=known.words, tally=_repeated(known.tally))
    delivery = deliveries.record(books, arrived)
    deliveries.record_arrival(books, delivery, arrived.name)
    return _post(run, channel, arrived, delivery, books)


def _read_again(run: Run, channel: Channel, delivery: int, books: Books) -> Ended:
    return _post(run, channel, deliveries.readmit(books, delivery), delivery, books)


def _post(run: Run, channel: Channel, arrived: Arrived, delivery: int, books: Books) -> Ended:
    """Posts a delivery, unless it cannot be read or its guard holds it: then nothing of it stays."""
    savepoint = books.connection.begin_nested()
    reading = Reading(books, channel.name, delivery, books.cause("delivery", delivery=delivery, words=arrived.name), arrived)
    if channel.ending is not None:
        reading.cut_off = channel.ending(reading, run.world.vault.path)
    try:
        if channel.lane is None or not channel.lane(reading, run.world.vault.path):
            channel.post(reading, reading.facts(channel.records(run.world.vault.path(arrived.sha256))))
        reading.put_rejected()
    except Unreadable as error:
        savepoint.rollback()
        asked = channel.guard.asks(reading, error) if channel.guard is not None else ()
        return _hold(channel.guard, reading, asked) if channel.guard is not None and asked else _refuse(books, channel, delivery, arrived, error)
    trips = channel.guard.judge(reading) if channel.guard is not None else ()
    if channel.guard is not None and holding(trips):
        savepoint.rollback()
        return _hold(channel.guard, reading, trips)
    savepoint.commit()
    deliveries.finish(books, delivery, reading.tally, reading.words)
    run.world.reached("collect.posting")
    words = "; ".join([reading.words] * bool(reading.words) + [one.words for one in trips])
    return Ended(name=arrived.name, sha256=arrived.sha256, state="read", words=words, tally=reading.tally.as_json())


def _hold(guard: FileGuard, reading: Reading, trips: tuple[Trip, ...]) -> Ended:
    """The whole file waits for a person: it stays where it lies, and its bytes are kept."""
    words, arrived = guard.hold(reading, trips), reading.arrived
    deliveries.refuse(reading.books, reading.delivery, words)
    return Ended(name=arrived.name, sha256=arrived.sha256, state="held", words=words, tally=Tally().as_json())


def _refuse(books: Books, channel: Channel, delivery: int, arrived: Arrived, error: Unreadable) -> Ended:
    """The whole file is set aside: it stays where it lies, its bytes are kept, and a person is told what is wrong with it."""
    if (waiting := guarded.of_file(books, delivery)) is not None:
        guarded.supersede(books, waiting.id)  # approved, and now it cannot be read at all
    words = f"{arrived.name}: {error}; nothing of it was posted"
    deliveries.refuse(books, delivery, words)
    item = suspense.Item(f"file:{channel.name}:{arrived.sha256}", f"file_{error.code}", words, reference=arrived.name, delivery=delivery)
    suspense.put(books, channel.name, [item])
    return Ended(name=arrived.name, sha256=arrived.sha256, state="refused", words=words, tally=Tally().as_json())


def _repeated(tally: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The tally of bytes seen before: every record is already known."""
    again = Tally()
    again.already.add(tally.get("read", {}).get("count", 0), tally.get("read", {}).get("cents", 0))
    return again.as_json()
