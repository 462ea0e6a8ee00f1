"""Changes of a fee, each made at most once: look for our id, send, and on any doubt look again, never send again (reliability.md F3, P15)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bursarbridge.errors import TryLater
from bursarbridge.systems.alma.api import ApiFee, FeeName, Status, fee_call, fee_of, fees_call
from bursarbridge.systems.alma.api_errors import Broken, Declined, Exhausted, InDoubt, Throttled
from bursarbridge.systems.alma.asking import PAUSES, Asking
from bursarbridge.systems.alma.deeds import Deed

_LOOKS: Final = (1.0, 3.0, 9.0)
"""Seconds before each look for a change whose answer is missing: one that was under way shows by then, mostly."""


@dataclass(frozen=True, slots=True)
class Done:
    """The change was made by this call, and Alma shows it."""

    fee: ApiFee


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The change had been made before; this call sent nothing."""

    fee: ApiFee


def once(asking: Asking, name: FeeName, deed: Deed) -> Done | AlreadyDone:
    """Does it unless it was done. Raises InDoubt when it cannot be seen whether it was, after which it must not be asked for at once.

    Only a call that was turned away at the gate (Throttled) is sent again here, and after a fresh look.
    """
    for seconds in (*PAUSES, None):
        before = look(asking, name, urgent=True)
        if deed.seen_in(before):
            return AlreadyDone(before)
        deed.must_fit(before)
        try:
            return Done(_send(asking, name, deed))
        except Throttled:
            if seconds is None:
                raise
            asking.pause(seconds)
    raise AssertionError("the last try returns or raises")


def look(asking: Asking, name: FeeName, *, urgent: bool) -> ApiFee:
    """One fee as it is now. A closed one is refused when asked for alone, and stands in the list of closed ones (alma.md 2.4)."""
    try:
        return fee_of(asking.read(fee_call(name), urgent=urgent))
    except Declined as error:
        if not error.closed:
            raise
        for one in asking.pages(lambda offset: fees_call(name.user, Status.CLOSED, offset), "fee", urgent=urgent):
            if one.text("id") == name.fee:
                return fee_of(one)
        raise


def wait_for(asking: Asking, seen: Callable[[], bool], words: str) -> None:
    """Looks a few times whether a change shows. Raises InDoubt when it does not, or when nobody can look."""
    for seconds in _LOOKS:
        asking.pause(seconds)
        try:
            if seen():
                return
        except TryLater:
            continue
    raise InDoubt(f"{words}. It cannot be seen in Alma now and may still be under way; it is looked for again before anything is sent")


def _send(asking: Asking, name: FeeName, deed: Deed) -> ApiFee:
    """Sends the change, once; what the answer itself does not prove is looked for."""
    try:
        found = asking.value(deed.call)
        if found.text("id") == name.fee and deed.seen_in(fee := fee_of(found)):
            return fee
        doubt: TryLater = Broken("Alma's answer does not show it")
    except (Throttled, Exhausted):
        raise
    except Declined as refusal:
        # Believed, but not before a look: a gateway may speak for an Alma that has acted.
        after = look(asking, name, urgent=True)
        if deed.seen_in(after):
            return after
        raise refusal
    except TryLater as error:
        doubt = error
    shown: list[ApiFee] = []

    def seen() -> bool:
        fee = look(asking, name, urgent=True)
        if deed.seen_in(fee):
            shown.append(fee)
        return bool(shown)

    wait_for(asking, seen, f"{deed.words}: {doubt}")
    return shown[0]
