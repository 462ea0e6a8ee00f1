"""The curb: a parking office, what people do about its tickets, and the holds at the bursar that have to follow from its own books."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.fees import FileRefused
from bursarbridge.sandbox.folders import HOLDS_IN, HOLDS_OUT, PARKING_OUT
from bursarbridge.sandbox.hold_files import hold_lines
from bursarbridge.sandbox.hold_jobs import HoldJobs
from bursarbridge.sandbox.indicators import HoldCode, ServiceIndicators
from bursarbridge.sandbox.parking import Form, Parking
from bursarbridge.sandbox.tickets import ParkingUser, Ticket, TicketStatus, UserType
from tests.simulation.years.courier import Courier
from tests.simulation.years.weather import Weather

FLOW = "parking-holds"
INSTITUTION, HOLD, REASON = "EXCCD", "PRK", "PARK1"
CODES = (
    HoldCode(HOLD, REASON, "Parking violations", "AENR", "classes cannot be added", "PARKING"),
    HoldCode(HOLD, "PARK2", "Parking appeal board", "AENR", "classes cannot be added", "BOARD"),
    HoldCode("ADV", "NODEC", "No declared program", "ENVER", "no enrollment verification", "ADVISING"),
)
TYPES = ("No permit", "Expired meter", "Reserved space", "Fire lane")
CENTS = (3000, 3000, 4500, 4500, 6000, 7500, 414)
EVIDENCE_DAYS = 4


class Owed(NamedTuple):
    """One violation as a list of that moment shows it."""

    cents: int
    disputed: bool
    since: date


Listing = dict[str, list[Owed]]


class Rules(NamedTuple):
    """The campus's policy, as the oracle reads it: few lines of its own, nothing of the bridge's."""

    threshold: int
    grace: int
    disputed: str
    halted: tuple[date, date]

    def follows(self, before: int, owed: list[Owed], on: date, *, stale: bool) -> int:
        """What a person's hold has to show from what it showed before (0: there is none)."""
        total = sum(one.cents for one in owed if not one.disputed or self.disputed == "count")
        if before:
            return before if stale and total > before else total
        calls = sum(one.cents for one in owed if not one.disputed and (on - one.since).days >= self.grace)
        halted = stale or self.halted[0] <= on <= self.halted[1]
        return total if calls >= self.threshold and not halted else 0


