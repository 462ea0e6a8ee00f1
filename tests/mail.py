"""Invented people and returned items, a frame to report them in, and relays with TLS that are not ours: aiosmtpd."""

import datetime as dt
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bursarbridge.flows.report import Frame
from bursarbridge.ledger.still_charged import ReturnedItem, StillCharged
from tools.cluster import free_port

NOW = "2026-11-17T15:30:00Z"
FRAME = Frame("Example College", ZoneInfo("America/Los_Angeles"), NOW, sandbox=True)

ROSA = ReturnedItem(
    library="ARC",
    account="1042317",
    reference="L00000QX7",
    fee="17000000000031001",
    category="Library lost item",
    cents=5500,
    returned_on="2026-11-12",
    stands="Open on the student account, nothing paid.",
    barcode="33000000104511",
    title="A Field Guide to Gannets",
    initials="R.D.",
    name="Rosa Doyle-Invented",
    link="https://alma.example.edu/fee/17000000000031001",
)
JUN = ROSA._replace(
    account="0098120", reference="L00000Q0A", fee="17000000000030990", cents=12000, initials="J.K.", name="Jun Kimura-Invented", title="Knots"
)
SCC = ROSA._replace(library="SCC", account="1077001", reference="L00000Q1P", cents=8250, initials="T.A.", name="Tal Amit-Invented")
FOUND = StillCharged(waive=(ROSA,), refund=(JUN,), in_flight=(SCC,))


@dataclass
class Taken:
    """What an aiosmtpd relay does and has taken."""

    mails: list[Envelope] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:
        if address in self.refused:
            return "550 5.1.1 no such reader"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        self.secure.append(_server.transport is not None and _server.transport.get_extra_info("sslcontext") is not None)
        return "250 taken"

    def __call__(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        login, password = given.login.decode(), given.password.decode()
        self.users += [login] if password == "correct horse" else []
        return AuthResult(success=password == "correct horse", handled=False)


@contextmanager
def relay(certificate: Path, *, implicit: bool = False, login: bool = False) -> Iterator[tuple[Taken, int]]:
    """aiosmtpd on loopback with STARTTLS required, or TLS from the first byte."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    taken, port = Taken(), free_port()
    options: dict[str, Any] = {"authenticator": taken, "auth_required": login, "auth_require_tls": not implicit}
    tls = {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
    controller = Controller(taken, hostname="127.0.0.1", port=port, **tls, **options)
    controller.start()
    try:
        yield taken, port
    finally:
        controller.stop()


def certificate(folder: Path, *, host: str = "127.0.0.1", stem: str = "relay") -> Path:
    """A self-signed certificate with its key in one PEM file, good for `host` only; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an invented relay")])
    today = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), today - dt.timedelta(days=3650), today.replace(year=2050))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / f"{stem}.pem"
    file.write_bytes(plain + built.public_bytes(serialization.Encoding.PEM))
    return file
