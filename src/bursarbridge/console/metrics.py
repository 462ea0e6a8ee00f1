"""The bridge in numbers, as Prometheus reads them. Labels are names of ours and of the settings; no person, account, file or reference (I15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from bursarbridge.store.measures import Measures, Oldest

FORM: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, tuple[str, ...], int]
"""A metric's name, the values of its labels, and its value."""


class Exported(NamedTuple):
    """What a metric means, and which labels it has."""

    kind: str
    labels: tuple[str, ...]
    words: str


METRICS: Final[Mapping[str, Exported]] = {
    "bursarbridge_build_info": Exported("gauge", ("version", "environment"), "Always 1: which program this is, and whether it is live."),
    "bursarbridge_database_up": Exported("gauge", (), "1 when the ledger answered; at 0 nothing that comes from it is shown."),
    "bursarbridge_runs_ended_total": Exported("counter", ("flow", "outcome"), "Runs that ended, by flow and outcome."),
    "bursarbridge_run_last_info": Exported("gauge", ("flow", "outcome"), "Always 1: the outcome of a flow's newest run; running until it has ended."),
    "bursarbridge_run_last_started_timestamp_seconds": Exported("gauge", ("flow",), "When the newest run of a flow began."),
    "bursarbridge_run_last_ended_timestamp_seconds": Exported("gauge", ("flow",), "When the newest run of a flow ended."),
    "bursarbridge_run_last_duration_seconds": Exported("gauge", ("flow",), "How long the newest run of a flow took, in whole seconds."),
    "bursarbridge_run_last_good_timestamp_seconds": Exported(
        "gauge", ("flow",), "When a run of the flow last ended without having failed or been held."
    ),
    "bursarbridge_runs_unfinished": Exported(
        "gauge", ("flow",), "Runs that began and have not ended: at work, or waiting in the engine to be resumed."
    ),
    "bursarbridge_runs_unfinished_age_seconds": Exported("gauge", ("flow",), "The age of the oldest of them."),
    "bursarbridge_records_total": Exported("counter", ("channel", "end"), "Records read, by where they ended; file_refused counts whole files."),
    "bursarbridge_place_cents": Exported("gauge", ("place",), "Cents in each place."),
    "bursarbridge_suspense_open": Exported("gauge", ("code",), "Items that wait for a person, by code."),
    "bursarbridge_suspense_open_cents": Exported("gauge", ("code",), "Their cents."),
    "bursarbridge_suspense_oldest_age_seconds": Exported("gauge", ("code",), "The age of the oldest of them."),
    "bursarbridge_batches": Exported("gauge", ("destination", "kind", "state"), "Batches, by destination, kind and state."),
    "bursarbridge_batches_cents": Exported("gauge", ("destination", "kind", "state"), "Their cents."),
    "bursarbridge_batches_unanswered": Exported("gauge", ("destination",), "Batches that left and wait for an answer."),
    "bursarbridge_batches_unanswered_age_seconds": Exported("gauge", ("destination",), "How long the oldest of them has been away."),
    "bursarbridge_leg_late": Exported("gauge", ("leg", "kind"), "1 for every leg that is late."),
    "bursarbridge_mails": Exported("gauge", ("state",), "Mails, by state; queued is the queue."),
    "bursarbridge_mails_oldest_age_seconds": Exported("gauge", ("state",), "The age of the oldest mail that is queued or being sent."),
    "bursarbridge_webhook_calls_total": Exported("counter", ("source", "end"), "Webhook calls answered by this process, by how they ended."),
    "bursarbridge_webhook_calls_open": Exported("gauge", ("source", "state"), "Stored calls that have not been worked off."),
    "bursarbridge_webhook_calls_open_age_seconds": Exported("gauge", ("source", "state"), "The age of the oldest of them."),
    "bursarbridge_epoch_blocked": Exported("gauge", (), "1 while nothing leaves because the ledger was put back from a backup."),
    "bursarbridge_disk_free_bytes": Exported("gauge", ("place",), "Free space where the vault and a SQLite ledger are."),
    "bursarbridge_log_lines_lost_total": Exported("counter", (), "Log lines of this process that could not be written."),
    "bursarbridge_pings_total": Exported("counter", ("outcome",), "Dead-man pings of this process: ok, fail, or unheard."),
}
"""Everything that is exported beside the process's own numbers; docs/monitoring.md has a row for each, and a test compares them."""


class Seen(NamedTuple):
    """Everything a page is made of."""

    version: str
    environment: str
    measures: Measures | None
    """None when the ledger did not answer."""
    records: Mapping[tuple[str, str], int]
    answered: Mapping[tuple[str, str], int]
    """Webhook calls of this process, by source and end."""
    disks: Mapping[str, int]
    lines_lost: int
    pings: Mapping[str, int]


