"""Between the emulated offices, which write forms of their own, and a campus's settings: the same rows in the forms the settings declare."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bursarbridge.assembly.bursar import layout_of
from bursarbridge.assembly.holds import hold_files_of
from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.describe import columns_table
from bursarbridge.formats.shape import Form, RecordKind
from bursarbridge.ledger.money import cents_of
from bursarbridge.ports import ControlTotal, Heading
from bursarbridge.ports import HoldLine as Ours
from bursarbridge.sandbox.hold_files import HoldLine, HoldVerb, hold_file

if TYPE_CHECKING:
    from datetime import date, datetime

    from bursarbridge.config.holding import Holding
    from bursarbridge.config.model import Settings
    from bursarbridge.config.parking import ViolationFiles
    from bursarbridge.formats.shape import Layout
    from bursarbridge.sandbox.hold_samples import Write

_TITLES = {
    "account": "User ID",
    "amount": "Amount Owed",
    "user_type": "User Type",
    "reference": "Violation Number",
    "category": "Violation Type",
    "violated_on": "Violation Date",
    "status": "Status",
}
"""Our columns, and the emulated office's titles."""
_MEANINGS = {"Open": "open", "Appealed": "disputed", "Paid": "paid", "Spoiled": "void", "Warning": "warning"}


def list_of(content: bytes, files: ViolationFiles, user_type: str, currency: str) -> bytes:
    """The emulated office's list, row for row as the settings say that the campus's own office writes one; students are `user_type` there."""
    rows = [_values(row, files, user_type, currency) for row in csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))]
    lines = [_fixed_line(files, row) for row in rows] if files.form == "fixed" else [_cells(files, row) for row in rows]
    if files.trailer is not None:
        total = sum(cents_of(row["Amount Owed"]) for row in csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        lines.append(_trailer(files, len(rows), _amount(files, total)))
    if files.form != "fixed" and files.heading:
        lines.insert(0, _joined(files, files.titles))
    return "".join(f"{line}\r\n" for line in lines).encode(files.encoding)


def generic(content: bytes, layout: Layout, one: Holding, made_on: date) -> bytes:
    """A hold file of a campus's layout as the emulated PeopleSoft loads one; what the layout leaves out the run control would say."""
    read = fixed.read if layout.form is Form.FIXED else delimited.read
    names = layout.detail.names
    lines = []
    for kind, row in read(layout, [content]):
        if kind is RecordKind.DETAIL:
            said = {name: str(value) for name, value in zip(names, row, strict=True)}
            code, reason = said.get("hold_code") or one.code, said.get("hold_reason") or one.reason
            cents = int(said.get("amount") or 0)
            lines.append(HoldLine(said["account"], one.institution, code, reason, cents, active_on=f"{made_on:%Y%m%d}"))
    return hold_file(lines, made_on)


def sample_writer(settings: Settings, one: Holding) -> Write:
    """Writes the samples' hold files in the layouts of a [holds] section."""
    files = hold_files_of(settings, one)

    def write(verb: HoldVerb, lines: Sequence[HoldLine], now: datetime) -> bytes:
        to = files.added if verb is HoldVerb.ADDED else files.released
        writer = to.writer(Heading(to.name(1, now, now.date().isoformat()), 1, now, now.date().isoformat()))
        word, total = "place" if verb is HoldVerb.ADDED else "release", ControlTotal(len(lines), sum(line.cents for line in lines))
        texts = [writer.line(_ours(line, word, one.contact)) for line in lines]
        return "".join((writer.head(total), *texts, writer.tail(total))).encode(files.encoding)

    return write


def sample_layouts(settings: Settings, one: Holding) -> list[str]:
    """The layouts of a [holds] section as tables for the other office."""
    said = []
    for title, name in (("Holds Added", one.added.layout), ("Holds Released", one.released.layout)):
        layout = layout_of(settings, name)
        ends = {"\n": "LF", "\r\n": "CR and LF"}.get(layout.newline, repr(layout.newline))
        said += [f"{title} for PeopleSoft (peoplesoft/*.dat): layout {layout.name}, {layout.form}, {layout.encoding}, every line ends with {ends}"]
        said += ["", *columns_table(layout).splitlines(), ""]
    return said


def _ours(line: HoldLine, verb: str, contact: str) -> Ours:
    on = f"{line.active_on[:4]}-{line.active_on[4:6]}-{line.active_on[6:]}"
    codes = (line.code, line.reason, line.reference, line.institution, line.department)
    return Ours(line.emplid, verb, line.cents, *codes, contact or line.contact, "Student", "No permit", on, on)


def _values(row: Mapping[str, str], files: ViolationFiles, user_type: str, currency: str) -> dict[str, str]:
    said = {name: row[title] for name, title in _TITLES.items()}
    month, day, year = said["violated_on"].split("/")
    said["violated_on"] = files.dates[0].replace("YYYY", year).replace("YY", year[2:]).replace("MM", month).replace("DD", day)
    said["amount"] = _amount(files, cents_of(said["amount"]))
    said["user_type"] = user_type if said["user_type"] == "Student" else said["user_type"]
    meaning = _MEANINGS.get(said["status"], "")
    said["status"] = next((word for word, means in files.statuses if means == meaning), said["status"])
    return {**said, "currency": currency}


def _amount(files: ViolationFiles, cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}" if files.point else str(cents)


def _cells(files: ViolationFiles, said: Mapping[str, str]) -> str:
    placed = {getattr(files.columns, name): value for name, value in said.items()}
    return _joined(files, [placed.get(title, "") for title in files.titles])


def _joined(files: ViolationFiles, cells: Sequence[str]) -> str:
    sheet = io.StringIO()
    csv.writer(sheet, delimiter=files.delimiter, lineterminator="").writerow(cells)
    return sheet.getvalue()


def _fixed_line(files: ViolationFiles, said: Mapping[str, str]) -> str:
    line = " " * files.width
    for name, value in said.items():
        place = getattr(files.columns, name)
        if isinstance(place, tuple):
            line = _put(line, place, value.rjust(place[1]) if name == "amount" else value)
    return line


def _trailer(files: ViolationFiles, count: int, total: str) -> str:
    trailer = files.trailer
    assert trailer is not None
    said = [(place, value) for place, value in ((trailer.count, str(count)), (trailer.total, total)) if place is not None]
    if files.form == "fixed":
        line = trailer.mark.ljust(files.width)
        for place, value in said:
            line = _put(line, place, value.rjust(place[1], "0"))
        return line
    cells = [trailer.mark] + [""] * (len(files.titles) - 1)
    for (column, _width), value in said:
        cells[column - 1] = value
    return _joined(files, cells)


def _put(line: str, place: tuple[int, int], value: str) -> str:
    first, width = place
    return f"{line[: first - 1]}{value[:width]:<{width}}{line[first - 1 + width :]}"
