"""All that a campus is after its runs, in a form in which two campuses can be compared: up to ids (reliability.md I13)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from bursarbridge import config, wiring
from bursarbridge.ledger.reference import reference_of
from bursarbridge.store import views
from bursarbridge.store.books import Books

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ENDPOINTS = ("alma", "peoplesoft", "parking")
_PREFIXES, _HOLD_PREFIX = "LP", "PH"

_QUESTIONS = {
    "entries": "select o.source_reference, e.from_place, e.to_place, e.cents, e.kind, c.kind from entry e "
    "join obligation o on o.id = e.obligation_id join cause c on c.id = e.cause_id",
    "obligations": "select source_reference, account, category, cents, assessed_on from obligation",
    "lines": "select b.document, l.line_no, o.source_reference, l.from_place, l.to_place, l.cents, l.state, l.reason from batch_line l "
    "join batch b on b.id = l.batch_id join obligation o on o.id = l.obligation_id",
    "batches": "select kind, state, document, lines, cents, proof, assumed, sent_at, expected_at from batch",
    "applied": "select o.source_reference, a.period, a.cents, a.row_count, a.as_of from applied a join obligation o on o.id = a.obligation_id",
    "suspense": "select code, channel, reference, account, cents, words, blocks, resolution, opened_at, coalesce(resolved_at, '') from suspense",
    "credits": "select c.reference, c.account, c.cents, c.state, coalesce(o.source_reference, '') from credit c "
    "left join obligation o on o.id = c.obligation_id",
    "deliveries": "select channel, name, sha256, state, as_of, tally from delivery",
    "arrivals": "select name, at from arrival",
    "holds": "select account, code, reason, verb, cents, told_at, told_on, placed_on, confirmed, confirmed_at, repair, reopened_on from hold",
    "hold lines": "select h.account, l.verb, l.cents, l.because, l.item, l.by_hand, l.again, l.state, p.state, coalesce(b.document, '') "
    "from hold_line l join hold h on h.id = l.hold_id join hold_plan p on p.id = l.plan_id left join batch b on b.id = l.batch_id",
    "hold plans": "select flow, made_at, state, numbers, reasons from hold_plan",
    "hold next": "select account from hold_touched",
    "violations": "select reference, account, category, user_type, violated_on, status, cents, as_of from violation",
    "violations past": "select v.reference, p.account, p.cents, p.status, p.as_of from violation_past p join violation v on v.id = p.violation_id",
    "lists": "select as_of, covers, plain, row_count, cents, suspended_count from full_list",
    "indicators": "select channel, account, code, reason, cents, reference from indicator",
    "guarded": "select flow, kind, state, approvers, trips, numbers, opened_at, coalesce(closed_at, '') from guarded",
    "guard votes": "select actor, verdict, reason, at from guard_vote",
    "calls": "select source, event, loan_id, state, words from webhook",
    "return cases": "select o.source_reference, r.outcome, r.words, r.returned_at from return_case r join obligation o on o.id = r.obligation_id",
    "intents": "select kind, reference, person, item, fee, cents, reason, state, words from intent",
    "slots": "select flow, local_date, slot, state, outcome from slot",
    "alarms": "select leg, kind, opened_at, level, subject, readers, coalesce(resolved_at, '') from alarm",
    # A mail that was handed over when the process died is in doubt: SMTP has no way to ask (reliability.md T25).
    "mail": "select report, recipient, subject from mail",
    "guard history": "select subject, kind, line_count, cents, at from guard_history",
    # The mail of a run that was killed leaves when it has been finished, and it may be in doubt.
    "runs": "select flow, case when flow like 'report-%' then '' else started_at end, "
    "case when ended_at is null then 'unfinished' when flow like 'report-%' or flow = 'alarms' then '' else outcome end from run",
}


@dataclass(frozen=True)
class World:
    """A campus at rest. Lists are sorted; our references and batch numbers are replaced by what they stand for."""

    places: dict[str, int]
    unexplained_cents: int
    books: dict[str, list[str]]
    files: dict[str, str]
    partner: list[str]
    """What a system that is asked over HTTP has in its own books."""
    leftovers: list[str]
    """Temporary and unfinished files anywhere; there should be none."""


def world(folder: Path, partner: Sequence[str] = (), *, timed: bool = True) -> World:
    """Reads a campus; no process may be running on it. Not `timed`: instants are left out, where a slot's second try has another one."""
    bridge = wiring.build(config.load(folder / "bursarbridge.toml"))
    try:
        with bridge.books() as books:
            words = _plain_words(books, {str(folder): "<campus>"})
            plain: Callable[[str], str] = words if timed else lambda text: _INSTANT.sub("<instant>", words(text))
            told = {name: sorted(plain(json.dumps(row)) for row in books.rows(question)) for name, question in _QUESTIONS.items()}
            places, unexplained = views.places(books), views.unexplained_cents(books)
    finally:
        bridge.close()
    documents = [path for place in ENDPOINTS for path in sorted((folder / place).rglob("*")) if path.is_file()]
    files = {plain(str(path.relative_to(folder))): plain(path.read_text()) for path in documents}
    return World(places, unexplained, told, files, sorted(plain(row) for row in partner), _leftovers(folder))


