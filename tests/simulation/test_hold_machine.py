"""I7 and I8: holds under random violations, payments, appeals, policies, files, people and deaths; at rest the bursar has what the policy says.

`BURSARBRIDGE_SIMULATE=n` lives n campuses instead of the few of every test run; a failure prints the actions that led to it.
"""

import os
import random
from collections.abc import Callable
from contextlib import ExitStack, suppress

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bursarbridge.errors import Refused
from bursarbridge.flows.hold_desk import release_by_hand
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.folders import HOLDS_IN, HOLDS_OUT, PARKING_OUT, drop
from bursarbridge.sandbox.tickets import ParkingUser, TicketStatus, UserType
from tests.garage import OURS, SECTIONS, THEIRS, garage_in_memory
from tests.simulation.hold_rest import come_to_rest
from tests.simulation.hold_world import STRANGER, HoldWorld

GUARDS = """
[guards.parking-holds]
releases = { max = 2, percent = 40 }
placements = { max = 3, percent = 40 }
volume = { rows = 6, factor = 3 }
"""
PEOPLE = [ParkingUser(f"{1_000_001 + number}", f"Person {number}", list(UserType)[number % 5 % 2]) for number in range(6)]
NOBODY = ParkingUser("", "Unmatched")
PICK = st.integers(0, 10**6)
CENTS = st.sampled_from([2000, 2000, 4500, 10_000])
"""Mostly equal on purpose (D05)."""
DEEDS = st.lists(
    st.tuples(st.sampled_from(["issue", "issue", "pay", "pay", "part", "bounce", "appeal", "decide", "spoil", "clean"]), PICK), max_size=4
)
LISTS = st.sampled_from(
    ["plain"] * 8
    + ["lost", "renamed", "same name", "shuffled", "cut", "empty", "doubled", "late", "two days", "older again", "changes", "changes", "both"]
)
THEN = st.sampled_from(["", "r", "r", "rl", "rl", "rls", "rls", "rlsr", "rlsr", "rar", "ra", "rarls", "arls", "rR"])
"""What follows: r a run, R one over everybody, a people approve, l the bursar loads, s lists what it has."""
CUTS = st.sampled_from(["", "", "", "", "", "upload", "publish", "clear", "refuse", "doubt"])
DEATHS = st.sampled_from([0, 0, 0, 0]) | st.integers(1, 30)
POLICIES = [
    ('threshold = "0.01"', 'threshold = "40.00"'),
    ('grace = "0d"', 'grace = "3d"'),
    ('notice = "0d"', 'notice = "2d"'),
    ("user_types = []", 'user_types = ["Student"]'),
    ('disputed = "wait"', 'disputed = "count"'),
    ("exempt = []", 'exempt = [{ from = "2026-09-03", to = "2026-09-05" }]'),
    ('code = "PRK"\nreason = "PKCIT"', 'code = "PRK"\nreason = "PKNEW"'),
]
BURSAR = st.sampled_from(["load", "load", "lose", "load an older file again", "list", "list", "list late", "take one off", "damage a file"])
PERSON = st.sampled_from(["approve", "approve", "approve", "vote", "reject", "release", "release", "policy", "policy", "look"])


