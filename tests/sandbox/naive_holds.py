"""A naive hold bridge for tests of the sandbox alone: reads parking's newest full list, tells PeopleSoft the difference to what it last told."""

import csv
from datetime import datetime

from bursarbridge.sandbox.campus import Campus

GUARD_MAX = 25


def fixed(
    verb: str, rows: list[tuple[str, int]], on: str = "20261015", *, institution: str = "EXCCD", code: str = "PRK", reason: str = "PARK1"
) -> bytes:
    """A hold file by plain text formatting; `verb` only decides that releases carry nothing."""
    money = [(emplid, 0 if verb == "released" else cents) for emplid, cents in rows]
    total = sum(cents for _, cents in money)
    ends = f"{len(rows):010d}{total // 100:013d}.{total % 100:02d}"
    lines = [f"H{ends}{on}"]
    for emplid, cents in money:
        amount = f"{cents // 100:010d}.{cents % 100:02d}"
        lines.append(f"D{emplid:11}{institution:5}{code:3}{reason:5}{amount}{'PRK-' + emplid:30}{'Parking Office':30}{'PARKING':10}{on}")
    return ("\n".join([*lines, f"T{ends}"]) + "\n").encode("ascii")


class NaiveHolds:
    """The hold flow in a few lines. `forgets` names what it does wrong, for tests of the script."""

    def __init__(self, campus: Campus, *, forgets: str = "") -> None:
        self.campus = campus
        self.forgets = forgets
        self.told: dict[str, int] = {}
        self.runs = 0

    def __call__(self, now: datetime) -> bool:
        self.runs += 1
        owed = self._owed()
        if owed is None:
            return self.forgets != "to ask"
        added = {emplid: cents for emplid, cents in owed.items() if self.told.get(emplid) != cents}
        released = [emplid for emplid in self.told if emplid not in owed]
        if self.forgets == "changes":
            added = {emplid: cents for emplid, cents in added.items() if emplid not in self.told}
        if self.forgets == "releases":
            released = []
        if len(added) > GUARD_MAX and self.forgets != "guards":
            return True
        self.told = owed
        folder = self.campus.root / "peoplesoft/holds/in"
        for number, (verb, rows) in enumerate((("added", list(added.items())), ("released", [(emplid, 0) for emplid in released]))):
            if rows:
                (folder / f"HOLDS_{self.runs:04d}_{number}_{verb}.dat").write_bytes(fixed(verb, rows, f"{now:%Y%m%d}"))
        return False

    def _owed(self) -> dict[str, int] | None:
        """Students' totals by the newest list; None when the list is empty, which says nothing."""
        paths = sorted((self.campus.root / "parking/out").glob("violations_full_*.csv"))
        owed: dict[str, int] = {}
        rows = list(csv.DictReader(paths[-1].read_text("utf-8").splitlines()))
        for row in rows:
            if row["User Type"] == "Student" and row["Status"] == "Open":
                owed[row["User ID"]] = owed.get(row["User ID"], 0) + int(row["Amount Owed"].replace(".", ""))
        return owed if rows or self.forgets == "absence" else None
