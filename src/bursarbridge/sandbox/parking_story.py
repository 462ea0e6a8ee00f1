"""Two nights of parking on the emulated campus: violations, a payment, an appeal, and the holds that follow. Independent of the library's days."""

from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.cents import dollars
from bursarbridge.sandbox.indicators import LOADER, ServiceIndicators
from bursarbridge.sandbox.parking import Parking
from bursarbridge.sandbox.parking_people import (
    ADA_PARKS,
    ADVISING,
    ADVISING_REASON,
    BAO_PARKS,
    CARMEN_PARKS,
    CODES,
    DEV_PARKS,
    HOLD,
    INSTITUTION,
    IVO,
    VISITOR,
)
from bursarbridge.sandbox.story import TIMEZONE, Scene
from bursarbridge.sandbox.tickets import ParkingUser, Ticket, TicketStatus, UserType

HOLDS = "parking-holds"


def open_parking(campus: Campus, now: datetime) -> None:
    """Gives a campus a parking office and service indicators, before the first scene. Another department's hold is there already."""
    campus.parking = Parking()
    campus.indicators = ServiceIndicators(INSTITUTION, campus.peoplesoft.accounts, CODES)
    campus.holds.prepare()
    campus.peoplesoft.enroll(IVO.user_id, IVO.name)
    campus.indicators.place(BAO_PARKS.user_id, ADVISING, ADVISING_REASON, now, "ADVISOR1")


def scenes() -> Iterator[Scene]:
    """Every scene in order, in the same days as the library's; run each scene's `act`, then its `flow` with `now` as the scene's time."""
    yield from _first_night()
    yield from _day_between()
    yield from _second_night()
    yield from _third_run()


def _first_night() -> Iterator[Scene]:
    yield Scene(_at(14, 10, 15), "Parking writes its violations of the morning.", _issue)
    yield Scene(_at(15, 2, 0), "Parking's nightly task exports every outstanding violation.", _export)
    yield Scene(_at(15, 2, 30), "The bridge works out who owes what, and tells PeopleSoft.", _nothing, HOLDS)
    yield Scene(_at(15, 3, 0), "PeopleSoft loads the hold files, and writes what indicators there are now.", _load)
    yield Scene(_at(15, 7, 30), "Ada looks into self service.", _looks(ADA_PARKS))


def _day_between() -> Iterator[Scene]:
    yield Scene(_at(15, 9, 40), "Ada is in a fire lane: a second violation.", _second_violation)
    yield Scene(_at(15, 10, 20), "Bao pays at parking's counter.", _pays(BAO_PARKS))
    yield Scene(_at(15, 11, 10), "Carmen appeals; the panel takes half of it off.", _appeal_lowers)
    yield Scene(_at(15, 14, 20), "Dev's violation was the wrong car: parking voids it.", _spoils)


def _second_night() -> Iterator[Scene]:
    yield Scene(_at(16, 2, 0), "Parking's nightly task again.", _export)
    yield Scene(_at(16, 2, 30), "The bridge changes two holds and releases two.", _nothing, HOLDS)
    yield Scene(_at(16, 3, 0), "PeopleSoft loads the hold files, and writes what indicators there are now.", _load)
    yield Scene(_at(16, 8, 10), "Bao looks into self service. Only advising's hold is left: it was never the bridge's to touch.", _looks(BAO_PARKS))


def _third_run() -> Iterator[Scene]:
    yield Scene(_at(16, 12, 30), "A run at noon: nothing has changed since, and the bridge sees what it told confirmed.", _nothing, HOLDS)
    yield Scene(_at(16, 12, 40), "The parking office opens its mail.", _mail)


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo(TIMEZONE))


def _nothing(_campus: Campus, _now: datetime) -> str:
    return ""


