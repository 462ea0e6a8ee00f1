"""Who owns a run: the fencing tokens of jobs.engine, in the ledger itself, so that a posting transaction can ask inside itself."""

from __future__ import annotations

import sqlalchemy as sa


class RunOwners:
    """jobs.engine.Owners in the table run_owner."""

    def take(self, connection: sa.Connection, run: str) -> int:
        sql = "insert into run_owner (run, token) values (:run, 1) on conflict (run) do update set token = run_owner.token + 1 returning token"
        return int(connection.execute(sa.text(sql), {"run": run}).scalar_one())

    def token(self, connection: sa.Connection, run: str) -> int:
        """0 when nobody ever took it. The row is held against a taker until the transaction ends (SQLite's write lock does the same)."""
        kept = " for share" if connection.dialect.name == "postgresql" else ""
        return int(connection.execute(sa.text(f"select token from run_owner where run = :run{kept}"), {"run": run}).scalar_one_or_none() or 0)
