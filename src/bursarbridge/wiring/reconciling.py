"""Reconciling a restored ledger: evidence from the vault, from the partners' places and from their systems, and no way to send anything."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from bursarbridge.errors import Refused
from bursarbridge.flows.evidence import Evidence, Shows
from bursarbridge.flows.preview import ReadOnly
from bursarbridge.flows.reconcile import Findings, conclude, look
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.jobs.abandon import abandon_unfinished
from bursarbridge.jobs.lock import only_one
from bursarbridge.ports import Archive
from bursarbridge.store import found, opening, runs
from bursarbridge.store.books import Books
from bursarbridge.store.runlog import Log, log_in
from bursarbridge.wiring.epochs import keep_mark, notice
from bursarbridge.wiring.evidence import Gathering, gather
from bursarbridge.wiring.marks import marks_of
from bursarbridge.wiring.vaults import scratch_of

if TYPE_CHECKING:
    from bursarbridge.wiring.bridge import Bridge

R = TypeVar("R")


@dataclass(frozen=True)
class DirectSteps:
    """flows.run.Steps without an engine: reconciling bears repeating as a whole, so no step of it need be remembered."""

    ledger: sa.Engine

    def act(self, _name: str, deed: Callable[[], R]) -> R:
        """Does it."""
        return deed()

    def post(self, _name: str, deed: Callable[[sa.Connection], R]) -> R:
        """Posts it in a transaction of its own."""
        with self.ledger.begin() as connection:
            return deed(connection)


def reconcile(bridge: Bridge, actor: str, note: str, documents: Path | None, *, confirm: bool) -> Findings:
    """Finds out what left since the backup and enters it; with `confirm` the block is lifted, by a person and for a reason.

    Raises Refused when nothing is blocked or something has to be cleared up first, TryLater when a place cannot be reached, Busy.
    """
    if confirm and not note.strip():
        raise Refused("say why what is due may leave again: --reason TEXT; it is kept with your name")
    opening.refuse_unsafe(bridge.ledger)
    with only_one(bridge.ledger), ExitStack() as open_ones:
        epoch = notice(bridge)
        if epoch is None:
            raise Refused("nothing is blocked: no backup was put back since the last reconciliation")
        now = bridge.clock()
        run = _run(bridge, f"{found.FLOW}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}", now)
        place = open_ones.enter_context(bridge.ways.places(ReadOnly))
        with bridge.books(writing=True) as books:
            known, logs = found.known(books, epoch.began_at), _logs(books, bridge.vault)
        mark = marks_of(bridge.ledger, bridge.vault).read()
        evidence = gather(Gathering(bridge.settings, bridge.vault, scratch_of(bridge.settings), place, known, logs, mark, documents))
        evidence = _asking(bridge, evidence, open_ones)
        findings = conclude(run, evidence, actor, note) if confirm else look(run, evidence)
        run.post("finish", lambda books: runs.finish(books, run.number, "completed" if confirm else "held", dict(findings)))
        if confirm:
            abandon_unfinished(bridge.ledger)
        keep_mark(bridge, run.name)
        return findings


def _run(bridge: Bridge, name: str, now: datetime) -> Run:
    steps, at = DirectSteps(bridge.ledger), utc_text(now)
    number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, at), name, found.FLOW, "1"))
    bridge.reached("run.begun")
    today = now.astimezone(bridge.settings.campus.timezone).date().isoformat()
    return Run(name, found.FLOW, number, at, today, steps, World(bridge.vault, scratch_of(bridge.settings), bridge.wait, bridge.reached))


def _logs(books: Books, vault: Archive) -> tuple[Log, ...]:
    """The vault's logs of runs that the ledger does not know, in the order of their epochs and numbers."""
    logs = []
    for note in vault.notes("runs"):
        try:
            logs.append(log_in(vault.noted(note).decode("utf-8", "replace")))
        except (ValueError, TypeError):
            continue  # a note that cannot be read is no evidence
    unknown = set(found.unknown_runs(books, [one.name for one in logs]))
    return tuple(one for one in logs if one.name in unknown)


def _asking(bridge: Bridge, evidence: Evidence, open_ones: ExitStack) -> Evidence:
    """The same evidence, with the systems that are told of payments by API ready to be asked what they show."""
    if not evidence.told_destinations:
        return evidence
    teller_of = open_ones.enter_context(bridge.ways.tellers())
    shows = {name: teller for name in evidence.told_destinations if isinstance(teller := teller_of(name), Shows)}
    return replace(evidence, told={name: one.shown for name, one in shows.items()})
