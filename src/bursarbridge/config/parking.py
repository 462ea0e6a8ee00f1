"""A parking office in the settings: its sections, the values they take, and the rules between them (parking.md)."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bursarbridge.config import kinds, places
from bursarbridge.config.billing import Billing, billing_rules
from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import Flaw
from bursarbridge.config.nodes import Node
from bursarbridge.config.reader import optional, pairs, required, table, tables

MEANINGS: Final = ("open", "disputed", "paid", "void", "warning", "not_evidence")
"""What a status word of the office may mean; a test holds them equal to the adapter's."""
DELIMITERS: Final = (",", ";", "|", "\t")
_DATE_FORM = re.compile(r"(?:YYYY|YY|MM|DD|[-/. ])+")
_HALF_MINUTE = timedelta(seconds=30)
_LIMIT_CENTS = 500_000
_COLUMN_EXAMPLE: Final = '"Violation Number", or [12, 10] (first column and width)'

Place = str | tuple[int, int]
"""A column: its title, or its first column and width, both from 1."""

_NOWHERE: Place = ""


def column(node: Node, desk: Desk) -> Place:
    """A column of a delimited file by its title, or of a fixed one by [first column, width]."""
    return _stretch(node) if node.kind == "list" else kinds.text(node, desk)


def trailer_place(node: Node, desk: Desk) -> tuple[int, int]:
    """A place in a trailer: the number of the column from 1 (its width is then 0), or [first column, width]."""
    return _stretch(node) if node.kind == "list" else (kinds.whole(1, 500, "columns")(node, desk), 0)


def _stretch(node: Node) -> tuple[int, int]:
    numbers = [row.value for row in node.rows]
    if len(numbers) == 2 and all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= 10_000 for one in numbers):
        return int(str(numbers[0])), int(str(numbers[1]))
    raise Flaw("C045", f"{node.name} is not a first column and a width", f"two whole numbers, both from 1: {node.name} = [12, 10]")


def delimiter(node: Node, desk: Desk) -> str:
    """What stands between two columns."""
    value = kinds.loose_text(node, desk)
    if value not in DELIMITERS:
        raise Flaw("C008", f'{node.name} "{value}" is not one of: comma, semicolon, bar, tab', f'{node.name} = ","  (a tab is "\\t")')
    return value


