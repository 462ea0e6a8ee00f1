"""Payments go back to Alma fee by fee, over real HTTP (reliability.md P15, P16)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bursarbridge.errors import TryLater
from bursarbridge.sandbox.fees import Fee as AlmaFee
from bursarbridge.sandbox.fees import FeeStatus, User
from bursarbridge.systems.alma.teller import FeeTeller
from tests.alma_api import NOON, Library, library
from tests.campus import Campus, campus_in_memory, counted
from tests.campus_files import WREN, Fee
from tests.flows.scenes import on_account, reported

BY_API = (('amount_max = "5000.00"', 'amount_max = "5000.00"\npayments_by = "api"\napi = { base = "http://127.0.0.1:9", key = "env:NO_KEY" }'),)


@pytest.fixture
def alma() -> Iterator[Library]:
    with library() as running:
        yield running


@pytest.fixture
def campus(alma: Library) -> Iterator[Campus]:
    with campus_in_memory(BY_API) as made:
        made.teller = FeeTeller(alma.api)
        yield made


def billed(alma: Library, campus: Campus, *cents: int) -> list[AlmaFee]:
    """Fees that are Transferred in Alma and open on the student account."""
    fees = [alma.alma.assess(User(WREN, "Wren"), "OVERDUEFINE", one, NOON, barcode=f"31{one}") for one in cents]
    alma.alma.run_export(NOON)
    on_account(campus, *(Fee(fee.bursar_transaction_id, fee.original_cents) for fee in fees))
    return fees


def paid(campus: Campus, *fees: AlmaFee) -> None:
    reported(campus, *((fee.bursar_transaction_id, fee.original_cents) for fee in fees))


def test_a_payment_is_told_and_settled_because_alma_shows_it(alma: Library, campus: Campus) -> None:
    (fee,) = billed(alma, campus, 12_50)
    paid(campus, fee)
    assert fee.status is FeeStatus.CLOSED
    assert campus.place_of(fee.bursar_transaction_id) == {"settled": 12_50}
    assert campus.batches()[-1].state == "POSTED" and campus.remittances() == {}
    assert campus.unexplained() == 0 and campus.codes() == []


def test_p16_each_fee_is_an_intent_of_its_own(alma: Library, campus: Campus) -> None:
    """The second of three is in doubt: the others are told, and a later run goes on with it alone."""
    fees = billed(alma, campus, 1_00, 2_00, 3_00)
    alma.next("cut", on="pay")
    paid(campus, *fees)
    assert campus.places() == {"settled": 5_00, "in_transit": 1_00}
    assert campus.codes() == ["telling_in_doubt"]
    campus.later(minutes=5)
    campus.payments()
    assert alma.called("pay") == 3, "what may be under way is left alone for a while"
    campus.later(minutes=15)
    assert counted(campus.payments(), "sent") == (1, 1_00)
    assert campus.places() == {"settled": 6_00} and campus.codes() == []
    assert [len(alma.rows(fee)) for fee in fees] == [1, 1, 1]


class Killed(Exception):
    """The process is gone."""


@pytest.mark.parametrize("at", range(3))
def test_p16_a_kill_between_alma_and_the_books_is_made_good(alma: Library, campus: Campus, at: int) -> None:
    fees = billed(alma, campus, 1_00, 2_00, 3_00)
    told: list[str] = []

    class Dying(FeeTeller):
        def tell(self, account: str, fee: str, cents: int, ours: str) -> None:
            super().tell(account, fee, cents, ours)
            told.append(ours)
            if len(told) == at + 1:
                raise Killed

    campus.teller = Dying(alma.api)
    with pytest.raises(Killed):
        paid(campus, *fees)
    assert campus.places().get("in_transit") == 6_00 - sum(fee.original_cents for fee in fees[:at])
    campus.teller = FeeTeller(alma.api)
    campus.payments()
    assert campus.places() == {"settled": 6_00}
    assert [len(alma.rows(fee)) for fee in fees] == [1, 1, 1] and alma.called("pay") == 3


def test_p15_a_payment_that_arrives_late_is_found(alma: Library, campus: Campus) -> None:
    (fee,) = billed(alma, campus, 12_50)
    alma.next("late", on="pay")
    paid(campus, fee)
    alma.door.settle()
    campus.later(hours=1)
    campus.payments()
    assert campus.places() == {"settled": 12_50} and alma.called("pay") == 1


def test_a_payment_that_alma_refuses_waits_for_a_person(alma: Library, campus: Campus) -> None:
    fees = billed(alma, campus, 1_00, 2_00)
    fees[0].balance_cents, fees[0].status = 0, FeeStatus.CLOSED
    paid(campus, *fees)
    assert campus.places() == {"paid": 1_00, "settled": 2_00}
    (item,) = campus.items()
    assert item.code == "told_refused" and "closed" in item.words
    campus.later(hours=1)
    campus.payments()
    assert campus.places() == {"paid": 1_00, "settled": 2_00}, "it is not sent again by itself"
    campus.resolve(item.id, "by-hand")
    assert campus.places() == {"settled": 3_00} and campus.codes() == []


def test_a_refused_payment_can_be_sent_again(alma: Library, campus: Campus) -> None:
    (fee,) = billed(alma, campus, 1_00)
    alma.door.fees.disputed.add(alma.name(fee).fee)
    paid(campus, fee)
    (item,) = campus.items()
    alma.door.fees.disputed.clear()
    campus.resolve(item.id, "resend")
    campus.payments()
    assert campus.places() == {"settled": 1_00} and len(alma.rows(fee)) == 1


@pytest.mark.parametrize("cut", ["", "publish"])
def test_what_left_as_a_file_is_never_told_as_well(alma: Library, campus: Campus, cut: str) -> None:
    """The settings change between two runs, with a file at the library or half-way there."""
    (fee,) = billed(alma, campus, 12_50)
    by_api, campus.settings = (
        campus.settings,
        replace(campus.settings, sources={"library": replace(campus.settings.libraries[0], payments_by="file")}),
    )
    if cut:
        campus.cut.add(cut)
        with pytest.raises(TryLater):
            paid(campus, fee)
    else:
        paid(campus, fee)
    campus.settings = by_api
    campus.later(hours=1)
    campus.payments()
    assert alma.called("pay") == 0 and campus.places() == {"in_transit": 12_50}
    assert campus.codes() == (["in_doubt"] if cut else [])
