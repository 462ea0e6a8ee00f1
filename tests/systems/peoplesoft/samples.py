"""Invented people, fees and coding that the tests of this room share."""

from datetime import UTC, datetime
from pathlib import Path

from bursarbridge.formats.layout import shipped
from bursarbridge.ledger.entries import Kind
from bursarbridge.ports import ControlTotal, Heading, Line
from bursarbridge.systems.peoplesoft.charges import ChargeDestination
from bursarbridge.systems.peoplesoft.settings import ChargeSettings, DueKind, DueRule, ItemType, Term, TermBy

GOLDEN = Path(__file__).parent / "golden"
HEADING = Heading("LIB_CHG_EXCCD_20261121_000042.dat", 42, datetime(2026, 11, 22, 2, 20, tzinfo=UTC), "2026-11-21")
ITEM_TYPES = (
    ItemType("OVERDUE", "Library overdue", "240000012000", "820000206129", "2020-01-01"),
    ItemType("LOST", "Library lost item", "240000012001", "820000206130", "2020-01-01"),
    ItemType("RETIRED", "Library recall", "240000012002", "820000206131", "2020-01-01", "2026-06-30"),
)
TERMS = (Term("2264", "2026-05-16", "2026-08-14"), Term("2267", "2026-08-15", "2026-12-31"))


def settings(layout: str, business_unit: str = "EXCCD") -> ChargeSettings:
    return ChargeSettings(
        business_unit=business_unit,
        origin="LIB01",
        account_type="SFS",
        department="41001",
        layout=shipped(layout),
        name="LIB_{kind}_{business_unit}_{made_on}_{sequence:06d}.dat",
        item_types=ITEM_TYPES,
        terms=TERMS,
        due_rules=(DueRule("2020-01-01", DueKind.DAY_OF_NEXT_MONTH, 25),),
        term_by=TermBy.MADE,
        amount_max_cents=500_000,
    )


def line(account: str, cents: int, category: str, number: int, kind: str = "charge") -> Line:
    return Line(number, f"L{number:010d}", f"15216{number}", account, category, cents, kind, "2026-08-01", "39080000001", "MAIN", "")


def three(kind: str = "charge", before: str = "") -> list[Line]:
    return [
        line(before + "012345678", 1000, "OVERDUE", 17, kind),
        line(before + "987654321", 82, "LOST", 25, kind),
        line(before + "900000014", 499_999, "LOST", 33, kind),
    ]


def document(chosen: ChargeSettings, lines: list[Line], kind: Kind = Kind.CHARGE) -> bytes:
    destination = ChargeDestination(chosen, kind)
    writer = destination.writer(HEADING)
    total = ControlTotal(len(lines), sum(entry.cents for entry in lines))
    return (writer.head(total) + "".join(map(writer.line, lines)) + writer.tail(total)).encode(destination.encoding)
