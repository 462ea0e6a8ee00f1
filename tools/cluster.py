"""What a private PostgreSQL is started with, for ./dev postgres, the tests and the benchmarks: its programs, its user, a port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest version's; None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def carry_out(user: str | None, program: Path, *arguments: Path | str) -> None:
    """Runs one of the programs, as another user where one is given. Raises RuntimeError with what it said when it fails."""
    command = [str(program), *map(str, arguments)]
    # a file and not a pipe: the server that pg_ctl starts would keep a pipe open for ever
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, user=user, group=user, extra_groups=[] if user else None, cwd="/", stdout=said, stderr=said, check=False)
        said.seek(0)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{said.read().decode()}")


def user_of_servers() -> str | None:
    """As whom the programs run: PostgreSQL's own user for root, as whom they refuse to run; None for the user of this process."""
    return "postgres" if os.geteuid() == 0 else None


def free_port() -> int:
    """A loopback port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
