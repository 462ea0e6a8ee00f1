"""Files that were read before the ledger was put back, offered to `collect` once more from their kept bytes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bursarbridge.flows.collect import Channel
from bursarbridge.ports import Proof, Waiting


@dataclass(frozen=True)
class Input:
    """A file that was read, or may have been, after the backup was made."""

    channel: Channel
    name: str
    path: Path
    """Its bytes in the vault."""
    modified_at: datetime
    """UTC: as old as the file is; where its name tells no time, this is its own."""
    at: str
    """UTC: when it was read, or as old as it is; files are read again in this order."""
    owner: str = ""
    """The source whose charges it may hold; "" for another kind of file."""
    answers: bool = False
    """Whether it answers about documents of ours."""

    @property
    def seen(self) -> Waiting:
        """It, as a place shows it."""
        return Waiting(self.name, self.path.stat().st_size, self.modified_at)


class Again:
    """A place with that one file in it, out of which nothing is taken and into which nothing goes (ports.Endpoint)."""

    def __init__(self, waiting: Input) -> None:
        self._input = waiting

    def waiting(self, patterns: Sequence[str]) -> list[Waiting]:
        """The file, where any is asked for."""
        return [self._input.seen] if patterns else []

    def fetch(self, name: str, target: Path) -> Waiting:  # noqa: ARG002 - the port's signature
        """A copy of its bytes."""
        shutil.copyfile(self._input.path, target)
        return self._input.seen

    def clear(self, name: str) -> None:
        """Leaves everything where it is."""

    def upload(self, name: str, source: Path) -> None:
        """Sends nothing."""

    def publish(self, name: str, sha256: str) -> Proof:  # noqa: ARG002 - the port's signature
        """Shows nothing."""
        return Proof.TAKEN

    def present(self, name: str) -> bool:
        """Whether it is this file."""
        return name == self._input.name
