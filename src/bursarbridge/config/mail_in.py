"""Connections by which files come as mail: their sections, and the rules between them and the rest (reliability.md T24)."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bursarbridge.config import kinds, places
from bursarbridge.config.desk import Desk
from bursarbridge.config.faults import Severity
from bursarbridge.config.mailing import address
from bursarbridge.config.nodes import Node
from bursarbridge.config.places import Secret
from bursarbridge.config.reader import optional, required

MAIL_KINDS = ("maildir", "imap")
_AUTHSERV = kinds.code(r"[A-Za-z0-9.-]+", "the name of a mail host")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirConnection:
    """Mail that the campus's mail host delivers into folders of this machine."""

    name: str
    kind: str = required(kinds.choice("maildir"))
    path: Path = required(places.path, example='"mail"')
    senders: tuple[str, ...] = required(kinds.words(address, least=1), example='["reports@parking.example.edu"]')
    attachments: tuple[str, ...] = required(kinds.words(places.file_pattern, least=1), example='["*.csv"]')
    authserv: str = optional(_AUTHSERV, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapConnection:
    """Mail in the mailboxes of one user of an IMAP server."""

    name: str
    kind: str = required(kinds.choice("imap"))
    host: str = required(kinds.text, example='"imap.example.edu"')
    port: int = optional(kinds.whole(1, 65535, "(a port)"), 993)
    tls: str = optional(kinds.choice("implicit", "starttls"), "implicit")
    user: str = required(kinds.text, example='"parking-holds@example.edu"')
    password: Secret = required(places.secret, example='"env:IMAP_PASSWORD"')
    cafile: Path | None = optional(places.path, None)
    senders: tuple[str, ...] = required(kinds.words(address, least=1), example='["reports@parking.example.edu"]')
    attachments: tuple[str, ...] = required(kinds.words(places.file_pattern, least=1), example='["*.csv"]')
    authserv: str = optional(_AUTHSERV, "")
    timeout: timedelta = optional(kinds.span(), timedelta(seconds=30))


def mail_in_rules(root: Node, desk: Desk) -> None:
    """Notes documents that would have to leave by a mailbox that is only read, and senders whom nobody vouches for."""
    by_mail = {name: one for name, one in root.at("connections").tables.items() if one.text("kind") in MAIL_KINDS}
    for section in _leaving(root):
        name = section.text("connection")
        if name in by_mail:
            cure = "name a folder or an SFTP host for it; mail is only read"
            desk.at_value("C060", section.at("connection"), f'files leave by the connection "{name}", which is mail that comes in', cure)
    for name, one in by_mail.items():
        if "authserv" not in one.tables:
            cure = 'ask for the name your mail host puts first in Authentication-Results: authserv = "mx.example.edu"'
            desk.at_key(
                "C061", one, f"[connections.{name}] believes every mail that says it is from an agreed sender", cure, severity=Severity.WARNING
            )


def _leaving(root: Node) -> Iterator[Node]:
    """The sections that send files by their connection."""
    if root.at("bursar").text("connection"):
        yield root.at("bursar")
    yield from (source for source in root.at("sources").tables.values() if "import" in source.tables)
