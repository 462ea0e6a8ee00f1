"""Alma's API at its worst, over real HTTP (reliability.md P13 to P15, F3, S06)."""

import logging
import random
from collections.abc import Callable

import pytest

from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.sandbox.alma_api import Mishap
from bursarbridge.sandbox.fees import FeeStatus
from bursarbridge.systems.alma.api import Status
from bursarbridge.systems.alma.api_errors import Broken, Declined, Exhausted, InDoubt, Throttled
from bursarbridge.systems.alma.once import AlreadyDone, Done
from tests.alma_api import ADA, KEY, Library, library

AFTER = ("lost", "error_after", "html_after", "empty_after")
"""The change was made and its answer says nothing."""
BEFORE = ("cut", "error", "html")
"""The change was not made, and the answer says nothing either."""


def test_p13_never_more_than_so_many_calls_a_second() -> None:
    with library(per_second=5) as alma:
        alma.bill(1_00)
        for _ in range(12):
            alma.api.fees(ADA.value)
        assert alma.time.waits == [1.0, 1.0]


def test_p13_too_many_in_a_second_is_tried_again_after_a_pause(alma: Library) -> None:
    fee = alma.bill(10_00)
    alma.next("per_second", "per_second", on="GET")
    assert alma.api.fees(ADA.value, Status.EXPORTED)
    assert alma.time.waits == [1.0, 2.0]
    alma.next("per_second", on="pay")
    assert isinstance(alma.api.pay(alma.name(fee), 10_00, "L1"), Done)
    alma.next(*["per_second"] * 4)
    with pytest.raises(Throttled):
        alma.api.fees(ADA.value)


def test_p13_the_reserve_is_kept_for_payments_and_waives() -> None:
    with library(reserve=50) as alma:
        fee = alma.bill(10_00)
        alma.door.remaining = 51
        alma.api.fees(ADA.value)
        with pytest.raises(Exhausted, match="reserve"):
            alma.api.fees(ADA.value)
        assert alma.called("GET") == 1
        assert isinstance(alma.api.pay(alma.name(fee), 10_00, "L1"), Done)
        alma.time.now += 3601
        alma.door.remaining = 100_000
        alma.api.fees(ADA.value)
        alma.api.fees(ADA.value)


def test_p13_a_day_that_is_used_up_stops_at_once(alma: Library) -> None:
    fee = alma.bill(10_00)
    alma.door.remaining = 0
    with pytest.raises(Exhausted, match="used up"):
        alma.api.fees(ADA.value)
    assert len(alma.door.calls) == 1
    with pytest.raises(Exhausted):
        alma.api.pay(alma.name(fee), 10_00, "L1")
    assert not alma.rows(fee)


@pytest.mark.parametrize("kind", ["error", "html", "cut", "empty_after", "error_after", "html_after"])
def test_p14_reading_goes_on_after_a_broken_answer(alma: Library, kind: str) -> None:
    alma.bill(10_00)
    alma.next(kind)
    assert len(alma.api.fees(ADA.value, Status.EXPORTED)) == 1


@pytest.mark.parametrize(("kind", "error"), [("error", Broken), ("html", Broken), ("xml", Declined), ("wrong", Declined)])
def test_p14_every_error_form_is_told_apart(alma: Library, kind: str, error: type[BridgeError]) -> None:
    alma.bill(10_00)
    alma.next(*[kind] * 4)
    with pytest.raises(error):
        alma.api.fees(ADA.value)


def test_p14_an_alma_that_does_not_answer_is_left_alone_for_a_minute(alma: Library) -> None:
    alma.bill(10_00)
    alma.next(*["error"] * 8)
    for _ in range(2):
        with pytest.raises(Broken):
            alma.api.fees(ADA.value)
    with pytest.raises(Exhausted, match="left alone"):
        alma.api.fees(ADA.value)
    assert len(alma.door.calls) == 8
    alma.time.now += 61
    assert alma.api.fees(ADA.value) == []


def change(alma: Library, op: str) -> Callable[[], Done | AlreadyDone]:
    fee = alma.bill(10_00)
    return {
        "pay": lambda: alma.api.pay(alma.name(fee), 10_00, "L1"),
        "waive": lambda: alma.api.waive(alma.name(fee), 10_00, "FOUND", "L1"),
        "dispute": lambda: alma.api.dispute(alma.name(fee), "L1"),
    }[op]


@pytest.mark.parametrize("op", ["pay", "waive", "dispute"])
@pytest.mark.parametrize("kind", AFTER)
def test_p15_a_lost_answer_is_looked_for_and_has_one_effect(alma: Library, op: str, kind: str) -> None:
    ask = change(alma, op)
    alma.next(kind, on=op)
    assert isinstance(ask(), Done)
    assert isinstance(ask(), AlreadyDone)
    assert alma.called(op) == 1


