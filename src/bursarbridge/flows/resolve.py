"""Resolve: what a person may decide about a suspense item, and what follows from it. Every decision is an entry or a note, never an edit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bursarbridge.errors import Refused
from bursarbridge.flows.billing import BilledPoster
from bursarbridge.flows.credits import LibraryPoster, resolve_credit
from bursarbridge.flows.posters import decide_again
from bursarbridge.flows.reading import Reading
from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import Fact, Violation
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.posting import AppliedLevel, Posted, Suspended, decide_applied
from bursarbridge.ports import Rejected
from bursarbridge.store import batches, hold_batches, moves, open_items, payment_cases, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.deliveries import Arrived
from bursarbridge.store.payment_levels import Statement
from bursarbridge.store.standing import payable_of, standing_of
from bursarbridge.store.views import ItemView


class Action(NamedTuple):
    """One thing a person may decide."""

    name: str
    words: str


_RESEND = Action("resend", "the cause is cured: it goes in the next file")
_WITHDRAW = Action("withdraw", "it is not to be carried out: a charge is taken out of the books, a credit leaves its charge open")
_RETRY = Action("retry", "decide it again with today's settings")
_DISMISS = Action("dismiss", "nothing is to be done about it, also when it comes again")
_KEEP = Action("keep", "what was posted first stands; the other system is put right by hand")
_CREDIT = Action("credit", "the money is the student's credit; the cashier decides on a refund")
_ACCEPT = Action("accept", "the person was checked: post the payment to this charge")
_APPLY = Action("apply", "it belongs to the fee that the reason names, by our reference or the library's")
_TAKEN = Action("apply", "the office has the money: it is taken off the student account with the next credit file")
_REVERSED = Action("reversed", "the payment was reversed: the charge is open again")
_ARRIVED = Action("arrived", "the file is there: the batch counts as sent")
_AGAIN = Action("send-again", "the file is not there and never was: it is sent again (of holds a new one is made)")

_OPENED = Action("opened", "the fee was opened in the source again by hand: what is paid on it from now on is told again")
_MOVED = Action("accept", "the person was checked: the violation is theirs from the next file on that says so")
_CLEARED = Action("cleared", "it was paid or voided: it counts as cleared with the next complete list that leaves it out")

_BY_HAND = Action("by-hand", "the library's own system was put right by hand: it counts as told")

_PAYMENTS = ("payment_unknown", "payment_before_charge", "payment_in_flight", "reversal_in_flight", "reversal_too_large", "negative_total")
_CREDITS = (
    "credit_before_charge",
    "credit_in_flight",
    "credit_ambiguous",
    "credit_unmatched",
    "credit_double",
    "partial_waive",
    "paid_after_billing",
)
_VIOLATIONS = {"violation_other_person": (_MOVED, _DISMISS), "violation_absent": (_CLEARED, _DISMISS)}
_ANSWERS = (
    "answer_",
    "control_total",
    "payments_vanished",
    "file_",
    "telling_",
    "return_",
    "job_",
    "webhook_",
    "violation_",
    "list_",
    "released_",
    "sent_unseen",
)


def actions_for(code: str, *, blocks: bool = False) -> tuple[Action, ...]:
    """What may be decided about an item of that code; `blocks` for one that keeps a charge from leaving."""
    if code == "told_refused":
        return (_RESEND, _BY_HAND)
    if blocks:
        return (_RESEND, _WITHDRAW)
    if code == "paid_after_billing":
        return (_TAKEN, _DISMISS)
    if code in _CREDITS:
        return (_APPLY, _RETRY, _DISMISS)
    if code == "refund_question":
        return (_DISMISS,)
    if code == "reopened":
        return (_OPENED, _DISMISS)
    if code == "conflict":
        return (_KEEP,)
    if code == "in_doubt":
        return (_ARRIVED, _AGAIN)
    if code == "payment_for_closed":
        return (_CREDIT, _RETRY, _DISMISS)
    if code == "payment_other_person":
        return (_ACCEPT, _DISMISS)
    if code == "payment_vanished":
        return (_REVERSED, _DISMISS)
    if code in _VIOLATIONS:
        return _VIOLATIONS[code]
    if code.startswith(_ANSWERS):
        return (_DISMISS,)
    return (_RETRY, _DISMISS)


Revive = Callable[[str, str], Fact | Rejected]
"""Channel and kept record to what the record says now."""

PosterOf = Callable[[str], Callable[[Reading, Iterator[Fact]], None]]
"""Channel to what posts a fact of it."""


def resolve(books: Books, item: ItemView, action: str, actor: str, note: str, revive: Revive, poster: PosterOf) -> str:
    """Carries out a person's decision and returns what came of it, in one sentence. Raises Refused when it is not lawful."""
    lawful = actions_for(item.code, blocks=item.blocks)
    if action not in {one.name for one in lawful}:
        known = "; ".join(f"{one.name} ({one.words})" for one in lawful)
        raise Refused(f"suspense {item.id} ({item.code}) cannot be resolved as {action}; what may be decided: {known}")
    if item.resolved_at:
        raise Refused(f"suspense {item.id} was resolved on {item.resolved_at} as {item.resolution}")
    if not note.strip():
        raise Refused("say why: a decision about money needs a reason")
    said = _carry_out(books, item, action, actor, note, revive, poster)
    suspense.close(books, item.key, action, actor=actor, note=note)
    return said


