"""Exact bytes under their SHA-256, written once: what arrived and what left, for as long as the retention says."""

import errno
import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from bursarbridge.errors import Refused
from bursarbridge.exchange.disk import (
    BLOCK_BYTES,
    durable,
    hashing,
    make_folder,
    open_chunks,
    read_if_there,
    replace_file,
    sync_folder,
    syncing,
    trouble,
)
from bursarbridge.exchange.names import finished, require

__all__ = ["FileVault", "open_chunks"]

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class FileVault:
    """ports.Vault in a folder: root/aa/bb/<sha256>, files 0600, folders 0700. Any number of processes may keep at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def keep(self, source: Path) -> str:
        """Copies the file in, in one pass with its hash, and returns the SHA-256 in hex once it is safe from a power cut; again is no error.

        Raises TryLater when the disk is full (nothing is left behind), Refused when the source cannot be read or the kept copy is damaged.
        """
        try:
            make_folder(self._incoming)
            with self._keeping():
                return self._keep(source)
        except OSError as error:
            raise trouble(error, self._root) from error

    def adopt(self, source: Path) -> str:
        """Takes a file of ours in without copying it, where the disk allows: `source` is gone afterwards. Otherwise as `keep`."""
        try:
            make_folder(self._incoming)
            with self._keeping():
                return self._adopt(source)
        except OSError as error:
            raise trouble(error, self._root) from error

    def path(self, sha256: str) -> Path:
        """Where the bytes of that hash are, kept or not yet. Raises Refused when it is not a SHA-256 in small hex."""
        if not _SHA256.fullmatch(sha256):
            raise Refused(f"{sha256[:80]!a} is not a SHA-256: 64 digits of 0-9 and a-f. Copy it from the files list")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def verify(self, sha256: str) -> bool:
        """Whether the kept bytes are there and still have that hash; reads them all."""
        path = self.path(sha256)
        if not path.is_file():
            return False
        with hashing() as digest:
            for block in open_chunks(path, BLOCK_BYTES):
                digest.update(block)
            return digest.sha256() == sha256

    def has(self, sha256: str) -> bool:
        """Whether a file of that hash is kept."""
        return self.path(sha256).is_file()

    def listed(self) -> Iterator[str]:
        """The hash of every kept file, in order; what is on its way in is none of them."""
        if self._root.is_dir():
            for path in sorted(self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")):
                if _SHA256.fullmatch(path.name):
                    yield path.name

    def note(self, name: str, content: bytes) -> None:
        """Replaces a note, durably: written whole beside it, then renamed, then its folder is synced. Raises TryLater when the disk is full."""
        path = self._note(name)
        try:
            make_folder(path.parent)
            replace_file(path, content)
        except OSError as error:
            raise trouble(error, path) from error

    def noted(self, name: str) -> bytes:
        """What a note says; b"" when there is none."""
        return read_if_there(self._note(name))

    def notes(self, folder: str) -> list[str]:
        """The names of the notes in a folder of them, sorted."""
        place = self._note(folder)
        return sorted(f"{folder}/{path.name}" for path in place.iterdir() if finished(path.name)) if place.is_dir() else []

    def _note(self, name: str) -> Path:
        for word in name.split("/"):
            require(word)
        return self._root / "notes" / name

    def _keep(self, source: Path) -> str:
        temporary = self._temporary()
        with hashing() as digest:
            with durable(temporary) as write:
                for block in open_chunks(source, BLOCK_BYTES):
                    digest.update(block)
                    write(block)
            sha256 = digest.sha256()
        try:
            self._place(temporary, sha256, digest.size)
        finally:
            temporary.unlink(missing_ok=True)
        return sha256

    def _adopt(self, source: Path) -> str:
        temporary = self._temporary()
        try:
            source.rename(temporary)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            sha256 = self._keep(source)
            source.unlink()
            return sha256
        temporary.chmod(0o600)
        with syncing(temporary), hashing() as digest:
            for block in open_chunks(temporary, BLOCK_BYTES):
                digest.update(block)
            sha256, size = digest.sha256(), digest.size
        try:
            self._place(temporary, sha256, size)
        finally:
            temporary.unlink(missing_ok=True)
        return sha256

    def _place(self, temporary: Path, sha256: str, size: int) -> None:
        """Gives the copy its lasting name. Of two keepers at once the later replaces equal bytes by equal bytes."""
        path = self.path(sha256)
        folders = (path.parent.parent, path.parent)
        _private(*folders)
        if not path.exists():
            temporary.rename(path)
        elif (found := path.stat().st_size) != size:
            raise Refused(
                f"{path}: the kept copy is damaged ({found} bytes instead of {size}). "
                "Check the disk, move the damaged file aside, then run again: the bytes at hand are whole"
            )
        for folder in (*reversed(folders), self._root):
            sync_folder(folder)

    def _temporary(self) -> Path:
        mine = f"{os.getpid()}.{threading.get_ident()}"
        return next(path for number in count() if not (path := self._incoming / f"{mine}.{number}").exists())

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        """Holds the vault's lock, shared. Whoever gets it alone first sweeps up what killed processes left in incoming/."""
        handle = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if _alone(handle):
                for left in self._incoming.iterdir():
                    left.unlink(missing_ok=True)
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)


def _alone(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(mode=0o700, exist_ok=True)
