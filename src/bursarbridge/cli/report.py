"""report: a daily report on the screen, in a file, or by mail to its readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bursarbridge.cli.campus import EXCEPTIONS, UNREACHABLE, Where, bridge_of, ending, usage
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import count, moment
from bursarbridge.errors import Refused

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.flows.mailing import Mailed
    from bursarbridge.flows.report import Frame, Report
    from bursarbridge.flows.sheet import Sheet
    from bursarbridge.store.outbox_mail import MailView
    from bursarbridge.wiring import Bridge

_NAMES = ("returned-but-still-charged", "late", "exceptions", "held", "holds")
_KINDS = (".html", ".txt", ".csv")


def _names(incomplete: str) -> list[str]:
    return [name for name in _NAMES if name.startswith(incomplete)]


Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=_names, help="returned-but-still-charged, late, exceptions, held or holds.")]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write it into a new file: .html, .txt, or .csv for a spreadsheet.")]
Library = Annotated[str, typer.Option("--library", metavar="CODE", help="Only the items of one campus library.")]
RunName = Annotated[str, typer.Option("--run", metavar="RUN", help="With holds: the report of that run (default: the newest).")]
Send = Annotated[bool, typer.Option("--send", help="Mail it to its readers ([reports.NAME]), once a day.")]
Again = Annotated[bool, typer.Option("--again", help="With --send: mail it although it was mailed today.")]


def report(
    name: Name,
    to: To = None,
    library: Library = "",
    run: RunName = "",
    send: Send = False,
    again: Again = False,
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Show a report as its readers get it; with --to write it into a file, with --send mail it.

    \b
    bursarbridge report late -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    _asked_rightly(screen, where, name, to, send=send, again=again, library=library, run=run)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        if send:
            _send(screen, where, bridge, name, again=again)
            return
        made, frame = bridge.report(name, library, run)
        written = _written(made, frame, to) if to else ""
        _show(screen, made, frame, written)
        screen.next(where.command(f"report {name} --send" if any(one.name == name for one in bridge.settings.reports) else "status"))


def mail_lines(mails: list[MailView], zone: ZoneInfo) -> list[str]:
    """Mails that have not arrived, for people."""
    states = {"queued": "waits", "sending": "is being sent", "failed": "NOT SENT", "in_doubt": "IN DOUBT"}
    lines = []
    for one in mails:
        again = f"; next try {moment(one.next_at, zone)}" if one.state == "queued" and one.tries else ""
        lines.append(f"  {states[one.state]}: {one.subject}, to {one.recipient}{again}")
        lines += [f"      {one.last_error}"] if one.last_error else []
    return lines


def _asked_rightly(screen: Screen, where: Where, name: str, to: Path | None, *, send: bool, again: bool, library: str, run: str) -> None:
    if name not in _NAMES:
        usage(screen, where, f'there is no report "{name}"; the reports are {", ".join(_NAMES)}', where.command("report late"))
    if to and to.suffix not in _KINDS:
        usage(screen, where, f"{to} is none of {', '.join(_KINDS)}", where.command(f"report {name} --to {to.stem}.html"))
    if run and name != "holds":
        usage(screen, where, "--run is for the report holds, which is about a run", where.command(f"report holds --run {run}"))
    if (send and (to or library or run)) or (again and not send):
        usage(
            screen,
            where,
            "--send goes to every reader by itself; --to, --library and --run are for looking, --again for --send",
            where.command(f"report {name}"),
        )


def _written(made: Report, frame: Frame, to: Path) -> str:
    from bursarbridge.flows.letter import mail_of
    from bursarbridge.flows.sheet import csv_for_people

    mail = mail_of(made, frame)
    if to.suffix == ".csv":
        content = csv_for_people(_sheet(made, to))
    else:
        content = (mail.html if to.suffix == ".html" else mail.text).encode()
    with to.open("xb") as out:
        to.chmod(0o600)
        out.write(content)
    return str(to)


def _sheet(made: Report, to: Path) -> Sheet:
    """The spreadsheet that is meant: of several the one with whose name the file's begins."""
    sheets = (made.sheet, *made.more_sheets)
    found = [one for one in sheets if to.name.startswith(one.name)] or list(sheets)
    if len(found) > 1:
        names = " or ".join(one.name for one in sheets)
        raise Refused(f"{made.name} has {len(sheets)} spreadsheets; begin the file's name with {names}: --to {sheets[0].name}.csv")
    return found[0]


def _show(screen: Screen, made: Report, frame: Frame, written: str) -> None:
    from bursarbridge.flows.letter import mail_of

    mail = mail_of(made, frame)
    lists = [{"title": one.title, "count": one.count, "cents": one.cents} for one in made.tables]
    screen.give({"report": made.name, "library": made.library, "subject": mail.subject, "verdict": made.verdict, "lists": lists, "file": written})
    if written:
        screen.say(f"{mail.subject}: in {written}")
        return
    first, *rest = mail.text.splitlines()
    screen.say(bold(first))
    for line in rest:
        screen.say(line)


def _send(screen: Screen, where: Where, bridge: Bridge, name: str, *, again: bool) -> None:
    from bursarbridge.store import outbox_mail

    done = cast("Mailed", bridge.send_report(name, again=again))
    with bridge.books() as books:
        left = outbox_mail.waiting(books)
    screen.give({**done, "waiting": [one._asdict() for one in left]})
    if not done["queued"]:
        screen.say(f"{name} was mailed {'for that run' if name == 'holds' else 'today'} already; --again mails it once more.")
    screen.say(f"{count(done['sent'], 'mail')} sent.")
    for line in mail_lines(left, bridge.settings.campus.timezone):
        screen.say(line)
    screen.next(where.command("status"))
    if done["failed"] or done["in_doubt"]:
        raise typer.Exit(EXCEPTIONS)
    if done["later"]:
        raise typer.Exit(UNREACHABLE)
