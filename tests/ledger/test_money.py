"""Whole cents: exact in, exact out, nothing guessed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.money import CENTS_MAX, cents_of, shown, text_of

CENTS = st.integers(-CENTS_MAX, CENTS_MAX)


@pytest.mark.parametrize(
    ("text", "cents"),
    [("300", 30_000), ("0.82", 82), ("1.5", 150), ("-3.25", -325), ("-0.5", -50), ("0", 0), ("007.10", 710), ("999999999.99", CENTS_MAX)],
)
def test_plain_amounts_are_read_exactly(text: str, cents: int) -> None:
    assert cents_of(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "1.",
        ".5",
        "1.234",
        "1,00",
        "1,000.00",
        "1e3",
        "$5",
        "5 USD",
        "--1",
        "1-",
        "(1)",
        "0x1",
        "1_0",
        "１",
        "NaN",
        "1000000000",
        "1\n",
    ],
)
def test_d09_whatever_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        cents_of(text)
    assert caught.value.code == "amount"


@given(CENTS)
def test_what_is_printed_is_read_back(cents: int) -> None:
    assert cents_of(text_of(cents)) == cents


@given(st.text(alphabet="0123456789.-+,eE $\n٣", max_size=14))
def test_every_text_is_a_plain_amount_or_refused(text: str) -> None:
    plain = re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,2})?", text, re.ASCII) and not text.endswith("\n")
    try:
        cents = cents_of(text)
    except Unreadable:
        assert not plain
        return
    assert plain
    assert text_of(cents).lstrip("-").rstrip("0").rstrip(".").lstrip("0") == text.lstrip("-").lstrip("0").rstrip("0").rstrip(".") or "." not in text


@pytest.mark.parametrize(("cents", "words"), [(0, "$0.00"), (5, "$0.05"), (-5, "-$0.05"), (126_500, "$1,265.00"), (-123_456_789, "-$1,234,567.89")])
def test_people_read_dollars_and_thousands(cents: int, words: str) -> None:
    assert shown(cents) == words


@given(CENTS)
def test_people_and_machines_read_the_same_amount(cents: int) -> None:
    assert shown(cents).replace("$", "").replace(",", "") == text_of(cents)
