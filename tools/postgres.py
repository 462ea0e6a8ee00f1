"""./dev postgres: a private PostgreSQL for trying things out. No system service is touched, nobody else can sign in, and `stop` removes it.

Its files are in a temporary folder, as PostgreSQL never runs as root and its own user may not see this folder. `.postgres` here says where
they are, and holds the address of its newest database, which every start makes anew and empty.
"""

from __future__ import annotations

import re
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import psycopg

from tools.cluster import carry_out, free_port, programs, user_of_servers

HERE = Path(__file__).parent.parent / ".postgres"
_USER = "bursarbridge"
_SETTINGS = "listen_addresses='127.0.0.1'\nunix_socket_directories=''\nmax_connections=100\nshared_buffers=32MB\n"


class Private:
    """The private server of this folder, made or found."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("PostgreSQL's server is not installed (Debian, as root: RUNLEVEL=1 apt-get install postgresql)")
        self._programs = found
        self._user = user_of_servers()
        self._home = Path((HERE / "home").read_text("utf-8")) if (HERE / "home").exists() else None

    def start(self) -> str:
        """Starts it when it does not run, makes an empty database, and returns that one's address."""
        if self._home is None or not (self._home / "cluster").is_dir():
            self._make()
        assert self._home is not None
        if not self._runs():
            port = free_port()
            self._control("-l", self._home / "log", "-o", f"-p {port}", "-w", "-t", "30", "start")
            self._keep("port", str(port))
        address = f"postgresql://{_USER}:{(HERE / 'password').read_text('utf-8')}@127.0.0.1:{(HERE / 'port').read_text('utf-8')}/"
        with psycopg.connect(f"{address}postgres", autocommit=True) as connection:
            taken = {str(row[0]) for row in connection.execute("select datname from pg_database")}
            name = next(name for number in range(1, 10_000) if (name := f"campus{number}") not in taken)
            connection.execute(f"create database {name}".encode())
        self._keep("url", address + name)
        return address + name

    def stop(self) -> None:
        """Stops it and removes everything of it."""
        if self._home is not None:
            if self._runs():
                self._control("-m", "fast", "-w", "-t", "30", "stop")
            shutil.rmtree(self._home, ignore_errors=True)
        shutil.rmtree(HERE, ignore_errors=True)

    def _make(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="bursarbridge-postgres-"))
        HERE.mkdir(mode=0o700, exist_ok=True)
        HERE.chmod(0o700)
        self._keep("password", secrets.token_urlsafe(18))
        self._keep("home", str(self._home))
        secret = self._home / "password"
        secret.touch(mode=0o600)
        secret.write_text((HERE / "password").read_text("utf-8"), "utf-8")
        if self._user is not None:
            shutil.chown(self._home, self._user)
            shutil.chown(secret, self._user)
        how = ("-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8")
        carry_out(self._user, self._programs / "initdb", "-D", self._home / "cluster", "-U", _USER, "--pwfile", secret, *how)
        secret.unlink()
        with (self._home / "cluster" / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)

    def _runs(self) -> bool:
        try:
            self._control("status")
        except RuntimeError:
            return False
        return True

    def _control(self, *words: Path | str) -> None:
        assert self._home is not None
        carry_out(self._user, self._programs / "pg_ctl", "-D", self._home / "cluster", *words)

    def _keep(self, name: str, text: str) -> None:
        file = HERE / name
        file.touch(mode=0o600)
        file.write_text(text, "utf-8")


def main(words: list[str]) -> None:
    """start (also without a word) or stop; ends with 1 and one sentence when it cannot."""
    try:
        if words == ["stop"]:
            Private().stop()
            print("stopped, and everything of it removed")
        elif words in ([], ["start"]):
            address = Private().start()
            print(f"PostgreSQL is up; an empty database: {re.sub(':[^:@/]*@', ':***@', address)}")
            print("its whole address is in .postgres/url; where an address is asked for, write: file:.postgres/url")
            print("remove all of it: ./dev postgres stop")
        else:
            sys.exit("./dev postgres [start|stop]")
    except (RuntimeError, OSError, psycopg.Error) as error:
        sys.exit(f"./dev postgres: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
