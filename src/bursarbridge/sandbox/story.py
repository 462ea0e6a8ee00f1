"""Two days and a morning on the emulated campus: what happens there, in a librarian's words, and when the bridge runs."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.cents import dollars
from bursarbridge.sandbox.fees import User
from bursarbridge.sandbox.people import ADA, BAO, CARMEN, DAY_ONE, DAY_TWO, DEV, ESME, GITA, HUGO, STUDENTS, assess
from bursarbridge.sandbox.peoplesoft import PeopleSoft

TIMEZONE = "America/Los_Angeles"
BUSINESS_UNIT = "EXCCD"
OPEN_TERMS = ("2267",)
ITEM_TYPES = frozenset(f"4100000001{number:02d}" for number in range(0, 100, 10))
"""What this bursar knows as library charges; a test holds them equal to the example settings."""
CREDIT_ITEM_TYPES = frozenset(f"4100000001{number:02d}" for number in range(1, 100, 10))
"""The item types by which it takes charges back; held equal in the same way."""
CHARGES = "library-charges"
PAYMENTS = "library-payments"
CREDITS = "library-credits"
RETURNS = "library-returns"
REPORT = "report-returned-but-still-charged"


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
    """The campus before the first scene: seven students with accounts, no fees, the drop folders under `root` made."""
    campus = Campus(Alma(), PeopleSoft(business_unit, item_types, open_terms, CREDIT_ITEM_TYPES), root)
    for student in STUDENTS:
        campus.peoplesoft.enroll(student.value, student.name)
    campus.prepare()
    return campus


def scenes() -> Iterator[Scene]:
    """Every scene in order; run each scene's `act`, then its `flow` with `now` as the scene's time."""
    yield from _day_one()
    yield from _day_two_morning()
    yield from _day_two_afternoon()
    yield from _day_three_lost_call()
    yield from _day_three_heard_call()


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
    yield Scene(_at(15, 16, 0), "Alma charges what was declared lost today, and blocks the borrowers.", _lose)
    yield Scene(_at(15, 17, 0), "PeopleSoft writes the evening's payment report.", _report)
    yield Scene(_at(15, 17, 5), "The bridge reads the report and sends the new payments to Alma.", _nothing, PAYMENTS)
    yield Scene(_at(15, 18, 0), "Alma's hourly import, and its export at six.", _import_and_export)
    yield Scene(_at(15, 18, 5), "The bridge sees that Alma has taken the payments.", _nothing, PAYMENTS)
    yield Scene(_at(15, 18, 20), "The bridge takes the export and sends the new charges to PeopleSoft.", _nothing, CHARGES)
    yield Scene(_at(15, 20, 0), "PeopleSoft loads the charge file and posts it to the student accounts.", _load_and_post)
    yield Scene(_at(15, 20, 20), "The bridge reads that PeopleSoft has posted them.", _nothing, CHARGES)


def _day_three_lost_call() -> Iterator[Scene]:
    yield Scene(_at(16, 7, 10), "Hugo's lost book lies in the book drop. Alma's call about it goes astray.", _back(HUGO, call=False))
    yield Scene(_at(16, 7, 30), "The daily report: what came back and is still charged. The bridge asks Alma, and mails it.", _nothing, REPORT)
    yield Scene(_at(16, 7, 40), "The circulation desk opens its mail.", _mail)
    yield Scene(_at(16, 8, 0), "The bridge does what it would have done on the call: it looks once more, and waives.", _nothing, RETURNS)
    yield Scene(_at(16, 9, 0), "Alma's hourly credit export.", _export_credits)
    yield Scene(_at(16, 9, 5), "The bridge takes the credit and sends it to PeopleSoft.", _nothing, CREDITS)
    yield Scene(_at(16, 9, 30), "PeopleSoft loads the credit file and posts it.", _take_back(HUGO))


def _day_three_heard_call() -> Iterator[Scene]:
    yield Scene(_at(16, 10, 10), "Gita brings her lost book back to the desk. This time Alma's call arrives.", _back(GITA, call=True), RETURNS)
    yield Scene(_at(16, 11, 0), "Alma's hourly credit export.", _export_credits)
    yield Scene(_at(16, 11, 5), "The bridge takes the credit and sends it to PeopleSoft.", _nothing, CREDITS)
    yield Scene(_at(16, 11, 10), "PeopleSoft loads the credit file and posts it, one hour after the book came back.", _take_back(GITA))
    yield Scene(_at(16, 12, 0), "The bridge reads that PeopleSoft has posted the credit.", _nothing, CREDITS)


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo(TIMEZONE))


def _nothing(_campus: Campus, _now: datetime) -> str:
    return ""


def _assess(campus: Campus, now: datetime) -> str:
    cents = assess(campus.alma, DAY_ONE, now)
    return f"{len(DAY_ONE)} fees for {len({fee.user for fee in DAY_ONE})} people, {dollars(cents)}."


def _lose(campus: Campus, now: datetime) -> str:
    cents = assess(campus.alma, DAY_TWO, now)
    for owed in DAY_TWO:
        campus.lose(owed.user, owed.barcode, now - timedelta(days=45), now, owed.library)
    return f"{len(DAY_TWO)} fees for {len({fee.user for fee in DAY_TWO})} people, {dollars(cents)}."


def _back(student: User, *, call: bool) -> Callable[[Campus, datetime], str]:
    def give_back(campus: Campus, now: datetime) -> str:
        (barcode,) = (owed.barcode for owed in DAY_TWO if owed.user == student)
        loan = campus.give_back(barcode, now)
        still = f"Still charged {dollars(_charged(campus, student))}; {_blocks(campus, student)} on borrowing."
        if not call or campus.calls is None:
            return still
        status = campus.calls.returned(loan, now)
        return f"{still} Alma calls the bridge, signed; the answer is {status}."

    return give_back


def _charged(campus: Campus, student: User) -> int:
    return sum(item.open_cents for item in campus.peoplesoft.items_of(student.value))


def _blocks(campus: Campus, student: User) -> str:
    blocks = len(campus.circulation.blocks(student))
    return f"{blocks or 'no'} block{'' if blocks == 1 else 's'}"


def _mail(campus: Campus, _now: datetime) -> str:
    mails = campus.mailbox.mails if campus.mailbox else []
    return f'"{mails[-1].subject}": {mails[-1].part("plain").splitlines()[0]}' if mails else "No mail is there."


def _export_credits(campus: Campus, now: datetime) -> str:
    before = len(campus.alma.credits) - campus.alma.credits_waiting
    sent = campus.export_credits(now)
    fresh = campus.alma.credits[before:]
    return f"{_credits(len(fresh))}, {dollars(sum(credit.cents for credit in fresh))}, in {sent.name}." if sent else "No new credits, so no file."


def _take_back(student: User) -> Callable[[Campus, datetime], str]:
    def post(campus: Campus, now: datetime) -> str:
        before = campus.books().peoplesoft.taken_back_cents
        groups = campus.load()
        campus.post(groups, now)
        cents = campus.books().peoplesoft.taken_back_cents - before
        name = student.name.partition(", ")[2]
        told = f"{_credits(sum(len(group.good) for group in groups))} posted, {dollars(cents)}."
        return f"{told} {name}'s student account is at {dollars(_charged(campus, student))}; {_blocks(campus, student)} on borrowing."

    return post


def _credits(number: int) -> str:
    return f"{number} credit{'' if number == 1 else 's'}"


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
