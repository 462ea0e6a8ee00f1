"""Loans and items: is the item still lost? (alma.md 3.6)"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from bursarbridge.ports.calls import Call, Reply
from bursarbridge.systems.alma.api import ROOT, page_query, segment
from bursarbridge.systems.alma.api_errors import Declined
from bursarbridge.systems.alma.api_json import Node


class LoanStatus(StrEnum):
    """Which loans to list; Complete ones are there until they are made anonymous (alma.md 3.6)."""

    ACTIVE = "Active"
    COMPLETE = "Complete"


class ApiLoan(NamedTuple):
    """A loan as Alma has it now; the title is not read."""

    id: str
    user: str
    barcode: str
    status: str
    """ACTIVE or COMPLETE."""
    process_status: str
    """NORMAL, RENEW, CLAIMED_RETURN, near certainly LOST: site data, compared with the settings."""
    returned_at: str
    """"" while it is out."""
    library: str
    due_at: str


class ApiItem(NamedTuple):
    """An item as Alma has it now."""

    barcode: str
    in_place: bool
    """base_status 1."""
    process_type: str
    """Why it is not in place: LOAN, LOST_LOAN, CLAIM_RETURNED_LOAN, MISSING ("" in place). Unverified codes: compare with the settings."""
    library: str


def loans_call(user: str, status: LoanStatus, offset: int) -> Call:
    """A page of a user's loans."""
    return Call("GET", f"{ROOT}/users/{segment(user)}/loans", (("loan_status", status), *page_query(offset)))


def loan_call(user: str, loan: str) -> Call:
    """One loan."""
    return Call("GET", f"{ROOT}/users/{segment(user)}/loans/{segment(loan)}")


def item_call(barcode: str) -> Call:
    """Asks where the item of a barcode is; the answer is a redirect (alma.md 3.6)."""
    return Call("GET", f"{ROOT}/items", (("item_barcode", barcode),))


def item_place(reply: Reply, base: str) -> Call:
    """The call that a redirect names. Raises Declined unless it leads to an item of the same host."""
    location = reply.headers.get("location", "")
    path = location.removeprefix(base) if location.startswith(f"{base}/") else location
    if reply.status not in (302, 303, 307) or not path.startswith(f"{ROOT}/bibs/") or "/.." in path:
        raise Declined("item by barcode: Alma sent us on to another place than its own items; it was not followed", status=reply.status)
    return Call("GET", path)


def loan_of(found: Node) -> ApiLoan:
    """A loan. Raises Unreadable when it has no id or status."""
    required = [found.required(name) for name in ("loan_id",)]
    texts = [found.text(name) for name in ("user_id", "item_barcode", "loan_status", "process_status", "return_date", "library", "due_date")]
    return ApiLoan(*required, *texts)


def item_of(found: Node) -> ApiItem:
    """An item. Raises Unreadable when it does not say whether it is in place."""
    inside = found.node("item_data")
    in_place = inside.required("base_status") == "1"
    return ApiItem(inside.text("barcode"), in_place, inside.text("process_type"), inside.text("library"))
