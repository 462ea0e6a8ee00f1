"""Loading: values in their final form, environment over file over default, secrets by reference, and what a start costs."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from bursarbridge.config import Secret, SettingsError, check, load
from bursarbridge.config.model import FolderConnection, SftpConnection
from bursarbridge.errors import Refused
from tests.config.sample import GOOD, spoiled, written


def test_values_are_read_into_their_final_form(tmp_path: Path) -> None:
    settings = load(written(tmp_path), {})
    library, district = settings.connections["library"], settings.connections["district"]
    assert isinstance(library, FolderConnection) and isinstance(district, SftpConnection)
    assert (library.name, library.path) == ("library", tmp_path / "alma")
    assert (district.port, district.timeout, district.key.path) == (22, timedelta(seconds=30), tmp_path / "bursarbridge.toml")
    (source,) = settings.libraries
    assert (source.name, source.amount_max_cents, source.export.files, source.imports.assumed_after) == ("library", 500_000, ("*.xml",), None)
    assert settings.campus.timezone.key == "America/Los_Angeles"
    assert settings.identity.student_id.fullmatch("0012345") and not settings.identity.student_id.fullmatch("٠٠١٢٣٤٥")
    bursar = settings.bursar
    assert bursar.payments.excluded == ("*result*",) and bursar.charges.expected_after == timedelta(hours=13)
    assert (bursar.terms[1].code, bursar.terms[1].from_on) == ("2267", date(2026, 8, 1))
    assert (bursar.item_types[0].from_on, bursar.item_types[0].to_on) == (date(2020, 1, 1), date.max)
    assert settings.storage.database.url() == f"sqlite:{tmp_path}/data/bursarbridge.db"
    assert (settings.storage.vault, settings.file) == (tmp_path / "data/vault", tmp_path / "bursarbridge.toml")


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    variables = {
        "BURSARBRIDGE__STORAGE__DATABASE": "postgresql://u:hunter2@localhost/x",
        "BURSARBRIDGE__CONNECTIONS__DISTRICT__PORT": "2222",
        "BURSARBRIDGE__SOURCES__LIBRARY__IDENTIFIER_TYPES": "01,02",
        "BURSARBRIDGE__BURSAR__CHARGES__EXPECTED_AFTER": "1d",
        "OTHER": "x",
    }
    settings = load(written(tmp_path), variables)
    district = settings.connections["district"]
    assert isinstance(district, SftpConnection) and district.port == 2222
    assert settings.storage.database.url() == "postgresql://u:hunter2@localhost/x"
    assert settings.libraries[0].identifier_types == ("01", "02")
    assert settings.bursar.charges.expected_after == timedelta(days=1)
    assert "hunter2" not in repr(settings)


def test_a_fault_of_a_variable_names_the_variable(tmp_path: Path) -> None:
    variables = {"BURSARBRIDGE__STORAGE__DATABSE": "sqlite:x", "BURSARBRIDGE__CAMPUS__TIMEZONE": "Mars/Base"}
    faults = check(written(tmp_path), variables)
    assert [(fault.code, fault.place) for fault in faults] == [
        ("C003", "environment variable BURSARBRIDGE__STORAGE__DATABSE"),
        ("C010", "environment variable BURSARBRIDGE__CAMPUS__TIMEZONE"),
    ]


def test_a_secret_is_read_only_when_used_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "word").write_text("hunter2\n", "utf-8")
    monkeypatch.setenv("SOME_WORD", "hunter3")
    by_file, by_name = Secret("file:word", tmp_path), Secret("env:SOME_WORD", tmp_path)
    assert (by_file.value(), by_name.value()) == ("hunter2", "hunter3")
    assert (repr(by_file), f"{by_name}") == ("Secret(file:word)", "Secret(env:SOME_WORD)")
    with pytest.raises(Refused, match="NO_SUCH_THING is not set"):
        Secret("env:NO_SUCH_THING", tmp_path).value()
    with pytest.raises(Refused, match="file:absent cannot be read"):
        Secret("file:absent", tmp_path).value()


def test_the_database_may_be_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_DATABASE", "sqlite:other.db")
    settings = load(written(tmp_path, spoiled("sqlite:data/bursarbridge.db", "env:THE_DATABASE")), {})
    assert settings.storage.database.url() == f"sqlite:{tmp_path}/other.db"


def test_dotted_keys_inline_tables_and_sections_are_the_same(tmp_path: Path) -> None:
    text = spoiled('[campus]\nname = "Example College"', '[campus]\n"name" = "Example College"')
    text = text.replace(
        'export = { folder = "out", files = ["*.xml"], settle = "0s", clear = "move" }', 'export.folder = "out"\nexport.files = ["*.xml"]'
    )
    assert load(written(tmp_path, text), {}).libraries[0].export.folder == "out"
    broken = text.replace('export.folder = "out"', 'export.foldr = "out"')
    fault = check(written(tmp_path, broken), {})[0]
    assert (fault.code, broken.splitlines()[fault.line - 1]) == ("C003", 'export.foldr = "out"')


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    text = spoiled('export = { folder = "out"', 'export = { folder = "öüß€", clera = "x"')
    fault = check(written(tmp_path, text), {})[0]
    assert (fault.code, text.splitlines()[fault.line - 1][fault.column - 1 :][: fault.width]) == ("C003", "clera")


def test_settings_error_carries_every_fault_in_its_text(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, spoiled("EXCCD", "TOOLONG").replace('"LIB01"', "7")), {})
    assert "error[C033]" in str(caught.value) and "error[C006]" in str(caught.value)


def test_loading_imports_nothing_heavy(tmp_path: Path) -> None:
    """A start has 0.12 s for the settings (performance.md 9): only by staying away from the heavy libraries."""
    program = (
        "import sys, pathlib; from bursarbridge.config import load; load(pathlib.Path(sys.argv[1]), {}); "
        "heavy = {'pydantic', 'sqlalchemy', 'asyncssh', 'dbos', 'rich', 'typer', 'asyncio', 'bursarbridge.formats.layout'} & set(sys.modules); "
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(written(tmp_path, GOOD))], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
