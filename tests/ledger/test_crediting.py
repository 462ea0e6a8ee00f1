"""The crediting rule: exactly one fee has to fit, money is conserved, nothing is applied twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.ledger.crediting import Applied, Candidate, CreditDecision, CreditRules, Echo, KnownCredit, Waits, decide_chosen, decide_credit
from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import Credit
from bursarbridge.ledger.posting import AlreadyPosted, Conflict

RULES = CreditRules()
CREDIT = Credit("c1", "0012345", 500, "2026-09-01", "B1")
OPEN = Candidate(1, "900", "LOST", "B1", 500, "2026-08-01", bursar=500)


def code(decision: CreditDecision) -> str:
    assert isinstance(decision, Waits)
    return decision.code


@pytest.mark.parametrize(
    ("fee", "entries", "refund"),
    [
        (OPEN, (Entry(Place.BURSAR, Place.WAIVED, 500, Kind.WAIVER),), 0),
        (OPEN._replace(bursar=0, source=500), (Entry(Place.SOURCE, Place.SETTLED, 500, Kind.WAIVER),), 0),
        (OPEN._replace(cents=700, paid=200), (Entry(Place.BURSAR, Place.WAIVED, 500, Kind.WAIVER),), 0),
        (OPEN._replace(bursar=0, paid=500), (Entry(Place.OUTSIDE, Place.STUDENT_CREDIT, 500, Kind.CREDIT),), 500),
        (
            OPEN._replace(bursar=300, paid=200),
            (Entry(Place.BURSAR, Place.WAIVED, 300, Kind.WAIVER), Entry(Place.OUTSIDE, Place.STUDENT_CREDIT, 200, Kind.CREDIT)),
            200,
        ),
    ],
)
def test_one_fee_that_fits_gets_it(fee: Candidate, entries: tuple[Entry, ...], refund: int) -> None:
    assert decide_credit(CREDIT, None, [fee], RULES) == Applied(1, entries, refund)


@pytest.mark.parametrize(
    ("fees", "wanted"),
    [
        ([], "credit_before_charge"),
        ([OPEN._replace(item="B2")], "credit_before_charge"),
        ([OPEN._replace(bursar=0, in_flight=500)], "credit_in_flight"),
        ([OPEN._replace(bursar=0, in_flight=900)], "credit_in_flight"),
        ([OPEN, OPEN._replace(obligation=2)], "credit_ambiguous"),
        ([OPEN._replace(bursar=700)], "partial_waive"),
        ([OPEN._replace(bursar=400)], "credit_unmatched"),
        ([OPEN._replace(bursar=400), OPEN._replace(obligation=2, bursar=600)], "credit_unmatched"),
        ([OPEN._replace(bursar=0, waived=500)], "credit_double"),
        ([OPEN._replace(bursar=0)], "credit_unmatched"),
        ([OPEN._replace(bursar=0, paid=500), OPEN._replace(obligation=2, bursar=0, paid=500)], "credit_ambiguous"),
    ],
)
def test_what_does_not_fit_waits_with_its_reason(fees: list[Candidate], wanted: str) -> None:
    assert code(decide_credit(CREDIT, None, fees, RULES)) == wanted


def test_the_same_content_is_known_and_other_content_a_conflict() -> None:
    assert decide_credit(CREDIT, KnownCredit("0012345", "B1", 500), [], RULES) == AlreadyPosted()
    for known in (KnownCredit("0012345", "B1", 400), KnownCredit("0099999", "B1", 500), KnownCredit("0012345", "B2", 500)):
        assert isinstance(decide_credit(CREDIT, known, [OPEN], RULES), Conflict)


def test_echoes_by_comment_and_by_our_own_overpayment() -> None:
    for comment in ("Bursar", "BURSAR ", "bursar"):
        assert decide_credit(CREDIT._replace(comment=comment), None, [OPEN], RULES) == Echo()
    assert isinstance(decide_credit(CREDIT._replace(comment="Bursar says waive"), None, [OPEN], RULES), Applied)
    assert isinstance(decide_credit(CREDIT._replace(comment=""), None, [OPEN], CreditRules(True, ("",))), Applied)
    assert decide_credit(CREDIT, None, [OPEN._replace(bursar=0, paid=500, overpaid=500)], RULES) == Echo(1)
    assert isinstance(decide_credit(CREDIT, None, [OPEN._replace(bursar=0, paid=500, overpaid=400)], RULES), Applied)


def test_without_an_item_every_fee_of_the_person_is_a_candidate() -> None:
    assert isinstance(decide_credit(CREDIT._replace(item=""), None, [OPEN, OPEN._replace(obligation=2, bursar=900)], RULES), Applied)
    assert code(decide_credit(CREDIT._replace(item=""), None, [OPEN, OPEN._replace(obligation=2, item="B2")], RULES)) == "credit_ambiguous"


def test_parts_are_applied_where_they_may_be_and_a_persons_choice_obeys_the_same_rule() -> None:
    part = OPEN._replace(bursar=700)
    assert isinstance(decide_credit(CREDIT, None, [part], CreditRules(full_waive_only=False)), Applied)
    assert code(decide_chosen(CREDIT, part, RULES)) == "partial_waive"
    assert isinstance(decide_chosen(CREDIT._replace(item="B9"), OPEN, RULES), Applied)


_FEES = st.lists(
    st.builds(
        Candidate,
        obligation=st.integers(1, 4),
        reference=st.just("900"),
        category=st.just("LOST"),
        item=st.sampled_from(["B1", "B2", ""]),
        cents=st.just(500),
        assessed_on=st.sampled_from(["", "2026-08-01", "2026-10-01"]),
        source=st.sampled_from([0, 200, 500]),
        in_flight=st.sampled_from([0, 0, 500]),
        bursar=st.sampled_from([0, 200, 500]),
        paid=st.sampled_from([0, 200, 500]),
        waived=st.sampled_from([0, 500]),
        overpaid=st.sampled_from([0, 500]),
    ),
    max_size=4,
    unique_by=lambda one: one.obligation,
)


@given(_FEES, st.sampled_from([200, 300, 500, 700]), st.booleans(), st.sampled_from(["B1", ""]))
def test_any_credit_is_applied_whole_to_one_fee_or_waits_in_words(fees: list[Candidate], cents: int, whole: bool, item: str) -> None:
    decision = decide_credit(CREDIT._replace(cents=cents, item=item), None, fees, CreditRules(whole))
    if isinstance(decision, Applied):
        fee = next(one for one in fees if one.obligation == decision.obligation)
        taken = {entry.source: entry.cents for entry in decision.entries}
        assert sum(taken.values()) == cents
        assert not fee.in_flight
        assert taken.get(Place.SOURCE, 0) <= fee.source
        assert taken.get(Place.BURSAR, 0) <= fee.bursar
        assert taken.get(Place.OUTSIDE, 0) == decision.refund_cents <= fee.paid
        assert not (whole and fee.open and cents < fee.open)
    elif not isinstance(decision, Echo):
        assert isinstance(decision, Waits) and decision.words
    assert decision == decide_credit(CREDIT._replace(cents=cents, item=item), None, fees[::-1], CreditRules(whole))
