"""Planted bugs: what public tools got wrong (peers.md 7) and what the simulator once found in us, put into the product on purpose.

A simulator that lives through them without a word has a blind spot. `./dev simulate --plants` lives with one after the other.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple
from unittest import mock

from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.flows import collect, deliver, posters, resolve, submit
from bursarbridge.formats import delimited
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.facts import Answer, AnswerStatus
from bursarbridge.ports import Line, Proof
from bursarbridge.store import answers, batches, payment_cases
from bursarbridge.systems.alma import export, once
from bursarbridge.systems.peoplesoft.results import ResultReader
from tests.simulation.years.run import Year, live


class Plant(NamedTuple):
    """One bug: its name, where it comes from, and how it is put in."""

    name: str
    lesson: str
    put: Callable[[], Any]


def _billed_again() -> Any:
    real = batches.moves.carry_all

    def carry_all(books: Any, table: str, source: Place, target: Place, kind: Kind, cause: int) -> int:
        return 0 if (kind, target) == (Kind.CHARGE, Place.IN_TRANSIT) else real(books, table, source, target, kind, cause)

    return mock.patch.object(batches.moves, "carry_all", carry_all)


def _said_and_not_sent() -> Any:
    seen: list[str] = []

    def publish(_self: FolderEndpoint, name: str, _sha256: str) -> Proof:
        seen.append(name)
        return Proof.READ_BACK

    return mock.patch.object(FolderEndpoint, "publish", publish)


def _last_lines_vanish() -> Any:
    real = batches.lines

    def lines(books: Any, route: Any) -> Iterator[Line]:
        found = list(real(books, route))
        kept = found[:2]
        for one in found[2:]:
            books.do("delete from unsent where obligation_id = :o", o=one.obligation)
            books.do("update position set cents = cents where obligation_id = :o", o=one.obligation)
            books.do("delete from position where obligation_id = :o and place = 1", o=one.obligation)
        return iter(kept)

    return mock.patch.object(submit.batches, "lines", lines)


def _third_record_vanishes() -> Any:
    real = collect.Reading.facts

    def facts(self: Any, records: Iterable[Any]) -> Iterator[Any]:
        return real(self, (one for number, one in enumerate(records) if number != 2))

    return mock.patch.object(collect.Reading, "facts", facts)


def _cleared_before_it_is_read() -> Any:
    real = collect._keep

    def keep(run: Any, channel: Any, name: str) -> Any:
        kept = real(run, channel, name)
        if kept is not None:
            channel.endpoint.clear(name)
        return kept

    return mock.patch.object(collect, "_keep", keep)


def _float_money() -> Any:
    return mock.patch.object(export, "_exact_cents", lambda text: int(float(text) * 100))


def _refusals_unread() -> Any:
    real = ResultReader.fact

    def fact(self: Any, record: Any) -> Answer:
        told = real(self, record)
        return told._replace(status=AnswerStatus.POSTED, reason="") if told.reference else told

    return mock.patch.object(ResultReader, "fact", fact)


def _doubled_report_taken() -> Any:
    real = delimited.rows

    def rows(layout: Any, chunks: Iterable[bytes]) -> Iterator[list[str]]:
        content = b"".join(chunks)
        head, _, _rest = content.partition(b"\n")
        once_only = content.replace(head + b"\n", b"")
        return real(layout, [head + b"\n" + once_only])

    return mock.patch.object(delimited, "rows", rows)


def _library_not_told_of_reversals() -> Any:
    return mock.patch.object(payment_cases, "reopened", lambda *_arguments: [])


def _reopened_counts_as_told() -> Any:
    return mock.patch.object(resolve, "_opened", lambda _books, item: "noted")


def _equal_rows_are_one() -> Any:
    real = posters.PaymentPoster._rows

    def rows(self: Any, facts: Iterable[Any]) -> Iterator[Any]:
        return real(self, iter(dict.fromkeys(fact._replace(paid_on="") for fact in facts)))

    return mock.patch.object(posters.PaymentPoster, "_rows", rows)


def _sent_before_it_stands() -> Any:
    """Recorded as sent when it is uploaded; a cut line afterwards leaves the hidden name."""
    real = deliver._publish

    def publish(outlet: Any, out: Any) -> tuple[str, str]:
        return ("read_back", "") if out.id % 5 == 0 else real(outlet, out)

    return mock.patch.object(deliver, "_publish", publish)


def _payments_go_to_the_first_equal_fee() -> Any:
    """Found by amount, as by `list.index` (D05)."""
    real = posters.PaymentPoster._rows

    def rows(self: Any, facts: Iterable[Any]) -> Iterator[Any]:
        first: dict[tuple[str, int], Any] = {}
        for row in real(self, iter(facts)):
            known = first.setdefault((row.account, row.cents), row)
            yield row._replace(obligation=known.obligation, reference=known.reference)

    return mock.patch.object(posters.PaymentPoster, "_rows", rows)


def _first_two_answers_only() -> Any:
    real = answers.post

    def post(books: Any, channel: str, delivery: int, cause: int, said: Any, tally: Any) -> Any:
        return real(books, channel, delivery, cause, list(islice(said, 2)), tally)

    return mock.patch.object(posters.answers, "post", post)


def _waive_forgets_its_mark() -> Any:
    return mock.patch.object(once, "_carries", lambda *_arguments: False, create=True)


PLANTS = (
    Plant("billed again", "L1: exported and not marked", _billed_again),
    Plant("said and not sent", "L2, L4: success without an effect", _said_and_not_sent),
    Plant("sent before it stands", "L2: marked, not delivered", _sent_before_it_stands),
    Plant("last lines vanish", "L3: a part of the file vanishes", _last_lines_vanish),
    Plant("third record vanishes", "L8: one bad record disappears", _third_record_vanishes),
    Plant("cleared before it is read", "L5: renamed or fetched before the books have it", _cleared_before_it_is_read),
    Plant("float money", "L9: amounts in floating point", _float_money),
    Plant("refusals unread", "section 0: posting results not read", _refusals_unread),
    Plant("equal rows are one", "L6: a second payment equal in all columns is dropped", _equal_rows_are_one),
    Plant("paid by amount", "D05: the wrong fee of two equal ones", _payments_go_to_the_first_equal_fee),
    Plant("doubled report taken", "F6; found here", _doubled_report_taken),
    Plant("reversal not told", "found here", _library_not_told_of_reversals),
    Plant("reopened counts as told", "found here", _reopened_counts_as_told),
)


@contextmanager
def planted(plant: Plant) -> Iterator[None]:
    """The product with this bug in it."""
    with plant.put():
        yield


def caught(plant: Plant, seeds: Iterable[int], days: int = 364) -> Year | None:
    """The first campus-year of these seeds in which the bug showed; None when it hid in all of them."""
    for seed in seeds:
        with planted(plant):
            year = live(seed, days)
        if not year.right:
            return year
    return None


def as_json(found: dict[str, str]) -> str:
    """What was caught, by plant."""
    return json.dumps(found)
