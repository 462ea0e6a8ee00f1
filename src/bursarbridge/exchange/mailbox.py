"""The promises of ports.Endpoint for a mailbox: each mail as agreed is one waiting file, everything else is kept, named and never read.

A mailbox is read only: nothing is sent by it. Maildir and IMAP each do the five small acts of `Letterbox`.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol
from zoneinfo import ZoneInfo

from bursarbridge.errors import Refused, TryLater, Unreadable
from bursarbridge.exchange import names
from bursarbridge.exchange.disk import durable
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.letter import LETTER_MAX, LetterRules, date_of, enclosure, mark_of
from bursarbridge.ports import Proof, Waiting

DONE, REFUSED = "done", "refused"
"""The folders beside the mailbox that read and refused mails are put into."""


class Envelope(NamedTuple):
    """One mail that lies in a mailbox, unopened."""

    id: str
    """Lasting as long as the mail lies there."""
    size: int
    received_at: datetime
    """UTC."""


class Letterbox(Protocol):
    """What an endpoint needs of a mailbox. Every act raises TryLater when it cannot be reached, Refused when a person must look."""

    title: str
    """What messages call it."""

    def look(self) -> list[Envelope]:
        """The mails that lie there now, in any order; looking changes nothing."""
        ...

    def read(self, envelope: Envelope) -> bytes:
        """A mail's exact bytes; nothing there is marked as read. Raises Gone."""
        ...

    def put_aside(self, envelope: Envelope, folder: str) -> None:
        """Moves a mail into a folder beside the mailbox, made when it is not there; a mail that is gone is no error."""
        ...

    def remove(self, envelope: Envelope) -> None:
        """Takes a mail away; a mail that is gone is no error."""
        ...

    def close(self) -> None:
        """Lets go of what it holds; it may be used again after."""
        ...


class _Known(NamedTuple):
    """What was found out about one mail."""

    envelope: Envelope
    waiting: Waiting
    """Its file under the name we give it; of a refused mail, the mail itself."""
    own_name: str
    """What the sender called the file."""
    refused: str
    """Why it is not read, or ""."""


class MailEndpoint:
    """Keeps ports.Endpoint's promises, and flows.doorkeeping.Doorkeeper's, at a mailbox. Not safe for two threads at once; `close()` when done."""

    def __init__(self, open_box: Callable[[], Letterbox], rules: LetterRules, *, zone: ZoneInfo, clear: Clear = "move") -> None:
        self._open_box = open_box
        self._rules = rules
        self._zone = zone
        self._clear = clear
        self._known: dict[Envelope, _Known] = {}

    def waiting(self, patterns: Sequence[str]) -> list[Waiting]:
        """The files of agreed mails whose own name fits a pattern, sorted by the name we give them.

        That name is the sender's with the mail's date (campus time) and a mark of the mail before its ending, so that
        yesterday's report.csv and today's are two files in order: report.20261118T021500-3fa94c1d20.csv.
        """
        found = [one for one in self._look() if not one.refused and any(fnmatchcase(one.own_name, pattern) for pattern in patterns)]
        return sorted((one.waiting for one in found), key=lambda waiting: waiting.name)

    def refused(self) -> list[tuple[str, str]]:
        """Every mail that is not read, as why and the name by which `clear` puts it aside."""
        return sorted((one.refused, one.waiting.name) for one in self._look() if one.refused)

    def fetch(self, name: str, target: Path) -> Waiting:
        """Copies the mail's file to `target`, durably; TryLater when the mail is gone."""
        names.require(name)
        known = self._find(name)
        if known is None or known.refused:
            raise TryLater(f"{self._box.title}: the mail of {name} is not there any more. The next run looks again")
        content = enclosure(self._box.read(known.envelope), self._rules, known.envelope.received_at).content
        target.unlink(missing_ok=True)
        with durable(target) as write:
            write(content)
        return known.waiting

    def clear(self, name: str) -> None:
        """Puts a read mail into `done` beside the mailbox, deletes or leaves it, as set; a refused one is kept, in `refused`. Again is no error."""
        names.require(name)
        known = None if self._clear == "leave" else self._find(name)
        if known is None:
            return
        if self._clear == "delete" and not known.refused:
            self._box.remove(known.envelope)
        else:
            self._box.put_aside(known.envelope, REFUSED if known.refused else DONE)

    def upload(self, name: str, source: Path) -> None:  # noqa: ARG002 - the port's signature
        """Raises Refused: nothing is sent by a mailbox."""
        self._only_in(name)

    def publish(self, name: str, sha256: str) -> Proof:  # noqa: ARG002 - the port's signature
        """Raises Refused: nothing is sent by a mailbox."""
        self._only_in(name)

    def present(self, name: str) -> bool:
        """Whether an agreed mail with that file lies there now."""
        names.require(name)
        known = self._find(name)
        return known is not None and not known.refused

    def close(self) -> None:
        """Lets go of the connection, if there is one; the endpoint may be used again after."""
        if "_box" in self.__dict__:
            self._box.close()

    @cached_property
    def _box(self) -> Letterbox:
        return self._open_box()

    def _look(self) -> list[_Known]:
        """What lies there; a mail is opened once."""
        lying = self._box.look()
        self._known = {envelope: self._known.get(envelope) or self._open(envelope) for envelope in lying}
        return list(self._known.values())

    def _find(self, name: str) -> _Known | None:
        return next((one for one in self._look() if one.waiting.name == name), None)

    def _open(self, envelope: Envelope) -> _Known:
        if envelope.size > LETTER_MAX:
            mark = hashlib.sha256(envelope.id.encode()).hexdigest()[:10]
            return self._refused(envelope, envelope.received_at, mark, f"it has {envelope.size} bytes, more than the {LETTER_MAX} that are opened")
        raw = self._box.read(envelope)
        try:
            file = enclosure(raw, self._rules, envelope.received_at)
        except Unreadable as error:
            return self._refused(envelope, date_of(raw, envelope.received_at), mark_of(raw), error.words)
        stem, dot, ending = file.name.rpartition(".")
        mark = f"{file.written_at.astimezone(self._zone):%Y%m%dT%H%M%S}-{mark_of(raw)}"
        name = f"{stem}.{mark}.{ending}" if dot and stem else f"{file.name}.{mark}"
        if not names.safe(name):
            return self._refused(envelope, file.written_at, mark_of(raw), "the name of its attachment is too long")
        return _Known(envelope, Waiting(name, len(file.content), file.written_at), file.name, "")

    def _refused(self, envelope: Envelope, at: datetime, mark: str, why: str) -> _Known:
        name = f"mail.{at.astimezone(self._zone):%Y%m%dT%H%M%S}-{mark}.eml"
        words = f"a mail in {self._box.title} of {at.astimezone(self._zone):%Y-%m-%d %H:%M} was not read: {why}"
        return _Known(envelope, Waiting(name, envelope.size, at), name, words)

    def _only_in(self, name: str) -> NoReturn:
        raise Refused(f"{self._box.title}: {name} cannot be sent there: mail is only read. Name a folder or an SFTP host for what leaves")
