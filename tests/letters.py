"""Invented mails that bring a parking report, as agreed and in every way that is not (reliability.md T24)."""

import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from email.mime.text import MIMEText

SENDER, AUTHSERV = "reports@parking.example.edu", "mx.example.edu"
REPORT = b"User ID,Total Owed\r\n0012345678,65.00\r\n"
NAME = "violations.csv"
PASSED = f"{AUTHSERV}; spf=pass smtp.mailfrom=parking.example.edu; dkim=pass header.d=parking.example.edu; dmarc=pass header.from=parking.example.edu"
DATE = "Tue, 17 Nov 2026 02:15:00 -0800"


def agreed(
    *,
    sender: str = f"Parking Office <{SENDER}>",
    said: str = PASSED,
    name: str = NAME,
    content: bytes = REPORT,
    date: str = DATE,
    number: int = 1,
    body: str = "The report of outstanding violations is attached.\n",
) -> EmailMessage:
    """The report as it should come."""
    mail = EmailMessage()
    mail["Received"] = f"from parking.example.edu by {AUTHSERV}; {DATE}"
    if said:
        mail["Authentication-Results"] = said
    mail["From"] = sender
    mail["To"] = "parking-holds@example.edu"
    mail["Subject"] = "PeopleSoft holds report"
    if date:
        mail["Date"] = date
    mail["Message-ID"] = f"<report-{number}@parking.example.edu>"
    mail.set_content(body)
    if name:
        mail.add_attachment(content, maintype="text", subtype="csv", filename=name)
    return mail


def _with(change: Callable[[EmailMessage], object]) -> bytes:
    mail = agreed()
    change(mail)
    return mail.as_bytes()


def _zip(*, password: bool) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("violations.csv", REPORT)
    content = bytearray(packed.getvalue())
    content[6] |= int(password)
    return bytes(content)


def _inside(inner: EmailMessage) -> bytes:
    mail = agreed(name="")
    mail.add_attachment(inner)
    return mail.as_bytes()


def _second(mail: EmailMessage, header: str, value: str) -> None:
    mail._headers.append((header, value))  # type: ignore[attr-defined]


def _above(mail: EmailMessage, value: str) -> None:
    mail._headers.insert(0, ("Authentication-Results", value))  # type: ignore[attr-defined]


def _twice(mail: EmailMessage) -> None:
    part = next(mail.iter_attachments())
    _second(part, "Content-Transfer-Encoding", "7bit")


_CUT = agreed(content=REPORT * 100).as_bytes()
_STRANGER = "it@parking.example.edu"

