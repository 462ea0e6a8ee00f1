"""Weather: how often what goes wrong, chosen by a seed, other in every campus-year (swarm testing: some faults often, some never)."""

import random
from collections import Counter
from dataclasses import dataclass, field

FILE_FAULTS = ("again", "renamed", "late", "cut first", "doubled", "lost for days", "skewed")
LINE_FAULTS = ("upload", "publish", "clear", "fetch")
CALL_FAULTS = ("lost", "cut", "late", "error", "html", "per_second", "wrong", "error_after", "html_after", "empty_after")
CALMEST = 0.0


@dataclass
class Weather:
    """The faults of one campus-year. `calm` switches all of them off."""

    chance: random.Random
    rates: dict[str, float] = field(default_factory=dict)
    calm: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    deaths: int = 0

    @classmethod
    def of(cls, chance: random.Random) -> "Weather":
        """Each kind of fault is off, rare or frequent."""
        kinds = [f"file: {one}" for one in FILE_FAULTS] + [f"line: {one}" for one in LINE_FAULTS] + [f"call: {one}" for one in CALL_FAULTS]
        kinds += ["death", "death in recovery", "call never comes", "call twice", "bridge down", "partner idle", "run by hand", "mail", "doubt"]
        kinds += ["hold file lost", "hold file loaded again", "clerk removes a hold"]
        return cls(chance, {kind: chance.choice((0.0, 0.01, 0.03, 0.1)) for kind in kinds})

    def strikes(self, kind: str) -> bool:
        """Whether it happens now; if so it is counted."""
        if self.calm or self.chance.random() >= self.rates.get(kind, CALMEST):
            return False
        self.seen[kind] += 1
        return True

    def file_fault(self) -> str:
        """What happens to a file on its way, or ""."""
        return next((one for one in FILE_FAULTS if self.strikes(f"file: {one}")), "")
