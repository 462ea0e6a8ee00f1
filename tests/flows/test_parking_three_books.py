"""The emulated campus bills its violations: parking, the bridge and PeopleSoft end with the same money, read by nobody's code but their own."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.campus import Campus as Sandbox
from bursarbridge.sandbox.indicators import ServiceIndicators
from bursarbridge.sandbox.parking import Parking, PaymentCount
from bursarbridge.sandbox.parking_people import ADA_PARKS, BAO_PARKS, CARMEN_PARKS, CODES, DEV_PARKS, INSTITUTION, IVO, VISITOR
from bursarbridge.sandbox.people import STUDENTS
from bursarbridge.sandbox.peoplesoft import PeopleSoft
from bursarbridge.sandbox.story import BUSINESS_UNIT, OPEN_TERMS
from bursarbridge.store import views
from tests.flows.billed_lot import PARKING, BilledCampus

CHARGE, CREDIT = "420000000100", "420000000101"
OFFICE = (
    PARKING.replace('"Student ID"', '"User ID"')
    .replace('"Violation"', '"Violation Number"')
    .replace('"Type"', '"Violation Type"')
    .replace('"Issued"', '"Violation Date"')
    .replace('"Balance"', '"Amount Owed"')
    .replace('dates = ["YYYY-MM-DD"]', 'dates = ["MM/DD/YYYY"]')
    .replace('"changes_*.csv"', '"violations_changes_*.csv"')
    .replace('"full_*.csv"', '"violations_full_*.csv"')
    .replace("{sequence:06d}.txt", "{sequence:06d}.csv")
)
LAYOUT = """
name = "office"
form = "delimited"
encoding = "utf-8"
newline = "\\r\\n"
heading = true
[[records]]
kind = "detail"
fields = [
  { name = "source_reference", title = "Violation Number" },
  { name = "amount", kind = "amount", title = "Amount" },
  { name = "paid_on", kind = "date", title = "Payment Date", dates = ["MM/DD/YYYY"] },
]
"""


class Town:
    """The sandbox's three systems, with the bridge between them."""

    def __init__(self, folder: Path) -> None:
        self.lot = BilledCampus(folder, OFFICE)
        (folder / "office.toml").write_text(LAYOUT, "utf-8")
        (parking,) = self.lot.settings.parking_offices
        assert parking.billing is not None
        own = replace(parking.billing, imports=replace(parking.billing.imports, layout="file:office.toml"))
        self.lot.settings = replace(self.lot.settings, sources={**self.lot.settings.sources, "parking": replace(parking, billing=own)})
        self.campus = Sandbox(Alma(), PeopleSoft(BUSINESS_UNIT, {CHARGE}, OPEN_TERMS, {CREDIT}), folder)
        self.office = self.campus.parking = Parking(billing=True)
        self.campus.indicators = ServiceIndicators(INSTITUTION, self.campus.peoplesoft.accounts, CODES)
        for student in STUDENTS:
            self.campus.peoplesoft.enroll(student.value, student.name)
        self.campus.prepare()
        self.campus.holds.prepare()

    def now(self) -> datetime:
        """A minute later than before, in campus time."""
        self.lot.later(minutes=1)
        return self.lot.now.astimezone(self.lot.settings.campus.timezone)

    def night(self) -> None:
        """Parking exports its changes, the bridge tells PeopleSoft, PeopleSoft posts, and the bridge hears of it."""
        self.campus.holds.export_changes(self.now())
        for flow in ("parking-charges", "parking-credits"):
            self.lot.run(flow)
            self.campus.post(self.campus.load(), self.now())
            self.lot.run(flow)

    def noon(self) -> list[PaymentCount]:
        """PeopleSoft reports its payments, the bridge tells parking, and parking takes the file."""
        self.campus.report_payments(self.now())
        self.lot.run("parking-payments")
        taken = self.campus.holds.take_payments()
        self.now()
        self.lot.run("parking-payments")
        return taken


def test_a_campus_that_bills_its_violations_ends_with_three_equal_books(tmp_path: Path) -> None:
    town = Town(tmp_path)
    office, bursar, lot = town.office, town.campus.peoplesoft, town.lot
    people = ((ADA_PARKS, 4500), (ADA_PARKS, 7500), (BAO_PARKS, 3000), (CARMEN_PARKS, 6000), (DEV_PARKS, 4500), (IVO, 4500), (VISITOR, 3000))
    tickets = [office.issue(user, "No permit", cents, town.now()).number for user, cents in people]
    office.issue(ADA_PARKS, "Over the line", 0, town.now(), warning=True)
    town.night()
    assert (bursar.book().charged.count, bursar.book().charged.cents, lot.codes()) == (5, 25_500, ["account"])
    assert {item.description for item in bursar.items} == {"Parking: no permit"}

    bursar.pay_online(ADA_PARKS.user_id, town.now())
    bursar.pay_at_cashier(CARMEN_PARKS.user_id, lot.reference(tickets[3]), 1000, town.now())
    office.appeal(tickets[3])
    office.decide(tickets[3], 3000)
    office.spoil(tickets[4])
    office.clean_up(tickets[2])
    assert town.noon() == [PaymentCount(rows=3, closed=2, lowered=1, applied_cents=13_000)]
    town.night()
    town.night()

    parked, accounts, places = office.book(), bursar.book(), lot.places()
    assert parked.paid_cents == accounts.paid.cents == 13_000
    assert parked.forgiven_cents == accounts.taken_back_cents == 3000 + 4500
    assert places == {"bursar": accounts.open.cents, "settled": parked.paid_cents + parked.forgiven_cents}
    assert accounts.open.cents == office.owed(CARMEN_PARKS.user_id) + parked.cleaned_cents == 2000 + 3000
    assert (lot.unexplained(), lot.codes(), town.campus.refusals, bursar.book().credit_cents) == (0, ["account"], [], 0)
    with lot.books() as books:
        assert views.forgiven_cents(books) == parked.forgiven_cents
    assert town.noon() == [] and len(lot.charge_files()) == 0
