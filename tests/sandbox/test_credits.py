"""Waives and returns on the emulated campus, alone and against the bridge over folders."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.campus import Campus as Emulated
from bursarbridge.sandbox.fees import Fee, FeeStatus, User
from bursarbridge.sandbox.peoplesoft import PeopleSoft
from tests.campus import Campus, campus_in_memory
from tests.sandbox.naive import ITEM_TYPE, NOON, Charge, charge_bytes, exported
from tests.sandbox.test_peoplesoft import ANN as ANN_ID
from tests.sandbox.test_peoplesoft import bursar, loaded, rows

ANN = User("0104231", "Example, Ann")
CREDIT_TYPE = "410000000121"
LOST = "LOSTITEMREPLACEMENTFEE"


def test_a_waived_transferred_fee_leaves_one_credit_row_without_its_fee() -> None:
    alma = Alma()
    fee = alma.assess(ANN, LOST, 5000, NOON, barcode="31234", title="T", library="MAIN")
    alma.run_export(NOON)
    alma.waive(fee.bursar_transaction_id, NOON, cents=2000)
    assert (fee.status, fee.balance_cents) == (FeeStatus.TRANSFERRED, 3000)
    alma.waive(fee.bursar_transaction_id, NOON)
    assert fee.status is FeeStatus.CLOSED
    sent = alma.run_credit_export(NOON)
    assert sent is not None
    found = exported(sent.content)
    assert [(row["fineFeeType"], row["sum"], row["itemBarcode"]) for row in found] == [("CREDIT", "-20", "31234"), ("CREDIT", "-30", "31234")]
    assert len({row["bursarTransactionId"] for row in found} | {fee.bursar_transaction_id}) == 3
    assert b"<xb:fineFeeComment>item returned</xb:fineFeeComment>" in sent.content
    assert alma.run_credit_export(NOON) is None
    with pytest.raises(ValueError, match="balance"):
        alma.waive(fee.bursar_transaction_id, NOON)
    with pytest.raises(LookupError):
        alma.waive("x", NOON)


def test_a_fee_waived_before_its_export_is_never_heard_of() -> None:
    alma = Alma()
    fee = alma.assess(ANN, LOST, 5000, NOON)
    assert alma.waive(fee.bursar_transaction_id, NOON) is None
    assert (alma.run_export(NOON), alma.run_credit_export(NOON)) == (None, None)


@pytest.mark.parametrize("line", [Charge(ANN_ID, "L1", 3000, direction="R"), Charge(ANN_ID, "L1", 3000, CREDIT_TYPE, direction="R")])
def test_peoplesoft_takes_a_charge_back_by_reversal_or_by_its_own_item_type(line: Charge) -> None:
    system = bursar()
    system.credit_item_types = {CREDIT_TYPE}
    loaded(system, Charge(ANN_ID, "L1", 5000))
    _, sent = loaded(system, line)
    assert rows(sent)[-1][:6] == ["POSTED", "LIB_2", "000000002", "", "", "30.00"]
    (item,) = system.items_of(ANN_ID)
    assert (item.open_cents, item.applied_cents, system.book().open.cents) == (2000, 0, 2000)


@pytest.mark.parametrize(
    "line",
    [
        Charge(ANN_ID, "L1", 5001, direction="R"),
        Charge(ANN_ID, "L2", 5000, direction="R"),
        Charge(ANN_ID, "L1", 5000, term="2271", direction="R"),
        Charge(ANN_ID, "L1", 0, direction="R"),
    ],
)
def test_peoplesoft_refuses_a_reversal_without_an_original(line: Charge) -> None:
    system = bursar()
    loaded(system, Charge(ANN_ID, "L1", 5000))
    _, sent = loaded(system, line)
    assert [row[7] for row in rows(sent) if row[0] == "REFUSED"] == ["Cannot reverse this charge"]
    assert system.book().open.cents == 5000


def test_what_is_taken_back_after_payment_is_credit_on_the_account() -> None:
    system = bursar()
    loaded(system, Charge(ANN_ID, "L1", 5000))
    system.pay_online(ANN_ID, NOON)
    loaded(system, Charge(ANN_ID, "L1", 5000, direction="R"))
    assert (system.book().open.cents, system.book().credit_cents) == (0, 5000)


def test_the_two_reversals_of_one_charge_are_one() -> None:
    system = PeopleSoft("EXCCD", {ITEM_TYPE}, ("2267",))
    system.enroll(ANN_ID, "Example, Ann")
    system.post(system.load("LIB_1.dat", charge_bytes([Charge(ANN_ID, "L1", 5000)])), NOON)
    _, sent = loaded(system, Charge(ANN_ID, "L1", 5000, direction="R"))
    assert rows(sent)[-1][0] == "POSTED"
    _, again = loaded(system, Charge(ANN_ID, "L1", 5000, direction="R"))
    assert [row[7] for row in rows(again) if row[0] == "REFUSED"] == ["Cannot reverse this charge"]


class Story:
    """The bridge and the emulated campus over the same folders, hour by hour."""

    def __init__(self, bridge: Campus) -> None:
        self.bridge = bridge
        self.campus = Emulated(Alma(), PeopleSoft("EXCCD", {"410000000120"}, ("2267", "2271"), {CREDIT_TYPE}), bridge.folder)
        self.campus.peoplesoft.enroll(ANN.value, ANN.name)

    @property
    def now(self) -> datetime:
        return self.bridge.now.astimezone(self.bridge.settings.campus.timezone)

    def hour(self, flow: str) -> dict[str, object]:
        """An hour passes: the bursar loads and posts, Alma exports and imports, and a flow runs."""
        self.bridge.now += timedelta(hours=1)
        for sent in self.campus.post(self.campus.load(), self.now):
            assert sent.name
        self.campus.export(self.now)
        self.campus.export_credits(self.now)
        ran = dict(self.bridge.run(flow))
        self.campus.import_payments(self.now)
        return ran

    def billed(self) -> Fee:
        """A lost item's fee that stands on the student account."""
        fee = self.campus.alma.assess(ANN, LOST, 5000, self.now, barcode="31234", library="MAIN")
        self.hour("library-charges")
        self.hour("library-charges")
        assert self.account() == 5000
        return fee

    def account(self) -> int:
        """What the student owes by the bursar's books."""
        return self.campus.books().peoplesoft.open.cents


