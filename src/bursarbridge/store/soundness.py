"""Whether the ledger's database is whole: its pages and indexes, and the bridge's own arithmetic (reliability.md P20)."""

from __future__ import annotations

import sqlalchemy as sa

from bursarbridge.errors import Refused, TryLater

_CURE = "nothing more is run on it: keep a copy of the damaged database, restore the last good backup (docs/operating.md, Restore), then run again"
_LOOKED_AT_MAX = 64 << 20
"""At the start of a run a SQLite file of at most so many bytes is read through; a larger one by `check --ledger`, each night."""

_POSITIONS = """
select count(*) from (
  select place, obligation_id from (
    select to_place as place, obligation_id, cents from entry where to_place > 0
    union all select from_place, obligation_id, -cents from entry where from_place > 0
    union all select place, obligation_id, -cents from position
  ) as moved group by place, obligation_id having sum(cents) <> 0
) as wrong
"""
_INDEXES = (
    "select c.oid::regclass::text from pg_class c join pg_index i on i.indexrelid = c.oid join pg_am a on a.oid = c.relam "
    "where a.amname = 'btree' and c.relnamespace = 'public'::regnamespace and i.indisvalid order by 1"
)


def refuse_damaged(engine: sa.Engine) -> None:
    """A look that costs next to nothing, before anything is run. Raises Refused, naming the damage and what to do."""
    if engine.dialect.name == "sqlite":
        _refuse(damage(engine, whole=False))


def damage(engine: sa.Engine, *, whole: bool = True) -> list[str]:
    """Every damage found, in words; none when the database is sound. `whole` reads every page, and adds up every cent."""
    looks = _sqlite(whole) if engine.dialect.name == "sqlite" else _postgres(engine)
    found: list[str] = []
    for look in [*looks, *([_POSITIONS] if whole else [])]:
        found += _told(engine, look)
    return found


def _refuse(found: list[str]) -> None:
    if found:
        raise Refused(f"the ledger's database is damaged: {'; '.join(found[:3])}; {_CURE}")


def _sqlite(whole: bool) -> list[str]:
    if whole:
        return ["pragma integrity_check(20)", "pragma foreign_key_check"]
    small = f"(select page_count * page_size from pragma_page_count, pragma_page_size) <= {_LOOKED_AT_MAX}"
    # As `where` the size would be compared after the whole file was read.
    return [f"select case when {small} then (select group_concat(quick_check, '; ') from pragma_quick_check(3)) end"]


def _postgres(engine: sa.Engine) -> list[str]:
    """Every index by amcheck where it is installed (a superuser: create extension amcheck); without it, every table is read."""
    with engine.connect() as connection:
        if connection.exec_driver_sql("select count(*) from pg_extension where extname = 'amcheck'").scalar_one():
            return [f"select bt_index_check('{name}', true)" for (name,) in connection.exec_driver_sql(_INDEXES)]
        tables = connection.exec_driver_sql("select quote_ident(tablename) from pg_tables where schemaname = 'public' order by 1")
        return [f"select count(t.*) filter (where t is null and false) from {name} as t" for (name,) in tables]


def _told(engine: sa.Engine, look: str) -> list[str]:
    """What one look finds: nothing, 0 and "ok" are good."""
    try:
        with engine.connect().execution_options(reading=True) as connection, connection.begin():
            rows = connection.exec_driver_sql(look).all()
    except sa.exc.OperationalError as error:
        raise TryLater(f"the ledger's database does not answer: {str(error.orig).splitlines()[0]}") from error
    except sa.exc.DBAPIError as error:
        return [str(error.orig).splitlines()[0]]
    found = [row for row in rows if row[0] not in (None, "", 0, "ok")]
    if look is _POSITIONS:
        return [f"{row[0]} places of obligations do not hold what their entries say" for row in found]
    return [" ".join(map(str, row)).replace("\n", ", ") for row in found]
