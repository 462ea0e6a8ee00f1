"""Layouts from their TOML declaration, with every fault named at once, and the published ones that ship with the package."""

import tomllib
from functools import cache
from importlib import resources

from bursarbridge.errors import Unreadable
from bursarbridge.formats.check import faults_of
from bursarbridge.formats.shape import Align, Blank, Credits, Field, FieldKind, Form, Layout, Record, RecordKind, Sign
from bursarbridge.formats.take import Table, Taker

__all__ = ["Field", "FieldKind", "Form", "Layout", "LayoutFaults", "Record", "RecordKind", "layout_from_toml", "shipped", "shipped_names"]


class LayoutFaults(Unreadable):
    """A layout declaration with faults; `faults` has each as one sentence."""

    def __init__(self, where: str, faults: tuple[str, ...]) -> None:
        super().__init__("layout", "; ".join(faults), where=where)
        self.faults = faults


def layout_from_toml(text: str, where: str) -> Layout:
    """Reads a layout's declaration; `where` names its file in errors.

    Raises LayoutFaults with every fault: TOML errors, unknown keys, wrong types, unknown field names, overlapping columns, widths that do not fit.
    Source for the parts: peoplesoft.md 1.2, section 8 item 1.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LayoutFaults(where, (f"not TOML: {error}",)) from error
    faults: list[str] = []
    layout = _layout(table, faults)
    if not faults:
        faults += faults_of(layout)
    if faults:
        raise LayoutFaults(where, tuple(faults))
    return layout


@cache
def shipped(name: str) -> Layout:
    """The published layout of that name. Raises Unreadable naming the ones there are."""
    if name not in shipped_names():
        raise Unreadable("layout", f'there is no shipped layout "{name}"; there are {", ".join(shipped_names())}')
    source = resources.files("bursarbridge.formats").joinpath("layouts", f"{name}.toml")
    return layout_from_toml(source.read_text("utf-8"), f"{name}.toml")


@cache
def shipped_names() -> tuple[str, ...]:
    """The names of the layouts that ship with the package, sorted."""
    folder = resources.files("bursarbridge.formats").joinpath("layouts")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def _layout(table: Table, faults: list[str]) -> Layout:
    take = Taker(table, "layout", faults)
    records = tuple(_record(entry, f"records[{at}]", faults) for at, entry in enumerate(take.tables("records"), 1))
    layout = Layout(
        name=take.text("name"),
        form=take.word("form", Form, Form.FIXED),
        encoding=take.text("encoding", "ascii"),
        newline=take.text("newline", "\n"),
        records=records,
        delimiter=take.text("delimiter", ","),
        heading=take.flag("heading", False),
        about=take.text("about", ""),
    )
    take.finish()
    return layout


def _record(table: Table, place: str, faults: list[str]) -> Record:
    take = Taker(table, place, faults)
    kind = take.word("kind", RecordKind, RecordKind.DETAIL)
    fields = tuple(_field(entry, f"{kind} field {at}", faults) for at, entry in enumerate(take.tables("fields"), 1))
    width = take.number("width", 0)
    take.finish()
    return Record(kind, fields, width)


def _field(table: Table, place: str, faults: list[str]) -> Field:
    name = table.get("name")
    take = Taker(table, f'{place} "{name}"' if isinstance(name, str) else place, faults)
    kind = take.word("kind", FieldKind, FieldKind.TEXT)
    numeric = kind in (FieldKind.AMOUNT, FieldKind.COUNT)
    field = Field(
        name=take.text("name"),
        kind=kind,
        start=take.number("start", 0),
        width=take.number("width", 0),
        title=take.text("title", ""),
        align=take.word("align", Align, Align.RIGHT if numeric else Align.LEFT),
        pad=take.text("pad", "0" if numeric else " "),
        blank=take.word("blank", Blank, Blank.NEVER),
        literal=take.text("literal", ""),
        choices=take.pairs("choices"),
        dates=take.texts("dates"),
        sign=take.word("sign", Sign, Sign.UNSIGNED),
        point=take.flag("point", True),
        credits=take.word("credits", Credits, Credits.POSITIVE),
        about=take.text("about", ""),
    )
    take.finish()
    return field
