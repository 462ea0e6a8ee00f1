"""The newest result of every case, as the table in bench/README.md.

python -m bench.table [--file results/results.jsonl] [--write]     --write puts it into the README, in place of the last one
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

_HERE = Path(__file__).parent
_BEGIN, _END = "<!-- results: python -m bench.table --write -->", "<!-- end of results -->"


class Result(TypedDict):
    """One line of the results file, as far as the table shows it."""

    at: str
    case: str
    line: str
    rounds: list[object]
    processor: str
    cores: int
    python: str
    sqlite: str
    load: float
    product: str


def main() -> None:
    """Prints or writes the table."""
    ask = argparse.ArgumentParser(prog="python -m bench.table", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--file", type=Path, default=_HERE / "results" / "results.jsonl")
    ask.add_argument("--write", action="store_true")
    asked = ask.parse_args()
    made = "\n".join(table(json.loads(line) for line in asked.file.read_text().splitlines()))
    if asked.write:
        readme = _HERE / "README.md"
        before, _, rest = readme.read_text("utf-8").partition(_BEGIN)
        _, _, after = rest.partition(_END)
        readme.write_text(f"{before}{_BEGIN}\n\n{made}\n\n{_END}{after}", "utf-8")
    else:
        print(made)


def table(results: Iterable[Result]) -> list[str]:
    """Markdown lines: the machine of the newest result, then a row for each case, in the order they were first measured."""
    newest = {result["case"]: result for result in results}
    last = max(newest.values(), key=lambda result: result["at"])
    machine = f"{last['processor']}, {last['cores']} cores, CPython {last['python']}, SQLite {last['sqlite']}"
    rows = [
        f"| {result['case']} | {result['line']} | {len(result['rounds']) or ''} | {result['load']} | {result['product']} | {result['at'][:10]} |"
        for result in newest.values()
    ]
    return [f"Machine: {machine}.", "", "| case | result | rounds | load before | product | date |", "|---|---|---|---|---|---|", *rows]


if __name__ == "__main__":
    main()
