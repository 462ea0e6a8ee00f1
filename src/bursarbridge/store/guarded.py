"""What guards held for a person: why, in numbers, who said what about it, and the sizes of what was accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bursarbridge.errors import Refused
from bursarbridge.ledger.guards import COMPARABLE, History, Past, Trip, approvers, may_approve, person_key
from bursarbridge.store import starts
from bursarbridge.store.books import Books

Numbers = Mapping[str, int | str]
"""What was judged, by name: counts and cents."""

_PEAK_DAYS = timedelta(days=90)
_OPEN = "g.state in ('held', 'approved')"


class Vote(NamedTuple):
    """What a person said."""

    actor: str
    verdict: str
    """approve or reject."""
    reason: str
    at: str


class Guarded(NamedTuple):
    """One thing that a guard held."""

    id: int
    flow: str
    kind: str
    """plan, file or batch."""
    state: str
    approvers: int
    """How many different people have to approve."""
    trips: tuple[Trip, ...]
    numbers: Numbers
    opened_at: str
    delivery: int
    """0 for a plan or a batch."""
    file: str
    votes: tuple[Vote, ...]
    start: str = ""
    """How the run was started that made it: by hand, or by the timetable; "" when nobody wrote it down."""
    started_by: str = ""
    """The person who started it by hand."""

    @property
    def missing(self) -> int:
        """How many more people have to approve."""
        return max(0, self.approvers - sum(vote.verdict == "approve" for vote in self.votes))


_SELECT = (
    "select g.id, g.flow, g.kind, g.state, g.approvers, g.trips, g.numbers, g.opened_at, coalesce(g.delivery_id, 0), coalesce(d.name, ''), "
    f"{starts.STARTED} from guarded g join run r on r.id = g.run_id left join run_start s on s.run_name = r.name "
    "left join delivery d on d.id = g.delivery_id "
)


def hold(books: Books, flow: str, kind: str, trips: Sequence[Trip], numbers: Numbers, delivery: int = 0) -> int:
    """Opens one for a person to decide; returns its number."""
    return books.new(
        "insert into guarded (flow, kind, delivery_id, run_id, state, approvers, trips, numbers, opened_at) "
        "values (:flow, :kind, :delivery, :run, 'held', :approvers, :trips, :numbers, :at)",
        flow=flow,
        kind=kind,
        delivery=delivery or None,
        run=books.run,
        approvers=approvers(trips),
        trips=json.dumps([list(one) for one in trips]),
        numbers=json.dumps(dict(numbers)),
        at=books.now,
    )


def open_ones(books: Books) -> list[Guarded]:
    """What waits for a person, and what people approved and no run has carried on yet; oldest first."""
    return [_guarded(books, row) for row in books.rows(f"{_SELECT} where {_OPEN} order by g.id")]


def open_of(books: Books, flow: str, kind: str, delivery: int = 0) -> Guarded | None:
    """The one of a flow that is held or approved: at most one plan, one batch, and one for each file."""
    where = f"where {_OPEN} and g.flow = :flow and g.kind = :kind and coalesce(g.delivery_id, 0) = :delivery"
    found = books.rows(f"{_SELECT} {where}", flow=flow, kind=kind, delivery=delivery)
    return _guarded(books, found[0]) if found else None


def of_file(books: Books, delivery: int) -> Guarded | None:
    """What is held or approved about a file, whichever flow met it."""
    found = books.rows(f"{_SELECT} where {_OPEN} and g.delivery_id = :delivery", delivery=delivery)
    return _guarded(books, found[0]) if found else None


def one(books: Books, number: int) -> Guarded:
    """One by its number. Raises Refused when there is none."""
    found = books.rows(f"{_SELECT} where g.id = :id", id=number)
    if not found:
        raise Refused(f"nothing was held under the number {number}; `bursarbridge held` lists what is")
    return _guarded(books, found[0])


def approved_files(books: Books, channel: str) -> list[int]:
    """The deliveries of a channel that people approved and no run has read yet, in the order of the source's own time."""
    found = books.rows(
        "select d.id from guarded g join delivery d on d.id = g.delivery_id "
        "where g.state = 'approved' and d.channel = :channel order by d.as_of, d.id",
        channel=channel,
    )
    return [int(row[0]) for row in found]


