"""Handing a mail to the campus relay: SMTP with verified TLS, one message to one recipient, and a plain word about what came of it.

Nothing here parses or changes the message; whether it is tried again is decided by who asked (flows/mailing.py).
"""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from bursarbridge.ports.calls import Handed

_DOT = re.compile(rb"^\.", re.MULTILINE)
_GO_ON = 354


@dataclass(frozen=True, slots=True)
class RelayAddress:
    """How to reach a relay. `tls` is "starttls", "implicit" (TLS from the first byte) or "none"; with "none" nobody logs in."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    cafile: Path | None = None
    """The certificates of the campus's own authority; None for those of this machine."""
    timeout_seconds: int = 30


class Relay:
    """ports.Carrier over SMTP."""

    def __init__(self, address: RelayAddress, token: str) -> None:
        self.token = token
        self._address = address

    def hand_over(self, message: bytes, sender: str, recipient: str) -> Handed:
        """One message, CRLF lines, to one recipient. Never raises for what a relay or a network does."""
        try:
            smtp = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            return Handed("unreachable", f"{self._where} {_unreached(error)}")
        try:
            return self._spoken(smtp, message, sender, recipient)
        finally:
            smtp.close()

    @property
    def _where(self) -> str:
        return f"the relay {self._address.host}:{self._address.port}"

    def _connected(self) -> smtplib.SMTP:
        """A relay that is ready to take a message. There is no way round the certificate (reliability.md T26)."""
        at = self._address
        smtp: smtplib.SMTP
        if at.tls == "implicit":
            smtp = smtplib.SMTP_SSL(at.host, at.port, timeout=at.timeout_seconds, context=self._context())
        else:
            smtp = smtplib.SMTP(at.host, at.port, timeout=at.timeout_seconds)
        try:
            if at.tls == "starttls":
                smtp.starttls(context=self._context())
            smtp.ehlo_or_helo_if_needed()
            if at.user and at.tls != "none":
                smtp.login(at.user, at.password)
        except (OSError, smtplib.SMTPException):
            smtp.close()
            raise
        return smtp

    def _context(self) -> ssl.SSLContext:
        """TLS 1.2 or later, host name and certificate checked: create_default_context asks for both."""
        return ssl.create_default_context(cafile=str(self._address.cafile) if self._address.cafile else None)

    def _spoken(self, smtp: smtplib.SMTP, message: bytes, sender: str, recipient: str) -> Handed:
        begun = False
        try:
            for code, words in self._envelope(smtp, sender, recipient):
                if not 200 <= code < 300:
                    return self._no(code, words)
            code, words = smtp.docmd("DATA")
            if code != _GO_ON:
                return self._no(code, words)
            begun = True
            smtp.send(_DOT.sub(b"..", message) + b".\r\n")
            code, words = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            if begun:
                return Handed("unknown", f"{self._where} broke off after it had the mail ({_plainly(error)}); whether it took it is not known")
            return Handed("later", f"{self._where} broke off before it had the mail ({_plainly(error)})")
        if not 200 <= code < 300:
            return self._no(code, words)
        _farewell(smtp)
        return Handed("sent", f"{self._where} took it ({code})")

    def _no(self, code: int, words: bytes) -> Handed:
        said = " ".join(words.decode("utf-8", "replace").split())[:200]
        if code >= 500:
            return Handed("refused", f"{self._where} refuses it for good: {code} {said}")
        return Handed("later", f"{self._where} does not take it now: {code} {said}")

    def _envelope(self, smtp: smtplib.SMTP, sender: str, recipient: str) -> list[tuple[int, bytes]]:
        first = smtp.mail(sender)
        return [first] if not 200 <= first[0] < 300 else [first, smtp.rcpt(recipient)]


@dataclass(frozen=True, slots=True)
class NoRelay:
    """ports.Carrier where the relay cannot even be asked (its password is not there): everything waits, and says why."""

    token: str
    words: str

    def hand_over(self, _message: bytes, _sender: str, _recipient: str) -> Handed:
        """Nothing is handed over."""
        return Handed("unreachable", self.words)


def _farewell(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        return  # the mail is taken; how the relay ends the talk changes nothing


def _unreached(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        cure = "set [mail] cafile to your campus's authority, or ask the relay's owner"
        return f"shows a certificate that is not to be trusted ({error.verify_message}); {cure}"
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS as set ({error.reason}); check [mail] tls and the port (587 starttls, 465 implicit)"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "offers no TLS or no way to log in; nothing was sent, and there is no way without"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"does not let our user in ({error.smtp_code}); check [mail] user and password"
    return f"cannot be reached now ({_plainly(error)})"


def _plainly(error: OSError | smtplib.SMTPException) -> str:
    """The error without what a relay may have repeated of the message."""
    if isinstance(error, smtplib.SMTPResponseException):
        return str(error.smtp_code)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the connection was closed"
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
