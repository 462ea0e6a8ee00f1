"""Planted bugs: what public tools got wrong (peers.md 7) and what the simulator once found in us, put into the product on purpose.

A simulator that lives through them without a word has a blind spot. `./dev simulate --plants` lives with one after the other.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple
from unittest import mock

from bursarbridge.errors import Unreadable
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.flows import collect, deliver, found_holds, posters, reconcile, resolve
from bursarbridge.flows import holds as holds_flow
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.formats import delimited
from bursarbridge.ledger import holds as ledger_holds
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.facts import Answer, AnswerStatus
from bursarbridge.ledger.holds import Verb
from bursarbridge.ports import Line, Proof
from bursarbridge.store import answers, batches, deliveries, hold_batches, indicators, moves, payment_cases, violation_lists, violations
from bursarbridge.store import found_holds as found_hold_books
from bursarbridge.store.deliveries import Arrived
from bursarbridge.systems.alma import export
from bursarbridge.systems.parking import rows as parking_rows
from bursarbridge.systems.parking import violations as violation_reader
from bursarbridge.systems.peoplesoft.results import ResultReader
from bursarbridge.wiring import evidence
from tests.simulation.years.run import Year, live


class Plant(NamedTuple):
    """One bug: its name, where it comes from, and how it is put in."""

    name: str
    lesson: str
    put: Callable[[], Any]
    seeds: tuple[int, ...] = ()
    """Years in whose first quarter the bug shows, tried first."""
    losing: bool = False
    """Whether it takes a lost disk."""


def _billed_again() -> Any:
    real = moves.carry_all

    def carry_all(books: Any, table: str, source: Place, target: Place, kind: Kind, cause: int) -> int:
        return 0 if (kind, target) == (Kind.CHARGE, Place.IN_TRANSIT) else real(books, table, source, target, kind, cause)

    return mock.patch.object(moves, "carry_all", carry_all)


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

    return mock.patch.object(batches, "lines", lines)


def _third_record_vanishes() -> Any:
    real = Reading.facts

    def facts(self: Any, records: Iterable[Any]) -> Iterator[Any]:
        return real(self, (one for number, one in enumerate(records) if number != 2))

    return mock.patch.object(Reading, "facts", facts)


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
    def opened(books: Any, item: Any) -> str:
        books.do("update suspense set cents = 0 where id = :id", id=item.id)
        return "noted"

    return mock.patch.object(resolve, "_opened", opened)


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

    return mock.patch.object(answers, "post", post)


# ---- holds


def _older_list_overwrites() -> Any:
    """F2: an older list that comes late is taken for the newest."""
    real = ViolationPoster.told

    def told(self: Any, reading: Any) -> Any:
        said = real(self, reading)
        newest = violation_lists.newest(reading.books, said.source)
        return said._replace(as_of=str(int(newest.as_of) + 1), listed="") if newest and said.as_of < newest.as_of else said

    return mock.patch.object(ViolationPoster, "told", told)


def _empty_list_releases() -> Any:
    """H01: absence taken for evidence: a list that cannot be read to its end counts as far as it goes."""
    real = parking_rows.rows

    def rows(form: Any, chunks: Iterable[bytes], *, whole: bool = True) -> Iterator[Any]:
        try:
            yield from real(form, chunks, whole=whole)
        except Unreadable:
            return

    return mock.patch.object(violation_reader, "rows", rows)


def _release_sent_once() -> Any:
    real = ledger_holds.decide

    def decide(policy: Any, items: Any, told: Any, today: Any, override: Any = None) -> Any:
        said = real(policy, items, told, today, override)
        return said._replace(verb=Verb.NONE) if said.again and said.verb is Verb.RELEASE else said

    return mock.patch.object(holds_flow, "decide", decide)


def _difference_instead_of_total() -> Any:
    real = ledger_holds.decide

    def decide(policy: Any, items: Any, told: Any, today: Any, override: Any = None) -> Any:
        said = real(policy, items, told, today, override)
        return said._replace(cents=abs(said.cents - told.cents)) if said.verb is Verb.CHANGE and said.cents != told.cents else said

    return mock.patch.object(holds_flow, "decide", decide)


def _another_departments_hold() -> Any:
    """A release goes out under whatever code stands first."""
    real = hold_batches.lines

    def lines(books: Any, plans: Any, kind: str, form: Any, today: str) -> Iterator[Any]:
        for number, line in real(books, plans, kind, form, today):
            yield number, line._replace(reason="PARK2") if line.verb == "release" else line

    return mock.patch.object(hold_batches, "lines", lines)


def _partial_payment_releases() -> Any:
    real = ledger_holds.decide

    def decide(policy: Any, items: Any, told: Any, today: Any, override: Any = None) -> Any:
        said = real(policy, items, told, today, override)
        less = said.verb is Verb.CHANGE and said.cents < told.cents
        return said._replace(verb=Verb.RELEASE, cents=0) if less else said

    return mock.patch.object(holds_flow, "decide", decide)


def _appeals_count_for_nothing_asked() -> Any:
    """D22: what is disputed places a hold."""
    real = ledger_holds.decide

    def decide(policy: Any, items: Any, told: Any, today: Any, override: Any = None) -> Any:
        return real(replace(policy, disputed="count"), [one._replace(disputed=False) for one in items], told, today, override)

    return mock.patch.object(holds_flow, "decide", decide)


@contextmanager
def _approved_list_passed_by() -> Any:
    """What the simulator found in us: a list that people approved has an older number than the evaluation that passed it by.

    Two things hold it since, so both are taken away.
    """

    def readmit(books: Any, delivery: int) -> Any:
        books.do("update delivery set state = 'read', words = '' where id = :id", id=delivery)
        row = books.rows("select channel, name, sha256, size, as_of from delivery where id = :id", id=delivery)[0]
        return Arrived(row[0], row[1], row[2], int(row[3]), row[4])

    with mock.patch.object(deliveries, "readmit", readmit), mock.patch.object(violations, "touch_late", lambda *_arguments: None):
        yield


def _told_and_not_delivered() -> Any:
    """A hold file that is cut off on its way counts as told, and the bursar's list is never compared."""
    return mock.patch.object(indicators, "compare", lambda *_arguments: indicators.Compared())


