"""PeopleSoft's service indicators with their real limits: keyed by person and time, found again only by code and reason (peoplesoft.md 3)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bursarbridge.sandbox.cents import dollars
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.hold_files import HoldLine, HoldVerb, Standing, emplids, hold_lines, snapshot_bytes, verb_of

LOADER = "BBHOLDS"
MASS = "SCC_SI_ASSN"
"""Placed by the campus's own loader, or by Mass Assign: what PLACED_PROCESS says."""


class HoldCode(NamedTuple):
    """A code with a reason as the campus has set it up, and what it does to a student (SRVC_IND_CD_TBL, SRVC_IN_RSN_TBL, SERVICE_IMPACT)."""

    code: str
    reason: str
    words: str
    impact: str
    """A delivered impact: AENR, CENR, ENVER, IENR; or a campus's own."""
    impact_words: str
    department: str
    multiple: bool = False
    """MULTPLE_OCCUR: whether a person may have it twice."""


@dataclass(slots=True)
class ServiceIndicator:
    """One row of SRVC_IND_DATA. Its key is the person and the time; nothing else is unique."""

    emplid: str
    placed_at: datetime
    institution: str
    code: str
    reason: str
    cents: int
    reference: str
    contact: str
    department: str
    active_on: str
    """YYYY-MM-DD."""
    placed_by: str
    """OPRID of a person, or the process."""


class AuditRow(NamedTuple):
    """One row of AUDIT_SRVC_IND: of a removed indicator it is all that is left."""

    at: datetime
    action: str
    """A added, C changed, D removed."""
    by: str
    emplid: str
    code: str
    reason: str
    cents: int


class RefusedLine(NamedTuple):
    """A line of a file that PeopleSoft would not take, in words its own staff see."""

    file: str
    line: int
    emplid: str
    words: str


class Loaded(NamedTuple):
    """What one file did."""

    name: str
    placed: int = 0
    changed: int = 0
    same: int = 0
    released: int = 0
    absent: int = 0
    """Releases of what is not there (any more)."""
    refused: tuple[RefusedLine, ...] = ()


class RunControl(NamedTuple):
    """What Mass Assign and Mass Release are given beside the list: one code, reason and term for everybody in it."""

    code: str
    reason: str
    term: str = ""


