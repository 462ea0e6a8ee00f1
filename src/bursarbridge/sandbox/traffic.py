"""A day of arbitrary campus traffic for simulations, all of it from the random source that is handed in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.fees import User

FEE_TYPES = ("OVERDUEFINE", "LOSTITEMREPLACEMENTFEE", "LOSTITEMPROCESSFEE", "DAMAGEDITEMFINE")


class Dice(Protocol):
    """What a seeded `random.Random` gives."""

    def randrange(self, start: int, stop: int, /) -> int:
        """A whole number from `start` up to, not including, `stop`."""
        ...


def random_day(campus: Campus, dice: Dice, at: datetime, users: Sequence[User]) -> None:
    """New fees, an export, a load and its posting, payments and returned checks, a report and an import, in that order at `at`."""
    for _ in range(dice.randrange(0, 6)):
        number = dice.randrange(10_000_000, 99_999_999)
        fee_type = FEE_TYPES[dice.randrange(0, len(FEE_TYPES))]
        campus.alma.assess(_one(dice, users), fee_type, dice.randrange(1, 50_000), at, barcode=f"312340{number}", title="A book", library="MAIN")
    campus.export(at)
    campus.post(campus.load(), at)
    for _ in range(dice.randrange(0, 4)):
        _pay(campus, dice, at)
    campus.report_payments(at)
    campus.import_payments(at)


def _pay(campus: Campus, dice: Dice, at: datetime) -> None:
    bursar = campus.peoplesoft
    standing = [payment for payment in bursar.payments if not payment.reversed]
    if not bursar.items:
        return
    item = bursar.items[dice.randrange(0, len(bursar.items))]
    choice = dice.randrange(0, 10)
    if choice < 4:
        bursar.pay_online(item.emplid, at)
    elif choice < 9 or not standing:
        bursar.pay_at_cashier(item.emplid, item.reference, dice.randrange(1, item.amount_cents + 200), at)
    else:
        bursar.reverse_payment(standing[dice.randrange(0, len(standing))].number)


def _one(dice: Dice, users: Sequence[User]) -> User:
    return users[dice.randrange(0, len(users))]
