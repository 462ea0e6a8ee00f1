"""Yesterday's backup on a campus whose parking office is billed (reliability.md P21): nothing is billed, taken back or told twice."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.campus_files import Paid
from tests.flows.billed_lot import BilledCampus, billed
from tests.keeping.restored import Kept

AWAY = ("peoplesoft/in", "parking/in")
World = tuple[Counter[tuple[str, int, str]], dict[str, int], dict[str, int], dict[str, dict[str, int]]]


@pytest.fixture
def kept() -> Iterator[Kept]:
    with billed() as campus:
        yield Kept(campus)


def lot(kept: Kept) -> BilledCampus:
    assert isinstance(kept.campus, BilledCampus)
    return kept.campus


def first_day(kept: Kept) -> None:
    """Two violations are billed and posted."""
    lot(kept).lists(("V1", 45_00, "Open"), ("V2", 30_00, "Open"))
    kept.run("parking-charges")
    answered(kept)


def second_day(kept: Kept) -> None:
    """Two that are equal are billed; one of the first is voided and taken back; one is paid, and the office told."""
    lot(kept).lists(("V3", 20_00, "Open"), ("V4", 20_00, "Open"), ("V2", 0, "Spoiled"))
    kept.run("parking-charges")
    answered(kept)
    kept.run("parking-credits")
    answered(kept)
    lot(kept).report(*paid(kept, ("V1", 45_00), ("V3", 5_00)))
    kept.run("parking-payments")


def third_day(kept: Kept) -> World:
    """Life goes on: a new one, an old one again, and the rest of a payment; what the three worlds have then."""
    campus = lot(kept)
    campus.lists(("V3", 20_00, "Open"), ("V5", 15_00, "Open"))
    kept.run("parking-charges")
    answered(kept)
    campus.report(*paid(kept, ("V1", 45_00), ("V3", 20_00)))
    kept.run("parking-payments")
    kept.run("parking-credits")
    return kept.billed(), campus.office_takes(), campus.places(), {fee: places for fee, (_reference, places) in kept.books().items()}


def answered(kept: Kept) -> None:
    """The bursar posts what it has."""
    lot(kept).posts()


def paid(kept: Kept, *rows: tuple[str, int]) -> list[Paid]:
    """What the bursar's report says was applied to date."""
    return [Paid(kept.campus.reference(number), cents) for number, cents in rows]


def twin() -> World:
    """The same three days on a campus whose ledger was never put back."""
    with billed() as campus:
        kept = Kept(campus)
        first_day(kept)
        second_day(kept)
        return third_day(kept)


@pytest.mark.parametrize("case", ["vault kept", "vault lost", "files taken"])
def test_p21_what_an_office_billed_is_neither_billed_nor_told_again(kept: Kept, case: str) -> None:
    first_day(kept)
    kept.back_up()
    second_day(kept)
    before = (kept.billed(), kept.references())
    if case == "files taken":
        taken_away(kept)
    kept.put_back(logs=case == "vault kept")
    looked = kept.reconcile(confirm=False)
    assert [(one["kind"], one["lines"], one["cents"], one["state"]) for one in looked["documents"]] == [
        ("charge", 2, 40_00, "sent"),
        ("credit", 1, 30_00, "sent"),
        ("payment", 2, 50_00, "sent"),
    ]
    assert looked["unnamed"]["count"] == 0 and any(name.startswith("changes_") for name in looked["inputs"])
    with kept.campus.books() as books:
        flows = books.rows("select document, flow from batch where id > 1 order by id")
    assert [row[1] for row in flows] == ["parking-charges", "parking-credits", "parking-payments"], flows
    kept.reconcile(confirm=True)
    for flow in ("parking-charges", "parking-credits", "parking-payments"):
        kept.run(flow)
    brought_back(kept)
    assert (kept.billed(), kept.references()) == before
    assert third_day(kept) == twin()


def taken_away(kept: Kept) -> None:
    """The partners' systems put what they loaded into a folder beside."""
    for place in AWAY:
        (kept.campus.folder / place / "loaded").mkdir()
        for path in (kept.campus.folder / place).glob("*.*"):
            path.rename(path.parent / "loaded" / path.name)


def brought_back(kept: Kept) -> None:
    """For counting: what was taken stands where it stood."""
    for place in AWAY:
        for path in (kept.campus.folder / place).glob("loaded/*"):
            path.rename(path.parent.parent / path.name)
