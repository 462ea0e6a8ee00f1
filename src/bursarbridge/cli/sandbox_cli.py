"""sandbox: files for the office at the other end to test with, and a verdict on what its test account returned (mission.md A7)."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import FAILED, Where, ending, heading, settings_of, usage
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import count, moment
from bursarbridge.errors import Refused

if TYPE_CHECKING:
    from bursarbridge.config.holding import Holding
    from bursarbridge.config.model import Settings
    from bursarbridge.sandbox.hold_scenarios import Cast, Verdict

group = typer.Typer(
    help="Before going live: sample files, and verifying what a test account made of them.", no_args_is_help=True, rich_markup_mode=None
)

Target = Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for the files.")]
Results = Annotated[Path | None, typer.Option("--results", metavar="DIR", help="The folder with the lists that a test account returned.")]
People = Annotated[str, typer.Option("--people", metavar="ID,ID,ID", help="Three people of the test account, instead of invented ones.")]
Hold = Annotated[str, typer.Option("--hold", metavar="CODE/REASON", help="The service indicator of a parking hold (default: as [holds] says).")]

_PEOPLE, _HOLD = "0104231,1042317,20417733", "PRK/PARK1"


@group.command("samples")
def samples(
    target: Target,
    people: People = _PEOPLE,
    hold: Hold = "",
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Write sample files for the parking office and for PeopleSoft, with their layouts and how to test with them.

    \b
    bursarbridge sandbox samples samples -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where, where.command("sandbox samples OTHER_DIR")):
        settings, cast = _cast(screen, where, people, hold)
        from bursarbridge.sandbox.hold_samples import samples as made
        from bursarbridge.wiring import system_clock

        if target.exists() and any(target.iterdir()):
            raise Refused(f"{target} is not empty, and nothing is ever overwritten; name a new folder")
        now = system_clock().astimezone(settings.campus.timezone)
        written = []
        own = _own(settings)
        if own:
            from bursarbridge.cli.own_forms import sample_layouts, sample_writer

            sent = made(cast, now, sample_writer(settings, own), sample_layouts(settings, own))
        else:
            sent = made(cast, now)
        for name, content in sent:
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(str(path.absolute()))
        screen.give({"directory": str(target.absolute()), "files": written})
        screen.say(
            f"{count(len(written), 'file')} in {target}. What to do with them: {target / 'README.txt'}; what stands where: {target / 'LAYOUTS.txt'}"
        )
        screen.next(where.command("sandbox verify --results LISTS"))


@group.command("verify")
def verify(
    results: Results = None,
    people: People = _PEOPLE,
    hold: Hold = "",
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Say PASS or FAIL for every agreed step: played through the settings on an emulated campus, or by the lists a test account returned.

    \b
    bursarbridge sandbox verify -C campus
    bursarbridge sandbox verify --results lists -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file, {"steps": []})
    with ending(screen, where, where.command("sandbox samples DIR")):
        settings, cast = _cast(screen, where, people, hold)
        verdicts = _played(screen, settings, cast) if results is None else _returned(cast, results)
    failed = [one for one in verdicts if not one.passed]
    screen.give({"outcome": "failed" if failed else "passed", "steps": [one._asdict() for one in verdicts]})
    for one in verdicts:
        screen.say(f"  {bold('PASS' if one.passed else 'FAIL')}  {one.name}: {one.words}")
    screen.say(f"{len(verdicts) - len(failed)} of {count(len(verdicts), 'step')} as agreed.")
    if failed:
        raise typer.Exit(FAILED)
    screen.next(where.command("sandbox samples DIR" if results is None else "preview parking-holds"))


def _played(screen: Screen, settings: Settings, cast: Cast) -> list[Verdict]:
    """Plays the agreed steps through the settings."""
    from bursarbridge.cli.rehearsal import left_out, part_of, rehearsed
    from bursarbridge.wiring import system_clock

    part = part_of(settings)
    one = part.holding
    screen.say(f"Ten nights of [sources.{part.source.name}] on an emulated campus, by these settings: {one.code}/{one.reason} of {one.institution},")
    screen.say(f"{one.added.layout} and {one.released.layout}, confirmed by {one.confirmed_by}. Nothing of the campus itself is touched.")
    omitted = left_out(part)
    if omitted:
        screen.say(f"Left out, because the steps are small and the nights few: {', '.join(omitted)} of [holds.{one.name}].")
    return list(rehearsed(settings, cast, system_clock().astimezone(settings.campus.timezone)))


def _returned(cast: Cast, results: Path) -> list[Verdict]:
    """Reads what a test account returned. Raises Refused when there is nothing, or nothing readable."""
    from bursarbridge.sandbox.fees import FileRefused
    from bursarbridge.sandbox.hold_scenarios import returned

    lists = {path.name: path.read_bytes() for path in sorted(results.glob("*.csv"))}
    if not lists:
        raise Refused(f"no list (*.csv) lies in {results}; README.txt of the samples says how each is called")
    try:
        return list(returned(cast, lists))
    except FileRefused as refusal:
        raise Refused(f"a list in {results} cannot be read: {refusal}") from refusal


def _cast(screen: Screen, where: Where, people: str, hold: str) -> tuple[Settings, Cast]:
    """The settings, three people whose ids they accept, a crowd of more, and the hold's code: the campus's own unless another is named."""
    settings = settings_of(screen, where)
    from bursarbridge.sandbox.hold_scenarios import Cast
    from bursarbridge.sandbox.indicators import HoldCode
    from bursarbridge.wiring import system_clock

    screen.note(heading(settings, moment(system_clock(), settings.campus.timezone)))
    own = _own(settings)
    hold = hold or (f"{own.code}/{own.reason}" if own else _HOLD)
    ids, code = people.split(","), re.fullmatch(r"([^/]{1,3})/([^/]{1,5})", hold)
    if code is None:
        usage(screen, where, f'"{hold}" is no CODE/REASON of at most 3 and 5 characters', where.command("sandbox samples DIR --hold PRK/PARK1"))
    unfit = [one for one in ids if not settings.identity.student_id.fullmatch(one) or len(one) > 11]
    if unfit or len(set(ids)) != 3:
        words = f'"{unfit[0]}" is not an id by [identity] student_id' if unfit else "three different people are needed"
        usage(screen, where, words, where.command("sandbox samples DIR --people ID,ID,ID"))
    known = HoldCode(code[1], code[2], "Parking violations", "AENR", "classes cannot be added", own.department if own else "PARKING")
    crowd = _crowd(ids, settings.identity.student_id)
    return settings, Cast(own.institution if own else settings.bursar.business_unit, known, ids[0], ids[1], ids[2], crowd)


def _own(settings: Settings) -> Holding | None:
    """The [holds] section of a parking office, where there is one."""
    return next((one for one in settings.holds if any(one.name == office.name for office in settings.parking_offices)), None)


def _crowd(ids: list[str], pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Invented people, by ids like the first one's that the settings accept."""
    from bursarbridge.sandbox.hold_scenarios import CROWD

    like = (f"{ids[0][:-4]}{number:04d}" for number in range(10_000))
    return tuple(islice((one for one in like if pattern.fullmatch(one) and one not in ids), CROWD))
