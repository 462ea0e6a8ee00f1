"""PostgreSQL's own programs for whole copies: pg_dump and pg_restore, of the newest version that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from bursarbridge.errors import Refused

_HOME = Path("/usr/lib/postgresql")


def dump(ledger: sa.Engine, snapshot: str, target: Path) -> None:
    """Writes the whole database, as the exported snapshot sees it, in PostgreSQL's custom format. Raises Refused with what pg_dump says."""
    _run("pg_dump", ledger, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}")


def restore(ledger: sa.Engine, source: Path) -> None:
    """Puts a dump back, in one transaction: all of it or nothing. Raises Refused with what pg_restore says."""
    _run("pg_restore", ledger, "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(source))


def unknown_to(ledger: sa.Engine, source: Path) -> list[str]:
    """Tables of the database that a dump does not have, a newer version's or somebody's; restoring leaves them as they are."""
    listed = _run("pg_restore", ledger, "--list", str(source)).splitlines()
    # <number>; <catalogue> <object> TABLE <schema> <name> <owner>, and the same with TABLE DATA
    dumped = {f"{words[4]}.{words[5]}" for line in listed if len(words := line.split()) > 5 and words[3] == "TABLE" and words[4] != "DATA"}
    schemas = {name.partition(".")[0] for name in dumped}
    with ledger.connect().execution_options(reading=True) as connection:
        rows = connection.exec_driver_sql("select schemaname, tablename from pg_tables order by 1, 2")
        return [name for schema, table in rows if schema in schemas and (name := f"{schema}.{table}") not in dumped]


def _run(program: str, ledger: sa.Engine, *arguments: str) -> str:
    url = ledger.url
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)  # never in the arguments, which every user of the machine can read
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    done = subprocess.run([_found(program), f"--dbname={address}", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Refused(f"{program} failed and nothing was changed: {said[0]}. It has to be of the server's version or newer")
    return done.stdout


def _found(program: str) -> str:
    versions = sorted(_HOME.glob(f"*/bin/{program}"), key=lambda path: int(path.parent.parent.name) if path.parent.parent.name.isdigit() else 0)
    found = str(versions[-1]) if versions else shutil.which(program)
    if not found:
        raise Refused(
            f"{program} is not installed on this machine, and a PostgreSQL ledger is copied by PostgreSQL's own programs: install its client "
            "(Debian: postgresql-client), or back the database up with your campus's PostgreSQL service and the vault beside it (docs/runbook.md)"
        )
    return found
