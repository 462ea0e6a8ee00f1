"""The emulated campus: moves files between Alma, PeopleSoft and the drop folders as their real jobs do."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bursarbridge.sandbox.alma import Alma, AlmaBook, ImportCount
from bursarbridge.sandbox.fees import FileRefused, Sent
from bursarbridge.sandbox.folders import ALMA_IN, ALMA_OUT, PEOPLESOFT_IN, PEOPLESOFT_OUT, arrived, drop, make_folders, set_aside
from bursarbridge.sandbox.items import Group
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

    def books(self) -> Books:
        """Both books as they stand now."""
        return Books(self.alma.book(), self.peoplesoft.book())

    def _refuse(self, path: Path, refusal: FileRefused) -> None:
        self.refusals.append(f"{path.name}: {refusal}")
        set_aside(path, "refused")
