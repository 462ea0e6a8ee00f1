"""Measures the ordinary command against the floors, in the same rounds, and checks every result.

    python -m bench.run charges --sizes 10k 100k 1m     file to durable ledger to verified charge file, ratio to the floor, memory
    python -m bench.run payments                        100,000 payments into 1,000,000 obligations, in order and shuffled
    python -m bench.run nightly                         1,000,000 balances of which 2 % changed, to two verified hold files
    python -m bench.run startup                         --help, and a whole run of 200 fees
    python -m bench.run profile charges|payments|nightly    where the time of one run goes

Ends with 1 when a mark of docs/performance.md was missed.

Options: --database sqlite postgresql, --rounds 7, --accounts 100000 1000000, --shared DIR (generator and floors),
--work DIR (inputs and bases, kept), --out FILE.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import cases, nights
from bench.campus import product
from bench.cases import Place
from bench.floors import Floors, PostgresFloors, SqliteFloors
from bench.inputs import SIZES, Inputs
from bench.rounds import Figures, Report, interleaved, ratios, revision, spread

ROOT = Path(__file__).resolve().parent.parent
_PAYMENTS = 100_000


class Bench:
    """One invocation: where things are, and how many rounds."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.shared: Path = asked.shared.resolve()
        self.work: Path = asked.work.resolve()
        self.rounds: int = asked.rounds
        self.warm: int = asked.warm
        self.databases: Sequence[str] = asked.database
        self.sizes: Sequence[str] = asked.sizes
        self.billed: str = asked.billed
        self.accounts: Sequence[int] = asked.accounts
        self.inputs = Inputs(self.shared, self.work / "inputs")
        self.report = Report(asked.out, revision(ROOT))
        self.product = product(self.work)

    @contextmanager
    def places(self) -> Iterator[list[tuple[Place, Floors]]]:
        """The databases asked for, each with its floor."""
        made: list[tuple[Place, Floors]] = []
        if "sqlite" in self.databases:
            made.append((Place(self.work, self.product, None), SqliteFloors(self.shared, self.work / "floor")))
        if "postgresql" not in self.databases:
            yield made
            return
        from bench.server import server

        with server(self.work / "server") as running:
            made.append((Place(self.work, self.product, running), PostgresFloors(running, self.work / "floor")))
            yield made


def main() -> None:
    """Reads the command line and runs one measurement."""
    asked = _asked()
    bench = Bench(asked)
    if asked.what == "profile":
        profile(bench, *asked.words)
        return
    {"charges": charges, "payments": payments, "nightly": nightly, "startup": startup}[asked.what](bench)
    sys.exit(1 if bench.report.missed else 0)


def charges(bench: Bench) -> None:
    """Every size on every database: wall, memory, and the ratio to the floor of the same round."""
    with bench.places() as places:
        for place, floors in places:
            base = cases.blank(place)
            memory: dict[str, float] = {}
            for size in bench.sizes:
                given = bench.inputs.charges(size)
                sides = {"floor": lambda: floors.charges(given), "bridge": lambda: cases.charges(place, base, given)}  # noqa: B023
                kept = interleaved(bench.rounds, bench.warm, sides)
                memory[size] = max(one["bridge"]["largest_mib"] for one in kept)
                _tell(bench, f"charges {size} {place.word}", kept)
            for few, many in zip(bench.sizes, bench.sizes[1:], strict=False):
                grown = memory[many] - memory[few]
                bench.report.result(f"memory {few} to {many} {place.word}", f"{grown:+.1f} MiB", [], {"grown_mib": grown})


