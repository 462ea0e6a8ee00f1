"""The bridge beside the curb: its runs of parking-holds, the people who decide about what a guard holds, and the daily judgement."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from bursarbridge.errors import Refused
from bursarbridge.store import guarded, holds, runs
from bursarbridge.store.guarded import Guarded
from tests.simulation.years.bridge import Machine
from tests.simulation.years.courier import Courier
from tests.simulation.years.curb import FLOW, Curb

PEOPLE = ("Imre Nagy", "Rosa Diaz", "Ann Okoro")


@dataclass
class Curbside:
    """The holds flow of one machine."""

    curb: Curb
    machine: Machine
    courier: Courier

    def __post_init__(self) -> None:
        self._planned_at = self._now()
        self._completed = False
        self.curb.read = self._read
        self.machine.journal.after_step = self._after_step

    def run(self) -> dict[str, object] | None:
        """Runs the flow once."""
        done = self.machine.run(FLOW)
        holds_done = cast("dict[str, Any]", done["holds"]) if done else {}
        self._completed = done is not None and not holds_done["held"] and not _waits(holds_done)
        return done

    def judge(self, now: datetime, *, rest: bool = False) -> None:
        """Holds the bursar's holds against what is true."""
        as_of = self._listed()
        drawn = datetime.strptime(as_of, "%Y%m%d%H%M%S").replace(tzinfo=self.curb.zone) if as_of else None
        self.curb.compare(now, whole=self._completed, snapshot=drawn, rest=rest)
        if rest and self.curb.read() != max(self.curb.lists):
            self.curb.wrong_days += 1
            self.curb.wrong.append(f"{now:%Y-%m-%d} at rest: the list of {max(self.curb.lists)} was never read, {self.curb.read()} was")

    def _listed(self) -> str:
        """The time of the newest list of the bursar's that the bridge has read as the bursar made it; one that was cut on its way shows nothing."""
        read = "select sha256, as_of from delivery where channel = 'parking-indicators' and state = 'read' order by as_of desc, id desc limit 20"
        with self.machine.bridge.books() as books:
            return next((str(as_of) for sha256, as_of in books.rows(read) if sha256 in self.courier.whole), "")

    def decide(self, now: datetime, tell: Callable[[str], None]) -> int:
        """People look at what guards hold, ask both offices, and approve what is right; returns how many."""
        decided = 0
        with self.machine.bridge.books() as books:
            found = guarded.open_ones(books)
        for one in found:
            right = self._right(one)
            verdict = "approve" if right else "reject"
            for actor in PEOPLE[: max(1, one.missing) if right else 1]:
                with suppress(Refused):
                    said, _ = self.machine.bridge.decide(one.id, actor, verdict, "asked both offices")
                    tell(f"held {one.id} ({one.flow} {one.kind} {one.file} {[trip.short for trip in one.trips]}): {said}")
                    decided += 1
        return decided

    def _right(self, one: Guarded) -> bool:
        if one.kind == "file":
            with self.machine.bridge.books() as books:
                sha256, as_of = books.rows("select sha256, as_of from delivery where id = :id", id=one.delivery)[0]
            return sha256 in self.courier.whole and (one.flow != FLOW or str(as_of) > self._read())
        if one.kind == "batch":
            return True
        with self.machine.bridge.books() as books:
            plan = holds.held_plan(books, runs.source_number(books, "parking", "P"))
            rows = books.rows(
                "select h.account, l.verb, l.cents from hold_line l join hold h on h.id = l.hold_id where l.plan_id = :p and l.state = 'planned'",
                p=plan,
            )
        lines = [(str(row[0]), str(row[1]), int(row[2])) for row in rows]
        return self.curb.right_lines(lines, self._planned_at.date(), self._planned_at)

    def _after_step(self, flow: str, now: str, name: str, result: object) -> None:
        if flow != FLOW or name not in ("plan", "approved plan"):
            return
        at, told = datetime.fromisoformat(now).astimezone(self.curb.zone), cast("dict[str, Any]", result)
        if name == "plan":
            self._planned_at = at
            if not told["held"] and not _waits(told):
                self.curb.follow(at.date(), at)
        elif told["sealed"]["documents"]:
            with self.machine.bridge.books() as books:
                rows = books.rows(
                    "select h.account from hold_line l join hold h on h.id = l.hold_id where l.sealed_run = (select max(sealed_run) from hold_line)"
                )
            self.curb.follow(at.date(), at, {str(row[0]) for row in rows})

    def _read(self) -> str:
        with self.machine.bridge.books() as books:
            return str(books.one("select coalesce(max(d.as_of), '') from full_list f join delivery d on d.id = f.delivery_id"))

    def _now(self) -> datetime:
        return self.machine.now().astimezone(self.curb.zone)


def _waits(told: dict[str, Any]) -> bool:
    """Whether the bridge decides nobody, after a restore, before it has read a newer list."""
    return any(one.startswith("nobody is decided before") for one in told["words"])
