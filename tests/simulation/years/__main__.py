"""./dev simulate --years N [--seed S] [--json]: lives campus-years and reports what was found."""

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from typer import echo

from tests.simulation.years.run import Year, live


def main() -> int:
    """Lives the years; 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--years", type=int, default=5, help="how many campus-years, each with a seed of its own")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; the others follow it")
    parser.add_argument("--workers", type=int, default=2, help="how many processes")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    wanted = parser.parse_args()
    began = time.perf_counter()
    seeds = range(wanted.seed, wanted.seed + wanted.years)
    years: list[Year] = []
    if wanted.workers > 1 and wanted.years > 1:
        with ProcessPoolExecutor(wanted.workers) as pool:
            for year in pool.map(live, seeds):
                years.append(year)
                _progress(wanted.json, year)
    else:
        for seed in seeds:
            years.append(live(seed))
            _progress(wanted.json, years[-1])
    return _report(wanted.json, years, time.perf_counter() - began)


def _progress(quiet: bool, year: Year) -> None:
    if not quiet:
        state = "right" if year.right else f"WRONG: {year.unexplained_cents} cents, {year.wrong_hold_days} hold-days"
        echo(f"seed {year.seed}: {state}; {year.events} events, {sum(year.faults.values())} faults, {year.deaths} deaths")


def _report(as_json: bool, years: list[Year], seconds: float) -> int:
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
        "asked": sum(year.asked for year in years),
        "wrong_seeds": [year.seed for year in wrong],
        "seconds": round(seconds, 1),
    }
    if as_json:
        echo(json.dumps(found))
    else:
        for name, value in found.items():
            echo(f"{name}: {value}")
    for year in wrong[:3]:
        echo(f"\nseed {year.seed} went wrong. Again: ./dev simulate --years 1 --seed {year.seed}", err=True)
        for line in (*year.story[-60:], *year.words[:12]):
            echo(f"  {line}", err=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
