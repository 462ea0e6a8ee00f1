"""The two days, played once without any bridge and once with a naive one that does its work by hand."""

import csv
import re
import tomllib
from collections import Counter
from pathlib import Path

from bursarbridge.sandbox import story
from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.fees import FeeStatus
from bursarbridge.sandbox.people import ADA, DAY_ONE, DAY_TWO, FERGUS, GITA, HUGO, STUDENTS
from bursarbridge.sandbox.story import CHARGES, CREDITS, PAYMENTS, REPORT, RETURNS, make_campus, scenes
from tests.sandbox.naive import Charge, cents_in, charge_bytes, exported, import_bytes


class NaiveBridge:
    """Sends each fee once and each payment once, and no credit; knows just enough to let the story end."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        self.fee_of: dict[str, str] = {}
        self.paid: Counter[str] = Counter()
        self.files = 0

    def run(self, flow: str) -> None:
        if flow == CHARGES:
            self._charges()
        elif flow == PAYMENTS:
            self._payments()

    def _charges(self) -> None:
        new = []
        for path in sorted((self.campus.root / "alma/out").glob("*.xml")):
            for fee in exported(path.read_bytes()):
                if fee["bursarTransactionId"] not in self.fee_of.values():
                    reference = f"L{len(self.fee_of) + 1}"
                    self.fee_of[reference] = fee["bursarTransactionId"]
                    new.append(Charge(fee["user"], reference, cents_in(fee["sum"])))
            path.unlink()
        if new:
            self.files += 1
            (self.campus.root / f"peoplesoft/in/LIB_{self.files}.dat").write_bytes(charge_bytes(new))

    def _payments(self) -> None:
        reports = sorted((self.campus.root / "peoplesoft/out").glob("ASU*.csv"))
        if not reports:
            return
        total: Counter[str] = Counter()
        for row in csv.DictReader(reports[-1].read_text(encoding="utf-8").splitlines()):
            total[row["Reference Number"]] += int(row["Paid Amount"].replace(".", ""))
        for report in reports:
            report.unlink()
        new = [(self.fee_of[reference], f"{cents // 100}.{cents % 100:02d}") for reference, cents in (total - self.paid).items()]
        self.paid = total
        if new:
            self.files += 1
            (self.campus.root / f"alma/in/P{self.files}.xml").write_bytes(import_bytes(new))


def test_with_a_naive_bridge_what_is_paid_closes_and_what_came_back_stays_charged(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    bridge = NaiveBridge(campus)
    told = []
    for scene in scenes():
        told.append(scene.act(campus, scene.at))
        if scene.flow:
            bridge.run(scene.flow)
    books = campus.books()
    assert (books.alma.assessed.count, books.alma.assessed.cents) == (14, 81391)
    assert (books.alma.transferred.count, books.alma.transferred.cents) == (3, 22000)
    assert (books.alma.closed.count, books.alma.paid_cents, books.alma.credits.count) == (11, 59391, 0)
    assert (books.peoplesoft.charged.cents, books.peoplesoft.paid.cents, books.peoplesoft.open.count) == (76841, 59391, 2)
    assert {fee.user for fee in campus.alma.fees.values() if fee.status is not FeeStatus.CLOSED} == {FERGUS, GITA, HUGO}
    assert campus.cleared() == [] and campus.circulation.blocks(GITA) != []
    assert [line for line in told if "refused" in line] == [
        "11 charges posted, $593.91; 1 refused: Invalid Employee ID ($45.50).",
        "2 charges posted, $174.50; 0 refused.",
    ]
    assert "Files taken: 1. Fees closed: 3, lowered: 1; $140.82 applied." in told


def test_without_a_bridge_the_days_pass_and_nothing_reaches_peoplesoft(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    for scene in scenes():
        scene.act(campus, scene.at)
    books = campus.books()
    assert books.peoplesoft.charged.cents == 0
    assert books.alma.open_cents == books.alma.transferred.cents == 81391


def test_the_scenes_are_in_order_aware_and_the_same_each_time() -> None:
    first, second = list(scenes()), list(scenes())
    times = [scene.at for scene in first]
    assert times == sorted(set(times)) == [scene.at for scene in second]
    assert all(at.utcoffset() is not None for at in times)
    assert {scene.flow for scene in first} == {None, CHARGES, PAYMENTS, CREDITS, RETURNS, REPORT}
    assert [f"{scene.at:%H:%M}" for scene in first if scene.at.day == 14] == ["16:00", "18:00", "18:20", "20:00", "20:20"]


def test_the_people_exercise_what_real_exports_have() -> None:
    assert ADA.value.startswith("0")
    assert {len(student.value) for student in STUDENTS} >= {7, 11}
    assert FERGUS not in STUDENTS
    assert any(count > 1 for count in Counter((owed.user, owed.cents) for owed in DAY_ONE).values())


def test_the_campus_agrees_with_the_example_settings() -> None:
    settings = tomllib.loads((Path(story.__file__).parents[1] / "examples/campus/bursarbridge.toml").read_text(encoding="utf-8"))
    bursar = settings["bursar"]
    day = f"{next(scenes()).at:%Y-%m-%d}"
    assert bursar["business_unit"] == story.BUSINESS_UNIT
    assert settings["campus"]["timezone"] == story.TIMEZONE
    assert {row["charge"] for row in bursar["item_types"]} == story.ITEM_TYPES
    assert {row["credit"] for row in bursar["item_types"]} == story.CREDIT_ITEM_TYPES
    assert {owed.fee_type for owed in (*DAY_ONE, *DAY_TWO)} <= {row["category"] for row in bursar["item_types"]}
    assert {term["code"] for term in bursar["terms"] if term["from"] <= day <= term["to"]} == set(story.OPEN_TERMS)
    assert all(re.fullmatch(settings["identity"]["student_id"], owed.user.value) for owed in (*DAY_ONE, *DAY_TWO))
