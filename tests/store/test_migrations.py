"""A ledger of an older schema, with what is in it, is brought to the newest."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bursarbridge.store import opening

SOURCE = "insert into source (id, name, prefix) values (1, 'parking', 'P')"
VIOLATION = (
    "insert into violation (source_id, reference, account, category, user_type, violated_on, status, cents, as_of, delivery_id) "
    "values (1, :reference, :account, 'NO PERMIT', 'Student', '2026-07-01', 'open', 2500, :delivery, :delivery)"
)
PAST = (
    "insert into violation_past (violation_id, until_delivery_id, account, category, user_type, violated_on, status, cents, as_of, delivery_id) "
    "select id, delivery_id, '0012344', category, user_type, violated_on, status, cents, '1', 1 from violation where reference = 'a'"
)


@pytest.mark.parametrize("kept", ["sqlite", "postgresql"])
def test_what_was_told_before_there_was_news_is_in_it(kept: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A list that was read before the upgrade and not decided yet is decided after it."""
    address = f"sqlite:{tmp_path / 'ledger.db'}" if kept == "sqlite" else request.getfixturevalue("pg_address")
    ledger = opening.open_engine(address)
    bring_to(ledger, "0012")
    with ledger.begin() as connection:
        connection.exec_driver_sql(SOURCE)
        for reference, account, delivery in (("a", "0012345", 2), ("b", "0012345", 2), ("c", "0012346", 1)):
            connection.execute(sa.text(VIOLATION), {"reference": reference, "account": account, "delivery": delivery})
        connection.exec_driver_sql(PAST)
    opening.migrate(ledger)
    with ledger.connect() as connection:
        found = connection.exec_driver_sql("select delivery_id, account from violation_news order by 1, 2").all()
        assert opening.version_in(connection) == opening.HEAD
        assert opening.unfit(connection) == ""
        # A worker of the version before goes on: what it uses is there, and what it writes is news.
        assert connection.exec_driver_sql("select migration from schema_needs").scalar_one() == "0009"
    assert [tuple(row) for row in found] == [(1, "0012346"), (2, "0012344"), (2, "0012345")]
    ledger.dispose()


def bring_to(ledger: sa.Engine, version: str) -> None:
    """The schema of an older program."""
    config = Config()
    config.set_main_option("script_location", str(Path(opening.__file__).parent / "migrations"))
    with ledger.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
