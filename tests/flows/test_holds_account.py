"""Library holds: what is open on the student account, from the ledger's own places, by the same policy."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bursarbridge.store.open_items import Basis
from tests.campus import campus_in_memory
from tests.campus_files import Fee
from tests.curb import POLICY, Curb
from tests.flows.scenes import on_account, reported


@pytest.fixture
def library() -> Iterator[Curb]:
    """A campus whose library has holds."""
    with campus_in_memory() as campus:
        (campus.folder / "peoplesoft/taken").mkdir()
        curb = Curb(campus, replace(POLICY, code="LIB", reason="LIBFN"))
        curb.basis, curb.source, curb.prefix, curb.evidence = Basis.ACCOUNT, "library", "L", ("bursar-payments",)
        yield curb


def test_a_library_hold_follows_the_account(library: Curb) -> None:
    on_account(library.campus, Fee("900", 500), Fee("901", 700))
    reported(library.campus)
    library.run()
    (line,) = library.told()
    account = line.split()[1]
    assert line == f"place {account} 1200"
    reported(library.campus, ("900", 200))
    library.run()
    assert library.told() == [f"change {account} 1000"]
    reported(library.campus, ("900", 500), ("901", 700))
    library.run()
    assert library.told() == [f"release {account} 0"], "paid is paid, whether the library was told yet or not"


def test_d16_a_returned_check_brings_the_library_hold_back(library: Curb) -> None:
    on_account(library.campus, Fee("900", 500))
    reported(library.campus)
    library.run()
    reported(library.campus, ("900", 500))
    library.run()
    library.bursar_loads()
    reported(library.campus, ("900", 500), ("900", -500))
    library.run()
    assert [line.split()[0] for line in library.told()] == ["place", "release", "place"]


def test_without_a_payment_report_nobody_knows_what_is_open(library: Curb) -> None:
    on_account(library.campus, Fee("900", 500))
    ran = library.run()
    assert ran["holds"]["stale"] and library.told() == []
