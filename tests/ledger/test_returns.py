"""What becomes of the fee of an item that may be back: every row of the decision, and the sentence for it."""

import pytest

from bursarbridge.ledger.returns import (
    Billed,
    Decision,
    LibraryCredit,
    LibraryFee,
    Loan,
    LoanState,
    Outcome,
    credited_since,
    decide,
    loan_state,
    returned_at,
)

FEE = LibraryFee("F1", "1001", "LOSTITEMREPLACEMENTFEE", "open", 9500, "BC1", "2026-07-20T00:00:00Z")
OPEN = Billed(open=9500)
CLOSED = FEE._replace(state="closed", balance_cents=0)


def decided(
    fee: LibraryFee = FEE, billed: Billed | None = OPEN, *, loan: LoanState = LoanState.RETURNED, credited: int = 0, ours: str = "WAIVE-L1"
) -> Decision:
    return decide(loan, fee, credited, billed, ours)


@pytest.mark.parametrize(
    ("case", "outcome", "said"),
    [
        (decided(), Outcome.WAIVE, "$95.00 is waived"),
        (decided(loan=LoanState.LOST), Outcome.NOT_RETURNED, "still lost"),
        (decided(loan=LoanState.CLAIMED), Outcome.NOT_RETURNED, "claimed to be returned"),
        (decided(loan=LoanState.OUT), Outcome.NOT_RETURNED, "on loan"),
        (decided(loan=LoanState.UNKNOWN), Outcome.WAIT, "knows no loan"),
        (decided(FEE._replace(state="disputed")), Outcome.DISPUTE, "in dispute"),
        (decided(credited=9500), Outcome.ALREADY, "itself credited $95.00"),
        (decided(FEE._replace(marks=("bursarbridge WAIVE-L1 found",))), Outcome.ALREADY, "by us"),
        (decided(CLOSED._replace(waived_cents=9500)), Outcome.ALREADY, "already waived"),
        (decided(CLOSED), Outcome.ALREADY, "nothing is open"),
        (decided(CLOSED._replace(paid_cents=9500), Billed(paid=9500)), Outcome.PAID, "$95.00 was paid"),
        (decided(billed=Billed(paying=9500, paid=9500)), Outcome.PAID, "refund"),
        (decided(CLOSED._replace(paid_cents=9500), Billed(paid=9500, student_credit=9500)), Outcome.ALREADY, "student's credit"),
        (decided(billed=None), Outcome.WAIT, "not billed yet"),
        (decided(CLOSED, None), Outcome.ALREADY, "nothing is open"),
        (decided(billed=Billed(unsent=9500)), Outcome.WAIT, "not on the student account yet"),
        (decided(billed=Billed(sending=9500)), Outcome.WAIT, "not on the student account yet"),
        (decided(billed=Billed(crediting=9500)), Outcome.ALREADY, "on its way"),
        (decided(billed=Billed()), Outcome.ALREADY, "nothing of it is open"),
        (decided(billed=Billed(open=6500, paying=3000, paid=3000)), Outcome.WAIT, "$30.00 is on its way to the library"),
        (decided(billed=Billed(open=6500, paid=3000)), Outcome.DIFFERS, "$95.00 is open at the library, $65.00 on the student account"),
        (decided(FEE._replace(balance_cents=6500), Billed(open=6500, paid=3000)), Outcome.WAIVE, "$65.00 is waived (what remains"),
    ],
)
def test_every_case_has_one_outcome_and_one_sentence(case: Decision, outcome: Outcome, said: str) -> None:
    assert case.outcome is outcome
    assert said in case.words and "\n" not in case.words
    assert bool(case.cents) == (outcome is Outcome.WAIVE)


def test_only_an_open_billed_fee_of_a_returned_item_is_ever_waived() -> None:
    for loan in LoanState:
        for state in ("open", "disputed", "closed"):
            for billed in (None, OPEN, Billed(unsent=9500), Billed(paying=9500, paid=9500)):
                one = decided(FEE._replace(state=state), billed, loan=loan)
                assert (one.outcome is Outcome.WAIVE) == (loan is LoanState.RETURNED and state == "open" and billed is OPEN)


def test_a_return_before_the_fee_does_not_answer_for_it() -> None:
    before = Loan("L0", "returned", "2026-07-01T00:00:00Z")
    after = Loan("L1", "returned", "2026-07-25T00:00:00Z")
    lost = Loan("L2", "lost")
    assert loan_state([before, lost], FEE, in_place=False) is LoanState.LOST
    assert loan_state([before, after, lost], FEE, in_place=False) is LoanState.RETURNED
    assert loan_state([Loan("L3", "claimed")], FEE, in_place=True) is LoanState.CLAIMED
    assert loan_state([before], FEE, in_place=False) is LoanState.UNKNOWN
    assert returned_at([before, after], FEE) == after.returned_at


def test_an_item_in_its_place_is_back_when_its_loan_was_made_anonymous() -> None:
    assert loan_state([], FEE, in_place=True) is LoanState.RETURNED
    assert loan_state([], FEE, in_place=False) is LoanState.UNKNOWN


def test_credits_of_an_earlier_loss_or_another_item_do_not_count() -> None:
    found = [LibraryCredit("BC1", 100, "2026-07-01T00:00:00Z"), LibraryCredit("BC2", 200), LibraryCredit("BC1", 9500, "2026-08-01T00:00:00Z")]
    assert credited_since(found, FEE) == 9500
