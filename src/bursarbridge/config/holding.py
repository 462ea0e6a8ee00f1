"""Holds: their sections, keyed by the source whose balances they are about, and the rules for them (parking.md, peoplesoft.md 3)."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

import re
from dataclasses import dataclass
from datetime import date, timedelta

from bursarbridge.config import kinds, places
from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import Flaw
from bursarbridge.config.nodes import Node
from bursarbridge.config.reader import optional, required, table, tables

_DAYS = re.compile(r"([0-9]{1,3})d", re.ASCII)
_HALF_MINUTE, _HALF_DAY = timedelta(seconds=30), timedelta(hours=13)
_LIMIT_CENTS = 500_000


def days(node: Node, desk: Desk) -> int:
    """A number of campus days: "0d", "14d"."""
    value = kinds.text(node, desk)
    match = _DAYS.fullmatch(value)
    if match is None:
        raise Flaw("C011", f'{node.name} "{value}" is not a number of days', f'a whole number and d: {node.name} = "14d"')
    return int(match[1])


def some_days(node: Node, desk: Desk) -> int:
    """A number of campus days, at least one."""
    number = days(node, desk)
    if not number:
        raise Flaw("C013", f'{node.name} "{node.value}" is no time at all', f'longer than 0: {node.name} = "3d"')
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFile:
    """One of the two documents of a hold run."""

    folder: str = required(places.folder, example='"in"')
    layout: str = required(places.layout("holds-added", "holds-released", "delimited-added", "delimited-released", "mass-assign", "mass-release"))
    name: str = required(places.name_template("sequence", "made_at", "made_on"), example='"HOLDS_ADDED_{made_on}_{sequence:06d}.dat"')


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorList:
    """The bursar's list of service indicators, for a bursar who sends one (peoplesoft.md 3.4, item 5)."""

    folder: str = required(places.folder, example='"out"')
    files: tuple[str, ...] = required(kinds.words(places.file_pattern, least=1), example='["indicators_*.csv"]')
    excluded: tuple[str, ...] = optional(kinds.words(places.file_pattern), (), name="except")
    layout: str = required(places.layout("indicators"), example='"ps-query-indicators"')
    as_of: re.Pattern[str] = required(kinds.expression(groups=1), example="'(\\d{8})(?:[-_T]?(\\d{6}))?'")
    settle: timedelta = optional(kinds.span(zero=True), _HALF_MINUTE)
    clear: str = optional(kinds.choice("move", "delete", "leave"), "move")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptDates:
    """Campus dates, both included, in which no new hold is placed."""

    from_on: date = required(kinds.day, name="from", example='"2026-11-09"')
    to_on: date = required(kinds.day, name="to", example='"2026-11-20"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The holds of one source: who gets one, under which code, and how the bursar is told."""

    name: str
    code: str = required(kinds.code(r"[A-Za-z0-9]{1,3}", "a service indicator code: one to three letters and digits"), example='"PRK"')
    reason: str = required(kinds.code(r"[A-Za-z0-9]{1,5}", "a service indicator reason: one to five letters and digits"), example='"PKCIT"')
    institution: str = required(kinds.code(r"[A-Za-z0-9]{1,5}", "an institution: one to five letters and digits"), example='"EXCCD"')
    department: str = optional(kinds.code(r"[A-Za-z0-9]{0,10}", "a department: at most ten letters and digits"), "")
    contact: str = optional(kinds.code(r"[ -~]{0,30}", "a contact: at most thirty plain characters"), "")
    impact: str = required(kinds.choice("registration", "transcript", "diploma", "information"), example='"registration"')
    transcript_allowed: bool = optional(kinds.yes_no, False)
    threshold_cents: int = optional(kinds.limit, 1, name="threshold")
    grace_days: int = optional(days, 0, name="grace")
    notice_days: int = optional(days, 0, name="notice")
    user_types: tuple[str, ...] = optional(kinds.words(kinds.text), ())
    exempt_types: tuple[str, ...] = optional(kinds.words(kinds.text), ())
    left_out: tuple[str, ...] = optional(kinds.words(kinds.text), ())
    disputed: str = optional(kinds.choice("wait", "count"), "wait")
    speaks_for: str = optional(kinds.choice("oldest", "newest", "largest", "first"), "oldest")
    exempt: tuple[ExemptDates, ...] = optional(tables(ExemptDates), ())
    amount_max_cents: int = optional(kinds.limit, _LIMIT_CENTS, name="amount_max")
    evidence_max_age: timedelta = optional(kinds.span(), timedelta(days=4))
    added: HoldFile = required(table(HoldFile), example='{ folder = "in", layout = "generic-holds-added", name = "HOLDS_ADDED_{sequence:06d}.dat" }')
    released: HoldFile = required(
        table(HoldFile), example='{ folder = "in", layout = "generic-holds-released", name = "HOLDS_RELEASED_{sequence:06d}.dat" }'
    )
    confirmed_by: str = optional(kinds.choice("snapshot", "collected", "assumed"), "collected")
    assumed_after: timedelta | None = optional(kinds.span_or_never, None)
    expected_after: timedelta = optional(kinds.span(), _HALF_DAY)
    snapshot: IndicatorList | None = optional(table(IndicatorList), None)
    manual_release_days: int = optional(some_days, 3, name="manual_release_expires")


def hold_rules(root: Node, desk: Desk) -> None:
    """Notes holds of no source, holds nobody is told of, confirmations that cannot come, and transcript holds that are not switched on."""
    known = tuple(root.at("sources").tables)
    for name, section in root.at("holds").tables.items():
        if name not in known:
            guess = nearest(name, known)
            cure = f"did you mean [holds.{guess}]?" if guess else f"sources are: {listed(known)}"
            desk.at_key("C022", section, f'there is no source "{name}" whose balances could be held', cure)
        readers = root.at("reports", "holds", "to")
        if not readers.rows and not readers.value:
            cure = 'add [reports.holds] with to = ["parking@example.edu"], an address that somebody reads every day'
            desk.at_key("C062", section, f"[holds.{name}] has nobody who is told: there is no [reports.holds] to", cure)
        _section(name, section, desk)


def _section(name: str, section: Node, desk: Desk) -> None:
    allowed = section.tables.get("transcript_allowed")
    if section.text("impact") == "transcript" and (allowed is None or allowed.value not in (True, "true")):
        cure = "transcript_allowed = true, after counsel has read your state's law; or impact = another one"
        desk.at_value("C063", section.at("impact"), f"[holds.{name}] would keep transcripts back, and nobody has switched that on", cure)
    if section.text("confirmed_by") == "snapshot" and "snapshot" not in section.tables:
        cure = 'add a section [holds.NAME.snapshot], or confirmed_by = "collected"'.replace("NAME", name)
        desk.at_value("C034", section.at("confirmed_by"), 'confirmed_by = "snapshot", and there is no snapshot to see it in', cure)
    if section.text("confirmed_by") == "assumed" and not section.text("assumed_after"):
        desk.at_value("C034", section.at("confirmed_by"), 'confirmed_by = "assumed", and it never is', 'assumed_after = "12h"')
    for row in section.at("exempt").rows:
        begin, end = row.text("from"), row.text("to")
        if begin and end and end < begin:
            desk.at_value("C028", row.at("to"), f"the exempt dates end on {end}, before they begin", f'to = "{begin}" or later')
    for key, wrong in (("added", "release"), ("released", "add")):
        layout = section.at(key).text("layout")
        if not layout.startswith("file:") and (wrong in layout or (wrong == "add" and "assign" in layout)):
            other = layout.replace("released", "added").replace("release", "assign") if key == "added" else layout.replace("added", "released")
            desk.at_value("C023", section.at(key, "layout"), f'layout "{layout}" is not one for {key} holds', f'layout = "{other}"')


def hold_readings(root: Node) -> list[tuple[Node, tuple[str, str], list[str], list[str]]]:
    """Where the bursar's lists are read: section, place, patterns and exceptions."""
    found = []
    for section in root.at("holds").tables.values():
        node = section.tables.get("snapshot")
        if node is not None:
            patterns, excluded = ([str(row.value) for row in node.at(name).rows] for name in ("files", "except"))
            found.append((node, (root.at("bursar").text("connection"), node.text("folder").strip("/")), patterns, excluded))
    return found


def hold_writings(root: Node) -> list[tuple[Node, tuple[str, str], str]]:
    """Where hold files are written: section, place, name template."""
    found = []
    for section in root.at("holds").tables.values():
        for key in ("added", "released"):
            node = section.at(key)
            if node.text("name"):
                found.append((node, (root.at("bursar").text("connection"), node.text("folder").strip("/")), node.text("name")))
    return found
