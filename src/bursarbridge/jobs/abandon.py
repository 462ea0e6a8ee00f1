"""Runs of the time before a restore are not taken up again: what they were about to do may have been done since."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from dbos import DBOSClient

_UNFINISHED = ["PENDING", "ENQUEUED", "DELAYED"]


def abandon_unfinished(ledger: sa.Engine) -> list[str]:
    """Cancels every run that the engine would resume, and returns their names. The engine must not be launched."""
    if ledger.dialect.name == "sqlite":
        own = Path(str(ledger.url.database)).with_suffix(".engine.db")
        if not own.exists():
            return []
        url = f"sqlite:///{own}"
    else:
        with ledger.connect() as connection:
            if not sa.inspect(connection).has_table("workflow_status", schema="dbos"):
                return []
        url = ledger.url.render_as_string(hide_password=False)
    client = DBOSClient(system_database_url=url)
    try:
        names = [one.workflow_id for one in client.list_workflows(status=_UNFINISHED, load_input=False, load_output=False)]
        for name in names:
            client.cancel_workflow(name)
    finally:
        client.destroy()
    return names