def differences(one: World, other: World) -> list[str]:
    """Where two campuses differ, a line for each row that only one of them has; nothing when they are the same."""
    found = []
    for f in fields(World):
        ours, theirs = _rows(getattr(one, f.name)), _rows(getattr(other, f.name))
        found += [f"{f.name}: only here:  {row}" for row in (ours - theirs).elements()]
        found += [f"{f.name}: only there: {row}" for row in (theirs - ours).elements()]
    return found


def _rows(part: object) -> Counter[str]:
    """A part of a world as rows that can be counted."""
    if isinstance(part, dict):
        return Counter(f"{name} {row}" for name, rows in part.items() for row in (rows if isinstance(rows, list) else [rows]))
    return Counter(part if isinstance(part, list) else [str(part)])


def _leftovers(folder: Path) -> list[str]:
    unfinished = [
        path for place in (*ENDPOINTS, "data") for path in (folder / place).rglob("*") if path.name.startswith(".") or path.suffix == ".part"
    ]
    scratch = [path for place in ("data/scratch", "data/vault/incoming") for path in (folder / place).glob("*")]
    return sorted(str(path.relative_to(folder)) for path in (*unfinished, *scratch) if path.name != ".lock")


class _PlainWords:
    """Replaces what is numbered in order of making by what it means, as a rolled-back transaction leaves gaps in PostgreSQL's numbers."""

    def __init__(self, references: dict[str, str], names: dict[str, str]) -> None:
        self._words = references | names
        self._numbered = re.compile(r"(<fee [^<>]+>)-\d+\b")
        """What a system is told by API is marked with our reference and the batch."""
        self._of_delivery = re.compile(r'("[\w.-]+)@\d+(?=")')
        """What an office that bills takes back is named by the violation and the list that said so."""

    def __call__(self, text: str) -> str:
        for word, plain in self._words.items():
            text = text.replace(word, plain)
        return self._of_delivery.sub(r"\1@<delivery>", self._numbered.sub(r"\1-<batch>", text))


def _plain_words(books: Books, others: dict[str, str]) -> _PlainWords:
    references = others | {
        reference_of(prefix, int(number)): f"<fee {source}>"
        for number, source in books.rows("select id, source_reference from obligation")
        for prefix in _PREFIXES
    }
    references |= {reference_of(_HOLD_PREFIX, int(number)): f"<hold {account}>" for number, account in books.rows("select id, account from hold")}
    found = books.rows("select id from batch order by id")
    numbers = [(int(row[0]), f"<batch {rank}>") for rank, row in enumerate(found, 1)]
    names = {f"{mark}{number:06d}": plain for number, plain in numbers for mark in "_-"}
    return _PlainWords(references, names | {f"<xb:exportNumber>{number}<": f"{plain}<" for number, plain in numbers})
