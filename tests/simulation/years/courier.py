"""The courier: carries files between a partner's own folders and the bridge's, whole or not, in time or not."""

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tests.simulation.years.weather import Weather

MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class Bag:
    """Bytes that will appear at the bridge's place."""

    at: datetime
    folder: str
    name: str
    content: bytes
    modified_at: datetime


@dataclass
class Courier:
    """Between `far` (the partners) and `near` (the bridge)."""

    far: Path
    near: Path
    weather: Weather
    bags: list[Bag] = field(default_factory=list)
    carried: int = 0
    copies: Path | None = None
    """Where partners keep a copy of what they fetched."""
    whole: set[str] = field(default_factory=set)
    """The SHA-256 of every file as its partner made it."""

    def send(self, folder: str, now: datetime, *, split: bool = True) -> None:
        """Takes what a partner has put into its out folder, and what weather there is with it.

        Without `split` no file is cut exactly between two lines: one that has no trailer would look whole (docs/systems/parking.md).
        """
        for path in sorted((self.far / folder).iterdir()):
            if not path.is_file() or path.name.startswith("."):
                continue
            content = path.read_bytes()
            path.unlink()
            self.carried += 1
            self.whole.add(hashlib.sha256(content).hexdigest())
            self._pack(folder, path.name, content, now, split)

    def deliver(self, now: datetime) -> list[str]:
        """What is due appears at the bridge; returns the names."""
        due = [bag for bag in self.bags if bag.at <= now]
        self.bags = [bag for bag in self.bags if bag.at > now]
        for bag in due:
            path = self.near / bag.folder / bag.name
            hidden = path.with_name(f".{bag.name}.part")
            hidden.write_bytes(bag.content)
            os.utime(hidden, (bag.modified_at.timestamp(),) * 2)
            hidden.replace(path)
        return [bag.name for bag in due]

    def collect(self, folder: str) -> int:
        """A partner fetches every whole file that the bridge has put into its in folder."""
        found = [path for path in sorted((self.near / folder).iterdir()) if path.is_file() and not path.name.startswith(".")]
        for path in found:
            if self.copies is not None:
                shutil.copy2(path, self.copies / path.name)
            shutil.move(path, self.far / folder / path.name)
        self.carried += len(found)
        return len(found)

    def _pack(self, folder: str, name: str, content: bytes, now: datetime, split: bool) -> None:
        fault, chance = self.weather.file_fault(), self.weather.chance
        soon = now + timedelta(minutes=1)
        later = now + timedelta(hours=chance.choice((1, 5, 20, 30, 50, 80)))
        whole = Bag(soon, folder, name, content, now)
        stem, dot, ending = name.rpartition(".")
        if fault == "again":
            self.bags += [whole, Bag(later, folder, name, content, now)]
        elif fault == "renamed":
            self.bags += [whole, Bag(later, folder, f"{stem}-copy{dot}{ending}", content, later)]
        elif fault in ("late", "lost for days"):
            # Lost: a person finds that it is missing and has it sent again.
            self.bags.append(Bag(later if fault == "late" else now + timedelta(days=chance.randint(2, 6)), folder, name, content, now))
        elif fault == "cut first":
            part = content[: chance.randrange(max(1, len(content)))]
            part = part if split else part.rstrip(b"\r\n")
            self.bags += [Bag(soon, folder, name, part, now), Bag(later, folder, name, content, later)]
        elif fault == "doubled":
            self.bags += [Bag(soon, folder, name, content + content, now), Bag(later, folder, name, content, later)]
        elif fault == "skewed":
            self.bags.append(Bag(soon, folder, name, content, now + timedelta(minutes=chance.randint(-60, 60))))
        else:
            self.bags.append(whole)
