"""A batch's state moves only where a story explains it."""

import pytest

from bursarbridge.errors import Refused
from bursarbridge.ledger.batch import AWAITING, BatchState, answered, move

LAWFUL = {
    "OPEN": "SEALED REFUSED",
    "SEALED": "SENT IN_DOUBT POSTED PARTLY_POSTED REFUSED",
    "IN_DOUBT": "SENT SEALED POSTED PARTLY_POSTED REFUSED",
    "SENT": "RECEIVED POSTED PARTLY_POSTED REFUSED",
    "RECEIVED": "POSTED PARTLY_POSTED REFUSED",
    "POSTED": "PARTLY_POSTED REFUSED",
    "PARTLY_POSTED": "POSTED REFUSED",
    "REFUSED": "POSTED PARTLY_POSTED",
}


@pytest.mark.parametrize("state", BatchState)
@pytest.mark.parametrize("target", BatchState)
def test_every_pair_of_states(state: BatchState, target: BatchState) -> None:
    if target == state or target in LAWFUL[state].split():
        assert move(state, target) is target
        return
    with pytest.raises(Refused, match=f"a batch that is {state} cannot become {target}"):
        move(state, target)


@pytest.mark.parametrize(
    ("sent", "posted", "refused", "state"),
    [
        (1, 0, 0, None),
        (1, 5, 5, None),
        (0, 3, 0, BatchState.POSTED),
        (0, 2, 1, BatchState.PARTLY_POSTED),
        (0, 0, 3, BatchState.REFUSED),
    ],
)
def test_the_lines_say_the_state(sent: int, posted: int, refused: int, state: BatchState | None) -> None:
    assert answered(sent, posted, refused) is state


def test_nothing_leaves_an_answered_state_for_a_waiting_one() -> None:
    for state in (BatchState.POSTED, BatchState.PARTLY_POSTED, BatchState.REFUSED):
        for waiting in (*AWAITING, BatchState.SEALED, BatchState.OPEN, BatchState.IN_DOUBT):
            with pytest.raises(Refused):
                move(state, waiting)
