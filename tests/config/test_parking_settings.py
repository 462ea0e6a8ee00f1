"""A parking office as a campus writes it, and every way to get it wrong that could read another column as the id, the amount or the status."""

from datetime import timedelta
from pathlib import Path

import pytest

from bursarbridge.config import check, load
from bursarbridge.config.parking import MEANINGS, ViolationColumns
from bursarbridge.config.reader import key_paths
from bursarbridge.systems.parking import agreed
from tests.config.parking_sample import PARKED, PARKING
from tests.config.sample import GOOD, written


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    read = load(written(tmp_path, PARKED), {})
    assert [source.name for source in read.libraries] == ["library"]
    (office,) = read.parking_offices
    assert (office.name, office.reference_prefix, office.currency, office.amount_max_cents, office.collect) == (
        "parking",
        "P",
        "USD",
        200_000,
        "hold",
    )
    full, released = office.violations
    assert (full.kind, full.absent, full.form, full.delimiter, full.heading, full.spanning) == ("full", "ask", "delimited", ",", True, False)
    assert full.statuses == (("Outstanding", "open"), ("In appeal", "disputed"), ("System processed", "not_evidence"))
    assert (full.columns.account, full.columns.user_type, full.columns.reference) == ("Student ID", "", "Violation")
    assert full.trailer is not None and (full.trailer.mark, full.trailer.count, full.trailer.total) == ("TRL", (2, 0), (3, 0))
    assert full.environment is not None and full.first_line is not None
    assert (released.columns.amount, released.width, released.point, released.encoding) == ((12, 10), 45, False, "iso-8859-1")
    assert (released.settle, released.clear, released.absent, released.trailer) == (timedelta(0), "leave", "cleared", None)
    assert read.warnings == ()


def test_the_settings_know_the_adapters_columns_and_meanings() -> None:
    assert set(key_paths(ViolationColumns)) == {column.name for column in agreed.COLUMNS}
    assert MEANINGS == agreed.MEANINGS


BILL = 'collect = "bill"\nbilling = { import = { folder = "in", name = "paid_{sequence:06d}.txt" } }'

MISTAKES = [
    ("C003", 'reference = "Violation"\n', 'refernce = "Violation"\n', "refernce"),
    ("C004", 'id = "Student ID"\n', "", "[sources.parking.violations.columns]"),
    ("C005", "point = false", 'point = "no"', "point"),
    ("C008", 'kind = "released"', 'kind = "gone"', "gone"),
    ("C008", '"In appeal" = "disputed"', '"In appeal" = "contested"', "contested"),
    ("C008", 'absent = "ask"', 'absent = "release"', "release"),
    ("C008", 'absent = "ask"', 'delimiter = "-"', "delimiter"),
    ("C012", '"2000.00"', '"2,000.00"', "amount_max"),
    ("C015", r"as_of = '(\d{8})_(\d{6})'", r"as_of = '\d{8}'", "as_of"),
    ("C020", 'adapter = "opscom"', 'adapter = "opscon"', "opscon"),
    ("C021", 'connection = "garage"', 'connection = "garrage"', "garrage"),
    ("C027", 'reference_prefix = "P"', 'reference_prefix = "L"', 'prefix = "L"'),
    ("C028", '["MM/DD/YYYY"]', '["MM/DD"]', "dates"),
    ("C028", '["MM/DD/YYYY"]', '["M/D/YYYY"]', "dates"),
    ("C039", "width = 45", "width = 45000", "width"),
    ("C045", 'amount = "Balance"', 'amount = "Balanse"', "Balanse"),
    ("C045", '"Type", "Date"', '"Type", "Type", "Date"', "category"),
    ("C045", 'amount = "Balance"', "amount = [12, 10]", "amount = [12, 10]"),
    ("C045", "amount = [12, 10]", 'amount = "Balance"', "columns = {"),
    ("C045", "amount = [12, 10]", "amount = [0, 10]", "columns = {"),
    ("C045", "amount = [12, 10]", "amount = [11, 10]", "columns = {"),
    ("C045", "amount = [12, 10]", "amount = [37, 10]", "columns = {"),
    ("C045", "width = 45\n", "", 'kind = "released"'),
    ("C045", 'encoding = "iso-8859-1"\n', "", 'kind = "released"'),
    ("C045", 'encoding = "iso-8859-1"', 'encoding = "utf-8"', "encoding"),
    ("C045", "width = 45\n", "width = 45\nheading = true\n", "heading"),
    ("C045", 'absent = "ask"\n', 'absent = "ask"\nwidth = 80\n', "width"),
    ("C046", 'status = "Status"\n', "", "[sources.parking.violations.statuses]"),
    ("C046", 'Outstanding = "open"', 'Outstanding = "paid"', "[sources.parking.violations.statuses]"),
    ("C046", "environment = '^LIVE$'\n", "", 'environment = "System"'),
    ("C046", 'environment = "System"\n', "", "environment = '^LIVE$'"),
    ("C046", 'mark = "TRL", count = 2, total = 3', 'mark = "TRL"', "trailer"),
    ("C047", 'kind = "released"', 'kind = "full"', 'kind = "full"'),
    ("C047", 'settle = "0s"', 'absent = "ask"', 'absent = "ask"'),
    ("C047", 'collect = "hold"', BILL, 'kind = "released"'),
]


@pytest.mark.parametrize(("code", "old", "new", "at"), MISTAKES)
def test_a_mistake_is_named_once_at_its_line_with_a_cure(tmp_path: Path, code: str, old: str, new: str, at: str) -> None:
    assert old in PARKING
    text = f"{GOOD}{PARKING.replace(old, new, 1)}"
    faults = check(written(tmp_path, text), {})
    assert {fault.code for fault in faults} == {code}, "\n".join(map(str, faults))
    assert at in "\n".join(text.splitlines()[faults[0].line - 1 : faults[0].line + 1]), str(faults[0])
    assert all(fault.words and fault.cure for fault in faults)


def test_a_row_a_violation_cannot_come_as_a_list_of_holds(tmp_path: Path) -> None:
    text = PARKED.replace('kind = "full"', 'kind = "added"').replace('absent = "ask"\n', "")
    assert [(fault.code, "would be passed over" in fault.words) for fault in check(written(tmp_path, text), {})] == [("C047", True)] * 2


def test_what_is_billed_needs_a_number_and_a_type(tmp_path: Path) -> None:
    text = PARKED.replace('kind = "released"', 'kind = "changes"').replace('collect = "hold"', BILL)
    faults = check(written(tmp_path, text), {})
    assert [fault.words for fault in faults] == [
        f'collect = "bill", and there is no column {name}: a charge needs one' for name in ("reference", "category")
    ]


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = (
        PARKED.replace("Balance", "Balanse", 1)
        .replace("width = 45", "width = 20")
        .replace('"disputed"', '"contested"')
        .replace('status = "Status"\n', "")
    )
    assert [fault.code for fault in check(written(tmp_path, text), {})] == ["C045", "C046", "C008", "C045", "C045"]


def test_lists_that_take_each_others_files_are_told(tmp_path: Path) -> None:
    text = PARKED.replace('files = ["released_*.txt"]', 'files = ["*"]')
    assert [fault.code for fault in check(written(tmp_path, text), {})] == ["C035"]


def test_a_setting_of_the_office_can_come_from_the_environment(tmp_path: Path) -> None:
    read = load(written(tmp_path, PARKED), {"BURSARBRIDGE__SOURCES__PARKING__AMOUNT_MAX": "90.00"})
    assert read.parking_offices[0].amount_max_cents == 9_000
