"""Tell: a remittance goes back to its source payment by payment, each at most once, each on its own (reliability.md P15, P16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from bursarbridge.errors import Refused, TryLater, Unreadable
from bursarbridge.flows.deliver import Delivered
from bursarbridge.flows.run import Run, utc_text
from bursarbridge.store import batches, telling
from bursarbridge.store.batches import Outgoing
from bursarbridge.store.books import Books
from bursarbridge.store.telling import Untold

_QUIET: Final = timedelta(minutes=15)
"""How long a payment in doubt is left alone, so that one still under way shows before it is asked for again."""


class Teller(Protocol):
    """A source's own system, told of payments one at a time."""

    def tell(self, account: str, fee: str, cents: int, ours: str) -> None:
        """Returns when the system shows this payment of `cents` under our name `ours`; sends it when it does not, at most once.

        Raises Refused when it will not have it, TryLater when that cannot be known now: asked again later, it looks first.
        """
        ...


@dataclass(frozen=True)
class Telling:
    """Whom to tell, and of which batches."""

    destination: str
    teller: Teller
    expected_after: timedelta


def tell(run: Run, way: Telling) -> list[Delivered]:
    """Tells of every line that waits, also of those an earlier run left. One that cannot be told keeps no other from it."""
    sealed = run.post("outbox", lambda books: [list(one) for one in batches.outbox(books, run.flow)])
    expected = utc_text(datetime.fromisoformat(run.now) + way.expected_after)
    for out in (one for one in map(Outgoing._make, sealed) if one.destination == way.destination):
        if out.uploaded:
            # From before the settings were changed: its file may have got there.
            words = "it was about to leave as a file when the settings changed to the API; look whether the library has the file"
            run.post(f"doubt {out.document}", partial(batches.mark_in_doubt, batch=out.id, words=words))
        else:
            run.post(f"open {out.document}", partial(batches.mark_sent, batch=out.id, proof="told", expected_at=expected))
    quiet = utc_text(datetime.fromisoformat(run.now) - _QUIET)
    waiting = run.post("untold", lambda books: [list(one) for one in telling.untold(books, way.destination, quiet)])
    said = [(line, _tell_and_book(run, way.teller, line)) for line in map(Untold._make, waiting)]
    documents = dict.fromkeys(line.document for line, _ in said)
    delivered = [_delivered(document, [(line, state) for line, state in said if line.document == document]) for document in documents]
    for one in delivered:
        run.log("document_told" if one["proof"] else "document_partly_told", document=one["name"], lines=one["count"], cents=one["cents"])
    return delivered


def _tell_and_book(run: Run, teller: Teller, line: Untold) -> str:
    state, words = run.act(f"tell {line.document} {line.line_no}", partial(_tell, teller, line))
    run.post(f"told {line.document} {line.line_no}", partial(_book, line, state, words))
    return state


def _book(line: Untold, state: str, words: str, books: Books) -> bool:
    if state == "told":
        return telling.told(books, line)
    return telling.refused(books, line, words) if state == "refused" else telling.doubtful(books, line, words)


def _tell(teller: Teller, line: Untold) -> tuple[str, str]:
    try:
        teller.tell(line.account, line.source_reference, line.cents, line.ours)
    except (Refused, Unreadable) as error:
        return "refused", str(error)
    except TryLater as error:
        return "doubt", str(error)
    return "told", ""


def _delivered(document: str, said: list[tuple[Untold, str]]) -> Delivered:
    told = [line.cents for line, state in said if state == "told"]
    rest = [
        f"{count} {words}" for state, words in (("refused", "refused"), ("doubt", "to be looked for")) if (count := sum(s == state for _, s in said))
    ]
    return Delivered(name=document, sha256="", count=len(told), cents=sum(told), proof="" if rest else "told", words=", ".join(rest))
