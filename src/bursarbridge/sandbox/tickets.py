"""What the parking office keeps: people by user type, and violations with a status and what is still owed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class UserType(StrEnum):
    """Who somebody is to the parking office."""

    STUDENT = "Student"
    STAFF = "Staff"
    VISITOR = "Visitor"


class ParkingUser(NamedTuple):
    """A person in the parking system; without a unique user id nobody else can know who it is (parking.md B)."""

    user_id: str
    """The number all systems share, or "" where nobody filled it in."""
    name: str
    user_type: UserType = UserType.STUDENT


class TicketStatus(StrEnum):
    """What parking says of a violation, in its own words (parking.md W, A)."""

    OPEN = "Open"
    APPEALED = "Appealed"
    PAID = "Paid"
    SPOILED = "Spoiled"
    """Voided; also what an appeal that is granted in full ends as."""
    WARNING = "Warning"
    CLEANED = "System Processed"
    """Closed by a clean-up after it was billed elsewhere: nobody paid anything."""


@dataclass(slots=True)
class Ticket:
    """One violation. What was asked for is always owed, paid, forgiven or cleaned up."""

    number: str
    user: ParkingUser
    violation_type: str
    original_cents: int
    owed_cents: int
    status: TicketStatus
    issued_at: datetime
    """Aware, in the campus zone."""
    revision: int
    """Rises with every change, over all violations: what a changes file goes by."""
    paid_cents: int = 0
    forgiven_cents: int = 0
    cleaned_cents: int = 0
    exported_at: datetime | None = None
    """The flag of the first export that carried it: the evidence of the cutoff (parking.md W)."""

    @property
    def due_cents(self) -> int:
        """What counts towards a hold by parking's own reckoning: an appeal that is not decided does not."""
        return self.owed_cents if self.status is TicketStatus.OPEN else 0
