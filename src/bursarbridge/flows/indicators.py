"""How the bursar's list of service indicators is kept: the newest one, whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from bursarbridge.flows.reading import Reading
from bursarbridge.ledger.facts import Fact, Indicator
from bursarbridge.store import indicators


def indicator_poster(reading: Reading, facts: Iterator[Fact]) -> None:
    """Keeps a list in place of an older one. One that is older than what is kept is only noted: it never overwrites a newer one (F2)."""
    newer = indicators.newest(reading.books, reading.channel)[0] != reading.delivery
    rows = cast("Iterator[Indicator]", facts)
    if newer:
        for one in rows:
            reading.tally.already.add(1, max(one.cents, 0))
        return
    count, cents = indicators.keep(reading.books, reading.channel, reading.delivery, rows)
    reading.tally.noted.add(count, cents)
