"""Whole cents, the sandbox's own few lines, so that a mistake in the bridge's money cannot agree with itself here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_AMOUNT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a thing there are and their sum in cents."""

    count: int
    cents: int

    @classmethod
    def of(cls, amounts: Iterable[int]) -> "Tally":
        """Counts and adds amounts in cents."""
        listed = list(amounts)
        return cls(len(listed), sum(listed))


def cents_of(text: str) -> int:
    """Reads "85", "0.82" or "0000000000085.00" as cents. Raises ValueError for anything else."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text[:40]}" is not an amount')
    sign, whole, fraction = match.groups()
    cents = 100 * int(whole) + int((fraction or "").ljust(2, "0"))
    return -cents if sign else cents


def two_decimals(cents: int) -> str:
    """Prints 1250 as "12.50", as PeopleSoft's reports do."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def shortest(cents: int) -> str:
    """Prints 30000 as "300", 82 as "0.82" and 1250 as "12.5", as Alma's sums have no fixed decimals (alma.md 1.1).

    That a single trailing zero goes as well is our reading: no public sample has such a sum.
    """
    return two_decimals(cents).rstrip("0").rstrip(".")


def dollars(cents: int) -> str:
    """Prints 126500 as "$1,265.00", for the story."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{rest:02d}"
