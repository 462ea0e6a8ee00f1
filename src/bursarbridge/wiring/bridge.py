"""One campus's bridge: settings in, a working bridge out."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bursarbridge.assembly.billing import billing_flow
from bursarbridge.assembly.hold_parts import ready_holds
from bursarbridge.assembly.hold_reports import holds_report_of
from bursarbridge.assembly.library import library_flow, returns_flow
from bursarbridge.assembly.names import ALL_FLOWS, HOLDS_ENDING, HOLDS_FULL_ENDING, RETURNS, DeskOf, PlaceOf, TellerOf, billing_flows, hold_flows
from bursarbridge.assembly.reports import report_of, returned_items
from bursarbridge.assembly.revive import record_poster, revive
from bursarbridge.assembly.timetable import LegView, leg_views, schedules
from bursarbridge.config.model import Settings
from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.flows.guarding import decide
from bursarbridge.flows.hold_desk import release_by_hand
from bursarbridge.flows.hold_report import HOLDS
from bursarbridge.flows.holds import HoldsFlow, run_holds
from bursarbridge.flows.library import Flow, Summary, run_flow
from bursarbridge.flows.report import Frame, Report
from bursarbridge.flows.resolve import resolve
from bursarbridge.flows.returns import run_returns
from bursarbridge.flows.run import Run, Steps, World, utc_text
from bursarbridge.jobs.timetable import Slot, upcoming
from bursarbridge.ledger.still_charged import StillCharged
from bursarbridge.ports import Archive, Vault
from bursarbridge.ports.calls import unlogged
from bursarbridge.store import alarms, guarded, opening, runs, starts, views
from bursarbridge.store.alarms import AlarmRow
from bursarbridge.store.books import Books
from bursarbridge.store.guarded import Guarded
from bursarbridge.wiring import mailings, syncing
from bursarbridge.wiring.epochs import begun, keep_mark
from bursarbridge.wiring.listening import listening
from bursarbridge.wiring.outside import Clock, Reached, clock_of, crash_switch_here
from bursarbridge.wiring.previewing import preview
from bursarbridge.wiring.vaults import scratch_of, vault_of
from bursarbridge.wiring.watch import Watch, watch_of
from bursarbridge.wiring.ways import Ways

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bursarbridge.flows.mailing import Mailed
    from bursarbridge.jobs.engine import Engine, Procedure


@dataclass
class Bridge:
    """One campus's bridge: its settings, its ledger, and its ways to the world."""

    settings: Settings
    clock: Clock
    wait: Callable[[float], None]
    reached: Reached
    ledger: sa.Engine
    vault: Archive
    ways: Ways
    engine: Engine | None = None
    """The engine of a process that is at work for good."""
    slot: str = "slot-1"
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set it, and whatever runs ends after the step under way, to be gone on with later."""
    lost: Callable[[], bool] = bool
    """Whether another process has taken this one's place among the workers."""
    watch: Watch = field(default_factory=Watch)
    """Who is told outside of what happens."""

    def run(self, flow: str) -> dict[str, object]:
        """Runs a flow through the durable engine, after finishing what a crashed process left; returns its summary.

        Raises jobs.lock.Busy when another process runs it; TryLater or Refused when the run failed and said why.
        """
        with self.running() as start:
            return start(flow)

    @contextmanager
    def running(self, actor: str = "") -> Iterator[syncing.Start]:
        """An engine for several runs, one after another: what it yields runs one flow as of the clock's now, for a person who starts it by hand.

        A process that is at work already (wiring.working) lends its own engine. Raises Busy.
        """
        if self.engine is not None:
            with self._telling(self.engine, actor) as start:
                yield start
            return
        from bursarbridge.wiring.working import engine_for_a_while

        try:
            with engine_for_a_while(self) as engine, self._telling(engine, actor) as start:
                yield start
        finally:
            self.watch.beat()

    @contextmanager
    def _telling(self, engine: Engine, actor: str) -> Iterator[syncing.Start]:
        """Runs flows on an engine; tells by mail of each run of holds and of what is held, and sends what mail is due."""
        outcomes: set[object] = set()  # not the summaries: a process that is at work for good would keep one of each run (P25)

        def tell(flow: str, name: str = "") -> dict[str, object]:
            return self._start(engine.run, flow, name)

        def start(flow: str, name: str = "") -> dict[str, object]:
            mailings.load_early(self, flow)
            ended = self._start(engine.run, flow, name, actor)
            outcomes.add(ended["outcome"])
            mailings.tell_holds(self, tell)
            return ended

        mailings.tell_holds(self, tell)
        yield start
        if "held" in outcomes:
            mailings.tell_held(self, tell)
        mailings.tell_due(self, tell)

    def procedures(self) -> dict[str, Procedure]:
        """Everything the engine may be asked to run, by name."""
        flows: dict[str, Procedure] = {
            name: self._procedure(name) for name in (*ALL_FLOWS, *billing_flows(self.settings), *hold_flows(self.settings))
        }
        return flows | mailings.procedures(self) | {syncing.ALARMS: self._alarms()}

    def _start(self, start: Callable[[str, str, str], dict[str, object]], flow: str, given: str = "", actor: str = "") -> dict[str, object]:
        now = self.clock()
        name = given or f"{flow}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        if actor:  # before the run begins, so that whoever finishes it knows (I11)
            with self.ledger.begin() as connection:
                starts.by_hand(Books(connection, 0, utc_text(now)), name, actor)
        with self._end_noted(name), self.watch.running(flow, name) as telling:
            summary = start(flow, name, utc_text(now))
            telling.ended(summary)
        return {"run": name, "flow": flow, **summary}

    def sync(self) -> syncing.Synced:
        """One round of the timetable: writes down what came due, runs it once, raises and closes alarms.

        Cheap when there is nothing to do. Raises jobs.lock.Busy when another process is running; what is due then stays due.
        """
        if not syncing.look(self.settings, self.books, self.reached) and not mailings.holds_untold(self):
            return syncing.nothing()
        with self.running() as start:
            return syncing.Round(self.settings, self.reached, self.books, start).whole()

    def upcoming(self, count: int) -> list[Slot]:
        """The next slots of the timetable, soonest first."""
        return upcoming(schedules(self.settings), self.settings.campus.timezone, self.clock(), count)

    def legs(self) -> list[LegView]:
        """Every flow of the timetable as it stands: its state, its last slot and its next one."""
        with self.books() as books:
            return list(leg_views(self.settings, books))

    def alarms(self) -> list[AlarmRow]:
        """The alarms that stand open, oldest first."""
        with self.books() as books:
            return alarms.open_ones(books)

    def due(self) -> list[Slot]:
        """The slots that a round would find due now, oldest first; nothing changes."""
        with self.books() as books:
            return syncing.due_slots(self.settings, books)

    def _alarms(self) -> Procedure:
        """The procedure that tells of alarms."""

        def procedure(steps: Steps, run_name: str, now: str) -> Mailed:
            from bursarbridge.flows.mailing import mailing  # the mail libraries, only for those who mail

            run = self.begin(steps, syncing.ALARMS, run_name, now, self.vault, self.scratch)
            sender = self.settings.mail.sender if self.settings.mail else ""
            return mailing(run, lambda books: syncing.letters(self.settings, books), sender, self.ways.carrier())

        return procedure

    @contextmanager
    def _end_noted(self, name: str) -> Iterator[None]:
        """Writes down when a run really ended, and outside of the ledger how far it has come."""
        try:
            yield
        finally:
            keep_mark(self, name)
            with suppress(BridgeError, sa.exc.DBAPIError), self.books(writing=True) as books:
                runs.ended(books, name)

    def report(self, name: str, library: str = "", run: str = "") -> tuple[Report, Frame]:
        """One of flows.reports.NAMES as of now. Raises Refused for another name, or when there is nothing that it could be about."""
        with self.books() as books:
            if name == HOLDS:
                return holds_report_of(self.settings, books, self.hold_flow_of, run)
            return report_of(name, self.settings, books, self.returned, library)

    def send_report(self, name: str, *, again: bool = False) -> dict[str, object]:
        """Mails a report to its readers, once a campus day unless `again`; returns flows.mailing.Mailed with the run's name.

        What the relay does not take now is tried again by later runs. Raises Refused when nobody gets the report, and Busy.
        """
        with self.books() as books:
            list(mailings.letters(self, name, books, "", again=False))  # a report that cannot be made is said before anything runs
        with self.running() as start:
            return start(f"report-{name}{'-again' if again else ''}")

    def _procedure(self, flow: str) -> Callable[[Steps, str, str], Summary]:
        def procedure(steps: Steps, name: str, now: str) -> Summary:
            run = self.begin(steps, flow, name, now, self.vault, self.scratch)
            keep_mark(self)
            if flow == RETURNS:
                with self.ways.desks() as desk_of:
                    return run_returns(run, returns_flow(self.settings, desk_of))
            with self.ways.places() as place, self.ways.tellers() as teller:
                if flow in hold_flows(self.settings):
                    return run_holds(run, ready_holds(flow, self.settings, place))
                return run_flow(run, self.files_flow(flow, place, teller))

        return procedure

    def files_flow(self, flow: str, place: PlaceOf, teller: TellerOf) -> Flow:
        """A flow that carries files: a parking office's that bills, or the library's. Raises Refused for a name that is neither."""
        billed = flow in billing_flows(self.settings)
        return billing_flow(flow, self.settings, place) if billed else library_flow(flow, self.settings, place, teller)

    def begin(self, steps: Steps, flow: str, name: str, now: str, vault: Vault, scratch: Path) -> Run:
        """A run of a flow, its number made or found again."""
        looking_only = name == "preview"
        world = World(vault, scratch, self.wait, self.reached, self.clock, unlogged if looking_only else self.watch.log)
        flow = flow.removesuffix("-full") if flow.endswith(HOLDS_FULL_ENDING) else flow  # the same flow over everybody
        number = steps.post("begin", lambda connection: begun(Books(connection, 0, now), name, flow))
        self.reached("run.begun")
        today = datetime.fromisoformat(now).astimezone(self.settings.campus.timezone).date().isoformat()
        return Run(name, flow, number, now, today, steps if looking_only else self.watch.steps(steps, flow, name), world)

    def preview(self, flow: str) -> dict[str, object]:
        """What a run would do with the files that wait now: the same code on the same data, everything taken back at the end."""
        return preview(self, flow)

    def hold_flow_of(self, source: str) -> HoldsFlow:
        """The holds of a source, to ask about and to order a release. Raises Refused when the settings have none."""
        with self.ways.places() as place:
            return ready_holds(f"{source}{HOLDS_ENDING}", self.settings, place)

    def release_hold(self, source: str, account: str, actor: str, reason: str, until_on: str = "") -> str:
        """One person's order that one person be released; returns what follows. Raises Refused without a reason, or for somebody unknown."""
        flow = self.hold_flow_of(source)
        today = self.clock().astimezone(self.settings.campus.timezone).date()
        days = next(one.manual_release_days for one in self.settings.holds if one.name == source)
        with self.books(writing=True) as books:
            until = until_on or (today + timedelta(days=days)).isoformat()
            return release_by_hand(books, flow, account, actor, reason, today.isoformat(), until)

    def still_charged(self) -> StillCharged:
        """What came back and is still charged, in three lists by who moves next, as the library last answered."""
        with self.books() as books:
            return self.returned(books)

    def returned(self, books: Books) -> StillCharged:
        """The same, from these books."""
        return returned_items(self.settings, books)

    def listening(self) -> AbstractContextManager[FastAPI]:
        """The application that hears webhook calls, storing them until the end, and shows numbers and health.

        Raises Refused without usable secrets or a safe database.
        """
        return listening(self)

    def resolve(self, number: int, action: str, actor: str, note: str) -> str:
        """Carries out a person's decision about a suspense item, in one transaction; returns what came of it.

        Raises Refused when there is no such item or the decision is not lawful.
        """
        with self.books(writing=True) as books:
            item = views.item(books, number)
            if item is None:
                raise Refused(f"there is no suspense item {number}; `bursarbridge suspense list` shows what is open")
            name = f"resolve-{number}-{self.clock():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
            books.run = runs.begin(books, name, "suspense", "1")
            said = resolve(books, item, action, actor, note, partial(revive, self.settings), partial(record_poster, self.settings))
            runs.finish(books, books.run, "completed", {"item": number, "action": action})
        keep_mark(self)
        self.watch.log("item_resolved", run=name, item=number, code=item.code, action=action)
        return said

    def decide(self, number: int, actor: str, verdict: str, reason: str) -> tuple[str, Guarded]:
        """Takes down that a person approves or rejects what a guard holds; what follows, in words, and how it stands now.

        Raises Refused when nothing is held under the number or the decision is not lawful.
        """
        with self.books(writing=True) as books:
            name = f"{verdict}-{number}-{self.clock():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
            books.run = runs.begin(books, name, "guards", "1")
            said = decide(books, number, actor, verdict, reason)
            runs.finish(books, books.run, "completed", {"held": number, "verdict": verdict})
            return said, guarded.one(books, number)

    @contextmanager
    def books(self, *, writing: bool = False) -> Iterator[Books]:
        """The ledger in one transaction, for questions or (writing) for what a person decided."""
        try:
            with self.ledger.connect().execution_options(reading=not writing) as connection, connection.begin():
                books = Books(connection, 0, utc_text(self.clock()), self.reached)
                if writing:
                    books.take_turn()
                yield books
        except sa.exc.OperationalError as error:
            if "locked" not in str(error.orig):
                raise
            raise TryLater("the ledger is taking in a large file; ask again in a minute") from error

    @property
    def scratch(self) -> Path:
        """Where this worker's unfinished files are; another worker may have the same disk."""
        return scratch_of(self.settings) / self.slot

    def close(self) -> None:
        """Lets the database go."""
        self.ledger.dispose()


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    wait: Callable[[float], None] = time.sleep,
    reached: Reached | None = None,
    desk_of: DeskOf | None = None,
) -> Bridge:
    """A bridge on these settings, its database brought to the newest schema. Without a clock it has the campus's own."""
    now = clock or clock_of(settings)
    ledger = opening.open_engine(settings.storage.database.url())
    opening.migrate(ledger)
    passed = reached or crash_switch_here()
    ways = Ways(settings, wait, passed, desk_of)
    return Bridge(settings, now, wait, passed, ledger, vault_of(settings), ways, watch=watch_of(settings, now))
