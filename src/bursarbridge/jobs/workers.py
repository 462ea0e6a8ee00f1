"""This process's place among those that run flows on a ledger: a slot of its own, held as long as the process answers.

In PostgreSQL a slot is an advisory lock on a connection that does nothing else. The server itself ends that connection when nothing was
heard on it for a while (`idle_session_timeout`), so a slot is a lease without a table and without a clock of ours: a dead machine, a
stopped process and a cut line all let go of it (reliability.md P05; stack.md 1, gap 2).
"""

from __future__ import annotations

import os
import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import psycopg
import sqlalchemy as sa

from bursarbridge.errors import TryLater
from bursarbridge.jobs.lock import HOUSE, Busy

LEASE_SECONDS: float = 15
"""Not heard of for so long, a worker has lost its slot."""
_BEAT_SECONDS: float = 3
_DOOR_SECONDS = 120
"""The first start of all makes the engine's tables, which takes its time on a busy machine."""
_SLOTS_MAX = 200
SLOTS, _DOOR = 7_104_553, 7_104_554
"""The first halves of the advisory locks' names; the second is the slot's number, or a hash of the flow's name."""
_LAUNCH = 0
"""The door through which one process at a time sets up the engine's tables."""


class Lost(TryLater):
    """This process's slot went to another one: what it began is that one's to finish."""


class Fenced(TryLater):
    """A run that this process began has been taken over by another: nothing more of it may be done here."""


class Post(Protocol):
    """Where an engine works: which slot it is, whose slots are alive, and who may start a flow."""

    slot: str
    alone: bool
    """Nobody else can be at work on this ledger: a lock file sees to it (SQLite)."""

    def label(self) -> str:
        """The name that this process's database sessions carry, or ""."""
        ...

    @contextmanager
    def door(self, flow: str, /) -> Iterator[Callable[[], None]]:
        """Lets one process at a time start a run of that flow; the function it yields lets the next one in. Raises Busy."""
        ...

    @contextmanager
    def launching(self) -> Iterator[None]:
        """Lets one process at a time set up the engine."""
        ...

    def living(self) -> set[str]:
        """The slots that somebody holds."""
        ...

    @contextmanager
    def vacated(self, slot: str, /) -> Iterator[bool]:
        """Whether nobody holds that slot; if so, it is kept free meanwhile, and every session its last holder left is ended."""
        ...


class Alone:
    """The post of the one process that works on a SQLite ledger."""

    slot = "slot-1"
    alone = True

    def label(self) -> str:
        return ""

    @contextmanager
    def door(self, _flow: str) -> Iterator[Callable[[], None]]:
        yield lambda: None

    @contextmanager
    def launching(self) -> Iterator[None]:
        yield

    def living(self) -> set[str]:
        return {self.slot}

    @contextmanager
    def vacated(self, _slot: str) -> Iterator[bool]:
        yield False


