"""A campus-year, hour by hour: what people and partner systems do, and when the bridge runs."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from bursarbridge import config
from bursarbridge.examples.example import write_example
from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.alma_api import AlmaDoor
from bursarbridge.sandbox.alma_loans import Loan
from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.fees import Fee, FeeStatus, User
from bursarbridge.sandbox.folders import ALMA_IN, ALMA_OUT, PEOPLESOFT_IN, PEOPLESOFT_OUT, make_folders
from bursarbridge.sandbox.peoplesoft import PeopleSoft
from bursarbridge.sandbox.story import BUSINESS_UNIT, CREDIT_ITEM_TYPES, ITEM_TYPES, TIMEZONE
from bursarbridge.store import inbox
from bursarbridge.store.inbox import Received
from bursarbridge.systems.alma.webhooks import AlmaListener
from tests.returned_scenes import loan_call
from tests.simulation.years.bridge import API_KEY, Machine
from tests.simulation.years.courier import Courier
from tests.simulation.years.curb import FLOW, Curb
from tests.simulation.years.curbside import Curbside
from tests.simulation.years.losses import Losses, losses_of
from tests.simulation.years.people import Staff
from tests.simulation.years.weather import Weather

ZONE = ZoneInfo(TIMEZONE)
FEE_TYPES = ("OVERDUEFINE", "OVERDUEFINE", "DAMAGEDITEMFINE", "LIBRARYCARDREPLACEMENT", "OTHER")
LOST = "LOSTITEMREPLACEMENTFEE"
CENTS = (500, 500, 500, 1500, 1500, 8500, 12435, 82, 414)
"""Equal on purpose (D05)."""

_SECTIONS = """
[sources.library.api]
base = "http://127.0.0.1:9"
key = "file:keys/api"

[sources.library.webhooks]
secrets = ["file:keys/hook"]