def _carry_out(books: Books, item: ItemView, action: str, actor: str, note: str, revive: Revive, poster: PosterOf) -> str:
    cause = books.cause("person", actor=actor, words=note)
    if item.code in _CREDITS:
        found = poster(item.channel)
        if not isinstance(found, LibraryPoster | BilledPoster):
            raise Refused(f'the settings no longer name a channel "{item.channel}" that carries credits')
        return resolve_credit(books, item, action, note, cause, found)
    if item.code in _VIOLATIONS:
        return "noted; the next file of the parking system settles it"
    if action == "withdraw":
        return _withdraw(books, item, cause)
    if action == "credit":
        return _credit(books, item, cause)
    if action == "reversed":
        return _reverse(books, item, cause)
    if action in ("accept", "retry") and (item.code.startswith("payment") or item.code in _PAYMENTS):
        return _payment_again(books, item)
    if action == "retry" and item.key.startswith("hold:"):
        return "the next run tries to write it again"
    if action == "retry":
        return _record_again(books, item, cause, revive, poster)
    if action in ("arrived", "send-again"):
        return _doubt(books, item, action)
    if action == "by-hand":
        return _by_hand(books, item, cause)
    if action == "opened":
        return _opened(books, item)
    if item.code == "sent_unseen":
        batches.close_trace(books, int(books.one("select batch_id from suspense where id = :id", id=item.id)))
        return "noted; its number stays used, and what it billed is what the other side says"
    if action == "resend":
        return f"{shown(item.cents)} goes in the next file"
    return "noted; nothing was posted"


def _withdraw(books: Books, item: ItemView, cause: int) -> str:
    obligation = _obligation(item)
    standing = standing_of(books, obligation)
    cents = standing.source
    if standing.waived and not cents:
        _move(books, obligation, [Entry(Place.WAIVED, Place.BURSAR, standing.waived, Kind.WITHDRAWAL)], cause)
        return f"{shown(standing.waived)} is open on the student account again; put the fee right in the source by hand"
    if not cents:
        raise Refused("nothing of this charge stands at the source any more; it cannot be withdrawn")
    _move(books, obligation, [Entry(Place.SOURCE, Place.OUTSIDE, cents, Kind.WITHDRAWAL)], cause)
    return f"{shown(cents)} is withdrawn and will not be billed"


def _by_hand(books: Books, item: ItemView, cause: int) -> str:
    obligation = _obligation(item)
    cents = min(item.cents, standing_of(books, obligation).paid)
    if not cents:
        raise Refused("nothing of this payment waits for the library any more")
    _move(books, obligation, [Entry(Place.PAID, Place.SETTLED, cents, Kind.PAYMENT)], cause)
    return f"{shown(cents)} counts as told"


def _opened(books: Books, item: ItemView) -> str:
    cents = min(item.cents, standing_of(books, _obligation(item)).bursar)
    if not cents:
        raise Refused("nothing of it is open at the bursar any more: it was paid or forgiven since, and nothing is to be opened")
    # What was paid since stays told; what was told beyond what was open never counted.
    over = batches.told_too_much(books, _obligation(item))
    books.do("update suspense set cents = :cents where id = :id", cents=cents + over, id=item.id)
    return f"{shown(cents)} counts as open in the source again"


