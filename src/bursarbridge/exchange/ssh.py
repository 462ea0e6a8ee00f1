"""SFTP as a place: asyncssh on a private event loop. Only sftp.py imports this file, and only when a server is spoken to."""

import asyncio
import posixpath
import stat
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar, cast

import asyncssh

from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.exchange.disk import BLOCK_BYTES, open_chunks
from bursarbridge.exchange.login import log_in, lost
from bursarbridge.exchange.loop import PrivateLoop
from bursarbridge.exchange.place import Gone, Seen
from bursarbridge.exchange.sftp import SftpAddress

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GONE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.SFTPBadMessage)
_NEW = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL

T = TypeVar("T")
Sftp = asyncssh.SFTPClient


class SshPlace:
    """place.Place on an SFTP server: one connection, made when needed; one found closed is made anew before an act, never within one."""

    def __init__(self, address: SftpAddress, folder: str) -> None:
        self.title = f"{address.user}@{address.host}:{address.port} {folder}"
        self._address = address
        self._folder = folder
        self._loop = PrivateLoop()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: Sftp | None = None

    def scan(self) -> list[Seen]:
        async def act(sftp: Sftp) -> list[Seen]:
            found, clock, patience = [], asyncio.get_running_loop(), self._address.timeout_seconds
            async with asyncio.timeout(patience) as silence:
                # as bytes: a name that is not UTF-8 must not end the listing
                async for entry in sftp.scandir(self._folder.encode()):
                    found.append(_seen(_decoded(entry.filename), entry.attrs))
                    silence.reschedule(clock.time() + patience)
            return found

        return self._act("list the folder", act)

    def look(self, name: str) -> Seen | None:
        async def act(sftp: Sftp) -> Seen | None:
            try:
                return _seen(name, await self._timed(sftp.lstat(self._at(name))))
            except _GONE:
                await self._require_folder(sftp)
                return None

        return self._act(f"look at {name}", act)

    def read(self, name: str, sink: Callable[[bytes], object]) -> None:
        async def act(sftp: Sftp) -> None:
            file = await self._timed(sftp.open(self._at(name), "rb", encoding=None))
            try:
                size, offset = (await self._timed(file.stat())).size, 0
                while block := cast(bytes, await self._timed(file.read(_want(size, offset), offset))):
                    sink(block)
                    offset += len(block)
            finally:
                # what was read is judged by size and hash; how the server closes its own file says nothing
                with suppress(asyncssh.Error, OSError):
                    await self._timed(file.close())

        self._act(f"read {name}", act)

    def write(self, name: str, source: Path) -> None:
        async def act(sftp: Sftp) -> None:
            file = await self._timed(sftp.open(self._at(name), _NEW, encoding=None))
            try:
                offset = 0
                for block in open_chunks(source, BLOCK_BYTES):
                    offset += await self._timed(file.write(block, offset))
                with suppress(asyncssh.SFTPOpUnsupported):
                    await self._timed(file.fsync())
            finally:
                # also after an error: a file held open keeps a full disk full even when its name is removed
                await self._timed(file.close())

        try:
            self._act(f"write {name}", act)
        except BridgeError:
            with suppress(BridgeError):
                self.remove(name)  # a full disk gets its room back; after a lost connection the next upload does this
            raise

    def rename(self, old: str, new: str) -> str:
        """By the protocol's plain rename, which must not replace; never by posix-rename, which does (stack.md 2)."""

        async def act(sftp: Sftp) -> str:
            try:
                await self._timed(sftp.rename(self._at(old), self._at(new)))
            except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists, *_GONE) as error:
                return error.reason or type(error).__name__
            return ""

        return self._act(f"rename {old} to {new}", act)

    def remove(self, name: str) -> None:
        async def act(sftp: Sftp) -> None:
            with suppress(*_GONE):
                await self._timed(sftp.remove(self._at(name)))

        self._act(f"remove {name}", act)

    def make_folder(self, name: str) -> None:
        async def act(sftp: Sftp) -> None:
            if not await self._timed(sftp.isdir(self._at(name).encode())):
                await self._timed(sftp.mkdir(self._at(name)))

        self._act(f"make the folder {name}", act)

    def close(self) -> None:
        if self._connection is not None:
            self._loop.run(self._drop())
        self._loop.close()

    def _act(self, what: str, act: Callable[[Sftp], Awaitable[T]]) -> T:
        async def acting() -> T:
            sftp = await self._connected()
            try:
                return await self._found(what, act, sftp)
            except (asyncssh.Error, OSError, EOFError) as error:
                raise await self._judged(what, error) from error

        return self._loop.run(acting())

    async def _connected(self) -> Sftp:
        if self._sftp is not None and self._connection is not None and not self._connection.is_closed():
            return self._sftp
        await self._drop()
        self._connection = await log_in(self._address)
        try:
            self._sftp = await self._timed(self._connection.start_sftp_client())
        except (asyncssh.Error, OSError, EOFError) as error:
            unbroken = not self._connection.is_closed()
            await self._drop()
            if isinstance(error, asyncssh.ChannelOpenError) and unbroken:
                raise Refused(f"{self.title}: the server lets us in but offers no SFTP ({error.reason}). Ask whoever runs it") from error
            raise lost(self._address, error) from error
        return self._sftp

    async def _drop(self) -> None:
        connection, self._connection, self._sftp = self._connection, None, None
        if connection is not None:
            connection.abort()
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.wait_closed(), 1)

    async def _judged(self, what: str, error: Exception) -> BridgeError:
        """The error named for who acts next. OpenSSH says only "Failure" for a full disk, a quota, a read-only mount."""
        if not isinstance(error, asyncssh.SFTPError) or isinstance(error, _LOST):
            await self._drop()
            return lost(self._address, error)
        said = f"{self.title}: could not {what}: the server says {error.reason or type(error).__name__}."
        if isinstance(error, asyncssh.SFTPPermissionDenied | asyncssh.SFTPWriteProtect):
            return Refused(f"{said} Ask whoever runs it for the right to read, write, rename and remove in this folder")
        if isinstance(error, _FULL):
            return TryLater(f"{said} Its disk or our quota is full; the next run tries again")
        return TryLater(f"{said} Most often its disk or our quota is full, or the disk is read-only; the next run tries again")

    async def _found(self, what: str, act: Callable[[Sftp], Awaitable[T]], sftp: Sftp) -> T:
        try:
            return await act(sftp)
        except _GONE as error:
            await self._require_folder(sftp)
            raise Gone(f"{self.title}: could not {what}: it is not there any more. The next run looks again") from error

    async def _require_folder(self, sftp: Sftp) -> None:
        """A missing folder is not an empty one: nothing may be concluded from a name's absence in it."""
        if not await self._timed(sftp.isdir(self._folder.encode())):
            raise Refused(f"{self.title}: no such folder on the server. Check the path; nothing was concluded from its absence")

    async def _timed(self, work: Awaitable[T]) -> T:
        return await asyncio.wait_for(work, self._address.timeout_seconds)

    def _at(self, name: str) -> str:
        return posixpath.join(self._folder, name)


def _want(size: int | None, offset: int) -> int:
    """How much to ask for next: what the file should still have, or a little to see whether it grew."""
    return BLOCK_BYTES if size is None else min(BLOCK_BYTES, max(size - offset, 1 << 15))


def _seen(name: str, attributes: asyncssh.SFTPAttrs) -> Seen:
    """Servers may leave out any attribute: without a type the mode says it, and without both it is taken for a plain file."""
    plain = attributes.type in (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN)
    if attributes.permissions is not None and stat.S_IFMT(attributes.permissions):
        plain = stat.S_ISREG(attributes.permissions)
    return Seen(name, attributes.size or 0, _EPOCH + timedelta(seconds=int(attributes.mtime or 0)), plain)


def _decoded(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
