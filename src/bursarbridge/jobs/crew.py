"""Who is at work on a PostgreSQL ledger, and who ran what: what the server and the engine's own tables say. Only looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from bursarbridge.jobs.workers import SLOTS

_HOLDERS = """
select application_name from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and classid = :slots and objsubid = 2 and granted and pg_locks.database = pg_stat_activity.datid
and datname = current_database() order by objid
"""
_LABEL = re.compile(r"bursarbridge (slot-\S+) (.+):(\d+)")


class Hand(NamedTuple):
    """A process that has a slot now."""

    slot: str
    machine: str
    pid: int


def at_work(connection: sa.Connection) -> list[Hand]:
    """Every process that has a slot on this ledger, on any machine, lowest slot first; on SQLite there are no slots."""
    if connection.dialect.name != "postgresql":
        return []
    labels = connection.execute(sa.text(_HOLDERS), {"slots": SLOTS}).scalars()
    return [Hand(found[1], found[2], int(found[3])) for found in map(_LABEL.fullmatch, map(str, labels)) if found]


def who_ran(connection: sa.Connection, runs: Sequence[str]) -> dict[str, str]:
    """The slot that each of these runs is or was last worked on at; a run that the engine does not know is left out."""
    if connection.dialect.name != "postgresql" or not sa.inspect(connection).has_table("workflow_status", schema="dbos"):
        return {}
    sql = sa.text("select workflow_uuid, executor_id from dbos.workflow_status where workflow_uuid = any(:runs)")
    return {str(run): str(slot or "") for run, slot in connection.execute(sql, {"runs": list(runs)})}
