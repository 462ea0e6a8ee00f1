"""What a worker that died, froze or was cut off has begun, a living one finishes (stack.md 1, gap 2)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import psycopg
import sqlalchemy as sa

from bursarbridge.jobs.workers import Post

LOOK_SECONDS = 2.5

_FIRST = ("hold", "release", "payment", "credit", "return", "charge")
"""Who is served first when more waits than can be done at once (P24): what keeps a student from something, then money that came in."""


class Begun(NamedTuple):
    """A run that has begun and not ended."""

    name: str
    flow: str
    slot: str


class TakeOver:
    """Looks for runs whose slot nobody holds, and for our own that nothing works on, and has them resumed.

    A slot must be found free at two looks: after a restart of the database every worker needs a moment to take its own again.
    """

    def __init__(self, post: Post, unfinished: Callable[[], Sequence[Begun]], active: Callable[[], set[str]], resume: Callable[[str], None]) -> None:
        self._post = post
        self._unfinished = unfinished
        self._active = active
        self._resume = resume
        self._suspects: frozenset[str] = frozenset()

    def look(self) -> list[str]:
        """Has what was left behind at this look and the one before resumed; returns the runs' names."""
        found = in_order(self._unfinished())
        living = self._post.living()
        idle = [one for one in found if (one.slot == self._post.slot and one.name not in self._active()) or one.slot not in living]
        sure = [one for one in idle if one.name in self._suspects]
        self._suspects = frozenset(one.name for one in idle)
        taken = [one.name for one in sure if one.slot == self._post.slot and self._resumed(one)]
        for slot in dict.fromkeys(one.slot for one in sure if one.slot != self._post.slot):
            with self._post.vacated(slot) as free:
                taken += [one.name for one in sure if free and one.slot == slot and self._resumed(one)]
        return taken

    def suspects(self) -> bool:
        """Whether the last look found something that the next may have resumed."""
        return bool(self._suspects)

    def keep_looking(self, ended: threading.Event, found: Callable[[list[str]], None]) -> None:
        """Looks until `ended`; while the database is away it waits."""
        while not ended.wait(LOOK_SECONDS):
            try:
                taken = self.look()
            except (psycopg.Error, sa.exc.DBAPIError):
                continue
            if taken:
                found(taken)

    def _resumed(self, one: Begun) -> bool:
        self._resume(one.name)
        return True


def in_order(begun: Sequence[Begun]) -> list[Begun]:
    """Holds, releases and payments first."""
    return sorted(begun, key=lambda one: (next((rank for rank, word in enumerate(_FIRST) if word in one.flow), len(_FIRST)), one.name))
