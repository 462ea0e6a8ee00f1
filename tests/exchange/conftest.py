"""A real SFTP server, an empty folder on it, and a document to send: shared by the tests of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange import DOCUMENT
from tests.servers import Keys, Served, openssh


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def real(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with openssh(tmp_path_factory.mktemp("partner"), keys) as served:
        yield served


@pytest.fixture
def here(real: Served) -> Path:
    path = real.root / f"in-{len(list(real.root.iterdir()))}"
    path.mkdir()
    return path


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(DOCUMENT)
    return path
