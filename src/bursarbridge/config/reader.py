"""Tables of the file to frozen dataclasses: each field says once how its key is read, and every fault on the way is noted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar, cast

from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import SECRET_NAME, Flaw
from bursarbridge.config.kinds import Kind
from bursarbridge.config.nodes import Node
from bursarbridge.config.syntax import STILLED

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
_KEY: Final = "key"


class _Key(NamedTuple):
    """How one field is read: its name in the file, what its value may be, and what to write when it is missing."""

    name: str
    kind: Kind[object]
    example: str
    absent: str
    """The fault code when it is missing."""
    inside: tuple["Callable[..., object]", ...]


class _Absent(Flaw):
    """A value that cannot be had, and whose reason has been noted already."""


def required(kind: Kind[T], *, name: str = "", example: str = "...", absent: str = "C004") -> T:
    """Declares a key that must be there; `name` is given where Python keeps the word for itself (from, import, except)."""
    return cast(T, field(metadata={_KEY: _Key(name, kind, example, absent, _inside(kind))}))


def optional(kind: Kind[T], default: T, *, name: str = "") -> T:
    """Declares a key that may be left out; `default` is then its value."""
    return field(default=default, metadata={_KEY: _Key(name, kind, "", "C004", _inside(kind))})


def table(shape: Callable[..., T]) -> Kind[T]:
    """A section, or a table in braces, read into `shape`."""

    def read(node: Node, desk: Desk) -> T:
        return section(shape, node, desk)

    return _marked(read, shape)


def tables(shape: Callable[..., T]) -> Kind[tuple[T, ...]]:
    """A list of sections ([[bursar.terms]]), or of tables in braces."""

    def read(node: Node, desk: Desk) -> tuple[T, ...]:
        if node.kind != "list":
            raise Flaw(
                "C005", f"{node.name} is not a list of sections", f"begin each line of it with two brackets: [[{'.'.join(map(str, node.path))}]]"
            )
        return tuple(_all(desk, [(row, table(shape)) for row in node.rows]))

    return _marked(read, shape)


def named(by: str, shapes: Mapping[str, Callable[..., T]], number: str) -> Kind[Mapping[str, T]]:
    """Sections under names of the campus's own choosing; the value of key `by` says which shape each has."""

    def read(node: Node, desk: Desk) -> Mapping[str, T]:
        _must_be_table(node)
        rows = [(inner, chosen(by, shapes, number)) for inner in node.tables.values()]
        if not rows:
            raise Flaw("C004", f"[{node.name}] is empty", f"add a section [{node.name}.name]")
        return MappingProxyType(dict(zip(node.tables, _all(desk, rows), strict=True)))

    return _marked(read, *shapes.values())


def by_name(shape: Callable[..., T]) -> Kind[tuple[T, ...]]:
    """Sections of one shape under names that other sections give ([holds.parking])."""

    def read(node: Node, desk: Desk) -> tuple[T, ...]:
        _must_be_table(node)
        return tuple(_all(desk, [(inner, table(shape)) for inner in node.tables.values()]))

    return _marked(read, shape)


def pairs(kind: Kind[T]) -> Kind[tuple[tuple[str, T], ...]]:
    """A table whose keys are words of somebody else's, each with a value."""

    def read(node: Node, desk: Desk) -> tuple[tuple[str, T], ...]:
        _must_be_table(node)
        return tuple(zip(node.tables, _all(desk, [(inner, kind) for inner in node.tables.values()]), strict=True))

    return read


def listed_sections(shape: Callable[..., T], *names: str) -> Kind[tuple[T, ...]]:
    """Sections of one shape under names of ours ([reports.late]), each at most once."""

    def read(node: Node, desk: Desk) -> tuple[T, ...]:
        _must_be_table(node)
        _unknown(node, desk, names)
        return tuple(_all(desk, [(inner, table(shape)) for name, inner in node.tables.items() if name in names or inner.stilled]))

    return _marked(read, shape)


def chosen(by: str, shapes: Mapping[str, Callable[..., T]], number: str) -> Kind[T]:
    """A section whose key `by` says which shape it has; when it does not, the shape with most of its keys finds the other faults."""

    def read(node: Node, desk: Desk) -> T:
        _must_be_table(node)
        word = node.tables.get(by)
        written = word.value if word is not None and isinstance(word.value, str) else ""
        if written in shapes:
            return section(shapes[written], node, desk)
        meant = max(shapes, key=lambda name: len(set(node.tables) & {key_name for key_name, _ in dict(_keys(shapes[name])).values()}))
        _note_choice(by, node, tuple(shapes), number, desk)
        as_meant = {**node.tables, by: replace(word or node, path=(*node.path, by), value=meant, kind="value")}
        section(shapes[meant], replace(node, tables=as_meant), desk)
        raise _Absent(number, "", "")

    return _marked(read, *shapes.values())


def _note_choice(by: str, node: Node, known: tuple[str, ...], number: str, desk: Desk) -> None:
    word = node.tables.get(by)
    if word is None:
        desk.at_key("C004", node, f'[{".".join(map(str, node.path))}] has no "{by}"', f"add {by} = one of: {listed(known)}")
    elif not word.stilled:
        guess = nearest(str(word.value), known)
        cure = f'did you mean {by} = "{guess}"?' if guess else f"{by} is one of: {listed(known)}"
        desk.at_value(number, word, f'there is no {by} "{word.value}"', cure)


