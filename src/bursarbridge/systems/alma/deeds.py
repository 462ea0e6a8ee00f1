"""What we may change in Alma, each as: the call that does it, and how it is seen that it was done (reliability.md F3, P15)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bursarbridge.ledger.money import shown
from bursarbridge.ports.calls import Call
from bursarbridge.systems.alma.api import ApiFee, ApiTransaction, FeeName, Status, dispute_call, mark, pay_call, restore_call, waive_call
from bursarbridge.systems.alma.api_errors import Declined


@dataclass(frozen=True)
class Deed:
    """One change of one fee under one id of ours."""

    words: str
    """What it is, for a person: "payment L0000003V3V"."""
    call: Call
    seen_in: Callable[[ApiFee], bool]
    """Whether the fee shows that it was done. Raises Declined when the fee shows the same id with another sum."""
    must_fit: Callable[[ApiFee], None]
    """Raises Declined when doing it now would be wrong."""


def payment(name: FeeName, cents: int, our_id: str, method: str) -> Deed:
    """A payment: seen by its external transaction id."""
    words = f"payment {our_id}"

    def seen(fee: ApiFee) -> bool:
        return _done(words, [one for one in fee.transactions if one.external_id == our_id], cents)

    return Deed(words, pay_call(name, cents, our_id, method), seen, lambda fee: _must_be_open(fee, cents, words))


def waiver(name: FeeName, cents: int, reason: str, our_id: str) -> Deed:
    """A waive: seen by its comment, as it has no field for our id."""
    words, comment = f"waive {our_id}", mark(our_id)

    def seen(fee: ApiFee) -> bool:
        return _done(words, [one for one in fee.transactions if one.comment == comment], cents)

    return Deed(words, waive_call(name, cents, reason, our_id), seen, lambda fee: _must_be_open(fee, cents, words))


def dispute(name: FeeName, our_id: str) -> Deed:
    """Into dispute: seen by the status, whoever put it there."""
    return Deed(f"dispute {our_id}", dispute_call(name, our_id), lambda fee: fee.status == Status.INDISPUTE, lambda fee: _must_not_be_closed(fee))


def restore(name: FeeName, our_id: str) -> Deed:
    """Out of dispute: seen by the status."""
    return Deed(f"restore {our_id}", restore_call(name, our_id), lambda fee: fee.status != Status.INDISPUTE, lambda fee: _must_not_be_closed(fee))


def _done(words: str, found: list[ApiTransaction], cents: int) -> bool:
    # The sign of a transaction's amount cannot be relied on (alma.md 3.8).
    told = sum(abs(one.cents) for one in found)
    if found and told != cents:
        raise Declined(
            f"{words}: Alma has {shown(told)} under this id where {shown(cents)} was to be told. Nothing was sent; "
            "compare the fee in Alma with `bursarbridge explain`"
        )
    return bool(found)


def _must_be_open(fee: ApiFee, cents: int, words: str) -> None:
    _must_not_be_closed(fee)
    if fee.status == Status.INDISPUTE:
        raise Declined(f"{words}: the fee is in dispute. Nothing was sent; settle the dispute in Alma first")
    # What the balance of an EXPORTED fee is, nobody documents: nothing there proves nothing (alma.md 1.4).
    unknown = fee.status == Status.EXPORTED and fee.balance_cents == 0
    if cents > fee.balance_cents and not unknown:
        raise Declined(
            f"{words}: {shown(cents)} is more than the {shown(fee.balance_cents)} open in Alma, and would make a credit there. "
            "Nothing was sent; look at what was paid or waived in Alma meanwhile"
        )


def _must_not_be_closed(fee: ApiFee) -> None:
    if fee.status == Status.CLOSED:
        raise Declined("the fee is closed in Alma already, and not by us. Nothing was sent; look at its transactions in Alma", closed=True)
