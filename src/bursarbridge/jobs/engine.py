"""The durable engine: every run of every flow is a workflow of checkpointed steps. Nothing outside this file names the engine.

Any number of processes may work on one PostgreSQL ledger (workers.py): one run of a flow at a time, and a run that was taken over is
fenced: whoever began it before may post nothing more, and does nothing more outside (reliability.md P05).

Its own tables live in a file (SQLite) or schema (PostgreSQL) beside the ledger, so that a long import never starves them; the
checkpoint of a step that posts is written in the ledger's own transaction, so that both commit together (stack.md, section 1).
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, PortableWorkflowError, SetWorkflowID, SQLAlchemyDatasource, StepOptions
from dbos import error as engine_error
from sqlalchemy.orm import Session, sessionmaker

from bursarbridge.errors import BridgeError, Refused, TryLater, Unreadable
from bursarbridge.jobs.lock import Busy
from bursarbridge.jobs.takeover import Begun
from bursarbridge.jobs.workers import Alone, Fenced, Post

R = TypeVar("R")

VERSION = "3"
"""Raised by hand when a flow's steps change: a run begun under another version is not taken up by this one."""

_NAME = "bursarbridge"
_TRIES = 4
_TURNS = 20
"""How often a posting transaction is begun anew when the database takes it back (P18): some seconds, as the pauses grow."""
_BEGUN_MAX = 12
"""A run that was begun so often and never ended kills whoever runs it; it is set aside, and the next ones go on (P23)."""
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 5.0)
"""While the database is away, in seconds: half a minute in all, a restart takes a few."""
_JSON = DBOSPortableJSONSerializer()
_SESSIONS: sessionmaker[Session] = sessionmaker(expire_on_commit=False)
"""One for the life of the process: SQLAlchemy makes a class for each and never forgets it (P25)."""
_UNFINISHED = ["PENDING", "ENQUEUED"]
"""Running, or (a crashed run, as soon as the next process starts) waiting to be resumed."""


class Procedure(Protocol):
    """A flow as the engine sees it: given its steps, its run name and its instant, it returns a plain summary."""

    def __call__(self, steps: DurableSteps, name: str, now: str, /) -> Mapping[str, object]:
        """Runs the flow; called again from the start when a crashed run is resumed, with finished steps replayed."""
        ...


class Owners(Protocol):
    """Who owns a run: its fencing token, which grows each time somebody begins to work on it."""

    def take(self, connection: sa.Connection, run: str, /) -> int:
        """Makes the caller the owner; returns its token, which is also how often the run was begun."""
        ...

    def token(self, connection: sa.Connection, run: str, /) -> int:
        """The owner's token, which no one changes before this transaction ends."""
        ...


class Nobody:
    """Runs without owners, for an engine that nobody else can take anything from."""

    def take(self, _connection: sa.Connection, _run: str) -> int:
        return 1

    def token(self, _connection: sa.Connection, _run: str) -> int:
        return 0


class SetAside(Refused):
    """A run that kills whoever runs it: not tried again."""


class Stopping(BaseException):
    """This process was asked to end and stands between two steps: the run is left as it is, for whoever goes on with it."""


@dataclass(frozen=True)
class DurableSteps:
    """Steps whose results are checkpointed; a resumed run gets them back instead of doing them again."""

    ledger: SQLAlchemyDatasource
    owners: Owners = field(default_factory=Nobody)
    run: str = ""
    token: int = 1
    stop: threading.Event = field(default_factory=threading.Event)

    def act(self, name: str, deed: Callable[[], R]) -> R:
        """A step outside the database; TryLater is tried again a few times, with growing pauses. Raises Fenced, and Stopping."""
        options: StepOptions = {
            "name": name,
            "retries_allowed": True,
            "max_attempts": _TRIES,
            "interval_seconds": 0.5,
            "backoff_rate": 3.0,
            "should_retry": _is_passing,
        }
        self._may_go_on()

        def guarded() -> R:
            self._still_ours_outside()
            return deed()

        try:
            return DBOS.run_step(options, guarded)
        except engine_error.DBOSMaxStepRetriesExceeded as error:
            raise error.errors[-1] from error
        except PortableWorkflowError as error:
            raise _remembered(error) from error

    def post(self, name: str, deed: Callable[[sa.Connection], R]) -> R:
        """A step in one ledger transaction, together with its checkpoint; begun anew, whole, when the database took it back.

        Raises Fenced, and posts nothing, when another process has taken the run over; Stopping.
        """
        sqlite = self.ledger.engine.dialect.name == "sqlite"
        turns = iter(range(_TURNS))
        self._may_go_on()

        def turn() -> R:
            if next(turns, None) is None:
                raise TryLater("the ledger's database was too busy or out of reach, and nothing of this step was posted; the next run tries again")
            connection = self.ledger.sql_session().connection()
            self._still_ours(connection)
            return deed(connection)

        # Posting transactions take turns (Books.take_turn), so each statement should see what the turn before it left.
        return self.ledger.run_tx_step({"name": name, "isolation_level": "SERIALIZABLE" if sqlite else "READ COMMITTED"}, turn)

    def _may_go_on(self) -> None:
        if self.stop.is_set():
            raise Stopping

    def _still_ours(self, connection: sa.Connection) -> None:
        if self.owners.token(connection, self.run) > self.token:
            raise Fenced(
                f"{self.run} was taken over by another worker while this one did not answer; it goes on there, and nothing more is done here"
            )

    def _still_ours_outside(self) -> None:
        """A deed outside cannot be taken back, so it is asked right before; that it bears repeating covers the moment after."""
        if self.ledger.engine.dialect.name != "sqlite":
            _patiently(self.ledger.engine, self._still_ours)


