"""Rules of the dated tables: item types, terms and due dates cover each day once (architecture.md, effective-dated tables)."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from bursarbridge.config.desk import Desk
from bursarbridge.config.faults import Flaw, Severity
from bursarbridge.config.kinds import day, day_or_open
from bursarbridge.config.nodes import Node


class _Stretch(NamedTuple):
    """One line of a dated table; both dates belong to it."""

    begins_on: date
    ends_on: date
    node: Node


def calendar_rules(bursar: Node, desk: Desk) -> None:
    """Notes overlaps, gaps and ends before beginnings in the bursar's tables."""
    kinds: dict[tuple[str, str], list[Node]] = {}
    for row in bursar.at("item_types").rows:
        kinds.setdefault((row.text("source"), row.text("category")), []).append(row)
    for (source, category), rows in kinds.items():
        _covered(_stretches(rows, desk), f"item type for {category} of {source}", desk)
    _covered(_stretches(bursar.at("terms").rows, desk), "term", desk)
    _once(bursar.at("terms").rows, desk)
    _due_dates(bursar.at("due_dates").rows, desk)


def _stretches(rows: Iterable[Node], desk: Desk) -> list[_Stretch]:
    found = []
    for row in rows:
        begins, ends = _day(row, "from", desk), (_day(row, "to", desk) if "to" in row.tables else date.max)
        if begins is None or ends is None:
            continue
        if ends < begins:
            desk.at_value("C028", row.at("to"), f"it ends on {ends}, before it begins on {begins}", "exchange the two dates, or correct the year")
            continue
        found.append(_Stretch(begins, ends, row))
    return sorted(found, key=lambda stretch: (stretch.begins_on, stretch.ends_on))


def _day(row: Node, key: str, desk: Desk) -> date | None:
    """The date under a key, None when there is none or a fault about it has been noted already."""
    try:
        return (day_or_open if key == "to" else day)(row.tables[key], desk)
    except (KeyError, Flaw):
        return None


def _covered(stretches: list[_Stretch], what: str, desk: Desk) -> None:
    for before, after in pairwise(stretches):
        said = _called(after.node)
        if after.begins_on <= before.ends_on:
            other = f"{_called(before.node)} (line {before.node.place.key.line})"
            cure = f'end the earlier one the day before: to = "{after.begins_on - timedelta(days=1)}"'
            desk.at_value("C029", after.node.at("from"), f"{what}{said} begins on {after.begins_on}, while{other} still runs", cure)
        elif after.begins_on - before.ends_on > timedelta(days=1):
            free = f"{before.ends_on + timedelta(days=1)} to {after.begins_on - timedelta(days=1)}"
            desk.at_value("C030", after.node.at("from"), f"no {what} for {free}", "let the dates meet", severity=Severity.WARNING)


def _called(row: Node) -> str:
    name = row.text("code") or row.text("charge")
    return f' "{name}"' if name else " the line"


def _once(rows: Iterable[Node], desk: Desk) -> None:
    seen: set[str] = set()
    for row in rows:
        code = row.text("code")
        if code and code in seen:
            desk.at_value("C029", row.at("code"), f'term "{code}" stands here a second time', "one line for each term")
        seen.add(code)


def _due_dates(rows: Iterable[Node], desk: Desk) -> None:
    seen: set[date] = set()
    for row in rows:
        begins = _day(row, "from", desk)
        if begins is not None and begins in seen:
            desk.at_value("C029", row.at("from"), f"two due date rules begin on {begins}", "one rule for each day")
        seen |= {begins} if begins is not None else set()
        needs = {"days_after": "days", "day_of_next_month": "day"}.get(row.text("rule"), "")
        if needs and needs not in row.tables:
            desk.at_value("C036", row.at("rule"), f'rule "{row.text("rule")}" has no {needs}', f"add {needs} = {30 if needs == 'days' else 25}")
        for other in {"days", "day"} & set(row.tables) - {needs}:
            if row.text("rule") in ("days_after", "day_of_next_month", "none"):
                desk.at_value(
                    "C036", row.at(other), f'rule "{row.text("rule")}" has no use for {other}', f"take {other} out, or choose the rule that uses it"
                )
