"""health: its exit code is the answer; it changes nothing."""

from pathlib import Path

from bursarbridge.store import opening
from tests.cli.calls import answer, call


def test_well_not_well_and_wrong_settings(tmp_path: Path) -> None:
    campus = tmp_path / "campus"
    call("init", "--example", campus)
    assert answer("health", "-C", campus, code=1)["reasons"] == ["there is no ledger yet: no command has run on it"]
    assert not (campus / "data").exists(), "a question makes no ledger"
    call("run", "library-payments", "-C", campus)
    assert answer("health", "-C", campus) == {"schema": 1, "healthy": True, "reasons": [], "exit_code": 0}
    ledger = opening.open_engine(f"sqlite:{campus / 'data/bursarbridge.db'}")
    with ledger.begin() as connection:
        connection.exec_driver_sql("update run set outcome = 'failed'")
        connection.exec_driver_sql("update alembic_version set version_num = '0004'")
    assert answer("health", "-C", campus, code=1)["reasons"] == [f"the ledger has the schema 0004, and this program needs {opening.HEAD}"]
    assert opening.version_of(ledger) == "0004", "a question brings no ledger up to date"
    with ledger.begin() as connection:
        connection.exec_driver_sql(f"update alembic_version set version_num = '{opening.HEAD}'")
    ledger.dispose()
    people = call("health", "-C", campus)
    assert people.exit_code == 1 and people.stdout.splitlines()[-1] == "The bridge is not well."
    assert "the last run of library-payments failed at" in people.stdout and "Next: bursarbridge status" in people.stderr
    (campus / "bursarbridge.toml").write_text("config_version = 1\n")
    assert call("health", "-C", campus).exit_code == 2


def test_no_database_at_all_is_a_sentence(tmp_path: Path) -> None:
    call("init", "--example", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/bursarbridge.db").write_bytes(b"no database at all, " * 100)
    assert answer("health", "-C", tmp_path, code=1)["reasons"] == ["the ledger's database does not answer (DatabaseError)"]


def test_a_run_writes_the_log_of_the_settings(tmp_path: Path) -> None:
    call("init", "--example", tmp_path)
    with (tmp_path / "bursarbridge.toml").open("a") as settings:
        settings.write('\n[log]\nfile = "log/bridge.jsonl"\n')
    assert call("run", "library-payments", "-C", tmp_path).exit_code == 0, "no folder for the log is no reason to stop"
    (tmp_path / "log").mkdir()
    call("run", "library-payments", "-C", tmp_path)
    assert '"event": "run_ended"' in (tmp_path / "log/bridge.jsonl").read_text().splitlines()[-1]
