"""The agreed script: a bridge that does right passes every step, each thing done wrong fails the step that is about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bursarbridge.sandbox.fees import FileRefused
from bursarbridge.sandbox.hold_files import HoldVerb, hold_lines, verb_of
from bursarbridge.sandbox.hold_samples import samples
from bursarbridge.sandbox.hold_scenarios import CROWD, Cast, list_name, play, returned, set_up, steps
from bursarbridge.sandbox.indicators import ServiceIndicators
from bursarbridge.sandbox.parking_people import CODES
from bursarbridge.sandbox.story import make_campus
from tests.sandbox.naive import NOON
from tests.sandbox.naive_holds import NaiveHolds

CAST = Cast("EXCCD", CODES[0], "0104231", "1042317", "20417733", tuple(f"90{number:05d}" for number in range(CROWD)))


def failed(tmp_path: Path, forgets: str) -> set[str]:
    campus = make_campus(tmp_path)
    set_up(campus, CAST, NOON)
    verdicts = list(play(campus, CAST, NaiveHolds(campus, forgets=forgets), NOON))
    assert [one.name for one in verdicts] == [step.name for step in steps()]
    return {one.name for one in verdicts if not one.passed}


def test_a_bridge_that_does_right_passes_every_step(tmp_path: Path) -> None:
    assert failed(tmp_path, "") == set()


@pytest.mark.parametrize(
    ("forgets", "first"),
    [("changes", "changed-balance"), ("releases", "released"), ("absence", "empty-file"), ("to ask", "empty-file"), ("guards", "over-the-limit")],
)
def test_what_a_bridge_does_wrong_fails_the_step_that_is_about_it(tmp_path: Path, forgets: str, first: str) -> None:
    assert first in failed(tmp_path, forgets)


def sampled() -> dict[str, bytes]:
    return dict(samples(CAST, NOON))


def loaded() -> Iterator[tuple[str, bytes]]:
    """A test account that loads the samples step by step and gives its lists back."""
    files = sampled()
    account = ServiceIndicators("EXCCD", dict.fromkeys(CAST[2:5], ""), (CODES[0], CODES[1]))
    for emplid in (CAST.ann, CAST.bob):
        account.place(emplid, "ADV", "NODEC", NOON, "SOMEBODY")
    yield list_name(0), account.snapshot(NOON).content
    for number in range(1, 9):
        for name in sorted(name for name in files if name.startswith(f"peoplesoft/{number:02d}")):
            try:
                account.load(name.rpartition("/")[2], files[name], NOON)
            except FileRefused:
                assert number == 8
        yield list_name(number), account.snapshot(NOON).content


def test_the_samples_lead_a_test_account_through_every_step() -> None:
    assert [one for one in returned(CAST, dict(loaded())) if not one.passed] == []
    expected = {name.rpartition("/")[2]: content for name, content in sampled().items() if "/expected/" in name}
    assert all(one.passed for one in returned(CAST, expected))


def test_what_the_account_did_wrong_is_said_in_words() -> None:
    lists = dict(loaded())
    del lists[list_name(1)]
    lists[list_name(2)] = lists[list_name(3)]
    lists[list_name(4)] = lists[list_name(4)].replace(b'"ADV"', b'"GONE"')
    lists[list_name(5)] += lists[list_name(5)].splitlines(keepends=True)[2]
    told = {one.name: one.words for one in returned(CAST, lists) if not one.passed}
    assert told == {
        "new-balance": "01_new-balance.csv is not there",
        "changed-balance": "20417733 should have a hold of $60.00; 20417733 has a hold of $40.00",
        "released": "another department's hold is not what it was",
        "reappearing": "somebody has the same hold twice",
    }
    assert "00_before.csv" in next(returned(CAST, {})).words


def test_the_samples_are_whole_and_described() -> None:
    files = sampled()
    holds = {name: content for name, content in files.items() if name.endswith(".dat")}
    for name, content in holds.items():
        if not name.startswith("peoplesoft/08"):
            assert all((line.cents == 0) == (verb_of(name) is HoldVerb.RELEASED) for line in hold_lines(content))
    layouts, readme = files["LAYOUTS.txt"].decode(), files["README.txt"].decode()
    assert "  13-17    INSTITUTION" in layouts and "Violation Number" in layouts
    assert all(list_name(number) in readme for number in range(9))
    assert {"eml", "txt", "csv", "dat"} <= {name.rpartition(".")[2] for name in files}


def test_the_campus_can_write_the_hold_files_itself() -> None:
    files = dict(samples(CAST, NOON, lambda verb, lines, _at: f"{verb} {len(lines)}".encode()))
    assert files["peoplesoft/01_HOLDS_ADDED.dat"] == b"added 3" and files["peoplesoft/04_HOLDS_RELEASED.dat"] == b"released 1"


def test_the_page_shows_the_script() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")
    rows = [f"| `{step.name}` | {step.words} |" for step in steps()]
    assert "\n".join(rows) in page
