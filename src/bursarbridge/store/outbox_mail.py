"""Mail on its way out: durable before anything is said to a relay, one row for each recipient, its bytes in the vault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bursarbridge.store.books import Books
from bursarbridge.store.epochs import NOTHING_LEAVES


class Letter(NamedTuple):
    """A composed mail for one recipient. The same `key` is queued once."""

    key: str
    report: str
    recipient: str
    sender: str
    subject: str
    message_id: str
    sha256: str
    """Its whole bytes in the vault."""
    size: int


class Due(NamedTuple):
    """A mail whose next try has come."""

    id: int
    recipient: str
    sender: str
    sha256: str
    tries: int
    created_at: str


class MailView(NamedTuple):
    """A mail as people look at it."""

    id: int
    report: str
    recipient: str
    subject: str
    state: str
    tries: int
    next_at: str
    last_error: str
    created_at: str
    sent_at: str
    message_id: str


def queue(books: Books, letters: Sequence[Letter]) -> list[str]:
    """Writes down the mails that are not there yet; returns their keys."""
    new = []
    for letter in letters:
        put = books.do(
            "insert into mail (mail_key, report, recipient, sender, subject, message_id, sha256, size, state, next_at, created_at, run_id) "
            "values (:key, :report, :recipient, :sender, :subject, :message_id, :sha256, :size, 'queued', :at, :at, :run) "
            "on conflict (mail_key) do nothing",
            **letter._asdict(),
            at=books.now,
            run=books.run,
        )
        new += [letter.key] if put else []
    return new


def due(books: Books) -> list[Due]:
    """What is to be tried now, oldest first."""
    found = books.rows(
        "select id, recipient, sender, sha256, tries, created_at from mail "
        f"where state = 'queued' and next_at <= :now and {NOTHING_LEAVES} order by id",
        now=books.now,
    )
    return [Due._make(row) for row in found]


def any_due(books: Books) -> bool:
    """Whether there is something to try now, or a try that a killed process left."""
    return bool(books.one("select exists (select 1 from mail where state = 'sending' or (state = 'queued' and next_at <= :now))", now=books.now))


def claim(books: Books, number: int) -> bool:
    """Marks a mail as being handed over by this run; False when it is not waiting any more."""
    sql = "update mail set state = 'sending', tries = tries + 1, run_id = :run where id = :id and state = 'queued'"
    return books.do(sql, id=number, run=books.run) == 1


def settle(books: Books, number: int, state: str, words: str, next_at: str) -> bool:
    """Writes down what came of a try."""
    sql = "update mail set state = :state, last_error = :words, next_at = :next, sent_at = :sent where id = :id and state = 'sending'"
    return (
        books.do(sql, id=number, state=state, words="" if state == "sent" else words, next=next_at, sent=books.now if state == "sent" else None) == 1
    )


def postpone(books: Books, words: str, next_at: str) -> int:
    """Moves everything that is due to a later try: the relay is not there, so there is no use in asking for each."""
    sql = "update mail set last_error = :words, next_at = :next where state = 'queued' and next_at <= :now"
    return books.do(sql, words=words, next=next_at, now=books.now)


def leave_in_doubt(books: Books, words: str) -> int:
    """Marks the tries that another run began and never ended: nobody knows what became of them, and nobody sends them again blindly."""
    sql = "update mail set state = 'in_doubt', last_error = :words where state = 'sending' and run_id <> :run"
    return books.do(sql, words=words, run=books.run)


def waiting(books: Books) -> list[MailView]:
    """Mails that did not arrive or may not have, oldest first; not those after which the same report reached the same reader."""
    found = books.rows(
        "select id, report, recipient, subject, state, tries, next_at, last_error, created_at, coalesce(sent_at, ''), message_id from mail m "
        "where state <> 'sent' and not exists (select 1 from mail later where later.report = m.report and later.recipient = m.recipient "
        "and later.state = 'sent' and later.id > m.id) order by id"
    )
    return [MailView._make(row) for row in found]
