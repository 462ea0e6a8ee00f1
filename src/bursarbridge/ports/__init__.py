"""What the core asks of the world, on one page. Everything here is a promise; adapters keep it, the core relies on it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Fact

L = TypeVar("L", contravariant=True)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits at a partner's place."""

    name: str
    size: int
    modified_at: datetime
    """UTC, by the partner's clock."""


class Proof(StrEnum):
    """How we know that a document is where it should be."""

    READ_BACK = "read_back"
    """It stands there under its final name with our hash."""
    TAKEN = "taken"
    """Our temporary name is gone and so is the final one: it was renamed, and the partner has already taken it away."""


class Endpoint(Protocol):
    """One folder at a partner. Names are plain file names; nothing here parses what the bytes mean.

    Raises TryLater when the place cannot be reached or refuses for now, Refused when a person must look.
    """

    def waiting(self, patterns: Sequence[str]) -> list[Waiting]:
        """Whole files that wait, by name; temporary names, hidden files, links and folders are not listed."""
        ...

    def fetch(self, name: str, target: Path) -> Waiting:
        """Copies a file's bytes to `target`; TryLater when its size or time changed meanwhile or it is gone."""
        ...

    def clear(self, name: str) -> None:
        """Takes a read file away from the waiting place (into `done/` beside it, or as set); again is no error."""
        ...

    def upload(self, name: str, source: Path) -> None:
        """Puts the whole document under its temporary name, durably; again starts over. Nothing shows yet."""
        ...

    def publish(self, name: str, sha256: str) -> Proof:
        """Gives the uploaded document its final name and proves it, resolving an unknown outcome by looking.

        Never overwrites: Refused when the final name already holds other bytes.
        """
        ...

    def present(self, name: str) -> bool:
        """Whether a file of that final name stands there now."""
        ...


class Vault(Protocol):
    """Exact bytes under their SHA-256, written once, never changed."""

    def keep(self, source: Path) -> str:
        """Takes the file's bytes in, durably, and returns their SHA-256 in hex; again is no error."""
        ...

    def adopt(self, source: Path) -> str:
        """The same for a file that is ours alone and not needed any more: it is moved in rather than copied."""
        ...

    def path(self, sha256: str) -> Path:
        """Where the bytes of that hash are."""
        ...


class Archive(Vault, Protocol):
    """A vault with the few notes about itself that outlive a ledger: small texts under names, replaced whole or not at all."""

    def verify(self, sha256: str) -> bool:
        """Whether the kept bytes are there and still have that hash; reads them all."""
        ...

    def has(self, sha256: str) -> bool:
        """Whether bytes of that hash are kept; reads none of them."""
        ...

    def listed(self) -> Iterator[str]:
        """The hash of everything kept, in any order."""
        ...

    def note(self, name: str, content: bytes) -> None:
        """Keeps a note, durably, in place of an older one of that name; names are words joined by "/"."""
        ...

    def noted(self, name: str) -> bytes:
        """What a note says; b"" when there is none."""
        ...

    def notes(self, folder: str) -> list[str]:
        """The names of the notes whose name begins with that folder and a "/", sorted."""
        ...


class Rejected(NamedTuple):
    """A record that was seen and cannot be a fact: it goes to suspense whole, with its money counted."""

    code: str
    words: str
    reference: str
    account: str
    cents: int
    """As far as it could be read, positive also for a credit; 0 when it could not."""
    raw: str
    """The record's own fields as one JSON object of texts, so that it can be decided again."""


class Reader(Protocol):
    """The reading half of a system: bytes to records, records to facts. Pure."""

    def records(self, chunks: Iterable[bytes]) -> Iterator[object]:
        """Every record in the file, in order, in the adapter's own raw form. Raises Unreadable when the file as a whole is unfit."""
        ...

    def fact(self, record: object) -> Fact:
        """What one record says. Raises Unreadable for a record that cannot be a fact; the rest of the file goes on."""
        ...

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        """The same record as suspense keeps it. Never raises."""
        ...

    def revived(self, raw: str) -> object:
        """A record from what `rejected` kept, so that it can be decided again after a cure."""
        ...


