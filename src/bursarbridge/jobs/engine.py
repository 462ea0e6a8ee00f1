"""The durable engine: every run of every flow is a workflow of checkpointed steps. Nothing outside this file names the engine.

Its own tables live in a file (SQLite) or schema (PostgreSQL) beside the ledger, so that a long import never starves them; the
checkpoint of a step that posts is written in the ledger's own transaction, so that both commit together (stack.md, section 1).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, PortableWorkflowError, SetWorkflowID, SQLAlchemyDatasource, StepOptions
from dbos import error as engine_error
from sqlalchemy.orm import Session, sessionmaker

from bursarbridge.errors import BridgeError, Refused, TryLater, Unreadable

R = TypeVar("R")

VERSION = "1"
"""Raised by hand when a flow's steps change: a run begun under another version is not taken up by this one."""

_NAME = "bursarbridge"
_TRIES = 4
_TURNS = 20
"""How often a posting transaction is begun anew when the database takes it back (P18): some seconds, as the pauses grow."""
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


@dataclass(frozen=True)
class DurableSteps:
    """Steps whose results are checkpointed; a resumed run gets them back instead of doing them again."""

    ledger: SQLAlchemyDatasource

    def act(self, name: str, deed: Callable[[], R]) -> R:
        """A step outside the database; TryLater is tried again a few times, with growing pauses."""
        options: StepOptions = {
            "name": name,
            "retries_allowed": True,
            "max_attempts": _TRIES,
            "interval_seconds": 0.5,
            "backoff_rate": 3.0,
            "should_retry": _is_passing,
        }
        try:
            return DBOS.run_step(options, deed)
        except engine_error.DBOSMaxStepRetriesExceeded as error:
            raise error.errors[-1] from error
        except PortableWorkflowError as error:
            raise _remembered(error) from error

    def post(self, name: str, deed: Callable[[sa.Connection], R]) -> R:
        """A step in one ledger transaction, together with its checkpoint; begun anew, whole, when the database took it back."""
        sqlite = self.ledger.engine.dialect.name == "sqlite"
        turns = iter(range(_TURNS))

        def turn() -> R:
            if next(turns, None) is None:
                raise TryLater("the ledger's database was too busy or out of reach, and nothing of this step was posted; the next run tries again")
            return deed(self.ledger.sql_session().connection())

        # Posting transactions take turns (Books.take_turn), so each statement should see what the turn before it left.
        return self.ledger.run_tx_step({"name": name, "isolation_level": "SERIALIZABLE" if sqlite else "READ COMMITTED"}, turn)


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, TryLater)


def _unexplained(record: logging.LogRecord) -> bool:
    """Whether the engine's own log adds something: our errors are sentences that are told elsewhere, not traces."""
    return not (record.exc_info and isinstance(record.exc_info[1], BridgeError))


def _remembered(error: PortableWorkflowError) -> Exception:
    """One of our errors as it was before the engine wrote it down by name and words; anything else as it is."""
    if error.name == "Unreadable":
        return Unreadable("remembered", error.message)
    if error.name in ("TryLater", "Gone", "DBOSMaxStepRetriesExceeded"):
        return TryLater(error.message)
    return Refused(error.message) if error.name == "Refused" else error


class Engine:
    """One process's engine on one ledger. Launching it takes up what a crashed process of the same slot left unfinished."""

    def __init__(self, ledger: sa.Engine, procedures: Mapping[str, Procedure], *, slot: str = "slot-1") -> None:
        self._ledger = ledger
        self._procedures = procedures
        self._slot = slot
        self._steps: DurableSteps | None = None
        self._run: Callable[[str, str, str], dict[str, object]] | None = None

    def launch(self) -> None:
        """Starts the engine; unfinished runs are resumed at once, in the background."""
        for noisy in ("dbos", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        logging.getLogger("dbos").addFilter(_unexplained)
        config: DBOSConfig = {
            "name": _NAME,
            "application_version": VERSION,
            "executor_id": self._slot,
            "serializer": _JSON,
            "log_level": "ERROR",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": 0.05,
        }
        if self._ledger.dialect.name == "sqlite":
            own = Path(str(self._ledger.url.database)).with_suffix(".engine.db")
            config["system_database_url"] = f"sqlite:///{own}"
        else:
            config["system_database_url"] = self._ledger.url.render_as_string(hide_password=False)
        DBOS(config=config)
        url = self._ledger.url.render_as_string(hide_password=False)
        self._steps = DurableSteps(SQLAlchemyDatasource.create(url, engine=self._ledger, serializer=_JSON, sessionmaker=_SESSIONS))
        self._run = DBOS.workflow(name="run")(self._workflow(self._steps))
        DBOS.launch()

    def _workflow(self, steps: DurableSteps) -> Callable[[str, str, str], dict[str, object]]:
        def run(flow: str, name: str, now: str) -> dict[str, object]:
            return dict(self._procedures[flow](steps, name, now))

        return run

    def run(self, flow: str, name: str, now: str) -> dict[str, object]:
        """Runs a flow to its end and returns its summary; the same name again returns what that run returned."""
        assert self._run is not None, "the engine was not launched"
        try:
            with SetWorkflowID(name):
                return self._run(flow, name, now)
        except PortableWorkflowError as error:
            raise _remembered(error) from error

    def finish_resumed(self) -> list[str]:
        """Waits for the runs that a crashed process left, and returns their names; one that fails says so in the run's own row.

        The engine resumes a run by putting it into a queue that is looked at every second, so it may be ENQUEUED still.
        """
        found = DBOS.list_workflows(status=_UNFINISHED, executor_id=self._slot, app_version=VERSION, load_input=False, load_output=False)
        names = [one.workflow_id for one in found]
        for name in names:
            try:
                DBOS.retrieve_workflow(name).get_result(polling_interval_sec=0.02)
            except PortableWorkflowError as error:
                if not isinstance(_remembered(error), BridgeError):
                    raise
        return names

    def close(self) -> None:
        """Stops the engine; unfinished runs are left to the next process."""
        DBOS.destroy(workflow_completion_timeout_sec=0, destroy_registry=True)
        self._ledger.clear_compiled_cache()  # it holds the tables of this launch, which no other launch asks for again (P25)
