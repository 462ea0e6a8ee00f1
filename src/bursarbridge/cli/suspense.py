"""suspense: what waits for a person, why, and what may be decided about it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import SHOWN, All, File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold, columns
from bursarbridge.cli.words import count, moment
from bursarbridge.errors import Refused
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.flows.resolve import Action
    from bursarbridge.store.books import Books
    from bursarbridge.store.views import ItemView

group = typer.Typer(help="What waits for a person: list, show, resolve.", no_args_is_help=True, rich_markup_mode=None)

Number = Annotated[int, typer.Argument(metavar="ID", help="The item's number, from the list.")]
ActionName = Annotated[str, typer.Option("--as", metavar="ACTION", help="What is decided; suspense show ID names what is possible.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept with the decision for ever.")]
Actor = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides (default: who is logged in).")]


@group.command("list")
def list_(
    every: All = False, folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """List what is open, oldest first.

    \b
    bursarbridge suspense list -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        from bursarbridge.store import views

        with bridge.books() as books:
            items = views.items(books)
        cents = sum(one.cents for one in items)
        screen.give({"open": {"count": len(items), "cents": cents}, "items": [fields_of(one) for one in items]})
        listed = items if every else items[:SHOWN]
        for line in _rows(listed, bridge.settings.campus.timezone):
            screen.say(line)
        if len(listed) < len(items):
            screen.say(f"  and {len(items) - len(listed):,} more; --all shows them")
        screen.say(f"{count(len(items), 'item')} open, {shown(cents)}." if items else "Nothing waits for a person.")
        screen.next(where.command(f"suspense show {items[0].id}" if items else "status"))


@group.command("show")
def show(number: Number, folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Show one item: what came, why it waits, and what may be decided.

    \b
    bursarbridge suspense show 1 -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where, where.command("suspense list")), bridge_of(screen, where) as bridge:
        from bursarbridge.flows.resolve import actions_for

        with bridge.books() as books:
            item = _item(books, number)
        actions = () if item.resolved_at else actions_for(item.code, blocks=item.blocks)
        screen.give({"item": fields_of(item), "actions": [one._asdict() for one in actions]})
        _show(screen, item, bridge.settings.campus.timezone)
        _decisions(screen, where, item, actions)


@group.command("resolve")
def resolve(
    number: Number,
    action: ActionName,
    reason: Reason,
    actor: Actor = "",
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Decide about one item; the decision, its reason and who made it are kept.

    \b
    bursarbridge suspense resolve 1 --as resend --reason "enrolled today" -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where, where.command(f"suspense show {number}")), bridge_of(screen, where) as bridge:
        who = actor or logged_in()
        said = bridge.resolve(number, action, who, reason)
        with bridge.books() as books:
            item = _item(books, number)
        screen.give({"outcome": "completed", "words": said, "item": fields_of(item)})
        screen.say(f"{said[0].upper()}{said[1:]}.")
        screen.note(f"Decided by {who}: {reason}")
        screen.next(where.command("run library-charges" if action in ("resend", "send-again") else "suspense list"))


def fields_of(item: ItemView) -> dict[str, object]:
    """An item for programs. The record's own fields stay in the ledger: they may name a person or what somebody borrowed (ux.md 0, item 7)."""
    return {key: value for key, value in item._asdict().items() if key != "raw"}


def _item(books: Books, number: int) -> ItemView:
    from bursarbridge.store import views

    item = views.item(books, number)
    if item is None:
        raise Refused(f"there is no suspense item {number}")
    return item


def logged_in() -> str:
    """Who is logged in here. Raises Refused where nobody has a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under a number that has no name.
        raise Refused('nobody can be named as the one who decides; add --by "NAME"') from None


def _rows(items: list[ItemView], zone: ZoneInfo) -> list[str]:
    heads = columns([[str(one.id), shown(one.cents), moment(one.opened_at, zone), _about(one)] for one in items], right=(0, 1))
    return [line for head, one in zip(heads, items, strict=True) for line in (head, f"      {one.words}")]


def _about(one: ItemView) -> str:
    parts = [f"person {one.account}" if one.account else "", one.reference]
    return ", ".join(part for part in parts if part)


def _show(screen: Screen, item: ItemView, zone: ZoneInfo) -> None:
    screen.say(bold(f"Suspense {item.id}: {shown(item.cents)}, {item.words}"))
    rows = [["Reason", item.code], ["About", _about(item)], ["From", item.delivery or item.channel], ["Since", moment(item.opened_at, zone)]]
    if item.blocks:
        rows.append(["Meanwhile", "the charge stays out of every file until somebody decides"])
    if item.resolved_at:
        rows.append(["Decided", f"{moment(item.resolved_at, zone)}: {item.resolution}{f' by {item.actor}' if item.actor else ''}"])
        rows.append(["Why", item.note])
    screen.table(row for row in rows if row[1])


def _decisions(screen: Screen, where: Where, item: ItemView, actions: tuple[Action, ...]) -> None:
    if not actions:
        screen.next(where.command("suspense list"))
        return
    screen.say("What may be decided:")
    screen.table([one.name, one.words] for one in actions)
    screen.next(where.command(f'suspense resolve {item.id} --as {actions[0].name} --reason "..."'))
