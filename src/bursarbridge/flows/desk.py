"""Asking the library's own system within a run: what it says as plain values, and when to stop asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from bursarbridge.errors import Refused, TryLater, Unreadable
from bursarbridge.flows.run import Run, utc_text
from bursarbridge.ledger.returns import Billed, Decision, LibraryCredit, LibraryFee, Loan, credited_since, decide, loan_state, returned_at
from bursarbridge.ports.calls import LibraryDesk


@dataclass(frozen=True)
class Returning:
    """What a campus decided about lost items that come back, and whom to ask."""

    source: str
    desk: LibraryDesk
    categories: tuple[str, ...]
    """The fee types of a lost item; no other fee is ever waived."""
    reason: str
    """The campus's code for "lost item was found"."""
    most: int
    """How many questions of one kind a run asks."""
    ask_after: timedelta
    """How long an answer holds before the same fee is asked about again."""
    patience: timedelta
    """How long something may wait before a person hears of it."""

    @property
    def channel(self) -> str:
        """The name under which its questions wait in suspense."""
        return f"{self.source}-returns"


class Asked:
    """How the asking went in one run: it stops when the library wants it to, or refuses three times in a row."""

    def __init__(self) -> None:
        self.stopped = ""
        self.refused = 0
        self._in_a_row = 0

    def answered(self, later: str, refused: str) -> bool:
        """Notes an answer; True when it says something."""
        self._in_a_row = self._in_a_row + 1 if refused else 0
        self.refused += bool(refused)
        self.stopped = later or (f"the library refuses our questions: {refused}" if self._in_a_row == _TOO_MANY else "")
        return not later and not refused


def ago(run: Run, span: timedelta) -> str:
    """The instant so long before the run's, as the tables write it."""
    return utc_text(datetime.fromisoformat(run.now) - span)


_TOO_MANY = 3


class Look(TypedDict):
    """What the library says of one person and one item, as a checkpoint keeps it."""

    fees: list[list[object]]
    """Those of the lost-item categories only."""
    credits: list[list[object]]
    loans: list[list[object]]
    in_place: bool
    later: str
    """Why it could not be asked now, or ""; the other values mean nothing then."""
    refused: str


def look(desk: LibraryDesk, person: str, item: str, categories: Sequence[str]) -> Look:
    """Asks what is needed and no more: a return without a lost-item fee costs two calls, three when its loan is gone."""
    try:
        fees = [one for one in desk.fees(person, item) if one.category in categories]
        credited = desk.credits(person, item) if fees else ()
        loans = desk.loans(person, item)
        in_place = desk.in_place(item) if not loans else False
    except TryLater as error:
        return _nothing(later=str(error))
    except (Refused, Unreadable) as error:
        return _nothing(refused=str(error))
    return Look(
        fees=[list(one) for one in fees],
        credits=[list(one) for one in credited],
        loans=[list(one) for one in loans],
        in_place=in_place,
        later="",
        refused="",
    )


def fees_in(seen: Look) -> list[LibraryFee]:
    """The lost-item fees in a look."""
    made = [LibraryFee._make(one) for one in seen["fees"]]
    return [one._replace(marks=tuple(one.marks)) for one in made]


def decided(seen: Look, fee: LibraryFee, billed: Billed | None, ours: str) -> tuple[Decision, str]:
    """What becomes of a fee by a look, and when its item came back."""
    loans = [Loan._make(one) for one in seen["loans"]]
    credited = credited_since([LibraryCredit._make(one) for one in seen["credits"]], fee)
    return decide(loan_state(loans, fee, in_place=seen["in_place"]), fee, credited, billed, ours), returned_at(loans, fee)


def _nothing(*, later: str = "", refused: str = "") -> Look:
    return Look(fees=[], credits=[], loans=[], in_place=False, later=later, refused=refused)