class Holds(RuleBasedStateMachine):
    """One campus: its parking office, its bursar, its staff, and weather."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize(snapshot=st.booleans(), begun=st.booleans())
    def open(self, snapshot: bool, begun: bool) -> None:
        """A campus that waits for the bursar's list or not, before or after its first night."""
        text = SECTIONS.replace('confirmed_by = "collected"', 'confirmed_by = "snapshot"') if snapshot else SECTIONS
        self.garage = self.stack.enter_context(garage_in_memory(text + GUARDS))
        self.world = HoldWorld(self.garage)
        self.late: list[Sent] = []
        self.sent: list[Sent] = []
        self.loaded: list[tuple[str, bytes]] = []
        for emplid in (*(one.user_id for one in PEOPLE), STRANGER):
            self.garage.people[emplid] = emplid
            if int(emplid) % 2:
                self.garage.indicators.place(emplid, THEIRS.code, THEIRS.reason, self.garage.now, "OFFICE")
        self.garage.indicators.place(STRANGER, OURS.code, OURS.reason, self.garage.now, "OFFICE", 7700)
        if begun:
            self.night([("issue", 0), ("issue", 1), ("issue", 2), ("issue", 3)], "plain", 0, "rarls", "", 0)

    @rule(deeds=DEEDS, kind=LISTS, pick=PICK, then=THEN, cut=CUTS, dies=DEATHS)
    def night(self, deeds: list[tuple[str, int]], kind: str, pick: int, then: str, cut: str, dies: int) -> None:
        """Things happen at the office, and its list arrives, or what became of it."""
        self.garage.later(hours=(20, 24, 24, 3)[pick % 4])
        for deed, number in deeds:
            with suppress(ValueError):
                self._at_the_office(deed, number)
        self._list(kind, pick)
        self._then(then, cut, dies)

    @rule(what=BURSAR, pick=PICK, then=THEN, cut=CUTS, dies=DEATHS)
    def bursar(self, what: str, pick: int, then: str, cut: str, dies: int) -> None:
        """PeopleSoft loads, loses or repeats files, lists its indicators, and an office takes a hold off by hand."""
        waiting = sorted((self.garage.folder / HOLDS_IN).glob("*.dat"))
        if what == "load":
            self._load()
        elif what == "lose":
            for path in waiting:
                path.rename(path.with_name(f"{path.name}.lost"))
        elif what == "load an older file again" and (again := [one for one in self.loaded if self.world.holding.reason.encode() in one[1]]):
            name, content = again[pick % len(again)]
            drop(self.garage.folder / HOLDS_IN, Sent(f"Z{pick}_{name}", content), self.garage.now)
            self._load()
        elif what == "damage a file" and waiting:
            waiting[0].write_bytes(waiting[0].read_bytes()[: pick % 200])
            self._load()
        elif what == "take one off" and (held := [emplid for emplid in self.garage.at_bursar() if emplid != STRANGER]):
            row = next(one for one in self.garage.indicators.of(held[pick % len(held)]) if one.code == OURS.code)
            self.garage.indicators.remove(row.emplid, row.code, row.reason, self.garage.now, "REGISTRAR")
        elif what == "list late":
            self.late_list()
        else:
            self.garage.jobs.report_indicators(self.garage.now)
        self._then(then, cut, dies)

    @rule(what=PERSON, pick=PICK, then=THEN, cut=CUTS, dies=DEATHS)
    def person(self, what: str, pick: int, then: str, cut: str, dies: int) -> None:
        """Somebody approves, rejects, releases one person, or changes the policy."""
        held = self.garage.held()
        if what == "approve":
            self.garage.approve_all()
        elif what in ("vote", "reject") and held:
            with suppress(Refused):
                self.garage.decide(held[pick % len(held)].id, ("Imre", "Rosa")[pick % 2], "approve" if what == "vote" else "reject")
        elif what == "release":
            self._release(PEOPLE[pick % len(PEOPLE)].user_id, pick % 4)
        elif what == "look":
            self.garage.look_into_doubts()
        elif what == "policy":
            old, new = POLICIES[pick % len(POLICIES)]
            self.garage.text = self.garage.text.replace(old, new) if old in self.garage.text else self.garage.text.replace(new, old)
            self.garage.indicators.codes |= {(OURS.code, "PKNEW"): OURS._replace(reason="PKNEW")}
        self._then(then, cut, dies)

    @rule(hours=st.sampled_from([1, 24, 72, 130]), then=THEN)
    def time(self, hours: int, then: str) -> None:
        """Time passes."""
        self.garage.later(hours=hours)
        self._then(then, "", 0)

    @invariant()
    def always(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                come_to_rest(self.world, self._load)
        finally:
            self.stack.close()

    # ---- what people and systems do

    def _at_the_office(self, deed: str, pick: int) -> None:
        garage, office = self.garage, self.garage.parking
        if deed == "issue":
            user = NOBODY if pick % 17 == 16 else PEOPLE[pick % len(PEOPLE)]
            cents = (2000, 2000, 4500, 10_000)[pick // 7 % 4]
            office.issue(user, "No permit", cents, garage.now.replace(hour=0))
            return
        found = list(office.tickets.values())
        if not found:
            return
        one = found[pick % len(found)]
        number, half = one.number, max(one.owed_cents // 200 * 100, 1)
        deeds: dict[str, Callable[[], object]] = {
            "pay": lambda: office.pay(number, one.owed_cents),
            "part": lambda: office.pay(number, half),
            "bounce": lambda: office.bounce(number, one.paid_cents),
            "appeal": lambda: office.appeal(number),
            "decide": lambda: office.decide(number, (0, half, one.owed_cents)[pick % 3]),
            "spoil": lambda: office.spoil(number),
            "clean": lambda: office.clean_up(number) if one.status is not TicketStatus.CLEANED else None,
        }
        deeds[deed]()

    def _list(self, kind: str, pick: int) -> None:
        """The office's list of the night, in every way that can go wrong."""
        garage = self.garage
        if kind in ("changes", "both"):
            self._drop(garage.parking.changes(garage.now))
            if kind == "changes":
                return
            garage.later(minutes=1)
        full = garage.parking.full_list(garage.now)
        if kind == "late":
            self.late.append(full)
            return
        if kind == "two days":
            garage.later(hours=1)
            self._at_the_office("issue", pick)
            second = garage.parking.full_list(garage.now)
            self._drop(second)
        if kind == "older again" and self.sent:
            again = self.sent[pick % len(self.sent)]
            self._drop(Sent(again.name, again.content))
        for late in self.late if pick % 3 == 0 else []:
            self._drop(late)
        spoiled = self._spoiled(kind, full, pick)
        if kind != "lost":
            self._drop(spoiled)
        if kind == "renamed":
            self._drop(Sent(full.name.replace(".csv", f"_copy{pick}.csv"), full.content))
        if kind == "same name":
            garage.run()
            self._drop(full)

    def _spoiled(self, kind: str, full: Sent, pick: int) -> Sent:
        lines = full.content.splitlines(keepends=True)
        if kind == "shuffled":
            random.Random(pick).shuffle(rest := lines[1:])
            return Sent(full.name, b"".join([lines[0], *rest]))
        if kind == "doubled":
            return Sent(full.name, b"".join([*lines, *lines[1:]]))
        if kind == "empty":
            return Sent(full.name, lines[0])
        if kind == "cut" and len(lines) > 1:  # inside a line; without a trailer nobody can tell one that ends at a line end
            return Sent(full.name, full.content[: -(2 + pick % len(lines[-1][2:]))])
        return full

    def _drop(self, sent: Sent) -> None:
        drop(self.garage.folder / PARKING_OUT, sent, self.garage.now)
        self.sent.append(sent)

    def _load(self) -> None:
        self.loaded += [(path.name, path.read_bytes()) for path in sorted((self.garage.folder / HOLDS_IN).glob("*.dat"))]
        self.garage.jobs.load(self.garage.now)

    def late_list(self) -> None:
        """The bursar's list is drawn now, and arrives after what happens next."""
        drawn = self.garage.indicators.snapshot(self.garage.now)
        self.garage.run()
        self._load()
        drop(self.garage.folder / HOLDS_OUT, drawn, self.garage.now)

    def _release(self, account: str, days: int) -> None:
        garage = self.garage
        until = f"{garage.now.date().fromordinal(garage.now.date().toordinal() + days)}"
        with suppress(Refused), garage.books(writing=True) as books:
            release_by_hand(books, garage.flow(), account, "R. Diaz", "registers today", garage.today, until)

    def _then(self, then: str, cut: str, dies: int) -> None:
        for what in then:
            if what == "a":
                self.garage.approve_all()
            elif what == "l":
                self.garage.later(minutes=5)
                self._load()
            elif what == "s":
                self.garage.later(minutes=5)
                self.garage.jobs.report_indicators(self.garage.now)
                self.garage.later(minutes=1)
            else:
                self.garage.later(seconds=30)
                if cut:
                    self.garage.cut.add(cut)
                ended = self.garage.run("parking-holds-full" if what == "R" else "parking-holds", dies_after=dies)
                assert ended is not None or cut or dies, "a run failed without a fault"
                dies = 0


_QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A failure is not made smaller by itself, which takes minutes; BURSARBRIDGE_SHRINK=1 asks for it."""

Holds.TestCase.settings = settings(
    max_examples=int(os.environ.get("BURSARBRIDGE_SIMULATE", "30")),
    stateful_step_count=15,
    deadline=None,
    report_multiple_bugs=False,
    phases=(*_QUICK, Phase.shrink) if os.environ.get("BURSARBRIDGE_SHRINK") else _QUICK,
    suppress_health_check=list(HealthCheck),
)
TestHolds = Holds.TestCase
