"""A folder of backups: files with their hashes beside them, in the form `sha256sum -c` reads; put there whole or not at all."""

import re
from collections.abc import Iterable
from pathlib import Path

from bursarbridge.errors import Refused
from bursarbridge.exchange.disk import BLOCK_BYTES, durable, hashing, make_folder, open_chunks, replace_file, sync_file, sync_folder, trouble

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\n]+)")
_PARTIAL = ".partial"


def begin(folder: Path) -> Path:
    """An empty folder beside where a backup will be; what a killed one left under that name is gone."""
    partial = folder.with_name(folder.name + _PARTIAL)
    try:
        if partial.exists():
            for left in partial.iterdir():
                left.unlink()
        make_folder(partial)
    except OSError as error:
        raise trouble(error, partial) from error
    return partial


def finish(partial: Path) -> Path:
    """Makes every file durable, writes their hashes down, and gives the folder its name. Raises Refused when the name is taken."""
    folder = partial.with_name(partial.name.removesuffix(_PARTIAL))
    if folder.exists():
        raise Refused(f"{folder} is there already; a backup is never written over. Wait a second and try again")
    try:
        files = sorted(partial.iterdir())
        for file in files:
            sync_file(file)
        replace_file(partial / SUMS, "".join(f"{hash_of(file)}  {file.name}\n" for file in files).encode())
        sync_folder(partial)
        partial.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise trouble(error, partial) from error
    return folder


def faults_in(folder: Path) -> list[str]:
    """What is wrong with a backup's own files, each as a sentence: missing, changed, or without a hash; none when it is whole."""
    if not (folder / SUMS).is_file():
        return [f"{folder} has no {SUMS}: it is no backup, or one that was not finished"]
    wanted: dict[str, str] = {}
    for line in (folder / SUMS).read_text("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            return [f"{folder / SUMS} cannot be read; take another backup"]
        wanted[match[2]] = match[1]
    found = []
    for name, sha256 in wanted.items():
        if not (folder / name).is_file():
            found.append(f"{folder / name} is missing")
        elif hash_of(folder / name) != sha256:
            found.append(f"{folder / name} is not what was backed up")
    return found


def hash_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with hashing() as digest:
        for block in open_chunks(path, BLOCK_BYTES):
            digest.update(block)
        return digest.sha256()


def copy(source: Path, target: Path) -> None:
    """Copies a file durably; an older one of that name goes first."""
    target.unlink(missing_ok=True)
    with durable(target) as write:
        for block in open_chunks(source, BLOCK_BYTES):
            write(block)


def move_aside(path: Path, stamp: str, endings: Iterable[str]) -> list[Path]:
    """Renames a file and those that belong to it (the same name with an ending) to `<name>.before-<stamp>`, durably; returns the new names.

    A journal of the old file must never lie beside the new one: it would be played into it.
    """
    moved = []
    for one in (path, *(path.with_name(path.name + ending) for ending in endings)):
        if one.exists():
            target = one.with_name(f"{path.name}.before-{stamp}{one.name.removeprefix(path.name)}")
            one.rename(target)
            moved.append(target)
    if path.parent.is_dir():
        sync_folder(path.parent)
    return moved


def put(source: Path, target: Path) -> None:
    """Gives a finished file its lasting name in place of whatever stands there, durably."""
    sync_file(source)
    source.replace(target)
    sync_folder(target.parent)
