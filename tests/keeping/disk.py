"""A disk that forgets at a power cut whatever was not synced. It watches this process's own calls and keeps what a cut could leave.

A file's bytes survive as they were when it was last synced, a name as it stood in its folder when that was last synced. Two
things a real disk may do are shown for every instant: it keeps no more than that (`strict`), or names get there before bytes
(`eager`). What SQLite writes goes past us, as it calls the system itself: only what is synced afterwards by us is seen.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Tree = dict[str, bytes]
"""Files by their path from the root."""

_CALLS = ("fsync", "rename", "replace", "link", "unlink", "mkdir")


class Disk:
    """Watches a folder; `cut` is called after every call that could change what survives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[str] = []
        self._names: dict[int, dict[str, int]] = {}
        self._bytes: dict[int, bytes] = {}
        self._known: dict[int, bool] = {}
        self._remember_all()

    @contextmanager
    def watched(self, monkeypatch: pytest.MonkeyPatch, cut: Callable[[str], None]) -> Iterator[None]:
        """Calls `cut` with the name of each call that was made, right after it."""
        busy: list[bool] = []

        def after(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                result = real(*arguments, **named)
                if not busy:
                    busy.append(True)
                    if name == "fsync":
                        self._synced(arguments[0])
                    self.calls.append(name)
                    cut(name)
                    busy.clear()
                return result

            return call

        with monkeypatch.context() as patch:
            for name in _CALLS:
                patch.setattr(os, name, after(name, getattr(os, name)))
            yield

    def strict(self) -> Tree:
        """What is left when nothing survives but what was synced, names and bytes."""
        found: Tree = {}
        self._walk(self.root.stat().st_ino, "", found)
        return found

    def eager(self) -> Tree:
        """What is left when every name got to the disk, and of the bytes only what was synced."""
        return {
            str(path.relative_to(self.root)): self._bytes.get(path.stat().st_ino, b"")
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def _synced(self, handle: int) -> None:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(handle) as entries:
                self._names[status.st_ino] = {entry.name: entry.inode() for entry in entries}
        else:
            self._bytes[status.st_ino] = Path(f"/proc/self/fd/{handle}").read_bytes()

    def _remember_all(self) -> None:
        for path in (self.root, *self.root.rglob("*")):
            if path.is_dir():
                self._names[path.stat().st_ino] = {one.name: one.stat().st_ino for one in path.iterdir()}
            else:
                self._bytes[path.stat().st_ino] = path.read_bytes()

    def _walk(self, folder: int, prefix: str, found: Tree) -> None:
        for name, inode in self._names.get(folder, {}).items():
            if inode in self._names or self._is_folder(inode):
                self._walk(inode, f"{prefix}{name}/", found)
            else:
                found[f"{prefix}{name}"] = self._bytes.get(inode, b"")

    def _is_folder(self, inode: int) -> bool:
        if inode not in self._known:
            self._known[inode] = any(path.is_dir() and path.stat().st_ino == inode for path in self.root.rglob("*"))
        return self._known[inode]


def laid_out(tree: Tree, folder: Path) -> Path:
    """A folder as a cut left it."""
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