def page(seen: Seen) -> bytes:
    """The page, in FORM; the process's memory, handles and times stand at its end."""
    registry = CollectorRegistry()
    registry.register(_Page(seen))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Page(Collector):
    """One look, as the library collects it."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterable[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, labels, value in _samples(self._seen):
            if name not in families:
                one = METRICS[name]
                make = CounterMetricFamily if one.kind == "counter" else GaugeMetricFamily
                families[name] = make(name, one.words, labels=one.labels)
            families[name].add_metric(labels, value)
        return families.values()


def _samples(seen: Seen) -> Iterator[Sample]:
    yield "bursarbridge_build_info", (seen.version, seen.environment), 1
    yield "bursarbridge_database_up", (), int(seen.measures is not None)
    if seen.measures is not None:
        yield from _of_runs(seen.measures)
        yield from _of_money(seen.measures)
        yield from _of_queues(seen.measures)
        for labels, count in sorted(seen.records.items()):
            yield "bursarbridge_records_total", labels, count
    for labels, count in sorted(seen.answered.items()):
        yield "bursarbridge_webhook_calls_total", labels, count
    for place, free in seen.disks.items():
        yield "bursarbridge_disk_free_bytes", (place,), free
    yield "bursarbridge_log_lines_lost_total", (), seen.lines_lost
    for outcome, count in sorted(seen.pings.items()):
        yield "bursarbridge_pings_total", (outcome,), count


def _of_runs(measures: Measures) -> Iterator[Sample]:
    for flow, outcome, count in measures.ended:
        yield "bursarbridge_runs_ended_total", (flow, outcome), count
    for one in measures.flows:
        label = (one.flow,)
        yield "bursarbridge_run_last_info", (one.flow, one.outcome), 1
        yield "bursarbridge_run_last_started_timestamp_seconds", label, _seconds(one.started_at)
        if one.ended_at:
            yield "bursarbridge_run_last_ended_timestamp_seconds", label, _seconds(one.ended_at)
            yield "bursarbridge_run_last_duration_seconds", label, _seconds(one.ended_at) - _seconds(one.started_at)
        if one.good_at:
            yield "bursarbridge_run_last_good_timestamp_seconds", label, _seconds(one.good_at)
    for run in measures.unfinished:
        yield "bursarbridge_runs_unfinished", (run.name,), run.number
        yield "bursarbridge_runs_unfinished_age_seconds", (run.name,), _age(run, measures)


def _of_money(measures: Measures) -> Iterator[Sample]:
    for place, cents in measures.places.items():
        yield "bursarbridge_place_cents", (place,), cents
    for item in measures.suspense:
        yield "bursarbridge_suspense_open", (item.code,), item.number
        yield "bursarbridge_suspense_open_cents", (item.code,), item.cents
        yield "bursarbridge_suspense_oldest_age_seconds", (item.code,), _seconds(measures.now) - _seconds(item.oldest_at)
    for batch in measures.batches:
        labels = (batch.destination, batch.kind, batch.state)
        yield "bursarbridge_batches", labels, batch.number
        yield "bursarbridge_batches_cents", labels, batch.cents


def _of_queues(measures: Measures) -> Iterator[Sample]:
    for away in measures.unanswered:
        yield "bursarbridge_batches_unanswered", (away.name,), away.number
        yield "bursarbridge_batches_unanswered_age_seconds", (away.name,), _age(away, measures)
    for late in sorted({(late.leg, late.kind) for late in measures.late}):
        yield "bursarbridge_leg_late", late, 1
    for mail in measures.mails:
        yield "bursarbridge_mails", (mail.name,), mail.number
        if mail.name in ("queued", "sending"):
            yield "bursarbridge_mails_oldest_age_seconds", (mail.name,), _age(mail, measures)
    for call in measures.calls:
        yield "bursarbridge_webhook_calls_open", (call.name, call.kind), call.number
        yield "bursarbridge_webhook_calls_open_age_seconds", (call.name, call.kind), _age(call, measures)
    yield "bursarbridge_epoch_blocked", (), int(measures.blocked)


def _age(one: Oldest, measures: Measures) -> int:
    return max(0, _seconds(measures.now) - _seconds(one.at))


def _seconds(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp())


class Answered:
    """How the webhook calls of this process ended."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, str]] = Counter()

    def __call__(self, source: str, end: str) -> None:
        """Counts one; called in the server's one loop."""
        self.counted[source, end] += 1
