"""Waiving at the library: intent first, then one look, one waive and the blocks, then the outcome (reliability.md F3, P15)."""

from __future__ import annotations

from functools import partial
from typing import TypedDict

from bursarbridge.errors import Refused, TryLater, Unreadable
from bursarbridge.flows.desk import Asked, Returning, decided, fees_in, look
from bursarbridge.flows.run import Run
from bursarbridge.ledger.returns import Billed, Outcome
from bursarbridge.store import returns, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.returns import Intent


class Tried(TypedDict):
    """What came of trying a waive."""

    state: str
    """waived, dropped (no need any more), refused, or later."""
    words: str


class Done(TypedDict):
    """What was waived in a run."""

    count: int
    cents: int
    blocks: int
    refused: int


def carry_out(run: Run, returning: Returning, asked: Asked) -> Done:
    """Does what is intended and not done yet, oldest first; what the library cannot do now stays for the next run."""
    done = Done(count=0, cents=0, blocks=0, refused=0)
    waiting = run.post("intents", lambda books: [_with_billed(books, one) for one in returns.open_intents(books, returning.source)])
    for row, billed in waiting:
        if asked.stopped:
            break
        intent = Intent._make(row)
        if intent.state == "open":
            tried = run.act(f"waive {intent.reference}", partial(_waive, returning, intent, Billed._make(billed)))
            run.world.reached("waive.told")
            asked.answered(tried["words"] if tried["state"] == "later" else "", "")
            run.post(f"outcome {intent.reference}", partial(_write_down, returning, intent, tried))
            run.world.reached("waive.recorded")
            done["refused"] += tried["state"] == "refused"
            if tried["state"] != "waived":
                continue
            done["count"] += 1
            done["cents"] += intent.cents
        done["blocks"] += _blocks(run, returning, intent, asked)
    return done


def _with_billed(books: Books, intent: Intent) -> list[list[object]]:
    return [list(intent), list(returns.billed_of(books, intent.obligation))]


def _waive(returning: Returning, intent: Intent, billed: Billed) -> Tried:
    """One waive, after one more look: between the decision and now Alma may have refunded the item itself (alma.md 5)."""
    seen = look(returning.desk, intent.person, intent.item, returning.categories)
    if seen["later"] or seen["refused"]:
        return Tried(state="later" if seen["later"] else "refused", words=seen["later"] or seen["refused"])
    fee = next((one for one in fees_in(seen) if one.fee == intent.fee), None)
    if fee is None:
        return Tried(state="dropped", words="the library shows the fee no more")
    if any(intent.reference in mark for mark in fee.marks):
        return Tried(state="waived", words="waived by us before; the answer was lost")
    decision, _came_back = decided(seen, fee, billed, intent.reference)
    if decision.outcome is not Outcome.WAIVE or decision.cents != intent.cents:
        return Tried(state="dropped", words=decision.words)
    try:
        told = returning.desk.waive(intent.person, intent.fee, intent.cents, intent.reason, intent.reference)
    except TryLater as error:
        return Tried(state="later", words=str(error))
    except (Refused, Unreadable) as error:
        return Tried(state="refused", words=str(error))
    return Tried(state="waived", words=told.words or "waived at the library; the credit comes with the next credit export")


def _write_down(returning: Returning, intent: Intent, tried: Tried, books: Books) -> bool:
    key = f"return_refused:{intent.obligation}"
    if tried["state"] == "later":
        return True
    returns.end_intent(books, intent.id, tried["state"], tried["words"])
    if tried["state"] == "refused":
        words = f"the library refuses to waive the fee of a returned item: {tried['words']}"
        item = suspense.Item(key, "return_refused", words, account=intent.person, cents=intent.cents, obligation=intent.obligation)
        suspense.put_undecided(books, returning.channel, [item])
    else:
        suspense.close(books, key, "over", note=tried["words"])
    if tried["state"] == "dropped":
        returns.ask_soon(books, intent.obligation)
    return True


def _blocks(run: Run, returning: Returning, intent: Intent, asked: Asked) -> int:
    """Takes the person's blocks that came from this item away; asked for again at the next run while it cannot be done."""
    if asked.stopped:
        return 0
    freed, later = run.act(f"blocks {intent.reference}", partial(_refresh, returning, intent))
    if later:
        asked.stopped = later
        return 0
    words = "waived, blocks refreshed" if freed >= 0 else "waived; the library refuses to refresh the blocks: look at the person there"
    run.post(f"blocks refreshed {intent.reference}", lambda books: returns.end_intent(books, intent.id, "done", words))
    if freed < 0:
        run.post(f"blocks refused {intent.reference}", partial(_blocked, returning, intent))
    return max(freed, 0)


def _refresh(returning: Returning, intent: Intent) -> tuple[int, str]:
    """How many blocks were taken away (-1: refused), and why not now."""
    try:
        return returning.desk.refresh_blocks(intent.person, intent.item), ""
    except TryLater as error:
        return 0, str(error)
    except (Refused, Unreadable):
        return -1, ""


def _blocked(returning: Returning, intent: Intent, books: Books) -> bool:
    words = "the fee of a returned item is waived, and the library refuses to take the person's block away: take it away by hand"
    item = suspense.Item(f"return_block:{intent.obligation}", "return_block", words, account=intent.person, obligation=intent.obligation)
    suspense.put_undecided(books, returning.channel, [item])
    return True
