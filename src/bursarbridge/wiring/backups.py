"""Backups: the ledger, the engine's tables, the settings and the vault, consistent while runs go on; and putting them back (P21)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from bursarbridge.errors import Refused
from bursarbridge.exchange import archive
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.run import utc_text
from bursarbridge.ports import Archive
from bursarbridge.store import snapshot
from bursarbridge.store.books import Books
from bursarbridge.store.snapshot import Fingerprint
from bursarbridge.wiring import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursarbridge.wiring.bridge import Bridge

LEDGER, ENGINE, DUMP, SETTINGS, VAULT_LIST, MANIFEST = "ledger.db", "engine.db", "ledger.dump", "bursarbridge.toml", "vault.txt", "manifest.json"
_STAMP = "%Y%m%dT%H%M%SZ"


class Backup(NamedTuple):
    """A finished backup."""

    folder: Path
    made_at: str
    ledger: Fingerprint
    files: int
    """Files of the vault that belong to it."""
    new_files: int
    """Of these, the ones that no earlier backup in the same folder had."""


def engine_file(ledger: sa.Engine) -> Path:
    """Where the engine keeps its own tables beside a SQLite ledger."""
    return Path(str(ledger.url.database)).with_suffix(".engine.db")


def back_up(bridge: Bridge, target: Path) -> Backup:
    """Writes a backup into a new folder under `target`, which holds the vault's files of all backups once.

    The engine first, the ledger second, the vault last: what a later part names, an earlier one may lack, never the other way round.
    Raises Refused when something at hand is damaged: a damaged backup is none.
    """
    now = bridge.clock()
    partial = archive.begin(target / now.strftime(_STAMP))
    if bridge.ledger.dialect.name == "sqlite":
        ledger = _copy_sqlite(bridge.ledger, partial)
    else:
        with _snapshot(bridge.ledger, utc_text(now)) as (name, ledger):
            postgres.dump(bridge.ledger, name, partial / DUMP)
    bridge.reached("backup.copied")
    archive.copy(bridge.settings.file, partial / SETTINGS)
    hashes, new = _copy_vault(bridge, FileVault(target / "vault"))
    bridge.reached("backup.kept")
    (partial / VAULT_LIST).write_text("".join(f"{one}\n" for one in hashes), "ascii")
    manifest = {"form": 1, "made_at": utc_text(now), "campus": bridge.settings.campus.name, "database": bridge.ledger.dialect.name}
    manifest |= {"ledger": ledger._asdict(), "vault": {"files": len(hashes), "new": new}}
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    folder = archive.finish(partial)
    return Backup(folder, utc_text(now), ledger, len(hashes), new)


def _copy_sqlite(ledger: sa.Engine, partial: Path) -> Fingerprint:
    own = engine_file(ledger)
    if own.exists():
        snapshot.copy_sqlite(own, partial / ENGINE)
    snapshot.copy_sqlite(Path(str(ledger.url.database)), partial / LEDGER)
    return snapshot.fingerprint_of_file(partial / LEDGER)


@contextmanager
def _snapshot(ledger: sa.Engine, now: str) -> Iterator[tuple[str, Fingerprint]]:
    """A snapshot of PostgreSQL that other programs may use while this lasts, and its fingerprint."""
    with ledger.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        name = str(connection.exec_driver_sql("select pg_export_snapshot()").scalar_one())
        yield name, snapshot.fingerprint(Books(connection, 0, now))


def _copy_vault(bridge: Bridge, kept: FileVault) -> tuple[list[str], int]:
    """Takes what the backup's vault does not have yet; every file is hashed as it is copied."""
    hashes, new = [], 0
    for sha256 in bridge.vault.listed():
        hashes.append(sha256)
        if kept.has(sha256):
            continue
        if kept.keep(bridge.vault.path(sha256)) != sha256:
            raise Refused(
                f"the vault's file {sha256} is damaged: its bytes have another hash. Put it back from an older backup (its path there is "
                f"vault/{sha256[:2]}/{sha256[2:4]}/{sha256}), then back up again"
            )
        new += 1
    return hashes, new


class Checked(NamedTuple):
    """A backup that was looked at."""

    folder: Path
    faults: list[str]
    manifest: Manifest | None


class Manifest(NamedTuple):
    """What a backup says of itself."""

    made_at: str
    campus: str
    database: str
    ledger: Fingerprint


def check(target: Path) -> Checked:
    """Reads every byte of a backup again: `target` is one, or a folder of them whose newest is meant. Raises Refused when there is none."""
    folder = newest_in(target)
    faults = archive.faults_in(folder)
    if faults:
        return Checked(folder, faults, None)
    kept = FileVault(folder.parent / "vault")
    for sha256 in vault_list(folder):
        if not kept.verify(sha256):
            faults.append(f"{kept.path(sha256)} is missing or is not what was backed up")
    return Checked(folder, faults, _manifest(folder))


def newest_in(target: Path) -> Path:
    """The backup meant by a folder: itself, or the newest one in it. Raises Refused."""
    if (target / archive.SUMS).is_file():
        return target
    found = sorted(one for one in target.glob("*Z") if (one / archive.SUMS).is_file()) if target.is_dir() else []
    if not found:
        raise Refused(f"{target} holds no finished backup; `bursarbridge backup DIR` makes one")
    return found[-1]


def vault_list(folder: Path) -> list[str]:
    """The hashes of the vault's files that belong to a backup."""
    return (folder / VAULT_LIST).read_text("ascii").split()


def _manifest(folder: Path) -> Manifest:
    told = json.loads((folder / MANIFEST).read_text("utf-8"))
    if told.get("form") != 1:
        raise Refused(f"{folder / MANIFEST} is of a form that this version does not know; use the version that made it, or a newer one")
    return Manifest(str(told["made_at"]), str(told["campus"]), str(told["database"]), Fingerprint(**told["ledger"]))


def put_settings(folder: Path, path: Path) -> None:
    """Puts the settings of a backup where there are none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    archive.copy(folder / SETTINGS, path)


def stamp(now: datetime) -> str:
    """An instant as it stands in names."""
    return now.strftime(_STAMP)


def put_back_vault(folder: Path, vault: Archive, hashes: Iterable[str]) -> int:
    """Brings every file of a backup into a vault that lacks it; what is newer there stays, as evidence. Returns how many came."""
    kept, came = FileVault(folder.parent / "vault"), 0
    for sha256 in hashes:
        if not vault.has(sha256):
            vault.keep(kept.path(sha256))
            came += 1
    return came
