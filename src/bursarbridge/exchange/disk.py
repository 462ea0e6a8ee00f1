"""Bytes on our own disk: read in blocks, written durably or not at all, and errors in words."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bursarbridge.errors import BridgeError, Refused, TryLater

BLOCK_BYTES = 1 << 20

_WORTH_A_THREAD = 1 << 16
"""Smaller blocks are hashed, and smaller files synced, sooner than a thread starts."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_PERSON = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.EEXIST)


def open_chunks(path: Path, size: int = 1 << 18) -> Iterator[bytes]:
    """The file's bytes in order, `size` at a time; the file is closed at the end or when the iterator is dropped."""
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(size):
                yield block
    except OSError as error:
        raise trouble(error, path) from error


class Hashing:
    """SHA-256 of blocks as they pass, in a thread beside whatever else is done with them: a third faster for large files."""

    def __init__(self, pool: Executor) -> None:
        self.size = 0
        self._pool = pool
        self._digest = hashlib.sha256()
        self._pending: Future[None] | None = None

    def update(self, block: bytes) -> None:
        """Takes the next block; at most one is waiting, so memory stays flat."""
        self._settle()
        self.size += len(block)
        if len(block) < _WORTH_A_THREAD:
            self._digest.update(block)
        else:
            self._pending = self._pool.submit(self._digest.update, block)

    def sha256(self) -> str:
        """The hash of all blocks so far, in hex."""
        self._settle()
        return self._digest.hexdigest()

    def _settle(self) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None


@contextmanager
def hashing() -> Iterator[Hashing]:
    """A Hashing for the length of the block."""
    with ThreadPoolExecutor(1, "bursarbridge-hash") as pool:
        yield Hashing(pool)


@contextmanager
def durable(path: Path, mode: int = 0o600, *, synced: bool = True) -> Iterator[Callable[[bytes], None]]:
    """Creates `path` anew and hands out its write function: at the end of the block the bytes are on disk, on any error no file is left.

    Without `synced` they may still be on their way there, for whoever syncs the file later.
    Never follows a link and never writes into a file that exists. Raises TryLater when the disk is full, Refused when it may not write.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        raise trouble(error, path) from error
    whole = False
    try:
        yield lambda block: _write(handle, block, path)
        if synced:
            _flush(handle, path)
        whole = True
    finally:
        os.close(handle)
        if not whole:
            path.unlink(missing_ok=True)


def replace_file(path: Path, content: bytes) -> None:
    """Puts a small file in place of the one of its name, whole or not at all, also after a power cut: written beside it, synced, renamed, synced."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    beside.unlink(missing_ok=True)
    with durable(beside) as write:
        write(content)
    try:
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise trouble(error, path) from error


def read_if_there(path: Path) -> bytes:
    """A small file's bytes; b"" when there is none. Raises Refused or TryLater when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise trouble(error, path) from error


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Makes a folder and those above it that are missing, each durable as a name in the one above; there already is no error."""
    if path.exists():
        return
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=mode, exist_ok=True)
        sync_folder(one.parent)


def sync_file(path: Path) -> None:
    """Makes what was written to a file durable; costs nothing when it is already."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def syncing(path: Path) -> Iterator[None]:
    """Makes what was written to a file durable by the end of the block, beside what is done in it."""
    if path.stat().st_size < _WORTH_A_THREAD:
        yield
        sync_file(path)
        return
    with ThreadPoolExecutor(1, "bursarbridge-sync") as pool:
        synced = pool.submit(sync_file, path)
        yield
        synced.result()


def sync_folder(path: Path) -> None:
    """Makes the names in a folder durable: a new name is only safe from a power cut once its folder is on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def trouble(error: OSError, path: Path) -> BridgeError:
    """The same error named for who acts next: a full disk or a flaky mount is TryLater, a wrong path or right is Refused."""
    words = error.strerror or str(error)
    if error.errno in _FULL:
        return TryLater(f"{path}: the disk or the quota is full ({words}). Nothing half-written was left; free space, the next run tries again")
    if error.errno in _PERSON:
        return Refused(f"{path}: {words}. Check that the path is right and that the bridge's user may use it")
    return TryLater(f"{path}: {words}. The next run tries again")


def _write(handle: int, block: bytes, path: Path) -> None:
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError as error:
        raise trouble(error, path) from error


def _flush(handle: int, path: Path) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        raise trouble(error, path) from error
