"""What campus systems tell us, in the bridge's own words. Facts are frozen; amounts are positive cents unless said otherwise."""

from enum import StrEnum
from typing import NamedTuple


class Charge(NamedTuple):
    """A fee that a source assessed (a library fee, a citation)."""

    reference: str
    """The source's own lasting name of the fee, opaque text."""
    account: str
    """The person at the bursar, by the agreed match id; leading zeros are part of it."""
    category: str
    """The source's fee type; the bursar's item type is found from it."""
    cents: int
    assessed_on: str
    """Campus date YYYY-MM-DD of the fee's last transaction in the source, or "" when the source gives none."""
    item: str = ""
    """The thing the fee is for (a barcode), needed to match a later credit; never sent to the bursar by default."""
    owner: str = ""
    """The library or office that owns the fee, as the source codes it."""
    extra: str = ""
    """What the source's own writer needs to speak of this fee again; opaque to everyone else."""


class Credit(NamedTuple):
    """Money that a source takes back from what it assessed: a waive, or the refund of a returned item.

    It names neither the fee nor its type (alma.md 0, item 3): the fee is found by person, item and open amount.
    """

    reference: str
    """The credit's own lasting name, never the fee's; the idempotency key."""
    account: str
    cents: int
    """Positive."""
    credited_on: str
    """Campus date YYYY-MM-DD, or ""."""
    item: str = ""
    owner: str = ""
    comment: str = ""
    """What staff or the source itself wrote beside it; it tells echoes of our own payments."""
    extra: str = ""


class Payments(NamedTuple):
    """One row of a bursar's payment file: money applied to one charge."""

    reference: str
    """Our reference, or the source's, as the channel's settings say."""
    account: str
    cents: int
    """Cumulative reports: the cents of this row (negative for a reversal row); snapshots: the cents applied to date."""
    paid_on: str
    """Campus date YYYY-MM-DD the row names, or "" in a snapshot without one."""
    charge_cents: int
    """The original amount as the bursar has it, or -1 when the layout does not carry it."""
    item_type: str = ""
    description: str = ""


class AnswerStatus(StrEnum):
    """How far the bursar got with what we sent (peoplesoft.md 1.3-1.4)."""

    RECEIVED = "received"
    LOADED = "loaded"
    POSTED = "posted"
    REFUSED = "refused"


class Answer(NamedTuple):
    """One line of a posting result: about a whole document (no reference) or one line of it."""

    document: str
    """The name of the file we sent, as the bursar repeats it (its folder and extension may be missing)."""
    status: AnswerStatus
    group: str
    """The bursar's group id, or ""."""
    reference: str
    """Our reference of the line, or "" when the answer speaks of the whole document."""
    account: str
    cents: int
    """The line's amount, or the document's control total; -1 when not given."""
    lines: int
    """How many lines the document has by the bursar's count; -1 when not given."""
    reason: str
    """The bursar's own words, or ""."""


class Standing(StrEnum):
    """What a parking office says of a violation; `absent` is our word for one that its complete list no longer holds."""

    OPEN = "open"
    DISPUTED = "disputed"
    PAID = "paid"
    VOID = "void"
    WARNING = "warning"
    ABSENT = "absent"


class Violation(NamedTuple):
    """What a parking office says is owed for one violation, now: a state, never a difference (parking.md)."""

    reference: str
    """The violation's number; for a file with one row a person, the person's id stands for the whole balance."""
    account: str
    """The person at the bursar, by the agreed match id."""
    category: str
    """The violation type as the source writes it, or ""."""
    cents: int
    """What is still owed; 0 when nothing is."""
    violated_on: str
    """Campus date YYYY-MM-DD, or ""."""
    status: Standing = Standing.OPEN
    user_type: str = ""
    """Student, staff and so on as the source writes it, or ""."""


class Indicator(NamedTuple):
    """A service indicator that the bursar's system has on a person now: one row of its snapshot (peoplesoft.md 3)."""

    account: str
    institution: str
    code: str
    reason: str
    cents: int
    """The amount beside it; -1 when the snapshot carries none."""
    reference: str = ""
    """What stands in its reference field: ours, when we placed it."""
    placed_on: str = ""
    """Campus date YYYY-MM-DD, or ""."""


Fact = Charge | Credit | Payments | Answer | Violation | Indicator
