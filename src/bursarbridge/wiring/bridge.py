"""One campus's bridge: settings in, a working bridge out."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bursarbridge.assembly.library import library_flow, listeners, returns_flow
from bursarbridge.assembly.names import ALL_FLOWS, RETURNS, DeskOf
from bursarbridge.assembly.reports import letters_of, report_of, returned_items
from bursarbridge.assembly.revive import record_poster, revive
from bursarbridge.config.model import Settings
from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.letter import Addressed
from bursarbridge.flows.library import Summary, run_flow
from bursarbridge.flows.preview import AskOnly, PreviewSteps, ReadOnly, Silent
from bursarbridge.flows.report import Frame, Report
from bursarbridge.flows.reports import NAMES, RETURNED
from bursarbridge.flows.resolve import resolve
from bursarbridge.flows.returns import look_around, run_returns
from bursarbridge.flows.run import Run, Steps, World, utc_text
from bursarbridge.ledger.still_charged import StillCharged
from bursarbridge.ports import unlogged
from bursarbridge.store import inbox, opening, outbox_mail, runs, views
from bursarbridge.store.books import Books
from bursarbridge.wiring.outside import Clock, Reached, crash_switch, system_clock
from bursarbridge.wiring.outward import Outward, turned_away
from bursarbridge.wiring.watch import Watch, watch_of
from bursarbridge.wiring.ways import Ways

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bursarbridge.console.webhooks import Heard
    from bursarbridge.flows.mailing import Mailed
    from bursarbridge.jobs.engine import Procedure


@dataclass
class Bridge:
    """One campus's bridge: its settings, its ledger, and its ways to the world."""

    settings: Settings
    clock: Clock
    wait: Callable[[float], None]
    reached: Reached
    ledger: sa.Engine
    vault: FileVault
    ways: Ways
    watch: Watch = field(default_factory=Watch)
    """Who is told outside of what happens."""

    def run(self, flow: str) -> dict[str, object]:
        """Runs a flow through the durable engine, after finishing what a crashed process left; returns its summary.

        Raises jobs.lock.Busy when another process is running; TryLater or Refused when the run failed and said why.
        """
        with self.running() as start:
            return start(flow)

    @contextmanager
    def running(self) -> Iterator[Callable[[str], dict[str, object]]]:
        """An engine for several runs, one after another: what it yields runs one flow as of the clock's now."""
        from bursarbridge.jobs.engine import Engine  # heavy, and only for those who run something
        from bursarbridge.jobs.lock import only_one

        opening.refuse_unsafe(self.ledger)
        with only_one(self.ledger):
            shutil.rmtree(self._scratch, ignore_errors=True)  # unfinished files of a killed process
            flows: dict[str, Procedure] = {name: self._procedure(name) for name in ALL_FLOWS}
            engine = Engine(self.ledger, flows | self._mailings())
            engine.launch()
            try:
                for name in engine.finish_resumed():
                    self.watch.log("run_resumed", run=name)
                yield lambda flow: self._start(engine.run, flow)
                self._mail_due(engine.run)
            finally:
                engine.close()
                self.watch.beat()

    def _start(self, start: Callable[[str, str, str], dict[str, object]], flow: str) -> dict[str, object]:
        now = self.clock()
        name = f"{flow}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        with self._end_noted(name), self.watch.running(flow, name) as telling:
            summary = start(flow, name, utc_text(now))
            telling.ended(summary)
        return {"run": name, "flow": flow, **summary}

    @contextmanager
    def _end_noted(self, name: str) -> Iterator[None]:
        """Writes down when a run really ended. Only a measure, so that nothing depends on whether it succeeds."""
        try:
            yield
        finally:
            with suppress(BridgeError, sa.exc.DBAPIError), self.books(writing=True) as books:
                runs.ended(books, name)

    def report(self, name: str, library: str = "") -> tuple[Report, Frame]:
        """One of flows.reports.NAMES as of now. Raises Refused for another name, or when the settings follow no returned items."""
        with self.books() as books:
            return report_of(name, self.settings, books, self._returned, library)

    def send_report(self, name: str, *, again: bool = False) -> dict[str, object]:
        """Mails a report to its readers, once a campus day unless `again`; returns flows.mailing.Mailed with the run's name.

        What the relay does not take now is tried again by later runs. Raises Refused when nobody gets the report, and Busy.
        """
        with self.books() as books:
            list(letters_of(name, self.settings, books, self._returned, ""))  # a report that cannot be made is said before anything runs
        with self.running() as start:
            return start(f"report-{name}{'-again' if again else ''}")

    def _mailings(self) -> dict[str, Procedure]:
        """The procedures that send mail: each report, each report once more, and what is due of all of them."""
        made = {f"report-{name}": self._mailing(name, again=False) for name in NAMES}
        return made | {f"report-{name}-again": self._mailing(name, again=True) for name in NAMES} | {"mail": self._mailing("", again=False)}

    def _mailing(self, name: str, *, again: bool) -> Procedure:
        def procedure(steps: Steps, run_name: str, now: str) -> Mailed:
            from bursarbridge.flows.mailing import mailing  # the mail libraries, only for those who mail

            run = self._begin(steps, f"report-{name}" if name else "mail", run_name, now, self.vault, self._scratch)

            def letters(books: Books) -> Iterator[Addressed]:
                return letters_of(name, self.settings, books, self._returned, run_name if again else run.today) if name else iter(())

            try:
                said = self._look_around(run) if name == RETURNED else ""
                return mailing(run, letters, self.settings.mail.sender if self.settings.mail else "", self.ways.carrier(), said)
            except BridgeError as error:
                with self.books(writing=True) as books:
                    runs.finish(books, run.number, "failed", {"words": str(error)})
                raise

        return procedure

    def _look_around(self, run: Run) -> str:
        """Asks the library before its report is made, so that it names what came back unannounced; why it could not be asked, or ""."""
        if not any(source.returns for source in self.settings.sources.values()):
            return ""
        try:
            with self.ways.desks() as desk_of:
                stopped = look_around(run, returns_flow(self.settings, desk_of))
        except Refused as error:  # no key, for one: the report is made of what is known, and says so
            stopped = str(error)
        return f"made of what was known before: {stopped}" if stopped else ""

    def _mail_due(self, start: Callable[[str, str, str], dict[str, object]]) -> None:
        """Tries again what an earlier run could not send: whoever runs anything carries the mail too."""
        with self.books() as books:
            due = outbox_mail.any_due(books)
        if due and self.settings.mail is not None:
            self._start(start, "mail")

    def _procedure(self, flow: str) -> Callable[[Steps, str, str], Summary]:
        def procedure(steps: Steps, name: str, now: str) -> Summary:
            try:
                run = self._begin(steps, flow, name, now, self.vault, self._scratch)
                if flow == RETURNS:
                    with self.ways.desks() as desk_of:
                        return run_returns(run, returns_flow(self.settings, desk_of))
                with self.ways.places() as place, self.ways.tellers() as teller:
                    return run_flow(run, library_flow(flow, self.settings, place, teller))
            except BridgeError as error:
                with self.books(writing=True) as books:
                    runs.finish(books, runs.begin(books, name, flow, "1"), "failed", {"words": str(error)})
                raise

        return procedure

    def _begin(self, steps: Steps, flow: str, name: str, now: str, vault: FileVault, scratch: Path) -> Run:
        looking_only = name == "preview"
        world = World(vault, scratch, self.wait, self.reached, log=unlogged if looking_only else self.watch.log)
        number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, flow, "1"))
        today = datetime.fromisoformat(now).astimezone(self.settings.campus.timezone).date().isoformat()
        return Run(name, flow, number, now, today, steps if looking_only else self.watch.steps(steps, flow, name), world)

    def preview(self, flow: str) -> dict[str, object]:
        """What a run would do with the files that wait now: the same code on the same data, everything taken back at the end."""
        now = utc_text(self.clock())
        with tempfile.TemporaryDirectory() as folder, self.ledger.connect() as connection, self.ways.places(ReadOnly) as place:
            transaction = connection.begin()
            try:
                if flow == RETURNS:  # it counts what lies in the vault and puts nothing there
                    run = self._begin(PreviewSteps(connection), flow, "preview", now, self.vault, Path(folder, "scratch"))
                    with self.ways.desks() as desk_of:
                        asking = returns_flow(self.settings, lambda source: AskOnly(desk) if (desk := desk_of(source)) else None)
                        return {"run": "preview", "flow": flow, **run_returns(run, asking)}
                run = self._begin(PreviewSteps(connection), flow, "preview", now, FileVault(Path(folder, "vault")), Path(folder, "scratch"))
                return {"run": "preview", "flow": flow, **run_flow(run, library_flow(flow, self.settings, place, lambda _source: Silent()))}
            finally:
                transaction.rollback()

    def still_charged(self) -> StillCharged:
        """What came back and is still charged, in three lists by who moves next, as the library last answered."""
        with self.books() as books:
            return self._returned(books)

    def _returned(self, books: Books) -> StillCharged:
        return returned_items(self.settings, books)

    @contextmanager
    def listening(self) -> Iterator[FastAPI]:
        """The application that hears webhook calls, storing them until the end, and shows numbers and health.

        Raises Refused without usable secrets or a safe database.
        """
        from bursarbridge.console.intake import Intake  # heavy, and only for those who listen
        from bursarbridge.console.metrics import Answered
        from bursarbridge.console.outside import seen_from_outside
        from bursarbridge.console.webhooks import application

        opening.refuse_unsafe(self.ledger)
        heard = listeners(self.settings)
        intake: Intake[Heard] = Intake(self._take_in)
        answered = Answered()
        app = application(heard, intake, lambda: utc_text(self.clock()), answered)
        outward = Outward(self.settings, self.clock, self.ledger, self.watch)
        seen_from_outside(app, lambda: outward.metrics(answered), outward.unhealthy, self.watch.monotonic)
        intake.start()
        self.watch.log("serve_begun")
        try:
            yield app
        finally:
            intake.close()
            self.watch.log("serve_ended")

    def _take_in(self, calls: Sequence[Heard], refused: Mapping[tuple[str, str], int]) -> None:
        """Commits calls. It does not wait for its turn: the inbox holds no money, and a long import must not lose a call."""
        now = utc_text(self.clock())
        try:
            with self.ledger.begin() as connection:
                books = Books(connection, 0, now, self.reached)
                inbox.put(books, [inbox.Received(*one) for one in calls])
                inbox.count(books, now[:10], refused)
        except sa.exc.DataError as error:
            raise Refused(f"the database cannot take a call: {type(error.orig).__name__}") from error
        except sa.exc.DBAPIError as error:
            self.watch.log("webhook_not_stored", calls=len(calls), error=type(error.orig).__name__)
            raise TryLater(f"the database does not answer: {type(error.orig).__name__}") from error
        turned_away(self.watch.log, refused)

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
        self.watch.log("item_resolved", run=name, item=number, code=item.code, action=action)
        return said

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
    def _scratch(self) -> Path:
        return self.settings.storage.vault.parent / "scratch"

    def close(self) -> None:
        """Lets the database go."""
        self.ledger.dispose()


def build(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    wait: Callable[[float], None] = time.sleep,
    reached: Reached | None = None,
    desk_of: DeskOf | None = None,
) -> Bridge:
    """A bridge on these settings, its database brought to the newest schema."""
    ledger = opening.open_engine(settings.storage.database.url())
    opening.migrate(ledger)
    passed = reached or crash_switch(os.environ)
    ways = Ways(settings, wait, passed, desk_of)
    return Bridge(settings, clock, wait, passed, ledger, FileVault(settings.storage.vault), ways, watch=watch_of(settings, clock))
