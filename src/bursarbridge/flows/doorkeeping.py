"""What an endpoint turns away is put before a person and aside: it never simply vanishes (reliability.md T24)."""

from __future__ import annotations

from functools import partial
from typing import Protocol, runtime_checkable

from bursarbridge.flows.run import Run
from bursarbridge.ports import Endpoint
from bursarbridge.store import suspense
from bursarbridge.store.books import Books


@runtime_checkable
class Doorkeeper(Protocol):
    """An endpoint that lets in only what it can trust, and says what it turned away."""

    def refused(self) -> list[tuple[str, str]]:
        """What lies there and is never read: why, and the name by which `clear` puts it aside, where it is kept."""
        ...


def turn_away(run: Run, channel: str, endpoint: Endpoint) -> list[tuple[str, str]]:
    """Opens an item for everything that is refused and puts it aside; returns what no person has decided about, as (name, why).

    An endpoint that refuses nothing costs no step.
    """
    if not isinstance(endpoint, Doorkeeper):
        return []
    found = [(str(words), str(name)) for words, name in run.act(f"{channel}: who is at the door", endpoint.refused)]
    if not found:
        return []
    told = run.post(f"{channel}: refused", partial(_told, channel, found))
    run.world.reached("collect.refused")
    for _words, name in found:
        run.act(f"{channel}: put {name} aside", partial(_put_aside, endpoint, name))
    return [(name, words) for words, name in found if name in told]


def _told(channel: str, found: list[tuple[str, str]], books: Books) -> list[str]:
    items = [suspense.Item(f"mail:{name}", "mail_refused", f"{words}. It is kept as {name}", reference=name) for words, name in found]
    undecided = suspense.put_undecided(books, channel, items)
    return [item.reference for item in items if item.key in undecided]


def _put_aside(endpoint: Endpoint, name: str) -> bool:
    endpoint.clear(name)
    return True
