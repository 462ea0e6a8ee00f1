"""sandbox verify without a test account: the agreed steps, through the settings of a campus, on an emulated one."""

from pathlib import Path

import pytest

from tests.cli.calls import answer, call

STEPS = 10
FIXED = (
    ('kind = "full" ', 'form = "fixed"\nencoding = "ascii"\nwidth = 90\npoint = false\nkind = "full" '),
    (
        'titles = ["User ID", "User Type", "Violation Number", "Violation Type", "Violation Date", "Amount Owed", "Status"]',
        'trailer = { mark = "TRL", count = [4, 8], total = [12, 12] }',
    ),
    ('id = "User ID" ', "id = [1, 11] "),
    ('amount = "Amount Owed" ', "amount = [12, 12] "),
    ('user_type = "User Type"', "user_type = [24, 3]"),
    ('reference = "Violation Number"', "reference = [27, 12]"),
    ('category = "Violation Type"', "category = [39, 20]"),
    ('violated_on = "Violation Date"', "violated_on = [59, 8]"),
    ('status = "Status"', "status = [67, 12]"),
    ('dates = ["MM/DD/YYYY"]', 'dates = ["YYYYMMDD"]'),
    ("Open = ", "Outstanding = "),
    ('user_types = ["Student"]', 'user_types = ["STU"]'),
)
"""Another office: fixed columns, cents without a point, its own words, a trailer."""
FIVE_FIELDS = (
    ('layout = "generic-holds-added"', 'layout = "holds-delimited-added"'),
    ('layout = "generic-holds-released"', 'layout = "holds-delimited-released"'),
    ('grace = "0d"', 'grace = "14d"'),
    ('code = "PRK"', 'code = "PKV"'),
)


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    """The example campus."""
    assert call("init", "--example", tmp_path / "campus").exit_code == 0
    return tmp_path / "campus"


def change(campus: Path, *changes: tuple[str, str]) -> None:
    """Other settings."""
    text = (campus / "bursarbridge.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (campus / "bursarbridge.toml").write_text(text, "utf-8")


def everything(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_examples_settings_pass_every_step_and_nothing_of_the_campus_is_touched(campus: Path) -> None:
    before = everything(campus)
    told = answer("sandbox", "verify", "-C", campus)
    assert (told["outcome"], [one["passed"] for one in told["steps"]]) == ("passed", [True] * STEPS)
    assert everything(campus) == before


def test_another_offices_forms_pass_as_well(campus: Path) -> None:
    change(campus, *FIXED)
    assert call("check", "-C", campus).exit_code == 0
    done = call("sandbox", "verify", "-C", campus)
    assert done.exit_code == 0 and "10 of 10 steps as agreed." in done.stdout, done.stdout


def test_other_layouts_of_hold_files_and_a_long_grace_pass_as_well(campus: Path) -> None:
    change(campus, *FIVE_FIELDS)
    done = call("sandbox", "verify", "-C", campus)
    assert done.exit_code == 0 and "PKV/PARK1" in done.stdout and "Left out, because" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("old", "new", "failing"),
    [
        ('user_types = ["Student"]', 'exempt_types = ["Student"]', "new-balance"),
        ('speaks_for = "oldest" ', 'left_out = ["Fire lane"]\nspeaks_for = "oldest" ', "changed-balance"),
        (
            'settings = { action = "warn" } ',
            'placements = { action = "off" }\nvolume = { action = "off" }\ntotal = { action = "off" } ',
            "over-the-limit",
        ),
    ],
)
def test_settings_that_do_something_else_fail_by_name(campus: Path, old: str, new: str, failing: str) -> None:
    change(campus, (old, new))
    told = answer("sandbox", "verify", "-C", campus, code=1)
    assert told["outcome"] == "failed"
    assert failing in [one["name"] for one in told["steps"] if not one["passed"]]


def test_what_cannot_be_played_is_said(campus: Path) -> None:
    change(campus, ('layout = "generic-holds-added"', 'layout = "mass-assign"'), ('layout = "generic-holds-released"', 'layout = "mass-release"'))
    assert "carries no amounts" in call("sandbox", "verify", "-C", campus).stderr