def section(shape: Callable[..., T], node: Node, desk: Desk) -> T:
    """Reads one table into `shape`, noting every fault in it; raises Flaw when it cannot be whole.

    A field `name` without a key of its own gets the section's name.
    """
    _must_be_table(node)
    known = dict(_keys(shape))
    misspelt = _unknown(node, desk, tuple(name for name, _ in known.values()))
    values: dict[str, object] = {}
    whole = True
    for attribute, (name, found) in known.items():
        child = node.tables.get(name)
        if child is None and name in misspelt:
            whole = False
        elif child is None:
            whole = _absent(node, desk, name, found, cast("type[DataclassInstance]", shape)) and whole
        elif child.stilled:
            whole = False
        else:
            try:
                values[attribute] = found.kind(child, desk)
            except Flaw as flaw:
                whole = False
                _note(desk, child, flaw)
    if not whole:
        raise _Absent("C004", "", "")
    if _named_by_section(shape):
        values["name"] = node.name
    return shape(**values)


def key_paths(shape: Callable[..., object], under: str = "") -> Iterator[str]:
    """Every key there is, as docs/settings.md names it: "campus.name", "sources.*.export.folder"."""
    for name, found in dict(_keys(shape)).values():
        path = f"{under}{name}"
        many = ".*" if name in ("connections", "sources", "reports", "guards", "holds", "flows") else ""
        if not found.inside:
            yield path
        for inner in found.inside:
            yield from key_paths(inner, f"{path}{many}.")


def _keys(shape: Callable[..., object]) -> Iterator[tuple[str, tuple[str, _Key]]]:
    for each in fields(cast("type[DataclassInstance]", shape)):
        found = each.metadata.get(_KEY)
        if found is not None:
            yield each.name, (found.name or each.name, found)


def _named_by_section(shape: Callable[..., object]) -> bool:
    return any(each.name == "name" and _KEY not in each.metadata for each in fields(cast("type[DataclassInstance]", shape)))


def _unknown(node: Node, desk: Desk, known: tuple[str, ...]) -> set[str]:
    """Notes the keys nobody knows; returns those that were probably meant, so that they are not called missing as well."""
    meant: set[str] = set()
    for name, child in node.tables.items():
        if name in known or child.stilled or name.startswith(STILLED):
            continue
        where = f"[{'.'.join(map(str, node.path))}]" if node.path else "the file"
        if SECRET_NAME.fullmatch(name) and child.kind == "value":
            cure = "take it out, and change the secret; SFTP uses a key file: " + 'key = "file:keys/id_ed25519"'
            desk.at_value("C031", child, f'{where} has a secret in it: "{name}"', cure)
            continue
        guess = nearest(name, tuple(key_name for key_name in known if key_name not in node.tables))
        meant.add(guess)
        cure = f"did you mean {guess}?" if guess else f"{where} has these keys: {listed(known)}"
        what = "key" if child.kind == "value" else "key or section"
        desk.at_key("C003", child, f'{where} has no {what} "{name}"', cure)
    return meant


def _absent(node: Node, desk: Desk, name: str, found: _Key, shape: "type[DataclassInstance]") -> bool:
    """Whether a missing key is all right."""
    declared: Field[object] = next(each for each in fields(shape) if each.metadata.get(_KEY) is found)
    if declared.default is not MISSING or declared.default_factory is not MISSING:
        return True
    where = f"[{'.'.join(map(str, node.path))}]" if node.path else "the file"
    cure = f"add {name} = {found.example}" if not found.inside or node.path else f"add a section [{name}]"
    desk.at_key(found.absent, node, f'{where} has no "{name}"', f"{cure} (docs/settings.md)")
    return False


def _all(desk: Desk, rows: list[tuple[Node, Kind[T]]]) -> list[T]:
    """Every row read, and every fault noted, before the first one stops us."""
    values: list[T] = []
    whole = True
    for node, kind in rows:
        if node.name.startswith(STILLED) or node.stilled:
            whole = False
            continue
        try:
            values.append(kind(node, desk))
        except Flaw as flaw:
            whole = False
            _note(desk, node, flaw)
    if not whole:
        raise _Absent("C004", "", "")
    return values


def _note(desk: Desk, node: Node, flaw: Flaw) -> None:
    if not isinstance(flaw, _Absent):
        desk.at_value(flaw.code, node, flaw.words, flaw.cure)


def _must_be_table(node: Node) -> None:
    if node.kind != "table":
        path = ".".join(map(str, node.path))
        raise Flaw("C005", f"{node.name} is not a section", f"write a section [{path}], or a table in braces {{ ... }}")


def _marked(kind: Kind[T], *shapes: Callable[..., object]) -> Kind[T]:
    kind.shapes = shapes  # type: ignore[attr-defined]
    return kind


def _inside(kind: Kind[T]) -> tuple[Callable[..., object], ...]:
    return cast("tuple[Callable[..., object], ...]", getattr(kind, "shapes", ()))
