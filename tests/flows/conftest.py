"""A campus for every test of the flows."""

from collections.abc import Iterator

import pytest

from tests.campus import ASSUMED, SNAPSHOT, Campus, campus_in_memory


@pytest.fixture
def campus() -> Iterator[Campus]:
    """Cumulative reports, posting results."""
    with campus_in_memory() as made:
        yield made


@pytest.fixture
def snapshots() -> Iterator[Campus]:
    """The bursar sends states: what is applied to each charge now."""
    with campus_in_memory(SNAPSHOT) as made:
        yield made


@pytest.fixture
def silent() -> Iterator[Campus]:
    """Charges count as taken in twelve hours after their delivery."""
    with campus_in_memory(ASSUMED) as made:
        yield made
