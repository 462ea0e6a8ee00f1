"""The flows of a source that bills through the bursar: charges out, credits out, payments back. A page each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from bursarbridge.flows.collect import Channel, Ended, collect
from bursarbridge.flows.deliver import Delivered, Outlet, confirm, deliver
from bursarbridge.flows.run import Run
from bursarbridge.flows.submit import Leg, Submitted, submit
from bursarbridge.flows.tell import Telling, tell
from bursarbridge.store import runs
from bursarbridge.store.tally import ENDS


@dataclass(frozen=True)
class Flow:
    """What a flow reads, in order, what it then submits, and where its documents go."""

    name: str
    answers: tuple[Channel, ...]
    facts: tuple[Channel, ...]
    leg: Leg
    outlets: Mapping[str, Outlet]
    confirming: tuple[Outlet, ...]
    telling: Telling | None = None
    """In place of delivering documents: the source is told line by line."""


class Summary(TypedDict):
    """What a run did; the object that `run --json` prints, without the run's own name."""

    outcome: str
    read: dict[str, int]
    sent: dict[str, int]
    already: dict[str, int]
    conflicts: dict[str, int]
    suspended: dict[str, int]
    noted: dict[str, int]
    answers: dict[str, int]
    confirmed_lines: int
    files: list[Delivered]
    deliveries: list[Ended]
    held: NotRequired[list[str]]
    """What waits for a person before it goes on, and why."""
    warned: NotRequired[list[str]]
    """What a guard found and only tells."""


def run_flow(run: Run, flow: Flow) -> Summary:
    """Answers first, so that batches move on; then facts in; then batches out; then their delivery."""
    confirmed = sum(confirm(run, outlet) for outlet in flow.confirming)
    answered = [ended for channel in flow.answers for ended in collect(run, channel)]
    read = [ended for channel in flow.facts for ended in collect(run, channel)]
    submitted = submit(run, flow.leg)
    delivered = tell(run, flow.telling) if flow.telling else deliver(run, flow.outlets)
    summary = summary_of(confirmed, answered, read, submitted, delivered)
    run.post("finish", lambda books: runs.finish(books, run.number, summary["outcome"], dict(summary)))
    return summary


def summary_of(
    confirmed: int, answered: Sequence[Ended], read: Sequence[Ended], submitted: Sequence[Submitted], delivered: list[Delivered]
) -> Summary:
    """The summary of a run by what its parts did; what waits for a person makes it one with exceptions."""
    sums = {end: _sum(read, end) for end in ("read", *ENDS)}
    suspended = sums["suspended"]
    suspended = {
        "count": suspended["count"] + sum(one["suspended_count"] for one in submitted),
        "cents": suspended["cents"] + sum(one["suspended_cents"] for one in submitted),
    }
    ended = [*answered, *read]
    held = [one["words"] for one in ended if one["state"] == "held"] + [words for one in submitted for words in one["held"]]
    warned = [one["words"] for one in ended if one["state"] == "read" and one["words"]] + [words for one in submitted for words in one["warned"]]
    wrong = suspended["count"] + sums["conflicts"]["count"] + _sum(answered, "suspended")["count"]
    wrong += sum(one["state"] == "refused" for one in ended) + sum(not one["proof"] for one in delivered)
    idle = not (confirmed or answered or read or delivered or wrong)
    return Summary(
        outcome="held" if held else "nothing_to_do" if idle else "completed_with_exceptions" if wrong else "completed",
        read=sums["read"],
        sent={"count": sum(one["count"] for one in delivered), "cents": sum(one["cents"] for one in delivered)},
        already=sums["already"],
        conflicts=sums["conflicts"],
        suspended=suspended,
        noted=sums["noted"],
        answers={"count": sum(_sum(answered, end)["count"] for end in ENDS), "cents": 0},
        confirmed_lines=confirmed,
        files=delivered,
        deliveries=ended,
        held=held,
        warned=warned,
    )


def _sum(ended: Sequence[Ended], end: str) -> dict[str, int]:
    found = [one["tally"].get(end, {"count": 0, "cents": 0}) for one in ended]
    return {"count": sum(one["count"] for one in found), "cents": sum(one["cents"] for one in found)}