class Leased:
    """A post on PostgreSQL; `take` before anything else, `give_back` at the end."""

    alone = False

    def __init__(self, ledger: sa.Engine, version: str) -> None:
        self.slot = ""
        self.lost = threading.Event()
        """Set when the slot went to another process."""
        self._version = version
        self._ledger = ledger
        self._address = ledger.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._me = f"{socket.gethostname()[:24]}:{os.getpid()}"
        self._number = 0
        self._asking = threading.RLock()
        self._line: psycopg.Connection | None = None
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="lease", daemon=True)

    def take(self) -> None:
        """Takes the first free slot and keeps it. Raises TryLater when there is none, psycopg.Error when there is no database."""
        self._line = self._connected()
        if not self._ask("select pg_try_advisory_lock_shared(%s, %s)", *HOUSE):
            self.give_back()
            raise TryLater("a backup is being put back or reconciled on this ledger; begin again when that has ended")
        for number in range(1, _SLOTS_MAX + 1):
            if self._ask("select pg_try_advisory_lock(%s, %s)", SLOTS, number):
                break
        else:
            self.give_back()
            raise TryLater(f"all {_SLOTS_MAX} places for workers on this ledger are taken; stop some")
        self._number, self.slot = number, f"slot-{number}-v{self._version}"
        self._ask("select set_config('application_name', %s, false)", self.label())
        self._end_sessions(f"slot-{number}-v")
        sa.event.listen(self._ledger, "connect", self._name_session)
        self._ledger.dispose()
        self._beating.start()

    def give_back(self) -> None:
        """Lets go of the slot."""
        self._ended.set()
        if self._beating.is_alive():
            self._beating.join()
        if sa.event.contains(self._ledger, "connect", self._name_session):
            sa.event.remove(self._ledger, "connect", self._name_session)
        if self._line is not None:
            self._line.close()

    def label(self) -> str:
        return f"bursarbridge {self.slot} {self._me}"

    @contextmanager
    def door(self, flow: str) -> Iterator[Callable[[], None]]:
        key = zlib.crc32(flow.encode()) - (1 << 31)
        with self._entered(key, wait=False) as leave:
            if leave is None:
                raise Busy(f"{flow} is being started by another worker on this ledger; try again when it has ended")
            yield leave

    @contextmanager
    def launching(self) -> Iterator[None]:
        with self._entered(_LAUNCH, wait=True):
            yield

    def living(self) -> set[str]:
        """By their holders' names: the same number may be held by a worker of another version."""
        held = "select coalesce(array_agg(split_part(application_name, ' ', 2)), '{}') from pg_locks join pg_stat_activity using (pid)"
        locks = "locktype = 'advisory' and classid = %s and objsubid = 2 and granted and datname = current_database()"
        slots = self._ask(f"{held} where {locks}", SLOTS)
        assert isinstance(slots, list)
        return set(slots)

    @contextmanager
    def vacated(self, slot: str) -> Iterator[bool]:
        named = re.match(r"slot-(\d+)-", slot)
        number = int(named[1]) if named else 0
        ours = bool(self._ask("select pg_try_advisory_lock(%s, %s)", SLOTS, number))
        try:
            vacant = ours or slot not in self.living()  # its number may be held by a worker of another version
            if vacant:
                self._end_sessions(f"{slot} ")
            yield vacant
        finally:
            if ours:
                self._ask("select pg_advisory_unlock(%s, %s)", SLOTS, number)

    @contextmanager
    def _entered(self, key: int, *, wait: bool) -> Iterator[Callable[[], None] | None]:
        """Holds a door on a connection of its own, which ends with it: what is being started must not wait for the lease's beat.

        Who waits asks again and again: a statement that waits would hold up index builds, whose end the other one waits for.
        """
        try:
            line = self._connected(_DOOR_SECONDS)
        except psycopg.Error as error:
            raise TryLater(f"the ledger's database does not answer: {str(error).strip().splitlines()[-1]}") from error
        try:
            while not (inside := _locked(line, _DOOR, key)) and wait:
                self._ended.wait(0.05)
            yield line.close if inside else None
        finally:
            line.close()

    def _connected(self, seconds: float | None = None) -> psycopg.Connection:
        line = psycopg.connect(
            self._address, autocommit=True, connect_timeout=5, keepalives=1, keepalives_idle=5, keepalives_interval=5, keepalives_count=2,
            application_name=self.label() if self.slot else f"bursarbridge new {self._me}",
        )  # fmt: skip
        idle = f"idle_session_timeout = {int((seconds or LEASE_SECONDS) * 1000)}"
        for setting in (idle, "tcp_keepalives_idle = 5", "tcp_keepalives_interval = 5"):
            line.execute(f"set {setting}".encode())
        return line

    def _ask(self, sql: str, *values: object) -> object:
        with self._asking:
            assert self._line is not None, "no slot was taken"
            row = self._line.execute(sql.encode(), values).fetchone()
            return row[0] if row else None

    def _end_sessions(self, holders: str) -> None:
        """Ends what a slot's last holders left open: a frozen process would hold its locks for as long as it is frozen."""
        sessions = "from pg_stat_activity where datname = current_database() and application_name like %s and application_name <> %s"
        self._ask(f"select count(pg_terminate_backend(pid, 2000)) {sessions}", f"bursarbridge {holders}%", self.label())

    def _name_session(self, driver: psycopg.Connection, _record: object) -> None:
        driver.execute("select set_config('application_name', %s, false)", (self.label(),))
        driver.commit()

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_SECONDS):
            try:
                self._ask("select 1")
            except psycopg.Error:
                self._come_back()

    def _come_back(self) -> None:
        """After a cut: the same slot again, unless another process has taken it for longer than an old session of ours could hold it."""
        refused = 0
        while not self._ended.wait(0.5):
            try:
                line = self._connected()
                ours = _locked(line, SLOTS, self._number)
            except psycopg.Error:
                continue
            if ours:
                with self._asking:
                    self._line = line
                return
            line.close()
            refused += 1
            if refused > 3 * LEASE_SECONDS:
                self.lost.set()
                return


def _locked(line: psycopg.Connection, kind: int, key: int) -> bool:
    row = line.execute("select pg_try_advisory_lock(%s, %s)", (kind, key)).fetchone()
    return bool(row and row[0])
