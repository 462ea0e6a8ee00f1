"""Asking Alma: every answer judged, reading tried again where that is safe, lists read to their own end (alma.md 3.1 and 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from bursarbridge.errors import TryLater
from bursarbridge.ports.calls import Call, Reply, Send
from bursarbridge.systems.alma.allowance import Allowance
from bursarbridge.systems.alma.api import page_of
from bursarbridge.systems.alma.api_errors import Broken, Declined, Exhausted, value_of
from bursarbridge.systems.alma.api_json import Node

R = TypeVar("R")

PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds before the second, third and fourth try of a call that changes nothing, or was turned away at the gate."""
_PAGES_MAX: Final = 1000


@dataclass(frozen=True)
class Asking:
    """How Alma is asked."""

    send: Send
    """Paced already."""
    allowance: Allowance
    wait: Callable[[float], None]
    spread: Callable[[float], float]
    """Seconds to seconds: makes pauses uneven, so that not everybody comes back at once."""

    def read(self, call: Call, *, urgent: bool = False) -> Node:
        """The object a call returns that changes nothing; tried a few times. Raises Declined, or TryLater of one kind or another."""
        return self.patiently(lambda: self.judged(self.reply(call, urgent=urgent), named(call)))

    def value(self, call: Call) -> Node:
        """The object a call returns that may change something: sent once, urgent."""
        return self.judged(self.reply(call, urgent=True), named(call))

    def opens(self, call: Call) -> None:
        """Returns when the call is answered with success, whatever stands in the answer; else raises as `read` does."""

        def ask() -> None:
            reply = self.reply(call, urgent=False)
            if reply.status != 200:
                self.judged(reply, named(call))

        self.patiently(ask)

    def reply(self, call: Call, *, urgent: bool) -> Reply:
        """The bare reply, taken note of. `urgent` calls may use what is kept of the day's calls."""
        self.allowance.must_allow(urgent=urgent)
        try:
            reply = self.send(call)
        except TryLater:
            self.allowance.went_wrong()
            raise
        self.allowance.answered(reply)
        return reply

    def judged(self, reply: Reply, where: str) -> Node:
        """What the reply says, or the error it is; both are remembered of Alma."""
        try:
            found = value_of(reply, where)
        except Broken:
            self.allowance.went_wrong()
            raise
        self.allowance.went_well()
        return found

    def redirect(self, call: Call) -> Reply:
        """The reply of a call that is answered with another address, or the error it is."""

        def ask() -> Reply:
            reply = self.reply(call, urgent=False)
            if reply.status not in (302, 303, 307):
                self.judged(reply, named(call))
                raise Declined(f"{named(call)}: Alma did not say where the item is", status=reply.status)
            return reply

        return self.patiently(ask)

    def pages(self, call: Callable[[int], Call], entry: str, key: str = "id", *, urgent: bool = False) -> Iterator[Node]:
        """Every entry of a list, each once. Absence is never evidence: a list that ends before its own total is an error."""
        seen: set[str] = set()
        for _page in range(_PAGES_MAX):
            page = page_of(self.read(call(len(seen)), urgent=urgent), entry)
            fresh = [one for one in page.nodes if one.required(key) not in seen]
            seen.update(one.required(key) for one in fresh)
            yield from fresh
            if len(seen) >= page.total:
                return
            if not fresh:
                raise Broken(f"Alma's list ended after {len(seen)} of {page.total} entries; it may have changed meanwhile")
        raise Broken("Alma's list does not end")

    def pause(self, seconds: float) -> None:
        """Waits about so long."""
        self.wait(self.spread(seconds))

    def patiently(self, ask: Callable[[], R]) -> R:
        """Asks, and asks again after a pause where only time is wanting. For what changes nothing."""
        for seconds in PAUSES:
            try:
                return ask()
            except Exhausted:
                raise
            except TryLater:
                self.pause(seconds)
        return ask()


def named(call: Call) -> str:
    """A call as errors name it: without ids, which are people's."""
    kind = [part for part in call.path.partition("?")[0].split("/")[3:] if part.isascii() and part.replace("-", "").isalpha() and part.islower()]
    op = dict(call.query).get("op", "")
    return " ".join(filter(None, (call.method, "/".join(kind), op)))
