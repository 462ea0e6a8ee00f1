"""Payments told to Alma by its API, one by one, in place of the import file (alma.md 2.4)."""

from __future__ import annotations

from typing import Final

from bursarbridge.systems.alma.api import ApiFee, Status
from bursarbridge.systems.alma.api_errors import Declined
from bursarbridge.systems.alma.client import AlmaApi

_WHERE: Final = (Status.EXPORTED, Status.ACTIVE, Status.INDISPUTE, Status.CLOSED)
"""Where a billed fee is looked for, the likeliest first."""


class FeeTeller:
    """Tells Alma of payments: implements flows.tell.Teller."""

    def __init__(self, api: AlmaApi) -> None:
        self._api = api

    def tell(self, account: str, fee: str, cents: int, ours: str) -> None:
        """Pays the fee of that bursar transaction id; done before is fine."""
        self._api.pay(self._found(account, fee).name, cents, ours)

    def shown(self, account: str, fee: str, ours: str) -> list[tuple[int, int]]:
        """The payments that the fee shows under names of ours: the batch number behind our reference, and cents; none for an unknown fee."""
        try:
            found = self._found(account, fee)
        except Declined:
            return []
        names = ((one.external_id.rpartition("-"), abs(one.cents)) for one in found.transactions)
        return [(int(batch), cents) for (reference, _dash, batch), cents in names if reference == ours and batch.isdecimal()]

    def _found(self, account: str, reference: str) -> ApiFee:
        for status in _WHERE:
            for one in self._api.fees(account, status, urgent=True):
                if one.bursar_transaction_id == reference:
                    return one
        raise Declined(f"fee {reference}: Alma has no fee of that bursar transaction id for this person. Nothing was sent; look it up in Alma")
