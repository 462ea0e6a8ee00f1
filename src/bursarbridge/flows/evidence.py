"""Evidence: what outlives a ledger and says what happened since its backup (reliability.md P21)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol, runtime_checkable

from bursarbridge.flows.again import Input
from bursarbridge.flows.run import utc_text
from bursarbridge.ledger.found import FoundDocument, FoundHold, FoundLine
from bursarbridge.store.runlog import LoggedMail


@runtime_checkable
class Shows(Protocol):
    """A source's own system that can be asked which payments it shows under names of ours."""

    def shown(self, account: str, fee: str, ours: str) -> Sequence[tuple[int, int]]:
        """The batch numbers behind our reference `ours` on that fee, each with its cents."""
        ...


class Owner(NamedTuple):
    """A source as references name it."""

    name: str
    prefix: str


@dataclass(frozen=True)
class Evidence:
    """Everything outside of the ledger that says what happened since the backup."""

    documents: tuple[FoundDocument, ...]
    inputs: tuple[Input, ...]
    mails: tuple[LoggedMail, ...]
    lines: Callable[[FoundDocument], tuple[FoundDocument, list[FoundLine]]]
    """A document, with kind and flow as its lines tell them, and its lines, read from its kept bytes; none where they cannot be read."""
    traced: Callable[[str], FoundDocument | None]
    """What a document's name alone tells; None when it is no name of ours."""
    owners: Mapping[str, Owner]
    expected_after: Mapping[str, timedelta]
    """By destination."""
    highest: tuple[int, int]
    """The highest batch and obligation numbers that anything outside names."""
    told: Mapping[str, Callable[[str, str, str], Sequence[tuple[int, int]]]] = field(default_factory=dict)
    """Of sources that are told by API: person, fee and our reference to the batch numbers and cents that are shown as told by us."""
    told_destinations: frozenset[str] = frozenset()
    """Who is told one by one: what waits for them looks before it speaks, so it may go on by itself."""
    holds: Callable[[FoundDocument], tuple[Owner | None, list[FoundHold]]] = lambda _document: (None, [])
    """Whose hold file it is and its lines, read from its kept bytes; None where they cannot be read."""
    holder: Callable[[FoundDocument], Owner | None] = lambda _document: None
    """Whose hold file it is by its name."""
    known_until: Mapping[str, str] = field(default_factory=dict)
    """By hold file: the time (UTC) of the newest statement that its run can have known."""
    zone: tzinfo = UTC
    """The campus's."""

    def campus_date(self, at: str) -> str:
        """The campus date of an instant (UTC text)."""
        return datetime.fromisoformat(at).astimezone(self.zone).date().isoformat()

    def expected(self, document: FoundDocument) -> str:
        """When an answer to a document was to be there (UTC)."""
        after = self.expected_after.get(document.destination, timedelta(days=1))
        return utc_text(datetime.fromisoformat(document.made_at) + after)
