"""Numbers and health over real HTTP: what they say, that they say it on both databases, and that they name nobody (I15, P26)."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from bursarbridge.console.metrics import METRICS
from bursarbridge.errors import BridgeError, Refused
from bursarbridge.store import opening, outbox_mail
from bursarbridge.store.outbox_mail import Letter
from bursarbridge.wiring.outward import unhealthy
from tests.campus import Campus
from tests.campus_files import WREN, Answer, Fee, Paid
from tests.console.test_webhooks import CALL, SECRET, Site, serving
from tests.returned_scenes import Library, library_in_memory
from tests.test_tidy import ROOT
from tests.watched import Watched, ear, ping_of, watched

CANARY = "Kanarienvogel"
PERSON = "98877665"


@dataclass
class Served:
    """A watched campus that serves."""

    watched: Watched
    site: Site

    def numbers(self) -> dict[tuple[str, ...], float]:
        """The page of numbers: name and label values, in the order they are declared, to value."""
        status, body = self.site.ask("GET", "/metrics")
        assert status == 200
        found = [one for family in text_string_to_metric_families(body) for one in family.samples]
        labels = {name: one.labels for name, one in METRICS.items()}
        return {(one.name, *(one.labels[label] for label in labels.get(one.name, ()))): one.value for one in found}

    def reasons(self) -> list[str]:
        """Why it is not well, as HTTP says it."""
        status, body = self.site.ask("GET", "/health")
        said = json.loads(body)
        assert said["healthy"] == (status == 200) == (said["reasons"] == []) and status in (200, 503)
        return list(said["reasons"])


@contextmanager
def served(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Serves a campus; every look is a new one."""
    monkeypatch.setattr("bursarbridge.console.outside._METRICS_SECONDS", 0)
    monkeypatch.setattr("bursarbridge.console.outside._HEALTH_SECONDS", 0)
    monkeypatch.setattr(opening, "refuse_unsafe", lambda _engine: None)  # the tests' SQLite does not wait for the disk
    monkeypatch.setenv("BURSARBRIDGE_TEST_HOOK", SECRET.decode())
    with ear() as ears:
        made = watched(library.campus, ping=ping_of(ears.base, library.campus.folder))
        with serving(made.bridge) as port:
            yield Served(made, Site(library, made.bridge, port))


def busy(made: Served) -> None:
    """A campus in which everything that is measured has happened, with canaries in every field that people or partners fill."""
    campus = made.watched.campus
    fees = [
        Fee("1", 500, PERSON, comment=CANARY),
        Fee("2", 700, PERSON, item=f"{CANARY}-3"),
        Fee(f"{CANARY}4", 900, PERSON, "CUSTOMER_DEFINED_01"),
    ]
    campus.export(*fees, name=f"{CANARY}-{PERSON}.xml")
    campus.put("alma/out", f"{CANARY}.xml", f"<{CANARY}".encode())
    made.watched.run("library-charges")
    campus.later(hours=1)
    campus.report(Paid(campus.reference("1"), 500, PERSON), Paid(f"{CANARY}5", 300, PERSON))
    made.watched.run("library-payments")
    with campus.books(writing=True) as books:
        books.run = 1
        mail = Letter(f"k{CANARY}", "late", f"{CANARY}@example.edu", "bridge@example.edu", CANARY, "<1@example.edu>", "0" * 64, 9)
        outbox_mail.queue(books, [mail])
        books.do("insert into run (name, flow, version, started_at) values ('r', 'library-credits', '1', :at)", at=books.now)
    made.site.send(CALL.replace(b"LOAN_RETURNED", f"{CANARY}".encode()))
    made.site.send(CALL)
    made.site.send(CALL, b"not the secret")
    made.site.turned_away(1)
    campus.later(hours=20)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with library_in_memory() as library, served(library, monkeypatch) as serving_it:
        yield serving_it


def test_the_page_names_every_metric_and_no_other(made: Served) -> None:
    busy(made)
    names = {name for name, *_labels in made.numbers()}
    assert {name for name in names if not name.startswith("process_")} == set(METRICS)
    assert {"process_resident_memory_bytes", "process_open_fds"} <= names


def test_every_metric_is_on_the_page_of_the_docs() -> None:
    section = (ROOT / "docs" / "monitoring.md").read_text("utf-8").partition("## Metrics")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", section, re.MULTILINE)
    assert {name: (kind, tuple(re.findall(r"`(\w+)`", labels)), words) for name, kind, labels, words in rows} == dict(METRICS)
    used = set(re.findall(r"bursarbridge_\w+", section))
    assert used <= set(METRICS), "the examples ask for metrics that there are"


