"""The section of an office that bills: what is written is what is read, and what is missing is named."""

from datetime import timedelta
from pathlib import Path

import pytest

from bursarbridge.config import check, load
from tests.config.sample import GOOD, written
from tests.flows.billed_lot import PARKING


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    (office,) = load(written(tmp_path, f"{GOOD}{PARKING}"), {}).parking_offices
    assert office.billing is not None and (office.collect, office.billing.user_types, office.billing.origin) == ("bill", ("Student",), "PRK01")
    imports = office.billing.imports
    assert (imports.folder, imports.layout, imports.confirmed_by, imports.expected_after) == (
        "in",
        "generic-remittance",
        "collected",
        timedelta(hours=2),
    )


MISTAKES = [
    ("C023", 'import = { folder = "in", name', 'import = { layout = "generic-charges", folder = "in", name', "import"),
    ("C034", 'import = { folder = "in", name', 'import = { confirmed_by = "assumed", folder = "in", name', "import"),
    ("C048", 'collect = "bill"', 'collect = "hold"', "[sources.parking.billing]"),
    ("C048", 'absent = "ask"\n', "", 'kind = "full"'),
    ("C048", 'user_type = "User Type"\n', "", "[sources.parking.violations.columns]"),
]


@pytest.mark.parametrize(("code", "old", "new", "at"), MISTAKES)
def test_a_mistake_is_named_at_its_line_with_a_cure(tmp_path: Path, code: str, old: str, new: str, at: str) -> None:
    assert old in PARKING
    text = f"{GOOD}{PARKING.replace(old, new, 1)}"
    faults = check(written(tmp_path, text), {})
    assert {fault.code for fault in faults} == {code}, "\n".join(map(str, faults))
    assert at in "\n".join(text.splitlines()[faults[0].line - 2 : faults[0].line + 1]), str(faults[0])


def test_an_office_that_bills_and_is_told_of_no_payment_is_refused(tmp_path: Path) -> None:
    before, _, rest = PARKING.partition("[sources.parking.billing]")
    text = f"{GOOD}{before}{rest[rest.index('[[sources.parking.violations]]') :]}"
    assert [(fault.code, "nobody would tell the office" in fault.words) for fault in check(written(tmp_path, text), {})] == [("C048", True)]


def test_two_sources_and_a_payment_report_by_their_own_numbers_do_not_go_together(tmp_path: Path) -> None:
    text = f"{GOOD}{PARKING}".replace('kind = "cumulative",', 'kind = "cumulative", match = "source_reference",', 1)
    faults = check(written(tmp_path, text), {})
    assert [(fault.code, "library and parking are billed" in fault.words) for fault in faults] == [("C048", True)]
