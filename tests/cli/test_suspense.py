"""What waits for a person, from the list to the decision, and a refusal by the bursar that starts it."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bursarbridge import config
from bursarbridge.sandbox import story
from bursarbridge.sandbox.people import DAY_ONE, assess
from tests.cli.calls import answer, call


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    """A campus whose bursar has refused one charge of twelve."""
    call("init", "--example", tmp_path)
    emulated = story.make_campus(tmp_path)
    at = datetime.now(ZoneInfo(story.TIMEZONE))
    emulated.peoplesoft.open_terms = [term.code for term in config.load(tmp_path / "bursarbridge.toml").bursar.terms]
    assess(emulated.alma, DAY_ONE, at)
    emulated.export(at)
    assert answer("run", "library-charges", "-C", tmp_path)["sent"]["count"] == 12
    emulated.post(emulated.load(), at)
    return tmp_path


def test_a_refused_charge_is_an_exception_of_the_run_that_learns_of_it(campus: Path) -> None:
    ran = answer("run", "library-charges", "-C", campus, code=4)
    assert ran["outcome"] == "completed_with_exceptions"
    assert answer("status", "-C", campus)["suspense"]["open"] == {"count": 1, "cents": 45_50}


def test_list_show_resolve(campus: Path) -> None:
    call("run", "library-charges", "-C", campus)
    listed = answer("suspense", "list", "-C", campus)
    assert listed["open"] == {"count": 1, "cents": 45_50}
    number = listed["items"][0]["id"]
    assert "Invalid Employee ID" in call("suspense", "list", "-C", campus).stdout
    shown = answer("suspense", "show", number, "-C", campus)
    assert [one["name"] for one in shown["actions"]] == ["resend", "withdraw"]
    people = call("suspense", "show", number, "-C", campus)
    assert "stays out of every file" in people.stdout and "resend" in people.stderr

    assert "Refused by the bursar (results_" in call("explain", "8800417", "-C", campus).stdout
    explained = answer("explain", "8800417", "-C", campus)["obligations"][0]
    assert explained["suspense"] == [number] and explained["waiting_on"] == f"a person: suspense {number}"

    wrong = answer("suspense", "resolve", number, "--as", "forget", "--reason", "so", "-C", campus, code=1)
    assert "resend" in wrong["words"]
    done = answer("suspense", "resolve", number, "--as", "withdraw", "--reason", "not a student", "--by", "Librarian", "-C", campus)
    assert done["outcome"] == "completed" and done["item"]["actor"] == "Librarian" and done["item"]["resolution"] == "withdraw"
    assert answer("suspense", "list", "-C", campus)["open"] == {"count": 0, "cents": 0}
    after = call("suspense", "show", number, "-C", campus).stdout
    assert "withdraw by Librarian" in after and "not a student" in after
    assert 'by Librarian: "not a student"' in call("explain", "8800417", "-C", campus).stdout
    assert "Nothing waits for a person." in call("suspense", "list", "-C", campus).stdout


def test_an_item_that_is_not_there(campus: Path) -> None:
    missing = call("suspense", "show", 999, "-C", campus)
    assert missing.exit_code == 1 and missing.stderr.splitlines()[-1] == f"Next: bursarbridge suspense list -C {campus}"


def test_no_output_names_a_person_or_a_title(tmp_path: Path) -> None:
    call("init", "--example", tmp_path)
    export = (tmp_path / "samples/alma-export.xml").read_text()
    (tmp_path / "alma/out/export.xml").write_text(export.replace("<xb:sum>42.25", "<xb:sum>-42.25"))
    call("run", "library-charges", "-C", tmp_path)
    for words in (("suspense", "list"), ("suspense", "show", 1), ("explain", "10400099123"), ("status",), ("files", "list")):
        for form in ((), ("--json",)):
            said = call(*words, "-C", tmp_path, *form).output
            assert not [name for name in ("liwa", "Contract", "31111000000033") if name in said], said
