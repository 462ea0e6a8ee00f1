"""Whole cents: the only form money has inside the bridge."""

import re

from bursarbridge.errors import Unreadable

CENTS_MAX = 99_999_999_999
"""The largest amount one fact may carry: 999,999,999.99, well inside a signed 64-bit sum of a million of them."""

_PLAIN = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,2}))?", re.ASCII)


def cents_of(text: str) -> int:
    """Reads a plain decimal amount ("300", "0.82", "-3.25") exactly as cents.

    No exponent, sign other than a leading minus, currency mark, thousands separator, decimal comma or third decimal is
    guessed at: each raises Unreadable. Source: alma.md 1.1, compositeSum/sum.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise Unreadable("amount", f'"{text[:40]}" is not an amount: digits, at most nine, and at most two decimals after a point')
    sign, whole, fraction = match.groups()
    cents = int(whole) * 100 + (int(fraction.ljust(2, "0")) if fraction else 0)
    return -cents if sign else cents


def text_of(cents: int) -> str:
    """Prints cents with two decimals and no grouping: 126500 -> "1265.00"; the form machine files use."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d}"


def shown(cents: int) -> str:
    """Prints cents for people: 126500 -> "$1,265.00", -5500 -> "-$55.00"."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}${whole:,}.{rest:02d}"
