"""Environment variables over the file: BURSARBRIDGE__STORAGE__DATABASE sets [storage] database (order: environment, file, default)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bursarbridge.config.nodes import Node

PREFIX: Final = "BURSARBRIDGE__"


def overlaid(root: Node, environment: Mapping[str, str]) -> Node:
    """The tree with every BURSARBRIDGE__SECTION__KEY variable put in its place; names are matched without regard to case, - and _."""
    for variable in sorted(environment):
        if variable.startswith(PREFIX):
            root = _put(root, variable.removeprefix(PREFIX).split("__"), environment[variable], variable)
    return root


def _put(node: Node, names: list[str], value: str, variable: str) -> Node:
    first, *rest = names
    known = {_plain(name): name for name in node.tables}
    name = known.get(_plain(first), first.lower())
    path = (*node.path, name)
    child = node.tables.get(name)
    if not rest:
        put = Node(path, child.place if child else node.place, value, variable=variable)
    else:
        inner = child if child is not None and child.kind == "table" else Node(path, node.place, kind="table", variable=variable)
        put = _put(inner, rest, value, variable)
    return replace(node, tables={**node.tables, name: put}, kind="table")


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
