"""The bursar's snapshot of service indicators into facts: a PS Query over SRVC_IND_DATA, one row an indicator (peoplesoft.md 3.1, 3.4 item 5)."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import itemgetter
from typing import cast

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited
from bursarbridge.formats.shape import ABSENT, Layout
from bursarbridge.ledger.facts import Indicator
from bursarbridge.ports import Rejected
from bursarbridge.systems.peoplesoft.payments import cents_or_zero, raw_of, texts_of

_NAMES = ("account", "institution", "hold_code", "hold_reason", "amount", "reference", "placed_on")
_NEEDED = _NAMES[:3]
_NO_ROWS = re.compile(rb"(?i)[^a-z]*(?:the )?query (?:has )?(?:resulted in|returned) no rows[^a-z]*")
_LONGEST = 120
"""Bytes within which the sentence for "nothing found" stands, alone in its file."""


class IndicatorReader:
    """Reads a delimited snapshot of a declared layout; a ports.Reader.

    A person may have several rows of one code and reason: PeopleSoft's key is the person and the time. Every row is a fact of its own.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._values = delimited.reader(layout)
        self._pick = itemgetter(*_places(layout))

    def records(self, chunks: Iterable[bytes]) -> Iterator[list[str]]:
        """Every row's texts in file order, none where the query says that it found none.

        Raises Unreadable when the file as a whole is unfit; a file without a byte, not even a heading, is "empty" and proves nothing.
        """
        rest = iter(chunks)
        head = b""
        for chunk in rest:
            head += chunk
            if len(head) > _LONGEST:
                break
        if len(head) <= _LONGEST and _NO_ROWS.fullmatch(head.removeprefix(b"\xef\xbb\xbf")):
            return
        yield from delimited.rows(self._layout, chain((head,), rest))

    def fact(self, record: object) -> Indicator:
        """The row's indicator; cents are -1 where the row has no amount. Raises Unreadable naming the field."""
        row = self._values(cast("list[str]", record))
        picked = cast("tuple[str, str, str, str, int, str, str]", self._pick((*row, ABSENT, "")))
        account, institution, code, reason, cents, reference, placed_on = picked
        return Indicator(account.strip(), institution.strip(), code.strip(), reason.strip(), cents, reference.strip(), placed_on)

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        """The row as suspense keeps it. Never raises."""
        raw = raw_of(self._layout, cast("list[str]", record))
        reference, account, amount = (raw.get(name, "").strip() for name in ("reference", "account", "amount"))
        return Rejected(error.code, str(error), reference, account, abs(cents_or_zero(amount)), json.dumps(raw))

    def revived(self, raw: str) -> list[str]:
        """The row's texts from what `rejected` kept."""
        return texts_of(self._layout, raw)


def _places(layout: Layout) -> list[int]:
    names = layout.detail.names
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise Unreadable("layout", f"layout {layout.name} cannot be read as indicators: it has no {' and no '.join(missing)}")
    return [names.index(name) if name in names else -2 if name == "amount" else -1 for name in _NAMES]
