"""One empty folder at a partner, whichever way it is reached: what the endpoint contract is held against."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bursarbridge.exchange.endpoint import Clear, PlaceEndpoint, unwatched
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.sftp import SftpEndpoint
from tests.servers import Served

DOCUMENT = b"H 1 12.50\nD 1 12.50\n" * 40
SHA256 = hashlib.sha256(DOCUMENT).hexdigest()
OTHER = b"somebody else's bytes\n"
NAME = "LIBRARY_20260105_0001.dat"
HIDDEN = f".{NAME}.part"


@dataclass(frozen=True, slots=True)
class Spot:
    """One empty folder at a partner: `here` is where the partner sees it; `endpoint` makes endpoints that reach it."""

    here: Path
    kind: str
    served: Served | None
    opened: list[PlaceEndpoint]

    def endpoint(self, *, clear: Clear = "move", done: str = "done", reached: Callable[[str], None] = unwatched) -> PlaceEndpoint:
        made: PlaceEndpoint
        if self.served is None:
            made = FolderEndpoint(self.here, clear=clear, done=done, reached=reached)
        else:
            folder = f"{self.served.folder.rstrip('/')}/{self.here.relative_to(self.served.root)}"
            made = SftpEndpoint(self.served.address, folder, clear=clear, done=done, reached=reached)
        self.opened.append(made)
        return made

    def names(self) -> list[str]:
        return sorted(path.name for path in self.here.iterdir())
