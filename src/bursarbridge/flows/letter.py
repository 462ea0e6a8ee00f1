"""A report as a mail: text and HTML of the same words, and where it is wished a sheet. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bursarbridge.flows.report import Frame, Report, Row, Table
from bursarbridge.flows.sheet import csv_for_people
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.words import count

if TYPE_CHECKING:
    from jinja2 import Template

_WIDTH = 72
SANDBOX = "SANDBOX: nothing here reaches real systems."


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """What one mail says; to whom it goes is decided elsewhere."""

    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Addressed:
    """One mail and who gets it, each separately."""

    report: str
    key: str
    """The same key and recipient are mailed once: kind, part and campus day, or the run that a person asked for."""
    recipients: tuple[str, ...]
    mail: Mail
    answers: str = ""
    """The key of the mail to the same recipients that it follows, in one thread; "" for a thread of its own."""


def mail_of(report: Report, frame: Frame, *, attach: str = "link") -> Mail:
    """The mail of a report; `attach` is "link" (the sheet is fetched with a command) or "csv" (it is in the mail)."""
    name = report.sheet.file_name(frame.today.isoformat())
    prefix = "[SANDBOX] " if frame.sandbox else ""
    sheets = (Attachment(name, csv_for_people(report.sheet)),) if attach == "csv" else ()
    fetched = f"bursarbridge report {report.name}{f' --library {report.library}' if report.library else ''} --to {name}"
    where = f"The whole list as a spreadsheet: {name + ' (attached)' if sheets else fetched}"
    steps = (*report.steps, where) if report.sheet.rows or sheets else report.steps
    return Mail(prefix + report.subject, _text(report, frame, steps), _html(report, frame, steps), sheets)


def footer(report: Report) -> tuple[str, ...]:
    """What stands under every report."""
    records = "Contains student records: keep it inside the office." if report.people else ""
    return tuple(line for line in (report.comes, records, f"Made by Bursarbridge from [reports.{report.name}] of its settings.") if line)


def heading(table: Table) -> str:
    """A list's title with its numbers: "Waive in Alma now: 2 items, $110.00"."""
    return f"{table.title}: {count(table.count, table.noun)}, {shown(table.cents)}" if table.count else f"{table.title}: none"


def more(table: Table) -> str:
    """What to say about rows that are not shown, or ""."""
    hidden = table.count - len(table.rows)
    return f"and {hidden:,} more in the spreadsheet" if table.complete and hidden > 0 else ""


def _text(report: Report, frame: Frame, steps: tuple[str, ...]) -> str:
    lines = [report.verdict, f"{frame.campus}{f' · {report.library}' if report.library else ''} · {frame.as_of}"]
    lines += [SANDBOX] if frame.sandbox else []
    for table in report.tables:
        lines += ["", heading(table), "-" * len(heading(table))]
        lines += textwrap.wrap(table.words, _WIDTH) if table.count and table.words else []
        for row in table.rows:
            lines += _row(row)
        lines += [f"  {more(table)}"] if more(table) else []
    lines += ["", "Next", "----", *(f"- {step}" for step in steps)] if steps else []
    lines += ["", "-- ", *footer(report), ""]
    return "\n".join(lines)


def _row(row: Row) -> Iterator[str]:
    (first, *others), *cells = row.cells
    yield f"* {shown(row.cents):>9}  {first}"
    for line in (*others, *(line for cell in cells for line in cell)):
        yield from textwrap.wrap(line, _WIDTH, initial_indent=" " * 13, subsequent_indent=" " * 13)
    if row.link:
        yield f"{' ' * 13}{row.link}"


def _html(report: Report, frame: Frame, steps: tuple[str, ...]) -> str:
    return _template().render(
        report=report, frame=frame, steps=steps, footer=footer(report), heading=heading, more=more, shown=shown, sandbox=SANDBOX
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # heavy, and only for those who make a report

    loader = PackageLoader("bursarbridge.flows", "pages")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).get_template("report.html")