@pytest.mark.parametrize("op", ["pay", "waive", "dispute"])
@pytest.mark.parametrize("kind", BEFORE)
def test_p15_what_cannot_be_seen_is_in_doubt_and_not_sent_again_at_once(alma: Library, op: str, kind: str) -> None:
    ask = change(alma, op)
    alma.next(kind, on=op)
    with pytest.raises(InDoubt, match="may still be under way"):
        ask()
    assert alma.called(op) == 1
    assert isinstance(ask(), Done)


@pytest.mark.parametrize("op", ["pay", "waive"])
def test_p15_a_call_that_arrives_late_has_one_effect(alma: Library, op: str) -> None:
    """The answer is lost, nothing shows, and then it is done after all: the next asking finds it."""
    ask = change(alma, op)
    alma.next("late", on=op)
    with pytest.raises(InDoubt):
        ask()
    alma.door.settle()
    assert isinstance(ask(), AlreadyDone)
    assert alma.called(op) == 1
    assert len(next(iter(alma.door.fees.rows.values()))) == 1


def test_p15_a_timeout_after_the_other_side_acted() -> None:
    with library(timeout_seconds=0.2) as alma:
        fee = alma.bill(10_00)
        alma.next("slow", on="pay")
        assert isinstance(alma.api.pay(alma.name(fee), 10_00, "L1"), Done)
        assert len(alma.rows(fee)) == 1


def test_p15_when_nobody_can_look_either_it_is_in_doubt(alma: Library) -> None:
    fee = alma.bill(10_00)
    alma.api.fee(alma.name(fee))
    real = alma.door.answer
    gone: list[str] = []

    def dead(asked: object, key: str) -> object:
        if gone or getattr(asked, "label", "") == "pay":
            gone.append("pay")
            real(asked, key) if len(gone) == 1 else None  # type: ignore[arg-type]
            return None
        return real(asked, key)  # type: ignore[arg-type]

    alma.door.answer = dead  # type: ignore[assignment, method-assign]
    with pytest.raises(TryLater):
        alma.api.pay(alma.name(fee), 10_00, "L1")
    alma.door.answer = real  # type: ignore[method-assign]
    alma.time.now += 61
    assert isinstance(alma.api.pay(alma.name(fee), 10_00, "L1"), AlreadyDone)


def test_p15_a_refusal_is_believed_only_after_a_look(alma: Library) -> None:
    fee = alma.bill(10_00)
    alma.next("xml", on="pay")
    with pytest.raises(Declined):
        alma.api.pay(alma.name(fee), 10_00, "L1")
    assert alma.door.calls[-1].startswith("GET ")


@pytest.mark.parametrize("seed", range(12))
def test_p15_thirty_per_cent_trouble_and_every_payment_once(seed: int) -> None:
    chance = random.Random(seed)
    kinds = (*AFTER, *BEFORE, "late", "per_second", "wrong", "xml")
    with library() as alma:
        fees = [alma.bill(100 + number, barcode=f"3123{number}") for number in range(8)]
        waiting = list(fees)
        for _round in range(60):
            if not waiting:
                break
            fee = waiting.pop(0)
            if chance.random() < 0.6:
                alma.door.mishaps.append(Mishap(chance.choice(kinds), chance.choice(["", "pay", "GET"])))
            try:
                alma.api.pay(alma.name(fee), fee.original_cents, f"L{fee.original_cents}")
            except (TryLater, Refused):
                waiting.append(fee)
            alma.door.settle()
            alma.time.now += 61
        assert not waiting
        assert [[one.cents for one in alma.rows(fee)] for fee in fees] == [[fee.original_cents] for fee in fees]
        assert {fee.status for fee in fees} == {FeeStatus.CLOSED} and not alma.alma.credits


def test_s06_the_key_is_nowhere_but_in_its_header(alma: Library, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an address, a log, an error or a repr; and no person is in a log either."""
    caplog.set_level(logging.DEBUG)
    fee = alma.bill(10_00)
    told = [repr(alma.api), repr(alma.place), repr(vars(alma.place))]
    for kind in ("error", "html", "xml", "wrong", "cut", "per_day"):
        alma.next(*[kind] * 4)
        with pytest.raises(BridgeError) as caught:
            alma.api.fees(ADA.value)
        told += [str(caught.value), repr(caught.value), repr(caught.value.__cause__), repr(caught.value.__context__)]
        alma.door.mishaps.clear()
        alma.time.now += 61
    alma.api.pay(alma.name(fee), 10_00, "L1")
    told += [*alma.door.calls, caplog.text]
    assert KEY not in "\n".join(told)
    assert ADA.value not in caplog.text
