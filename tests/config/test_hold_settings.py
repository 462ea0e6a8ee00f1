"""The [holds] sections: what a campus may decide about holds, and what is refused before anybody gets one."""

from pathlib import Path

import pytest

from bursarbridge.config import check, load
from tests.config.sample import spoiled, written
from tests.config.test_faults import HOLDS, TOLD


def text_with(old: str, new: str) -> str:
    """The good settings with holds, one stretch of them replaced."""
    assert old in HOLDS, old
    return spoiled("[bursar]\n", TOLD + HOLDS.replace(old, new, 1) + "[bursar]\n")


def codes(folder: Path, text: str) -> list[str]:
    """The faults of settings."""
    return [fault.code for fault in check(written(folder, text), {})]


def test_holds_are_read_and_have_safe_defaults(tmp_path: Path) -> None:
    (one,) = load(written(tmp_path, text_with("LIB", "LIB")), {}).holds
    assert (one.name, one.threshold_cents, one.grace_days, one.disputed, one.transcript_allowed, one.manual_release_days) == (
        "library",
        1,
        0,
        "wait",
        False,
        3,
    )


@pytest.mark.parametrize("threshold", ["0", "0.00", "-0.01", "-5"])
def test_h10_a_threshold_of_zero_or_less_is_refused(tmp_path: Path, threshold: str) -> None:
    assert codes(tmp_path, text_with('impact = "reg', f'threshold = "{threshold}"\nimpact = "reg')) == ["C013"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[holds.library]", "[holds.libary]", "C022"),
        ('"LIBFN"', '"LIBFNE"', "C033"),
        ('impact = "registration"', 'impact = "registration"\ngrace = "2h"', "C011"),
        ('impact = "registration"', 'impact = "registration"\nmanual_release_expires = "0d"', "C013"),
        ('impact = "registration"', 'impact = "registration"\nconfirmed_by = "snapshot"', "C034"),
        ('impact = "registration"', 'impact = "registration"\nconfirmed_by = "assumed"', "C034"),
        ('impact = "registration"', 'impact = "registration"\nexempt = [{ from = "2026-11-20", to = "2026-11-09" }]', "C028"),
        ("generic-holds-released", "generic-holds-added", "C023"),
        ("generic-holds-added", "mass-release", "C023"),
        (
            'folder = "holds", layout = "generic-holds-added", name = "A{sequence}.dat"',
            'folder = "out", layout = "mass-assign", name = "A{sequence}.csv"',
            "C035",
        ),
        ('"A{sequence}.dat"', '"A.dat"', "C018"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert codes(tmp_path, text_with(old, new)) == [code]


def test_f12_a_transcript_hold_needs_a_word_of_its_own(tmp_path: Path) -> None:
    assert codes(tmp_path, text_with('"registration"', '"transcript"\ntranscript_allowed = false')) == ["C063"]
    assert codes(tmp_path, text_with('"registration"', '"transcript"\ntranscript_allowed = true')) == []


def test_a2_holds_do_not_start_without_somebody_who_is_told(tmp_path: Path) -> None:
    faults = check(written(tmp_path, spoiled("[bursar]\n", HOLDS + "[bursar]\n")), {})
    assert [fault.code for fault in faults] == ["C062"] and "reports.holds" in faults[0].cure


def test_the_report_of_holds_stays_in_the_campuss_own_domains(tmp_path: Path) -> None:
    assert codes(tmp_path, text_with("LIB", "LIB").replace('to = ["', 'to = ["ops@elsewhere.example", "', 1)) == ["C052"]
