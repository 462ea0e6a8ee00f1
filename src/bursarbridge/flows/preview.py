"""Preview: the same procedures on the same files, with every outside effect left out and every posting taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from bursarbridge.flows.doorkeeping import Doorkeeper
from bursarbridge.ledger.returns import LibraryCredit, LibraryFee, Loan
from bursarbridge.ports import Endpoint, Proof, Waiting
from bursarbridge.ports.calls import LibraryDesk, Waived

R = TypeVar("R")


class PreviewSteps:
    """Steps in one transaction that the caller rolls back."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def act(self, _name: str, deed: Callable[[], R]) -> R:
        """Does it at once; the endpoints are read-only."""
        return deed()

    def post(self, _name: str, deed: Callable[[sa.Connection], R]) -> R:
        """Posts into the transaction that will not be committed."""
        return deed(self._connection)


class ReadOnly:
    """A place that is looked at and not touched (ports.Endpoint)."""

    def __init__(self, place: Endpoint) -> None:
        self._place = place

    def waiting(self, patterns: Sequence[str]) -> list[Waiting]:
        """What waits there."""
        return self._place.waiting(patterns)

    def fetch(self, name: str, target: Path) -> Waiting:
        """A copy of a file."""
        return self._place.fetch(name, target)

    def clear(self, name: str) -> None:
        """Leaves the file where it is."""

    def refused(self) -> list[tuple[str, str]]:
        """What it turns away, where it does."""
        return self._place.refused() if isinstance(self._place, Doorkeeper) else []

    def upload(self, name: str, source: Path) -> None:
        """Sends nothing."""

    def publish(self, name: str, sha256: str) -> Proof:  # noqa: ARG002 - the port's signature
        """Shows nothing; what would have left is told as if it stood there."""
        return Proof.READ_BACK

    def present(self, name: str) -> bool:
        """Whether a file stands there now."""
        return self._place.present(name)


class Silent:
    """Nobody is told of anything; what would have been is shown as if it were (flows.tell.Teller)."""

    def tell(self, account: str, fee: str, cents: int, ours: str) -> None:
        """Sends nothing."""


class AskOnly:
    """A library that is asked and not told (ports.LibraryDesk)."""

    def __init__(self, desk: LibraryDesk) -> None:
        self._desk = desk

    def fees(self, person: str, item: str) -> Sequence[LibraryFee]:
        """What it says."""
        return self._desk.fees(person, item)

    def credits(self, person: str, item: str) -> Sequence[LibraryCredit]:
        """What it says."""
        return self._desk.credits(person, item)

    def loans(self, person: str, item: str) -> Sequence[Loan]:
        """What it says."""
        return self._desk.loans(person, item)

    def in_place(self, item: str) -> bool:
        """What it says."""
        return self._desk.in_place(item)

    def waive(self, person: str, fee: str, cents: int, reason: str, ours: str) -> Waived:  # noqa: ARG002 - the port's signature
        """Waives nothing; what would be waived is told as if it were."""
        return Waived("done")

    def refresh_blocks(self, person: str, item: str) -> int:  # noqa: ARG002 - the port's signature
        """Takes nothing away."""
        return 0
