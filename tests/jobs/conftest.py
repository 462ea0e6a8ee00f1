"""An empty ledger on each database, and an engine that is closed again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from bursarbridge.jobs.engine import Engine, Procedure
from bursarbridge.store import opening

Launch = Callable[[Mapping[str, Procedure]], Engine]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a migrated, empty ledger is."""
    found = str(request.getfixturevalue("pg_address")) if request.param == "postgresql" else f"sqlite:{tmp_path / 'ledger.db'}"
    ledger = opening.open_engine(found)
    opening.migrate(ledger)
    ledger.dispose()
    return found


@pytest.fixture
def ledger(address: str) -> Iterator[sa.Engine]:
    """The ledger, opened."""
    opened = opening.open_engine(address)
    yield opened
    opened.dispose()


@pytest.fixture
def launch(ledger: sa.Engine) -> Iterator[Launch]:
    """Launches engines in this process, one at a time."""
    with ExitStack() as stack:

        def of(procedures: Mapping[str, Procedure]) -> Engine:
            stack.close()
            engine = Engine(ledger, procedures)
            engine.launch()
            stack.callback(engine.close)
            return engine

        yield of
