"""The hold desk: what staff ask about one person's hold, and the one thing a single person may order: a release."""

from __future__ import annotations

from typing import NamedTuple

from bursarbridge.errors import Refused
from bursarbridge.flows.holds import HoldsFlow, source_of, today_of
from bursarbridge.ledger.holds import Decision, Told, Verb, decide
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.words import day, moment
from bursarbridge.store import hold_views, open_items
from bursarbridge.store.books import Books


class Explained(NamedTuple):
    """Why there is a hold, or none, of one source on one person."""

    source: str
    verdict: str
    """The sentence staff can say."""
    waiting_on: str
    owed_cents: int
    told: Told
    verb: str
    """What the next run would do."""
    history: tuple[hold_views.EventView, ...]


def release_by_hand(books: Books, flow: HoldsFlow, account: str, actor: str, reason: str, released_on: str, until_on: str) -> str:
    """Orders that a person be released although money is open; the next run tells it, and no guard counts it (H11).

    Until `until_on` (campus date) what is open now places no new hold. Raises Refused without a reason, for a day that is over, and
    for somebody about whom nothing is known.
    """
    if not reason.strip():
        raise Refused("say why: a hold that is released by hand needs a reason")
    if until_on < released_on:
        raise Refused(f"the release would end on {day(until_on)}, before it begins; name a later day: --until YYYY-MM-DD")
    source = source_of(books, flow)
    one = explain(books, flow, account, released_on)
    if not one.told.verb and not one.owed_cents:
        raise Refused(f'nobody with the number "{account}" owes the {flow.source} anything or has a hold of it; check the number')
    books.do(
        "insert into hold_release (source_id, account, actor, reason, at, released_on, until_on) "
        "values (:s, :account, :actor, :reason, :at, :on, :until)",
        s=source,
        account=account,
        actor=actor,
        reason=reason.strip(),
        at=books.now,
        on=released_on,
        until=until_on,
    )
    if not one.told.active:
        return f"no hold is on; what is open now places none until {day(until_on)}"
    return f"the hold of {shown(one.told.cents)} goes with the next run; what is open now places none until {day(until_on)}"


def explain(books: Books, flow: HoldsFlow, account: str, on: str) -> Explained:
    """Why a person has a hold of this source or none, what was told, and who moves next; for everybody, known or not."""
    source = source_of(books, flow)
    open_items.begin(books)
    open_items.choose_one(books, account)
    (person,) = list(open_items.people(books, source, flow.basis))
    decision = decide(flow.policy, person.items, person.told, today_of(books, flow, on), person.override)
    verdict, waiting = _said(flow, person.told, decision)
    return Explained(
        flow.source,
        verdict,
        waiting,
        sum(item.cents for item in person.items),
        person.told,
        decision.verb.value,
        tuple(hold_views.history(books, source, account)),
    )


def _said(flow: HoldsFlow, told: Told, decision: Decision) -> tuple[str, str]:
    """The verdict, and who moves next."""
    because = decision.because
    told_at = moment(told.at, flow.zone)
    if told.active:
        stands = f"A {flow.source} hold of {shown(told.cents)} is on ({_known(told)}, told {told_at})"
        coming = {Verb.RELEASE: "it is released with the next run", Verb.CHANGE: f"it changes to {shown(decision.cents)} with the next run"}
        if decision.verb in coming:
            return f"{stands}: {because}; {coming[decision.verb]}.", "our next run"
        if decision.verb is Verb.PLACE:
            return f"{stands}, but {because}; it is told again with the next run.", "our next run"
        return f"{stands}: {because}.", "the student"
    if decision.verb is Verb.PLACE:
        return f"No {flow.source} hold is on yet: {because}; one of {shown(decision.cents)} is placed with the next run.", "our next run"
    if told.verb == Verb.RELEASE and decision.verb is Verb.RELEASE:
        return f"The {flow.source} hold was released {told_at}, and {because}; it is told again with the next run.", "the bursar"
    before = f"; the one before was released {told_at} ({_known(told)})" if told.verb else ""
    return f"No {flow.source} hold is on: {because}{before}.", "nobody"


def _known(told: Told) -> str:
    if told.repair:
        return {"missing": "missing at the bursar's", "amount": "another amount at the bursar's", "still": "still there at the bursar's"}[told.repair]
    return {"seen": "seen at the bursar's", "assumed": "taken by the bursar, as assumed"}.get(told.confirmed, "not confirmed yet")
