"""What staff can say of a fee: one sentence a case (ux.md 2.2, the verdicts of this loop)."""

import pytest

from bursarbridge.ledger.entries import Place
from bursarbridge.ledger.posting import Standing
from bursarbridge.ledger.verdict import InFlight, Question, Verdict, verdict

NOW = "2026-08-03T02:00:00Z"
SENT = InFlight("the bursar", "LIB_1.dat", Place.BURSAR, 500, "2026-08-03T01:00:00Z", "2026-08-03T14:00:00Z", in_doubt=False)
BACK = InFlight("the library", "bursarbridge-7.xml", Place.SETTLED, 500, "2026-08-03T01:00:00Z", "2026-08-03T03:00:00Z", in_doubt=False)


def _said(standing: Standing, *flights: InFlight, questions: tuple[Question, ...] = (), assumed: bool = False, cents: int = 500) -> Verdict:
    return verdict(cents, "the library", standing, flights, questions, assumed=assumed, now=NOW)


@pytest.mark.parametrize(
    ("said", "words", "waits_for", "by"),
    [
        (_said(Standing(source=500)), "$5.00 waits for our next charge file.", "our next charge run", ""),
        (
            _said(Standing(source=500), questions=(Question(7, "unmapped_fee_type", "fee type X has no item type", blocks=True),)),
            "$5.00 is kept back: fee type X has no item type.",
            "a person: suspense 7",
            "",
        ),
        (
            _said(Standing(source=500), questions=(Question(7, "refused_invalid_term", "the bursar refused it: Invalid Term", blocks=True),)),
            "$5.00 is kept back: the bursar refused it: Invalid Term.",
            "a person: suspense 7",
            "",
        ),
        (
            _said(Standing(bursar=500), questions=(Question(8, "conflict", "fee 900 came again with another amount", blocks=False),)),
            "Fee 900 came again with another amount; $5.00 is on the student account.",
            "a person: suspense 8",
            "",
        ),
        (
            _said(Standing(in_transit=500), SENT._replace(sent_at="")),
            "$5.00 is written to LIB_1.dat and leaves with our next run.",
            "our next run",
            "",
        ),
        (_said(Standing(in_transit=500), SENT), "$5.00 was sent in LIB_1.dat, normal: the bursar has it.", "the bursar", "2026-08-03T14:00:00Z"),
        (
            _said(Standing(in_transit=500), SENT._replace(expected_at="2026-08-03T01:59:59Z")),
            "$5.00 was sent in LIB_1.dat, late: the bursar has not answered.",
            "the bursar",
            "2026-08-03T01:59:59Z",
        ),
        (
            _said(Standing(in_transit=500), SENT._replace(in_doubt=True)),
            "$5.00: it is not certain that LIB_1.dat reached the bursar.",
            "a person",
            "",
        ),
        (_said(Standing(bursar=500)), "$5.00 is on the student account.", "the student", ""),
        (
            _said(Standing(bursar=300, paid=200)),
            "Part paid, $3.00 left on the student account; $2.00 is paid at the bursar; the library is told with our next remittance.",
            "the student",
            "",
        ),
        (_said(Standing(paid=500)), "$5.00 is paid at the bursar; the library is told with our next remittance.", "our next payment run", ""),
        (
            _said(Standing(in_transit=500), BACK),
            "$5.00 payment was sent in bursarbridge-7.xml, normal: the library has it.",
            "the library",
            "2026-08-03T03:00:00Z",
        ),
        (_said(Standing(settled=500)), "Paid, both sides know.", "nobody", ""),
        (
            _said(Standing(settled=500), assumed=True),
            "Paid, both sides know (that the library took it in is assumed, there is no answer to prove it).",
            "nobody",
            "",
        ),
        (
            _said(Standing(bursar=300, settled=200)),
            "Part paid, $3.00 left on the student account; paid, $2.00 of it known to both sides.",
            "the student",
            "",
        ),
        (
            _said(Standing(settled=500, student_credit=200)),
            "$2.00 was paid beyond what is owed: a credit of the student's, a refund is the cashier's decision; paid, both sides know.",
            "the cashier",
            "",
        ),
        (_said(Standing(), cents=0), "$0.00: recorded, nothing is owed.", "nobody", ""),
        (_said(Standing()), "$5.00: withdrawn, nothing is owed.", "nobody", ""),
    ],
)
def test_one_sentence_a_case(said: Verdict, words: str, waits_for: str, by: str) -> None:
    assert said == Verdict(words, waits_for, by)


def test_the_blocking_question_comes_first() -> None:
    questions = (Question(1, "conflict", "came again", blocks=False), Question(2, "no_term", "no term", blocks=True))
    assert _said(Standing(source=500), questions=questions).waiting_on == "a person: suspense 2"