def _patiently(ledger: sa.Engine, deed: Callable[[sa.Connection], R]) -> R:
    """A short transaction of our own, tried again while the database is away (P17)."""
    for pause in _PAUSES:
        try:
            with ledger.begin() as connection:
                return deed(connection)
        except (sa.exc.OperationalError, sa.exc.InterfaceError):
            threading.Event().wait(pause)
    with ledger.begin() as connection:
        return deed(connection)


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, TryLater)


def _unexplained(record: logging.LogRecord) -> bool:
    """Whether the engine's own log adds something: our errors, and a database that is away, are sentences told elsewhere, not traces."""
    return not (record.exc_info and isinstance(record.exc_info[1], BridgeError | sa.exc.DBAPIError))


def _remembered(error: PortableWorkflowError) -> Exception:
    """One of our errors as it was before the engine wrote it down by name and words; anything else as it is."""
    if error.name == "Unreadable":
        return Unreadable("remembered", error.message)
    if error.name in ("TryLater", "Gone", "DBOSMaxStepRetriesExceeded"):
        return TryLater(error.message)
    return Refused(error.message) if error.name in ("Refused", "SetAside") else error


Recording = Callable[[str, DurableSteps, str, str], AbstractContextManager[None]]
"""What is around the work on a run (flow, steps, name, now): it writes down how a run failed."""


