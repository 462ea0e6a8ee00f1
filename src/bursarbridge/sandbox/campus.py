"""The emulated campus: moves files between Alma, PeopleSoft and the drop folders as their real jobs do."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bursarbridge.sandbox.alma import Alma, AlmaBook, ImportCount
from bursarbridge.sandbox.alma_calls import AlmaCalls
from bursarbridge.sandbox.alma_fee_desk import FeeDesk
from bursarbridge.sandbox.alma_loans import Circulation, Loan
from bursarbridge.sandbox.fees import Fee, FeeStatus, FileRefused, Sent, User
from bursarbridge.sandbox.folders import ALMA_IN, ALMA_OUT, PEOPLESOFT_IN, PEOPLESOFT_OUT, arrived, drop, make_folders, set_aside
from bursarbridge.sandbox.hold_jobs import HoldJobs
from bursarbridge.sandbox.indicators import ServiceIndicators
from bursarbridge.sandbox.items import Group
from bursarbridge.sandbox.mailbox import Mailbox
from bursarbridge.sandbox.parking import Parking
from bursarbridge.sandbox.peoplesoft import PeopleSoft, PeopleSoftBook


@dataclass(frozen=True, slots=True)
class Books:
    """Both campus books at one moment, to print beside the bridge's places."""

    alma: AlmaBook
    peoplesoft: PeopleSoftBook


class Imported(NamedTuple):
    """One file that Alma's import took, and what it did."""

    name: str
    rows: ImportCount


@dataclass(slots=True)
class Campus:
    """Two systems and the folders under `root`; every `now` is aware and in the campus zone."""

    alma: Alma
    peoplesoft: PeopleSoft
    root: Path
    exports: list[Sent] = field(default_factory=list)
    """Every export made, so that one can be delivered again."""
    refusals: list[str] = field(default_factory=list)
    """What a system would not take, in words: a real one tells only its own staff."""
    circulation: Circulation = field(default_factory=Circulation)
    desk: FeeDesk = field(init=False)
    """The fees as Alma's API shows them."""
    calls: AlmaCalls | None = None
    """Where Alma's webhook calls go; None while nobody listens."""
    mailbox: Mailbox | None = None
    """The mailbox of the circulation desk, where mail arrives at all."""
    parking: Parking | None = None
    indicators: ServiceIndicators | None = None

    def __post_init__(self) -> None:
        self.desk = FeeDesk(self.alma)

    def prepare(self) -> None:
        """Makes the drop folders."""
        make_folders(self.root)

    def export(self, now: datetime) -> Sent | None:
        """Alma's 18:00 job: drops one file of all active fees, or none when there are no such fees."""
        sent = self.alma.run_export(now)
        if sent is not None:
            self.exports.append(sent)
            drop(self.root / ALMA_OUT, sent, now)
        return sent

    def export_credits(self, now: datetime) -> Sent | None:
        """Alma's hourly job: drops one file of the credits since the last one, or none when there are no such credits."""
        sent = self.alma.run_credit_export(now)
        if sent is not None:
            drop(self.root / ALMA_OUT, sent, now)
        return sent

    def export_again(self, now: datetime, name: str = "") -> Sent:
        """A mishap: the newest export is delivered a second time, the same bytes, under its own name or another.

        Raises LookupError when nothing was exported yet.
        """
        if not self.exports:
            raise LookupError("nothing was exported yet")
        newest = self.exports[-1]
        again = Sent(name or newest.name, newest.content)
        drop(self.root / ALMA_OUT, again, now)
        return again

    def load(self) -> list[Group]:
        """PeopleSoft's load: every `.dat` file that waits becomes a suspended group and is marked `.loaded`.

        One that cannot be taken is marked `.refused` and gets no answer, so that the sender sees it late.
        """
        groups = []
        for path in arrived(self.root / PEOPLESOFT_IN, ".dat"):
            try:
                groups.append(self.peoplesoft.load(path.name, path.read_bytes()))
            except FileRefused as refusal:
                self._refuse(path, refusal)
            else:
                set_aside(path, "loaded")
        return groups

    def post(self, groups: list[Group], now: datetime) -> list[Sent]:
        """PeopleSoft's posting: moves the groups to the accounts and drops a result file for each."""
        answers = [self.peoplesoft.post(group, now) for group in groups]
        for answer in answers:
            drop(self.root / PEOPLESOFT_OUT, answer, now)
        return answers

    def report_payments(self, now: datetime) -> Sent:
        """PeopleSoft's report job: drops the cumulative payment report, with a header alone when nobody has paid."""
        report = self.peoplesoft.payments_report(now)
        drop(self.root / PEOPLESOFT_OUT, report, now)
        return report

    def import_payments(self, now: datetime) -> list[Imported]:
        """Alma's hourly job: applies every `.xml` file that waits, in name order, and marks it `.handled`.

        One that cannot be read is marked `.refused` with nothing of it applied. Both endings are a guess from Alma's other
        imports (alma.md 2.3).
        """
        taken = []
        for path in arrived(self.root / ALMA_IN, ".xml"):
            try:
                taken.append(Imported(path.name, self.alma.run_import(path.read_bytes(), now)))
            except FileRefused as refusal:
                self._refuse(path, refusal)
            else:
                set_aside(path, "handled")
        return taken

    def lose(self, user: User, barcode: str, lent_at: datetime, now: datetime, library: str) -> Loan:
        """An item is declared lost: its loan stays open, and the borrower is blocked until the matter is settled (alma.md 5)."""
        loan = self.circulation.lend(user, barcode, lent_at, now, library)
        self.circulation.lose(loan)
        self.circulation.block(user, "LOAN", "05", f"Lost item {barcode}", loan.loan_id)
        return loan

    def give_back(self, barcode: str, now: datetime) -> Loan:
        """An item comes back over the desk. Raises LookupError when it is not out."""
        loan = self.circulation.loan_of_item(barcode)
        if loan is None or loan.returned_at is not None:
            raise LookupError(f"{barcode} is not out")
        self.circulation.give_back(loan, now)
        return loan

    def cleared(self) -> list[Fee]:
        """Fees of items that came back, when Alma closed them by a waive, the student account shows none of it open, and no block is left."""
        back = {(loan.user.value, loan.barcode) for loan in self.circulation.loans.values() if loan.returned_at is not None}
        waived = [fee for fee in self.alma.fees.values() if (fee.user.value, fee.barcode) in back and fee.waived_cents]
        return [fee for fee in waived if fee.status is FeeStatus.CLOSED and not self._held_against(fee.user)]

    def _held_against(self, user: User) -> bool:
        return bool(self.circulation.blocks(user)) or any(item.open_cents for item in self.peoplesoft.items_of(user.value))

    @property
    def holds(self) -> HoldJobs:
        """The jobs of the parking office and of PeopleSoft's service indicators. Raises LookupError for a campus without them."""
        if self.parking is None or self.indicators is None:
            raise LookupError("this campus has no parking office")
        return HoldJobs(self.root, self.parking, self.indicators, self.refusals)

    def books(self) -> Books:
        """Both books as they stand now."""
        return Books(self.alma.book(), self.peoplesoft.book())

    def _refuse(self, path: Path, refusal: FileRefused) -> None:
        self.refusals.append(f"{path.name}: {refusal}")
        set_aside(path, "refused")
