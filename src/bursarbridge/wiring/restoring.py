"""Putting a backup back: nothing living is overwritten unasked, and the ledger is blocked before anybody can find it (P21)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from bursarbridge.config.model import Settings
from bursarbridge.errors import Refused
from bursarbridge.exchange import archive
from bursarbridge.flows.run import utc_text
from bursarbridge.jobs.lock import only_one
from bursarbridge.store import epochs, opening, snapshot
from bursarbridge.store.books import Books
from bursarbridge.store.epochs import Epoch, Mark
from bursarbridge.wiring import backups, postgres
from bursarbridge.wiring.backups import DUMP, ENGINE, LEDGER, Manifest
from bursarbridge.wiring.marks import marks_of
from bursarbridge.wiring.outside import Clock, Reached
from bursarbridge.wiring.vaults import vault_of

_BELONGING = ("-journal", "-wal", "-shm")


class Restored(NamedTuple):
    """What was put back, and what was moved out of the way for it."""

    folder: Path
    manifest: Manifest
    epoch: Epoch
    files: int
    """Files that the vault lacked."""
    aside: list[Path]


def restore(settings: Settings, source: Path, clock: Clock, reached: Reached, *, over: bool) -> Restored:
    """Puts ledger, engine tables and vault of a backup back, and begins an epoch: nothing leaves until it is reconciled.

    Raises Refused for a backup that is not whole or of another kind of database, and, unless `over`, when a ledger lives there; Busy.
    """
    checked = backups.check(source)
    if checked.manifest is None or checked.faults:
        raise Refused(f"{checked.folder} cannot be put back: {'; '.join(checked.faults[:3])}. Take an older backup, or mend this one from a copy")
    ledger = opening.open_engine(settings.storage.database.url())
    try:
        if ledger.dialect.name != checked.manifest.database:
            raise Refused(f"{checked.folder} is a backup of {checked.manifest.database}, and the settings name {ledger.dialect.name}")
        with only_one(ledger):
            if not over and (lives := _living(ledger)):
                raise Refused(f"{lives}; nothing was touched. Give --over to put the backup in its place (a SQLite file is moved aside, not deleted)")
            if ledger.dialect.name == "postgresql" and (unknown := postgres.unknown_to(ledger, checked.folder / DUMP)):
                raise Refused(
                    f"the database has tables that {checked.folder} does not know ({', '.join(unknown[:3])}), as one of a newer version has; nothing "
                    "was touched. Keep a copy of it (pg_dump), make an empty database in its place (dropdb, createdb), and restore into that"
                )
            return _restore(settings, ledger, checked.folder, checked.manifest, clock, reached)
    finally:
        ledger.dispose()


def _restore(settings: Settings, ledger: sa.Engine, folder: Path, manifest: Manifest, clock: Clock, reached: Reached) -> Restored:
    now, vault = clock(), vault_of(settings)
    files = backups.put_back_vault(folder, vault, backups.vault_list(folder))
    reached("restore.kept")
    marks = marks_of(ledger, vault)
    number = max(marks.read().epoch, manifest.ledger.epoch) + 1
    because = f"the backup of {manifest.made_at} was put back at {utc_text(now)}"
    # From here on any ledger found there is behind its mark, so a restore that is cut off leaves it blocked.
    marks.write(Mark(number, manifest.ledger.run, manifest.ledger.run_name, False, manifest.ledger.batch, manifest.ledger.obligation))
    reached("restore.marked")
    aside: list[Path] = []
    if manifest.database == "sqlite":
        path = Path(str(ledger.url.database))
        epoch = _prepared(folder, path, number, because, utc_text(now))
        for one, own in ((backups.engine_file(ledger), ENGINE), (path, LEDGER)):
            aside += archive.move_aside(one, backups.stamp(now), _BELONGING)
            reached("restore.aside")
            if (folder / own).exists():
                archive.put(_beside(one), one)
    else:
        postgres.restore(ledger, folder / DUMP)
        reached("restore.aside")
        opening.migrate(ledger)
        with ledger.begin() as connection:
            epoch = epochs.begin(Books(connection, 0, utc_text(now)), number, because)
    reached("restore.blocked")
    return Restored(folder, manifest, epoch, files, aside)


def _prepared(folder: Path, path: Path, number: int, because: str, now: str) -> Epoch:
    """Copies of both files beside their places; the ledger's is migrated and blocked before it gets its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if (folder / ENGINE).exists():
        archive.copy(folder / ENGINE, _beside(path.with_suffix(".engine.db")))
    archive.copy(folder / LEDGER, _beside(path))
    return snapshot.begin_epoch_in_file(_beside(path), number, because, now)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.restoring")


def _living(ledger: sa.Engine) -> str:
    """What lives where the backup would go; "" for nothing, or a ledger in which nothing ever ran."""
    if ledger.dialect.name == "sqlite" and not Path(str(ledger.url.database)).exists():
        return ""
    try:
        with ledger.connect().execution_options(reading=True) as connection:
            if not sa.inspect(connection).has_table("run"):
                return ""
            runs = int(connection.exec_driver_sql("select count(*) from run").scalar_one())
    except sa.exc.DatabaseError as error:
        return f"there is a database that cannot be read ({error.orig})"
    return f"a ledger with {runs} runs lives there" if runs else ""
