"""returned: what came back and is still charged, by who moves next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import SHOWN, All, File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import count, day
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from bursarbridge.ledger.still_charged import ReturnedItem

_TITLES = {
    "waive": "For the library, now",
    "refund": "For the cashier, paid before it came back",
    "in_flight": "For nobody, the credit is on its way",
}


def returned(
    folder: Folder = None, file: File = None, every: All = False, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """List the items that came back and are still charged, as the library last answered, per campus library.

    \b
    bursarbridge returned -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        found = bridge.still_charged()
        screen.give({name: [one._asdict() for one in items] for name, items in found.named()})
        for name, items in found.named():
            screen.say(f"{bold(_TITLES[name])}: {count(len(items), 'item')}, {shown(sum(one.cents for one in items))}")
            listed = items if every else items[:SHOWN]
            for library in sorted({one.library for one in listed}):
                screen.say(f"  {library or 'no library named'}")
                screen.table((_row(one) for one in listed if one.library == library), right=(2,), indent="    ")
            if len(items) > len(listed):
                screen.say(f"  and {len(items) - len(listed):,} more: --all shows them")
        screen.next(where.command("run library-returns"))


def _row(one: ReturnedItem) -> tuple[str, ...]:
    return one.account, one.fee, shown(one.cents), day(one.returned_on), one.stands
