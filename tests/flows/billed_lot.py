"""A campus whose parking office is billed to the student account, beside the library: real settings, real flows, plain steps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from bursarbridge.assembly.billing import billing_flow
from bursarbridge.assembly.names import billing_flows, office_of
from bursarbridge.config.model import FolderConnection
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.flows.library import Summary, run_flow
from bursarbridge.ledger.verdict import Verdict, verdict
from bursarbridge.ports import Endpoint
from bursarbridge.store import views
from tests.campus import Campus, Line
from tests.campus_files import Answer, Paid, cents_in, dollars

WREN, TAM = "0012345", "20260417"
HEAD = "Student ID,User Type,Violation,Type,Issued,Balance,Status\r\n"
_COLUMNS = """
dates = ["YYYY-MM-DD"]
statuses = { Open = "open", Appealed = "disputed", Paid = "paid", Spoiled = "void", Warning = "warning", "System Processed" = "not_evidence" }
[sources.parking.violations.columns]
id = "Student ID"
user_type = "User Type"
reference = "Violation"
category = "Type"
violated_on = "Issued"
amount = "Balance"
status = "Status"
"""
PARKING = r"""
[connections.garage]
kind = "folder"
path = "parking"
[sources.parking]
adapter = "opscom"
reference_prefix = "P"
connection = "garage"
timezone = "America/Los_Angeles"
collect = "bill"
[sources.parking.billing]
user_types = ["Student"]
origin = "PRK01"
name = "PRK_{kind}_{origin}_{made_on}_{sequence:06d}.dat"
import = { folder = "in", name = "payments_{made_on}_{sequence:06d}.txt" }
[[sources.parking.violations]]
kind = "full"
folder = "out"
files = ["full_*.csv"]
as_of = '(\d{8})_(\d{6})'
settle = "0s"
absent = "ask"
titles = ["Student ID", "User Type", "Violation", "Type", "Issued", "Balance", "Status"]
COLUMNS[[sources.parking.violations]]
kind = "changes"
folder = "out"
files = ["changes_*.csv"]
as_of = '(\d{8})_(\d{6})'
settle = "0s"
titles = ["Student ID", "User Type", "Violation", "Type", "Issued", "Balance", "Status"]
COLUMNS[[bursar.item_types]]
source = "parking"
category = "No permit"
label = "Parking: no permit"
charge = "420000000100"
credit = "420000000101"
from = "2020-01-01"
""".replace("COLUMNS", _COLUMNS)
_END = "# ---- the timetable:"


class BilledCampus(Campus):
    """Runs the flows of the parking office too."""

    def __init__(self, folder: Path, parking: str = PARKING) -> None:
        super().__init__(folder, changes=((_END, f"{parking}\n{_END}"),))
        for place in ("parking/in", "parking/out", "parking/taken"):
            (folder / place).mkdir(parents=True, exist_ok=True)

    def run(self, flow: str) -> Summary:
        if flow not in billing_flows(self.settings):
            return super().run(flow)
        return run_flow(self.begun(flow), billing_flow(flow, self.settings, self._place))

    def _place(self, connection: str, folder: str, clear: Clear) -> Endpoint:
        where = cast("FolderConnection", self.settings.connections[connection])
        return Line(FolderEndpoint(where.path / folder, clear=clear), self.cut)

    def says(self, *rows: tuple[str, int, str], account: str = WREN, user_type: str = "Student", kind: str = "changes") -> Summary:
        """The office writes a list of violation, cents owed and status; the charges run reads it."""
        self.lists(*rows, account=account, user_type=user_type, kind=kind)
        return self.run("parking-charges")

    def lists(self, *rows: tuple[str, int, str], account: str = WREN, user_type: str = "Student", kind: str = "changes") -> None:
        """The office writes a list, a minute later than the one before."""
        self.later(minutes=1)
        text = "".join(f"{account},{user_type},{number},No permit,2026-07-20,{dollars(cents)},{status}\r\n" for number, cents, status in rows)
        stamp = f"{self.now.astimezone(self.settings.campus.timezone):%Y%m%d_%H%M%S}"
        self.put("parking/out", f"{kind}_{stamp}.csv", (HEAD + text).encode())

    def posts(self) -> None:
        """The bursar posts every charge and credit file that has no answer yet."""
        self.later(hours=1)
        self.answer(*(Answer("POSTED", one.document) for one in self.batches() if one.destination == "bursar" and one.state in ("SENT", "RECEIVED")))
        self.run("parking-credits")

    def on_account(self, *rows: tuple[str, int]) -> None:
        """Violations are billed and posted."""
        self.says(*((number, cents, "Open") for number, cents in rows))
        self.posts()

    def pays(self, *paid: tuple[str, int]) -> Summary:
        """A cumulative report of the bursar's is read by the parking flow."""
        self.later(minutes=1)
        self.report(*(Paid(self.reference(number), cents) for number, cents in paid))
        return self.run("parking-payments")

    def office_takes(self) -> dict[str, int]:
        """The office imports every payment file; cents by violation, after its control totals were compared."""
        found: dict[str, int] = {}
        for path in sorted((self.folder / "parking/in").glob("payments_*.txt")):
            for number, cents in payments_in(path.read_bytes()):
                found[number] = found.get(number, 0) + cents
            path.rename(self.folder / "parking/taken" / path.name)
        self.later(hours=1)
        self.run("parking-payments")
        return found

    def said(self, violation: str) -> Verdict:
        """What explain says of one violation."""
        with self.books() as books:
            (one,) = views.obligations(books, violation)
            office = f"the {office_of(self.settings, one.source)}"
            return verdict(one.cents, office, one.standing, one.in_flight, one.questions, assumed=one.assumed, now=books.now, forgiven=one.forgiven)


def payments_in(content: bytes) -> list[tuple[str, int]]:
    """Violation and cents of every line of a payment file, read by hand."""
    head, *details, tail = content.decode("ascii").splitlines()
    found = [(row[1:61].strip(), cents_in(row[72:85])) for row in details]
    total = (len(found), sum(cents for _, cents in found))
    assert (int(head[1:11]), cents_in(head[11:27])) == (int(tail[1:11]), cents_in(tail[11:27])) == total
    return found


def sums(summary: Mapping[str, object]) -> dict[str, tuple[int, int]]:
    """Count and cents of every end that is not nothing."""
    ends = ("read", "sent", "already", "conflicts", "suspended", "noted")
    found = {end: cast("dict[str, int]", summary[end]) for end in ends}
    return {end: (one["count"], one["cents"]) for end, one in found.items() if one["count"]}


@contextmanager
def billed(parking: str = PARKING) -> Iterator[BilledCampus]:
    """A campus in memory."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        campus = BilledCampus(Path(folder), parking)
        try:
            yield campus
        finally:
            campus.close()
