"""Announced exports: JOB_END of the library's bursar export brings the totals that the file must match (alma.md 4.4, reliability.md F1).

The library counts its fees as handed over when the job runs, so a job without a file is money nobody bills.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.flows.desk import ago
from bursarbridge.flows.run import Run, utc_text
from bursarbridge.ports.calls import Notice
from bursarbridge.store import announced, inbox, suspense
from bursarbridge.store.announced import Came
from bursarbridge.store.books import Books
from bursarbridge.store.inbox import Waiting


class Counted(NamedTuple):
    """How many fees and users a file holds; -1 users when some of its fees name none."""

    fees: int
    users: int


@dataclass(frozen=True)
class Announced:
    """Which jobs announce which files."""

    source: str
    channel: str
    """Where the files arrive."""
    job: re.Pattern[str]
    """Found in the name of the export's job; every other job of the institution is passed over."""
    file_within: timedelta
    """How long after its job a file may come, and after its file a job's call."""
    count: Callable[[Path], Counted]
    read: Callable[[bytes], Notice]


def compare(run: Run, given: Announced) -> int:
    """Holds every announced job against its file and every file against its job; returns how many differ or are missing."""
    wrong = 0
    waiting = run.post("announced", lambda books: [list(one) for one in announced.jobs_waiting(books, given.source)])
    for one in (Waiting._make(row) for row in waiting):
        notice = _notice(given, one)
        if notice is None or not given.job.search(notice.job_name):
            run.post(f"job {one.id} ends", partial(inbox.end, number=one.id, state="ignored", words="another job than the bursar export"))
            continue
        wrong += _job(run, given, one, notice)
    return wrong + run.post("unannounced", partial(_unannounced, given, ago(run, given.file_within)))


def _notice(given: Announced, one: Waiting) -> Notice | None:
    try:
        return given.read(one.body.encode())
    except Unreadable:
        return None


def _job(run: Run, given: Announced, one: Waiting, notice: Notice) -> bool:
    """One job of the export; True when a person has to look."""
    found = run.post(f"file of job {one.id}", lambda books: [list(each) for each in announced.files_of(books, given.channel, notice.job)])
    came = Came._make(found[0]) if found else None
    counted = None
    if came is not None and came.state == "read":
        counted = Counted._make(run.act(f"count {came.name}", lambda: list(given.count(run.world.vault.path(came.sha256)))))
    overdue = _ended_at(notice, one) < ago(run, given.file_within)
    return run.post(f"compare job {one.id}", partial(_compared, given, one, notice, came, counted, overdue))


def _compared(given: Announced, one: Waiting, notice: Notice, came: Came | None, counted: Counted | None, overdue: bool, books: Books) -> bool:
    failed = notice.job_state and "SUCCESS" not in notice.job_state.upper()
    missing = f"job_without_file:{given.source}:{notice.job}"
    if came is None and failed:
        return _alarm(given, one, f"job_failed:{given.source}:{notice.job}", "job_failed", f"{_named(notice)} ended with {notice.job_state}", books)
    if came is None and notice.fees == 0:
        return not inbox.end(books, one.id, "done", "the job exported no fee, so no file is expected")
    if came is None:
        if overdue:
            words = (
                f"{_named(notice)} exported {_fees(notice)}, and no file of it has come: the library counts them as handed over, nobody bills them"
            )
            suspense.put_undecided(books, given.channel, [suspense.Item(missing, "job_without_file", words, reference=notice.job)])
        inbox.end(books, one.id, "waiting", "its file has not come yet")
        return overdue
    suspense.close(books, missing, "over", note=f"{came.name} has come")
    if counted is None:
        inbox.end(books, one.id, "done", f"its file {came.name} was set aside")
        return True
    differing = _differing(notice, counted)
    if differing:
        words = f"{came.name}: {differing}; part of an export may be missing: have the library compare the job's report with the file"
        return _alarm(given, one, f"job_totals:{given.source}:{notice.job}", "job_totals", words, books)
    inbox.end(books, one.id, "done", f"{came.name} holds what the job counted: {_fees(notice)}")
    return False


def _alarm(given: Announced, one: Waiting, key: str, code: str, words: str, books: Books) -> bool:
    suspense.put_undecided(books, given.channel, [suspense.Item(key, code, words, reference=key.rpartition(":")[2])])
    inbox.end(books, one.id, "done", words)
    return True


def _differing(notice: Notice, counted: Counted) -> str:
    parts = []
    if notice.fees >= 0 and notice.fees != counted.fees:
        parts.append(f"the job counted {notice.fees} fees and the file holds {counted.fees}")
    if notice.users >= 0 and counted.users >= 0 and notice.users != counted.users:
        parts.append(f"the job counted {notice.users} users and the file holds {counted.users}")
    return ", and ".join(parts)


def _unannounced(given: Announced, before: str, books: Books) -> int:
    """Files that came since calls are heard, long enough ago, and that no job has announced."""
    told = inbox.jobs_told(books, given.source)
    asked = []  # in one go: the list grows by a file a day
    for came in announced.files_since(books, given.channel, announced.heard_since(books, given.source), before):
        key = f"job_file_unannounced:{given.channel}:{came.sha256}"
        if told.isdisjoint(announced.parts_of(came.name)):
            words = f"{came.name} came, and no call announced its job: is the webhook still active in the library's system, and whose file is it?"
            asked.append(suspense.Item(key, "job_file_unannounced", words, reference=came.name))
        else:
            suspense.close(books, key, "over", note="its job was announced")
    return len(suspense.put_undecided(books, given.channel, asked))


def _ended_at(notice: Notice, one: Waiting) -> str:
    """When the job ended, UTC text; when the call came, where that cannot be read."""
    for text in (notice.job_ended_at, notice.at):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            continue
        return min(utc_text(at if at.tzinfo else at.replace(tzinfo=UTC)), one.received_at)
    return one.received_at


def _named(notice: Notice) -> str:
    return f"the library's job {notice.job} ({notice.job_name})"


def _fees(notice: Notice) -> str:
    return f"{notice.fees} fees" if notice.fees >= 0 else "an unknown number of fees"


def counted(accounts: Iterable[str]) -> Counted:
    """Fees and users, by the person each fee of a file names ("" for none)."""
    fees, people = 0, set()
    for account in accounts:
        fees += 1
        people.add(account)
    return Counted(fees, -1 if "" in people else len(people))