def _issue(campus: Campus, now: datetime) -> str:
    parking = _parking(campus)
    for user, violation_type, cents in (
        (ADA_PARKS, "No permit", 45_00),
        (BAO_PARKS, "Expired meter", 30_00),
        (CARMEN_PARKS, "Reserved space", 60_00),
        (DEV_PARKS, "No permit", 45_00),
        (IVO, "No permit", 45_00),
        (VISITOR, "Expired meter", 30_00),
    ):
        parking.issue(user, violation_type, cents, now)
    parking.issue(ADA_PARKS, "Over the line", 0, now, warning=True)
    open_now = parking.book().open
    return f"{open_now.count} violations, {dollars(open_now.cents)}, and one warning."


def _export(campus: Campus, now: datetime) -> str:
    open_now = _parking(campus).book().open
    return f"{open_now.count} violations, {dollars(open_now.cents)}, in {campus.holds.export_violations(now).name}."


def _load(campus: Campus, now: datetime) -> str:
    before = len(campus.refusals)
    loaded = campus.holds.load(now)
    placed, changed, released = (sum(getattr(one, word) for one in loaded) for word in ("placed", "changed", "released"))
    refused = sum(len(one.refused) for one in loaded) + len(campus.refusals) - before
    report = campus.holds.report_indicators(now)
    return f"{placed} placed, {changed} changed, {released} released, {refused} refused; the list is {report.name}."


def _looks(user: ParkingUser) -> Callable[[Campus, datetime], str]:
    def look(campus: Campus, _now: datetime) -> str:
        assert campus.indicators is not None
        return "; ".join(campus.indicators.shown(user.user_id)) + "." if campus.indicators.of(user.user_id) else "There is no hold."

    return look


def _second_violation(campus: Campus, now: datetime) -> str:
    _parking(campus).issue(ADA_PARKS, "Fire lane", 75_00, now)
    return f"She owes {dollars(_parking(campus).owed(ADA_PARKS.user_id))} in all."


def _pays(user: ParkingUser) -> Callable[[Campus, datetime], str]:
    def pay(campus: Campus, _now: datetime) -> str:
        cents = _parking(campus).owed(user.user_id)
        for ticket in _open(campus, user):
            _parking(campus).pay(ticket.number, ticket.owed_cents)
        return f"{dollars(cents)} paid; nothing is owed any more."

    return pay


def _appeal_lowers(campus: Campus, _now: datetime) -> str:
    for ticket in _open(campus, CARMEN_PARKS):
        _parking(campus).appeal(ticket.number)
        _parking(campus).decide(ticket.number, ticket.owed_cents // 2)
    return f"She owes {dollars(_parking(campus).owed(CARMEN_PARKS.user_id))} now."


def _spoils(campus: Campus, _now: datetime) -> str:
    for ticket in _open(campus, DEV_PARKS):
        _parking(campus).spoil(ticket.number)
    return "He owes nothing, and has paid nothing."


def _mail(campus: Campus, _now: datetime) -> str:
    mails = [one for one in campus.mailbox.mails if "hold" in one.subject.lower()] if campus.mailbox else []
    return f'{len(mails)} reports; the newest: "{mails[-1].subject}".' if mails else ""


def _open(campus: Campus, user: ParkingUser) -> list[Ticket]:
    return [one for one in _parking(campus).tickets.values() if one.user == user and one.status is TicketStatus.OPEN]


def _parking(campus: Campus) -> Parking:
    return campus.holds.parking


def in_force(campus: Campus) -> dict[str, int]:
    """The parking holds in PeopleSoft now: EMPLID -> cents."""
    indicators = campus.holds.indicators
    return {emplid: row.cents for emplid in indicators.people for row in indicators.of(emplid) if row.code == HOLD}


def carried_out(campus: Campus) -> tuple[int, int, int]:
    """How many parking holds were placed, changed and released by files, as PeopleSoft's audit rows say."""
    done = [row.action for row in campus.holds.indicators.audit if row.code == HOLD and row.by == LOADER]
    return done.count("A"), done.count("C"), done.count("D")


def to_be_held(campus: Campus) -> int:
    """What students owe by parking's own book, cents: staff and cars without a person are no matter of the student account."""
    students = {one.user.user_id for one in _parking(campus).tickets.values() if one.user.user_type is UserType.STUDENT and one.user.user_id}
    return sum(_parking(campus).owed(one) for one in students)
