"""Alma's JSON, read exactly: amounts are decimal numbers and become whole cents or an error (alma.md 3.3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.money import CENTS_MAX


class Node:
    """One object of an answer, whose fields are asked for by name; nothing outside this file sees bare JSON."""

    def __init__(self, fields: Mapping[str, object], where: str) -> None:
        self._fields = fields
        self._where = where

    def text(self, name: str) -> str:
        """A text, "" when it is absent or null; of a coded field ({"value", "desc"}) its value."""
        value = self._fields.get(name)
        if isinstance(value, Mapping):
            value = value.get("value")
        if value is None:
            return ""
        if isinstance(value, bool | list | Mapping):
            raise self._fault(name, "is not a text")
        return str(value)

    def required(self, name: str) -> str:
        """A text that must be there. Raises Unreadable ("incomplete")."""
        value = self.text(name)
        if not value:
            raise self._fault(name, "is missing")
        return value

    def cents(self, name: str) -> int:
        """An amount that must be there, in cents. Raises Unreadable: "incomplete", or "amount" when it is not whole cents."""
        return cents_of_number(self.required(name), f"{self._where}, field {name}")

    def count(self, name: str, otherwise: int) -> int:
        """A number of things, `otherwise` when it is absent."""
        value = self.text(name)
        if not value:
            return otherwise
        if not (value.isascii() and value.isdecimal() and len(value) <= 12):
            raise self._fault(name, f'"{value[:40]}" is not a count')
        return int(value)

    def flag(self, name: str, *, otherwise: bool = False) -> bool:
        """A yes or no, `otherwise` when it is absent."""
        return self._fields.get(name, otherwise) in (True, "true")

    def node(self, name: str) -> Node:
        """An object inside; an empty one when it is absent or null."""
        value = self._fields.get(name)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise self._fault(name, "is not an object")
        return Node(value, f"{self._where}, {name}")

    def nodes(self, name: str) -> Iterator[Node]:
        """The objects of a list, none when it is absent or null."""
        value = self._fields.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            raise self._fault(name, "is not a list")
        for number, one in enumerate(value, 1):
            if not isinstance(one, Mapping):
                raise self._fault(name, f"entry {number} is not an object")
            yield Node(one, f"{self._where}, {name} {number}")

    def _fault(self, name: str, words: str) -> Unreadable:
        return Unreadable("incomplete", f"Alma's answer cannot be used: {name} {words}; look it up in Alma", where=f"{self._where}, field {name}")


def node_in(body: bytes, where: str) -> Node:
    """The object that an answer is. Raises ValueError when the answer is none (HTML, XML, nothing, a list)."""
    try:
        # Numbers stay the texts they were: no float comes near money.
        found = json.loads(body.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return Node(found, where)


def cents_of_number(text: str, where: str) -> int:
    """A JSON number's text as cents: "5", "0.82", "1e1", "12.50". Raises Unreadable ("amount") when it is not whole cents.

    Alma's amounts are float in its XSD (alma.md 3.3), so one may come back as 0.30000000000000004: that is not read, never rounded.
    """
    try:
        cents = Decimal(text) * 100 if len(text) <= 40 else Decimal("NaN")
    except InvalidOperation:
        cents = Decimal("NaN")
    if not cents.is_finite() or abs(cents) > CENTS_MAX or cents != int(cents):
        raise Unreadable("amount", f'"{text[:40]}" is not an amount of whole cents; look the fee up in Alma', where=where)
    return int(cents)


def _no_number(text: str) -> str:
    raise ValueError(f"{text} is not JSON")
