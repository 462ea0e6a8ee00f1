"""Marks: how far the ledger had come, written beside it and into the vault after every run, so that an older ledger is noticed (P21)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bursarbridge.exchange.disk import make_folder, read_if_there, replace_file
from bursarbridge.ports import Archive
from bursarbridge.store.epochs import Mark

_NOTE = "mark.json"


@dataclass(frozen=True)
class Marks:
    """The marks of one ledger: a small file beside a SQLite ledger, and a note in the vault; what is in either counts."""

    beside: Path | None
    vault: Archive

    def read(self) -> Mark:
        """The furthest mark there is; an empty one before the first run."""
        found = [_parsed(self.vault.noted(_NOTE)), _parsed(read_if_there(self.beside)) if self.beside else Mark()]
        furthest = max(found, key=lambda one: (one.epoch, one.run, one.ended))
        return furthest._replace(batch=max(one.batch for one in found), obligation=max(one.obligation for one in found))

    def write(self, mark: Mark) -> None:
        """Puts a mark in both places, durably. Numbers that were given out once are never forgotten."""
        before = self.read()
        mark = mark._replace(batch=max(mark.batch, before.batch), obligation=max(mark.obligation, before.obligation))
        if mark == before and self._whole(mark):
            return
        content = json.dumps(mark._asdict()).encode()
        if self.beside is not None:
            make_folder(self.beside.parent)
            replace_file(self.beside, content)
        self.vault.note(_NOTE, content)

    def _whole(self, mark: Mark) -> bool:
        """Whether both places say so: one of them may have been lost."""
        return _parsed(self.vault.noted(_NOTE)) == mark and (self.beside is None or _parsed(read_if_there(self.beside)) == mark)


def marks_of(ledger: sa.Engine, vault: Archive) -> Marks:
    """Where the marks of a ledger are."""
    beside = Path(str(ledger.url.database)).with_suffix(".mark") if ledger.dialect.name == "sqlite" else None
    return Marks(beside, vault)


def _parsed(content: bytes) -> Mark:
    """A mark as it was written; one that cannot be read counts as none, since the other one is there too."""
    try:
        told = json.loads(content) if content else {}
        return Mark(**{name: type(default)(told.get(name, default)) for name, default in Mark._field_defaults.items()})
    except (ValueError, AttributeError, TypeError):
        return Mark()
