"""A folder on an SFTP server. The heavy library is imported when a server is really spoken to (architecture.md 4)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bursarbridge.exchange.endpoint import Clear, PlaceEndpoint, unwatched
from bursarbridge.exchange.place import Place


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """Where a server is, who we are there, and which host key it must show."""

    host: str
    port: int
    user: str
    key_path: Path
    """Our private key, without a passphrase, readable by the bridge's user only."""
    host_key: str
    """The pin: the server's public key line ("ssh-ed25519 AAAA...", a known_hosts line will do) or its "SHA256:..." fingerprint."""
    timeout_seconds: int = 30
    """How long the server may be silent: connecting, or moving one block of at most a MiB."""


class SftpEndpoint(PlaceEndpoint):
    """ports.Endpoint for a folder on an SFTP server; one connection, made at the first act and kept until `close()` or until it is lost.

    `folder` is as the server names it; the other settings are FolderEndpoint's. Crash points: upload.written, publish.renamed.
    """

    def __init__(
        self,
        address: SftpAddress,
        folder: str,
        *,
        clear: Clear = "move",
        done: str = "done",
        reached: Callable[[str], None] = unwatched,
    ) -> None:
        def connected() -> Place:
            from bursarbridge.exchange.ssh import SshPlace  # asyncssh: 0.2 to 0.4 s, only paid here

            return SshPlace(address, folder)

        super().__init__(connected, clear=clear, done=done, reached=reached)