[sources.library.returns]
waive_reason = "FOUND"
"""


@dataclass
class Life:
    """One campus with its seed, lived day by day."""

    seed: int
    folder: Path
    losing: bool = False
    """Whether disks are lost and backups put back."""
    events: int = 0
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.weather = Weather.of(self.chance)
        self.now = datetime(2026, 7, 1, 0, 0, tzinfo=ZONE)
        self.far, self.near = self.folder / "far", self.folder / "near"
        (toml,) = [path for path in write_example(self.near) if path.suffix == ".toml"]
        (self.near / "keys").mkdir(exist_ok=True)
        (self.near / "keys/api").write_text(API_KEY, "utf-8")
        (self.near / "keys/hook").write_text("hook-of-nobody-in-particular", "utf-8")
        make_folders(self.near)
        self.campus = Campus(Alma(), PeopleSoft(BUSINESS_UNIT, ITEM_TYPES, (), CREDIT_ITEM_TYPES), self.far)
        self.campus.prepare()
        self.people = [User(f"{1_000_000 + 137 * number:07d}", f"Person {number}") for number in range(36)]
        self.strangers = set(self.people[-2:])
        for person in self.people:
            if person not in self.strangers:
                self.campus.peoplesoft.enroll(person.value, person.name)
        self.courier = Courier(self.far, self.near, self.weather)
        ids = [one.value for one in self.people[4:30]]
        self.curb = Curb.of(self.chance, self.weather, self.campus, self.courier, ZONE, ids, self.now)
        toml.write_text(toml.read_text("utf-8") + _SECTIONS + self.curb.settings(), "utf-8")
        door = AlmaDoor(self.campus.desk, self.campus.circulation, lambda: self.now, API_KEY, remaining=10**9)
        self.machine = Machine(config.load(toml), door, self.weather, lambda: self.now.astimezone(UTC))
        self.staff = Staff(self.campus, self.machine, self.near, self.far)
        self.curbside = Curbside(self.curb, self.machine, self.courier)
        self.bounce = self.chance.choice((0.01, 0.03, 0.1))
        self.losses: Losses | None = None
        if self.losing:
            self.courier.copies = self.folder / "copies"
            self.courier.copies.mkdir()
            self.staff.remembers = lambda: bool(self.losses and self.losses.count)
            self.losses = losses_of(self.seed, self.machine, self.folder, self.courier.copies, self._tell)
        self.out: list[Loan] = []
        self._barcodes = self._calls = 0

    # ---- a day

    def day(self, on: date, *, quiet: bool = False) -> None:
        """Everything of one campus day; quiet: nobody borrows or pays, the systems go on."""
        down = self.weather.strikes("bridge down")
        self._terms(on)
        agenda = [*self._agenda(on, quiet, down), *self._parking(on, quiet, down), *(self.losses.agenda(on) if self.losses else ())]
        for hour, minute, deed in sorted(agenda, key=lambda one: one[:2]):
            self.now = datetime(on.year, on.month, on.day, hour, minute, tzinfo=ZONE)
            self.courier.deliver(self.now)
            deed()

    def _agenda(self, on: date, quiet: bool, down: bool) -> Iterator[tuple[int, int, Callable[[], None]]]:
        run: Callable[[str], Callable[[], None]] = lambda flow: lambda: None if down else self.run(flow)  # noqa: E731
        open_day = on.weekday() < 5
        if open_day and not quiet:
            yield 8, 0, self._desk_hours
        yield 8, 30, run("library-returns")
        yield 9, 0, lambda: self._partner(lambda: self.campus.export_credits(self.now), ALMA_OUT)
        yield 9, 5, run("library-credits")
        if open_day and not quiet:
            yield 10, 0, self._cashier
        yield 11, 0, lambda: self._partner(self._post, PEOPLESOFT_OUT)
        yield 12, 0, lambda: self._partner(lambda: self.campus.report_payments(self.now), PEOPLESOFT_OUT)
        yield 12, 5, run("library-payments")
        yield 13, 0, self._import
        if not quiet:
            yield 16, 0, self._assess
        yield 18, 0, lambda: self._partner(lambda: self.campus.export(self.now), ALMA_OUT)
        yield 18, 20, run("library-charges")
        yield 20, 0, lambda: self._partner(self._post, PEOPLESOFT_OUT)
        yield 20, 20, run("library-charges")
        if open_day:
            yield 21, 0, self._staff

    def _parking(self, on: date, quiet: bool, down: bool) -> Iterator[tuple[int, int, Callable[[], None]]]:
        curb = self.curb
        yield *curb.draws_at, lambda: curb.draw(self.now)
        if on.weekday() == 6 or self.weather.calm:
            yield 4, 0, lambda: curb.report(self.now)
        yield 5, 30, lambda: None if down else self._holds()
        yield 6, 0, lambda: curb.load(self.now)
        if not quiet and on.weekday() < 5:
            yield 10, 30, lambda: curb.office_hours(self.now)
            yield 14, 0, lambda: None if down or not self.curbside.decide(self.now, self._tell) else self._holds()
        elif self.weather.calm:
            yield 14, 0, lambda: None if not self.curbside.decide(self.now, self._tell) else self._holds()
        yield 14, 30, lambda: curb.load(self.now)
        yield 15, 0, lambda: self.curbside.judge(self.now)

    def _holds(self) -> None:
        for _ in range(2 if self.weather.strikes("run by hand") else 1):
            self.events += 1
            done = self.curbside.run()
            self._tell(f"{FLOW}: {_holds_told(done) if done else 'failed: ' + self.machine.failed[-1]}")

    def run(self, flow: str) -> None:
        """The bridge runs a flow; sometimes somebody starts it twice."""
        for _ in range(2 if self.weather.strikes("run by hand") else 1):
            self.events += 1
            done = self.machine.run(flow)
            self._tell(f"{flow}: {done['outcome'] if done else 'failed: ' + self.machine.failed[-1]}")

    def _tell(self, words: str) -> None:
        self.story.append(f"{self.now:%Y-%m-%d %H:%M} {words}")
        del self.story[:-400]

    def _partner(self, job: Callable[[], object], folder: str) -> None:
        """A partner's job, and the courier after it; some days the partner is idle."""
        if not self.weather.strikes("partner idle"):
            job()
        self.courier.send(folder, self.now)
        self.courier.deliver(self.now + timedelta(minutes=2))

    def _post(self) -> None:
        self.courier.collect(PEOPLESOFT_IN)
        self.events += len(self.campus.post(self.campus.load(), self.now))

    def _import(self) -> None:
        if not self.weather.strikes("partner idle"):
            self.courier.collect(ALMA_IN)
            self.events += sum(one.rows.rows for one in self.campus.import_payments(self.now))

    def _terms(self, on: date) -> None:
        codes = []
        for day in (on, on - timedelta(days=20)):
            season = 1 if day.month < 6 else 4 if day.month < 8 else 7
            codes.append(f"2{day.year % 100:02d}{season}")
        self.campus.peoplesoft.open_terms = tuple(dict.fromkeys(codes))

    # ---- people

    def _assess(self) -> None:
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
            person, cents = self.chance.choice(self.people), self.chance.choice(CENTS)
            self._barcodes += 1
            barcode = f"31234{self._barcodes:09d}"
            if self.chance.random() < 0.4:
                self.campus.alma.assess(person, LOST, cents, self.now, barcode=barcode, title="A book", library="MAIN")
                self.out.append(self.campus.lose(person, barcode, self.now - timedelta(days=45), self.now, "MAIN"))
            else:
                self.campus.alma.assess(person, self.chance.choice(FEE_TYPES), cents, self.now, barcode=barcode, title="A book", library="MAIN")
            self.events += 1

    def _desk_hours(self) -> None:
        """Books come back, staff waive whole fees."""
        if self.out and self.chance.random() < 0.3:
            loan = self.out.pop(self.chance.randrange(len(self.out)))
            self.campus.give_back(loan.barcode, self.now)
            self.events += 1
            if not self.weather.strikes("call never comes"):
                for _ in range(2 if self.weather.strikes("call twice") else 1):
                    self._call(loan)
        if self.chance.random() < 0.15:
            owed = [fee for fee in self.campus.alma.fees.values() if fee.balance_cents and fee.status is FeeStatus.TRANSFERRED]
            if owed:
                fee = self.chance.choice(owed)
                self.campus.alma.waive(fee.bursar_transaction_id, self.now, "waived by staff")
                self.events += 1

    def _call(self, loan: Loan) -> None:
        self._calls += 1
        at = self.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        body = loan_call(f"{self._calls:019}", loan.user.value, loan.barcode, event="LOAN_RETURNED", at=at, loan=loan.loan_id, institution="6001")
        with self.machine.bridge.books(writing=True) as books:
            inbox.put(books, [Received("library", AlmaListener(()).notice(body), body, books.now)])

    def _cashier(self) -> None:
        """Online everything at once; at the counter one item, whole, in part or too much; checks come back."""
        bursar = self.campus.peoplesoft
        for _ in range(self.chance.choice((0, 1, 1, 2))):
            owing = [item for item in bursar.items if item.open_cents]
            if not owing:
                return
            item = self.chance.choice(owing)
            how = self.chance.random()
            if how < 0.5:
                self.events += len(bursar.pay_online(item.emplid, self.now))
            else:
                cents = item.open_cents if how < 0.75 else max(1, item.open_cents // 2) if how < 0.97 else item.open_cents + 500
                bursar.pay_at_cashier(item.emplid, item.reference, cents, self.now)
                self.events += 1
        standing = [one for one in bursar.payments if not one.reversed and (self.now - one.paid_at).days < 20]
        if standing and self.chance.random() < self.bounce:
            bursar.reverse_payment(self.chance.choice(standing).number)
            self.events += 1

    def _staff(self) -> None:
        self.events += self.staff.look_through(self.now, self._tell)

    # ---- rest

    def rest(self, on: date, days: int) -> date:
        """Calm days: faults are off, what is under way arrives, people decide what asks."""
        self.weather.calm = True
        for _ in range(days):
            self.day(on, quiet=True)
            self.staff.look_through(self.now, self._tell)
            on += timedelta(days=1)
        self.curbside.judge(self.now, rest=True)
        self.weather.calm = False
        return on

    def fees(self) -> list[Fee]:
        """Every fee that Alma ever had."""
        return list(self.campus.alma.fees.values())

    def close(self) -> None:
        """Lets go of everything."""
        self.machine.bridge.close()


def _holds_told(done: dict[str, object]) -> str:
    holds = cast("dict[str, object]", done["holds"])
    said = ", ".join(f"{holds[name]} {name}" for name in ("added", "changed", "released", "repeated", "held") if holds[name])
    return f"{done['outcome']}: {said or 'nothing new'}"
