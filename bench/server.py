"""A private PostgreSQL for the benchmark: its own cluster in a temporary folder, on a free loopback port, never as root, and durable:
fsync and synchronous_commit stay on, every other setting is the server's own default."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.cluster import carry_out, free_port, programs, user_of_servers

_ROLE = "bench"


@dataclass(frozen=True)
class Server:
    """A running server. Databases are made as copies of one another, so that every round begins with the same bytes."""

    port: int

    def address(self, database: str) -> str:
        """postgresql://..., as the settings write it; the cluster trusts whoever reaches its loopback port."""
        return f"postgresql://{_ROLE}@127.0.0.1:{self.port}/{database}"

    def create(self, name: str, template: str = "template0") -> str:
        """A fresh database, a copy of one that nobody is connected to, in place of any of that name; returns its address.

        The checkpoint afterwards keeps the copying out of what is measured next.
        """
        self._do(f'drop database if exists "{name}" with (force)', f'create database "{name}" template "{template}" strategy file_copy', "checkpoint")
        return self.address(name)

    def settle(self, name: str) -> None:
        """Does at once what autovacuum would do to a filled database in the hours after, so that it does not happen under a clock."""
        import psycopg

        with psycopg.connect(self.address(name), autocommit=True) as connection:
            connection.execute("vacuum (analyze)")

    def has(self, name: str) -> bool:
        """Whether there is such a database."""
        import psycopg

        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            return connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None

    def _do(self, *statements: str) -> None:
        import psycopg  # not at the top: this process stays small (bench.measure)

        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def server(home: Path | None = None) -> Iterator[Server]:
    """Starts a server and stops it at the end. A cluster in a given folder is kept with its databases for the next time."""
    found, user = programs(), user_of_servers()
    if found is None:
        raise SystemExit("PostgreSQL's server is not installed; install it (Debian: apt-get install postgresql) or measure --database sqlite")
    folder = home or Path(tempfile.mkdtemp(prefix="bursarbridge-bench-pg-"))
    data, port = folder / "cluster", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        shutil.chown(folder, user)
    if not (data / "PG_VERSION").exists():
        carry_out(user, found / "initdb", "-D", data, "-U", _ROLE, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=on -c synchronous_commit=on"
    carry_out(user, found / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "-t", "120", "start")
    try:
        yield Server(port)
    finally:
        carry_out(user, found / "pg_ctl", "-D", data, "-m", "fast", "-w", "-t", "120", "stop")
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)
