"""An Alma in memory that speaks ports.LibraryDesk alone: fees, loans and blocks, with an answer that can be lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bursarbridge.errors import Refused, TryLater
from bursarbridge.ledger.returns import LibraryCredit, LibraryFee, Loan
from bursarbridge.ports.calls import Waived

LOST_FEE = "LOSTITEMREPLACEMENTFEE"


@dataclass
class Desk:
    """What the library's system knows, and what was done to it. Set the fields as the scene needs them."""

    held: dict[tuple[str, str], list[LibraryFee]] = field(default_factory=dict)
    """Person and item -> fees."""
    credit_rows: dict[tuple[str, str], list[LibraryCredit]] = field(default_factory=dict)
    lent: dict[tuple[str, str], list[Loan]] = field(default_factory=dict)
    shelved: set[str] = field(default_factory=set)
    blocks: dict[tuple[str, str], int] = field(default_factory=dict)
    waived: list[tuple[str, int, str]] = field(default_factory=list)
    """Fee, cents, our reference: every waive that had an effect."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    """What happens to the next calls, one word each: later, refused, lost (the waive is done and its answer lost), "" for nothing."""

    def lose(self, person: str, item: str, fee: str, cents: int, *, state: str = "lost") -> None:
        """An item is lost: a fee, a loan, a block."""
        self.held[person, item] = [LibraryFee(f"F{fee}", fee, LOST_FEE, "open", cents, item, "2026-07-20T00:00:00Z")]
        self.lent[person, item] = [Loan(f"L{fee}", state)]
        self.blocks[person, item] = 1

    def give_back(self, person: str, item: str, at: str = "2026-08-04T12:00:00Z") -> None:
        """It comes back."""
        self.lent[person, item] = [Loan(one.loan, "returned", at) for one in self.lent[person, item]]
        self.shelved.add(item)

    def change(self, person: str, item: str, **changes: object) -> None:
        """The person's fees for the item stand differently now."""
        self.held[person, item] = [one._replace(**changes) for one in self.held[person, item]]  # type: ignore[arg-type]

    def fees(self, person: str, item: str) -> Sequence[LibraryFee]:
        self._trouble()
        self.asked.append((person, item))
        return list(self.held.get((person, item), []))

    def credits(self, person: str, item: str) -> Sequence[LibraryCredit]:
        return list(self.credit_rows.get((person, item), []))

    def loans(self, person: str, item: str) -> Sequence[Loan]:
        return list(self.lent.get((person, item), []))

    def in_place(self, item: str) -> bool:
        return item in self.shelved

    def waive(self, person: str, fee: str, cents: int, reason: str, ours: str) -> Waived:
        trouble = self._trouble()
        for (owner, item), fees in self.held.items():
            for number, one in enumerate(fees):
                if owner != person or one.fee != fee:
                    continue
                if any(ours in mark for mark in one.marks):
                    return Waived("already")
                if one.state != "open" or one.balance_cents != cents:
                    raise Refused("402119: the fee is not open, or not by this amount")
                marks = (*one.marks, f"{ours} {reason}")
                self.held[owner, item][number] = one._replace(balance_cents=0, state="closed", waived_cents=cents, marks=marks)
                self.waived.append((fee, cents, ours))
                if trouble == "lost":
                    raise TryLater("no answer within 30 seconds")
                return Waived("done")
        raise Refused("401665: no such fee")

    def refresh_blocks(self, person: str, item: str) -> int:
        self._trouble()
        return self.blocks.pop((person, item), 0)

    def _trouble(self) -> str:
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "later":
            raise TryLater("the calls of today are used up but for the reserve")
        if trouble == "refused":
            raise Refused("60340: not allowed for this library")
        return trouble
