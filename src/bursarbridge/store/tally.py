"""Counting: every record of a delivery ends in exactly one of these, in count and in cents."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Count:
    """How many, and their cents."""

    count: int = 0
    cents: int = 0

    def add(self, count: int, cents: int) -> None:
        """Adds to both."""
        self.count += count
        self.cents += cents

    def as_json(self) -> dict[str, int]:
        """The form that `--json` prints."""
        return {"count": self.count, "cents": self.cents}


ENDS = ("posted", "noted", "already", "conflicts", "suspended")
"""Where a record can end: posted, only noted (0.00), seen before, in conflict, in suspense."""


@dataclass(slots=True)
class Tally:
    """What became of the records of one delivery; `read` is their sum (I5)."""

    posted: Count = field(default_factory=Count)
    noted: Count = field(default_factory=Count)
    already: Count = field(default_factory=Count)
    conflicts: Count = field(default_factory=Count)
    suspended: Count = field(default_factory=Count)

    @property
    def read(self) -> Count:
        """All records, by adding up where they ended."""
        ends = [getattr(self, end) for end in ENDS]
        return Count(sum(end.count for end in ends), sum(end.cents for end in ends))

    def as_json(self) -> dict[str, dict[str, int]]:
        """A plain form that survives a checkpoint."""
        return {"read": self.read.as_json()} | {end: getattr(self, end).as_json() for end in ENDS}
