"""Values with their places: tomllib reads the values, tree-sitter-toml says where they stand (stack.md section 6)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import tree_sitter
import tree_sitter_toml

from bursarbridge.config.syntax import STILLED, Text, Value

Steps = tuple[str | int, ...]


class Span(NamedTuple):
    """A stretch of one line; both numbers count from 1, the width in characters."""

    line: int
    column: int
    width: int


class Place(NamedTuple):
    """Where a key (or a section's header) and its value stand."""

    key: Span
    value: Span


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the file with its place: a table has `tables`, a list `rows`, everything else `value`."""

    path: Steps
    place: Place
    value: Value = ""
    tables: Mapping[str, "Node"] = field(default_factory=dict)
    rows: tuple["Node", ...] = ()
    kind: str = "value"
    """value, table or list."""
    variable: str = ""
    """The environment variable that set it, or "" when the file did."""

    @property
    def stilled(self) -> bool:
        """Whether it stands on a line that could not be read; it has been reported and is nobody's fault any more."""
        return self.value == STILLED

    @property
    def name(self) -> str:
        """Its last name: the key, or the name of the section."""
        return str(next((step for step in reversed(self.path) if isinstance(step, str)), ""))

    def text(self, key: str) -> str:
        """The text under a key, or "" when there is none or it is something else: for rules that look across sections."""
        node = self.tables.get(key)
        return node.value if node is not None and isinstance(node.value, str) and not node.stilled else ""

    def at(self, *keys: str) -> "Node":
        """The node under the keys, or an empty table standing at the last one that exists."""
        node = self
        for key in keys:
            node = node.tables.get(key) or Node((*node.path, key), node.place, kind="table")
        return node


def tree(text: Text) -> Node:
    """The whole file as nodes with places."""
    places = _places(text.stilled)
    return _node(dict(text.values), (), places, Place(Span(1, 1, 1), Span(1, 1, 1)))


def _node(value: Value, path: Steps, places: Mapping[Steps, Place], around: Place) -> Node:
    place = places.get(path, around)
    if isinstance(value, dict):
        return Node(path, place, tables={key: _node(inner, (*path, key), places, place) for key, inner in value.items()}, kind="table")
    if isinstance(value, list):
        return Node(path, place, rows=tuple(_node(inner, (*path, number), places, place) for number, inner in enumerate(value)), kind="list")
    return Node(path, place, value)


def _places(text: str) -> dict[Steps, Place]:
    content = text.encode()
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    walk = _Walk({}, content.split(b"\n"), {})
    for child in parser.parse(content).root_node.named_children:
        if child.type == "pair":
            walk.pair(child, ())
        elif child.type in ("table", "table_array_element"):
            walk.section(child)
    return walk.places


@dataclass(frozen=True, slots=True)
class _Walk:
    """Collects places while going down tree-sitter's tree."""

    places: dict[Steps, Place]
    lines: list[bytes]
    counts: dict[Steps, int]

    def section(self, found: tree_sitter.Node) -> None:
        header, *pairs = [child for child in found.named_children if child.type != "comment"]
        path = self.resolved(_names(header))
        if found.type == "table_array_element":
            number = self.counts.get(path, 0)
            self.counts[path] = number + 1
            self.note(path, header, header)
            path = (*path, number)
        self.note(path, header, header)
        for pair in pairs:
            self.pair(pair, path)

    def resolved(self, names: Steps) -> Steps:
        """The path of a header, with the number of the row wherever a name on the way is a list of sections."""
        path: Steps = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if path in self.counts and position < len(names) - 1:
                path = (*path, self.counts[path] - 1)
        return path

    def pair(self, found: tree_sitter.Node, under: Steps) -> None:
        if found.type != "pair":
            return
        key, value = [child for child in found.named_children if child.type != "comment"][:2]
        path = (*under, *_names(key))
        for length in range(len(under) + 1, len(path)):
            self.places.setdefault(path[:length], Place(self.span(key), self.span(value)))
        self.note(path, key, value)
        self.inside(value, path)

    def inside(self, value: tree_sitter.Node, path: Steps) -> None:
        if value.type == "inline_table":
            for child in value.named_children:
                self.pair(child, path)
        elif value.type == "array":
            for number, child in enumerate(child for child in value.named_children if child.type != "comment"):
                self.note((*path, number), child, child)
                self.inside(child, (*path, number))

    def note(self, path: Steps, key: tree_sitter.Node, value: tree_sitter.Node) -> None:
        self.places.setdefault(path, Place(self.span(key), self.span(value)))

    def span(self, found: tree_sitter.Node) -> Span:
        row, start = found.start_point
        line = self.lines[row]
        end = found.end_point[1] if found.end_point[0] == row else len(line)
        return Span(row + 1, len(line[:start].decode()) + 1, max(1, len(line[start:end].decode())))


def _names(key: tree_sitter.Node) -> Steps:
    if key.type == "dotted_key":
        return tuple(name for child in key.named_children for name in _names(child))
    text = (key.text or b"").decode()
    return (next(iter(tomllib.loads(f"{text}=0"))),) if key.type == "quoted_key" else (text,)
