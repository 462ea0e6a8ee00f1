"""Opening the ledger's database: safe pragmas, one way to begin, numbered migrations."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bursarbridge.errors import Refused
from bursarbridge.store.straight import told

HEAD = "0014"
"""The newest migration; a database at it is opened without loading the migration library."""

_BUSY_MS = 60_000

_PAGE_BYTES = 16_384
"""Of a new SQLite ledger; an older one keeps its own. A night's changes lie all over a large table: of larger pages fewer are read and written."""

_MIGRATING_LOCK = 7_104_555


def open_engine(url: str) -> sa.Engine:
    """An engine on the ledger: "sqlite:<path>" or a PostgreSQL URL, of several hosts too. Durable by construction: full sync, foreign keys on."""
    if url.startswith("sqlite:"):
        return _open_sqlite(Path(url.removeprefix("sqlite:")))
    engine = sa.create_engine(_address(url), pool_pre_ping=True)
    sa.event.listen(engine, "connect", _commit_durably)
    return engine


def _address(url: str) -> sa.URL:
    """The address as SQLAlchemy takes it. Several hosts ("postgresql://a:5432,b:5432/name") go where libpq finds them in every form of it."""
    if "," not in url.partition("://")[2].partition("/")[0].rpartition("@")[2]:
        return sa.make_url(re.sub(r"^postgres(?:ql)?://", "postgresql+psycopg://", url))
    import psycopg  # a SQLite ledger does without it
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error as error:
        raise Refused(f"the address of the ledger's database cannot be read: {str(error).strip()}") from error
    user, password, name = parts.pop("user", None), parts.pop("password", None), parts.pop("dbname", None)
    return sa.URL.create("postgresql+psycopg", user, password, database=name, query=parts)


def _commit_durably(driver: Any, _record: object) -> None:
    """A commit that is answered before it is on disk can be lost by a crash of the server; stronger settings are left alone."""
    wanted = "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')"
    driver.execute(wanted)
    driver.commit()


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite is free of the WAL-reset bug that can lose commits (reliability.md F7; sqlite.org/wal.html)."""
    if version >= (3, 51, 3):
        return version[:2] != (3, 52)
    return (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0) or version < (3, 7, 0)


def migrate(engine: sa.Engine) -> None:
    """Brings the database to the newest schema; does nothing, and loads nothing, when it is there already.

    Several processes may do so at once. A database that is newer is left as it is. Raises Refused when it is too new for this program (P22).
    """
    found = version_of(engine)
    if found > HEAD:
        with engine.connect().execution_options(reading=True) as connection:
            if words := unfit(connection):
                raise Refused(words)
    if found >= HEAD:
        return
    from alembic import command  # heavy, and needed once in a database's life
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({_MIGRATING_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def unfit(connection: sa.Connection) -> str:
    """Why this program cannot work on the database as it is now, or "": a newer schema that was only added to is fit for it (P22)."""
    found = version_in(connection)
    if found == HEAD:
        return ""
    if found < HEAD:
        return f"the ledger has the schema {found or 'of an empty database'}, and this program needs {HEAD}"
    needed = str(connection.execute(sa.text("select migration from schema_needs")).scalar_one())
    if needed <= HEAD:
        return ""
    return (
        f"the ledger's database is at schema {found} and needs a program that knows {needed}; this one knows {HEAD}. "
        "Another machine was upgraded: install the same version here; nothing was read or written"
    )


def version_of(engine: sa.Engine) -> str:
    """The schema version a database is at; "" before the first migration."""
    with engine.connect().execution_options(reading=True) as connection:
        return version_in(connection)


def version_in(connection: sa.Connection) -> str:
    """The same, by a connection that is open."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none() or "")


def _open_sqlite(path: Path) -> sa.Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_MS / 1000, "cached_statements": 1000})
    journal = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "delete"

    @sa.event.listens_for(engine, "connect")
    def set_up(driver: Any, _record: object) -> None:
        driver.isolation_level = None
        for pragma in (
            f"page_size={_PAGE_BYTES}",
            f"journal_mode={journal}",
            "synchronous=full",
            "foreign_keys=on",
            "cache_size=-8192",
            "temp_store=file",
            "temp.cache_size=-4096",
        ):
            driver.execute(f"pragma {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        told(connection, "begin" if reading else "begin immediate")

    return engine


def refuse_unsafe(engine: sa.Engine) -> None:
    """Refuses a SQLite database whose journal or sync setting could lose an acknowledged commit (P19)."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect().execution_options(reading=True) as connection:
        journal = str(connection.exec_driver_sql("pragma journal_mode").scalar_one())
        sync = int(connection.exec_driver_sql("pragma synchronous").scalar_one())
        library = tuple(int(part) for part in str(connection.exec_driver_sql("select sqlite_version()").scalar_one()).split("."))
    if sync < 2 or (journal == "wal" and not wal_is_safe(library)):
        raise Refused(
            f"SQLite {'.'.join(map(str, library))} with journal {journal} and synchronous {sync} may lose commits; "
            "use a rollback journal with full sync, a library with the fix (3.51.3, 3.50.7, 3.44.6 or later), or PostgreSQL"
        )
