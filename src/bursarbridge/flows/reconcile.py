"""Reconcile: after a restore, what left since the backup is found from evidence and entered again; nothing is sent (reliability.md P21).

Inputs read since the backup are read again in the order of their time, and every document of ours that is found becomes a batch
again under its own number, so that no fee is billed twice, no name is used twice, and answers find what they speak of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TypedDict

from bursarbridge.errors import Refused, Unreadable
from bursarbridge.flows import found_holds
from bursarbridge.flows.again import Again, Input
from bursarbridge.flows.collect import collect, time_of
from bursarbridge.flows.evidence import Evidence, Owner
from bursarbridge.flows.run import Run
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.facts import Answer, Charge, Fact, Violation
from bursarbridge.ledger.found import Claims, FoundDocument, FoundLine
from bursarbridge.ledger.reference import number_in, reference_of
from bursarbridge.ports import Rejected
from bursarbridge.store import batches, epochs, found, runs, suspense
from bursarbridge.store.batches import Route
from bursarbridge.store.books import CHUNK, Books
from bursarbridge.store.hold_batches import ADDED, RELEASED

HOLDS = (ADDED, RELEASED)
_PLACES = {
    Kind.CHARGE: (Place.SOURCE, Place.BURSAR),
    Kind.CREDIT: (Place.WAIVED, Place.SETTLED),
    Kind.PAYMENT: (Place.PAID, Place.SETTLED),
}


class Found(TypedDict):
    """What came of one document."""

    name: str
    kind: str
    lines: int
    cents: int
    state: str
    """known, sent, in_doubt, waits (not all its fees are known yet), trace, or conflict."""
    words: str


class Findings(TypedDict):
    """What a reconciliation found."""

    documents: list[Found]
    inputs: list[str]
    """Names of the files that were read again."""
    unnamed: dict[str, int]
    """Lines of our documents whose fee nothing names: count and cents."""
    conflicts: int
    mails: int


@dataclass
class _Search:
    """A reconciliation under way."""

    run: Run
    evidence: Evidence
    open: dict[str, tuple[FoundDocument, list[FoundLine]]] = field(default_factory=dict)
    """Documents that are not batches yet, with their lines."""
    waiting: list[Input] = field(default_factory=list)
    """Files to read again, in their order."""
    traces: dict[str, FoundDocument] = field(default_factory=dict)
    outcome: dict[str, Found] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    highest: int = 0
    """The highest obligation number that anything names."""


def look(run: Run, evidence: Evidence) -> Findings:
    """Finds out and enters what is certain; what is not stays open for another look. Nothing is sent, nothing is lifted."""
    return _findings(_search(run, evidence))


def conclude(run: Run, evidence: Evidence, actor: str, note: str) -> Findings:
    """The same, and then what is left is decided the careful way, numbers go on above the highest seen, and the block is lifted.

    Raises Refused, with the block still there, when a number of a document was given to something else since.
    """
    search = _search(run, evidence)
    wrong = [one for one in search.outcome.values() if one["state"] == "conflict"]
    if wrong:
        raise Refused(
            f"{wrong[0]['name']}: {wrong[0]['words']}. Two documents cannot have one number, so the books cannot be mended from here; "
            "restore the backup again and reconcile before anything else runs, or ask whoever maintains the bridge"
        )
    while search.open:
        _finish(search, *min(search.open.values(), key=lambda one: (one[0].made_at, one[0].sequence)))
        _read_and_enter(search)
    for document in search.traces.values():
        _trace(search, document)
    for waiting in search.waiting:
        _read(search, waiting)
    run.post("sealed", partial(_doubt_sealed, search))
    numbers = (max([evidence.highest[0], *(one.sequence for one in evidence.documents)]), max(evidence.highest[1], search.highest))
    run.post("numbers", partial(_reserve, search, numbers))
    run.post("mail", found.doubt_mails)
    run.post("lift", lambda books: epochs.lift(books, actor, note).number)
    return _findings(search)


def _search(run: Run, evidence: Evidence) -> _Search:
    search = _Search(run, evidence)
    run.post("mails", lambda books: found.put_mails(books, evidence.mails))
    for document in sorted(evidence.documents, key=lambda one: (one.made_at, one.sequence)):
        _sort_in(search, document)
    _claim(search)
    search.waiting = sorted(evidence.inputs, key=lambda one: (one.at, one.name))
    _read_and_enter(search)
    _ask(search)
    _read_and_enter(search)
    search.highest = max(search.highest, run.post("references", partial(_highest_named, evidence.owners)))
    return search


def _sort_in(search: _Search, document: FoundDocument) -> None:
    """Whether a document is new to the ledger, known as not sent, known as sent, or in another's place."""
    number, state, sha256 = search.run.post(f"known {document.name}", lambda books: found.known_batch(books, document))
    if number and document.sha256 and str(sha256) not in ("", document.sha256):
        words = f"other bytes than ours stand under its name; {document.where}"
        search.outcome[document.name] = _told(document, [], "conflict", words)
        return
    if number:
        if state in ("SEALED", "IN_DOUBT") and document.left and not document.told:
            search.run.post(f"left {document.name}", partial(_mark_left, search.evidence, document, number))
        search.outcome[document.name] = _told(document, [], "known", f"in the books; {document.where}")
        return
    other = search.run.post(f"number {document.name}", lambda books: found.number_taken(books, document))
    if other:
        search.outcome[document.name] = _told(document, [], "conflict", f"its number {document.sequence} is that of {other} by now")
    elif document.kind in HOLDS:
        _sort_in_holds(search, document)
    elif not document.sha256:
        search.traces[document.name] = document
    else:
        document, lines = search.evidence.lines(document)
        if lines:
            search.open[document.name] = (document, lines)
            search.highest = max([search.highest, *(one.number for one in lines)])
        else:
            search.traces[document.name] = document