@pytest.fixture
def story() -> Iterator[Story]:
    with campus_in_memory() as bridge:
        yield Story(bridge)


def test_d21_an_item_comes_back_and_one_hour_later_the_account_is_at_nothing(story: Story) -> None:
    fee = story.billed()
    story.campus.alma.waive(fee.bursar_transaction_id, story.now)
    story.hour("library-credits")
    story.hour("library-credits")
    assert (story.account(), story.bridge.places(), story.bridge.codes()) == (0, {"settled": 5000}, [])
    assert story.hour("library-credits")["outcome"] == "nothing_to_do"
    assert story.campus.refusals == []


def test_d18_after_a_part_payment_the_remainder_is_waived(story: Story) -> None:
    fee = story.billed()
    story.campus.peoplesoft.pay_at_cashier(ANN.value, story.bridge.reference(fee.bursar_transaction_id), 2000, story.now)
    story.campus.report_payments(story.now)
    story.hour("library-payments")
    story.hour("library-payments")
    assert fee.balance_cents == 3000
    story.campus.alma.waive(fee.bursar_transaction_id, story.now)
    story.hour("library-credits")
    story.hour("library-credits")
    assert (story.account(), story.bridge.places(), story.bridge.codes()) == (0, {"settled": 5000}, [])


def test_a_partial_waive_waits_for_the_cashier_and_then_goes(story: Story) -> None:
    fee = story.billed()
    story.campus.alma.waive(fee.bursar_transaction_id, story.now, cents=3000)
    story.hour("library-credits")
    assert (story.account(), story.bridge.codes()) == (5000, ["partial_waive"])
    story.campus.peoplesoft.pay_at_cashier(ANN.value, story.bridge.reference(fee.bursar_transaction_id), 2000, story.now)
    story.campus.report_payments(story.now)
    for flow in ("library-payments", "library-credits", "library-credits"):
        story.hour(flow)
    assert (story.account(), story.bridge.codes()) == (0, [])
    assert fee.status is FeeStatus.CLOSED


def test_d20_an_item_that_comes_back_after_payment_is_a_question_for_the_cashier(story: Story) -> None:
    fee = story.billed()
    story.campus.peoplesoft.pay_online(ANN.value, story.now)
    story.campus.report_payments(story.now)
    story.hour("library-payments")
    story.hour("library-payments")
    story.campus.alma.refund(fee.bursar_transaction_id, 5000, story.now)
    story.hour("library-credits")
    assert (story.bridge.places(), story.bridge.codes()) == ({"settled": 5000, "student_credit": 5000}, ["refund_question"])
    assert list(story.bridge.credit_files()) == []


def test_an_echo_of_an_import_that_alma_took_twice_never_reaches_the_bursar(story: Story) -> None:
    fee = story.billed()
    story.campus.peoplesoft.pay_online(ANN.value, story.now)
    story.campus.report_payments(story.now)
    story.hour("library-payments")
    (content,) = [path.read_bytes() for path in Path(story.bridge.folder, "alma/in").rglob("*.handled")] or [b""]
    story.campus.alma.run_import(content, story.now)
    assert [credit.comment for credit in story.campus.alma.credits] == ["Bursar"]
    ran = story.hour("library-credits")
    assert (ran["noted"], ran["sent"]) == ({"count": 1, "cents": 5000}, {"count": 0, "cents": 0})
    assert (fee.status, story.account(), story.bridge.codes()) == (FeeStatus.CLOSED, 0, [])
