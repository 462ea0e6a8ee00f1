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
ATTACHED = 10_000
"""Rows of a spreadsheet that a mail carries at most; a longer one is fetched."""
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
    """The mail of a report; `attach` is "link" (a spreadsheet is fetched with a command) or "csv" (it is in the mail, unless it is too long)."""
    prefix = "[SANDBOX] " if frame.sandbox else ""
    attached = tuple(
        Attachment(one.file_name(frame.today.isoformat()), csv_for_people(one))
        for one in (report.sheet, *report.more_sheets)
        if attach == "csv" and len(one.rows) <= ATTACHED
    )
    steps = (*report.steps, *_sheets(report, frame, frozenset(one.name for one in attached)))
    return Mail(prefix + report.subject, _text(report, frame, steps), _html(report, frame, steps), attached)


def _sheets(report: Report, frame: Frame, attached: frozenset[str]) -> Iterator[str]:
    """Where each spreadsheet is."""
    library = f" --library {report.library}" if report.library else ""
    for sheet in (report.sheet, *report.more_sheets):
        name = sheet.file_name(frame.today.isoformat())
        title = f"{sheet.title} as a spreadsheet"
        if name in attached:
            yield f"{title}: {name} (attached)"
        elif sheet.rows:
            yield f"{title}: bursarbridge report {report.name}{library}{report.asked} --to {name}"


def load() -> None:
    """Loads what a mail is made with, so that the first one need not wait for it."""
    _template()


def footer(report: Report) -> tuple[str, ...]:
    """What stands under every report."""
    records = "Contains student records: keep it inside the office." if report.people else ""
    return tuple(line for line in (report.comes, records, f"Made by Bursarbridge from [reports.{report.name}] of its settings.") if line)


def heading(table: Table) -> str:
    """A list's title with its numbers: "Waive in Alma now: 2 items, $110.00"."""
    if table.numbers:
        return table.title
    money = f", {shown(table.cents)}" if table.money else ""
    return f"{table.title}: {count(table.count, table.noun)}{money}" if table.count else f"{table.title}: none"


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
        lines += _numbers(table) if table.numbers else [line for row in table.rows for line in _row(row)]
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


def _numbers(table: Table) -> list[str]:
    """A table of numbers, in columns."""
    rows = [table.columns, *((*(cell[0] for cell in row.cells), shown(row.cents)) for row in table.rows)]
    wide = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    return [
        "  ".join(text.rjust(width) if column else text.ljust(width) for column, (text, width) in enumerate(zip(row, wide, strict=True)))
        for row in rows
    ]


def _html(report: Report, frame: Frame, steps: tuple[str, ...]) -> str:
    return _template().render(
        report=report, frame=frame, steps=steps, footer=footer(report), heading=heading, more=more, shown=shown, sandbox=SANDBOX
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # heavy, and only for those who make a report

    loader = PackageLoader("bursarbridge.flows", "pages")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).get_template("report.html")
