"""One mail that should bring one file: who it is from, what is in it, and why it is not read when it is not what was agreed.

Nothing in here knows what the file means. Everything that is not exactly as agreed is refused with words for a person (reliability.md T24).
"""

import hashlib
import re
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

from bursarbridge.errors import Unreadable
from bursarbridge.exchange import names
from bursarbridge.exchange.authenticity import unproven

LETTER_MAX = 64 << 20
"""Bytes of the largest mail that is opened; mail hosts stop at 25 to 50 MB."""

_PARTS_MAX = 100
_ADDRESS = r"[^<>()\[\]\\,;:@\"\s]+@[A-Za-z0-9.-]+"
_FROM = re.compile(rf'\s*(?:(?:"(?:[^"\\]|\\.)*"|[^<>@,;:"()\\])*<\s*({_ADDRESS})\s*>|({_ADDRESS}))\s*')
_DATE = re.compile(
    r"\s*(?:[A-Z][a-z]{2}\s*,\s*)?[0-9]{1,2}\s+[A-Z][a-z]{2}\s+[0-9]{4}\s+[0-9]{2}:[0-9]{2}(?::[0-9]{2})?\s+(?:[+-][0-9]{4}|[A-Z]{1,5})\s*(?:\(.*\))?\s*"
)
_ONCE = ("content-type", "content-transfer-encoding", "content-disposition")
_ENCODINGS = ("7bit", "8bit", "binary", "base64", "quoted-printable")
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")
_PASSWORD_FLAG = 6
"""Where a zip's first entry says, in its lowest bit, that it is encrypted."""

Mail: TypeAlias = "Message[str, str]"


@dataclass(frozen=True, slots=True)
class LetterRules:
    """Whose mail is read, and what it has to bring."""

    senders: tuple[str, ...]
    """Whole addresses; a domain would let in everybody who works there."""
    attachments: tuple[str, ...]
    """Patterns for the name of the one attachment."""
    authserv: str = ""
    """The name by which the campus's mail host signs its Authentication-Results; "" when it is not asked."""


class Enclosure(NamedTuple):
    """The one file that a mail brought."""

    name: str
    """As the sender called it."""
    content: bytes
    written_at: datetime
    """UTC: the mail's own date, and never later than it was received."""


def enclosure(raw: bytes, rules: LetterRules, received_at: datetime) -> Enclosure:
    """The file a mail brings. Raises Unreadable("mail_refused") with the reason; nothing of such a mail is used."""
    lowered = raw.lower()
    if lowered.count(b"boundary") + lowered.count(b"message/") > _PARTS_MAX:
        raise _no(f"it has more than {_PARTS_MAX} parts")
    mail: Mail = message_from_bytes(raw)
    _from_whom(mail, rules)
    part = _only_part(mail, rules)
    content = _content(part)
    for one in mail.walk():
        if one.defects:
            raise _no(f"it is damaged or was cut on the way ({type(one.defects[0]).__name__})")
    return Enclosure(_name(part), content, written_at(mail, received_at))


def written_at(mail: Mail, received_at: datetime) -> datetime:
    """When a mail was written, by its own date; when it was received where it gives none, or one that lies in the future of that."""
    said = [str(one) for one in mail.get_all("Date", [])]
    if len(said) != 1 or not _DATE.fullmatch(said[0]):
        return received_at
    try:
        found = parsedate_to_datetime(said[0])
        at = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return received_at
    return min(at, received_at)


def date_of(raw: bytes, received_at: datetime) -> datetime:
    """When a mail was written, of one that is not read: from its head alone."""
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    return written_at(message_from_bytes(head + b"\n\n"), received_at)


def mark_of(raw: bytes) -> str:
    """What tells this mail from every other one: ten digits of its hash."""
    return hashlib.sha256(raw).hexdigest()[:10]


def _no(words: str) -> Unreadable:
    return Unreadable("mail_refused", words)


def _from_whom(mail: Mail, rules: LetterRules) -> None:
    said = [str(one) for one in mail.get_all("From", [])]
    match = _FROM.fullmatch(" ".join(said[0].split())) if len(said) == 1 else None
    if match is None:
        raise _no("its From is not one plain address")
    address = (match[1] or match[2]).lower()
    if address not in {one.lower() for one in rules.senders}:
        raise _no(f"{_shown(address)} is not one of the agreed senders")
    if any(name.lower().startswith("resent-") for name in mail):
        raise _no("somebody sent it on: it does not come straight from the agreed sender")
    words = unproven(mail, address.rpartition("@")[2], rules.authserv) if rules.authserv else ""
    if words:
        raise _no(f"{words} ({_shown(address)} can be written into any mail)")


def _only_part(mail: Mail, rules: LetterRules) -> Mail:
    found = [part for part in _leaves(mail) if _is_attachment(part)]
    wanted = " or ".join(rules.attachments)
    if not found:
        raise _no(f"it has no attachment; one that is named {wanted} is expected, and a table in the text is not read")
    for part in found:
        if part.get_content_maintype() == "message":
            raise _no("there is another mail inside it: somebody forwarded it")
    if len(found) > 1:
        raise _no(f"it has {len(found)} attachments ({', '.join(_shown(_name(part)) for part in found[:5])}); exactly one is expected")
    name = _name(found[0])
    if not any(fnmatchcase(name, pattern) for pattern in rules.attachments):
        raise _no(f'its attachment is called "{_shown(name)}"; one that is named {wanted} is expected')
    if not (names.safe(name) and names.finished(name)):
        raise _no(f"{_shown(name)!a} cannot be the name of a file")
    return found[0]


def _leaves(part: Mail) -> Iterator[Mail]:
    """The parts with a content of their own; mails inside are not opened."""
    for header in _ONCE:
        if len(part.get_all(header, [])) > 1:
            raise _no(f"a part of it says {header} twice, so that two readers would find two files")
    inside = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(inside, list):
        for one in inside:
            if isinstance(one, Message):
                yield from _leaves(one)
    else:
        yield part


def _is_attachment(part: Mail) -> bool:
    """Whether a part is more than the words of the mail, a picture among them, or its signature."""
    if part.get_content_type() in _SIGNATURES:
        return False
    attached = part.get_content_disposition() == "attachment"
    if part.get_content_maintype() == "image":
        return attached
    return attached or part.get_content_type() not in ("text/plain", "text/html") or part.get_filename() is not None


def _name(part: Mail) -> str:
    """The attachment's name, encoded words read."""
    name = part.get_filename() or ""
    if "=?" not in name:
        return name
    try:
        return str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, UnicodeError, NotBase64):
        return name


def _content(part: Mail) -> bytes:
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    if encoding not in _ENCODINGS:
        raise _no(f'its attachment is encoded as "{_shown(encoding)}", which nobody agreed')
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise _no("its attachment holds other parts")
    if content.startswith(_ARCHIVES):
        locked = content.startswith(b"PK\x03\x04") and len(content) > _PASSWORD_FLAG and content[_PASSWORD_FLAG] & 1
        raise _no(f"its attachment is an archive{' with a password' if locked else ''}; archives are never unpacked")
    return content


def _shown(text: str) -> str:
    """A word out of a mail as it may stand in a message of ours."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:80])