class Engine:
    """One process's engine on one ledger. Launching it takes up what a crashed process of the same slot left unfinished."""

    def __init__(
        self,
        ledger: sa.Engine,
        procedures: Mapping[str, Procedure],
        *,
        at: Post | None = None,
        owners: Owners | None = None,
        recording: Recording | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """With `stop` set, every run ends before its next step, to be resumed by another process or the next start."""
        self._stop = stop or threading.Event()
        self._ledger = ledger
        self._procedures = procedures
        self._post: Post = at or Alone()
        self._owners: Owners = owners or Nobody()
        self._recording: Recording = recording or (lambda _flow, _steps, _name, _now: nullcontext())
        self._active: Counter[str] = Counter()
        self._doors: dict[str, Callable[[], None]] = {}
        self._runs: dict[str, Callable[[str, str], dict[str, object]]] = {}

    def launch(self) -> None:
        """Starts the engine; unfinished runs of its slot are resumed at once, in the background."""
        for noisy in ("dbos", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        logging.getLogger("dbos").addFilter(_unexplained)
        config: DBOSConfig = {
            "name": _NAME,
            "application_version": VERSION,
            "executor_id": self._post.slot,
            "serializer": _JSON,
            "log_level": "ERROR",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": 0.05,
            "system_database_url": self._own_address(),
        }
        with self._post.launching():
            DBOS(config=config)
            url = self._ledger.url.render_as_string(hide_password=False)
            ledger = SQLAlchemyDatasource.create(url, engine=self._ledger, serializer=_JSON, sessionmaker=_SESSIONS)
            self._runs = {flow: DBOS.workflow(name=flow)(self._workflow(flow, ledger)) for flow in self._procedures}
            DBOS.launch()

    def _own_address(self) -> str:
        if self._ledger.dialect.name == "sqlite":
            return f"sqlite:///{Path(str(self._ledger.url.database)).with_suffix('.engine.db')}"
        words = {"application_name": self._post.label()}
        with self._ledger.connect() as connection:
            usual = connection.exec_driver_sql("select reset_val from pg_settings where name = 'synchronous_commit'").scalar_one()
        if usual in ("off", "local"):  # as the ledger's own connections have it: an answered commit is on disk
            words["options"] = "-c synchronous_commit=on"
        return self._ledger.url.update_query_dict(words).render_as_string(hide_password=False)

    def _workflow(self, flow: str, ledger: SQLAlchemyDatasource) -> Callable[[str, str], dict[str, object]]:
        def run(name: str, now: str) -> dict[str, object]:
            self._active[name] += 1
            try:
                token = self._begun(name)
                steps = DurableSteps(ledger, Nobody() if self._post.alone else self._owners, name, token, self._stop)
                with self._recording(flow, steps, name, now):
                    if token > _BEGUN_MAX:
                        raise SetAside(f"{name} was begun {token - 1} times and whoever ran it died each time; it is set aside, the next run goes on")
                    return dict(self._procedures[flow](steps, name, now))
            finally:
                self._active[name] -= 1
                if not self._active[name]:
                    del self._active[name]

        return run

    def _begun(self, name: str) -> int:
        """This execution's token. Where nobody else is, a run that is just started need not be written down for that."""
        leave = self._doors.pop(name, None)
        if leave is not None:
            leave()
        if leave is not None and self._post.alone:
            return 1
        return _patiently(self._ledger, lambda connection: self._owners.take(connection, name)) + int(self._post.alone)

    def run(self, flow: str, name: str, now: str) -> dict[str, object]:
        """Runs a flow to its end and returns its summary; the same name again returns what that run returned, wherever it runs.

        Raises Busy while another run of the flow is under way, on this machine or another; Stopping.
        """
        assert flow in self._runs, "the engine was not launched, or knows no such flow"
        self._active[name] += 1
        try:
            with self._post.door(flow) as leave:
                self._refuse_second(flow, name)
                self._doors[name] = leave
                with SetWorkflowID(name):
                    return self._runs[flow](name, now)
        except PortableWorkflowError as error:
            raise _remembered(error) from error
        finally:
            self._doors.pop(name, None)
            self._active[name] -= 1

    def _refuse_second(self, flow: str, name: str) -> None:
        """One run of a flow at a time. A run of another version counts while its worker lives; a dead one's is nobody's any more."""
        if self._post.alone:
            return
        living = self._post.living()
        for one in DBOS.list_workflows(status=_UNFINISHED, name=flow, load_input=False, load_output=False):
            if one.workflow_id != name and (one.app_version == VERSION or one.executor_id in living):
                raise Busy(f"{flow} is under way on this ledger ({one.workflow_id}, worker {one.executor_id}); try again when it has ended")

    def unfinished(self) -> list[Begun]:
        """Every run of this version that was begun and has not ended, on any machine."""
        found = DBOS.list_workflows(status="PENDING", app_version=VERSION, load_input=False, load_output=False)
        return [Begun(one.workflow_id, one.name, one.executor_id or "") for one in found]

    def active(self) -> set[str]:
        """The runs that this process works on."""
        return {name for name, times in self._active.copy().items() if times > 0}

    def resume(self, name: str) -> None:
        """Gives a run to whichever worker is free; it goes on after its last finished step."""
        DBOS.resume_workflow(name)

    def finish_resumed(self) -> list[str]:
        """Waits for the runs that a crashed process left, and returns their names; one that fails says so in the run's own row.

        The engine resumes a run by putting it into a queue that is looked at every second, so it may be ENQUEUED still.
        """
        found = DBOS.list_workflows(status=_UNFINISHED, executor_id=self._post.slot, app_version=VERSION, load_input=False, load_output=False)
        return self.finish([one.workflow_id for one in found])

    def finish(self, names: list[str]) -> list[str]:
        """Waits for these runs."""
        for name in names:
            try:
                DBOS.retrieve_workflow(name).get_result(polling_interval_sec=0.02)
            except PortableWorkflowError as error:
                if not isinstance(_remembered(error), BridgeError):
                    raise
        return names

    def settle(self) -> None:
        """After `stop`: waits until no run is between two steps here any more."""
        while self.active():
            threading.Event().wait(0.05)

    def close(self) -> None:
        """Stops the engine; unfinished runs are left to the next process."""
        DBOS.destroy(workflow_completion_timeout_sec=0, destroy_registry=True)
        self._ledger.clear_compiled_cache()  # it holds the tables of this launch, which no other launch asks for again (P25)
