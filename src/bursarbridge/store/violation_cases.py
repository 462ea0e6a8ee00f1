"""Violations that are not plain news: older, told twice at one time, or under another person's id. Decided one by one by the ledger's rule."""

from __future__ import annotations

import json
from typing import NamedTuple

from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ledger.violations import Finding, KnownViolation, conflict_words, decide_violation, other_person_words
from bursarbridge.store import suspense
from bursarbridge.store.books import Books
from bursarbridge.store.tally import Tally


class Told(NamedTuple):
    """One delivery of a source's violations: what it is and how it speaks."""

    source: int
    name: str
    """The source's name."""
    channel: str
    delivery: int
    as_of: str
    kind: str
    """full (all that is outstanding), changes, added, or released (rows that speak for themselves)."""
    listed: str = ""
    """The time of the newest complete list read before, when this is no newer; "" else."""
    list_delivery: int = 0
    """The delivery of that list."""

    def names(self, *fields: str) -> dict[str, object]:
        """Some fields, as the values of a statement."""
        return {field: getattr(self, field) for field in fields}


KNOWN = "(select w.id from violation w where w.source_id = :source and w.reference = {})"
"""The number of the violation of that reference: asked for row by row, or PostgreSQL, which has no statistics yet, reads all of a source's."""

PAST = (
    "insert into violation_past (violation_id, account, category, user_type, violated_on, status, cents, as_of, delivery_id, until_delivery_id) "
    "select v.id, v.account, v.category, v.user_type, v.violated_on, v.status, v.cents, v.as_of, v.delivery_id, :delivery"
)
"""The beginning of the statement that keeps rows (v) as they are before they change."""

_CASES = (
    "select m.n, s.reference, s.account, s.category, s.cents, s.violated_on, s.status, s.user_type, "
    "v.account, v.category, v.cents, v.violated_on, v.status, v.user_type, v.as_of, "
    "exists (select 1 from held h where h.violation_id = v.id and h.said = 1), "
    "v.delivery_id > :list_delivery "
    "or exists (select 1 from suspense a where a.item_key = 'absent:' || :name || ':' || v.reference and a.resolved_at is null), "
    "exists (select 1 from suspense p where p.item_key = 'violation:' || :name || ':' || v.reference || ':' || s.account "
    "and p.resolution = 'accept' and p.delivery_id >= v.delivery_id), "
    "exists (select 1 from violation_past b where b.violation_id = v.id and b.as_of = v.as_of) "
    "from met m join staged_violation s on s.n = m.n join violation v on v.id = m.violation_id where m.finding = 'case' order by m.n"
)


def decide_cases(books: Books, told: Told, tally: Tally) -> None:
    """Gives every fact that was met as a case its finding, and puts the questions to people."""
    findings: list[dict[str, object]] = []
    items: list[suspense.Item] = []
    for row in books.rows(_CASES, **told.names("name", "list_delivery")):
        fact = Violation(row[1], row[2], row[3], int(row[4]), row[5], Standing(row[6]), row[7])
        known = KnownViolation(row[8], row[9], int(row[10]), row[11], Standing(row[12]), row[13], row[14])
        held, unlisted, moved, contested = map(bool, row[15:19])
        listed = told.as_of if held else "" if unlisted else told.listed
        finding = decide_violation(fact, told.as_of, known, listed, moved=moved)
        findings.append({"n": row[0], "finding": _named(finding, told, known, listed, contested=contested)})
        if finding in (Finding.CONFLICT, Finding.OTHER_PERSON):
            items.append(_question(told, finding, fact, known))
    books.many("update met set finding = :finding where n = :n", findings)
    undecided = suspense.put_undecided(books, told.channel, items)
    for item in items:
        if item.code == "violation_other_person":
            (tally.suspended if item.key in undecided else tally.already).add(1, item.cents)


def contest(books: Books, told: Told) -> None:
    """Two statements of one time differ: what was true before that time is true again, and the one that was applied is past.

    A violation that was first told then owes nothing until it is told anew.
    """
    names = told.names("as_of", "delivery")
    # What a complete list of the same time said stands in an older row; it is written down as said then.
    books.do(
        f"{PAST.replace('v.as_of', ':as_of')} from met m join violation v on v.id = m.violation_id where m.finding = 'conflict'",
        **names,
    )
    those = "id in (select violation_id from met where finding = 'conflict')"
    # First, for whoever is named by what changes below is named as of this delivery (violation_news).
    books.do(f"update violation set delivery_id = :delivery where {those}", **told.names("delivery"))
    ours = f"{those} and as_of = :as_of"
    before = "from violation_past p where p.violation_id = violation.id and p.as_of < :as_of"
    columns = ("account", "category", "user_type", "violated_on", "status", "cents")
    back = ", ".join(f"{column} = (select p.{column} {before} order by p.as_of desc, p.until_delivery_id desc limit 1)" for column in columns)
    known = f"exists (select 1 {before})"
    books.do(f"update violation set status = 'absent', cents = 0 where {ours} and not {known}", **told.names("as_of"))
    books.do(f"update violation set {back} where {ours} and {known}", **told.names("as_of"))
    books.do(f"update violation set as_of = :as_of where {those}", **told.names("as_of"))


def _named(finding: Finding, told: Told, known: KnownViolation, listed: str, *, contested: bool) -> str:
    """The finding as the statements name it: nothing is written for what says nothing later, and a conflict is carried out once."""
    if finding is Finding.SAME and told.as_of == max(known.as_of, listed):
        return "known"
    return "contested" if finding is Finding.CONFLICT and contested and known.as_of == told.as_of else str(finding)


def _question(told: Told, finding: Finding, fact: Violation, known: KnownViolation) -> suspense.Item:
    raw = json.dumps({"as_of": told.as_of})
    key = f"violation:{told.name}:{fact.reference}"
    if finding is Finding.CONFLICT:
        words = conflict_words(fact, known)
        return suspense.Item(key, "violation_conflict", words, fact.reference, fact.account, fact.cents, raw, delivery=told.delivery)
    words = other_person_words(fact, known)
    return suspense.Item(
        f"{key}:{fact.account}", "violation_other_person", words, fact.reference, fact.account, fact.cents, raw, delivery=told.delivery
    )
