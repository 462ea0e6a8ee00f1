"""./dev simulate --years N [--seed S] [--json] [--log FILE]: lives campus-years and reports what was found; --plants puts bugs in first."""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from typer import echo

from tests.simulation.years.plants import PLANTS, caught
from tests.simulation.years.run import Year, live

DAYS = 364


def main() -> int:
    """Lives the years; 1 when something was wrong, or when a planted bug hid."""
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--years", type=int, default=5, help="how many campus-years, each with a seed of its own")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; the others follow it")
    parser.add_argument("--workers", type=int, default=2, help="how many processes")
    parser.add_argument("--days", type=int, default=DAYS, help="how long a year is; a quarter of 91 days is the shortest")
    parser.add_argument("--losses", action="store_true", help="disks are lost in them, and backups put back")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    parser.add_argument("--log", type=Path, help="a line of JSON for each year; years that stand in it already are not lived again")
    parser.add_argument("--plants", nargs="*", metavar="NAME", help="lives with each planted bug (or those named) until it is caught")
    wanted = parser.parse_args()
    if unknown := set(wanted.plants or ()) - {one.name for one in PLANTS}:
        parser.error(f"no such plant: {', '.join(sorted(unknown))}; those there are: {', '.join(one.name for one in PLANTS)}")
    if wanted.plants is not None:
        return _plants(set(wanted.plants), range(wanted.seed, wanted.seed + wanted.years), wanted.days)
    commit = _commit()
    seeds = range(wanted.seed, wanted.seed + wanted.years)
    known = [one for one in _known(wanted.log) if one.seed in seeds and one.losing == wanted.losses]
    lived = {one.seed for one in known}
    for year in _lived([one for one in seeds if one not in lived], wanted.days, wanted.workers, losing=wanted.losses):
        year.commit = commit
        known.append(year)
        if wanted.log:
            with wanted.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(_row(year)) + "\n")
        _progress(wanted.json, year)
    return _report(wanted.json, sorted(known, key=lambda one: one.seed))


def _lived(seeds: list[int], days: int, workers: int, *, losing: bool) -> Iterator[Year]:
    if workers < 2 or len(seeds) < 2:
        yield from (live(seed, days, losing=losing) for seed in seeds)
        return
    with ProcessPoolExecutor(workers) as pool:
        for ended in as_completed([pool.submit(live, seed, days, losing=losing) for seed in seeds]):
            yield ended.result()


def _row(year: Year) -> dict[str, object]:
    right = {"story": [], "words": []} if year.right else {"story": year.story[-60:]}
    return asdict(replace(year, faults=Counter())) | right | {"faults": dict(year.faults), "points": sorted(year.points)}


def _known(log: Path | None) -> Iterator[Year]:
    if log is None or not log.exists():
        return
    for line in log.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield Year(**row | {"faults": Counter(row["faults"]), "points": set(row["points"])})


def _progress(quiet: bool, year: Year) -> None:
    state = "right" if year.right else f"WRONG: {year.unexplained_cents} cents, {year.wrong_hold_days} hold-days"
    told = (
        f"seed {year.seed}: {state}; {year.events} events, {sum(year.faults.values())} faults, {year.deaths} deaths, {year.hold_cycles} days of holds"
    )
    echo(told, err=quiet)


def _commit() -> str:
    """Which code lives these years; a "+" for changes that are in no commit, "" outside of a clone."""
    git = ("git", "-C", str(Path(__file__).parent))
    try:
        found = subprocess.run([*git, "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()


def _report(as_json: bool, years: list[Year]) -> int:
    faults: Counter[str] = Counter()
    for year in years:
        faults.update(year.faults)
    wrong = [year for year in years if not year.right]
    found = {
        "years": len(years),
        "seed": years[0].seed,
        "events": sum(year.events for year in years),
        "faults": dict(sorted(faults.items())),
        "crashes": sum(year.deaths for year in years),
        "unexplained_cents": sum(year.unexplained_cents for year in years),
        "wrong_hold_days": sum(year.wrong_hold_days for year in years),
        "hold_days_judged": sum(year.hold_cycles for year in years),
        "hold_days_of_partners_mishaps": sum(year.excused_hold_days for year in years),
        "asked": sum(year.asked for year in years),
        "crash_points": sorted(set().union(*(year.points for year in years))),
        "wrong_seeds": [year.seed for year in wrong],
        "seconds_of_a_processor": round(sum(year.seconds for year in years)),
        "commits": sorted({year.commit for year in years}),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}",
    }
    if as_json:
        echo(json.dumps(found))
    else:
        for name, value in found.items():
            echo(f"{name}: {value}")
    for year in wrong[:3]:
        echo(told_wrong(year), err=True)
    return 1 if wrong else 0


def told_wrong(year: Year) -> str:
    """The command that lives a wrong year again, and its story."""
    losses = " --losses" if year.losing else ""
    lines = [f"seed {year.seed} went wrong. Again: ./dev simulate --years 1 --seed {year.seed}{losses}", *year.words[:12], *year.story[-60:]]
    return "\n  ".join(lines)


def _plants(names: set[str], seeds: range, days: int) -> int:
    hidden = 0
    echo("| planted | where it comes from | seed | what was said first |\n|---|---|---|---|")
    for plant in PLANTS:
        if names and plant.name not in names:
            continue
        year = caught(plant, [*plant.seeds, *seeds], days)
        hidden += year is None
        said = f"{year.seed} | {year.words[0]}" if year else f"none | it HID in seeds {[*plant.seeds, *seeds]}"
        echo(f"| {plant.name} | {plant.lesson} | {said} |")
    return 1 if hidden else 0


if __name__ == "__main__":
    sys.exit(main())
