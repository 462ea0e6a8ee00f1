"""How a campus comes to rest: faults are off, everybody answers, people decide what asks; then nobody waits without a name."""

from collections.abc import Callable
from contextlib import suppress

from bursarbridge.errors import Refused
from bursarbridge.flows.resolve import actions_for
from bursarbridge.ledger.returns import FeeState
from bursarbridge.store.views import ItemView
from tests.campus_files import Answer
from tests.library_desk import LOST_FEE
from tests.simulation.world import World

ALL = "ckTprkT"
"""Every flow, in an order in which the news of one reaches the next."""
NAMED = ("nobody", "the student", "the cashier", "a person: suspense ")
"""Who may be waited for when everybody has answered: the one who pays, the one who refunds, and who decided to leave a question open."""

Runs = Callable[[str, str], None]


def come_to_rest(world: World, run: Runs) -> None:
    """Lets the dust settle, first without and then with answers, and looks at every obligation. `run` runs flows by their letters."""
    world.shelves.trouble, world.shelves.lose_answer = [], False
    _settles(world, run, 2)
    hidden = [path for place in ("alma/in", "peoplesoft/in") for path in (world.campus.folder / place).glob(".*")]
    asked = sum(item.code == "in_doubt" for item in world.campus.items(only_open=False))
    assert len(hidden) <= asked, "a temporary name was left, and nobody was asked about it"
    for rounds in range(10):
        if not _everybody_answers(world) and rounds > 1:
            break
        _settles(world, run, 1)
    _nobody_is_forgotten(world)
    _what_came_back_is_waived(world)


def _settles(world: World, run: Runs, rounds: int) -> None:
    """Runs without news come to rest, and another one moves nothing."""
    for _ in range(rounds):
        run(ALL, "")
        world.campus.later(hours=26)
        world.check()


def _everybody_answers(world: World) -> bool:
    """Whether there was something to answer or to export."""
    shelves, campus = world.shelves, world.campus
    for where in shelves.places():
        if shelves.at(where).state == FeeState.DISPUTED:
            shelves.disputes(where)
    decided = [item.id for item in campus.items() if _decide(world, item)]
    said = [
        Answer("POSTED", one.document, "", one.cents, one.lines)
        for one in campus.batches()
        if one.kind in ("charge", "credit") and one.state in ("SENT", "RECEIVED")
    ]
    if said:
        world.known(campus.answer(*said), len(said), 0)
    late, world.late = world.late, []
    news = bool(decided or said or late or shelves.pending)
    if late or shelves.pending:
        world.export(late, list(shelves.pending))
    return news


def _decide(world: World, item: ItemView) -> bool:
    """A person does the first thing that is lawful, the most helpful first; whether there was one."""
    lawful = [action.name for action in actions_for(item.code, blocks=item.blocks)]
    if item.code == "in_doubt":
        lawful = ["arrived" if any(name in item.words for name in world.documents) else "send-again"]
    elif item.code == "refund_question" or item.code == "unmapped_fee_type":
        return False  # the cashier takes his time, and nobody maps the fee type
    for action in lawful:
        with suppress(Refused):
            world.campus.resolve(item.id, action, world.reason(item.account, item.id))
            return True
    return False


def _nobody_is_forgotten(world: World) -> None:
    """Every obligation is closed, or waits for somebody who has a name and something to do."""
    with world.campus.books() as books:
        references = [str(row[0]) for row in books.rows("select source_reference from obligation")]
    for reference in references:
        told = world.campus.verdict(reference)
        assert told.waiting_on.startswith(NAMED), f"fee {reference} waits for {told.waiting_on!r}: {told.words}"
        stands = world.campus.place_of(reference)
        if told.waiting_on == "nobody":
            assert set(stands) <= {"settled"}, f"fee {reference} counts as closed and stands at {stands}"


def _what_came_back_is_waived(world: World) -> None:
    """A call that never came costs nothing: no fee stays open at the library that the bursar has too, while its item is back."""
    shelves = world.shelves
    for where in shelves.places():
        fee = shelves.at(where)
        if fee.category != LOST_FEE or not fee.balance_cents or not shelves.back(where):
            continue
        with world.campus.books() as books:
            known = books.rows("select 1 from obligation where source_reference = :r and account = :a", r=fee.reference, a=where[0][0])
        stands = world.campus.place_of(fee.reference) if known else {}
        assert stands.get("bursar", 0) != fee.balance_cents, f"fee {fee.reference} is back, open on both sides, and was not waived"
