"""The jobs on both ends of the holds: what parking exports and takes back, what PeopleSoft loads and reports."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bursarbridge.sandbox.fees import FileRefused, Sent
from bursarbridge.sandbox.folders import HOLDS_IN, HOLDS_OUT, PARKING_IN, PARKING_MAIL, PARKING_OUT, arrived, drop, set_aside
from bursarbridge.sandbox.indicators import Loaded, ServiceIndicators
from bursarbridge.sandbox.parking import Form, Parking, PaymentCount
from bursarbridge.sandbox.parking_mail import deliver, make_maildir, report_mail


@dataclass(frozen=True, slots=True)
class HoldJobs:
    """Two systems and their folders under `root`; every `now` is aware and in the campus zone."""

    root: Path
    parking: Parking
    indicators: ServiceIndicators
    refusals: list[str]
    """What a system would not take, in words for its own staff."""

    def prepare(self) -> None:
        """Makes the folders and the maildir."""
        for folder in (PARKING_OUT, PARKING_IN, HOLDS_IN, HOLDS_OUT):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        make_maildir(self.root / PARKING_MAIL)

    def export_violations(self, now: datetime, form: Form = Form.DELIMITED) -> Sent:
        """Parking's nightly task at 02:00: drops the full list of what is outstanding, also when nothing is."""
        return self._dropped(self.parking.full_list(now, form), now)

    def export_changes(self, now: datetime, form: Form = Form.DELIMITED) -> Sent:
        """The same as changes since the last such file."""
        return self._dropped(self.parking.changes(now, form), now)

    def export_holds(self, now: datetime) -> tuple[Sent, Sent]:
        """The same as ready-made Holds Added and Holds Released."""
        added, released = self.parking.hold_files(now)
        return self._dropped(added, now), self._dropped(released, now)

    def mail_violations(self, now: datetime) -> Path:
        """The full list as the attachment of a mail, in the maildir."""
        sent = self.parking.full_list(now)
        number = int(sent.name.rpartition("_")[2].partition(".")[0])
        return deliver(self.root / PARKING_MAIL, report_mail(sent, now, number), now)

    def take_payments(self) -> list[PaymentCount]:
        """Parking's import: applies every `.csv` file that waits, in name order, and marks it `.handled` or `.refused`."""
        taken = []
        for path in arrived(self.root / PARKING_IN, ".csv"):
            try:
                taken.append(self.parking.take_payments(path.read_bytes()))
            except FileRefused as refusal:
                self._refuse(path, refusal)
            else:
                set_aside(path, "handled")
        return taken

    def load(self, now: datetime) -> list[Loaded]:
        """PeopleSoft's load of hold files: every `.dat` file that waits, in name order, whole or not at all; marks it `.loaded` or `.refused`.

        Nothing is answered, as with the loaders campuses write for themselves: the next snapshot shows what came of it.
        """
        taken = []
        for path in arrived(self.root / HOLDS_IN, ".dat"):
            try:
                taken.append(self.indicators.load(path.name, path.read_bytes(), now))
            except FileRefused as refusal:
                self._refuse(path, refusal)
            else:
                set_aside(path, "loaded")
        return taken

    def report_indicators(self, now: datetime) -> Sent:
        """PeopleSoft's query job: drops a snapshot of all service indicators of the institution."""
        report = self.indicators.snapshot(now)
        drop(self.root / HOLDS_OUT, report, now)
        return report

    def _dropped(self, sent: Sent, now: datetime) -> Sent:
        drop(self.root / PARKING_OUT, sent, now)
        return sent

    def _refuse(self, path: Path, refusal: FileRefused) -> None:
        self.refusals.append(f"{path.name}: {refusal}")
        set_aside(path, "refused")
