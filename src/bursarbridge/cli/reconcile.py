"""reconcile: after a restore, find out what left since the backup, and let the runs go on once a person is content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import HELD, Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.who import logged_in
from bursarbridge.cli.words import count
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from bursarbridge.flows.reconcile import Findings

Confirm = Annotated[bool, typer.Option("--confirm", help="Let runs and documents leave again.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with your name.")]
Actor = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides (default: who is logged in).")]
Copies = Annotated[Path | None, typer.Option("--documents", metavar="DIR", help="Copies of our files that partners gave back.")]

_STATES = {
    "known": "known",
    "sent": "left, entered again",
    "in_doubt": "made, not certain that it left",
    "waits": "its fees are not all known",
    "trace": "left, its bytes are lost",
    "conflict": "CONFLICT",
}


def reconcile(
    confirm: Confirm = False,
    reason: Reason = "",
    actor: Actor = "",
    documents: Copies = None,
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """After a restore: find what left since the backup in the vault and at the partners, without sending anything.

    \b
    bursarbridge reconcile -C campus
    bursarbridge reconcile --confirm --reason "compared with the bursar's list" -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        from bursarbridge.wiring import reconciling

        findings = reconciling.reconcile(bridge, actor or logged_in(), reason, documents, confirm=confirm)
        screen.give({"confirmed": confirm, **findings})
        _tell(screen, findings, confirm=confirm)
        if confirm:
            screen.next(where.command("status"))
            return
        screen.next(where.command('reconcile --confirm --reason "..."'))
    raise typer.Exit(HELD)


def _tell(screen: Screen, findings: Findings, *, confirm: bool) -> None:
    screen.say(bold("What is found of the time after the backup"))
    documents = findings["documents"]
    if documents:
        screen.table(
            ([one["name"], count(one["lines"], "line"), shown(one["cents"]), _STATES[one["state"]], one["words"]] for one in documents), right=(1, 2)
        )
    else:
        screen.say("  no document of ours that the books do not know")
    screen.say(f"  {count(len(findings['inputs']), 'file')} of others read again{': ' if findings['inputs'] else ''}{', '.join(findings['inputs'])}")
    unnamed = findings["unnamed"]
    if unnamed["count"]:
        screen.say(
            f"  {count(unnamed['count'], 'line')}, {shown(unnamed['cents'])}, of our documents are about fees that no file at hand names: put the "
            "source's files back into their folder and reconcile again, or confirm and they are known by our reference only"
        )
    if confirm:
        screen.say("Runs go on, and what is due leaves with them.")
    else:
        screen.say("Nothing was sent, and nothing leaves before it is confirmed. Compare this list with what the partners have.")
