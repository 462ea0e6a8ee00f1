"""Jobs that were announced and files that came: which belongs to which."""

from __future__ import annotations

import re
from typing import NamedTuple

from bursarbridge.store.books import Books
from bursarbridge.store.inbox import Waiting


class Came(NamedTuple):
    """A file that arrived on a channel."""

    name: str
    sha256: str
    state: str
    at: str


def jobs_waiting(books: Books, source: str) -> list[Waiting]:
    """The calls about ended jobs that have not been compared with a file yet, oldest first, as many as a run should take."""
    found = books.rows(
        "select id, received_at, state, event, body from webhook "
        "where source = :source and state in ('new', 'waiting') and event = 'JOB_END' order by id limit 1000",
        source=source,
    )
    return [Waiting(int(row[0]), row[1], row[2], row[3], row[4]) for row in found]


def files_of(books: Books, channel: str, job: str) -> list[Came]:
    """The files with a job's number in their name (alma.md 1.2), newest last."""
    like = re.sub(r"([\\%_])", r"\\\1", job)
    found = books.rows(f"{_CAME} and a.name like :like escape '\\' order by a.id", channel=channel, like=f"%{like}%") if job else []
    return [came for row in found if job in parts_of((came := Came._make(row)).name)]


def files_since(books: Books, channel: str, since: str, before: str) -> list[Came]:
    """The files that came first at or after one instant and before another."""
    if not since:
        return []
    found = books.rows(f"{_CAME} and d.arrived_at >= :since and d.arrived_at < :before order by a.id", channel=channel, since=since, before=before)
    return [Came._make(row) for row in found]


def heard_since(books: Books, source: str) -> str:
    """Since when calls of a source are listened to, UTC text; "" when they are not."""
    return str(books.one("select coalesce(min(at), '') from listening where source = :source", source=source))


def listen(books: Books, source: str) -> bool:
    """Notes that calls of a source are listened to from now on; again is no change."""
    books.do("insert into listening (source, at) values (:source, :at) on conflict do nothing", source=source, at=books.now)
    return True


def parts_of(name: str) -> set[str]:
    """What a file's name is made of: the export's is code, job and time."""
    return set(re.split(r"[-_.]", name))


_CAME = "select a.name, d.sha256, d.state, d.arrived_at from arrival a join delivery d on d.id = a.delivery_id where d.channel = :channel"
