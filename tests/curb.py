"""A parking office for tests of the holds: violations are written straight into the books, hold files are plain lines in a folder.

Each line of a hold file is `verb account cents code reason reference item-date placed-date`, so that a test reads what the bursar reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bursarbridge.errors import Unreadable
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.deliver import Outlet
from bursarbridge.flows.hold_files import Sheets
from bursarbridge.flows.holds import HoldsFlow, HoldSummary, run_holds, source_of
from bursarbridge.flows.indicators import indicator_poster
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.ledger.facts import Indicator
from bursarbridge.ledger.holds import PlanNumbers, Policy
from bursarbridge.ports import ControlTotal, Heading, HoldDestination, HoldLine
from bursarbridge.store import deliveries, runs
from bursarbridge.store.books import Books
from bursarbridge.store.deliveries import Arrived
from bursarbridge.store.hold_batches import Form
from bursarbridge.store.open_items import Basis
from tests.campus import EVENING, Campus, PlainSteps, campus_in_memory

ZONE = ZoneInfo("America/Los_Angeles")
POLICY = Policy("PRK", "PKCIT")
ADDED, RELEASED = "holds-added", "holds-released"


class Lines:
    """Writes one kind of hold file; an account with more than nine characters is too wide."""

    encoding = "ascii"

    def __init__(self, stem: str) -> None:
        self.stem = stem

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        return f"{self.stem}-{sequence:04d}.txt"

    def writer(self, heading: Heading) -> Lines:
        return self

    def line(self, line: HoldLine) -> str:
        if len(line.account) > 9:
            raise Unreadable("too_wide", "the account is too wide")
        if (line.verb == "release") != (self.stem == RELEASED):
            raise AssertionError(f"{line.verb} in {self.stem}")
        since = line.violated_on or "-"
        return f"{line.verb} {line.account} {line.cents} {line.code} {line.reason} {line.reference} {since} {line.placed_on or '-'}\n"

    def head(self, total: ControlTotal) -> str:
        return f"H {total.count} {total.cents}\n"

    def tail(self, total: ControlTotal) -> str:
        return "T\n"


class Both:
    """ports.HoldFiles."""

    def __init__(self) -> None:
        self.encoding = "ascii"
        self.added: HoldDestination = Lines(ADDED)
        self.released: HoldDestination = Lines(RELEASED)


@dataclass
class Limit:
    """flows.holds.Gate: at most so many in a plan, until somebody says yes."""

    most: int = 1000
    yes: bool = False
    judged: list[PlanNumbers] = field(default_factory=list)

    def judge(self, books: Books, plan: PlanNumbers, content: Callable[[], str]) -> tuple[str, ...]:
        self.judged.append(plan)
        many = plan.to_place + plan.to_change + plan.to_release
        return (f"{many} holds would be told of, limit {self.most}",) if many > self.most else ()

    def approved(self, books: Books) -> bool:
        return self.yes

    def carried(self, books: Books) -> None:
        self.yes = False


class Curb:
    """A campus with a parking office. `now` is the campus's; nothing waits."""

    def __init__(self, campus: Campus, policy: Policy = POLICY, *, ledger: sa.Engine | None = None) -> None:
        self.campus = campus
        self.ledger = ledger or campus.ledger
        self.policy = policy
        self.gate = Limit()
        self.folder = campus.folder / "peoplesoft"
        self.everybody = False
        self.basis, self.source, self.prefix, self.evidence = Basis.VIOLATIONS, "parking", "P", ("parking-violations",)
        self.confirmed_by, self.assumed_after = "collected", timedelta(0)
        self.at_bursar: dict[str, tuple[int, str]] = {}
        """What the bursar's system has after it loaded every file in order: account -> amount and our reference."""
        self._loaded: set[str] = set()
        self._runs = self._files = 0
        self.reached: list[str] = []

    def later(self, **span: float) -> None:
        """Lets time pass."""
        self.campus.later(**span)

    @property
    def today(self) -> str:
        """The campus date."""
        return self.campus.now.astimezone(ZONE).date().isoformat()

    @contextmanager
    def books(self) -> Iterator[Books]:
        """The ledger in one transaction."""
        with self.ledger.begin() as connection:
            yield Books(connection, 0, utc_text(self.campus.now))

    def owes(self, *violations: tuple[str, str, int], since: str = "2026-07-01", status: str = "open", user_type: str = "STUDENT") -> None:
        """The office says now what is owed for some violations: reference, account and cents; 0 is paid."""
        with self.books() as books:
            source = self._source(books)
            self._files += 1
            as_of = f"{self.campus.now.astimezone(ZONE):%Y%m%d%H%M%S}"
            books.run = runs.begin(books, f"read-{self._files}", "test", "1")
            delivery = deliveries.record(books, Arrived("parking-violations", f"v{self._files}", f"{self._files:064}", 1, as_of))
            for reference, account, cents in violations:
                books.do(
                    "insert into violation (source_id, reference, account, category, user_type, violated_on, status, cents, as_of, delivery_id) "
                    "values (:s, :r, :a, 'NOPERMIT', :user_type, :since, :status, :cents, :as_of, :d) on conflict (source_id, reference) do update "
                    "set cents = excluded.cents, status = excluded.status, as_of = excluded.as_of, delivery_id = excluded.delivery_id",
                    s=source,
                    r=reference,
                    a=account,
                    user_type=user_type,
                    since=since,
                    status=status if cents else "paid",
                    cents=cents,
                    as_of=as_of,
                    d=delivery,
                )

    def run(self) -> HoldSummary:
        """Runs the flow as of now, with plain steps."""
        return run_holds(self._run(), self.flow())

    def flow(self) -> HoldsFlow:
        """The flow as it is set now."""
        added = Outlet(ADDED, FolderEndpoint(self.folder / "in"), timedelta(hours=13), self.confirmed_by, self.assumed_after or None)
        outlets = {ADDED: added, RELEASED: replace(added, destination=RELEASED)}
        snapshot = Channel(
            "parking-indicators",
            FolderEndpoint(self.folder / "out"),
            ("indicators*",),
            (),
            0,
            None,
            ZONE,
            _indicators,
            indicator_poster,
            statements=True,
        )
        return HoldsFlow(
            "parking-holds",
            self.source,
            self.prefix,
            self.policy,
            self.basis,
            (),
            tuple((channel, ZONE) for channel in self.evidence),
            timedelta(days=4),
            snapshot,
            Sheets(Both(), Form(self.prefix, "EXCCD"), ADDED, RELEASED),
            outlets,
            self.gate,
            ZONE,
            self.everybody,
        )

    def _run(self) -> Run:
        self._runs += 1
        steps, now, name = PlainSteps(self.ledger), utc_text(self.campus.now), f"parking-holds-{self._runs}"
        number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, "parking-holds", "1"))
        world = World(FileVault(self.campus.folder / "vault"), self.campus.folder / "scratch", lambda _seconds: None, self.reached.append)
        return Run(name, "parking-holds", number, now, self.today, steps, world)

    def files(self) -> dict[str, list[str]]:
        """The lines of every hold file that stands at the bursar's or was loaded, by name: verb, account and cents."""
        found = sorted(path for path in self.folder.rglob("holds-*.txt"))
        return {path.name: [" ".join(line.split()[:3]) for line in path.read_text().splitlines()[1:-1]] for path in found}

    def told(self) -> list[str]:
        """What left since the last call, in order."""
        fresh = [name for name in sorted(self.files(), key=lambda name: name[-8:]) if name not in self._loaded]
        self._loaded |= set(fresh)
        return [line for name in fresh for line in self.files()[name]]

    def bursar_loads(self) -> None:
        """The bursar's system takes every waiting file, in the order in which they were made."""
        for path in sorted((self.folder / "in").glob("holds-*.txt"), key=lambda path: path.name[-8:]):
            self._apply(path)
            path.rename(self.folder / "taken" / path.name)

    def bursar_loses(self) -> None:
        """The bursar's system takes every waiting file and loses what is in it."""
        for path in (self.folder / "in").glob("holds-*.txt"):
            path.rename(self.folder / "taken" / path.name)

    def _apply(self, path: Path) -> None:
        for line in path.read_text().splitlines()[1:-1]:
            verb, account, cents, _code, _reason, reference, *_rest = line.split()
            if verb == "release":
                self.at_bursar.pop(account, None)
            else:
                self.at_bursar[account] = (int(cents), reference)

    def lists(self, *more: str, without: tuple[str, ...] = ()) -> None:
        """The bursar's office lists its service indicators, as they are now."""
        self._files += 1
        rows = [
            f"{account} PRK PKCIT {cents} {reference}" for account, (cents, reference) in sorted(self.at_bursar.items()) if account not in without
        ]
        self.campus.put("peoplesoft/out", f"indicators-{self._files:04d}.txt", "\n".join(["#", *rows, *more]).encode())

    def states(self) -> dict[str, tuple[str, int, str]]:
        """What every hold is: verb, cents, confirmed."""
        with self.books() as books:
            rows = books.rows("select account, verb, cents, confirmed from hold where verb <> ''")
        return {row[0]: (row[1], int(row[2]), row[3]) for row in rows}

    def _source(self, books: Books) -> int:
        return source_of(books, self.flow())


def _indicators(path: Path) -> Iterator[Indicator]:
    for line in path.read_text().splitlines()[1:]:
        account, code, reason, cents, *name = line.split()
        yield Indicator(account, "EXCCD", code, reason, int(cents), name[0] if name else "")


@contextmanager
def parking(policy: Policy = POLICY) -> Iterator[Curb]:
    """A parking office on the fastest disk there is."""
    with campus_in_memory() as campus:
        (campus.folder / "peoplesoft/taken").mkdir()
        campus.now = EVENING
        yield Curb(campus, policy)


def counts(summary: HoldSummary) -> Mapping[str, int]:
    """What a run did about holds, without the zeros."""
    told = summary["holds"]
    return {name: int(number) for name, number in told.items() if isinstance(number, int) and number and name != "active"}
