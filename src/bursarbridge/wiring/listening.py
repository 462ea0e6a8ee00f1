"""The process that listens: webhook calls go into the inbox, and whoever watches sees numbers and health."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bursarbridge.assembly.library import listeners
from bursarbridge.errors import Refused, TryLater
from bursarbridge.flows.run import utc_text
from bursarbridge.store import inbox, opening
from bursarbridge.store.books import Books
from bursarbridge.wiring.outward import Outward, turned_away

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bursarbridge.console.webhooks import Heard
    from bursarbridge.wiring.bridge import Bridge


@contextmanager
def listening(bridge: Bridge) -> Iterator[FastAPI]:
    """The application, storing calls until the end of the block. Raises Refused without usable secrets or a safe database."""
    from bursarbridge.console.intake import Intake  # heavy, and only for those who listen
    from bursarbridge.console.metrics import Answered
    from bursarbridge.console.outside import seen_from_outside
    from bursarbridge.console.webhooks import application

    opening.refuse_unsafe(bridge.ledger)
    heard = listeners(bridge.settings)
    intake: Intake[Heard] = Intake(partial(_take_in, bridge))
    answered = Answered()
    app = application(heard, intake, lambda: utc_text(bridge.clock()), answered)
    outward = Outward(bridge.settings, bridge.clock, bridge.ledger, bridge.watch)
    seen_from_outside(app, lambda: outward.metrics(answered), outward.unhealthy, bridge.watch.monotonic)
    intake.start()
    bridge.watch.log("serve_begun")
    try:
        yield app
    finally:
        intake.close()
        bridge.watch.log("serve_ended")


def _take_in(bridge: Bridge, calls: Sequence[Heard], refused: Mapping[tuple[str, str], int]) -> None:
    """Commits calls. It does not wait for its turn: the inbox holds no money, and a long import must not lose a call."""
    now = utc_text(bridge.clock())
    try:
        with bridge.ledger.begin() as connection:
            books = Books(connection, 0, now, bridge.reached)
            inbox.put(books, [inbox.Received(*one) for one in calls])
            inbox.count(books, now[:10], refused)
    except sa.exc.DataError as error:
        raise Refused(f"the database cannot take a call: {type(error.orig).__name__}") from error
    except sa.exc.DBAPIError as error:
        bridge.watch.log("webhook_not_stored", calls=len(calls), error=type(error.orig).__name__)
        raise TryLater(f"the database does not answer: {type(error.orig).__name__}") from error
    turned_away(bridge.watch.log, refused)
