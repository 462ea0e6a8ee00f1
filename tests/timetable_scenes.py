"""A campus with a timetable, on a clock that is set: the bridge's own code in folders, with plain steps in place of the engine, and a mailbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bursarbridge.assembly.names import ALL_FLOWS
from bursarbridge.errors import TryLater
from bursarbridge.exchange.vault import FileVault
from bursarbridge.sandbox.mailbox import Mailbox
from bursarbridge.store import slots
from bursarbridge.store.slots import SlotRow
from bursarbridge.wiring import mailings
from bursarbridge.wiring.bridge import Bridge
from bursarbridge.wiring.syncing import Start, Synced
from bursarbridge.wiring.ways import Ways
from tests.campus import Campus, PlainSteps, campus_in_memory

MONDAY = datetime(2026, 11, 16, 20, 0, tzinfo=UTC)
"""Noon of November 16 on the example campus, before the evening's run of 18:20."""
OWNER, LEAD, CIO = "systems@example.edu", "lead@example.edu", "cio@example.edu"
EVENING = """
[flows.library-charges]
schedule = { at = ["18:20"] }
expect = { source_file_by = "18:15", confirmed_by = "07:00+1d" }
owner = "systems@example.edu"
escalate = ["lead@example.edu", "cio@example.edu"]
"""
_MAIL = """
[mail]
relay = "127.0.0.1:PORT"
tls = "none"
from = "bridge@example.edu"
allowed_domains = ["example.edu"]
"""


class PlainBridge(Bridge):
    """A bridge without an engine: its procedures run at once, and what they do in steps is done in plain ones."""

    kills: str = ""
    """The named point at which the next process dies; "" for none."""

    @contextmanager
    def running(self, actor: str = "") -> Iterator[Start]:
        procedures = self.procedures()

        def run(flow: str, name: str, now: str) -> dict[str, object]:
            return dict(procedures[flow](PlainSteps(self.ledger), name, now))  # type: ignore[arg-type]

        with self.books() as books:  # as the engine does: what a dead process left is finished under its own name and instant
            left = books.rows("select flow, name, started_at from run where ended_at is null order by id")
        for flow, name, now in left:
            run(flow, name, now)
        yield partial(self._start, run, actor=actor)
        mailings.tell_due(self, partial(self._start, run))


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Scene:
    """One campus, its bridge and its mailbox."""

    campus: Campus
    bridge: PlainBridge
    box: Mailbox

    def at(self, text: str) -> Scene:
        """Sets the clock to a campus time, "2026-11-16 18:20"."""
        local = datetime.fromisoformat(text).replace(tzinfo=self.campus.settings.campus.timezone)
        self.campus.now = local.astimezone(UTC)
        return self

    def sync(self) -> Synced:
        """One round."""
        return self.bridge.sync()

    def ran(self) -> list[str]:
        """What one round ran: "library-charges 2026-11-16 18:20 completed"."""
        return [f"{one['flow']} {one['local_date']} {one['slot']} {one['outcome']}" for one in self.sync()["ran"]]

    def slot(self, flow: str, day: str, name: str) -> SlotRow:
        """A slot that came due."""
        with self.campus.books() as books:
            found = slots.one(books, slots.Key(flow, day, name))
            assert found is not None
            return found

    def words(self, number: int = -1) -> str:
        """The words of a mail that arrived, in one line."""
        return " ".join(self.box.mails[number].part("plain").split())

    def subjects(self, reader: str = "") -> list[str]:
        """The subjects of the mails that arrived, oldest first."""
        return [one.subject for one in self.box.mails if not reader or one.recipients == (reader,)]

    def alarms(self) -> list[str]:
        """The alarms that stand open, by kind."""
        return [one.kind for one in self.bridge.alarms()]

    def cut(self, *, times: int) -> None:
        """The next runs find the other system out of reach, before they do anything."""
        whole, left = self.bridge._procedure, [times]

        def procedure(flow: str) -> Callable[..., object]:
            made = whole(flow)

            def run(steps: PlainSteps, name: str, now: str) -> object:
                if flow in ALL_FLOWS and left[0] > 0:
                    left[0] -= 1
                    raise TryLater("the host does not answer")
                return made(steps, name, now)

            return run

        self.bridge._procedure = procedure  # type: ignore[method-assign, assignment]

    def die_at(self, point: str) -> None:
        """The next process dies at a named point, once."""
        self.bridge.kills = point


@contextmanager
def scene(timetable: str = EVENING, *, zone: str = "America/Los_Angeles") -> Iterator[Scene]:
    """A campus whose settings have this timetable, at noon of a Monday."""
    with Mailbox() as box:
        text = f"{_MAIL.replace('PORT', str(box.port))}{timetable}"
        changes = (("[[bursar.due_dates]]", f"{text}\n[[bursar.due_dates]]"), ('timezone = "America/Los_Angeles"', f'timezone = "{zone}"'))
        with campus_in_memory(changes) as campus:
            campus.now = MONDAY

            def reached(point: str) -> None:
                if bridge.kills == point:
                    bridge.kills = ""
                    raise Killed(point)

            ways = Ways(campus.settings, lambda _seconds: None, reached)
            vault = FileVault(campus.folder / "vault")
            bridge = PlainBridge(campus.settings, lambda: campus.now, lambda _seconds: None, reached, campus.ledger, vault, ways)
            yield Scene(campus, bridge, box)
