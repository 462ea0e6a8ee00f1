"""What Alma keeps: users, their fees with a status and a balance, and the credits an overpayment makes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class FileRefused(Exception):
    """An emulated system takes nothing from this file; the text says why."""


class Sent(NamedTuple):
    """A file that an emulated system writes."""

    name: str
    content: bytes


class User(NamedTuple):
    """A library user as a bursar export names one (alma.md 1.1, `user` and `patronName`)."""

    value: str
    """The identifier of the agreed type, opaque text; leading zeros are part of it."""
    name: str
    identifier_type: str = "02"


class FeeStatus(StrEnum):
    """The statuses Alma shows with export and import both on (alma.md 1.4)."""

    ACTIVE = "Active"
    TRANSFERRED = "Transferred"
    CLOSED = "Closed"


@dataclass(slots=True)
class Fee:
    """One fee in Alma; the balance is what remains to be paid, whatever the status."""

    bursar_transaction_id: str
    user: User
    fee_type: str
    original_cents: int
    balance_cents: int
    status: FeeStatus
    last_transaction_at: datetime
    """Aware, in the campus zone."""
    barcode: str = ""
    title: str = ""
    library: str = ""
    """The owning library's code; "" for a fee the institution owns."""
    comment: str = ""
    waived_cents: int = 0
    """What staff or the API forgave of it."""
    assessed_at: datetime | None = None


class Credit(NamedTuple):
    """Money that Alma owes a user: beyond a fee's balance (alma.md 2.1), or waived after the fee was transferred (alma.md 1.5)."""

    user: User
    cents: int
    comment: str
    bursar_transaction_id: str
    """The fee it belongs to. Alma's own credit rows do not say so (alma.md 0, item 3); only the sandbox knows."""
    credit_id: str = ""
    """Its own id in the credit export."""
    barcode: str = ""
    library: str = ""
    made_at: datetime | None = None