def _sort_in_holds(search: _Search, document: FoundDocument) -> None:
    found_holds.wait(search.run, search.evidence, document)
    entered = found_holds.enter(search.run, search.evidence, document) if document.sha256 else None
    if entered is None:
        search.traces[document.name] = document
        return
    state, words = "sent" if document.left else "in_doubt", f"entered again; {document.where}"
    search.outcome[document.name] = Found(name=document.name, kind=document.kind, lines=entered.lines, cents=entered.cents, state=state, words=words)


def _mark_left(evidence: Evidence, document: FoundDocument, number: int, books: Books) -> bool:
    batches.mark_uploaded(books, number)
    batches.mark_sent(books, number, "found", evidence.expected(document))
    suspense.close(books, f"doubt:{number}", "found", note=document.where)
    return True


def _claim(search: _Search) -> None:
    """Gives fees that are read again the numbers they had, before any other fee can get them."""
    charged = [line for document, lines in search.open.values() if document.kind == Kind.CHARGE for line in lines]
    numbers = search.run.post("numbers free", lambda books: sorted(found.missing_numbers(books, [one.number for one in charged])))
    free = set(numbers)
    claims = Claims(one for one in charged if one.number in free)
    for waiting in sorted(search.evidence.inputs, key=lambda one: (one.at, one.name)):
        owner = search.evidence.owners.get(waiting.owner)
        if owner is None or not _is_readable(waiting):
            continue
        as_of, _dated = time_of(waiting.channel, waiting.seen)
        facts = (one for fact in waiting.channel.records(waiting.path) if (one := charge_in(fact, as_of)))
        for number, chunk in enumerate(iter(lambda taken=facts: list(islice(taken, CHUNK)), [])):  # type: ignore[misc]
            search.run.post(f"claim {waiting.name} {number}", partial(_assess, owner, claims, chunk))


def _is_readable(waiting: Input) -> bool:
    """Whether a file can be read to its end: of one that cannot nothing was posted, and nothing will be."""
    try:
        for _ in waiting.channel.records(waiting.path):
            pass
    except Unreadable:
        return False
    return True


def charge_in(fact: Fact | Rejected, as_of: str) -> Charge | None:
    """The charge that a record of a source's file was, or became; None for another kind of record."""
    if isinstance(fact, Violation) and fact.cents:
        return Charge(fact.reference, fact.account, fact.category, fact.cents, fact.violated_on, fact.reference, "", as_of)
    return fact if isinstance(fact, Charge) else None


def _assess(owner: Owner, claims: Claims, chunk: list[Charge], books: Books) -> int:
    source = runs.source_number(books, owner.name, owner.prefix)
    unknown = found.unknown_fees(books, source, chunk)
    numbered = [(number, charge) for charge in unknown if (number := claims.take(owner.name, charge))]
    if numbered:
        found.assess(books, source, books.cause("evidence", words="its number stands in a document of ours that left before the restore"), numbered)
    return len(numbered)


def _enter_all(search: _Search) -> None:
    for document, lines in list(search.open.values()):
        _enter(search, document, lines)


