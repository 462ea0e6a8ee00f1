"""The forms of the sample lists beside them, all people invented, each one way in which an office may write its lists; and lists made by hand."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Fact, Violation
from bursarbridge.ports import Rejected, read
from bursarbridge.systems.parking.agreed import Trailer, ViolationForm
from bursarbridge.systems.parking.violations import ViolationReader

SAMPLES = Path(__file__).parent / "samples"
STATUSES = (
    ("Outstanding", "open"),
    ("Partially Paid", "open"),
    ("In Appeal", "disputed"),
    ("Paid", "paid"),
    ("Spoiled", "void"),
    ("Warning", "warning"),
    ("System Processed", "not_evidence"),
)
TITLES = ("Student ID", "Name", "User Type", "Violation", "Type", "Issued", "Balance", "Currency", "Status")


def titled(titles: tuple[str, ...], **columns: str) -> tuple[tuple[str, tuple[int, int]], ...]:
    """Columns of a delimited file by their titles."""
    return tuple((name, (titles.index(title) + 1, 0)) for name, title in columns.items())


VIOLATIONS = ViolationForm(
    name="parking-violations",
    kind="full",
    columns=titled(
        TITLES,
        id="Student ID",
        user_type="User Type",
        reference="Violation",
        category="Type",
        violated_on="Issued",
        amount="Balance",
        currency="Currency",
        status="Status",
    ),
    account_pattern=r"\d{7}|[AS]\d{8}",
    currency="USD",
    amount_max_cents=100_000,
    delimiter=",",
    titles=TITLES,
    dates=("MM/DD/YYYY", "YYYY-MM-DD"),
    statuses=STATUSES,
)
"""A full list with a heading: quotes, a byte order mark, Windows line ends."""

BALANCE_TITLES = ("EMPLID", "NAME", "ACCOUNT_NBR", "ACCOUNT_TERM", "PAST_DUE_AMT", "CURRENCY_CD", "OLDEST_DUE_DATE", "DAYS_PAST_DUE")
BALANCES = ViolationForm(
    name="parking-violations",
    kind="full",
    columns=titled(BALANCE_TITLES, id="EMPLID", amount="PAST_DUE_AMT", violated_on="OLDEST_DUE_DATE", currency="CURRENCY_CD"),
    account_pattern=r"\d{9}",
    currency="USD",
    amount_max_cents=500_000,
    delimiter=",",
    titles=BALANCE_TITLES,
)
"""One row a person, without violation numbers."""

FIXED = ViolationForm(
    name="parking-changes",
    kind="changes",
    columns=(("id", (2, 9)), ("amount", (40, 9)), ("reference", (11, 10)), ("category", (21, 9)), ("violated_on", (30, 8)), ("environment", (50, 4))),
    account_pattern=r"\d{7}|[AS]\d{8}",
    currency="USD",
    amount_max_cents=100_000,
    width=54,
    encoding="windows-1252",
    dates=("YYYYMMDD",),
    point=False,
    first_line="^HPARKING",
    environment="^LIVE$",
    trailer=Trailer("T", (2, 6), (8, 12)),
)
"""Fixed columns with a line before and a trailer after, amounts in cents without a point."""

CLOSED = replace(VIOLATIONS, delimiter=";", heading=False, encoding="windows-1252", trailer=Trailer("TRL", (2, 0), (3, 0)))
"""Semicolons, no heading, an older encoding, a trailer with fewer columns."""

HOLD_TITLES = ("Student/Staff ID", "Total Amount Owed", "User Type", "Violation Type", "Violation Date")
ADDED = ViolationForm(
    name="parking-added",
    kind="added",
    columns=titled(
        HOLD_TITLES,
        id="Student/Staff ID",
        amount="Total Amount Owed",
        user_type="User Type",
        category="Violation Type",
        violated_on="Violation Date",
    ),
    account_pattern=r"\d{7}|[AS]\d{8}",
    currency="USD",
    amount_max_cents=100_000,
    delimiter=",",
    titles=HOLD_TITLES,
    dates=("MM/DD/YYYY",),
)
"""A ready-made list of added holds, in the five usual fields (parking.md H)."""
RELEASED = replace(ADDED, name="parking-released", kind="released")

FORMS = {
    "violations": VIOLATIONS,
    "nasty": VIOLATIONS,
    "balances": BALANCES,
    "fixed": FIXED,
    "closed": CLOSED,
    "added": ADDED,
    "released": RELEASED,
}
"""Sample -> form."""


def readings(form: ViolationForm, chunks: Iterable[bytes], *, whole: bool = True) -> list[Fact | Rejected]:
    """What a list says."""
    return list(read(ViolationReader(form, whole=whole), chunks))


def sample(name: str) -> bytes:
    """The bytes of a sample."""
    return next(path for path in SAMPLES.glob(f"{name}.*") if path.suffix != ".jsonl").read_bytes()


HEADING = ",".join(TITLES) + "\n"


GOOD = '0012345,"Lindqvist, Maja",Student,PV-1,No Permit,10/03/2026,45.00,USD,Outstanding\n'


def listed(*rows: str) -> bytes:
    """A list with the heading and these rows."""
    return "".join((HEADING, *rows)).encode()


def row(**changes: str) -> str:
    """A good row with some columns changed."""
    texts = dict(zip(TITLES, ("0012345", "Maja", "Student", "PV-1", "No Permit", "10/03/2026", "45.00", "USD", "Outstanding"), strict=True))
    texts |= {name.replace("_", " "): text for name, text in changes.items()}
    return ",".join('"' + text.replace('"', '""') + '"' for text in texts.values()) + "\n"


def only(content: bytes, form: ViolationForm = VIOLATIONS) -> Fact | Rejected:
    """What the one row of a list says."""
    (reading,) = readings(form, [content])
    return reading


def said(form: ViolationForm, content: bytes) -> Violation:
    """The same, as the violation it has to be."""
    reading = only(content, form)
    assert isinstance(reading, Violation), reading
    return reading


def code(content: bytes, form: ViolationForm = VIOLATIONS) -> str:
    """Why the one row is rejected."""
    reading = only(content, form)
    assert isinstance(reading, Rejected), reading
    return reading.code


def refusal(form: ViolationForm, content: bytes) -> Unreadable:
    """Why the whole list is refused."""
    with pytest.raises(Unreadable) as caught:
        readings(form, [content])
    return caught.value