def date_form(node: Node, desk: Desk) -> str:
    """How a date is written: "MM/DD/YYYY"."""
    value = kinds.text(node, desk)
    if not _DATE_FORM.fullmatch(value) or [value.count(part) for part in ("YY", "MM", "DD")] not in ([1, 1, 1], [2, 1, 1]):
        raise Flaw("C028", f'"{value}" is not the form of a date', f'made of YYYY or YY, MM and DD, each once: {node.name} = ["MM/DD/YYYY"]')
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationColumns:
    """Which column of the office's file is which of ours."""

    account: Place = required(column, name="id", example=_COLUMN_EXAMPLE)
    amount: Place = required(column, example=_COLUMN_EXAMPLE)
    user_type: Place = optional(column, _NOWHERE)
    reference: Place = optional(column, _NOWHERE)
    category: Place = optional(column, _NOWHERE)
    violated_on: Place = optional(column, _NOWHERE)
    status: Place = optional(column, _NOWHERE)
    currency: Place = optional(column, _NOWHERE)
    environment: Place = optional(column, _NOWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationTrailer:
    """A last line that speaks of the whole file."""

    mark: str = required(kinds.text, example='"TRL"')
    count: tuple[int, int] | None = optional(trailer_place, None)
    total: tuple[int, int] | None = optional(trailer_place, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationFiles:
    """One kind of list a parking office sends."""

    kind: str = required(kinds.choice("full", "changes", "added", "released"), example='"full"')
    folder: str = required(places.folder, example='"out"')
    files: tuple[str, ...] = required(kinds.words(places.file_pattern, least=1), example='["violations_*.csv"]')
    excluded: tuple[str, ...] = optional(kinds.words(places.file_pattern), (), name="except")
    settle: timedelta = optional(kinds.span(zero=True), _HALF_MINUTE)
    clear: str = optional(kinds.choice("move", "delete", "leave"), "move")
    as_of: re.Pattern[str] = required(kinds.expression(groups=1), example="'(\\d{8})(?:[-_T]?(\\d{6}))?'")
    absent: str = optional(kinds.choice("cleared", "ask"), "cleared")
    form: str = optional(kinds.choice("delimited", "fixed"), "delimited")
    encoding: str = optional(kinds.choice("utf-8", "ascii", "iso-8859-1", "windows-1252"), "utf-8")
    delimiter: str = optional(delimiter, ",")
    heading: bool = optional(kinds.yes_no, True)
    spanning: bool = optional(kinds.yes_no, False)
    titles: tuple[str, ...] = optional(kinds.words(kinds.text, least=2), ())
    width: int = optional(kinds.whole(1, 10_000, "columns"), 0)
    columns: ViolationColumns = required(table(ViolationColumns), example='{ id = "Student ID", amount = "Balance" }')
    dates: tuple[str, ...] = optional(kinds.words(date_form, least=1), ("YYYY-MM-DD",))
    point: bool = optional(kinds.yes_no, True)
    statuses: tuple[tuple[str, str], ...] = optional(pairs(kinds.choice(*MEANINGS)), ())
    first_line: re.Pattern[str] | None = optional(kinds.expression(), None)
    environment: re.Pattern[str] | None = optional(kinds.expression(), None)
    trailer: ViolationTrailer | None = optional(table(ViolationTrailer), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingSource:
    """A parking office that runs OPSCOM, or any system that can write the same lists."""

    name: str
    adapter: str = required(kinds.choice("opscom"))
    reference_prefix: str = required(places.prefix, example='"P"')
    connection: str = required(kinds.text, example='"parking"')
    timezone: ZoneInfo = required(kinds.zone, example='"America/Los_Angeles"')
    currency: str = optional(kinds.code(r"[A-Z]{3}", "a currency code: three capital letters"), "USD")
    amount_max_cents: int = optional(kinds.limit, _LIMIT_CENTS, name="amount_max")
    collect: str = optional(kinds.choice("hold", "bill"), "hold")
    billing: Billing | None = optional(table(Billing), None)
    violations: tuple[ViolationFiles, ...] = required(tables(ViolationFiles), example="(one section [[sources.parking.violations]] for each kind)")


def parking_rules(root: Node, desk: Desk) -> None:
    """Notes columns that do not fit their file, status words without a column, and lists that would be taken for what they are not."""
    for source in root.at("sources").tables.values():
        if source.text("adapter") != "opscom":
            continue
        seen: set[str] = set()
        for files in source.at("violations").rows:
            _form(files, desk)
            _columns(files, desk)
            _together(files, desk)
            _kind(source, files, seen, desk)
        billing_rules(source, root, desk)


def _form(files: Node, desk: Desk) -> None:
    """Each form has keys of its own."""
    fixed = files.text("form") == "fixed"
    needed, foreign = ("width", ("titles", "delimiter", "heading", "spanning")) if fixed else ("titles", ("width",))
    word = "fixed" if fixed else "delimited"
    if needed not in files.tables:
        cure = "width = how many characters every line has" if fixed else 'titles = all its columns in their order: ["Student ID", "Name", "Balance"]'
        desk.at_key("C045", files, f"[[{_path(files)}]] is {word} and has no {needed}", cure)
    for key in foreign:
        if key in files.tables:
            desk.at_key("C045", files.at(key), f"{key} has no meaning in a {word} file", f'take it out, or change form = "{word}"')
    if fixed and (files.text("encoding") or "utf-8") == "utf-8":
        cure = 'encoding = "ascii", "iso-8859-1" or "windows-1252"'
        desk.at_key("C045", files.tables.get("encoding", files), "fixed columns need one byte for each character, which utf-8 has not", cure)


def _columns(files: Node, desk: Desk) -> None:
    fixed, titles = files.text("form") == "fixed", [str(row.value) for row in files.at("titles").rows]
    width = files.at("width").value
    taken: list[tuple[int, int, str]] = []
    for node in files.at("columns").tables.values():
        if node.stilled or node.kind == "table":
            continue
        if fixed != (node.kind == "list"):
            cure = f"{node.name} = [12, 10] (first column and width)" if fixed else f'{node.name} = "Student ID" (its title)'
            desk.at_value("C045", node, f"{node.name} is not a column of a {'fixed' if fixed else 'delimited'} file", cure)
        elif fixed:
            _fixed_column(node, width if isinstance(width, int) else 0, taken, desk)
        elif titles and titles.count(str(node.value)) != 1:
            _title(node, titles, desk)


def _fixed_column(node: Node, width: int, taken: list[tuple[int, int, str]], desk: Desk) -> None:
    numbers = [row.value for row in node.rows if isinstance(row.value, int)]
    if len(numbers) != 2:
        return  # said where the value is read
    start, end = numbers[0], numbers[0] + numbers[1] - 1
    if width and end > width:
        desk.at_value("C045", node, f"columns {start}-{end} lie outside of a line of {width}", "compare the columns with the width")
    for other_start, other_end, other in taken:
        if start <= other_end and other_start <= end:
            desk.at_value("C045", node, f"{node.name} in columns {start}-{end} overlaps {other}", "compare both with the office's description")
    taken.append((start, end, node.name))


def _title(node: Node, titles: list[str], desk: Desk) -> None:
    value = str(node.value)
    if value in titles:
        desk.at_value("C045", node, f'"{value}" stands more than once in titles', "ask for a file in which that column has a title of its own")
        return
    guess = nearest(value, titles)
    cure = f'did you mean {node.name} = "{guess}"?' if guess else f"titles are: {listed(titles)}"
    desk.at_value("C045", node, f'no column of titles is called "{value}"', cure)


def _together(files: Node, desk: Desk) -> None:
    """Settings that mean something only beside one another."""
    for key, example in (("statuses", '{ "Outstanding" = "open" }'), ("environment", "'^LIVE$'")):
        name = "status" if key == "statuses" else key
        has_column = name in files.at("columns").tables
        if has_column and key not in files.tables:
            desk.at_key("C046", files.at("columns", name), f"there is a column {name}, and no {key} say what stands in it", f"add {key} = {example}")
        if key in files.tables and not has_column:
            desk.at_key("C046", files.at(key), f"{key} are given, and no column {name}", f"add {name} to columns, or take {key} out")
    meanings = files.tables.get("statuses")
    if meanings is not None and meanings.tables and "open" not in (one.value for one in meanings.tables.values()):
        desk.at_key(
            "C046", meanings, "no word of statuses means open, so nobody would ever owe anything", 'say which one does: "Outstanding" = "open"'
        )
    trailer = files.tables.get("trailer")
    if trailer is not None and trailer.kind == "table" and not {"count", "total"} & set(trailer.tables):
        desk.at_key("C046", trailer, "the trailer says neither count nor total", 'add one: trailer = { mark = "TRL", count = 2, total = 3 }')


def _kind(source: Node, files: Node, seen: set[str], desk: Desk) -> None:
    kind, columns = files.text("kind"), files.at("columns").tables
    if kind in seen:
        desk.at_value(
            "C047", files.at("kind"), f'two sections of [sources.{source.name}] are of kind "{kind}"', "one section a kind: put their files together"
        )
    seen |= {kind} - {""}
    if kind != "full" and kind and "absent" in files.tables:
        desk.at_key("C047", files.at("absent"), f'only a full list can lack somebody, and this one is of kind "{kind}"', "take absent out")
    for name in ("reference", "status") if kind in ("added", "released") else ():
        if name in columns:
            said = f'a list of kind "{kind}" has one row a person, and its column {name} would be passed over'
            desk.at_key("C047", columns[name], said, f"take {name} out of columns")
    if source.text("collect") == "bill":
        _billed(files, kind, desk)


def _billed(files: Node, kind: str, desk: Desk) -> None:
    if kind in ("added", "released"):
        desk.at_value("C047", files.at("kind"), f'what is billed cannot come as a list of holds of kind "{kind}"', 'kind = "full" or "changes"')
        return
    for name in ("reference", "category"):
        if name not in files.at("columns").tables:
            said = f'collect = "bill", and there is no column {name}: a charge needs one'
            desk.at_key("C047", files.tables.get("columns", files), said, f"add {name} to columns")


def _path(node: Node) -> str:
    return ".".join(str(step) for step in node.path if isinstance(step, str))
