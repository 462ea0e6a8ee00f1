"""Two days on the emulated campus: what happens there, in a librarian's words, and when the bridge runs."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.cents import dollars
from bursarbridge.sandbox.fees import User
from bursarbridge.sandbox.people import ADA, BAO, CARMEN, DAY_ONE, DEV, ESME, STUDENTS, assess
from bursarbridge.sandbox.peoplesoft import PeopleSoft

TIMEZONE = "America/Los_Angeles"
BUSINESS_UNIT = "EXCCD"
OPEN_TERMS = ("2267",)
ITEM_TYPES = frozenset(f"4100000001{number:02d}" for number in range(0, 100, 10))
"""What this bursar knows as library charges; a test holds them equal to the example settings."""
CHARGES = "library-charges"
PAYMENTS = "library-payments"


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment: the campus acts, and then the bridge may run."""

    at: datetime
    """Aware, in the campus zone."""
    text: str
    """What happens, for a librarian."""
    act: Callable[[Campus, datetime], str]
    """Does it, and returns what came of it in one sentence, or "" when the campus has nothing to do."""
    flow: str | None = None
    """The flow the bridge runs afterwards."""


def make_campus(
    root: Path, item_types: Collection[str] = ITEM_TYPES, open_terms: Sequence[str] = OPEN_TERMS, business_unit: str = BUSINESS_UNIT
) -> Campus:
    """The campus before the first scene: five students with accounts, no fees, the drop folders under `root` made."""
    campus = Campus(Alma(), PeopleSoft(business_unit, item_types, open_terms), root)
    for student in STUDENTS:
        campus.peoplesoft.enroll(student.value, student.name)
    campus.prepare()
    return campus


def scenes() -> Iterator[Scene]:
    """Both days in order; run each scene's `act`, then its `flow` with `now` as the scene's time."""
    yield from _day_one()
    yield from _day_two_morning()
    yield from _day_two_afternoon()


def _day_one() -> Iterator[Scene]:
    yield Scene(_at(14, 16, 0), "Alma charges lost and late items, as it does every day at four.", _assess)
    yield Scene(_at(14, 18, 0), "Alma exports its active fees; they are now marked Transferred.", _export)
    yield Scene(_at(14, 18, 20), "The bridge takes the export and sends the charges to PeopleSoft.", _nothing, CHARGES)
    yield Scene(_at(14, 20, 0), "PeopleSoft loads the charge file and posts it to the student accounts.", _load_and_post)
    yield Scene(_at(14, 20, 20), "The bridge reads what PeopleSoft posted and what it refused.", _nothing, CHARGES)


def _day_two_morning() -> Iterator[Scene]:
    yield Scene(_at(15, 9, 10), "Ada pays online. Online, everything she has listed is paid at once.", _online(ADA))
    yield Scene(_at(15, 11, 30), "Bao brings part of the money for a lost book to the cashier.", _cashier(BAO, 40_00))
    yield Scene(_at(15, 12, 0), "PeopleSoft writes its payment report: everything since 1 July.", _report)
    yield Scene(_at(15, 12, 5), "The bridge reads the report and sends the payments to Alma.", _nothing, PAYMENTS)
    yield Scene(_at(15, 13, 0), "Alma's hourly import: what is paid in full closes, the rest goes down.", _import)


def _day_two_afternoon() -> Iterator[Scene]:
    yield Scene(_at(15, 13, 30), "By mistake, yesterday's export is delivered a second time under another name.", _export_again, CHARGES)
    yield Scene(_at(15, 14, 0), "The payment report is written again, though nobody has paid since.", _report, PAYMENTS)
    yield Scene(_at(15, 15, 10), "Bao pays the rest online.", _online(BAO))
    yield Scene(_at(15, 15, 40), "Carmen, Dev and Esmé pay online.", _online(CARMEN, DEV, ESME))
    yield Scene(_at(15, 17, 0), "PeopleSoft writes the evening's payment report.", _report)
    yield Scene(_at(15, 17, 5), "The bridge reads the report and sends the new payments to Alma.", _nothing, PAYMENTS)
    yield Scene(_at(15, 18, 0), "Alma's hourly import, and its export at six: there is nothing new to export.", _import_and_export)
    yield Scene(_at(15, 18, 5), "The bridge sees that Alma has taken the payments.", _nothing, PAYMENTS)


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo(TIMEZONE))


def _nothing(_campus: Campus, _now: datetime) -> str:
    return ""


def _assess(campus: Campus, now: datetime) -> str:
    cents = assess(campus.alma, DAY_ONE, now)
    return f"{len(DAY_ONE)} fees for {len({fee.user for fee in DAY_ONE})} people, {dollars(cents)}."


def _export(campus: Campus, now: datetime) -> str:
    before = campus.books().alma.active
    sent = campus.export(now)
    return f"{before.count} fees, {dollars(before.cents)}, in {sent.name}." if sent else "No active fees, so no export file."


def _load_and_post(campus: Campus, now: datetime) -> str:
    before = campus.books().peoplesoft.charged
    groups = campus.load()
    campus.post(groups, now)
    after = campus.books().peoplesoft.charged
    refused = [f"{loaded.objection} ({dollars(loaded.line.cents)})" for group in groups for loaded in group.refused]
    told = f"{after.count - before.count} charges posted, {dollars(after.cents - before.cents)}; {len(refused)} refused"
    return told + (f": {', '.join(refused)}." if refused else ".")


def _online(*students: User) -> Callable[[Campus, datetime], str]:
    def pay(campus: Campus, now: datetime) -> str:
        payments = [payment for student in students for payment in campus.peoplesoft.pay_online(student.value, now)]
        return f"{len(payments)} items paid, {dollars(sum(payment.cents for payment in payments))}."

    return pay


def _cashier(student: User, cents: int) -> Callable[[Campus, datetime], str]:
    def pay(campus: Campus, now: datetime) -> str:
        owed = [item for item in campus.peoplesoft.items_of(student.value) if item.open_cents]
        if not owed:
            return "Nothing is on the account, so nothing is paid."
        item = max(owed, key=lambda item: item.open_cents)
        campus.peoplesoft.pay_at_cashier(student.value, item.reference, cents, now)
        return f"{dollars(cents)} of {dollars(item.amount_cents)} paid, {dollars(item.open_cents)} still open."

    return pay


def _report(campus: Campus, now: datetime) -> str:
    paid = campus.books().peoplesoft.paid
    report = campus.report_payments(now)
    return f"{paid.count} payments, {dollars(paid.cents)}, in {report.name}."


def _import(campus: Campus, now: datetime) -> str:
    imported = campus.import_payments(now)
    closed, lowered = sum(file.rows.closed for file in imported), sum(file.rows.lowered for file in imported)
    cents = sum(file.rows.applied_cents for file in imported)
    return f"Files taken: {len(imported)}. Fees closed: {closed}, lowered: {lowered}; {dollars(cents)} applied."


def _export_again(campus: Campus, now: datetime) -> str:
    again = campus.export_again(now, name=f"BURSAR-copy-{int(now.timestamp())}.xml")
    return f"The same bytes, now called {again.name}."


def _import_and_export(campus: Campus, now: datetime) -> str:
    return f"{_import(campus, now)} {_export(campus, now)}"