def _enter(search: _Search, document: FoundDocument, lines: list[FoundLine]) -> None:
    """Makes a document's batch again once every line's money stands where the document took it from."""
    done = search.run.post(f"enter {document.name}", partial(_entered, search, document, lines))
    if done:
        del search.open[document.name]
        state = "sent" if document.left else "in_doubt"
        search.outcome[document.name] = _told(document, lines, state, f"entered again; {document.where}")


def _entered(search: _Search, document: FoundDocument, lines: list[FoundLine], books: Books) -> bool:
    route, numbers = _resolved(search, document, lines, books)
    chosen = [(number, line.cents) for number, line in zip(numbers, lines, strict=True)]
    if 0 in numbers or len(found.covered(books, route.take_from, chosen)) < len(lines):
        return False
    found.put_batch(books, document, route, chosen, [], search.evidence.expected(document))
    return True


def _resolved(search: _Search, document: FoundDocument, lines: Sequence[FoundLine], books: Books) -> tuple[Route, list[int]]:
    owner = search.evidence.owners[lines[0].source]
    source = runs.source_number(books, owner.name, owner.prefix)
    kind = Kind(document.kind)
    route = Route(document.destination, document.flow, source, owner.prefix, kind, *_PLACES[kind])
    return route, found.resolve_lines(books, source, route, lines)


def _finish(search: _Search, document: FoundDocument, lines: list[FoundLine]) -> None:
    """Enters a document although not every line's fee stands where it should: no line of it may leave a second time."""
    unnamed, held = search.run.post(f"finish {document.name}", partial(_finished, search, document, lines))
    words = f"entered again; {document.where}"
    words += f"; {unnamed} of its fees are known by our own reference only" if unnamed else ""
    words += f"; {held} wait for a person" if held else ""
    del search.open[document.name]
    search.outcome[document.name] = _told(document, lines, "sent" if document.left else "in_doubt", words)


def _finished(search: _Search, document: FoundDocument, lines: list[FoundLine], books: Books) -> tuple[int, int]:
    route, numbers = _resolved(search, document, lines, books)
    pairs = list(zip(numbers, lines, strict=True))
    missing = [line for number, line in pairs if not number and line.number]
    if route.kind is Kind.CHARGE and missing:
        free = found.missing_numbers(books, [one.number for one in missing])
        missing = [one for one in missing if one.number in free]
        cause = books.cause("evidence", words=f'"{document.name}" billed it before the restore, and no file of the source names it')
        found.assess_unnamed(books, route.source, route.prefix, cause, missing)
        route, numbers = _resolved(search, document, lines, books)
        pairs = list(zip(numbers, lines, strict=True))
    chosen = [(number, line.cents) for number, line in pairs if number]
    there = found.covered(books, route.take_from, chosen)
    moving = [one for one in chosen if one[0] in there]
    rest = [one for one in chosen if one[0] not in there]
    settled = rest if route.kind is Kind.PAYMENT else []
    found.put_batch(books, document, route, moving, settled, search.evidence.expected(document))
    if route.kind is not Kind.PAYMENT:
        found.hold_back(books, document, rest)
    return len(missing) if route.kind is Kind.CHARGE else 0, len(pairs) - len(moving) - len(settled)


def _read_and_enter(search: _Search) -> None:
    """Reads what waits in its order and enters documents between, until neither goes on; an answer waits for what it speaks of."""
    before = -1
    while before != len(search.waiting):
        before = len(search.waiting)
        for waiting in list(search.waiting):
            _enter_all(search)
            if not _speaks_of_unknown(search, waiting):
                search.waiting.remove(waiting)
                _read(search, waiting)
    _enter_all(search)


def _read(search: _Search, waiting: Input) -> None:
    ended = collect(search.run, replace(waiting.channel, endpoint=Again(waiting), settle_seconds=0, patterns=("*",), excluded=()))
    search.read += [one["name"] for one in ended if one["state"] == "read"]


def _speaks_of_unknown(search: _Search, waiting: Input) -> bool:
    """Whether a file answers about a document of ours that is not in the books; one that nobody has is noted as a trace."""
    unknown = False
    for fact in _answers(waiting.channel.records(waiting.path)) if waiting.answers and _is_readable(waiting) else ():
        search.highest = max([search.highest, *(_number(owner, fact.reference) for owner in search.evidence.owners.values())])
        trace = search.evidence.traced(fact.document)
        if trace is None or search.run.post(f"traced {trace.name}", lambda books, one=trace: found.number_known(books, one.sequence)):  # type: ignore[misc]
            continue
        unknown = True
        if not any(trace.sequence == one.sequence for one in search.evidence.documents):
            search.traces.setdefault(trace.name, trace._replace(where=f"{waiting.name} answers about it"))
    return unknown


