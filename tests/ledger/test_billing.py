"""What a parking office's word does to a charge: the rule as a table, and that nothing is ever taken back twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.ledger.billing import Ask, Billed, TakeBack, decide_billed, is_to_be_billed
from bursarbridge.ledger.facts import Standing, Violation

WREN, TAM = "0012345", "20260417"


def says(cents: int, status: Standing = Standing.OPEN, account: str = WREN, user_type: str = "Student") -> Violation:
    return Violation("V1", account, "No permit", cents, "2026-10-03", status, user_type)


@pytest.mark.parametrize(
    ("now", "user_types", "billed"),
    [
        (says(4500), (), True),
        (says(4500), ("Student",), True),
        (says(4500), ("Staff",), False),
        (says(4500, Standing.DISPUTED), (), False),
        (says(0, Standing.OPEN), (), False),
        (says(0, Standing.VOID), (), False),
    ],
)
def test_what_becomes_a_charge(now: Violation, user_types: tuple[str, ...], billed: bool) -> None:
    assert is_to_be_billed(now, user_types) is billed


@pytest.mark.parametrize(
    ("now", "billed", "decided"),
    [
        (says(4500), Billed(WREN, 4500), None),
        (says(3000), Billed(WREN, 4500), TakeBack(1500)),
        (says(3000), Billed(WREN, 4500, taken_back=1500), None),
        (says(2500), Billed(WREN, 4500, told=2000), None),
        (says(4500), Billed(WREN, 4500, told=2000), None),
        (says(1500), Billed(WREN, 4500, told=2000), TakeBack(1000)),
        (says(0, Standing.VOID), Billed(WREN, 4500, told=2000), TakeBack(4500)),
        (says(0, Standing.WARNING), Billed(WREN, 4500, taken_back=4500), None),
        (says(0, Standing.PAID), Billed(WREN, 4500, told=4500), None),
        (says(0, Standing.PAID), Billed(WREN, 4500), TakeBack(4500, asked=True)),
        (says(0, Standing.PAID), Billed(WREN, 4500, unbilled=4500), TakeBack(4500)),
        (says(0, Standing.ABSENT), Billed(WREN, 4500), TakeBack(4500)),
        (says(4500), Billed(WREN, 4500, withdrawn=4500), None),
        (says(0, Standing.VOID), Billed(WREN, 4500, withdrawn=4500), None),
    ],
)
def test_what_follows(now: Violation, billed: Billed, decided: TakeBack | None) -> None:
    assert decide_billed(now, billed, tells_paid=True) == decided


def test_an_office_without_a_word_for_paid_asks_nobody() -> None:
    assert decide_billed(says(0, Standing.PAID), Billed(WREN, 4500), tells_paid=False) == TakeBack(4500)


@pytest.mark.parametrize("now", [says(6000), says(4500, account=TAM), says(4500)])
def test_more_or_another_person_is_a_question(now: Violation) -> None:
    taken_back = 1500 if now == says(4500) else 0
    assert isinstance(decide_billed(now, Billed(WREN, 4500, taken_back=taken_back), tells_paid=True), Ask)


@given(st.integers(0, 100), st.sampled_from(list(Standing)), st.integers(1, 100), st.data())
def test_what_was_taken_back_is_explained_from_then_on(owed: int, status: Standing, cents: int, chance: st.DataObject) -> None:
    told, taken_back = chance.draw(st.integers(0, cents)), chance.draw(st.integers(0, cents))
    billed = Billed(WREN, cents, told=told, taken_back=taken_back)
    decision = decide_billed(says(owed, status), billed, tells_paid=True)
    if isinstance(decision, TakeBack):
        assert 0 < decision.cents <= cents - taken_back
        assert decide_billed(says(owed, status), billed._replace(taken_back=taken_back + decision.cents), tells_paid=True) is None
