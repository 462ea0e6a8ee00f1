"""The bursar's answers, and the words of its refusals."""

import pytest

from bursarbridge.formats.layout import shipped
from bursarbridge.ledger.facts import Answer, AnswerStatus
from bursarbridge.ports import Rejected, read
from bursarbridge.systems.peoplesoft.reasons import REASONS, Reason, reason_of
from bursarbridge.systems.peoplesoft.results import ResultReader

TITLES = "Status,File Name,Group ID,Reference Number,Emplid,Amount,Count,Reason"


def answers(*rows: str) -> list[object]:
    return list(read(ResultReader(shipped("generic-results")), ["\r\n".join((TITLES, *rows, "")).encode()]))


def test_the_stages_of_a_document() -> None:
    assert answers("RECEIVED,LIB_1.dat,,,,5010.81,3,", "LOADED,LIB_1.dat,G17,,,,,", "POSTED,LIB_1.dat,G17,,,10.82,2,") == [
        Answer("LIB_1.dat", AnswerStatus.RECEIVED, "", "", "", 501_081, 3, ""),
        Answer("LIB_1.dat", AnswerStatus.LOADED, "G17", "", "", -1, -1, ""),
        Answer("LIB_1.dat", AnswerStatus.POSTED, "G17", "", "", 1082, 2, ""),
    ]


def test_a_refused_line_keeps_the_bursars_words() -> None:
    (answer,) = answers("REFUSED,LIB_1.dat,G17,L0000000033,900000014,4999.99,,Invalid Term")
    assert answer == Answer("LIB_1.dat", AnswerStatus.REFUSED, "G17", "L0000000033", "900000014", 499_999, -1, "Invalid Term")


def test_not_posted_refuses_the_whole_document_even_when_it_names_a_line() -> None:
    (answer,) = answers("NOT_POSTED,LIB_1.dat,G17,L0000000033,900000014,5010.81,3,Do Not Post")
    assert answer == Answer("LIB_1.dat", AnswerStatus.REFUSED, "G17", "", "", 501_081, 3, "Do Not Post")


def test_an_unknown_status_is_a_rejected_row() -> None:
    (found,) = answers("MAYBE,LIB_1.dat,,L0000000033,900000014,4.00,,why")
    assert isinstance(found, Rejected)
    assert (found.code, found.reference, found.cents) == ("choice", "L0000000033", 400)
    reader = ResultReader(shipped("generic-results"))
    assert reader.revived(found.raw) == ["MAYBE", "LIB_1.dat", "", "L0000000033", "900000014", "4.00", "", "why"]


@pytest.mark.parametrize("reason", REASONS)
def test_published_reasons_are_known_however_they_are_spaced(reason: Reason) -> None:
    assert reason_of(f"  {reason.text.upper().replace(' ', '  ')}. ") == reason


def test_only_the_defaulted_term_is_a_warning() -> None:
    assert [reason.code for reason in REASONS if reason.warning] == ["term_defaulted"]


def test_other_words_stay_verbatim() -> None:
    assert reason_of("Person is on hold ")[:2] == ("other", "Person is on hold ")
    assert "no reason" in reason_of("").meaning
