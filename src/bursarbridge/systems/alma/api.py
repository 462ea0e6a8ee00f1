"""Alma's fee calls as values, and its fee answers as facts (alma.md 3.2 and 3.3). Nothing here sends anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.money import text_of
from bursarbridge.ports.calls import Call
from bursarbridge.systems.alma.api_json import Node

ROOT: Final = "/almaws/v1"
PAGE: Final = 100
"""The most that a list gives at a time (alma.md 3.1)."""
WINDOW_DAYS: Final = 7
"""The longest span of fee-transactions (alma.md 3.2)."""
MARK: Final = "bursarbridge"
"""Begins the comment of what we do: waives have no field for our id (alma.md 3.2), so it stands in their comment."""
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Status(StrEnum):
    """A fee's status as the API has it; EXPORTED is "Transferred" on the screen (alma.md 3.2, inferred)."""

    ACTIVE = "ACTIVE"
    INDISPUTE = "INDISPUTE"
    EXPORTED = "EXPORTED"
    CLOSED = "CLOSED"


class FeeName(NamedTuple):
    """How a fee is called for: a user's identifier of any kind, and Alma's own id of the fee (not its bursar transaction id)."""

    user: str
    fee: str


class ApiTransaction(NamedTuple):
    """One payment, waive or other change of a fee. `cents` has no sign that could be relied on (alma.md 3.8)."""

    kind: str
    cents: int
    external_id: str
    comment: str
    reason: str
    made_at: str
    """As Alma writes it: an ISO instant, in older rows milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class ApiFee:
    """A fee as Alma has it now. Amounts in cents, negative for a CREDIT. Titles are not read: they say what somebody borrowed."""

    id: str
    category: str
    status: str
    """A `Status`, or a word that is new to us."""
    user: str
    """The primary id."""
    balance_cents: int
    """For an EXPORTED fee nobody documents what this is: the ledger's open amount is the truth (alma.md 1.4)."""
    original_cents: int
    barcode: str
    bursar_transaction_id: str
    owner: str
    comment: str
    created_at: str
    transactions: tuple[ApiTransaction, ...]

    @property
    def name(self) -> FeeName:
        """How this fee is called for."""
        return FeeName(self.user, self.id)


class Page(NamedTuple):
    """A part of a list, and how many there are in all."""

    nodes: tuple[Node, ...]
    total: int


def segment(text: str) -> str:
    """One part of a path, percent-encoded. Raises Unreadable ("incomplete") for one that would lead elsewhere: empty, "." or ".."."""
    if text in ("", ".", "..") or not text.isprintable():
        raise Unreadable("incomplete", f'"{text[:20]}" cannot be an id in Alma; look it up there')
    return "".join(one if one in _PLAIN else "".join(f"%{byte:02X}" for byte in one.encode("utf-8", "strict")) for one in text)


def fees_call(user: str, status: Status, offset: int) -> Call:
    """A page of a user's fees in one status."""
    return Call("GET", f"{ROOT}/users/{segment(user)}/fees", (("status", status), *page_query(offset)))


def fee_call(name: FeeName) -> Call:
    """One fee."""
    return Call("GET", _fee_path(name))


def pay_call(name: FeeName, cents: int, our_id: str, method: str) -> Call:
    """A payment of `cents` under our id."""
    amount = ("amount", _amount(cents))
    return Call("POST", _fee_path(name), (("op", "pay"), amount, ("method", method), ("external_transaction_id", our_id), ("comment", mark(our_id))))


def waive_call(name: FeeName, cents: int, reason: str, our_id: str) -> Call:
    """A waive of exactly `cents`; `reason` is a code of the table FineFeeTransactionReason and must be given (alma.md 3.2)."""
    if not reason.strip():
        raise Unreadable("incomplete", "a waive without a reason; name a code of Alma's table FineFeeTransactionReason in the settings")
    return Call("POST", _fee_path(name), (("op", "waive"), ("amount", _amount(cents)), ("reason", reason), ("comment", mark(our_id))))


def dispute_call(name: FeeName, our_id: str) -> Call:
    """Puts a fee into dispute."""
    return Call("POST", _fee_path(name), (("op", "dispute"), ("comment", mark(our_id))))


def restore_call(name: FeeName, our_id: str) -> Call:
    """Takes a fee out of dispute."""
    return Call("POST", _fee_path(name), (("op", "restore"), ("comment", mark(our_id))))


def transactions_call(from_on: date, to_on: date, offset: int) -> Call:
    """A page of the fees with payments or waives between two campus dates, at most WINDOW_DAYS apart."""
    dates = (("transaction_from_date", from_on.isoformat()), ("transaction_to_date", to_on.isoformat()), ("transaction_type", "BOTH"))
    return Call("GET", f"{ROOT}/conf/utilities/fee-transactions", (*dates, *page_query(offset)))


def windows(from_on: date, to_on: date) -> list[tuple[date, date]]:
    """A span of campus dates, both included, in pieces that fee-transactions takes; neighbours share a day, so that none falls between."""
    found = []
    while from_on < to_on:
        found.append((from_on, min(from_on + timedelta(days=WINDOW_DAYS), to_on)))
        from_on = found[-1][1]
    return found or ([(from_on, to_on)] if from_on == to_on else [])


def table_call(name: str) -> Call:
    """A code table, as FineFeeTransactionReason."""
    return Call("GET", f"{ROOT}/conf/code-tables/{segment(name)}")


def test_call(area: str) -> Call:
    """Whether the key may be used at all; `area` is users, conf or analytics (alma.md 3.1)."""
    path = {"users": "users/operation/test", "conf": "conf/test", "analytics": "analytics/test"}[area]
    return Call("GET", f"{ROOT}/{path}")


def page_query(offset: int) -> tuple[tuple[str, str], ...]:
    """Where a page begins and how long it is."""
    return (("limit", str(PAGE)), ("offset", str(offset)))


def page_of(found: Node, entry: str) -> Page:
    """A page of a list; `entry` is what its rows are called, and is absent when there are none (alma.md 3.3)."""
    nodes = tuple(found.nodes(entry))
    return Page(nodes, found.count("total_record_count", len(nodes)))


def fee_of(found: Node) -> ApiFee:
    """A fee. Raises Unreadable when a field that money hangs on is missing or not exact."""
    return ApiFee(
        id=found.required("id"),
        category=found.required("type"),
        status=found.required("status"),
        user=found.required("user_primary_id"),
        balance_cents=found.cents("balance"),
        original_cents=found.cents("original_amount"),
        barcode=found.text("barcode"),
        bursar_transaction_id=found.text("bursar_transaction_id"),
        owner=found.text("owner"),
        comment=found.text("comment"),
        created_at=found.text("creation_time"),
        transactions=tuple(_transaction(one) for one in found.nodes("transaction")),
    )


def mark(our_id: str) -> str:
    """The comment of what we do under one of our ids."""
    return f"{MARK} {our_id}"


def _transaction(found: Node) -> ApiTransaction:
    texts = [found.text(name) for name in ("external_transaction_id", "comment", "reason", "transaction_time")]
    return ApiTransaction(found.text("type"), found.cents("amount"), *texts)


def _fee_path(name: FeeName) -> str:
    return f"{ROOT}/users/{segment(name.user)}/fees/{segment(name.fee)}"


def _amount(cents: int) -> str:
    if cents <= 0:
        raise Unreadable("not_positive", f"{text_of(cents)} is not a sum that Alma may be told; only sums above zero are (alma.md 2.3)")
    return text_of(cents)