def _credit(books: Books, item: ItemView, cause: int) -> str:
    obligation, told = _obligation(item), json.loads(item.raw)
    cents = int(told["cents"]) - _applied(books, obligation, int(told["period"]))
    if cents <= 0:
        raise Refused("the bursar has taken this payment back since; retry it instead")
    _move(books, obligation, [Entry(Place.OUTSIDE, Place.STUDENT_CREDIT, cents, Kind.PAYMENT)], cause)
    _set_applied(books, item, obligation, int(told["cents"]), int(told["rows"]))
    return f"{shown(cents)} is the student's credit; a refund is the cashier's decision"


def _reverse(books: Books, item: ItemView, cause: int) -> str:
    obligation, told = _obligation(item), json.loads(item.raw)
    known = _applied(books, obligation, int(told["period"]))
    decision = decide_applied(AppliedLevel(0, ""), AppliedLevel(known, ""), payable_of(books, obligation))
    if isinstance(decision, Suspended):
        raise Refused(f"{decision.words}; try again after the next payment run")
    if not isinstance(decision, Posted):
        raise Refused("nothing is applied any more; there is nothing to take back")
    _move(books, obligation, list(decision.entries), cause)
    payment_cases.forget_credited(books, obligation, decision.entries)
    delivery = int(books.one("select delivery_id from suspense where id = :id", id=item.id))
    suspense.put(books, item.channel, payment_cases.reopened(books, obligation, item.reference, item.account, decision.entries, delivery))
    _set_applied(books, item, obligation, 0, 0)
    return f"{shown(known)} is taken back and open again"


def _payment_again(books: Books, item: ItemView) -> str:
    row = books.rows("select delivery_id from suspense where id = :id", id=item.id)[0]
    if not decide_again(books, item.channel, item.id, item.raw, int(row[0]), item.obligation):
        raise Refused("decided again, and it still cannot be posted; `explain` says where the charge is")
    return "decided again and posted"


def _record_again(books: Books, item: ItemView, cause: int, revive: Revive, poster: PosterOf) -> str:
    fact = revive(item.channel, item.raw)
    if isinstance(fact, Rejected):
        raise Refused(f"decided again, and it is still not right: {fact.words}")
    row = books.rows("select delivery_id from suspense where id = :id", id=item.id)[0]
    arrived = Arrived(item.channel, item.delivery, "", 0, "")
    reading = Reading(books, item.channel, int(row[0]), cause, arrived)
    poster(item.channel)(reading, iter([fact]))
    if isinstance(fact, Violation):
        open_items.touch(books, fact.account)
    if reading.tally.conflicts.count:
        return "decided again; it conflicts with what is known, see the new suspense item"
    if reading.tally.suspended.count:
        return "decided again; it waits as a credit now, see the new suspense item"
    return "decided again; the same fee was known already" if reading.tally.already.count else "decided again and posted"


def _doubt(books: Books, item: ItemView, action: str) -> str:
    batch = int(books.one("select batch_id from suspense where id = :id", id=item.id))
    if action == "arrived":
        batches.mark_sent(books, batch, "person", books.now)
        return "the batch counts as sent"
    if hold_batches.give_up(books, batch):
        return "whoever is in it is decided again, and told anew with the next run"
    batches.send_again(books, batch)
    return "the same file is sent again with the next run"


def _obligation(item: ItemView) -> int:
    if item.obligation is None:
        raise Refused(f"suspense {item.id} belongs to no charge")
    return item.obligation


def _move(books: Books, obligation: int, entries: list[Entry], cause: int) -> None:
    moves.begin(books)
    moves.plan(books, [(obligation, entry) for entry in entries])
    moves.carry_out(books, cause)


def _applied(books: Books, obligation: int, period: int) -> int:
    found = books.rows("select cents from applied where obligation_id = :o and period = :p", o=obligation, p=period)
    return int(found[0][0]) if found else 0


def _set_applied(books: Books, item: ItemView, obligation: int, cents: int, rows: int) -> None:
    told = json.loads(item.raw)
    delivery = int(books.one("select delivery_id from suspense where id = :id", id=item.id))
    statement = Statement(item.channel, delivery, str(told["as_of"]), None, cumulative=True, period=int(told["period"]))
    payment_cases.set_level(books, statement, obligation, int(told["period"]), cents, rows)
