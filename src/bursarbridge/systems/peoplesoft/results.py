"""The bursar's answers to our files into facts."""

import json
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import cast

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited
from bursarbridge.formats.shape import ABSENT, Layout
from bursarbridge.ledger.facts import Answer, AnswerStatus
from bursarbridge.ports import Rejected
from bursarbridge.systems.peoplesoft.payments import cents_or_zero, raw_of, texts_of

_NAMES = ("status", "document", "group", "reference", "account", "amount", "line_count", "reason")
_WHOLE = "not_posted"
"""The group's post action was "Do Not Post": nothing of the file posts, whatever its lines say (peoplesoft.md 1.4)."""


class ResultReader:
    """Reads a delimited posting result of a declared layout; a ports.Reader."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._values = delimited.reader(layout)
        self._pick = itemgetter(*_places(layout))

    def records(self, chunks: Iterable[bytes]) -> Iterator[list[str]]:
        """Every row's texts in file order; raises Unreadable when the file as a whole is unfit."""
        return delimited.rows(self._layout, chunks)

    def fact(self, record: object) -> Answer:
        """The row's answer; NOT_POSTED is the refusal of the whole document. Raises Unreadable naming the field."""
        row = self._values(cast("list[str]", record))
        picked = self._pick((*row, ABSENT, ""))
        status, document, group, reference, account, cents, lines, reason = cast("tuple[str, str, str, str, str, int, int, str]", picked)
        if status == _WHOLE:
            return Answer(document.strip(), AnswerStatus.REFUSED, group.strip(), "", "", cents, lines, reason.strip())
        answer = (document.strip(), AnswerStatus(status), group.strip(), reference.strip(), account.strip())
        return Answer(*answer, cents, lines, reason.strip())

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        """The row as suspense keeps it. Never raises."""
        raw = raw_of(self._layout, cast("list[str]", record))
        reference, account, amount = (raw.get(name, "").strip() for name in ("reference", "account", "amount"))
        return Rejected(error.code, str(error), reference, account, cents_or_zero(amount), json.dumps(raw))

    def revived(self, raw: str) -> list[str]:
        """The row's texts from what `rejected` kept."""
        return texts_of(self._layout, raw)


def _places(layout: Layout) -> list[int]:
    names = layout.detail.names
    missing = [name for name in _NAMES[:2] if name not in names]
    if missing:
        raise Unreadable("layout", f"layout {layout.name} cannot be read as results: it has no {' and no '.join(missing)}")
    return [names.index(name) if name in names else -2 if name in ("amount", "line_count") else -1 for name in _NAMES]
