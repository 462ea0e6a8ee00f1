"""A lost item comes back: over real HTTP, SFTP and SMTP its fee leaves Alma and the student account, call or no call (issue 3, acceptance 1)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bursarbridge.cli.two_days import Stage, two_days
from bursarbridge.sandbox.fees import Fee, FeeStatus
from bursarbridge.sandbox.people import GITA
from bursarbridge.sandbox.story import CHARGES, CREDITS, REPORT, RETURNS
from bursarbridge.store import views

BOOK = "31234000099952"
CENTS = 64_00


@dataclass
class Campus:
    """One student, one lost and billed book, and everything real between the two systems."""

    stage: Stage
    fee: Fee

    def later(self, **span: int) -> None:
        """Time passes."""
        self.stage.clock.at += timedelta(**span)

    def run(self, flow: str) -> dict[str, object]:
        """The bridge runs a flow now."""
        return self.stage.start(flow)

    def comes_back(self) -> None:
        """The book lies on the desk."""
        self.stage.campus.give_back(BOOK, self.stage.clock.at)

    def call(self, secret: str = "") -> int:
        """Alma's call about it; the status of the answer."""
        calls, loan = self.stage.campus.calls, self.stage.campus.circulation.loan_of_item(BOOK)
        assert calls is not None and loan is not None
        return (replace(calls, secret=secret) if secret else calls).returned(loan, self.stage.clock.at)

    def posted(self) -> None:
        """PeopleSoft loads what waits, and posts it."""
        self.stage.campus.post(self.stage.campus.load(), self.stage.clock.at)

    def credited(self) -> None:
        """The next hourly credit export, the bridge's hourly run, and PeopleSoft's posting: all within one hour of the waive."""
        self.later(minutes=50)
        assert self.stage.campus.export_credits(self.stage.clock.at) is not None
        self.later(minutes=5)
        assert self.run(CREDITS)["sent"] == {"count": 1, "cents": CENTS}
        self.later(minutes=5)
        self.posted()

    def on_account(self) -> int:
        """What the student owes at the bursar, in cents."""
        return sum(item.open_cents for item in self.stage.campus.peoplesoft.items_of(GITA.value))

    def blocks(self) -> list[str]:
        """What keeps the student from borrowing."""
        return self.stage.campus.circulation.blocks(GITA)

    def places(self) -> dict[str, int]:
        """Where the bridge has money."""
        with self.stage.bridge.books() as books:
            assert views.unexplained_cents(books) == 0
            return {place: cents for place, cents in views.places(books).items() if cents > 0}

    def mails(self) -> list[str]:
        """The text of every mail in the mailbox."""
        mailbox = self.stage.campus.mailbox
        assert mailbox is not None
        return [one.part("plain") for one in mailbox.mails]

    def is_cleared(self) -> None:
        """Nothing is owed anywhere, nobody is blocked, and the bridge knows that both sides know."""
        assert (self.fee.status, self.on_account(), self.blocks()) == (FeeStatus.CLOSED, 0, [])
        self.later(minutes=30)
        self.run(CREDITS)
        assert self.places() == {"settled": CENTS}
        assert not list(self.stage.bridge.still_charged())
        assert self.stage.campus.cleared() == [self.fee]


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    """A book is lost, and its fee is on the student account."""
    with two_days(tmp_path / "campus") as stage:
        now = stage.clock.at
        stage.campus.lose(GITA, BOOK, now - timedelta(days=45), now, "MAIN")
        fee = stage.campus.alma.assess(GITA, "LOSTITEMREPLACEMENTFEE", CENTS, now, barcode=BOOK, title="Wind and weather", library="MAIN")
        made = Campus(stage, fee)
        stage.campus.export(now)
        made.run(CHARGES)
        made.posted()
        made.later(hours=1)
        made.run(CHARGES)
        assert (made.on_account(), made.blocks(), made.places()) == (CENTS, ["05"], {"bursar": CENTS})
        made.later(hours=16)
        yield made


def test_a_signed_call_clears_the_student_account_within_the_hour(campus: Campus) -> None:
    campus.comes_back()
    assert campus.call("a secret of somebody else") == 401
    assert [campus.call(), campus.call()] == [200, 200]
    campus.run(RETURNS)
    assert (campus.fee.status, campus.blocks(), campus.on_account()) == (FeeStatus.CLOSED, [], CENTS)
    (waive,) = campus.stage.campus.desk.rows[campus.stage.campus.desk.id_of(campus.fee)]
    assert (waive.kind, waive.cents, waive.reason) == ("WAIVE", CENTS, "FOUND")
    campus.credited()
    campus.is_cleared()


def test_with_the_call_lost_the_report_names_the_item_until_the_sweep_has_cleared_it(campus: Campus) -> None:
    campus.comes_back()
    assert campus.run(REPORT)["sent"] == 1
    (mail,) = campus.mails()
    assert mail.startswith("1 returned item to waive now, $64.00.") and BOOK in mail and GITA.value in mail
    assert (campus.fee.balance_cents, campus.blocks()) == (CENTS, ["05"]), "a report changes nothing at the library"
    campus.later(minutes=30)
    campus.run(RETURNS)
    assert (campus.fee.status, campus.blocks()) == (FeeStatus.CLOSED, [])
    campus.run(f"{REPORT}-again")
    assert campus.mails()[-1].startswith("Nothing to waive: what came back is paid or on its way.") and BOOK in campus.mails()[-1]
    campus.credited()
    campus.is_cleared()
    campus.run(f"{REPORT}-again")
    assert campus.mails()[-1].startswith("Nothing that came back is still charged.") and len(campus.mails()) == 3


def test_with_the_call_lost_and_alma_away_the_report_leaves_all_the_same_and_the_sweep_does_it_alone(campus: Campus) -> None:
    campus.comes_back()
    campus.stage.door.remaining = 0
    told = campus.run(REPORT)
    assert (told["sent"], len(campus.mails())) == (1, 1)
    assert "made of what was known before" in str(told["words"])
    campus.stage.door.remaining = 100_000
    campus.run(RETURNS)
    campus.credited()
    campus.is_cleared()