@dataclass
class Curb:
    """Parking and the bursar's indicators on one campus, with what is true of every hold."""

    chance: random.Random
    weather: Weather
    campus: Campus
    courier: Courier
    zone: ZoneInfo
    people: list[ParkingUser]
    rules: Rules
    form: Form
    trailer: bool
    confirmed_by: str
    draws_at: tuple[int, int]
    asks_about_old: bool = True
    """Whether the campus lets a guard hold an old list; else it is up to the bridge that it is not taken for news."""
    read: Callable[[], str] = str
    """The source's time of the newest list that the bridge says it has read."""
    lists: dict[str, Listing] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    allowed: dict[str, set[int]] = field(default_factory=dict)
    excused: dict[str, datetime] = field(default_factory=dict)
    """Whose hold a partner's own mishap has changed, and when; the bursar's next list has to put it right."""
    foreign: set[tuple[str, str, str, int]] = field(default_factory=set)
    halted: bool = False
    """Whether no hold may be placed, and so none repaired: old evidence, or dates without new holds."""
    replays: list[tuple[datetime, str, bytes]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    wrong_days: int = 0
    excused_days: int = 0
    cycles: int = 0
    events: int = 0

    @classmethod
    def of(cls, chance: random.Random, weather: Weather, campus: Campus, courier: Courier, zone: ZoneInfo, ids: list[str], now: datetime) -> "Curb":
        """A campus's curb as a seed has it."""
        begin = now.date() + timedelta(days=chance.randrange(20, 340))
        halted = (begin, begin + timedelta(days=12)) if chance.random() < 0.5 else (date.max, date.max)
        rules = Rules(chance.choice((1, 1, 2500, 5000)), chance.choice((0, 0, 2, 7)), chance.choice(("wait", "wait", "count")), halted)
        form = chance.choice((Form.DELIMITED, Form.DELIMITED, Form.FIXED))
        people = [ParkingUser(one, f"Driver {one}") for one in ids]
        people += [ParkingUser(f"602219{number:02d}", f"Staff {number}", UserType.STAFF) for number in range(4)]
        curb = cls(
            chance, weather, campus, courier, zone, people, rules, form, form is Form.FIXED or chance.random() < 0.5,
            chance.choice(("snapshot", "collected", "assumed")), chance.choice(((1, 30), (2, 0), (3, 10))),
            chance.random() < 0.5,
        )  # fmt: skip
        campus.parking = Parking(trailer=curb.trailer)
        campus.indicators = ServiceIndicators(INSTITUTION, campus.peoplesoft.accounts, CODES)
        for folder in (PARKING_OUT, HOLDS_IN, HOLDS_OUT):
            (courier.near / folder).mkdir(parents=True, exist_ok=True)
            (courier.far / folder).mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(sorted(campus.peoplesoft.accounts)[:9]):
            curb._foreign(one, *(("ADV", "NODEC"), (HOLD, "PARK2"), ("ADV", "NODEC"))[number % 3], now)
        return curb

    @property
    def jobs(self) -> HoldJobs:
        """Both systems' jobs."""
        return self.campus.holds

    @property
    def parking(self) -> Parking:
        """The office's books."""
        return self.campus.holds.parking

    @property
    def indicators(self) -> ServiceIndicators:
        """The bursar's."""
        return self.campus.holds.indicators

    # ---- what partners do

    def draw(self, now: datetime) -> None:
        """The office's nightly list; what it says is remembered as what is true then."""
        if self.weather.strikes("partner idle"):
            return
        sent = self.jobs.export_violations(now, self.form)
        listing: Listing = {}
        for one in self.parking.tickets.values():
            if one.owed_cents and one.user.user_type is UserType.STUDENT:
                listing.setdefault(one.user.user_id, []).append(Owed(one.owed_cents, one.status is TicketStatus.APPEALED, one.issued_at.date()))
        self.lists["".join(sent.name.split("_")[2:4])] = listing
        self.courier.send(PARKING_OUT, now, split=self.trailer)

    def load(self, now: datetime) -> None:
        """The bursar loads hold files, unless the job is idle; one may get lost on its way, and an old one may be loaded again."""
        if self.weather.strikes("partner idle"):
            return
        taken = self.courier.collect(HOLDS_IN)
        for path in sorted((self.courier.far / HOLDS_IN).glob("*.dat")) if taken else ():
            content = path.read_bytes()
            if self.weather.strikes("hold file lost"):
                self._excuse(content, now)
                path.unlink()
            elif self.weather.strikes("hold file loaded again"):
                self.replays.append((now + timedelta(days=self.chance.randint(0, 5), hours=1), path.name, content))
        due = [one for one in self.replays if one[0] <= now]
        self.replays = [one for one in self.replays if one[0] > now]
        self.events += sum(one.placed + one.changed + one.released for one in self.jobs.load(now))
        for _at, name, content in due:
            try:
                self.indicators.load(name, content, now)
            finally:
                self._excuse(content, now)

    def report(self, now: datetime) -> None:
        """The bursar's list of indicators."""
        if not self.weather.strikes("partner idle"):
            self.jobs.report_indicators(now)
        self.courier.send(HOLDS_OUT, now)

    def office_hours(self, now: datetime) -> None:
        """Tickets are written, paid, appealed, decided, voided; checks come back; clerks and other offices do their work."""
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
            self.parking.issue(self.chance.choice(self.people), self.chance.choice(TYPES), self.chance.choice(CENTS), now)
            self.events += 1
        for _ in range(self.chance.choice((0, 1, 1, 2, 2))):
            owing = [one for one in self.parking.tickets.values() if one.owed_cents]
            if owing:
                self._about(self.chance.choice(owing))
                self.events += 1
        paid = [one for one in self.parking.tickets.values() if one.paid_cents and (now - one.issued_at).days < 60]
        if paid and self.chance.random() < 0.02:
            one = self.chance.choice(paid)
            self.parking.bounce(one.number, self.chance.choice((one.paid_cents, one.paid_cents, max(1, one.paid_cents // 2))))
        self._clerks(now)

    def _about(self, one: Ticket) -> None:
        how = self.chance.random()
        if one.status is TicketStatus.APPEALED:
            if how < 0.5:
                self.parking.decide(one.number, self.chance.choice((0, one.owed_cents, one.owed_cents // 2)))
        elif how < 0.55:
            self.parking.pay(one.number, one.owed_cents)
        elif how < 0.75:
            self.parking.pay(one.number, max(1, one.owed_cents // 2))
        elif how < 0.9:
            self.parking.appeal(one.number)
        else:
            self.parking.spoil(one.number)

    def _clerks(self, now: datetime) -> None:
        if self.chance.random() < 0.05:
            self._foreign(self.chance.choice(sorted(self.indicators.people)), "ADV", "NODEC", now)
        if self.foreign and self.chance.random() < 0.03:
            emplid, code, reason, cents = self.chance.choice(sorted(self.foreign))
            self.indicators.remove(emplid, code, reason, now, "ADVISOR1")
            self.foreign.discard((emplid, code, reason, cents))
        ours = [one for one in sorted(self.actual()) if one not in self.excused]
        if ours and self.weather.strikes("clerk removes a hold"):
            one = self.chance.choice(ours)
            self.indicators.remove(one, HOLD, REASON, now, "CLERK1")
            self.excused[one] = now

    def _foreign(self, emplid: str, code: str, reason: str, now: datetime) -> None:
        if (emplid, code, reason, 0) not in self.foreign:
            self.indicators.place(emplid, code, reason, now, "ADVISOR1")
            self.foreign.add((emplid, code, reason, 0))

    def _excuse(self, content: bytes, now: datetime) -> None:
        try:
            self.excused |= {one.emplid: now for one in hold_lines(content)}
        except FileRefused:
            self.wrong.append("a hold file that cannot be read left the bridge")

    # ---- what is true

    def follow(self, on: date, now: datetime, only: set[str] | None = None) -> None:
        """The bridge says that a plan left: from now on every hold has to be what the newest list it read says."""
        for emplid, cents in self.following(on, now).items():
            if only is None or emplid in only:
                self.expected[emplid] = cents
                self.allowed.setdefault(emplid, {0}).add(cents)

    def following(self, on: date, now: datetime) -> dict[str, int]:
        """Everybody's hold by the newest list that the bridge has read."""
        key = self.read()
        if key not in self.lists:
            return {}
        drawn = datetime.strptime(key, "%Y%m%d%H%M%S").replace(tzinfo=self.zone)
        stale, listing = now - drawn > timedelta(days=EVIDENCE_DAYS), self.lists[key]
        self.halted = stale or self.rules.halted[0] <= on <= self.rules.halted[1]
        return {
            one.user_id: self.rules.follows(self.expected.get(one.user_id, 0), listing.get(one.user_id, []), on, stale=stale)
            for one in self.people
            if one.user_id in self.indicators.people
        }

    def actual(self) -> dict[str, int]:
        """The holds at the bursar under the office's code and reason."""
        rows = (row for emplid in self.indicators.people for row in self.indicators.of(emplid))
        return {row.emplid: row.cents for row in rows if (row.code, row.reason) == (HOLD, REASON)}

    def compare(self, now: datetime, *, whole: bool, snapshot: datetime | None, rest: bool = False) -> None:
        """Judges a day: `whole` when everything that left is loaded, so that every hold is exactly what it has to be."""
        actual, everybody = self.actual(), sorted(self.indicators.people)
        whole = whole and not any(_waits(root / HOLDS_IN) for root in (self.courier.near, self.courier.far))
        if whole and snapshot is not None:
            # While no hold may be placed none is repaired, and whoever has lost one waits for the end of that.
            waits = {one for one in self.excused if self.halted and actual.get(one, 0) != self.expected.get(one, 0)}
            self.excused = {one: at for one, at in self.excused.items() if at >= snapshot or one in waits}
        self.cycles += whole
        if rest and (not whole or (self.excused and not self.halted)):
            self._blame(now, "at rest", f"not everything came to rest: whole {whole}, excused {sorted(self.excused)}")
        for one in everybody:
            found, right = actual.get(one, 0), {self.expected.get(one, 0)} if whole else self.allowed.get(one, {0})
            if one in self.excused:
                self.excused_days += found != self.expected.get(one, 0)
            elif found not in right:
                self._blame(now, one, f"the hold is {found}, right would be {sorted(right)}, by the list of {self.read()}")
            elif whole:
                self.allowed[one] = {found}
        rows = (row for one in everybody for row in self.indicators.of(one) if (row.code, row.reason) != (HOLD, REASON))
        others = {(row.emplid, row.code, row.reason, row.cents) for row in rows}
        for emplid, code, reason, _cents in sorted(others ^ self.foreign):
            self._blame(now, emplid, f"another department's hold {code}/{reason} was touched")

    def _blame(self, now: datetime, whom: str, words: str) -> None:
        self.wrong_days += 1
        self.wrong.append(f"{now:%Y-%m-%d %H:%M} {whom}: {words}")

    def right_lines(self, lines: list[tuple[str, str, int]], on: date, now: datetime) -> bool:
        """Whether a plan that waits (account, verb, cents) is what has to follow; people ask both offices."""
        follows = self.following(on, now)
        for account, verb, cents in lines:
            if account in self.indicators.people and follows.get(account, 0) != (0 if verb == "release" else cents):
                return False
        return True

    def settings(self) -> str:
        """The campus's own settings for all this."""
        return "".join(_settings(self))


def _waits(folder: Path) -> bool:
    return any(path.suffix == ".dat" and not path.name.startswith(".") for path in folder.iterdir())


def _settings(curb: Curb) -> Iterator[str]:
    yield _CONNECTION
    yield '[[sources.parking.violations]]\nkind = "full"\nfolder = "out"\nabsent = "cleared"\nsettle = "0s"\n'
    yield f"files = [\"violations_full_*.{curb.form}\"]\nas_of = '(\\d{{8}})_(\\d{{6}})'\n"
    yield _DELIMITED if curb.form is Form.DELIMITED else _FIXED
    if curb.trailer:
        yield 'trailer = { mark = "TRAILER", count = 2, total = 3 }\n' if curb.form is Form.DELIMITED else _FIXED_TRAILER
    yield _STATUSES
    rules = curb.rules
    yield f'threshold = "{rules.threshold // 100}.{rules.threshold % 100:02d}"\ngrace = "{rules.grace}d"\ndisputed = "{rules.disputed}"\n'
    yield f'evidence_max_age = "{EVIDENCE_DAYS}d"\nconfirmed_by = "{curb.confirmed_by}"\n'
    if curb.confirmed_by == "assumed":
        yield 'assumed_after = "12h"\n'
    yield _FILES
    if rules.halted[0] != date.max:
        yield f'[[holds.parking.exempt]]\nfrom = "{rules.halted[0]}"\nto = "{rules.halted[1]}"\n'
    if not curb.asks_about_old:
        yield '[guards.parking-holds]\nstale = { action = "off" }\n'


_CONNECTION = """
[connections.garage]
kind = "folder"
path = "parking"
[sources.parking]
adapter = "opscom"
reference_prefix = "P"
connection = "garage"
timezone = "America/Los_Angeles"
amount_max = "5000.00"
"""
_DELIMITED = """titles = ["User ID", "User Type", "Violation Number", "Violation Type", "Violation Date", "Amount Owed", "Status"]
dates = ["MM/DD/YYYY"]
columns = { id = "User ID", amount = "Amount Owed", user_type = "User Type", reference = "Violation Number", category = "Violation Type", \
violated_on = "Violation Date", status = "Status" }
"""
_FIXED = """form = "fixed"
encoding = "ascii"
width = 94
dates = ["YYYYMMDD"]
columns = { id = [2, 15], user_type = [17, 10], reference = [27, 12], category = [39, 20], \
violated_on = [59, 8], amount = [67, 12], status = [79, 16] }
"""
_FIXED_TRAILER = 'trailer = { mark = "T", count = [2, 10], total = [12, 16] }\n'
_STATUSES = """statuses = { Open = "open", Appealed = "disputed", Paid = "paid", Spoiled = "void", Warning = "warning" }
[mail]
relay = "127.0.0.1:1"
tls = "none"
from = "Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
[reports.holds]
to = ["parking@example.edu"]
[holds.parking]
code = "PRK"
reason = "PARK1"
institution = "EXCCD"
department = "PARKING"
contact = "Parking Office"
impact = "registration"
user_types = ["Student"]
"""
_FILES = """
added = { folder = "holds/in", layout = "generic-holds-added", name = "{made_on}_{sequence:06d}_HOLDS_ADDED.dat" }
released = { folder = "holds/in", layout = "generic-holds-released", name = "{made_on}_{sequence:06d}_HOLDS_RELEASED.dat" }
snapshot = { folder = "holds/out", files = ["BB_SRVC_IND*.csv"], layout = "ps-query-indicators", as_of = '(\\d{8})_(\\d{6})', settle = "0s" }
"""
