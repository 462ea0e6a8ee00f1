"""References lead back to their obligation, and no slip of the hand leads to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.reference import DIGITS, number_in, reference_of

NUMBERS = st.integers(1, 2**40 - 1) | st.integers(1, 2000)
PREFIXES = st.sampled_from(["L", "P", "LIB"])


def _refused(prefix: str, reference: str) -> bool:
    try:
        number_in(prefix, reference)
    except Unreadable as error:
        return error.code == "reference"
    return False


def test_the_form_is_lasting() -> None:
    assert reference_of("L", 123) == "L0000003V3V"
    assert reference_of("LIB", 2**40 - 1) == f"LIBZZZZZZZZ{DIGITS[(2**40 - 1) % 997 // 32]}{DIGITS[(2**40 - 1) % 997 % 32]}"


@given(PREFIXES, NUMBERS)
def test_a_reference_leads_back(prefix: str, number: int) -> None:
    reference = reference_of(prefix, number)
    assert number_in(prefix, reference) == number
    assert len(reference) == len(prefix) + 10 <= 30
    assert reference.isascii()
    assert reference.isalnum()


@given(NUMBERS)
def test_every_single_wrong_digit_is_caught(number: int) -> None:
    reference = reference_of("L", number)
    for at in range(1, len(reference)):
        for digit in DIGITS:
            if digit != reference[at]:
                assert _refused("L", reference[:at] + digit + reference[at + 1 :])


@given(NUMBERS)
def test_every_swap_of_two_is_caught(number: int) -> None:
    reference = reference_of("L", number)
    for at in range(1, len(reference)):
        for other in range(at + 1, len(reference)):
            if reference[at] != reference[other]:
                letters = list(reference)
                letters[at], letters[other] = letters[other], letters[at]
                assert _refused("L", "".join(letters)), (reference, "".join(letters))


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "L",
        "L0000003V3",
        "L0000003V3VX",
        "P0000003V3V",
        "L0000003I3V",
        "L000000 V3V",
        "l0000003v3v",
        "L0000000000",
        "L٠000003V3V",
        "L-000003V3V",
        "L_000003V3V",
    ],
)
def test_what_was_never_ours_is_refused(reference: str) -> None:
    assert _refused("L", reference)


@given(NUMBERS, st.integers(1, 10))
def test_a_cut_reference_is_refused(number: int, kept: int) -> None:
    assert _refused("L", reference_of("L", number)[:kept])
