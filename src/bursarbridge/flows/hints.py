"""Returned items, from two sides: webhook calls that hint at one, and a sweep that asks about every open lost-item fee.

Both read the library's state anew and end in the same decision; neither trusts what a call says (alma.md 4.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from bursarbridge.errors import Unreadable
from bursarbridge.flows.desk import Asked, Look, Returning, ago, decided, fees_in, look
from bursarbridge.flows.run import Run
from bursarbridge.ledger.returns import Decision, LibraryFee, Outcome
from bursarbridge.ports.calls import Notice
from bursarbridge.store import inbox, returns, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.inbox import Waiting
from bursarbridge.store.returns import Intent, LostFee

ReadNotice = Callable[[bytes], Notice]
_ASKING = {Outcome.PAID: "return_refund", Outcome.DISPUTE: "return_dispute", Outcome.DIFFERS: "return_differs"}
"""Outcomes that are a question for a person, and the code it waits under."""


def hear(run: Run, returning: Returning, read: ReadNotice, events: tuple[str, ...], institution: str, asked: Asked) -> Counter[str]:
    """Works through the inbox: returns are looked into, other calls end at once. Counts outcomes."""
    waiting = run.post("inbox", lambda books: [list(one) for one in inbox.pending(books, returning.source, returning.most)])
    ended: Counter[str] = Counter()
    for one in (Waiting._make(row) for row in waiting):
        state, words, notice = _sorted_out(one, read, events, institution)
        if notice is None:
            run.post(f"call {one.id} ends", partial(_end, returning, one, state, words))
            ended[state] += 1
        elif not asked.stopped:
            ended.update(_hint(run, returning, one, notice, asked))
    return ended


def sweep(run: Run, returning: Returning, asked: Asked) -> Counter[str]:
    """Asks about lost-item fees that are open on student accounts, longest unasked first, as many as a run may. Counts outcomes."""
    before = ago(run, returning.ask_after)
    find = partial(returns.to_ask, source=returning.source, categories=returning.categories, before=before, most=returning.most)
    found = run.post("sweep", lambda books: [list(one) for one in find(books)])
    ended: Counter[str] = Counter()
    for fee in (LostFee._make(row) for row in found):
        if asked.stopped:
            break
        seen = run.act(f"ask about {fee.reference}", partial(look, returning.desk, fee.account, fee.item, returning.categories))
        if asked.answered(seen["later"], seen["refused"]):
            ended.update(run.post(f"decide {fee.reference}", partial(_swept, returning, fee, seen)))
        elif seen["refused"]:
            run.post(f"no answer about {fee.reference}", partial(_unanswered, fee, seen["refused"]))
    return ended


def _sorted_out(one: Waiting, read: ReadNotice, events: tuple[str, ...], institution: str) -> tuple[str, str, Notice | None]:
    """How a call ends at once, or the notice that has to be looked into."""
    try:
        notice = read(one.body.encode())
    except Unreadable as error:
        return "unreadable", error.words, None
    if institution and notice.institution and notice.institution != institution:
        return "ignored", "it comes from another institution", None
    if notice.event not in events:
        return "ignored", f"{notice.event or 'it'} is not about a return", None
    if not notice.user or not notice.item:
        return "ignored", "it names no person or no item; the sweep finds what it meant", None
    return "", "", notice


def _end(returning: Returning, one: Waiting, state: str, words: str, books: Books) -> bool:
    if state == "unreadable":
        item = suspense.Item(f"webhook:{returning.source}", "webhook_unreadable", f"{words}; the sweep finds returns meanwhile")
        suspense.put_undecided(books, returning.channel, [item])
    return inbox.end(books, one.id, "ignored", words)


def _hint(run: Run, returning: Returning, one: Waiting, notice: Notice, asked: Asked) -> list[str]:
    seen = run.act(f"look into call {one.id}", partial(look, returning.desk, notice.user, notice.item, returning.categories))
    if asked.answered(seen["later"], seen["refused"]):
        old = one.received_at < ago(run, returning.patience)
        return run.post(f"decide call {one.id}", partial(_heard, returning, one, notice, seen, old))
    if seen["refused"]:
        run.post(f"call {one.id} waits", lambda books: inbox.end(books, one.id, "waiting", f"the library refuses the question: {seen['refused']}"))
    return []


def _heard(returning: Returning, one: Waiting, notice: Notice, seen: Look, old: bool, books: Books) -> list[str]:
    """Decides every lost-item fee of the person and item of a call, and how the call ends."""
    decisions = [_fee(returning, notice.user, fee, seen, books) for fee in fees_in(seen)]
    waits = [each.words for each in decisions if each.outcome is Outcome.WAIT]
    if not decisions and not seen["loans"] and not seen["in_place"]:
        waits = ["the library knows neither such a loan nor a lost-item fee of this person for this item"]
    if waits and not old:
        inbox.end(books, one.id, "waiting", waits[0])
    elif waits:
        _give_up(returning, one, waits[0], bool(decisions), books)
    elif decisions:
        inbox.end(books, one.id, "done", "; ".join(dict.fromkeys(each.words for each in decisions)))
    else:
        inbox.end(books, one.id, "ignored", "an ordinary return: this person has no lost-item fee for this item")
    return [str(each.outcome) for each in decisions] or ["wait" if waits else "ignored"]


def _give_up(returning: Returning, one: Waiting, words: str, fee_known: bool, books: Books) -> None:
    """A call has waited long enough: where a fee is open at the library a person hears of it, and the sweep goes on."""
    if fee_known:
        item = suspense.Item(f"return_waits:{one.id}", "return_waits", f"since {one.received_at[:10]}: {words}")
        suspense.put_undecided(books, returning.channel, [item])
    inbox.end(books, one.id, "ignored", f"waited since {one.received_at[:10]}, and no longer: {words}")


def _swept(returning: Returning, fee: LostFee, seen: Look, books: Books) -> list[str]:
    known = next((one for one in fees_in(seen) if one.reference == fee.source_reference), None)
    if known is not None:
        return [str(_fee(returning, fee.account, known, seen, books).outcome)]
    if seen["in_place"]:
        outcome, words = (
            Outcome.DIFFERS,
            "the item is at the library, which shows no such fee; it is open on the student account: find out which is right",
        )
    else:
        outcome, words = Outcome.NOT_RETURNED, "the library shows no such fee of this person, and the item is not there"
    _write_down(returning, fee, Decision(outcome, words), "", books)
    return [str(outcome)]


def _fee(returning: Returning, person: str, fee: LibraryFee, seen: Look, books: Books) -> Decision:
    """Decides one fee; a waive is written down before anything is done about it."""
    lost = returns.by_reference(books, returning.source, fee.reference)
    ours = f"WAIVE-{lost.reference}" if lost else "WAIVE-"
    decision, came_back = decided(seen, fee, returns.billed_of(books, lost.obligation) if lost else None, ours)
    if lost is None:
        return decision
    _write_down(returning, lost, decision, came_back, books)
    if decision.outcome is Outcome.WAIVE:
        wanted = Intent(0, lost.obligation, ours, person, fee.item, fee.fee, decision.cents, returning.reason, "open")
        returns.intend(books, wanted)
    return decision


def _write_down(returning: Returning, fee: LostFee, decision: Decision, came_back: str, books: Books) -> None:
    """The newest answer, and the question to a person where it is one; older questions about the fee end with it."""
    returns.set_case(books, fee.obligation, str(decision.outcome), decision.words, came_back)
    for outcome, code in _ASKING.items():
        if outcome is decision.outcome:
            billed = returns.billed_of(books, fee.obligation)
            cents = billed.paid if outcome is Outcome.PAID else billed.open
            item = suspense.Item(
                f"{code}:{fee.obligation}", code, decision.words, fee.source_reference, fee.account, cents, obligation=fee.obligation
            )
            suspense.put_undecided(books, returning.channel, [item])
        else:
            suspense.close(books, f"{code}:{fee.obligation}", "over", note=decision.words)


def _unanswered(fee: LostFee, words: str, books: Books) -> bool:
    """A question the library refuses is asked again when its turn comes, not before the others."""
    returns.set_case(books, fee.obligation, str(Outcome.WAIT), f"the library refuses the question: {words}", "")
    return True
