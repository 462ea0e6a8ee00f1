"""One delivery under reading: its records, where each of them ends, and the rejections on their way to suspense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from bursarbridge.ledger.facts import Fact
from bursarbridge.ports import Rejected
from bursarbridge.store import suspense
from bursarbridge.store.books import Books
from bursarbridge.store.deliveries import Arrived
from bursarbridge.store.tally import Tally

Records = Iterable[Fact | Rejected]


class Reading:
    """What a poster is given of one delivery: the open books, who it is, and the stream of its records."""

    def __init__(self, books: Books, channel: str, delivery: int, cause: int, arrived: Arrived) -> None:
        self.books = books
        self.channel = channel
        self.delivery = delivery
        self.cause = cause
        self.arrived = arrived
        self.tally = Tally()
        self.watch: Callable[[Sequence[Rejected]], None] | None = None
        """Sees the rejections as they go to suspense."""
        self.words = ""
        """What else is to be said of the delivery."""
        self.rejected = 0
        """Records that could not be facts, of those put to suspense so far."""
        self.passed_over: frozenset[str] = frozenset()
        """Codes of rejections that are only noted: what such a record says is known to be of no consequence."""
        self.idle = False
        """Whether it is older than what was read, and changes nothing."""
        self.cut_off = 0
        """People with something open behind the place where a complete list seems to be cut (flows.ending)."""
        self._rejected: list[Rejected] = []

    def facts(self, records: Records) -> Iterator[Fact]:
        """The facts among the records; rejections go to suspense on the way, so that none can be dropped."""
        for number, record in enumerate(records, 1):
            if isinstance(record, Rejected):
                self._rejected.append(record._replace(words=f"{self.arrived.name}, record {number}: {record.words}"))
                if len(self._rejected) >= 1000:
                    self.put_rejected()
            else:
                yield record

    def put_rejected(self) -> None:
        """Writes the rejections that were met so far to suspense."""
        if self.watch is not None:
            self.watch(self._rejected)
        noted = [one for one in self._rejected if one.code in self.passed_over]
        self.tally.noted.add(len(noted), sum(one.cents for one in noted))
        waiting = [one for one in self._rejected if one.code not in self.passed_over] if noted else self._rejected
        self.rejected += suspense.put_rejected(self.books, self.channel, self.delivery, waiting, self.tally)
        self._rejected = []
