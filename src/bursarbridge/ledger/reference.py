"""References: the name a charge has at the bursar, for ever, and the way back from it to the obligation.

At most 30 characters (peoplesoft.md 1.1: REF1_DESCR), a safe alphabet, unique, the same for a charge and its reversal:
the source's prefix, the obligation's number in eight base-32 digits, and two check digits that catch every wrong digit and every swap of two.
"""

from bursarbridge.errors import Unreadable

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base-32 digits: no I, L, O or U to mistake for 1, 1, 0 and V."""

_PLAIN = "0123456789abcdefghijklmnopqrstuv"
_TO_PLAIN = str.maketrans(DIGITS, _PLAIN)
_OURS = frozenset(DIGITS)
_PAIRS = tuple(high + low for high in DIGITS for low in DIGITS)
_WIDTH = 8
_CHECK = 997
"""A prime below 1024 whose powers of 32 all differ over eight digits: one wrong digit or one swap always changes the remainder."""


def reference_of(prefix: str, number: int) -> str:
    """The reference of obligation `number` (1 or more, below 2**40) of the source with this prefix: ("L", 123) -> "L0000003V3V"."""
    return f"{prefix}{_PAIRS[number >> 30]}{_PAIRS[number >> 20 & 1023]}{_PAIRS[number >> 10 & 1023]}{_PAIRS[number & 1023]}{_PAIRS[number % _CHECK]}"


def number_in(prefix: str, reference: str) -> int:
    """The obligation's number in a reference. Raises Unreadable when it is not one of that prefix or was mistyped."""
    body = reference[len(prefix) :]
    if not reference.startswith(prefix) or len(body) != _WIDTH + 2:
        raise Unreadable("reference", f'"{reference[:40]}" is not a reference of ours ({prefix} and {_WIDTH + 2} letters or digits)')
    if not _OURS.issuperset(body):  # int() would also read blanks, signs, underscores and digits of other scripts
        raise Unreadable("reference", f'"{reference[:40]}" holds a character that our references never have')
    number = int(body[:_WIDTH].translate(_TO_PLAIN), 32)
    if number == 0 or _PAIRS[number % _CHECK] != body[_WIDTH:]:
        raise Unreadable("reference", f'"{reference[:40]}" fails its check digits: it was mistyped or cut')
    return number
