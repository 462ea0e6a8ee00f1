"""backup and restore: whole copies of everything the bridge knows, and putting one back without sending anything twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import FAILED, Where, bridge_of, ending, heading, settings_of, usage
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen
from bursarbridge.cli.words import count, moment
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.store.snapshot import Fingerprint

Target = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds the backups; best on another disk or machine.")]
Source = Annotated[Path, typer.Argument(metavar="BACKUP", help="A backup, or a folder of them: then the newest.")]
Check = Annotated[bool, typer.Option("--check", help="Make none; read the newest one (or DIR itself) again, byte by byte.")]
Over = Annotated[bool, typer.Option("--over", help="Put it in the place of a ledger that lives there.")]
Into = Annotated[Path | None, typer.Option("--into", metavar="DIR", help="The campus folder; one without settings gets those of the backup.")]


def backup(
    target: Target,
    check: Check = False,
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Copy ledger, engine tables, settings and vault into DIR, consistent while runs go on; vault files are copied once.

    \b
    bursarbridge backup /mnt/backup -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    if check:
        _check(screen, where, target)
        return
    with ending(screen, where, where.command("status")), bridge_of(screen, where) as bridge:
        from bursarbridge.wiring import backups

        done = backups.back_up(bridge, target)
        screen.give(
            {
                "backup": str(done.folder),
                "made_at": done.made_at,
                "ledger": done.ledger._asdict(),
                "vault": {"files": done.files, "new": done.new_files},
            }
        )
        screen.say(f"{done.folder}")
        _fingerprint(screen, done.ledger, done.made_at, bridge.settings.campus.timezone)
        screen.say(f"  {count(done.files, 'file')} in the vault, {done.new_files:,} new in this backup")
        screen.next(f"bursarbridge backup {target} --check")


def _check(screen: Screen, where: Where, target: Path) -> None:
    with ending(screen, where, f"bursarbridge backup {target}"):
        from bursarbridge.wiring import backups

        seen = backups.check(target)
        screen.give({"backup": str(seen.folder), "faults": seen.faults, "made_at": seen.manifest.made_at if seen.manifest else ""})
        for fault in seen.faults:
            screen.say(f"DAMAGED {fault}")
        if seen.faults:
            screen.next(f"bursarbridge backup {target}")
            raise typer.Exit(FAILED)
        screen.say(f"{seen.folder} is whole: every byte is what was backed up.")


def restore(
    source: Source,
    into: Into = None,
    over: Over = False,
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Put a backup back. Nothing is sent from then on until `reconcile` has found out what left since the backup.

    \b
    bursarbridge restore /mnt/backup --into campus
    """
    screen = Screen(as_json, quiet, no_color)
    if into is not None and (folder or file):
        usage(screen, Where(folder, file), "--into, -C and --config name two places for one campus", "the same command with one of them")
    where = Where(into or folder, file)
    with ending(screen, where, f"bursarbridge backup {source} --check"):
        from bursarbridge import wiring
        from bursarbridge.wiring import backups, restoring

        if into is not None and not where.path.exists():
            backups.put_settings(backups.newest_in(source), where.path)
            screen.note(f"{where.path} is the backup's; secrets and keys are not in it")
        settings = settings_of(screen, where)
        screen.note(heading(settings, moment(wiring.clock_of(settings)(), settings.campus.timezone)))
        done = restoring.restore(settings, source, wiring.clock_of(settings), wiring.crash_switch_here(), over=over)
        screen.give(
            {
                "backup": str(done.folder),
                "made_at": done.manifest.made_at,
                "epoch": done.epoch.number,
                "vault_files": done.files,
                "aside": [str(one) for one in done.aside],
            }
        )
        screen.say(f"{done.folder} is back, with {count(done.files, 'file')} that the vault lacked.")
        _fingerprint(screen, done.manifest.ledger, done.manifest.made_at, settings.campus.timezone)
        for one in done.aside:
            screen.say(f"  moved aside: {one}")
        screen.say("Nothing runs and nothing leaves until what left since the backup is found out.")
        screen.next(where.command("reconcile"))


def _fingerprint(screen: Screen, ledger: Fingerprint, made_at: str, zone: ZoneInfo) -> None:
    open_cents = sum(cents for place, cents in ledger.places.items() if place not in ("outside", "settled", "student_credit"))
    screen.say(f"  as of {moment(made_at, zone)}: {count(ledger.counts['obligation'], 'fee')}, {shown(open_cents)} not settled")
    screen.say(f"  last run {ledger.run} ({ledger.run_name or 'none'}), last batch {ledger.batch}, epoch {ledger.epoch}")
