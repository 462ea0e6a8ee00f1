"""A folder on a disk we can reach: our own, or a partner's share that is mounted."""

import ctypes
import errno
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bursarbridge.errors import Refused
from bursarbridge.exchange.disk import BLOCK_BYTES, durable, open_chunks, sync_folder, trouble
from bursarbridge.exchange.endpoint import Clear, PlaceEndpoint, unwatched
from bursarbridge.exchange.place import Gone, Seen

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)
_SHARED = 0o666
"""Mode of documents before the umask: the partner's user has to read them, so the folder's owner decides with umask or ACL."""

_AT_FDCWD, _RENAME_NOREPLACE = -100, 1


class FolderEndpoint(PlaceEndpoint):
    """ports.Endpoint for a folder. `clear` says what becomes of read files; `done` is the folder inside it that "move" uses.

    `reached` is called at the crash points upload.written, publish.linked and publish.renamed; tests kill the process there.
    """

    def __init__(self, path: Path, *, clear: Clear = "move", done: str = "done", reached: Callable[[str], None] = unwatched) -> None:
        super().__init__(lambda: FolderPlace(path, reached), clear=clear, done=done, reached=reached)


class FolderPlace:
    """place.Place for a folder; every new name is made durable by syncing the folder."""

    def __init__(self, path: Path, reached: Callable[[str], None]) -> None:
        self.title = str(path)
        self._path = path
        self._reached = reached

    def scan(self) -> list[Seen]:
        try:
            with os.scandir(self._path) as entries:
                return [seen for entry in entries if (seen := _seen(entry.name, Path(entry.path)))]
        except OSError as error:
            raise trouble(error, self._path) from error

    def look(self, name: str) -> Seen | None:
        try:
            seen = _seen(name, self._path / name)
        except OSError as error:
            raise trouble(error, self._path / name) from error
        if seen is None and not self._path.is_dir():
            raise Refused(f"{self._path}: no such folder. Check the path and that its disk is mounted; nothing was concluded from its absence")
        return seen

    def read(self, name: str, sink: Callable[[bytes], object]) -> None:
        path = self._path / name
        try:
            # a link is refused here too, and a pipe put in the file's place must not make us wait
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Gone(f"{path} is not there any more") from error
        except OSError as error:
            raise trouble(error, path) from error
        try:
            while block := _block(handle, path):
                sink(block)
        finally:
            os.close(handle)

    def write(self, name: str, source: Path) -> None:
        with durable(self._path / name, _SHARED) as write:
            for block in open_chunks(source, BLOCK_BYTES):
                write(block)
        self._sync()

    def rename(self, old: str, new: str) -> str:
        """By hard link and unlink, as OpenSSH does: link refuses a taken name. The link is on disk before the old name goes,
        so a missing old name always means that the new one was given."""
        source, target = self._path / old, self._path / new
        try:
            target.hardlink_to(source)
        except OSError as error:
            return _rename_without_link(source, target) if error.errno in _NO_LINKS else error.strerror or str(error)
        self._sync(target.parent)
        self._reached("publish.linked")
        self.remove(old)
        return ""

    def remove(self, name: str) -> None:
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise trouble(error, self._path / name) from error
        self._sync()

    def make_folder(self, name: str) -> None:
        try:
            (self._path / name).mkdir(exist_ok=True)
        except OSError as error:
            raise trouble(error, self._path / name) from error

    def close(self) -> None:
        pass

    def _sync(self, path: Path | None = None) -> None:
        try:
            sync_folder(path or self._path)
        except OSError as error:
            raise trouble(error, path or self._path) from error


def _seen(name: str, path: Path) -> Seen | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    modified_at = _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
    return Seen(name, status.st_size, modified_at, stat.S_ISREG(status.st_mode))


def _block(handle: int, path: Path) -> bytes:
    try:
        return os.read(handle, BLOCK_BYTES)
    except OSError as error:
        raise trouble(error, path) from error


def _rename_without_link(source: Path, target: Path) -> str:
    """For file systems without hard links (FAT, some network shares): Linux's renameat2, told not to replace."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return "this file system has no hard links and this system no rename that refuses to replace"
    if renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
        sync_folder(target.parent)
        return ""
    return os.strerror(ctypes.get_errno())
