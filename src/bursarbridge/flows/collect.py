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
from bursarbridge.flows.reading import Reading, Records
from bursarbridge.flows.run import Run
from bursarbridge.ledger.facts import Fact
from bursarbridge.ports import Endpoint, Waiting
from bursarbridge.store import deliveries, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.deliveries import Arrived
from bursarbridge.store.tally import Tally


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


class Ended(TypedDict):
    """What became of one file."""

    name: str
    sha256: str
    state: str
    """read, repeat, or refused."""
    words: str
    tally: dict[str, dict[str, int]]


class Kept(TypedDict):
    """A file that is in the vault."""

    sha256: str
    size: int


def collect(run: Run, channel: Channel) -> list[Ended]:
    """Reads every whole file that waits on a channel, in the order of the source's own time."""
    if channel.prepare is not None:
        run.post(f"{channel.name}: parked", channel.prepare)
    found = run.act(f"{channel.name}: look", partial(_look, run, channel))
    ended = []
    for name, as_of, dated in found:
        kept = run.act(f"{channel.name}: keep {name}", partial(_keep, run, channel, name))
        if kept is None:
            continue
        arrived = Arrived(channel.name, name, kept["sha256"], kept["size"], as_of)
        one = run.post(f"{channel.name}: read {name}", partial(_read, run, channel, arrived, channel.statements and dated))
        run.world.reached("collect.posted")
        _log(run, channel, one)
        if one["state"] != "refused":
            run.act(f"{channel.name}: clear {name}", partial(_clear, channel, name))
            run.world.reached("collect.cleared")
        ended.append(one)
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


def _look(run: Run, channel: Channel) -> list[tuple[str, str, bool]]:
    """The files that stand still: the same size and time twice, with a pause between (reliability.md T03)."""
    first = {one.name: one for one in _waiting(channel)}
    if not first:
        return []
    run.world.wait(channel.settle_seconds)
    still = [one for one in _waiting(channel) if first.get(one.name) == one]
    return sorted(((one.name, *_as_of(channel, one)) for one in still), key=lambda found: (found[1], found[0]))


def _waiting(channel: Channel) -> list[Waiting]:
    excluded = {one.name for one in channel.endpoint.waiting(channel.excluded)} if channel.excluded else set()
    return [one for one in channel.endpoint.waiting(channel.patterns) if one.name not in excluded]


def _as_of(channel: Channel, waiting: Waiting) -> tuple[str, bool]:
    """The source's own time of a file, as YYYYMMDDHHMMSS that sorts, and whether its name tells it; else it is when it was written."""
    if channel.as_of is not None and (match := channel.as_of.search(waiting.name)):
        digits = "".join(group for group in (match.groups() or (match.group(),)) if group)
        return digits.ljust(14, "0")[:14], True
    return waiting.modified_at.astimezone(channel.zone).strftime("%Y%m%d%H%M%S"), False


def _keep(run: Run, channel: Channel, name: str) -> Kept | None:
    """The file's exact bytes in the vault; None when it moved or grew under our hands (the next run takes it)."""
    run.world.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.world.scratch) as folder:
        target = Path(folder) / "fetched"
        try:
            waiting = channel.endpoint.fetch(name, target)
        except TryLater:
            if name in {one.name for one in channel.endpoint.waiting(channel.patterns)}:
                return None
            raise
        run.world.reached("collect.fetched")
        sha256 = run.world.vault.adopt(target)
    run.world.reached("collect.kept")
    return Kept(sha256=sha256, size=waiting.size)


def _read(run: Run, channel: Channel, arrived: Arrived, restates: bool, books: Books) -> Ended:
    """One delivery into the ledger, whole or not at all. The same bytes again, under any name, have no second effect."""
    known = deliveries.known(books, arrived, restates=restates)
    if known is not None:
        deliveries.record_arrival(books, known.id, arrived.name)
        state = "repeat" if known.state == "read" else "refused"
        return Ended(name=arrived.name, sha256=arrived.sha256, state=state, words=known.words, tally=_repeated(known.tally))
    delivery = deliveries.record(books, arrived)
    deliveries.record_arrival(books, delivery, arrived.name)
    savepoint = books.connection.begin_nested()
    reading = Reading(books, channel.name, delivery, books.cause("delivery", delivery=delivery, words=arrived.name), arrived)
    try:
        channel.post(reading, reading.facts(channel.records(run.world.vault.path(arrived.sha256))))
        reading.put_rejected()
    except Unreadable as error:
        savepoint.rollback()
        return _refuse(books, channel, delivery, arrived, error)
    savepoint.commit()
    deliveries.finish(books, delivery, reading.tally)
    run.world.reached("collect.posting")
    return Ended(name=arrived.name, sha256=arrived.sha256, state="read", words="", tally=reading.tally.as_json())


def _refuse(books: Books, channel: Channel, delivery: int, arrived: Arrived, error: Unreadable) -> Ended:
    """The whole file is set aside: it stays where it lies, its bytes are kept, and a person is told what is wrong with it."""
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
