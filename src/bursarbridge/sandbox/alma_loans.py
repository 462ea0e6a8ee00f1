"""The circulation desk of the emulated Alma: loans, items and the blocks on users (alma.md 3.5 and 3.6)."""

from dataclasses import dataclass, field
from datetime import datetime

from bursarbridge.sandbox.fees import User

NORMAL, LOST, CLAIMED = "NORMAL", "LOST", "CLAIMED_RETURN"
"""process_status of a loan; LOST is near certain and not verified (alma.md 3.6)."""


@dataclass(slots=True)
class Loan:
    """One loan; `returned_at` is None while the item is out."""

    loan_id: str
    user: User
    barcode: str
    library: str
    lent_at: datetime
    due_at: datetime
    process_status: str = NORMAL
    returned_at: datetime | None = None


@dataclass(slots=True)
class Circulation:
    """Who has what, and who may borrow. Blocks are kept as Alma's JSON has them, since a PUT may write anything into them."""

    loans: dict[str, Loan] = field(default_factory=dict)
    users: dict[str, dict[str, object]] = field(default_factory=dict)
    """A user's whole record by identifier, as the API gives and takes it."""

    def enrol(self, user: User) -> dict[str, object]:
        """The user's record, made when it was not there."""
        made: dict[str, object] = {
            "primary_id": user.value,
            "full_name": user.name,
            "external_id": "SIS",
            "user_identifier": [{"value": user.value, "id_type": {"value": user.identifier_type}, "status": "ACTIVE"}],
            "user_block": [],
            "rs_library": [],
        }
        return self.users.setdefault(user.value, made)

    def lend(self, user: User, barcode: str, at: datetime, due_at: datetime, library: str = "MAIN") -> Loan:
        """The item goes out."""
        self.enrol(user)
        loan = Loan(f"129{len(self.loans) + 1:010d}6001", user, barcode, library, at, due_at)
        self.loans[loan.loan_id] = loan
        return loan

    def lose(self, loan: Loan) -> None:
        """Declared lost: the loan stays open (alma.md 5)."""
        loan.process_status = LOST

    def claim_returned(self, loan: Loan) -> None:
        """The borrower says it is back, and nobody has seen it."""
        loan.process_status = CLAIMED

    def give_back(self, loan: Loan, at: datetime) -> None:
        """The item is back: the loan is complete."""
        loan.returned_at, loan.process_status = at, NORMAL

    def block(self, user: User, kind: str, description: str, note: str = "", loan: str = "") -> None:
        """Puts a block on a user."""
        blocks = self.enrol(user)["user_block"]
        assert isinstance(blocks, list)
        coded = {"block_type": {"value": kind}, "block_description": {"value": description}}
        blocks.append({**coded, "block_status": "ACTIVE", "block_note": note, "item_loan_id": loan or None, "segment_type": "Internal"})

    def blocks(self, user: User) -> list[str]:
        """The descriptions of the user's blocks."""
        blocks = self.enrol(user)["user_block"]
        assert isinstance(blocks, list)
        return [one["block_description"]["value"] for one in blocks]

    def loan_of_item(self, barcode: str) -> Loan | None:
        """The newest loan of an item."""
        found = [loan for loan in self.loans.values() if loan.barcode == barcode]
        return found[-1] if found else None
