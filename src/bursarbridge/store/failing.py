"""Runs that fail: written down, and shown to a person when they fail the same way again and again (P23)."""

from __future__ import annotations

import json

from bursarbridge.store import runs, suspense
from bursarbridge.store.books import Books

ALIKE_MAX = 5
"""So many runs of a flow in a row that fail with the same words are a person's, however often time is given to cure them."""


def failed(books: Books, name: str, flow: str, words: str, *, set_aside: bool = False) -> int:
    """Writes down that a run failed; returns how many runs of the flow in a row now failed with the same words."""
    number = runs.begin(books, name, flow, "1")
    runs.finish(books, number, "failed", {"words": words})
    if set_aside:
        suspense.put(books, flow, [suspense.Item(f"run:{name}", "run_set_aside", words, reference=name)])
    alike = _alike(books, flow, words)
    if alike >= ALIKE_MAX:
        told = f"the last {alike} runs of {flow} failed the same way: {words}"
        suspense.put(books, flow, [suspense.Item(f"flow:{flow}", "flow_keeps_failing", told, reference=flow)])
    return alike


def _alike(books: Books, flow: str, words: str) -> int:
    last = books.rows(
        "select outcome, summary from run where flow = :flow and ended_at is not null order by id desc limit :most", flow=flow, most=100
    )
    count = 0
    for outcome, summary in last:
        if outcome != "failed" or json.loads(summary).get("words") != words:
            break
        count += 1
    return count
