"""An alarm as mails: the first one, the weightier ones, and the one that says it is over, in one thread. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from bursarbridge.flows.alarms import Done, Incident, in_one_mail
from bursarbridge.flows.letter import SANDBOX, Addressed, Mail
from bursarbridge.flows.report import Frame
from bursarbridge.ledger.words import count, moment
from bursarbridge.store.alarms import AlarmRow

if TYPE_CHECKING:
    from jinja2 import Template

_REPORT = "alarms"
_WIDTH = 72


class Together(NamedTuple):
    """The first mail that tells a reader of these alarms tells of all of them; their thread is its."""

    reader: str
    number: int
    """Of the digest: the lowest of the alarms that are new to the reader."""
    alarms: tuple[int, ...]


def letters(done: Sequence[Done], standing: Sequence[AlarmRow], frame: Frame) -> tuple[list[Addressed], list[Together]]:
    """The mails about what a round did; from the fourth alarm on one mail tells a reader of all of them.

    `standing` are the alarms that stood open before and still do. The second part is to be written down: who was told together.
    """
    mails: dict[tuple[str, str], list[tuple[Done, Addressed]]] = {}
    for one in done:
        for mail in _single(one, frame):
            for reader in mail.recipients:
                mails.setdefault((one.deed, reader), []).append((one, replace(mail, recipients=(reader,))))
    told, together = [], []
    for (deed, reader), mine in mails.items():
        known = [one for one in standing if reader in one.readers]
        if not in_one_mail(deed, len(mine), len(known)):
            told += [mail for _one, mail in mine]
            continue
        new = tuple(one.alarm.id for one, mail in mine if not mail.answers)
        together += [Together(reader, min(new), new)] if new else []
        told.append(_digest(reader, [one for one, _mail in mine], known, new, frame))
    return told, together


def _single(one: Done, frame: Frame) -> Iterator[Addressed]:
    if one.deed == "resolve":
        return resolved(one.alarm, frame)
    assert one.incident is not None
    if one.deed == "raise":
        return raised(one.alarm.id, one.incident, frame)
    return escalated(one.alarm, one.incident, one.level, one.alarm.readers, frame)


def _digest(reader: str, mine: Sequence[Done], known: Sequence[AlarmRow], new: tuple[int, ...], frame: Frame) -> Addressed:
    """All that happened to alarms in a round, and all that stand beside them."""
    first, deed = mine[0].alarm, mine[0].deed
    among = {one.alarm.id for one in mine}
    before = [one for one in known if one.id not in among and deed != "resolve"]
    said = [(done.alarm.subject, _happened(done, frame)) for done in mine]
    said += [(one.subject, f"Told of before; open since {moment(one.opened_at, frame.zone)}.") for one in before]
    rows = {f"{at}. {subject}": words for at, (subject, words) in enumerate(said, 1)}
    verdict = {
        "raise": f"{count(len(rows), 'alarm')} stand open, {len(mine)} of them new.",
        "escalate": f"{count(len(rows), 'alarm')} stand open, and {len(mine)} of them still after the time that was given.",
        "resolve": f"Resolved: {count(len(mine), 'alarm')} are over.",
    }[deed]
    subject = f"{count(len(rows), 'alarm')}: {first.subject}, and {len(rows) - 1} more"
    mail = _mail(subject, verdict, rows, "" if deed == "resolve" else "See all of them: bursarbridge status", frame, again=not new)
    if new:
        return Addressed(_REPORT, _together(min(new)), (reader,), mail)
    key = f"alarm:{first.id}:{'over' if deed == 'resolve' else mine[0].level}:together"
    return Addressed(_REPORT, key, (reader,), mail, _key(first.id, first.readers[reader]))


def _happened(done: Done, frame: Frame) -> str:
    if done.incident is None:
        return f"Open since {moment(done.alarm.opened_at, frame.zone)}; over {moment(frame.now, frame.zone)}."
    return f"{done.incident.happened} {done.incident.not_happened} {done.incident.impact} {done.incident.step}."


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
    """Of the mail that told a reader of an alarm first: at that level, or (below 0) in the digest of that number."""
    return f"alarm:{number}:{level}" if level >= 0 else _together(-level)


def _together(number: int) -> str:
    return f"alarms:{number}"


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
        "One alarm for one incident; it says by itself when it is over. When more than three stand open, one mail tells of all.",
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
