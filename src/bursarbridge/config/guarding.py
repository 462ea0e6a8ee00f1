"""Guards: their sections, their bounds, and how a flow's own section completes itself from [guards.standard] (ux.md 7, reliability.md H10)."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

from dataclasses import dataclass, replace
from datetime import timedelta

from bursarbridge.config import kinds
from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import Flaw
from bursarbridge.config.nodes import Node
from bursarbridge.config.reader import optional, table
from bursarbridge.ledger import guards
from bursarbridge.ledger.guards import HOLD, OFF, STANDARD, WARN

STANDARD_NAME = "standard"
_ACTION = kinds.choice(HOLD, WARN, OFF)
_PEOPLE = kinds.whole(1, 2, "people")
_PERCENT = kinds.whole(1, 100, "percent")
_FACTOR = kinds.whole(2, 100, "times")
_HOLDS = kinds.whole(1, 100_000, "holds")
_LONG = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard(guards.Guard):
    """A guard without a number of its own."""

    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases(guards.Share):
    """Holds released in one run."""

    most: int = optional(_HOLDS, STANDARD.releases.most, name="max")
    percent: int = optional(_PERCENT, STANDARD.releases.percent)
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.releases.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placements(guards.Share):
    """Holds placed in one run."""

    most: int = optional(_HOLDS, STANDARD.placements.most, name="max")
    percent: int = optional(_PERCENT, STANDARD.placements.percent)
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.placements.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(guards.Share):
    """Holds whose amount changes in one run."""

    most: int = optional(_HOLDS, STANDARD.changes.most, name="max")
    percent: int = optional(_PERCENT, STANDARD.changes.percent)
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.changes.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(guards.Volume):
    """Rows and total against the usual."""

    factor: int = optional(_FACTOR, STANDARD.volume.factor)
    rows: int = optional(kinds.whole(1, 10_000, "rows"), STANDARD.volume.rows)
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.volume.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(guards.Total):
    """The sum of a batch or a plan."""

    most_cents: int = optional(kinds.limit, STANDARD.total.most_cents, name="max")
    factor: int = optional(_FACTOR, STANDARD.total.factor)
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.total.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single(guards.Single):
    """The largest amount of a plan."""

    most_cents: int = optional(kinds.limit, STANDARD.single.most_cents, name="max")
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.single.approvers)


def _age(node: Node, desk: Desk) -> timedelta:
    span = kinds.span()(node, desk)
    if span > _LONG:
        raise Flaw("C039", f'{node.name} "{node.value}" is longer than {_LONG.days} days', f'{node.name} = "26h"')
    return span


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale(guards.Stale):
    """The age of a file that states all."""

    older_than: timedelta = optional(_age, STANDARD.stale.older_than)
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.stale.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable(guards.Share):
    """Records of a file that cannot be read."""

    most: int = optional(kinds.whole(1, 10_000, "records"), STANDARD.unreadable.most, name="max")
    percent: int = optional(_PERCENT, STANDARD.unreadable.percent)
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.unreadable.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutShort(guards.Tail):
    """People lacking at the end of a list that states all."""

    most: int = optional(kinds.whole(1, 1_000, "people"), STANDARD.cut_short.most, name="max")
    action: str = optional(_ACTION, HOLD)
    approvers: int = optional(_PEOPLE, STANDARD.cut_short.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits(guards.Limits):
    """The guards of one flow, or of all without a section of their own."""

    name: str = STANDARD_NAME
    releases: guards.Share = optional(table(Releases), STANDARD.releases)
    placements: guards.Share = optional(table(Placements), STANDARD.placements)
    changes: guards.Share = optional(table(Changes), STANDARD.changes)
    volume: guards.Volume = optional(table(Volume), STANDARD.volume)
    total: guards.Total = optional(table(Total), STANDARD.total)
    single: guards.Single = optional(table(Single), STANDARD.single)
    empty: guards.Guard = optional(table(Guard), STANDARD.empty)
    stale: guards.Stale = optional(table(Stale), STANDARD.stale)
    unreadable: guards.Share = optional(table(Unreadable), STANDARD.unreadable)
    settings: guards.Guard = optional(table(Guard), STANDARD.settings)
    cut_short: guards.Tail = optional(table(CutShort), STANDARD.cut_short)


def guard_sections(node: Node, desk: Desk) -> tuple[GuardLimits, ...]:
    """The sections. What a flow's section leaves out is as in [guards.standard], key by key."""
    if node.kind != "table":
        raise Flaw("C005", f"{node.name} is not a section", "write a section [guards.standard]")
    standard = node.tables.get(STANDARD_NAME)
    read = [] if standard is None else [table(GuardLimits)(standard, desk)]
    for name, own in node.tables.items():
        if name != STANDARD_NAME:
            read.append(table(GuardLimits)(_completed(own, standard) if standard is not None and own.kind == "table" else own, desk))
    return tuple(read)


guard_sections.shapes = (GuardLimits,)  # type: ignore[attr-defined] # what stands inside, for reader.key_paths


def guard_rules(root: Node, desk: Desk) -> None:
    """Notes sections of flows that there are not."""
    sources = root.at("sources").tables
    known = (
        STANDARD_NAME,
        *(f"{source}-{what}" for source in sources for what in ("charges", "credits", "holds")),
        "library-charges",
        "library-credits",
    )
    for name, section in root.at("guards").tables.items():
        if name not in known and not section.stilled:
            guess = nearest(name, known)
            cure = f"did you mean [guards.{guess}]?" if guess else f"sections are: {listed(tuple(dict.fromkeys(known)))}"
            desk.at_key("C003", section, f"[guards.{name}] guards no flow", cure)


def _completed(own: Node, standard: Node) -> Node:
    tables = dict(own.tables)
    for name, other in standard.tables.items():
        mine = tables.get(name)
        if mine is None:
            tables[name] = other
        elif mine.kind == other.kind == "table":
            tables[name] = replace(mine, tables={**other.tables, **mine.tables})
    return replace(own, tables=tables)
