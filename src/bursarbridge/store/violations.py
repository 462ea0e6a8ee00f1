"""Posting violations: what a parking source says is owed, staged a chunk at a time (ledger.violations.decide_violation is the rule).

The plain majority (new, the same again, changed since) goes by set statements; what is older, told twice at one time or of another person is
decided one by one (violation_cases). Both give the same answer (tests/store/test_violations.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bursarbridge.ledger.facts import Violation
from bursarbridge.store.books import CHUNK, Books
from bursarbridge.store.tally import Tally
from bursarbridge.store.violation_cases import KNOWN, PAST, Told, contest, decide_cases

_STAGE = "n integer primary key, reference text, account text, category text, cents bigint, violated_on text, status text, user_type text"
_COLUMNS = ("n", "reference", "account", "category", "cents", "violated_on", "status", "user_type")
_SAME = " and ".join(f"v.{column} = s.{column}" for column in _COLUMNS[3:])
_ENDS = {"new": "posted", "changed": "posted", "conflict": "conflicts", "contested": "conflicts", "other_person": ""}


@dataclass(slots=True)
class Heard:
    """What became of the facts of one delivery so far."""

    tally: Tally
    facts: int = 0
    plain: bool = True
    """Whether the books say exactly what these facts say, each violation once."""
    waiting: bool = False
    """Whether questions about violations of this source were open when the delivery began."""


def begin(books: Books, told: Told, tally: Tally) -> Heard:
    """Makes the staging tables of this transaction."""
    books.temporary("staged_violation", _STAGE)
    books.temporary("met", "n integer primary key, violation_id bigint, finding text, cents bigint")
    books.temporary("held", f"violation_id {books.number_key}, said integer")
    books.temporary("held_reference", "reference text primary key")
    books.temporary("asked_before", "suspense_id bigint, reference text")
    waiting = books.do(
        "insert into asked_before select id, reference from suspense where resolved_at is null and "
        "(substr(item_key, 1, length(:told)) = :told or substr(item_key, 1, length(:absent)) = :absent)",
        told=f"violation:{told.name}:",
        absent=f"absent:{told.name}:",
    )
    books.join_by_key(True)
    return Heard(tally, waiting=waiting > 0)


def post(books: Books, told: Told, facts: Sequence[Violation], heard: Heard) -> None:
    """Posts one chunk, at most CHUNK facts. A violation that stands in it twice is met twice, in order."""
    rest = facts
    while rest:
        first: dict[str, Violation] = {}
        again = [fact for fact in rest if first.setdefault(fact.reference, fact) is not fact]
        _post_once(books, told, list(first.values()) if again else rest, heard)
        rest = again
    heard.facts += len(facts)


def hold(books: Books, references: Sequence[str]) -> None:
    """Remembers violations that a complete list holds in a record that cannot be a fact: nothing follows from their absence among the facts.

    An id that lost its leading zeros (D24) holds the one that has them.
    """
    rows: list[dict[str, object]] = [{"reference": reference.lstrip("0")} for reference in references]
    books.many("insert into held_reference (reference) values (:reference) on conflict (reference) do nothing", rows)


def touch_late(books: Books, told: Told) -> None:
    """Has everybody decided whom a delivery speaks of that is posted only now, after later ones were evaluated (approved, or decided again)."""
    late = "exists (select 1 from hold_state where source_id = :source and last_delivery >= :delivery)"
    books.do(
        "insert into hold_touched (source_id, account) "
        f"select source_id, account from violation_news where source_id = :source and delivery_id = :delivery and {late} on conflict do nothing",
        **told.names("source", "delivery"),
    )


def _post_once(books: Books, told: Told, facts: Sequence[Violation], heard: Heard) -> None:
    """Facts of different violations."""
    assert len(facts) <= CHUNK
    books.empty("staged_violation")
    books.empty("met")
    books.stage("staged_violation", _COLUMNS, [(n, *fact) for n, fact in enumerate(facts)])
    books.do(
        "insert into met (n, violation_id, finding, cents) select s.n, v.id, case when v.id is null then 'new' "
        "when v.account <> s.account or v.as_of >= :as_of or :listed <> '' "
        "or (select h.said from held h where h.violation_id = v.id) is not null then 'case' "
        f"when {_SAME} then 'same' else 'changed' end, s.cents "
        f"from staged_violation s left join violation v on v.id = {KNOWN.format('s.reference')}",
        **told.names("as_of", "listed", "source"),
    )
    found = _findings(books)
    cases = "case" in found
    if cases:
        decide_cases(books, told, heard.tally)
        found = _findings(books)
    _write(books, told, found, cases=cases)
    if heard.waiting and not told.listed:
        _close_answered(books)
    for finding, (count, cents) in found.items():
        if end := _ENDS.get(finding, "already"):
            getattr(heard.tally, end).add(count, cents)
    heard.plain = heard.plain and found.keys() <= {"new", "changed", "same"}


def _findings(books: Books) -> dict[str, tuple[int, int]]:
    return {str(row[0]): (int(row[1]), int(row[2])) for row in books.rows("select finding, count(*), sum(cents) from met group by finding")}


def _write(books: Books, told: Told, found: dict[str, tuple[int, int]], *, cases: bool) -> None:
    names = told.names("source", "as_of", "delivery")
    if told.kind == "full":
        books.do(
            "insert into held (violation_id, said) select violation_id, case when finding = 'other_person' then 0 else 1 end from met "
            "where violation_id is not null on conflict (violation_id) do update set said = 1 where excluded.said = 1"
        )
    if "new" in found:
        books.do(
            "insert into violation (source_id, reference, account, category, user_type, violated_on, status, cents, as_of, delivery_id) "
            "select :source, s.reference, s.account, s.category, s.user_type, s.violated_on, s.status, s.cents, :as_of, :delivery "
            "from met m join staged_violation s on s.n = m.n where m.finding = 'new' order by s.n",
            **names,
        )
    if "changed" in found:
        books.do(f"{PAST} from met m join violation v on v.id = m.violation_id where m.finding = 'changed'", **told.names("delivery"))
        books.do(
            "update violation set category = s.category, user_type = s.user_type, status = s.status, cents = s.cents, as_of = :as_of, "
            "delivery_id = :delivery from met m join staged_violation s on s.n = m.n "
            "where m.finding = 'changed' and violation.id = m.violation_id",
            **told.names("as_of", "delivery"),
        )
        # Apart, because a column's index is written whenever the column is named; other cases do not change the account.
        for column in ("violated_on", "account") if cases else ("violated_on",):
            books.do(
                f"update violation set {column} = s.{column} from met m join staged_violation s on s.n = m.n "
                f"where m.finding = 'changed' and violation.id = m.violation_id and violation.{column} <> s.{column}"
            )
    if "same" in found and (told.kind != "full" or told.listed):
        _confirm(books, told)
    if "conflict" in found:
        contest(books, told)


def _confirm(books: Books, told: Told) -> None:
    """The same, said later: from now on only newer evidence counts.

    A complete list says so in one row for all it holds, unless it is the second of its time.
    """
    books.do(f"{PAST} from met m join violation v on v.id = m.violation_id where m.finding = 'same'", **told.names("delivery"))
    books.do(
        "update violation set as_of = :as_of, delivery_id = :delivery where id in (select violation_id from met where finding = 'same')",
        **told.names("as_of", "delivery"),
    )


def _close_answered(books: Books) -> None:
    """Closes the questions about violations that newer evidence has spoken of."""
    books.do(
        "update suspense set resolved_at = :at, resolution = 'told anew' where resolved_at is null and id in (select a.suspense_id "
        "from met m join staged_violation s on s.n = m.n join asked_before a on a.reference = s.reference where m.finding in ('same', 'changed'))",
        at=books.now,
    )
