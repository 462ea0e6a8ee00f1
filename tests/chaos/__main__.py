"""./dev chaos [--minutes N] [--runs N] [--webhooks N] [--seed S]: a storm, and one line of JSON; exit 1 when anything was lost or doubled."""

import argparse
import random
import sys

from tests.chaos.storm import storm

if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--minutes", type=float, default=10.0, help="the weather clears after so long; then everything has a minute to come to rest")
    words.add_argument("--runs", type=int, default=1_000)
    words.add_argument("--webhooks", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    given = words.parse_args()
    report = storm(given.runs, given.webhooks, given.seed, given.minutes * 60)
    sys.stdout.write(f"{report.as_json()}\n")
    sys.exit(0 if report.good else 1)