def _restored_ledger_is_trusted() -> Any:
    """After a restore nobody looks for what left since the backup."""
    return mock.patch.object(reconcile, "_sort_in", lambda *_arguments: None)


def _hold_files_forgotten() -> Any:
    real = found_hold_books.put

    def put(books: Any, source: int, document: Any, *rest: Any) -> None:
        real(books, source, document, *rest)
        books.do("update hold set verb = '', cents = 0, told_at = '' where batch_id = :b", b=document.sequence)

    return mock.patch.object(found_hold_books, "put", put)


@contextmanager
def _decided_by_the_backups_facts() -> Any:
    """The lists that were read since are not read again, and nobody waits for a newer one."""
    with mock.patch.object(evidence, "list_channels", lambda *_arguments: ()), mock.patch.object(found_holds, "wait", lambda *_arguments: None):
        yield


PLANTS = (
    Plant("billed again", "L1: exported and not marked", _billed_again, (4,)),
    Plant("said and not sent", "L2, L4: success without an effect", _said_and_not_sent, (4,)),
    Plant("sent before it stands", "L2: marked, not delivered", _sent_before_it_stands, (4,)),
    Plant("last lines vanish", "L3: a part of the file vanishes", _last_lines_vanish, (4,)),
    Plant("third record vanishes", "L8: one bad record disappears", _third_record_vanishes, (4,)),
    Plant("cleared before it is read", "L5: renamed or fetched before the books have it", _cleared_before_it_is_read, (4,)),
    Plant("float money", "L9: amounts in floating point", _float_money, (4,)),
    Plant("refusals unread", "section 0: posting results not read", _refusals_unread, (4,)),
    Plant("equal rows are one", "L6: a second payment equal in all columns is dropped", _equal_rows_are_one, (4,)),
    Plant("paid by amount", "D05: the wrong fee of two equal ones", _payments_go_to_the_first_equal_fee, (4,)),
    Plant("doubled report taken", "F6; found here", _doubled_report_taken, (4,)),
    Plant("reversal not told", "found here", _library_not_told_of_reversals, (4,)),
    Plant("reopened counts as told", "found here", _reopened_counts_as_told, (4,)),
    Plant("older list overwrites", "F2: applied by arrival, not by the source's time", _older_list_overwrites, (11,)),
    Plant("cut list releases", "H01: absence taken for evidence", _empty_list_releases, (4,)),
    Plant("release sent once", "peers.md: a release that gets lost is never repeated", _release_sent_once, (1,)),
    Plant("difference instead of total", "F2: the amount is the final total, which overwrites", _difference_instead_of_total, (4,)),
    Plant("another department's hold", "peoplesoft.md 3: found by institution, code and reason", _another_departments_hold, (4,)),
    Plant("partial payment releases", "issue 4: a partial payment is an update", _partial_payment_releases, (4,)),
    Plant("appeals count", "D22: what is disputed places a hold", _appeals_count_for_nothing_asked, (4,)),
    Plant("approved list passed by", "found here", _approved_list_passed_by, (1,)),
    Plant("restored ledger is trusted", "P21: yesterday's backup sends again", _restored_ledger_is_trusted, (2,), losing=True),
    Plant("hold files forgotten", "P21: who was held since the backup stays held", _hold_files_forgotten, (2,), losing=True),
    Plant("decided by the backup's facts", "P21: what was read since is not read again", _decided_by_the_backups_facts, (1,), losing=True),
    Plant("bursar's list not compared", "peoplesoft.md 3.4: what got lost stays lost", _told_and_not_delivered, (4,)),
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
            year = live(seed, days, losing=plant.losing)
        if not year.right:
            return year
    return None