class ServiceIndicators:
    """The indicators of one institution. The loader of hold files is the campus's own: delivered ones take no amounts (peoplesoft.md 3.3)."""

    def __init__(self, institution: str, people: Mapping[str, str], codes: Iterable[HoldCode]) -> None:
        self.institution = institution
        self.people = people
        """EMPLID -> name: nobody else can have an indicator."""
        self.codes = {(one.code, one.reason): one for one in codes}
        self._rows: dict[str, dict[datetime, ServiceIndicator]] = {}
        self.audit: list[AuditRow] = []
        self.refused: list[RefusedLine] = []

    def load(self, name: str, content: bytes, now: datetime) -> Loaded:
        """Takes a hold file whole: added ones overwrite or insert, released ones remove. Lines it cannot take go to `refused`.

        Raises FileRefused, with nothing changed, when the name or the form is wrong or the control totals disagree. The same file again
        is taken again: an older one that comes late overwrites what is newer.
        """
        verb, lines = verb_of(name), hold_lines(content)
        counts, objections = dict.fromkeys(("placed", "changed", "same", "released", "absent"), 0), []
        for number, line in enumerate(lines, start=2):
            words = self._objection(line, verb)
            if words:
                objections.append(RefusedLine(name, number, line.emplid, words))
            else:
                counts[self._overwrite(line, now) if verb is HoldVerb.ADDED else self._remove(line.emplid, line.code, line.reason, now, LOADER)] += 1
        self.refused += objections
        return Loaded(name, **counts, refused=tuple(objections))

    def mass_assign(self, name: str, content: bytes, control: RunControl, now: datetime) -> Loaded:
        """Mass Assign with an external file: the same indicator for everybody in the list, without amounts. Raises FileRefused."""
        code = self._code(control.code, control.reason)
        placed = same = 0
        objections = []
        for number, emplid in enumerate(emplids(content), start=1):
            if emplid not in self.people:
                objections.append(RefusedLine(name, number, emplid, "Invalid ID"))
            elif self._found(emplid, code.code, code.reason) and not code.multiple:
                same += 1
            else:
                self._insert(HoldLine(emplid, self.institution, code.code, code.reason, 0, department=code.department), now, MASS)
                placed += 1
        self.refused += objections
        return Loaded(name, placed=placed, same=same, refused=tuple(objections))

    def mass_release(self, name: str, content: bytes, control: RunControl, now: datetime) -> Loaded:
        """Mass Release with an external file: that indicator of everybody in the list, whoever placed it. Raises FileRefused."""
        done = [self._remove(emplid, control.code, control.reason, now, MASS) for emplid in emplids(content)]
        return Loaded(name, released=done.count("released"), absent=done.count("absent"))

    def place(self, emplid: str, code: str, reason: str, now: datetime, by: str, cents: int = 0, reference: str = "") -> ServiceIndicator:
        """An office places an indicator by hand.

        Raises LookupError for an unknown person or code, ValueError where the person has it and may have it only once.
        """
        known = self._code(code, reason)
        if emplid not in self.people:
            raise LookupError(f"no person {emplid}")
        if not known.multiple and self._found(emplid, code, reason):
            raise ValueError(f"{emplid} has {code}/{reason} already")
        return self._insert(HoldLine(emplid, self.institution, code, reason, cents, reference, department=known.department), now, by)

    def remove(self, emplid: str, code: str, reason: str, now: datetime, by: str) -> None:
        """An office takes an indicator off by hand. Raises LookupError when it is not there."""
        if self._remove(emplid, code, reason, now, by) == "absent":
            raise LookupError(f"{emplid} has no {code}/{reason}")

    def of(self, emplid: str) -> list[ServiceIndicator]:
        """A person's indicators, in the order they were placed."""
        return [row for _, row in sorted(self._rows.get(emplid, {}).items())]

    def shown(self, emplid: str) -> list[str]:
        """What a clerk sees: every hold with its amount and what it stops."""
        told = []
        for row in self.of(emplid):
            code = self._code(row.code, row.reason)
            told.append(f"{row.code} {code.words}{f', {dollars(row.cents)}' if row.cents else ''}: {code.impact_words} ({code.impact})")
        return told

    def snapshot(self, now: datetime, codes: Collection[str] = ()) -> Sent:
        """The PS Query over SRVC_IND_DATA as CSV: every row of these codes, or of all; a row of titles alone when there is none."""
        rows = [row for emplid in sorted(self._rows) for row in self.of(emplid) if not codes or row.code in codes]
        standing = [Standing(row.emplid, row.institution, row.code, row.reason, row.cents, row.reference, row.active_on) for row in rows]
        return Sent(f"BB_SRVC_IND_{now:%Y%m%d_%H%M%S}.csv", snapshot_bytes(standing))

    def _objection(self, line: HoldLine, verb: HoldVerb) -> str:
        """What is wrong with a line, in words of our own (none are published), or ""."""
        if line.emplid not in self.people:
            return "Invalid ID"
        if line.institution != self.institution:
            return "Invalid Institution"
        if (line.code, line.reason) not in self.codes:
            return "Invalid Service Indicator"
        if verb is HoldVerb.ADDED:
            return "" if line.cents > 0 else "Invalid Amount"
        return "" if line.cents == 0 else "Amount of a release is not zero"

    def _overwrite(self, line: HoldLine, now: datetime) -> str:
        """Finds the row by institution, code and reason, whoever placed it, the oldest first; inserts where there is none."""
        found = self._found(line.emplid, line.code, line.reason)
        if not found:
            self._insert(line, now, LOADER)
            return "placed"
        if found[0].cents == line.cents:
            return "same"
        found[0].cents = line.cents
        self._write_down(found[0], "C", LOADER, now)
        return "changed"

    def _remove(self, emplid: str, code: str, reason: str, now: datetime, by: str) -> str:
        found = self._found(emplid, code, reason)
        for row in found:
            del self._rows[emplid][row.placed_at]
            self._write_down(row, "D", by, now)
        return "released" if found else "absent"

    def _insert(self, line: HoldLine, now: datetime, by: str) -> ServiceIndicator:
        at, rows = now, self._rows.setdefault(line.emplid, {})
        while at in rows:
            at += timedelta(microseconds=1)
        on = f"{line.active_on[:4]}-{line.active_on[4:6]}-{line.active_on[6:]}" if line.active_on else f"{now:%Y-%m-%d}"
        row = ServiceIndicator(
            line.emplid, at, line.institution, line.code, line.reason, line.cents, line.reference, line.contact, line.department, on, by
        )
        rows[at] = row
        self._write_down(row, "A", by, now)
        return row

    def _found(self, emplid: str, code: str, reason: str) -> list[ServiceIndicator]:
        return [row for row in self.of(emplid) if (row.institution, row.code, row.reason) == (self.institution, code, reason)]

    def _code(self, code: str, reason: str) -> HoldCode:
        known = self.codes.get((code, reason))
        if known is None:
            raise LookupError(f"no service indicator {code}/{reason}")
        return known

    def _write_down(self, row: ServiceIndicator, action: str, by: str, now: datetime) -> None:
        self.audit.append(AuditRow(now, action, by, row.emplid, row.code, row.reason, row.cents))
