"""What the core asks of those who are called, listened to and written to: web interfaces, webhooks, the library's desk, mail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from bursarbridge.ledger.returns import LibraryCredit, LibraryFee, Loan

L = TypeVar("L", contravariant=True)


class Handed(NamedTuple):
    """What came of handing over one mail."""

    outcome: str
    """sent | later (this mail not now) | unreachable (no mail now) | refused (never) | unknown (cut off while the other side had it)."""
    words: str


class Carrier(Protocol):
    """A way for mail to leave. `token` is new with every process: a try that another process began is never taken for one's own."""

    @property
    def token(self) -> str:
        """Names this process."""
        ...

    def hand_over(self, message: bytes, sender: str, recipient: str) -> Handed:
        """Hands one whole message (RFC 5322, CRLF) for one recipient over, and says what came of it. Does not raise for the network."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a system's web interface, as a value. The secret that opens the door is never part of it."""

    method: str
    path: str
    """From the first slash, percent-encoded; it may carry a query of its own."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values as they are, encoded by whoever sends."""
    body: bytes = b""
    """JSON, or nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status; a redirect is a reply like any other."""

    status: int
    headers: Mapping[str, str]
    """By names in small letters."""
    body: bytes


Send = Callable[[Call], Reply]
"""Sends a call and returns the reply. Raises TryLater when there is none (the other side may have acted all the same),
Refused when the other side is not who it should be."""


class Notice(NamedTuple):
    """What a webhook call says, as far as the core asks; a text is "" where the call is silent."""

    id: str
    institution: str
    event: str
    """The system's own name of what happened, in capitals: "LOAN_RETURNED", "JOB_END"."""
    at: str
    """When it happened, as the call writes it."""
    loan: str = ""
    user: str = ""
    item: str = ""
    job: str = ""
    """The run of a job that ended: part of its file's name."""
    job_name: str = ""
    job_state: str = ""
    job_ended_at: str = ""
    fees: int = -1
    """A job's own count of fees and of users; -1 when it gives none."""
    users: int = -1


class Listener(Protocol):
    """The hearing half of a system: is a call its own, and what does it say. Pure."""

    def genuine(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        """Whether the call carries a signature of these very bytes by a secret that is valid now. Parses nothing."""
        ...

    def notice(self, body: bytes) -> Notice:
        """What a genuine call says. Raises Unreadable when it is in no form that is known."""
        ...


class Waived(NamedTuple):
    """What came of a waive."""

    state: str
    """done, or already: it carried our reference before."""
    words: str = ""


class LibraryDesk(Protocol):
    """The library's own system, asked and told by calls, in plain values. A person is named by any id that is unique there.

    Raises TryLater (unreachable, or the calls that may be made are used up) and Refused (a person must look).
    """

    def fees(self, person: str, item: str) -> Sequence[LibraryFee]:
        """Every fee of that person for that item, open, disputed or closed, credits left out; none for an unknown person."""
        ...

    def credits(self, person: str, item: str) -> Sequence[LibraryCredit]:
        """The credits of that person for that item."""
        ...

    def loans(self, person: str, item: str) -> Sequence[Loan]:
        """The loans of that item by that person that are still known, running and ended."""
        ...

    def in_place(self, item: str) -> bool:
        """Whether the item stands at the library, neither lent nor lost; False for an unknown item."""
        ...

    def waive(self, person: str, fee: str, cents: int, reason: str, ours: str) -> Waived:
        """Waives that much of a fee, with the campus's reason code and our reference in its comment, at most once.

        On any doubt the fee is read and `ours` looked for; the same call again has no second effect.
        """
        ...

    def refresh_blocks(self, person: str, item: str) -> int:
        """Takes away the person's blocks that came from the loss of this item, and nothing else; returns how many. Again is no error."""
        ...


class Log(Protocol):
    """Takes one line about an event: names and numbers of ours, never a person, an account, a file name of a partner or a raw line.

    Never raises and never waits: what cannot be written is counted and left out.
    """

    def __call__(self, event: str, /, **fields: str | int) -> None:
        """Writes the line; how grave an event is goes with its name (docs/monitoring.md has them all)."""
        ...


def unlogged(_event: str, /, **_fields: str | int) -> None:
    """A Log that keeps nothing."""
