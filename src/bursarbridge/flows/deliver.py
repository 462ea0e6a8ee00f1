"""Deliver: documents leave whole or not at all, once; and what counts as an answer where the other side gives none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypedDict

from bursarbridge.errors import Refused
from bursarbridge.flows.run import Run, utc_text
from bursarbridge.ports import Endpoint
from bursarbridge.store import answers, batches
from bursarbridge.store.batches import Awaiting, Outgoing
from bursarbridge.store.books import Books


@dataclass(frozen=True)
class Outlet:
    """Where a destination's documents go, and how it is known that they were taken in."""

    destination: str
    endpoint: Endpoint
    expected_after: timedelta
    """An answer later than this after delivery is late."""
    confirmed_by: str
    """results, collected, or assumed."""
    assumed_after: timedelta | None
    """When, after a verified delivery, confirmation is assumed; None for never."""


class Delivered(TypedDict):
    """A document that left, or that could not."""

    name: str
    sha256: str
    count: int
    cents: int
    proof: str
    """read_back, taken, or "" when a person has to look."""
    words: str


Settle = Callable[[int, str, Books], int]
"""Takes the waiting lines of a batch as taken in, with the words for why; returns how many."""


def deliver(run: Run, outlets: Mapping[str, Outlet]) -> list[Delivered]:
    """Sends what is sealed, oldest first. The temporary name, the mark and the rename make every crash decidable by looking."""
    waiting = run.post("outbox", lambda books: [list(one) for one in batches.outbox(books, run.flow)])
    return [_deliver(run, outlets[str(one[1])], Outgoing._make(one)) for one in waiting]


def _deliver(run: Run, outlet: Outlet, out: Outgoing) -> Delivered:
    if not out.uploaded:
        run.act(f"upload {out.document}", partial(_upload, run, outlet, out))
        run.world.reached("deliver.uploaded")
        run.post(f"uploaded {out.document}", partial(batches.mark_uploaded, batch=out.id))
        run.world.reached("deliver.intended")
    proof, words = run.act(f"publish {out.document}", partial(_publish, outlet, out))
    run.world.reached("deliver.verified")
    run.post(f"sent {out.document}", partial(_mark, run, outlet, out, proof, words))
    run.world.reached("deliver.sent")
    run.log("document_sent" if proof else "document_in_doubt", document=out.document, lines=out.lines, cents=out.cents, proof=proof)
    return Delivered(name=out.document, sha256=out.sha256, count=out.lines, cents=out.cents, proof=proof, words=words)


def _upload(run: Run, outlet: Outlet, out: Outgoing) -> bool:
    outlet.endpoint.upload(out.document, run.world.vault.path(out.sha256))
    return True


def _publish(outlet: Outlet, out: Outgoing) -> tuple[str, str]:
    try:
        return outlet.endpoint.publish(out.document, out.sha256).value, ""
    except Refused as error:
        return "", str(error)


def _mark(run: Run, outlet: Outlet, out: Outgoing, proof: str, words: str, books: Books) -> bool:
    if not proof:
        return batches.mark_in_doubt(books, out.id, words)
    return batches.mark_sent(books, out.id, proof, utc_text(datetime.fromisoformat(run.now) + outlet.expected_after))


def confirm(run: Run, outlet: Outlet, settle: Settle | None = None) -> int:
    """Settles what counts as an answer where none comes: taken away by the partner, or enough time after a verified delivery.

    Such lines are marked as assumed until evidence comes (architecture.md, section 1). Returns how many lines moved on.
    `settle` is for batches that carry no money.
    """
    if outlet.confirmed_by == "results" and outlet.assumed_after is None:
        return 0
    waiting = run.post(f"awaiting {outlet.destination}", lambda books: [list(one) for one in batches.awaiting(books, outlet.destination)])
    moved = 0
    for one in waiting:
        batch = Awaiting._make(one)
        why = run.act(f"confirmed? {batch.document}", partial(_evidence, run, outlet, batch))
        if why:
            moved += run.post(f"confirm {batch.document}", partial(settle or _confirm, batch.id, why))
            run.world.reached("confirm.posted")
    return moved


def _evidence(run: Run, outlet: Outlet, batch: Awaiting) -> str:
    if outlet.confirmed_by == "collected" and not outlet.endpoint.present(batch.document):
        return "assumed: the other side has taken the file away"
    if outlet.assumed_after is None:
        return ""
    due = datetime.fromisoformat(batch.sent_at) + outlet.assumed_after
    return f"assumed: no objection since the delivery of {batch.sent_at}" if datetime.fromisoformat(run.now) >= due else ""


def _confirm(batch: int, why: str, books: Books) -> int:
    return answers.confirm(books, batch, books.cause("assumed", batch=batch, words=why), assumed=True)
