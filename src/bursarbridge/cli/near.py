"""What somebody may have meant who typed a number that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.reference import DIGITS, number_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursarbridge.config.model import Settings
    from bursarbridge.store.books import Books

_MOST = 3
_LONGEST = 20
"""Longer numbers are not guessed at: each variant is a question to the ledger."""


def alike(books: Books, wanted: str) -> list[str]:
    """At most three known people or fees whose number differs by one slip of the hand: a digit, a swap, a zero in front."""
    from bursarbridge.store import views

    near: list[str] = []
    if len(wanted) > _LONGEST:
        return near
    for variant in _variants(wanted):
        if variant not in near and views.obligations(books, variant):
            near.append(variant)
            if len(near) == _MOST:
                break
    return near


def mistyped(settings: Settings, wanted: str) -> str:
    """Why something that looks like a reference of ours is none, or ""."""
    for source in settings.sources.values():
        body = wanted.upper().removeprefix(source.reference_prefix)
        if body != wanted.upper() and set(body) <= set(DIGITS) and len(body) > 5:
            try:
                number_in(source.reference_prefix, wanted.upper())
            except Unreadable as error:
                return error.words
    return ""


def _variants(wanted: str) -> Iterator[str]:
    plain = "".join(character for character in wanted if character.isalnum())
    if plain != wanted:
        yield plain
    if plain.isdigit():
        bare = plain.lstrip("0")
        yield from (bare.zfill(width) for width in range(len(bare), 12) if bare.zfill(width) != plain)
    yield from (plain[:n] + plain[n + 1] + plain[n] + plain[n + 2 :] for n in range(len(plain) - 1) if plain[n] != plain[n + 1])
    for n, old in enumerate(plain):
        if old.isdigit():
            yield from (plain[:n] + new + plain[n + 1 :] for new in "0123456789" if new != old)
