"""An alarm as mails: the first one, the weightier ones, and the one that says it is over, in one thread. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from bursarbridge.flows.alarms import Incident
from bursarbridge.flows.letter import SANDBOX, Addressed, Mail
from bursarbridge.flows.report import Frame
from bursarbridge.ledger.words import moment
from bursarbridge.store.alarms import AlarmRow

if TYPE_CHECKING:
    from jinja2 import Template

_REPORT = "alarms"
_WIDTH = 72


def raised(number: int, incident: Incident, frame: Frame) -> Iterator[Addressed]:
    """The first mail of an alarm, to its owner."""
    readers = incident.leg.readers(0)
    if readers:
        yield Addressed(_REPORT, _key(number, 0), readers, _mail(incident.subject, incident.happened, _rows(incident), incident.step, frame))


def escalated(alarm: AlarmRow, incident: Incident, level: int, readers: Mapping[str, int], frame: Frame) -> Iterator[Addressed]:
    """It still stands: to those who know, in their thread, and to those who are told now for the first time."""
    told = f"Told first on {moment(alarm.opened_at, frame.zone)} to {', '.join(alarm.readers) or 'nobody'}."
    rows = {**_rows(incident), "Since": told}
    for reader, first in readers.items():
        new = first == level
        mail = _mail(alarm.subject, f"Still so: {incident.happened}", rows, incident.step, frame, again=not new)
        yield Addressed(_REPORT, _key(alarm.id, level), (reader,), mail, "" if new else _key(alarm.id, first))


def resolved(alarm: AlarmRow, frame: Frame) -> Iterator[Addressed]:
    """It is over: to everybody who was told, in the thread they know."""
    rows = {"It was": alarm.subject, "Since": moment(alarm.opened_at, frame.zone), "Over": moment(frame.now, frame.zone)}
    mail = _mail(alarm.subject, f"Resolved: {alarm.leg.replace('-', ' ')} is as it should be again.", rows, "", frame, again=True)
    for reader, first in alarm.readers.items():
        yield Addressed(_REPORT, f"alarm:{alarm.id}:over", (reader,), mail, _key(alarm.id, first))


def _key(number: int, level: int) -> str:
    return f"alarm:{number}:{level}"


def _rows(incident: Incident) -> dict[str, str]:
    rows = {
        "What did not happen": incident.not_happened,
        "Impact": incident.impact,
        "Last good run": incident.last_good,
        "Owner": incident.leg.owner,
    }
    return {name: words for name, words in rows.items() if words}


def _mail(subject: str, verdict: str, rows: Mapping[str, str], step: str, frame: Frame, *, again: bool = False) -> Mail:
    """One mail; `again` for one that follows another. Without a next step all is well."""
    marked = f"{'Re: ' if again else ''}{'[SANDBOX] ' if frame.sandbox else ''}{subject}"
    return Mail(marked, _text(verdict, rows, step, frame), _html(marked, verdict, rows, step, frame))


def _footer(frame: Frame) -> tuple[str, ...]:
    return (
        "One alarm for one incident; it says by itself when it is over.",
        f"Made by Bursarbridge for {frame.campus} from [flows] of its settings.",
    )


def _text(verdict: str, rows: Mapping[str, str], step: str, frame: Frame) -> str:
    lines = [*textwrap.wrap(verdict, _WIDTH), f"{frame.campus} · {frame.as_of}"]
    lines += [SANDBOX] if frame.sandbox else []
    for name, words in rows.items():
        lines += ["", f"{name}:", *textwrap.wrap(words, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)]
    lines += ["", "Next:", f"  {step}"] if step else []
    return "\n".join([*lines, "", "-- ", *_footer(frame), ""])


def _html(subject: str, verdict: str, rows: Mapping[str, str], step: str, frame: Frame) -> str:
    words, _, command = step.partition(": bursarbridge ")
    tone = "bad" if step else "ok"
    return _template().render(
        subject=subject, verdict=verdict, rows=rows, words=words, command=command, frame=frame, tone=tone, sandbox=SANDBOX, footer=_footer(frame)
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # heavy, and only for those who make an alarm

    loader = PackageLoader("bursarbridge.flows", "pages")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).get_template("alarm.html")
