"""What is known after an outcome that nobody saw: a partner faster than our mark, a line that failed, a kill that a person looks into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.errors import Refused, TryLater
from bursarbridge.jobs import engine
from bursarbridge.jobs.lock import Busy
from bursarbridge.store import views
from bursarbridge.wiring import Bridge
from tests.crash import child, twin
from tests.crash.stages import DATABASES, KILLED, NEXT, Stage

StageOf = Callable[[str, str], Stage]
FLOW = "library-charges"


@pytest.fixture(params=DATABASES)
def stage(request: pytest.FixtureRequest, stage_of: StageOf) -> Stage:
    """The evening of the charges, on each database."""
    return stage_of(FLOW, request.param)


def test_t17_a_partner_takes_the_file_before_a_killed_run_has_seen_it(stage: Stage) -> None:
    with stage.fresh() as folder:
        child.run(folder, (FLOW, KILLED), crash_at="publish.renamed")
        (document,) = _documents(folder)
        document.unlink()
        child.run(folder, (FLOW, NEXT))
        assert _documents(folder) == [], "nothing is sent a second time"
        world = twin.world(folder)
        assert '"SENT"' in world.books["batches"][0] and '"taken"' in world.books["batches"][0]
        assert world.places == stage.unhurt.places and world.books["suspense"] == stage.unhurt.books["suspense"] and not world.leftovers


def test_t17_a_partner_takes_the_file_between_the_rename_and_the_look(stage: Stage) -> None:
    def take(point: str) -> None:
        if point == "publish.renamed":
            for document in _documents(folder):
                document.unlink()

    with stage.fresh() as folder, _bridge(folder, take) as bridge:
        told = bridge.run(FLOW)
        assert isinstance(told["files"], list) and told["files"][0]["proof"] == "taken"
        with bridge.books() as books:
            assert [batch.state for batch in views.batches(books, only_open=False)] == ["SENT"]


def test_a_hidden_file_that_vanished_counts_as_taken_and_becomes_late(stage: Stage) -> None:
    """A resumed run that finds neither name cannot tell a fast partner from something that sweeps hidden files away. By its mark
    only a rename can have happened, so it counts as taken; the answer that never comes shows the rest."""
    with stage.fresh() as folder:
        child.run(folder, (FLOW, KILLED), crash_at="deliver.intended")
        for hidden in (folder / "peoplesoft/in").iterdir():
            hidden.unlink()
        child.run(folder, (FLOW, NEXT))
        assert _documents(folder) == []
        with _bridge(folder, hours=24) as bridge, bridge.books() as books:
            (batch,) = views.batches(books, only_open=True)
            assert (batch.state, batch.late) == ("SENT", True)


def test_other_bytes_under_our_name_are_never_replaced(stage: Stage) -> None:
    with stage.fresh() as folder:
        child.run(folder, (FLOW, KILLED), crash_at="deliver.intended")
        (hidden,) = (folder / "peoplesoft/in").iterdir()
        theirs = hidden.with_name(hidden.name.removeprefix(".").removesuffix(".part"))
        theirs.write_bytes(b"someone else's")
        child.run(folder, (FLOW, NEXT))
        assert theirs.read_bytes() == b"someone else's"
        with _bridge(folder) as bridge, bridge.books() as books:
            assert [batch.state for batch in views.batches(books, only_open=False)] == ["IN_DOUBT"]
            assert [item.code for item in views.items(books)][-1] == "in_doubt"
            assert views.unexplained_cents(books) == 0


def test_what_was_sealed_by_a_failed_run_leaves_with_the_next(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_TRIES", 1)
    dead = [True]

    def cut(point: str) -> None:
        if point == "upload.written" and dead[0]:
            raise TryLater("the line is dead")

    with stage.fresh() as folder, _bridge(folder, cut) as bridge:
        with pytest.raises(TryLater, match="the line is dead"):
            bridge.run(FLOW)
        with bridge.books() as books:
            assert [batch.state for batch in views.batches(books, only_open=False)] == ["SEALED"]
            assert [run.outcome for run in views.last_runs(books)] == ["failed"]
        dead[0] = False
        told = bridge.run(FLOW)
        assert told["sent"] == {"count": 6, "cents": 15_575} and len(_documents(folder)) == 1
        world = twin.world(folder)
        assert (world.places, world.books["entries"], world.files) == (stage.unhurt.places, stage.unhurt.books["entries"], stage.unhurt.files)


def test_a_resumed_run_that_fails_is_written_down_and_does_not_stop_the_next(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    with stage.fresh() as folder:
        child.run(folder, (FLOW, KILLED), crash_at="submit.sealed")
        (folder / "peoplesoft/in").rename(folder / "peoplesoft/away")
        with _bridge(folder) as bridge, pytest.raises(Refused, match="No such file or directory"):
            bridge.run(FLOW)
        assert "Traceback" not in capfd.readouterr().err
        (folder / "peoplesoft/away").rename(folder / "peoplesoft/in")
        child.run(folder, (FLOW, 12))
        world = twin.world(folder)
        assert [run.split('", ')[-1] for run in world.books["runs"]] == ['"failed"]', '"failed"]', '"completed"]']
        assert (world.places, world.files) == (stage.unhurt.places, stage.unhurt.files)


def test_a_second_process_is_busy(stage_of: StageOf) -> None:
    """On SQLite. On PostgreSQL several work at once: tests/jobs/test_workers.py."""
    with stage_of(FLOW, "sqlite").fresh() as folder, _bridge(folder) as first, _bridge(folder) as second, first.running() as start:
        with pytest.raises(Busy, match="try again when it has ended"), second.running():
            raise AssertionError("two at once")
        assert start(FLOW)["outcome"] == "completed_with_exceptions"


def test_preview_changes_nothing_and_says_what_the_run_will_do(stage: Stage) -> None:
    with stage.fresh() as folder, _bridge(folder) as bridge:
        before = twin.world(folder)
        told = bridge.preview(FLOW)
        assert twin.world(folder) == before
        done = bridge.run(FLOW)
        for part in ("outcome", "read", "sent", "already", "conflicts", "suspended"):
            assert told[part] == done[part], part


@contextmanager
def _bridge(folder: Path, reached: Callable[[str], None] = lambda _point: None, *, hours: int = 1) -> Iterator[Bridge]:
    settings = config.load(folder / "bursarbridge.toml")
    bridge = wiring.build(settings, clock=lambda: child.START + timedelta(hours=hours), wait=lambda _seconds: None, reached=reached)
    try:
        yield bridge
    finally:
        bridge.close()


def _documents(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "peoplesoft/in").iterdir() if not path.name.startswith("."))
