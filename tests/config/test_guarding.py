"""[guards.NAME]: defaults, completion from the standard, and no way below a sane floor."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursarbridge.assembly.guards import limits_of, plan_guard
from bursarbridge.config import check, load
from bursarbridge.config.guarding import GuardLimits
from bursarbridge.ledger.guards import OFF, STANDARD, Limits
from tests.config.sample import GOOD, written

GUARDS = """
[guards.standard]
releases = { max = 20, percent = 4 }
stale = { older_than = "2d", action = "warn" }
[guards.library-charges]
releases = { max = 30 }
total = { max = "80000.00", approvers = 1 }
volume = { action = "off" }
"""


def test_without_sections_the_limits_are_the_references(tmp_path: Path) -> None:
    read = load(written(tmp_path), {})
    assert read.guards == () and limits_of(read, "library-charges") is STANDARD
    assert [getattr(GuardLimits(), name) for name in Limits.__dataclass_fields__] == [getattr(STANDARD, name) for name in Limits.__dataclass_fields__]


def test_a_flows_section_is_completed_key_by_key(tmp_path: Path) -> None:
    read = load(written(tmp_path, GOOD + GUARDS), {})
    own, standard = limits_of(read, "library-charges"), limits_of(read, "library-credits")
    assert (own.releases.most, own.releases.percent, own.releases.approvers) == (30, 4, 2)
    assert (own.total.most_cents, own.total.approvers, own.volume.action) == (8_000_000, 1, OFF)
    assert (standard.releases.most, standard.total.most_cents) == (20, 5_000_000)
    assert own.stale.older_than == standard.stale.older_than == timedelta(days=2)


def test_a_section_for_no_flow_is_a_fault(tmp_path: Path) -> None:
    (fault,) = check(written(tmp_path, GOOD + "[guards.library-charge]\ntotal = { max = '10.00' }\n"), {})
    assert (fault.code, fault.cure) == ("C003", "did you mean [guards.library-charges]?")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["releases.max", "placements.max", "changes.max", "releases.percent", "changes.percent", "unreadable.max", "unreadable.percent",
                     "volume.factor", "volume.rows", "total.factor", "total.approvers", "settings.approvers"]),
    st.integers(max_value=0) | st.integers(min_value=1_000_001),
)  # fmt: skip
def test_h10_a_limit_of_nothing_less_than_nothing_or_everything_is_refused(tmp_path: Path, key: str, number: int) -> None:
    guard, name = key.split(".")
    faults = check(written(tmp_path, f"{GOOD}[guards.standard]\n{guard} = {{ {name} = {number} }}\n"), {})
    assert [fault.code for fault in faults] in (["C013"], ["C039"])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('total = { max = "0.00" }', "C013"),
        ('single = { max = "-5.00" }', "C013"),
        ("releases = { percent = 101 }", "C039"),
        ('stale = { older_than = "0h" }', "C013"),
        ('stale = { older_than = "60d" }', "C039"),
        ('empty = { action = "ignore" }', "C008"),
        ("total = { max = 0 }", "C006"),
        ("standard = 1", "C003"),
    ],
)
def test_h10_each_floor_has_its_fault(tmp_path: Path, line: str, code: str) -> None:
    assert [fault.code for fault in check(written(tmp_path, f"{GOOD}[guards.standard]\n{line}\n"), {})] == [code]


def test_h10_one_fault_in_the_standard_is_told_once(tmp_path: Path) -> None:
    text = GOOD + GUARDS.replace("max = 20", "max = 0")
    assert [fault.code for fault in check(written(tmp_path, text), {})] == ["C013"]


def test_whoever_loosens_a_limit_has_the_next_plan_looked_at(tmp_path: Path) -> None:
    before, after = (load(written(tmp_path, GOOD + text), {}) for text in (GUARDS, GUARDS.replace("max = 30", "max = 3000")))
    assert plan_guard(before, "library-charges").fingerprint != plan_guard(after, "library-charges").fingerprint
    assert plan_guard(before, "library-credits", before.bursar).fingerprint == plan_guard(after, "library-credits", after.bursar).fingerprint