REFUSED: dict[str, tuple[bytes, str]] = {
    "stranger": (agreed(sender=f"Parking <{_STRANGER}>").as_bytes(), "not one of the agreed senders"),
    "a look-alike in the display name": (agreed(sender=f'"{SENDER}" <eve@elsewhere.example>').as_bytes(), "eve@elsewhere.example"),
    "two senders": (agreed(sender=f"{SENDER}, eve@elsewhere.example").as_bytes(), "not one plain address"),
    "two From": (_with(lambda mail: _second(mail, "From", "eve@elsewhere.example")), "not one plain address"),
    "forged, dmarc says so": (agreed(said=PASSED.replace("dmarc=pass", "dmarc=fail")).as_bytes(), "dmarc=fail"),
    "forged, dmarc of another domain": (agreed(said=f"{AUTHSERV}; dmarc=pass header.from=elsewhere.example").as_bytes(), "dmarc=pass"),
    "forged, signed by a stranger": (agreed(said=f"{AUTHSERV}; dkim=pass header.d=elsewhere.example").as_bytes(), "no signature of parking"),
    "forged, signed by a whole top domain": (agreed(said=f"{AUTHSERV}; dkim=pass header.d=edu").as_bytes(), "no signature of parking"),
    "forged, not signed": (agreed(said=f"{AUTHSERV}; dkim=none").as_bytes(), "dkim=none"),
    "forged, pass in a comment": (agreed(said=f"{AUTHSERV}; dmarc=fail (dmarc=pass; dmarc=pass)").as_bytes(), "dmarc=fail"),
    "forged, pass in quotes": (agreed(said=f'{AUTHSERV}; dkim=fail reason="; dmarc=pass"').as_bytes(), "dkim=fail"),
    "forged, pass beside a fail": (agreed(said=f"{AUTHSERV}; dmarc=pass; dmarc=fail").as_bytes(), "does not come from"),
    "forged, vouched for by another host": (agreed(said=PASSED.replace(AUTHSERV, "mx.elsewhere.example")).as_bytes(), "says nothing"),
    "forged, a results header of its own below": (_with(lambda mail: _above(mail, f"{AUTHSERV}; dmarc=fail")), "dmarc=fail"),
    "nobody vouches": (agreed(said="").as_bytes(), "says nothing"),
    "forwarded by a person": (agreed(sender="Una Dalby <una.dalby@example.edu>").as_bytes(), "una.dalby@example.edu"),
    "forwarded as an attachment": (_inside(agreed()), "forwarded"),
    "sent on": (_with(lambda mail: mail.add_header("Resent-From", "una.dalby@example.edu")), "sent it on"),
    "two attachments": (_with(lambda mail: mail.add_attachment(b"x", maintype="text", subtype="csv", filename="more.csv")), "2 attachments"),
    "two of one name": (_with(lambda mail: mail.add_attachment(REPORT, maintype="text", subtype="csv", filename=NAME)), "2 attachments"),
    "inline body only": (agreed(name="", body="User ID,Total Owed\n0012345678,65.00\n").as_bytes(), "no attachment"),
    "another name": (agreed(name="violations.xlsx").as_bytes(), 'called "violations.xlsx"'),
    "no name": (agreed(name="").as_bytes().replace(b"text/plain", b"application/octet-stream"), 'called ""'),
    "a name that leads elsewhere": (agreed(name="../violations.csv").as_bytes(), "cannot be the name of a file"),
    "a password zip": (agreed(name="violations.zip", content=_zip(password=True)).as_bytes(), 'called "violations.zip"'),
    "a password zip under the agreed name": (agreed(content=_zip(password=True)).as_bytes(), "archive with a password"),
    "a zip under the agreed name": (agreed(content=_zip(password=False)).as_bytes(), "archive; archives are never unpacked"),
    "encrypted mail": (agreed(name="smime.p7m").as_bytes(), 'called "smime.p7m"'),
    "two encodings": (_with(lambda mail: _twice(mail)), "content-transfer-encoding twice"),
    "odd encoding": (agreed().as_bytes().replace(b"Encoding: base64", b"Encoding: x-uuencode"), "nobody agreed"),
    "cut on the way": (_CUT[: len(_CUT) // 2], "damaged or was cut"),
    "damaged on the way": (agreed().as_bytes().replace(b"VXNlciBJRC", b"VXNlc*iBJRC"), "damaged"),
    "a thousand parts": (agreed().as_bytes() + b"\nboundary" * 1000, "more than 100 parts"),
}
"""What T24 and its relatives look like, and a piece of the words that a person gets."""


def _signed() -> bytes:
    mail = agreed()
    mail.add_attachment(b"\x30\x82", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    return mail.as_bytes()


def _with_logo() -> bytes:
    mail = agreed(name="")
    mail.add_alternative("<p>The report is attached. <img src='cid:logo'></p>", subtype="html")
    mail.get_payload()[1].add_related(b"\x89PNG", maintype="image", subtype="png", cid="<logo>")  # type: ignore[union-attr,index]
    mail.add_attachment(REPORT, maintype="text", subtype="csv", filename=NAME)
    return mail.as_bytes()


def _plain_text() -> bytes:
    mail = agreed(name="")
    mail.make_mixed()
    part = MIMEText("User ID,Total Owed\n0012345678,65.00\n", "csv", "us-ascii")
    part.add_header("Content-Disposition", "attachment", filename=NAME)
    mail.attach(part)  # type: ignore[arg-type]
    return mail.as_bytes()


ACCEPTED: dict[str, bytes] = {
    "as agreed": agreed().as_bytes(),
    "bare address in capitals": agreed(sender=SENDER.upper()).as_bytes(),
    "dkim of the domain above": agreed(said=f"{AUTHSERV} 1; dkim=fail header.d=list.example; dkim=pass (2048-bit) header.d=example.edu").as_bytes(),
    "signed by the sender": _signed(),
    "a picture among the words": _with_logo(),
    "encoded words in the name": agreed().as_bytes().replace(b'filename="violations.csv"', b'filename="=?utf-8?b?dmlvbGF0aW9ucy5jc3Y=?="'),
    "not encoded at all": _plain_text(),
}
"""Mails that bring the report, however their sender's program writes mail."""
