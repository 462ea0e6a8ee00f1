"""Alma's API, the calls of alma.md 3 that we use. It touches no socket: what sends is handed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from bursarbridge.errors import TryLater
from bursarbridge.ports.calls import Send
from bursarbridge.systems.alma import api, api_loans, api_users, deeds, once
from bursarbridge.systems.alma.allowance import Allowance
from bursarbridge.systems.alma.api import ApiFee, FeeName, Status
from bursarbridge.systems.alma.api_errors import Throttled
from bursarbridge.systems.alma.api_loans import ApiItem, ApiLoan, LoanStatus
from bursarbridge.systems.alma.api_users import ApiUser, Block
from bursarbridge.systems.alma.asking import Asking
from bursarbridge.systems.alma.once import AlreadyDone, Done


def _as_it_is(seconds: float) -> float:
    return seconds


class AlmaApi:
    """Alma behind one key.

    Every call may raise TryLater (Throttled, Broken, Exhausted), Declined (a Refused with Alma's own code) or Unreadable; a change
    also InDoubt (a TryLater), after which the same change is asked for again later, by the same id, and not at once.
    """

    def __init__(
        self, send: Send, base: str, allowance: Allowance, wait: Callable[[float], None], spread: Callable[[float], float] = _as_it_is
    ) -> None:
        self._asking = Asking(send, allowance, wait, spread)
        self._base = base
        """Where redirects may lead: the same base that `send` speaks to."""

    # ---- fees

    def fee(self, name: FeeName) -> ApiFee:
        """One fee, a closed one too."""
        return once.look(self._asking, name, urgent=False)

    def fees(self, user: str, status: Status = Status.ACTIVE, *, urgent: bool = False) -> list[ApiFee]:
        """Every fee of a user in one status; Alma's default ACTIVE leaves out those handed to the bursar (EXPORTED).

        `urgent` reading, for a change that follows, may use what is kept of the day's calls.
        """
        return [api.fee_of(one) for one in self._asking.pages(lambda offset: api.fees_call(user, status, offset), "fee", urgent=urgent)]

    def pay(self, name: FeeName, cents: int, our_id: str, *, method: str = "ONLINE") -> Done | AlreadyDone:
        """Tells Alma of a payment, at most once for an `our_id`. Declined when it would overpay the fee, or the fee is closed or in dispute."""
        return once.once(self._asking, name, deeds.payment(name, cents, our_id, method))

    def waive(self, name: FeeName, cents: int, reason: str, our_id: str) -> Done | AlreadyDone:
        """Waives exactly `cents` for a reason code of Alma's table FineFeeTransactionReason, at most once for an `our_id`."""
        return once.once(self._asking, name, deeds.waiver(name, cents, reason, our_id))

    def dispute(self, name: FeeName, our_id: str) -> Done | AlreadyDone:
        """Puts a fee into dispute."""
        return once.once(self._asking, name, deeds.dispute(name, our_id))

    def restore(self, name: FeeName, our_id: str) -> Done | AlreadyDone:
        """Takes a fee out of dispute."""
        return once.once(self._asking, name, deeds.restore(name, our_id))

    def transactions(self, from_on: date, to_on: date) -> list[ApiFee]:
        """Every fee with a payment or waive between two campus dates, each once, asked for a week at a time (alma.md 3.2)."""
        found: dict[str, ApiFee] = {}
        for begin, end in api.windows(from_on, to_on):
            for one in self._asking.pages(partial(api.transactions_call, begin, end), "fee"):
                fee = api.fee_of(one)
                found[fee.id] = fee
        return list(found.values())

    # ---- people and their blocks

    def user(self, user: str) -> ApiUser:
        """A user with the blocks on it."""
        return self._user(user, urgent=False)

    def unblock(self, user: str, remove: Callable[[Block], bool]) -> tuple[Block, ...]:
        """Takes the blocks off a user that `remove` is true of, by one short read-modify-write; returns them. None such is no error.

        What somebody else changes between our reading and our writing is lost, as Alma's PUT replaces all (alma.md 3.5): so nothing
        else happens in between, and it is never sent twice on one reading.
        """
        before = self._user(user, urgent=True)
        found = tuple(one for one in before.blocks if remove(one))
        if not found:
            return ()
        try:
            self._asking.value(api_users.put_call(before.id, api_users.with_blocks(before.raw, remove)))
        except Throttled:
            raise
        except TryLater as error:
            once.wait_for(self._asking, lambda: not any(map(remove, self._user(user, urgent=True).blocks)), f"taking a block off: {error}")
        return found

    # ---- loans, items, tables

    def loans(self, user: str, status: LoanStatus = LoanStatus.ACTIVE) -> list[ApiLoan]:
        """Every loan of a user, those that are out or those that are complete."""
        found = self._asking.pages(lambda offset: api_loans.loans_call(user, status, offset), "item_loan", "loan_id")
        return [api_loans.loan_of(one) for one in found]

    def loan(self, user: str, loan: str) -> ApiLoan:
        """One loan."""
        return api_loans.loan_of(self._asking.read(api_loans.loan_call(user, loan)))

    def item(self, barcode: str) -> ApiItem:
        """The item of a barcode: two calls, the second where the first one's redirect leads, on the same host only."""
        reply = self._asking.redirect(api_loans.item_call(barcode))
        return api_loans.item_of(self._asking.read(api_loans.item_place(reply, self._base)))

    def table(self, name: str) -> dict[str, str]:
        """A code table: code to description, those in use only."""
        rows = self._asking.read(api.table_call(name)).nodes("row")
        return {row.required("code"): row.text("description") for row in rows if row.flag("enabled", otherwise=True)}

    def test(self, area: str = "users") -> None:
        """Returns when the key opens this area (users, conf or analytics); raises Declined when it does not."""
        self._asking.opens(api.test_call(area))

    def _user(self, user: str, *, urgent: bool) -> ApiUser:
        def ask() -> ApiUser:
            reply = self._asking.reply(api_users.user_call(user), urgent=urgent)
            return api_users.user_of(self._asking.judged(reply, "GET users"), reply.body)

        return self._asking.patiently(ask)
