"""The people behind the bridge: they look at what asks, know the truth of both campus systems, and decide rightly."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bursarbridge.errors import Refused
from bursarbridge.flows.resolve import actions_for
from bursarbridge.sandbox.campus import Campus
from bursarbridge.sandbox.fees import FeeStatus
from bursarbridge.store import views
from bursarbridge.store.views import ItemView
from tests.simulation.years.bridge import Machine

WAITS = ("payment_before_charge", "payment_in_flight", "reversal_in_flight", "credit_before_charge", "credit_in_flight", "partial_waive")
"""Questions that answer themselves."""


@dataclass
class Staff:
    """Everybody who works through the list of what waits."""

    campus: Campus
    machine: Machine
    near: Path
    far: Path
    remembers: Callable[[], bool] = lambda: False
    """Whether a decision may have been made before that the bridge has lost."""

    def look_through(self, now: datetime, tell: Callable[[str], None]) -> int:
        """Decides what can be decided; returns how many."""
        with self.machine.bridge.books() as books:
            items = views.items(books)
        decided = 0
        for item in items:
            action, note = self._right(item)
            if action:
                with suppress(Refused):
                    said = self.machine.bridge.resolve(item.id, action, "Imre", note)
                    tell(f"suspense {item.id} {item.code}: {action}: {said}")
                    decided += 1
        return decided

    def _right(self, item: ItemView) -> tuple[str, str]:
        """What is right about an item, and why; "" for leaving it."""
        lawful = {action.name for action in actions_for(item.code, blocks=item.blocks)}
        if item.code in WAITS:
            return "", ""
        if item.code == "in_doubt":
            return ("arrived" if self._there(item) else "send-again"), "looked"
        if item.code == "payment_vanished":
            return ("reversed" if self._truly_reversed(item) else "dismiss"), "asked the cashier"
        if item.code == "refused_invalid_account":
            return "withdraw", "not a student: billed another way"
        if item.code in ("credit_ambiguous", "credit_unmatched"):
            return "apply", f"it belongs to {self._fee_of(item)}"
        if item.code == "conflict":
            return "keep", "first one stands"
        if item.code == "payment_for_closed":
            return "credit", "the student's money"
        if item.code == "reopened":
            return self._reopen(item)
        for one in ("accept", "resend", "retry", "dismiss"):
            if one in lawful:
                return one, "looked at both systems"
        return "", ""

    def _there(self, item: ItemView) -> bool:
        return any(
            path.name.split(".dat")[0].split(".xml")[0] in item.words for root in (self.near, self.far) for path in root.rglob("*") if path.is_file()
        )

    def _truly_reversed(self, item: ItemView) -> bool:
        """Whether the cashier took back a payment of that charge, by the bursar's own books."""
        reference = self._reference(item)
        return any(one.reversed and one.item.reference == reference for one in self.campus.peoplesoft.payments)

    def _reference(self, item: ItemView) -> str:
        if item.obligation is None:
            return item.reference
        with self.machine.bridge.books() as books:
            found = books.rows("select source_reference from obligation where id = :o", o=item.obligation)
            (one,) = views.obligations(books, str(found[0][0]))
        return one.reference

    def _fee_of(self, item: ItemView) -> str:
        found = [one for one in self.campus.alma.credits if one.credit_id == item.reference]
        return found[0].bursar_transaction_id if found else ""

    def _reopen(self, item: ItemView) -> tuple[str, str]:
        """The library opens the fee again by hand, where it is still open at the bursar."""
        assert item.obligation is not None
        with self.machine.bridge.books() as books:
            fee_id = str(books.one("select source_reference from obligation where id = :o", o=item.obligation))
            (one,) = views.obligations(books, fee_id)
        fee = self.campus.alma.fees[fee_id]
        if not one.standing.bursar:
            if self.remembers() and fee.balance_cents:  # opened by hand before the disk was lost, and paid since
                fee.balance_cents, fee.status = 0, FeeStatus.CLOSED
            return "dismiss", "paid again since"
        most = one.standing.bursar
        if self.remembers():  # the disk that knew of it was lost: what somebody opened then is open
            most = max(0, most - fee.balance_cents)
        fee.balance_cents += min(item.cents, most)
        fee.status = FeeStatus.TRANSFERRED
        return "opened", "opened in Alma by hand"
