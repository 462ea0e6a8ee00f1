"""The parking report as an e-mail: the attachment is the file, and the mail lies in a maildir for whoever collects it."""

import os
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

from bursarbridge.sandbox.fees import Sent

SENDER = "reports@parking.example.edu"
READER = "parking-holds@example.edu"
AUTHSERV = "mx.example.edu"
"""The campus's own mail host, whose word about a mail counts."""


class Stamped(NamedTuple):
    """A mail as it left: its bytes, and the name it gets in a maildir."""

    name: str
    raw: bytes


def report_mail(sent: Sent, now: datetime, number: int, sender: str = SENDER) -> Stamped:
    """The report as one mail with one attachment, checked by the campus's mail host; `number` makes its Message-ID and name unique."""
    mail = EmailMessage()
    mail["Received"] = f"from parking.example.edu by {AUTHSERV}; {now:%a, %d %b %Y %H:%M:%S %z}"
    mail["Authentication-Results"] = f"{AUTHSERV}; dkim=pass header.d=parking.example.edu; dmarc=pass header.from=parking.example.edu"
    mail["From"] = f"Parking Office <{sender}>"
    mail["To"] = READER
    mail["Subject"] = f"PeopleSoft holds report {now:%m/%d/%Y}"
    mail["Date"] = now
    mail["Message-ID"] = f"<report-{number}.{int(now.timestamp())}@parking.example.edu>"
    mail.set_content("The report of outstanding violations is attached. This mailbox is not read by a person.\n")
    mail.add_attachment(sent.content, maintype="text", subtype="csv" if sent.name.endswith(".csv") else "plain", filename=sent.name)
    mail.set_boundary(f"report-{number}-{int(now.timestamp())}")
    return Stamped(f"{int(now.timestamp())}.{number}.parking", mail.as_bytes())


def make_maildir(folder: Path) -> None:
    """Makes a maildir's three folders where they are missing."""
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def deliver(folder: Path, mail: Stamped, now: datetime) -> Path:
    """Puts a mail into a maildir in one step, as a mail host does: written in `tmp`, renamed into `new`."""
    temporary = folder / "tmp" / mail.name
    temporary.write_bytes(mail.raw)
    os.utime(temporary, (now.timestamp(), now.timestamp()))
    return temporary.replace(folder / "new" / mail.name)
