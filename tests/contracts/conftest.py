"""The three kinds of endpoint, each with an empty folder and a document to send."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.spot import DOCUMENT, Spot
from tests.servers import Keys, Served, embedded, openssh


@pytest.fixture(scope="module", params=["folder", "sftp-openssh", "sftp-asyncssh"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Served | None]]:
    kind, root = str(request.param), tmp_path_factory.mktemp("partner")
    if kind == "folder":
        yield kind, root, None
        return
    serve = openssh if kind == "sftp-openssh" else embedded
    with serve(root, Keys(tmp_path_factory.mktemp("keys"))) as server:
        yield kind, root, server


@pytest.fixture
def spot(served: tuple[str, Path, Served | None], request: pytest.FixtureRequest) -> Iterator[Spot]:
    kind, root, server = served
    here = root / f"in-{len(list(root.iterdir()))}"
    here.mkdir()
    spot = Spot(here, kind, server, [])
    yield spot
    for endpoint in spot.opened:
        endpoint.close()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(DOCUMENT)
    return path
