"""Start-up is part of the promise (performance.md): what a verb does not need, it does not load."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.calls import call

HEAVY = ("sqlalchemy", "dbos", "asyncssh", "rich", "alembic", "tree_sitter", "psycopg", "pydantic", "fastapi", "uvicorn")
_PROBE = """
import sys
from bursarbridge.cli.app import app
try:
    app({words!r}, prog_name="bursarbridge")
except SystemExit as ended:
    code = ended.code
print("|", code, *[name for name in {heavy!r} if name in sys.modules])
"""


def loaded(*words: str) -> list[str]:
    """The exit code, and which heavy libraries a call has loaded at its end."""
    program = _PROBE.format(words=list(words), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.rpartition("|")[2].split()


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_help_loads_nothing_heavy(words: str) -> None:
    assert loaded(words) == ["0"]


def test_a_verb_by_itself_loads_only_what_typer_does(tmp_path: Path) -> None:
    # Typer loads pydantic itself as soon as a verb has an option.
    assert loaded("run", "--help") == ["0", "pydantic"]
    assert loaded("init", "--example", str(tmp_path / "campus")) == ["0", "pydantic"]


def test_questions_load_neither_the_engine_nor_ssh(tmp_path: Path) -> None:
    call("init", "--example", tmp_path)
    call("status", "-C", tmp_path)
    assert loaded("status", "-C", str(tmp_path)) == ["0", "sqlalchemy", "tree_sitter", "pydantic"]
    assert not {"dbos", "asyncssh", "rich", "alembic"} & set(loaded("explain", "1", "-C", str(tmp_path)))


def test_version() -> None:
    assert call("--version").stdout == f"bursarbridge {version('bursarbridge')}\n"


def test_without_a_verb_help_is_shown() -> None:
    assert "Begin here:" in call().output
