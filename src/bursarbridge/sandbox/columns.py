"""Layouts of the campus's own making, as tables: what is written from them, read by them and printed for the other office is one list."""

from collections.abc import Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """One field of a line; `first` and `last` are 1-based columns, both 0 in a delimited file."""

    name: str
    first: int
    last: int
    about: str

    @property
    def width(self) -> int:
        """How many characters it has."""
        return self.last - self.first + 1


def columns(*fields: tuple[str, int, str]) -> tuple[Column, ...]:
    """Fields as (name, width, about), one after the other from column 1."""
    made: list[Column] = []
    for name, width, about in fields:
        first = made[-1].last + 1 if made else 1
        made.append(Column(name, first, first + width - 1, about))
    return tuple(made)


def titles(*fields: tuple[str, str]) -> tuple[Column, ...]:
    """The columns of a delimited file as (title, about)."""
    return tuple(Column(name, 0, 0, about) for name, about in fields)


def put(layout: Sequence[Column], values: Sequence[str]) -> str:
    """One fixed line, every value left-justified in its columns. Raises ValueError for one that is too wide."""
    cells = []
    for column, value in zip(layout, values, strict=True):
        if len(value) > column.width:
            raise ValueError(f'{column.name} "{value}" is wider than {column.width}')
        cells.append(value.ljust(column.width))
    return "".join(cells)


def cut(layout: Sequence[Column], line: str) -> list[str]:
    """The values of one fixed line, without the spaces around them."""
    return [line[column.first - 1 : column.last].strip() for column in layout]


def described(layout: Sequence[Column]) -> list[str]:
    """The layout as lines of a table for people."""
    wide = max(len(column.name) for column in layout)
    return [f"  {_place(column, number)}  {column.name:<{wide}}  {column.about}".rstrip() for number, column in enumerate(layout, 1)]


def _place(column: Column, number: int) -> str:
    return f"{column.first:>4}-{column.last:<4}" if column.first else f"{number:>9}"
