"""The runs that send mail: each report, each run of holds once, what is held, and what an earlier run could not send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from bursarbridge.assembly.hold_reports import hold_letters, untold
from bursarbridge.assembly.library import returns_flow
from bursarbridge.assembly.names import hold_flows
from bursarbridge.assembly.reports import letters_of
from bursarbridge.errors import Refused
from bursarbridge.flows import letter
from bursarbridge.flows.held import HELD
from bursarbridge.flows.hold_report import HOLDS
from bursarbridge.flows.letter import Addressed
from bursarbridge.flows.reports import NAMES, RETURNED
from bursarbridge.flows.returns import look_around
from bursarbridge.flows.run import Run, Steps
from bursarbridge.jobs.lock import Busy
from bursarbridge.store import outbox_mail
from bursarbridge.store.books import Books
from bursarbridge.store.hold_reports import TOLD_BY

if TYPE_CHECKING:
    from bursarbridge.flows.mailing import Mailed
    from bursarbridge.jobs.engine import Procedure
    from bursarbridge.wiring.bridge import Bridge
    from bursarbridge.wiring.syncing import Start


def procedures(bridge: Bridge) -> dict[str, Procedure]:
    """Each report, each report once more, and what is due of all of them."""
    made = {f"report-{name}": _mailing(bridge, name, again=False) for name in NAMES}
    return made | {f"report-{name}-again": _mailing(bridge, name, again=True) for name in NAMES} | {"mail": _mailing(bridge, "", again=False)}


def letters(bridge: Bridge, name: str, books: Books, mailing: str, *, again: bool, today: str = "") -> Iterator[Addressed]:
    """The mails of a report that a run named `mailing` sends: once a campus day, of holds once for each run of them, or once more."""
    if name == HOLDS:
        return hold_letters(bridge.settings, books, bridge.hold_flow_of, mailing, again=again)
    return letters_of(name, bridge.settings, books, bridge.returned, mailing if again else today)


def tell_holds(bridge: Bridge, start: Start) -> None:
    """Mails the report of every run of holds that has none yet, at once and also when nothing changed; what another process mails is its own."""
    for run in _untold(bridge):
        with suppress(Busy):
            bridge.reached("holds.untold")
            start(f"report-{HOLDS}", f"{TOLD_BY}{run}")


def load_early(bridge: Bridge, flow: str) -> None:
    """Has what the report about a run of holds is made with loaded beside the run, whose database works meanwhile; nothing waits for it."""
    if flow in hold_flows(bridge.settings) and bridge.settings.mail is not None and any(one.name == HOLDS for one in bridge.settings.reports):
        Thread(target=_load, name="report", daemon=True).start()


def _load() -> None:
    from bursarbridge.flows import mailing  # noqa: F401  the mail libraries

    letter.load()


def holds_untold(bridge: Bridge) -> bool:
    """Whether a run of holds ended whose report nobody has begun to mail."""
    return bool(_untold(bridge))


def tell_held(bridge: Bridge, start: Start) -> None:
    """Says that something is held, once a day for the same things, to whoever the settings name."""
    if bridge.settings.mail is not None and any(one.name == HELD for one in bridge.settings.reports):
        start(f"report-{HELD}")


def tell_due(bridge: Bridge, start: Start) -> None:
    """Tries again what an earlier run could not send: whoever runs anything carries the mail too."""
    with bridge.books() as books:
        due = outbox_mail.any_due(books)
    if due and bridge.settings.mail is not None:
        start("mail")


def _untold(bridge: Bridge) -> list[str]:
    if not bridge.settings.holds:
        return []
    with bridge.books() as books:
        return untold(bridge.settings, books)


def _mailing(bridge: Bridge, name: str, *, again: bool) -> Procedure:
    def procedure(steps: Steps, run_name: str, now: str) -> Mailed:
        from bursarbridge.flows.mailing import mailing  # the mail libraries, only for those who mail

        run = bridge.begin(steps, f"report-{name}" if name else "mail", run_name, now, bridge.vault, bridge.scratch)

        def composed(books: Books) -> Iterator[Addressed]:
            return letters(bridge, name, books, run_name, again=again, today=run.today) if name else iter(())

        said = _look_around(bridge, run) if name == RETURNED else ""
        sender = bridge.settings.mail.sender if bridge.settings.mail else ""
        return mailing(run, composed, sender, bridge.ways.carrier(), said)

    return procedure


def _look_around(bridge: Bridge, run: Run) -> str:
    """Asks the library before its report is made, so that it names what came back unannounced; why it could not be asked, or ""."""
    if not any(source.returns for source in bridge.settings.libraries):
        return ""
    try:
        with bridge.ways.desks() as desk_of:
            stopped = look_around(run, returns_flow(bridge.settings, desk_of))
    except Refused as error:  # no key, for one: the report is made of what is known, and says so
        stopped = str(error)
    return f"made of what was known before: {stopped}" if stopped else ""
