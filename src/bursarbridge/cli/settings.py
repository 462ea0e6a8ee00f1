"""init and check: where a campus begins, and what is wrong with its settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import FAILED, USAGE, Where, bridge_of, ending, heading, usage
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen
from bursarbridge.cli.words import count

if TYPE_CHECKING:
    from bursarbridge.config.faults import Fault

Example = Annotated[Path | None, typer.Option("--example", metavar="DIR", help="Write a runnable example campus into this folder.")]

Ledger = Annotated[bool, typer.Option("--ledger", help="Look over the ledger's database instead: every page, index and cent.")]


def init(example: Example = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Write a campus to try things on: folders instead of hosts, settings explained line by line, samples.

    \b
    bursarbridge init --example campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(example, None)
    if example is None:
        usage(screen, where, "init needs to know what to write and where to", "bursarbridge init --example campus")
    from bursarbridge.examples.example import write_example

    with ending(screen, where, "bursarbridge init --example OTHER_DIR"):
        written = write_example(example, parking=True)
        names = [str(one.absolute()) for one in written]
        screen.give({"directory": str(example.absolute()), "settings": names[0], "files": names})
        screen.say(f"An example campus is in {example}. Its settings, explained line by line: {written[0]}")
        sample = next((file for file in written if file.name == "alma-export.xml"), written[0])
        parked = sample.with_name("violations.csv")
        screen.next(
            f"cp {sample} {example / 'alma' / 'out'}",
            where.command("run library-charges"),
            f"cp {parked} {example / 'parking' / 'out'}",
            where.command("preview parking-holds"),
            where.command("status"),
        )


def check(
    folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False, ledger: Ledger = False
) -> None:
    """Name everything wrong in the settings at once: line, what happens if it stays, and the cure; or look the ledger's database over.

    \b
    bursarbridge check -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    if folder and file:
        usage(screen, where, "-C and --config name two places for the settings", "the same command with one of them")
    if ledger:
        _look_over(screen, where)
        return
    from bursarbridge import config

    faults = config.check(where.path)
    errors = [fault for fault in faults if fault.severity is config.Severity.ERROR]
    screen.note(str(where.path) if errors else heading(config.load(where.path), str(where.path)))
    screen.give(
        {
            "file": str(where.path.absolute()),
            "errors": len(errors),
            "warnings": len(faults) - len(errors),
            "faults": [_fault(fault) for fault in faults],
        }
    )
    for fault in faults:
        screen.say(str(fault))
        screen.say()
    screen.say(_sum(len(errors), len(faults) - len(errors)))
    if errors:
        screen.next(f"edit {where.path}, then: {where.command('check')}")
        raise typer.Exit(USAGE)
    screen.next(where.command("preview library-charges"))


def _look_over(screen: Screen, where: Where) -> None:
    """Every page, index and cent of the ledger."""
    with ending(screen, where), bridge_of(screen, where) as bridge:
        from bursarbridge.store import soundness

        found = soundness.damage(bridge.ledger)
    screen.give({"damage": found})
    for one in found:
        screen.say(one)
    if found:
        screen.next("stop every run, and restore the last good backup: docs/operating.md, Restore")
        raise typer.Exit(FAILED)
    screen.say("The ledger is whole.")


def _sum(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "The settings are right."
    told = [count(errors, "error")] if errors else []
    told += [count(warnings, "warning")] if warnings else []
    return f"{' and '.join(told)}{'' if errors else '; the settings can be used'}."


def _fault(fault: Fault) -> dict[str, object]:
    return {
        "code": fault.code,
        "severity": fault.severity.value,
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "words": fault.words,
        "effect": fault.effect,
        "cure": fault.cure,
        "source": fault.source,
    }