def test_the_numbers_are_right(made: Served) -> None:
    busy(made)
    seen = made.numbers()
    assert seen["bursarbridge_records_total", "library-export", "posted"] == 3
    assert seen["bursarbridge_records_total", "library-export", "file_refused"] == 1
    assert seen["bursarbridge_place_cents", "in_transit"] + seen["bursarbridge_place_cents", "source"] == 2100
    assert seen["bursarbridge_runs_ended_total", "library-charges", "completed_with_exceptions"] == 1
    assert seen["bursarbridge_run_last_info", "library-credits", "running"] == 1
    assert seen["bursarbridge_runs_unfinished_age_seconds", "library-credits"] == 20 * 3600
    assert ("bursarbridge_run_last_duration_seconds", "library-credits") not in seen
    assert seen["bursarbridge_batches", "bursar", "charge", "SENT"] == 1
    assert seen["bursarbridge_batches_unanswered_age_seconds", "bursar"] == 21 * 3600
    assert seen["bursarbridge_leg_late", "bursar", "unanswered"] == 1
    assert seen["bursarbridge_suspense_oldest_age_seconds", "unmapped_fee_type"] == 21 * 3600
    assert seen["bursarbridge_suspense_open_cents", "unmapped_fee_type"] == 900
    assert seen["bursarbridge_mails", "queued"] == 1 and seen["bursarbridge_mails_oldest_age_seconds", "queued"] == 20 * 3600
    assert seen["bursarbridge_webhook_calls_total", "library", "stored"] == 2
    assert seen["bursarbridge_webhook_calls_total", "library", "not_genuine"] == 1
    assert seen["bursarbridge_webhook_calls_open", "library", "new"] == 2
    assert seen["bursarbridge_epoch_blocked",] == 0 and seen["bursarbridge_database_up",] == 1
    assert seen["bursarbridge_pings_total", "ok"] == 1


def test_records_are_counted_on_from_look_to_look(made: Served) -> None:
    campus = made.watched.campus
    for turn in range(1, 4):
        campus.export(*(Fee(f"{turn}{n}", 500) for n in range(turn)))
        made.watched.run("library-charges")
        campus.later(hours=1)
        assert made.numbers()["bursarbridge_records_total", "library-export", "posted"] == sum(range(turn + 1))


def test_p26_no_good_run_shows_in_the_numbers(made: Served) -> None:
    campus = made.watched.campus
    made.watched.run("library-charges")
    good = campus.now
    campus.later(hours=30)
    with campus.ledger.begin() as connection:
        connection.exec_driver_sql("update source set prefix = 'Q'")
    with pytest.raises(Refused, match="prefix"):
        made.watched.run("library-charges")
    seen = made.numbers()
    assert seen["bursarbridge_run_last_good_timestamp_seconds", "library-charges"] == good.timestamp()
    assert seen["bursarbridge_run_last_info", "library-charges", "failed"] == 1 and seen["bursarbridge_leg_late", "library-charges", "failed"] == 1
    assert made.reasons() == [f"the last run of library-charges failed at {campus.now:%Y-%m-%dT%H:%M:%SZ}"]


def test_i15_nothing_that_is_seen_from_outside_names_anybody(made: Served) -> None:
    busy(made)
    made.site.ask("GET", "/health")
    seen = made.site.ask("GET", "/metrics")[1] + made.site.ask("GET", "/health")[1] + made.watched.log_file.read_text()
    references = [made.watched.campus.reference(fee) for fee in ("1", "2")]
    for word in (CANARY, PERSON, WREN, SECRET.decode(), "token", *references, str(made.watched.campus.folder)):
        assert word.lower() not in seen.lower(), word
    for event in ("delivery_read", "delivery_refused", "run_ended", "webhook_turned_away"):
        assert made.watched.named(event), event


def test_health_is_200_until_something_is_late(made: Served) -> None:
    campus = made.watched.campus
    assert made.reasons() == []
    campus.export(Fee("1", 500))
    made.watched.run("library-charges")
    assert made.reasons() == []
    campus.later(hours=14)
    assert made.reasons() == [f"batch 1 to bursar should have had an answer by {campus.now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"]
    (document,) = campus.charge_files()
    campus.answer(Answer("POSTED", document))
    made.watched.run("library-charges")
    assert made.reasons() == []
    assert [one["event"] for one in made.watched.events() if one["event"].startswith("health")] == ["health_bad", "health_good"]


def test_what_could_not_leave_and_what_failed_is_late(made: Served) -> None:
    campus = made.watched.campus
    campus.export(Fee("1", 500))
    made.watched.run("library-payments")
    (campus.folder / "peoplesoft/in").rmdir()
    (campus.folder / "peoplesoft/in").write_text("no folder")
    with pytest.raises((BridgeError, OSError)):
        made.watched.run("library-charges")
    reasons = made.reasons()
    assert any(one.startswith("batch 1 to bursar could not leave since") for one in reasons)
    assert any(one.startswith("the last run of library-charges failed") for one in reasons)


