"""The posting rules, a row a case (reliability.md 2.2); the store is held to them in tests/store/test_two_ways.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import AnswerStatus, Charge
from bursarbridge.ledger.posting import (
    AlreadyPosted,
    AppliedLevel,
    Conflict,
    Decision,
    KnownCharge,
    LineState,
    Posted,
    Standing,
    Suspended,
    decide_answer,
    decide_applied,
    decide_charge,
)

FEE = Charge("900", "0012345", "OVERDUEFINE", 500, "2026-07-28")
KNOWN = KnownCharge("0012345", "OVERDUEFINE", 500)
SOURCE, TRANSIT, BURSAR, PAID, SETTLED, CREDIT, OUTSIDE = (
    Place.SOURCE,
    Place.IN_TRANSIT,
    Place.BURSAR,
    Place.PAID,
    Place.SETTLED,
    Place.STUDENT_CREDIT,
    Place.OUTSIDE,
)


def _ended(decision: Decision) -> object:
    """A decision in few words: entries as (from, to, cents), a code, or the name of what it is."""
    if isinstance(decision, Posted):
        return [(entry.source, entry.target, entry.cents) for entry in decision.entries]
    if isinstance(decision, Suspended):
        return decision.code
    return type(decision).__name__


@pytest.mark.parametrize(
    ("fee", "known", "ended"),
    [
        (FEE, None, [(OUTSIDE, SOURCE, 500)]),
        (FEE._replace(cents=0), None, []),
        (FEE, KNOWN, "AlreadyPosted"),
        (FEE._replace(assessed_on="2026-07-30", item="3111", owner="MAIN", extra="x"), KNOWN, "AlreadyPosted"),
        (FEE._replace(cents=501), KNOWN, "Conflict"),
        (FEE._replace(cents=0), KNOWN, "Conflict"),
        (FEE._replace(account="0012346"), KNOWN, "Conflict"),
        (FEE._replace(category="OTHER"), KNOWN, "Conflict"),
    ],
)
def test_a_fee_is_new_the_same_or_a_conflict(fee: Charge, known: KnownCharge | None, ended: object) -> None:
    assert _ended(decide_charge(fee, known)) == ended


def test_d04_a_conflict_names_every_difference() -> None:
    decision = decide_charge(Charge("900", "0012346", "OTHER", 750, ""), KNOWN)
    assert isinstance(decision, Conflict)
    assert decision.words == (
        "fee 900 came again with amount $7.50 instead of $5.00 and person 0012346 instead of 0012345 "
        "and fee type OTHER instead of OVERDUEFINE; what was posted first stands"
    )


OPEN = Standing(bursar=500)
CASES = [
    # told, known, where the money is, what follows
    (AppliedLevel(500, "2"), AppliedLevel(), OPEN, [(BURSAR, PAID, 500)]),
    (AppliedLevel(200, "2"), AppliedLevel(), OPEN, [(BURSAR, PAID, 200)]),
    (AppliedLevel(500, "2"), AppliedLevel(200, "1"), Standing(bursar=300, paid=200), [(BURSAR, PAID, 300)]),
    (AppliedLevel(700, "2"), AppliedLevel(), OPEN, [(BURSAR, PAID, 500), (OUTSIDE, CREDIT, 200)]),
    (AppliedLevel(200, "2"), AppliedLevel(200, "1"), Standing(bursar=300, paid=200), "AlreadyPosted"),
    (AppliedLevel(0, "2"), AppliedLevel(), OPEN, "AlreadyPosted"),
    (AppliedLevel(500, "1"), AppliedLevel(200, "2"), Standing(bursar=300, paid=200), "AlreadyPosted"),
    (AppliedLevel(0, "1"), AppliedLevel(200, "2"), Standing(bursar=300, paid=200), "AlreadyPosted"),
    (AppliedLevel(500, "2"), AppliedLevel(200, "2"), Standing(bursar=300, paid=200), [(BURSAR, PAID, 300)]),
    (AppliedLevel(500, "2"), AppliedLevel(), Standing(source=500), "payment_before_charge"),
    (AppliedLevel(500, "2"), AppliedLevel(), Standing(in_transit=500), "payment_in_flight"),
    (AppliedLevel(500, "2"), AppliedLevel(), Standing(), "payment_for_closed"),
    (AppliedLevel(700, "2"), AppliedLevel(500, "1"), Standing(settled=500), "payment_for_closed"),
    (AppliedLevel(-1, "2"), AppliedLevel(500, "1"), Standing(settled=500), "negative_total"),
    (AppliedLevel(-500, "2"), AppliedLevel(), Standing(settled=500), [(SETTLED, BURSAR, 500)]),
    (AppliedLevel(-500, "2"), AppliedLevel(), OPEN, "negative_total"),
    (AppliedLevel(0, "2"), AppliedLevel(500, "1"), Standing(paid=500), [(PAID, BURSAR, 500)]),
    (AppliedLevel(0, "2"), AppliedLevel(500, "1"), Standing(settled=500), [(SETTLED, BURSAR, 500)]),
    (AppliedLevel(200, "2"), AppliedLevel(500, "1"), Standing(paid=100, settled=400), [(PAID, BURSAR, 100), (SETTLED, BURSAR, 200)]),
    (AppliedLevel(500, "2"), AppliedLevel(700, "1"), Standing(settled=500, student_credit=200), [(CREDIT, OUTSIDE, 200)]),
    (AppliedLevel(400, "2"), AppliedLevel(700, "1"), Standing(paid=500, student_credit=200), [(CREDIT, OUTSIDE, 200), (PAID, BURSAR, 100)]),
    (AppliedLevel(0, "2"), AppliedLevel(500, "1"), Standing(in_transit=500), "reversal_in_flight"),
    (AppliedLevel(0, "2"), AppliedLevel(500, "1"), Standing(bursar=500), "reversal_too_large"),
]


@pytest.mark.parametrize(("told", "known", "standing", "ended"), CASES)
def test_applied_so_far_against_what_was_known(told: AppliedLevel, known: AppliedLevel, standing: Standing, ended: object) -> None:
    assert _ended(decide_applied(told, known, standing)) == ended


@given(st.builds(Standing, *[st.integers(0, 5)] * 7), st.integers(-5, 20), st.integers(0, 20), st.sampled_from("012"), st.sampled_from("012"))
def test_i6_no_decision_takes_what_is_not_there(standing: Standing, told: int, known: int, told_at: str, known_at: str) -> None:
    decision = decide_applied(AppliedLevel(told, told_at), AppliedLevel(known, known_at), standing)
    if not isinstance(decision, Posted):
        return
    left = {place: getattr(standing, place.word) for place in Place if place is not OUTSIDE}
    for entry in decision.entries:
        assert entry.cents > 0
        if entry.target is not OUTSIDE:
            left[entry.target] += entry.cents
        if entry.source is not OUTSIDE:
            left[entry.source] -= entry.cents
    assert min(left.values()) >= 0
    news = sum(entry.cents if entry.kind is Kind.PAYMENT else -entry.cents for entry in decision.entries)
    assert news == told - known


def _line(state: str, held: int = 500) -> LineState:
    return LineState(state, SOURCE, BURSAR, 500, Kind.CHARGE, held)


@pytest.mark.parametrize(
    ("status", "line", "ended"),
    [
        ("posted", _line("sent"), [(TRANSIT, BURSAR, 500)]),
        ("refused", _line("sent"), [(TRANSIT, SOURCE, 500)]),
        ("received", _line("sent"), "AlreadyPosted"),
        ("loaded", _line("sent"), "AlreadyPosted"),
        ("posted", _line("posted"), "AlreadyPosted"),
        ("refused", _line("refused"), "AlreadyPosted"),
        ("posted", _line("assumed"), []),
        ("refused", _line("assumed"), [(BURSAR, SOURCE, 500)]),
        ("refused", _line("assumed", held=499), "Conflict"),
        ("refused", _line("posted"), "Conflict"),
        ("posted", _line("refused"), [(SOURCE, BURSAR, 500)]),
        ("posted", _line("refused", held=0), "Conflict"),
    ],
)
def test_the_bursars_word_on_a_line(status: str, line: LineState, ended: object) -> None:
    assert _ended(decide_answer(AnswerStatus(status), line)) == ended


def test_decisions_are_values() -> None:
    assert decide_charge(FEE, None) == Posted((Entry(OUTSIDE, SOURCE, 500, Kind.CHARGE),))
    assert decide_charge(FEE, KNOWN) == AlreadyPosted()
