"""Reconcile, the half that carries no money: hold files that left since the backup become again what the bursar was told (P21)."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from bursarbridge.flows.evidence import Evidence, Owner
from bursarbridge.flows.run import Run
from bursarbridge.ledger.found import FoundDocument, FoundHold
from bursarbridge.store import found_holds, runs
from bursarbridge.store.books import Books


class Reheld(NamedTuple):
    """A hold file that was entered."""

    lines: int
    cents: int


def enter(run: Run, evidence: Evidence, document: FoundDocument) -> Reheld | None:
    """Enters a hold file that the books do not know; None when nobody here has its lines."""
    source, rows = evidence.holds(document)
    if source is None:
        return None
    run.post(f"enter {document.name}", partial(_entered, evidence, source, document, rows))
    return Reheld(len(rows), sum(max(one.cents, 0) for one in rows))


def wait(run: Run, evidence: Evidence, document: FoundDocument) -> None:
    """Has nobody decided by less than the run of that hold file can have known (its lines may be lost)."""
    owner = evidence.holder(document)
    if owner is not None:
        run.post(f"wait {document.name}", partial(_waits, owner, evidence.known_until.get(document.name, document.made_at)))


def _entered(evidence: Evidence, owner: Owner, document: FoundDocument, rows: list[FoundHold], books: Books) -> bool:
    source = runs.source_number(books, owner.name, owner.prefix)
    found_holds.put(books, source, document, rows, evidence.campus_date(document.made_at), evidence.expected(document))
    return True


def _waits(owner: Owner, until_at: str, books: Books) -> bool:
    found_holds.wait(books, runs.source_number(books, owner.name, owner.prefix), until_at)
    return True