def payments(bench: Bench) -> None:
    """100,000 payments in charge order and shuffled, both against the in-order floor."""
    billed = bench.inputs.charges(bench.billed)
    straight, shuffled = (bench.inputs.payments(min(_PAYMENTS, billed.lines // 10), bench.billed, shuffled=one) for one in (False, True))
    with bench.places() as places:
        for place, floors in places:
            base = cases.posted(place, billed)
            sides = {
                "floor": lambda: floors.payments(straight, billed),  # noqa: B023
                "in order": lambda: cases.payments(place, base, straight, billed),  # noqa: B023
                "shuffled": lambda: cases.payments(place, base, shuffled, billed),  # noqa: B023
            }
            kept = interleaved(bench.rounds, bench.warm, sides)
            for order in ("in order", "shuffled"):
                renamed = [{"floor": one["floor"], "bridge": one[order]} for one in kept]
                _tell(bench, f"payments {straight.lines} into {bench.billed} {order} {place.word}", renamed)


def nightly(bench: Bench) -> None:
    """A night's complete list of balances, 2 % of them changed, to Holds Added and Holds Released: wall, memory, ratio to the floor."""
    with bench.places() as places:
        for place, floors in places:
            memory: dict[int, float] = {}
            for accounts in bench.accounts:
                given = bench.inputs.balances(accounts)
                base = nights.standing(place, given)
                sides = {"floor": lambda: floors.nightly(given), "bridge": lambda: nights.night(place, base, given)}  # noqa: B023
                kept = interleaved(bench.rounds, bench.warm, sides)
                memory[accounts] = max(one["bridge"]["largest_mib"] for one in kept)
                _tell(bench, f"nightly {accounts} {place.word}", kept)
            for few, many in zip(bench.accounts, bench.accounts[1:], strict=False):
                grown = memory[many] - memory[few]
                bench.report.result(f"memory nightly {few} to {many} {place.word}", f"{grown:+.1f} MiB", [], {"grown_mib": grown})


def startup(bench: Bench) -> None:
    """What a command costs before it does anything, and a normal night of 200 fees, with and without compiled bytecode."""
    before, night = bench.inputs.charges("10k"), bench.inputs.late_charges()
    place = Place(bench.work, bench.product, None)
    bare = place._replace(product=product(bench.work, compiled=False))
    base = cases.posted(place, before)
    bare_base = cases.posted(bare, before)
    sides = {
        "--help": lambda: cases.figures(place.product.spent("--help")),
        "run of 200 fees": lambda: cases.small_night(place, base, night, before),
        "--help, no bytecode": lambda: cases.figures(bare.product.spent("--help")),
        "run of 200 fees, no bytecode": lambda: cases.small_night(bare, bare_base, night, before),
    }
    kept = interleaved(bench.rounds, bench.warm, sides)
    for name in sides:
        wall = [one[name]["wall_s"] for one in kept]
        line = f"wall {spread(wall, ' s')}  peak {max(one[name]['largest_mib'] for one in kept):.0f} MiB"
        bench.report.result(f"start-up {name}", line, [{name: one[name]} for one in kept], {"wall_s": statistics.median(wall)})


def profile(bench: Bench, flow: str, *options: str) -> None:
    """Prints where the time of one run goes, on each database asked for."""
    with bench.places() as places:
        for place, _floors in places:
            if flow == "charges":
                campus = place.copy(cases.blank(place))
                campus.drop(bench.inputs.charges(bench.sizes[0]).path, "alma/out", "export.xml")
            elif flow == "nightly":
                given_night = bench.inputs.balances(bench.accounts[-1])
                campus = place.copy(nights.standing(place, given_night))
                nights.drop(campus, given_night.after)
            else:
                billed = bench.inputs.charges(bench.billed)
                campus = place.copy(cases.posted(place, billed))
                given = bench.inputs.payments(min(_PAYMENTS, billed.lines // 10), bench.billed, shuffled="--shuffled" in options)
                campus.drop(given.path, "peoplesoft/out", "payments_20261121_120000.csv")
            named = nights.FLOW if flow == "nightly" else f"library-{flow}"
            calls = ["--calls"] if "--calls" in options else []
            subprocess.run([sys.executable, "-m", "bench.timing", str(campus.home), named, *calls], check=True, cwd=ROOT)
            campus.remove()


def _tell(bench: Bench, name: str, kept: Sequence[dict[str, Figures]]) -> None:
    to_floor = ratios(kept, "bridge", "wall_s", "floor", "sum_s")
    wall, floor = [one["bridge"]["wall_s"] for one in kept], [one["floor"]["sum_s"] for one in kept]
    largest, together = max(one["bridge"]["largest_mib"] for one in kept), max(one["bridge"]["sum_mib"] for one in kept)
    processes = max(one["bridge"]["processes"] for one in kept)
    cpu = statistics.median(one["bridge"]["cpu_s"] for one in kept)
    line = (
        f"x{spread(to_floor)} of the floor  wall {spread(wall, ' s')}  cpu {cpu:.2f} s  floor {spread(floor, ' s')}  "
        f"peak {largest:.0f} MiB (all {processes:.0f} processes {together:.0f})"
    )
    summary = {"ratio": statistics.median(to_floor), "wall_s": statistics.median(wall), "floor_s": statistics.median(floor), "largest_mib": largest}
    bench.report.result(name, line, kept, summary)


def _asked() -> argparse.Namespace:
    ask = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("what", choices=["charges", "payments", "nightly", "startup", "profile"])
    ask.add_argument("words", nargs="*", help="profile: charges, payments or nightly")
    ask.add_argument("--sizes", nargs="+", default=["100k"], choices=list(SIZES), help="fees of the charge runs")
    ask.add_argument("--accounts", nargs="+", type=int, default=[1_000_000], help="balances of the nightly list")
    ask.add_argument("--billed", default="1m", choices=list(SIZES), help="obligations in the ledger that payments go into")
    ask.add_argument("--database", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql"])
    ask.add_argument("--rounds", type=int, default=7)
    ask.add_argument("--warm", type=int, default=1, help="uncounted rounds before them")
    ask.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "bench", help="the folder of gen.py and jobs.py")
    ask.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "bursarbridge-bench", help="inputs and prepared ledgers; kept")
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "results.jsonl")
    ask.add_argument("--calls", action="append_const", const="--calls", dest="flags", help="profile: Python calls too")
    ask.add_argument("--shuffled", action="append_const", const="--shuffled", dest="flags", help="profile: payments in no order")
    asked = ask.parse_args()
    if (
        (asked.what == "profile") != bool(asked.words)
        or any(word not in ("charges", "payments", "nightly") for word in asked.words)
        or len(asked.words) > 1
    ):
        ask.error("profile takes one word, charges, payments or nightly; the others take none")
    asked.words += asked.flags or []
    return asked


if __name__ == "__main__":
    main()