def test_a_run_that_hangs_is_an_illness(made: Served) -> None:
    campus = made.watched.campus
    with campus.books(writing=True) as books:
        books.do("insert into run (name, flow, version, started_at) values ('r', 'library-credits', '1', :at)", at=books.now)
    assert made.reasons() == []
    begun = campus.now
    campus.later(hours=7)
    assert made.reasons() == [f"a run of library-credits began at {begun:%Y-%m-%dT%H:%M:%SZ} and did not end"]


def test_a_disk_without_room_another_schema_and_a_block_are_illnesses(made: Served) -> None:
    campus, settings = made.watched.campus, made.watched.bridge.settings
    full = replace(settings, health=replace(settings.health, disk_free_mib=10_000_000))
    said = unhealthy(full, campus.ledger, campus.now)
    assert [re.sub(r"\d+ MiB are free", "few", one) for one in said] == [
        "few for the vault, and 10000000 are wanted",
        "few for the ledger, and 10000000 are wanted",
    ]
    with campus.ledger.begin() as connection:
        connection.execute(sa.text("insert into epoch (number, began_at, because) values (1, '2026-08-02T00:00:00Z', 'a test')"))
    assert made.reasons() == ["the ledger was put back from a backup, and nothing leaves until it is reconciled"]
    assert made.numbers()["bursarbridge_epoch_blocked",] == 1
    with campus.ledger.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '0003'")
    assert made.reasons() == [f"the ledger has the schema 0003, and this program needs {opening.HEAD}"]


def test_p22_a_newer_schema_is_healthy_for_as_long_as_it_was_only_added_to(made: Served) -> None:
    """While machines are upgraded one by one, the old ones are well, and a balancer must not take them away."""
    ledger = made.watched.campus.ledger
    with ledger.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    assert made.reasons() == [], "what the newest migration needs is what this program knows"
    assert made.site.ask("GET", "/health")[0] == 200
    with ledger.begin() as connection:
        connection.exec_driver_sql("update schema_needs set migration = '9998'")
    (reason,) = made.reasons()
    assert "at schema 9999 and needs a program that knows 9998" in reason
    assert made.site.ask("GET", "/health")[0] == 503


def test_a_ledger_that_does_not_answer_is_said_in_time_and_the_process_lives(made: Served) -> None:
    with made.watched.campus.ledger.connect() as connection:
        connection.exec_driver_sql("rollback")
        connection.exec_driver_sql("begin exclusive")
        begun = time.monotonic()
        assert made.reasons() == ["the ledger's database is busy"]
        assert made.numbers()["bursarbridge_database_up",] == 0
        assert time.monotonic() - begun < 15
        assert made.site.ask("GET", "/health/live") == (200, '{"alive":true}')
        connection.exec_driver_sql("rollback")
    assert made.reasons() == [] and made.numbers()["bursarbridge_database_up",] == 1


def test_heads_and_other_methods(made: Served) -> None:
    for path in ("/metrics", "/health", "/health/live"):
        assert made.site.ask("HEAD", path)[0] == 200
        assert made.site.ask("POST", path)[0] == 405


def test_on_postgresql(pg_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with library_in_memory() as library:
        _move(library.campus, pg_address)
        with served(library, monkeypatch) as made:
            busy(made)
            seen = made.numbers()
            assert {name for name, *_labels in seen if not name.startswith("process_")} == set(METRICS)
            assert seen["bursarbridge_records_total", "library-export", "posted"] == 3
            assert any("should have had an answer" in one for one in made.reasons())
        library.campus.ledger.dispose()
        gone = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
        said = unhealthy(library.campus.settings, gone, datetime.fromisoformat("2026-08-03T00:00:00Z"))
        assert said == ["the ledger's database does not answer (OperationalError)"]


def _move(campus: Campus, address: str) -> None:
    ledger = opening.open_engine(address)
    opening.migrate(ledger)
    campus.ledger.dispose()
    campus.ledger = ledger


def test_without_webhooks_there_are_numbers_and_health(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(opening, "refuse_unsafe", lambda _engine: None)
    campus = Campus(tmp_path)
    with serving(watched(campus).bridge) as port:
        site = Site(Library(campus), watched(campus).bridge, port)
        assert site.ask("GET", "/health") == (200, '{"healthy":true,"reasons":[]}')
        assert site.ask("POST", "/webhooks/library", b"x")[0] == 404
    campus.close()
