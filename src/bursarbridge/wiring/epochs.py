"""What keeps an older ledger from sending again: marks and logs written around every run, and the door that closes when they disagree (P21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursarbridge.store import epochs, runlog, runs
from bursarbridge.store.books import Books
from bursarbridge.wiring.marks import marks_of

if TYPE_CHECKING:
    from bursarbridge.wiring.bridge import Bridge


def require_open(bridge: Bridge) -> None:
    """Raises epochs.Blocked while a restore waits to be reconciled."""
    notice(bridge)
    with bridge.books() as books:
        epochs.require_none(books)


def begun(books: Books, name: str, flow: str) -> int:
    """A run's number; none begins while a restore waits to be reconciled, whoever starts it."""
    epochs.require_none(books)
    return runs.begin(books, name, flow, "1")


def notice(bridge: Bridge) -> epochs.Epoch | None:
    """The epoch that waits to be reconciled; a ledger that is older than its mark counts as restored from now on."""
    mark = marks_of(bridge.ledger, bridge.vault).read()
    with bridge.books() as books:
        older = epochs.behind(books, mark)
        waiting = epochs.waiting(books)
    if waiting is not None or not older:
        return waiting
    with bridge.books(writing=True) as books:
        return epochs.begin(books, mark.epoch + 1, older)


def keep_mark(bridge: Bridge, name: str = "") -> None:
    """Writes down outside of the ledger how far it has come and, with a run's name, what that run read and sent."""
    with bridge.books() as books:
        mark = epochs.mark_of(books)
        log = runlog.log_of(books, name) if name else None
    marks_of(bridge.ledger, bridge.vault).write(mark)
    if log is not None:
        bridge.vault.note(f"runs/{mark.epoch:04d}-{log.run:08d}.json", log.as_text().encode())
