"""Batches: what left together, its control total, and the lawful moves of its state."""

from enum import StrEnum

from bursarbridge.errors import Refused


class BatchState(StrEnum):
    """How far a batch has come (architecture.md, section 3)."""

    OPEN = "OPEN"
    SEALED = "SEALED"
    SENT = "SENT"
    RECEIVED = "RECEIVED"
    POSTED = "POSTED"
    PARTLY_POSTED = "PARTLY_POSTED"
    REFUSED = "REFUSED"
    IN_DOUBT = "IN_DOUBT"


_ANSWERED = frozenset({BatchState.POSTED, BatchState.PARTLY_POSTED, BatchState.REFUSED})
_MOVES = {
    # Open and refused: a plan that a guard held and a person rejected.
    BatchState.OPEN: frozenset({BatchState.SEALED, BatchState.REFUSED}),
    # Sealed and answered: the line was cut while the document was given its name, and the answer proves that it got there.
    BatchState.SEALED: frozenset({BatchState.SENT, BatchState.IN_DOUBT}) | _ANSWERED,
    BatchState.IN_DOUBT: frozenset({BatchState.SENT, BatchState.SEALED}) | _ANSWERED,
    BatchState.SENT: frozenset({BatchState.RECEIVED}) | _ANSWERED,
    BatchState.RECEIVED: _ANSWERED,
    BatchState.POSTED: _ANSWERED,
    BatchState.PARTLY_POSTED: _ANSWERED,
    BatchState.REFUSED: _ANSWERED,
}
AWAITING = frozenset({BatchState.SENT, BatchState.RECEIVED})
"""States in which the other side has to speak next."""


def move(state: BatchState, target: BatchState) -> BatchState:
    """The state after a lawful move; staying is lawful. Raises Refused for a move that no story explains."""
    if target == state or target in _MOVES[state]:
        return target
    raise Refused(f"a batch that is {state} cannot become {target}")


def answered(sent: int, posted: int, refused: int) -> BatchState | None:
    """The batch's state by its lines' states; None while lines still wait for an answer."""
    if sent:
        return None
    if not refused:
        return BatchState.POSTED
    return BatchState.PARTLY_POSTED if posted else BatchState.REFUSED
