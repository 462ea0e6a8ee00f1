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


def _run(program: str, ledger: sa.Engine, *arguments: str) -> None:
    url = ledger.url
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)  # never in the arguments, which every user of the machine can read
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    done = subprocess.run([_found(program), f"--dbname={address}", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Refused(f"{program} failed and nothing was changed: {said[0]}. It has to be of the server's version or newer")


def _found(program: str) -> str:
    versions = sorted(_HOME.glob(f"*/bin/{program}"), key=lambda path: int(path.parent.parent.name) if path.parent.parent.name.isdigit() else 0)
    found = str(versions[-1]) if versions else shutil.which(program)
    if not found:
        raise Refused(
            f"{program} is not installed on this machine, and a PostgreSQL ledger is copied by PostgreSQL's own programs: install its client "
            "(Debian: postgresql-client), or back the database up with your campus's PostgreSQL service and the vault beside it (docs/runbook.md)"
        )
    return found
