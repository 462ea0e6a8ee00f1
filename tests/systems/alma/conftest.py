"""An Alma over real HTTP."""

from collections.abc import Iterator

import pytest

from tests.alma_api import Library, library


@pytest.fixture
def alma() -> Iterator[Library]:
    with library() as running:
        yield running
