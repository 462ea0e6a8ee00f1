"""A private PostgreSQL for tests: its own cluster in a temporary folder, on a free loopback port, never as root; a fresh database per test."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.servers import eventually
from tools.cluster import carry_out, free_port, programs, user_of_servers

_SETTINGS = "fsync=off\nsynchronous_commit=off\nfull_page_writes=off\nmax_connections=120\nshared_buffers=32MB\nlisten_addresses='127.0.0.1'\n"
"""Nothing here outlives the tests, and only processes are killed in them, never the machine: the disk need not be waited for."""


@dataclass(frozen=True)
class Cluster:
    """A running server; `address` names a database of it as the settings write it."""

    port: int
    home: Path
    _control: Callable[..., None] = lambda *_arguments: None
    _numbers: Iterator[int] = field(default_factory=count)

    def restart(self) -> None:
        """Stops the server as a crash does, and starts it again: every connection is cut, wherever it stands."""
        self._control("-m", "immediate", "-w", "-t", "30", "restart")

    def crash(self) -> None:
        """Stops the server as a crash does, for good."""
        self._control("-m", "immediate", "-w", "-t", "30", "stop")

    def promote(self) -> None:
        """Makes a standby the one that writes."""
        self._control("-w", "-t", "30", "promote")

    @contextmanager
    def standby(self) -> Iterator["Cluster"]:
        """A synchronous standby of this server: from now on no commit of a session with synchronous_commit is acknowledged before both have it."""
        programs, user = _programs(), user_of_servers()
        with _home(user) as home:
            source = f"host=127.0.0.1 port={self.port} user=tester application_name=standby"
            carry_out(user, programs / "pg_basebackup", "-D", home / "cluster", "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")
            with _started(programs, user, home, free_port()) as standby:
                # not before the copy is made: promoted, it would wait for a standby of its own
                self._do("alter system set synchronous_standby_names = 'FIRST 1 (standby)'")
                self._do("select pg_reload_conf()")
                assert eventually(self._in_step, 20), "the standby never came into step"
                yield standby

    def _in_step(self) -> bool:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            return connection.execute("select sync_state from pg_stat_replication").fetchall() == [("sync",)]

    def address(self, database: str) -> str:
        """postgresql://..., without a password: the cluster trusts whoever reaches its loopback port."""
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """A fresh database, a copy of another one that nobody is connected to; returns its name."""
        name = f"campus_{next(self._numbers)}"
        self._do(f'create database "{name}" template "{template}" strategy file_copy')
        return name

    def drop(self, database: str) -> None:
        """Takes a database away, connected or not."""
        self._do(f'drop database if exists "{database}" with (force)')

    def _do(self, statement: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Starts a cluster and takes it away again; skips the test where PostgreSQL is not installed, and fails it in CI."""
    programs, user = _programs(), user_of_servers()
    with _home(user) as home:
        how = ("-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        carry_out(user, programs / "initdb", "-D", home / "cluster", *how)
        with _started(programs, user, home, free_port()) as running:
            yield running


@contextmanager
def _home(user: str | None) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="bursarbridge-pg-"))
    try:
        if user is not None:
            shutil.chown(home, user)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _started(programs: Path, user: str | None, home: Path, port: int) -> Iterator[Cluster]:
    data = home / "cluster"
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"{_SETTINGS}port={port}\nunix_socket_directories='{home}'\n")

    def control(*words: str) -> None:
        carry_out(user, programs / "pg_ctl", "-D", data, "-l", home / "log", *words)

    control("-w", "-t", "30", "start")
    try:
        yield Cluster(port, home, control)
    finally:
        with suppress(RuntimeError):  # one that crashed is stopped already
            control("-m", "immediate", "-w", "stop")


def _programs() -> Path:
    found = programs()
    if found is not None:
        return found
    words = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)
