"""Each exit code of docs/cli.md, and what a person and a program are told with it."""

from pathlib import Path

import pytest

from bursarbridge import config
from bursarbridge.cli import runs
from bursarbridge.cli.story_settings import over_sftp
from bursarbridge.jobs.lock import only_one
from bursarbridge.sandbox.server import SftpCampus
from bursarbridge.store import opening
from tests.cli.calls import answer, call


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    """A fresh example campus with its export waiting."""
    assert call("init", "--example", tmp_path / "campus").exit_code == 0
    (tmp_path / "campus/alma/out/export.xml").write_bytes((tmp_path / "campus/samples/alma-export.xml").read_bytes())
    return tmp_path / "campus"


def test_0_a_run_with_nothing_to_do(tmp_path: Path) -> None:
    call("init", "--example", tmp_path)
    assert answer("run", "library-payments", "-C", tmp_path)["outcome"] == "nothing_to_do"


def test_1_refused_nothing_sent(campus: Path) -> None:
    call("run", "library-charges", "-C", campus)
    settings = campus / "bursarbridge.toml"
    settings.write_text(settings.read_text().replace('reference_prefix = "L"', 'reference_prefix = "M"'))
    failed = answer("run", "library-charges", "-C", campus, code=1)
    assert failed["outcome"] == "failed" and "reference prefix" in failed["words"] and failed["exit_code"] == 1
    assert failed["run"].startswith("library-charges-") and failed["sent"] == {"count": 0, "cents": 0} and failed["files"] == []
    people = call("run", "library-charges", "-C", campus)
    assert people.stdout == "" and people.stderr.splitlines()[-1] == f"Next: bursarbridge status -C {campus}"


def test_1_init_never_overwrites(campus: Path) -> None:
    assert call("init", "--example", campus).exit_code == 1


def test_2_settings_with_faults_stop_every_verb_and_check_names_all(campus: Path) -> None:
    settings = campus / "bursarbridge.toml"
    settings.write_text(settings.read_text().replace("America/Los_Angeles", "America/Los_Angles").replace('currency = "USD"', "currency = USD"))
    faults = answer("check", "-C", campus, code=2)
    assert faults["errors"] == len(faults["faults"]) >= 3
    assert all(fault["line"] and fault["effect"] and fault["cure"] for fault in faults["faults"])
    people = call("check", "-C", campus)
    assert "Cure: " in people.stdout and "^" in people.stdout and people.stderr.splitlines()[-1].startswith("Next: edit ")
    stopped = call("status", "-C", campus)
    assert stopped.exit_code == 2 and stopped.stderr.splitlines()[-1] == f"Next: bursarbridge check -C {campus}"
    assert answer("run", "library-charges", "-C", campus, code=2)["outcome"] == "failed"


def test_2_no_settings_no_flow_no_such_option(tmp_path: Path, campus: Path) -> None:
    assert call("status", "-C", tmp_path / "nowhere").exit_code == 2
    unknown = call("run", "library-fees", "-C", campus)
    assert unknown.exit_code == 2 and "the flows are library-charges, library-payments, library-credits and library-returns" in unknown.stderr
    assert call("run", "library-charges", "--loud").exit_code == 2
    assert call("init").exit_code == 2
    assert call("status", "-C", campus, "--config", campus / "bursarbridge.toml").exit_code == 2


def test_3_held(campus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = runs._run
    monkeypatch.setattr(runs, "_run", lambda *words: {**whole(*words), "outcome": "held"})
    assert answer("run", "library-charges", "-C", campus, code=3)["outcome"] == "held"


def test_4_done_with_exceptions(campus: Path) -> None:
    export = campus / "alma/out/export.xml"
    export.write_text(export.read_text().replace("DAMAGEDITEMFINE", "CUSTOMER_DEFINED_01"))
    ran = answer("run", "library-charges", "-C", campus, code=4)
    assert ran["outcome"] == "completed_with_exceptions"
    assert (ran["sent"]["count"], ran["suspended"]) == (4, {"count": 1, "cents": 42_25})
    assert ran["read"]["cents"] == ran["sent"]["cents"] + ran["suspended"]["cents"]


def test_5_a_host_that_cannot_be_reached_and_the_next_run_sends_once(campus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bursarbridge.jobs.engine._TRIES", 1)
    over = campus / "over-sftp.toml"
    with SftpCampus(campus) as server:
        over.write_text(over_sftp((campus / "bursarbridge.toml").read_text(), server).replace(str(server.client_key_path), "key"))
        (campus / "key").touch(0o600)
        (campus / "key").write_bytes(server.client_key_path.read_bytes())
    failed = answer("run", "library-charges", "--config", over, code=5)
    assert failed["outcome"] == "failed" and failed["exit_code"] == 5 and failed["run"]
    assert answer("status", "--config", over)["runs"][0]["outcome"] == "failed"
    assert answer("run", "library-charges", "-C", campus)["sent"]["count"] == 5


def test_6_another_run_is_under_way(campus: Path) -> None:
    engine = opening.open_engine(config.load(campus / "bursarbridge.toml").storage.database.url())
    with only_one(engine):
        busy = answer("run", "library-charges", "-C", campus, code=6)
        assert busy["outcome"] == "failed" and "another run" in busy["words"]
        assert answer("status", "-C", campus)["unexplained_cents"] == 0
    engine.dispose()


def test_a_damaged_file_is_named(campus: Path) -> None:
    call("run", "library-charges", "-C", campus)
    sent = answer("files", "list", "-C", campus)["files"][-1]
    kept = campus / "data/vault" / sent["sha256"][:2] / sent["sha256"][2:4] / sent["sha256"]
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes()[:-1])
    damaged = answer("files", "verify", "-C", campus, code=1)["damaged"]
    assert [one["name"] for one in damaged] == [sent["name"]]
    assert f"DAMAGED {sent['name']}" in call("files", "verify", "-C", campus).stdout


def test_a_database_that_is_none_is_a_sentence_not_a_traceback(campus: Path) -> None:
    (campus / "data").mkdir()
    (campus / "data/bursarbridge.db").write_bytes(b"no database at all, " * 100)
    result = call("status", "-C", campus)
    assert result.exit_code == 1 and "[storage] database" in result.stderr