def vote(books: Books, number: int, actor: str, verdict: str, reason: str) -> Guarded:
    """Writes down what a person says; approved when enough different people approve, rejected by one. Raises Refused when it is not lawful."""
    known = one(books, number)
    who = " ".join(actor.split())
    if known.state != "held":
        raise Refused(f"{number} is {known.state} already; `bursarbridge held` lists what waits")
    if not reason.strip() or not who:
        raise Refused("say who decides, and why: a decision about a guard needs a name and a reason")
    key = person_key(who)
    if any(earlier.actor.casefold() == key for earlier in known.votes):
        raise Refused(f"{who} has approved {number} already; {known.missing} more, other than they, must approve it")
    if verdict == "approve" and not may_approve(who, known.started_by):
        others = "1 person" if known.missing == 1 else f"{known.missing} people"
        raise Refused(
            f"{who} started the run that made {number} by hand, and whoever starts a run does not approve what it made: "
            f'{others} other than they must approve it. If that is a program\'s name and you are somebody else, add --by "NAME"'
        )
    books.do(
        "insert into guard_vote (guarded_id, actor_key, actor, verdict, reason, at) values (:id, :key, :actor, :verdict, :reason, :at)",
        id=number,
        key=key,
        actor=who,
        verdict=verdict,
        reason=reason.strip(),
        at=books.now,
    )
    if verdict == "reject":
        _close(books, number, "rejected")
    elif known.missing <= 1:
        books.do("update guarded set state = 'approved' where id = :id", id=number)
    return one(books, number)


def carried(books: Books, number: int) -> None:
    """What people approved was carried out."""
    _close(books, number, "carried")


def supersede(books: Books, number: int) -> None:
    """Something newer took its place, or its cause is gone: nobody need decide about it."""
    _close(books, number, "superseded")


def _close(books: Books, number: int, state: str) -> None:
    books.do("update guarded set state = :state, closed_at = :at where id = :id", state=state, at=books.now, id=number)


def remember(books: Books, subject: str, kind: str, past: Past, *, fingerprint: str = "", delivery: int = 0) -> None:
    """Writes down the size of one that was accepted: the usual is taken from these."""
    books.do(
        "insert into guard_history (subject, kind, run_id, delivery_id, line_count, cents, fingerprint, at) "
        "values (:subject, :kind, :run, :delivery, :rows, :cents, :fingerprint, :at)",
        subject=subject,
        kind=kind,
        run=books.run,
        delivery=delivery or None,
        rows=past.rows,
        cents=past.cents,
        fingerprint=fingerprint,
        at=books.now,
    )


def history(books: Books, subject: str, kind: str) -> History:
    """What was accepted before of a flow, or of a channel's files."""
    found = books.rows(
        f"select line_count, cents, fingerprint from guard_history where subject = :subject and kind = :kind order by id desc limit {COMPARABLE}",
        subject=subject,
        kind=kind,
    )
    since = (datetime.fromisoformat(books.now) - _PEAK_DAYS).strftime("%Y-%m-%dT%H:%M:%SZ")
    peak = books.one(
        "select coalesce(max(cents), 0) from guard_history where subject = :subject and kind = :kind and at >= :since",
        subject=subject,
        kind=kind,
        since=since,
    )
    return History(tuple(Past(int(row[0]), int(row[1])) for row in found), int(peak), str(found[0][2]) if found else "")


def _guarded(books: Books, row: tuple[Any, ...]) -> Guarded:
    votes = books.rows("select actor, verdict, reason, at from guard_vote where guarded_id = :id order by at, actor_key", id=row[0])
    return Guarded(
        id=int(row[0]),
        flow=row[1],
        kind=row[2],
        state=row[3],
        approvers=int(row[4]),
        trips=tuple(Trip(*each) for each in json.loads(row[5])),
        numbers=json.loads(row[6]),
        opened_at=row[7],
        delivery=int(row[8]),
        file=row[9],
        votes=tuple(Vote(*each) for each in votes),
        start=row[10],
        started_by=row[11],
    )
