"""The section of a parking office whose violations are billed to the student account, and the rules about it (parking.md B, W, A)."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

from dataclasses import dataclass
from datetime import timedelta

from bursarbridge.config import kinds, places
from bursarbridge.config.desk import Desk
from bursarbridge.config.nodes import Node
from bursarbridge.config.reader import optional, required, table

_TWO_HOURS = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittances:
    """Where the bursar's payments go back to the office, and when they count as taken."""

    folder: str = required(places.folder, example='"in"')
    name: str = required(places.name_template("sequence", "made_at", "made_on"), example='"payments_{made_on}_{sequence:06d}.txt"')
    layout: str = optional(places.layout("remittance"), "generic-remittance")
    confirmed_by: str = optional(kinds.choice("collected", "assumed"), "collected")
    assumed_after: timedelta | None = optional(kinds.span_or_never, None)
    expected_after: timedelta = optional(kinds.span(), _TWO_HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """What is billed, and how the office hears of payments; what is left out is as for every other charge."""

    user_types: tuple[str, ...] = optional(kinds.words(kinds.text), ())
    origin: str = optional(kinds.code(r"[A-Za-z0-9]{1,5}", "an origin id: one to five letters and digits"), "")
    name: str = optional(places.name_template("sequence", "made_at", "made_on", "kind", "business_unit", "origin"), "")
    imports: Remittances = required(table(Remittances), name="import", example='{ folder = "in", name = "payments_{made_on}_{sequence:06d}.txt" }')


def billing_rules(source: Node, root: Node, desk: Desk) -> None:
    """Notes an office that bills and is told of no payment, and lists that would forgive what they only leave out."""
    billing = source.tables.get("billing")
    if source.text("collect") != "bill":
        if billing is not None:
            desk.at_key("C048", billing, f"[sources.{source.name}] has a section billing, and holds what is owed", 'collect = "bill", or take it out')
        return
    if billing is None:
        cure = 'add billing = { import = { folder = "in", name = "payments_{made_on}_{sequence:06d}.txt" } }'
        desk.at_value("C048", source.at("collect"), 'collect = "bill", and nobody would tell the office what was paid: there is no billing', cure)
        return
    _lists(source, billing, desk)
    imports = billing.at("import")
    if imports.text("confirmed_by") == "assumed" and not imports.text("assumed_after"):
        cure = 'say after how long it counts: assumed_after = "1d"'
        desk.at_value("C034", imports.at("confirmed_by"), 'confirmed_by = "assumed", and no assumed_after', cure)
    match = root.at("bursar", "payments", "match")
    if match.value == "source_reference" and len(_billing(root)) > 1:
        said = f"{' and '.join(_billing(root))} are billed, and a payment by the source's own number could be any one's"
        desk.at_value("C048", match, said, 'match = "reference": our references say whose each is')


def _lists(source: Node, billing: Node, desk: Desk) -> None:
    for files in source.at("violations").rows:
        if files.text("kind") == "full" and "absent" not in files.tables:
            said = "a full list of what is billed does not say what it means by leaving a violation out"
            cure = 'absent = "ask"; "cleared" only where the office keeps what it handed over in its list until it is paid or void'
            desk.at_key("C048", files, said, cure)
        if billing.at("user_types").rows and "user_type" not in files.at("columns").tables:
            said = "user_types are billed, and there is no column user_type: nobody would ever be"
            desk.at_key("C048", files.tables.get("columns", files), said, "add user_type to columns, or take user_types out")


def _billing(root: Node) -> list[str]:
    """The sources whose charges go to the bursar."""
    return [name for name, one in root.at("sources").tables.items() if one.text("adapter") == "alma" or one.text("collect") == "bill"]
