"""Mail for a campus without a relay, to try things on: every mail is kept as a file that mail programs open."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bursarbridge.errors import BridgeError
from bursarbridge.exchange.disk import durable, sync_folder
from bursarbridge.ports.calls import Handed


@dataclass(frozen=True, slots=True)
class FolderCarrier:
    """ports.Carrier into a folder: files NNNN-HASH.eml in the order they came, the same mail once."""

    token: str
    folder: Path

    def hand_over(self, message: bytes, _sender: str, _recipient: str) -> Handed:
        """Keeps one message. Never raises for what the disk does."""
        mark = f"-{hashlib.sha256(message).hexdigest()[:8]}.eml"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            kept = [one.name for one in self.folder.glob("*.eml")]
            if any(name.endswith(mark) for name in kept):
                return Handed("sent", f"the folder {self.folder} has it already")
            temporary = self.folder / f".{mark[1:]}.part"
            temporary.unlink(missing_ok=True)
            with durable(temporary) as write:
                write(message)
            temporary.rename(self.folder / f"{len(kept) + 1:04d}{mark}")
            sync_folder(self.folder)
        except (OSError, BridgeError) as error:
            return Handed("unreachable", f"the folder {self.folder} cannot take it: {error}")
        return Handed("sent", f"kept in the folder {self.folder}")