def _answers(records: Iterable[Fact | Rejected]) -> Iterable[Answer]:
    return (one for one in records if isinstance(one, Answer))


def _trace(search: _Search, document: FoundDocument) -> None:
    """Writes down that a document left of which there is nothing to read: its number is taken, and what it may have carried waits for a person."""
    words = f'"{document.name}" left before the restore ({document.where}), and nobody here has its bytes: get a copy from the other side'

    def traced(books: Books) -> bool:
        found.put_trace(books, document, words)
        if document.kind in HOLDS:  # no money stands anywhere for it
            return True
        kinds = [Kind(document.kind)] if document.kind else list(_PLACES)
        for kind in kinds:  # whatever stands there now may have stood in it
            found.hold_back(books, document, found.standing_at(books, _PLACES[kind][0]))
        return True

    search.run.post(f"trace {document.name}", traced)
    search.outcome[document.name] = _told(document, [], "trace", words)


def _ask(search: _Search) -> None:
    """Asks a source that is told one by one which of the payments that would be told it shows already under our names."""
    shown: dict[int, list[FoundLine]] = defaultdict(list)
    for name, told in search.evidence.told.items():
        owner = search.evidence.owners[name]
        for number, account, fee in search.run.post(f"paid {owner.name}", lambda books, source=name: found.paid_fees(books, source)):  # type: ignore[misc]
            reference = reference_of(owner.prefix, number)
            for batch, cents in search.run.act(f"ask {reference}", partial(told, account, fee, reference)):
                shown[batch].append(FoundLine(owner.name, number, fee, account, "", cents))
    for batch, lines in shown.items():
        document = FoundDocument(
            f"told-{batch:06d}", batch, lines[0].source, "library-payments", "payment", search.run.now, True, True, "", 0, "shown"
        )
        if not search.run.post(f"told {batch}", lambda books, one=batch: found.number_known(books, one)):  # type: ignore[misc]
            search.open[document.name] = (document, lines)


def _doubt_sealed(search: _Search, books: Books) -> int:
    """What was about to leave when the backup was made, and of which nothing shows whether it did, waits for a person."""
    doubtful = [one for one in found.sealed_of(books) if one[2] not in search.evidence.told_destinations]
    for number, _document, _destination in doubtful:
        batches.mark_in_doubt(books, number, "it was about to leave when the backup was made that was put back, and nothing shows whether it did")
    return len(doubtful)


def _reserve(search: _Search, numbers: tuple[int, int], books: Books) -> bool:
    owner = next(iter(search.evidence.owners.values()))
    found.reserve(books, runs.source_number(books, owner.name, owner.prefix), *numbers)
    return True


def _highest_named(owners: Mapping[str, Owner], books: Books) -> int:
    """The highest of our numbers that a payment or answer in suspense names."""
    texts = found.suspended_references(books)
    return max([0, *(number for text in texts for owner in owners.values() if (number := _number(owner, text)))])


def _number(owner: Owner, reference: str) -> int:
    try:
        return number_in(owner.prefix, reference)
    except Unreadable:
        return 0


def _told(document: FoundDocument, lines: Sequence[FoundLine], state: str, words: str) -> Found:
    return Found(name=document.name, kind=document.kind, lines=len(lines), cents=sum(one.cents for one in lines), state=state, words=words)


def _findings(search: _Search) -> Findings:
    waiting = [line for document, lines in search.open.values() if document.kind == Kind.CHARGE for line in lines]
    numbers = search.run.post("unnamed", lambda books: sorted(found.missing_numbers(books, [one.number for one in waiting])))
    unnamed = [one for one in waiting if one.number in set(numbers)]
    still = [_told(one, lines, "waits", f"not all its fees are known; {one.where}") for one, lines in search.open.values()]
    traces = [_told(one, [], "trace", one.where) for name, one in search.traces.items() if name not in search.outcome]
    return Findings(
        documents=sorted([*search.outcome.values(), *still, *traces], key=lambda one: one["name"]),
        inputs=search.read,
        unnamed={"count": len(unnamed), "cents": sum(one.cents for one in unnamed)},
        conflicts=sum(one["state"] == "conflict" for one in search.outcome.values()),
        mails=len(search.evidence.mails),
    )
