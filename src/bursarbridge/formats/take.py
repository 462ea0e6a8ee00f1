"""Typed values out of one TOML table, noting every fault instead of stopping at the first."""

from enum import StrEnum
from typing import TypeVar

Table = dict[str, object]
W = TypeVar("W", bound=StrEnum)
D = TypeVar("D")


class Taker:
    """One table being read; `faults` collects sentences that begin with `place`."""

    def __init__(self, table: Table, place: str, faults: list[str]) -> None:
        self._table = table
        self._place = place
        self._faults = faults
        self._known: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there."""
        found = self._found(key, default is None)
        return found if isinstance(found, str) else self._mistyped(key, found, "a text in quotes", default or "")

    def number(self, key: str, default: int) -> int:
        """A whole number of at least 0."""
        found = self._found(key, False)
        right = isinstance(found, int) and not isinstance(found, bool) and found >= 0
        return found if right and isinstance(found, int) else self._mistyped(key, found, "a whole number, 0 or more", default)

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        found = self._found(key, False)
        return found if isinstance(found, bool) else self._mistyped(key, found, "true or false", default)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self._found(key, False)
        if isinstance(found, list) and all(isinstance(entry, str) for entry in found):
            return tuple(found)
        return self._mistyped(key, found, "a list of texts", ())

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A table of words and their texts."""
        found = self._found(key, False)
        if isinstance(found, dict) and all(isinstance(text, str) for text in found.values()):
            return tuple((str(word), str(text)) for word, text in found.items())
        return self._mistyped(key, found, "a table of words and texts", ())

    def tables(self, key: str) -> list[Table]:
        """A list of tables, which must be there."""
        found = self._found(key, True)
        if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
            return found
        return self._mistyped(key, found, "a list of tables", [])

    def word(self, key: str, words: type[W], default: W) -> W:
        """One of an enumeration's words."""
        found = self._found(key, False)
        if isinstance(found, str) and found in list(words):
            return words(found)
        return self._mistyped(key, found, "one of " + ", ".join(words), default)

    def finish(self) -> None:
        """Notes the keys nobody asked for."""
        for key in sorted(self._table.keys() - self._known):
            self._faults.append(f'{self._place}: there is no key "{key}"; the keys are {", ".join(sorted(self._known))}')

    def _found(self, key: str, needed: bool) -> object:
        self._known.add(key)
        if needed and key not in self._table:
            self._faults.append(f'{self._place}: the key "{key}" is missing')
        return self._table.get(key)

    def _mistyped(self, key: str, found: object, words: str, default: D) -> D:
        if found is not None:
            self._faults.append(f"{self._place}: {key} is {found!r}, and has to be {words}")
        return default
