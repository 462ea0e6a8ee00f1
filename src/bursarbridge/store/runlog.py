"""What a run read and what left by it, in a form that is kept outside of the ledger: the first evidence after a restore."""

from __future__ import annotations

import json
from typing import NamedTuple

from bursarbridge.store.books import Books


class LoggedDelivery(NamedTuple):
    """A file that a run read."""

    channel: str
    name: str
    sha256: str
    size: int
    as_of: str
    arrived_at: str


class LoggedBatch(NamedTuple):
    """A document that a run made or that left by it; texts are "" for what had not happened."""

    id: int
    destination: str
    flow: str
    kind: str
    state: str
    document: str
    sha256: str
    sealed_at: str
    sent_at: str
    proof: str


class LoggedMail(NamedTuple):
    """A mail that a run wrote or handed over."""

    mail_key: str
    report: str
    recipient: str
    sender: str
    subject: str
    message_id: str
    sha256: str
    size: int
    state: str
    tries: int
    next_at: str
    created_at: str
    sent_at: str


class Log(NamedTuple):
    """One run, as it is kept outside of the ledger."""

    run: int
    name: str
    flow: str
    deliveries: tuple[LoggedDelivery, ...]
    batches: tuple[LoggedBatch, ...]
    mails: tuple[LoggedMail, ...]

    def as_text(self) -> str:
        """The form in which it is kept."""
        return json.dumps(self)


def log_of(books: Books, name: str) -> Log | None:
    """What the run of that name did with files and mails; None when it did nothing with them."""
    found = books.rows("select id, flow, started_at from run where name = :name", name=name)
    if not found:
        return None
    run, flow, at = int(found[0][0]), str(found[0][1]), str(found[0][2])
    deliveries = books.rows(
        "select channel, name, sha256, size, as_of, arrived_at from delivery where run_id = :r and state = 'read' order by id", r=run
    )
    batches = books.rows(
        "select id, destination, flow, kind, state, document, sha256, coalesce(sealed_at, ''), coalesce(sent_at, ''), proof from batch "
        "where document is not null and sha256 is not null and (run_id = :r or sealed_at = :at or uploaded_at = :at or sent_at = :at) order by id",
        r=run,
        at=at,
    )
    mails = books.rows(f"select {', '.join(LoggedMail._fields[:-1])}, coalesce(sent_at, '') from mail where run_id = :r order by id", r=run)
    if not (deliveries or batches or mails):
        return None
    return Log(run, name, flow, *_typed(deliveries, batches, mails))


def log_in(text: str) -> Log:
    """A log as it was kept. Raises ValueError or TypeError for a text that is none."""
    run, name, flow, deliveries, batches, mails = json.loads(text)
    return Log(int(run), str(name), str(flow), *_typed(deliveries, batches, mails))


def _typed(
    deliveries: list[tuple[object, ...]], batches: list[tuple[object, ...]], mails: list[tuple[object, ...]]
) -> tuple[tuple[LoggedDelivery, ...], tuple[LoggedBatch, ...], tuple[LoggedMail, ...]]:
    return tuple(map(LoggedDelivery._make, deliveries)), tuple(map(LoggedBatch._make, batches)), tuple(map(LoggedMail._make, mails))
