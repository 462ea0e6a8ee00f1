"""A real SFTP server on loopback over the campus's drop folders, with one host key and one client key made at start."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from bursarbridge.sandbox.folders import make_folders

if TYPE_CHECKING:
    from asyncssh import SSHAcceptor, SSHServerConnection

HOST = "127.0.0.1"
USER = "bursarbridge"
_PATIENCE_SECONDS = 10
_T = TypeVar("_T")


class SftpCampus:
    """`with SftpCampus(root) as server:` serves `root` and nothing above it, to the client key alone, until the block ends.

    Keys are made afresh each time; the client's lies in a private temporary folder outside `root`, removed at the end.
    """

    host = HOST
    user = USER

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root = root
        self.port = port
        """The loopback port; 0 until started means any free one."""
        self.host_key = ""
        """The server's public key as one OpenSSH line, for the client to pin."""
        self.client_key_path = Path()
        """The client's private key, readable by its owner only."""
        self.renamed: Callable[[str], None] = lambda _path: None
        """Told of every file that got another name, before whoever renamed it hears that it has; may take its time."""
        self._undo = ExitStack()

    def __enter__(self) -> "SftpCampus":
        make_folders(self.root)
        with ExitStack() as undo:
            keys = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="bursarbridge-sandbox-")))
            loop = undo.enter_context(_loop_thread())
            stop = _result(loop, self._serve(keys))
            undo.callback(lambda: _result(loop, stop()))
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    async def _serve(self, keys: Path) -> Callable[[], Coroutine[object, object, None]]:
        import asyncssh  # lazy: it costs a quarter of a second, and only the demo and tests need it

        connections: set[SSHServerConnection] = set()

        def told(path: str) -> None:
            self.renamed(path)

        class Doorkeeper(asyncssh.SSHServer):
            """Remembers every connection, signed in or not, so that none outlives the server."""

            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                connections.add(conn)

        class Storeroom(asyncssh.SFTPServer):
            """Tells of renamed files."""

            async def rename(self, oldpath: bytes, newpath: bytes) -> None:
                asyncssh.SFTPServer.rename(self, oldpath, newpath)
                await asyncio.to_thread(told, os.fsdecode(newpath))

        host_key = asyncssh.generate_private_key("ssh-ed25519")
        client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = host_key.export_public_key().decode().strip()
        self.client_key_path = keys / "client_ed25519"
        self.client_key_path.touch(mode=0o600)
        self.client_key_path.write_bytes(client_key.export_private_key())
        root = os.fsencode(self.root)
        acceptor = await asyncssh.listen(
            HOST,
            self.port,
            server_factory=Doorkeeper,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(client_key.export_public_key().decode()),
            password_auth=False,
            kbdint_auth=False,
            sftp_factory=lambda channel: Storeroom(channel, chroot=root),
        )
        self.port = acceptor.get_port()
        return lambda: _stop(acceptor, connections)


async def _stop(acceptor: "SSHAcceptor", connections: "set[SSHServerConnection]") -> None:
    # Closing the acceptor alone would leave the open connections open.
    acceptor.close()
    for connection in connections:
        connection.abort()
    await acceptor.wait_closed()
    await asyncio.gather(*(connection.wait_closed() for connection in connections))


@contextmanager
def _loop_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="sandbox-sftp", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE_SECONDS)
        loop.close()


def _result(loop: asyncio.AbstractEventLoop, work: Coroutine[object, object, _T]) -> _T:
    """Runs the coroutine in the loop's thread and waits for it; its error is raised here."""
    return asyncio.run_coroutine_threadsafe(work, loop).result(_PATIENCE_SECONDS)
