"""A mailbox on an IMAP server: verified TLS or nothing, looked at without marking anything as read."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.letter import LetterRules
from bursarbridge.exchange.mailbox import Envelope, MailEndpoint
from bursarbridge.exchange.place import Gone

_AT_ONCE = 500
"""Mails asked about in one line."""
_DAY_TIME = "%d-%b-%Y %H:%M:%S %z"


@dataclass(frozen=True, slots=True)
class ImapAddress:
    """How to reach a mailbox. `tls` is "implicit" (TLS from the first byte) or "starttls"; there is no way without."""

    host: str
    port: int
    tls: str
    user: str
    password: str = field(repr=False)
    cafile: Path | None = None
    """The certificates of the campus's own authority; None for those of this machine."""
    timeout_seconds: int = 30

    @property
    def where(self) -> str:
        """The server, in words."""
        return f"{self.user} at {self.host}:{self.port}"


class ImapEndpoint(MailEndpoint):
    """ports.Endpoint for an IMAP mailbox, read only. Its mails go to the mailboxes done and refused under it."""

    def __init__(self, address: ImapAddress, mailbox: str, rules: LetterRules, *, zone: ZoneInfo, clear: Clear = "move") -> None:
        super().__init__(lambda: ImapMailbox(address, mailbox), rules, zone=zone, clear=clear)


class ImapMailbox:
    """mailbox.Letterbox over IMAP4rev1; MOVE and UIDPLUS are used where the server has them."""

    def __init__(self, address: ImapAddress, mailbox: str) -> None:
        self.title = f"{address.where} {mailbox}"
        self._address = address
        self._mailbox = mailbox
        self._server: imaplib.IMAP4 | None = None

    def look(self) -> list[Envelope]:
        with self._talking() as server:
            era = self._select(server, readonly=True)
            uids = self._asked(server.uid("SEARCH", "UNDELETED"), "search")[0].split()
            found = []
            for at in range(0, len(uids), _AT_ONCE):
                wanted = b",".join(uids[at : at + _AT_ONCE]).decode()
                rows = self._asked(server.uid("FETCH", wanted, "(UID RFC822.SIZE INTERNALDATE)"), "list")
                found += [_envelope(row, era) for row in rows if row]
            return found

    def read(self, envelope: Envelope) -> bytes:
        with self._talking() as server:
            uid = self._uid(server, envelope, readonly=True)
            _, rows = server.uid("FETCH", uid, "(BODY.PEEK[])") if uid else ("OK", [])
            raw = next((row[1] for row in rows if isinstance(row, tuple)), None)
            if not isinstance(raw, bytes):
                raise Gone(f"{self.title}: a mail is not there any more. The next run looks again")
            return raw

    def put_aside(self, envelope: Envelope, folder: str) -> None:
        with self._talking() as server:
            uid = self._uid(server, envelope, readonly=False)
            if not uid:
                return
            target = _quoted(self._beside(server, folder))
            server.create(target)  # NO when it is there already; whether it is, the move tells
            if "MOVE" in server.capabilities:
                self._asked(server.uid("MOVE", uid, target), f"move to {folder}")
            else:
                self._asked(server.uid("COPY", uid, target), f"copy to {folder}")
                self._delete(server, uid)

    def remove(self, envelope: Envelope) -> None:
        with self._talking() as server:
            uid = self._uid(server, envelope, readonly=False)
            if uid:
                self._delete(server, uid)

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()

    @contextmanager
    def _talking(self) -> Iterator[imaplib.IMAP4]:
        """A server that knows us; whatever breaks off is begun anew by the next act."""
        try:
            if self._server is None:
                self._server = _logged_in(self._address)
            yield self._server
        except (imaplib.IMAP4.error, OSError) as error:
            self.close()
            raise TryLater(f"{self.title}: the mail server broke off ({_plainly(error)}). The next run looks again") from error

    def _select(self, server: imaplib.IMAP4, *, readonly: bool) -> str:
        """Opens the mailbox; returns the era in which its numbers hold (UIDVALIDITY)."""
        status, said = server.select(_quoted(self._mailbox), readonly=readonly)
        if status != "OK":
            words = f"there is no mailbox {self._mailbox} that we may open ({_text(said)})"
            raise Refused(f"{self._address.where}: {words}. Check its name and rights; nothing was concluded from its absence")
        _, era = server.response("UIDVALIDITY")
        return _text(era)

    def _uid(self, server: imaplib.IMAP4, envelope: Envelope, *, readonly: bool) -> str:
        """The mail's number in the open mailbox; "" when the numbers were given anew since."""
        era = self._select(server, readonly=readonly)
        before, _, uid = envelope.id.partition(".")
        return uid if before == era else ""

    def _delete(self, server: imaplib.IMAP4, uid: str) -> None:
        """Marks it as deleted, which hides it from us; only where the server can do that alone, it is expunged as well."""
        self._asked(server.uid("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)"), "delete")
        if "UIDPLUS" in server.capabilities:
            self._asked(server.uid("EXPUNGE", uid), "expunge")

    def _beside(self, server: imaplib.IMAP4, folder: str) -> str:
        """A mailbox under ours, with the server's own sign between them."""
        rows = self._asked(server.list('""', '""'), "name its folders")
        match = re.search(rb'\) "(\\?.)" ', rows[0]) if rows else None
        return f"{self._mailbox}{match[1].decode()[-1] if match else '/'}{folder}"

    def _asked(self, answer: tuple[str, Sequence[object]], act: str) -> list[bytes]:
        status, rows = answer
        if status != "OK":
            raise TryLater(f"{self.title}: the mail server would not {act} ({_text(rows)}). The next run tries again")
        return [row if isinstance(row, bytes) else b"" for row in rows]