def read(reader: Reader, chunks: Iterable[bytes]) -> Iterator[Fact | Rejected]:
    """The one read loop: every record a reader yields comes out as a fact or as a rejection, none is dropped."""
    fact, rejected = reader.fact, reader.rejected
    for record in reader.records(chunks):
        try:
            yield fact(record)
        except Unreadable as error:
            yield rejected(record, error)


class Original(NamedTuple):
    """The charge that a credit takes back, as it left."""

    made_on: str = ""
    """Campus date of its document, which decided term and item type."""
    sent_on: str = ""
    """Campus date of its delivery."""
    cents: int = 0


_NO_ORIGINAL = Original()


class Line(NamedTuple):
    """One line of a batch on its way to a destination."""

    obligation: int
    reference: str
    """Ours: at most 30 characters, unique, the same for a charge and its reversal."""
    source_reference: str
    account: str
    category: str
    cents: int
    kind: str
    """A `Kind`: charge, payment, credit."""
    assessed_on: str
    item: str
    owner: str
    extra: str
    original: Original = _NO_ORIGINAL
    """Of a credit: the charge as it was posted."""


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """How many lines a document carries and their sum in cents."""

    count: int
    cents: int


@dataclass(frozen=True, slots=True)
class Heading:
    """What a document's header and name may say; the same for every line of it."""

    name: str
    """The document's file name."""
    sequence: int
    """Unique and rising per destination: the batch number."""
    made_at: datetime
    """UTC."""
    made_on: str
    """Campus date YYYY-MM-DD."""


class DocumentWriter(Protocol[L]):
    """The writing half of a system, for one document. Pure; `line` is called in the order that `order` asks for."""

    def line(self, line: L) -> str:
        """The line's text. Raises Unreadable when it cannot be written rightly (unmapped, too wide): it goes to suspense."""
        ...

    def head(self, total: ControlTotal) -> str:
        """What stands before the lines."""
        ...

    def tail(self, total: ControlTotal) -> str:
        """What stands after the lines."""
        ...


Writer = DocumentWriter[Line]


class Destination(Protocol):
    """Where batches of one kind go: the system's writing half, as the flows see it."""

    encoding: str

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        """The file name of a document: unique, never used again."""
        ...

    def writer(self, heading: Heading) -> Writer:
        """A fresh writer for one document."""
        ...


class Parcel(NamedTuple):
    """What goes into one document, and who writes it."""

    destination: Destination
    lines: tuple[Line, ...]


@runtime_checkable
class Splitter(Protocol):
    """A destination whose rules forbid some lines to stand in one document (peoplesoft.md 1.6)."""

    def parcels(self, lines: Sequence[Line], made_on: str) -> list[Parcel]:
        """The lines as they may leave on a campus date, one parcel a document; a line in none of them waits for a later run."""
        ...


class HoldLine(NamedTuple):
    """One person's hold on its way to the bursar: what is to be true there afterwards, never a difference (peoplesoft.md 3.4).

    `verb` is place, change or release; `category` and `violated_on` are of the violation that speaks for the person.
    """

    account: str
    verb: str
    cents: int
    """The final total owed, which overwrites; 0 for a release."""
    code: str
    reason: str
    reference: str
    """Ours: at most 30 characters, the same for as long as the hold lives."""
    institution: str = ""
    department: str = ""
    contact: str = ""
    user_type: str = ""
    category: str = ""
    violated_on: str = ""
    placed_on: str = ""
    """Campus date YYYY-MM-DD from which the hold is active; "" for the day of the document."""


HoldWriter = DocumentWriter[HoldLine]


class HoldDestination(Protocol):
    """Where one of the two documents of a hold run goes."""

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        """The file name of a document: unique, never used again."""

    def writer(self, heading: Heading) -> HoldWriter:
        """A fresh writer for one document."""


class HoldFiles(Protocol):
    """The two documents of a hold run, as the system that takes them wants them: who is to have a hold, and whose is to go."""

    encoding: str
    added: HoldDestination
    released: HoldDestination