def _logged_in(address: ImapAddress) -> imaplib.IMAP4:
    """A server behind a certificate that can be trusted, that knows us. Raises Refused for a person, TryLater otherwise (reliability.md T26)."""
    server: imaplib.IMAP4 | None = None
    try:
        server = _connected(address)
        _log_in(server, address)
        server.capabilities = _capabilities(server)
        return server
    except (imaplib.IMAP4.error, OSError) as error:
        if server is not None:
            _hang_up(server)
        raise _unreached(address, error) from error


def _connected(address: ImapAddress) -> imaplib.IMAP4:
    context = ssl.create_default_context(cafile=str(address.cafile) if address.cafile else None)
    if address.tls == "implicit":
        return imaplib.IMAP4_SSL(address.host, address.port, ssl_context=context, timeout=address.timeout_seconds)
    server = imaplib.IMAP4(address.host, address.port, timeout=address.timeout_seconds)
    try:
        server.starttls(context)
    except (imaplib.IMAP4.error, OSError):
        _hang_up(server)
        raise
    return server


def _hang_up(server: imaplib.IMAP4) -> None:
    with suppress(imaplib.IMAP4.error, OSError):
        server.shutdown()


class _NotLetIn(imaplib.IMAP4.error):
    """The server does not know us."""


def _log_in(server: imaplib.IMAP4, address: ImapAddress) -> None:
    secret = f"\0{address.user}\0{address.password}".encode()
    log_in: Callable[[], object] = (
        (lambda: server.authenticate("PLAIN", lambda _: secret))
        if "AUTH=PLAIN" in _capabilities(server)
        else (lambda: server.login(address.user, address.password))
    )
    try:
        log_in()
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise _NotLetIn from error


def _capabilities(server: imaplib.IMAP4) -> tuple[str, ...]:
    """What it can do now: after TLS and after the log-in it says other things than before."""
    _, rows = server.capability()
    return tuple(_text(rows).upper().split())


def _unreached(address: ImapAddress, error: Exception) -> BridgeError:
    if isinstance(error, _NotLetIn):
        return Refused(
            f"{address.where} is not let in. Nothing was read; check user and password of the connection, and whether IMAP is allowed for it"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        cure = "set cafile to your campus's authority, or ask the server's owner"
        return Refused(f"{address.where}: the certificate is not to be trusted ({error.verify_message}). Nothing was read; {cure}")
    if isinstance(error, ssl.SSLError):
        return TryLater(f"{address.where} does not speak TLS as set ({error.reason}); check tls and the port (993 implicit, 143 starttls)")
    return TryLater(f"{address.where} cannot be reached now: {_plainly(error)}. Nothing was read; the next run tries again")


def _envelope(row: bytes, era: str) -> Envelope:
    uid, size, at = (re.search(pattern, row) for pattern in (rb"UID (\d+)", rb"RFC822\.SIZE (\d+)", rb'INTERNALDATE "([^"]+)"'))
    if uid is None or size is None or at is None:
        raise imaplib.IMAP4.error("an answer that is not in the protocol")
    received_at = datetime.strptime(at[1].decode("ascii").strip(), _DAY_TIME).astimezone(UTC)
    return Envelope(f"{era}.{uid[1].decode()}", int(size[1]), received_at)


def _quoted(mailbox: str) -> str:
    """A mailbox's name as the protocol writes it. Raises Refused for one that would need another alphabet."""
    if not (mailbox.isascii() and mailbox.isprintable()):
        raise Refused(f"the mailbox {mailbox!a} has letters outside of ASCII; give it a plain name")
    return '"' + mailbox.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(rows: Sequence[object]) -> str:
    return " ".join(row.decode("utf-8", "replace") for row in rows if isinstance(row, bytes))[:400]


def _plainly(error: Exception) -> str:
    """The error without what a server may have repeated of us."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it did not keep to the protocol" if not isinstance(error, imaplib.IMAP4.abort) else "the connection was closed"
