"""One web service behind one base address: TLS verified always, no redirect followed, bounded in time and size (reliability.md R10)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.ports.calls import Call, Reply

if TYPE_CHECKING:
    import httpx2

_BASE = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*", re.ASCII)
_SECRET = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)?", re.ASCII)
_LOOPBACK = re.compile(r"127(?:\.[0-9]{1,3}){3}|localhost|\[::1\]", re.ASCII)
_REPLY_BYTES_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class WebAddress:
    """The one host that may be spoken to, and what opens its door."""

    base: str
    """"https://host" or "https://host:port", without a path. "http://" is for this machine only."""
    authorization: str = field(repr=False)
    """The value of the Authorization header; it is sent nowhere else and shown nowhere."""
    timeout_seconds: float = 30.0
    """How long one step of a call may take; a whole call may take four times as long."""
    loopback_only: bool = False
    """For a sandbox: no host but this machine."""


class WebPlace:
    """Sends calls to one address: the instance's `send` is a ports.Send."""

    def __init__(self, address: WebAddress, clock: Callable[[], float], reply_bytes_max: int = _REPLY_BYTES_MAX) -> None:
        self._address = address
        self._clock = clock
        """Seconds that only go forward."""
        self._reply_bytes_max = reply_bytes_max
        self._client: httpx2.Client | None = None

    def send(self, call: Call) -> Reply:
        """One call, one reply, whatever its status; nothing is tried twice and no redirect is followed.

        Raises TryLater when no whole reply came (whether the other side acted is then unknown); Refused when the address may not be
        spoken to, its certificate is not good, or the reply is larger than any should be.
        """
        import httpx2  # lazy: only those who speak HTTP pay for it

        where = self._where
        client = self._open()
        # Errors are told without the library's own: those may quote a header, and so the key.
        try:
            return self._exchange(client, call)
        except httpx2.TransportError as error:
            raise _failed(where, error) from None
        except (httpx2.InvalidURL, httpx2.StreamError, UnicodeError):
            raise Refused(f"{where}: the call could not be written as a request; nothing was sent") from None

    def close(self) -> None:
        """Lets the connections go."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def _where(self) -> str:
        return self._address.base.partition("://")[2]

    def _open(self) -> httpx2.Client:
        if self._client is None:
            import httpx2

            _must_be_allowed(self._address)
            for name in ("httpx2", "httpcore2"):
                # Their lines name addresses, and so people (architecture.md, section 6.11).
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
            headers = {"Authorization": self._address.authorization, "Accept": "application/json", "Accept-Encoding": "identity"}
            timeout = httpx2.Timeout(self._address.timeout_seconds)
            self._client = httpx2.Client(headers=headers, timeout=timeout, follow_redirects=False, trust_env=False)
        return self._client

    def _exchange(self, client: httpx2.Client, call: Call) -> Reply:
        if not _PATH.fullmatch(call.path):
            raise Refused(f"{self._where}: a path that is not percent-encoded was to be called; nothing was sent")
        ends_at = self._clock() + 4 * self._address.timeout_seconds
        kind = {"Content-Type": "application/json"} if call.body else {}
        url = self._address.base + call.path
        with client.stream(call.method, url, params=list(call.query) or None, content=call.body or None, headers=kind) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise TryLater(f"{self._where}: the reply is packed though none was asked for so; it was not read")
            return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, self._body(answer, ends_at))

    def _body(self, answer: httpx2.Response, ends_at: float) -> bytes:
        body = bytearray()
        for block in answer.iter_raw():
            body += block
            if len(body) > self._reply_bytes_max:
                raise Refused(f"{self._where}: the reply is larger than {self._reply_bytes_max} bytes; it was not read to its end")
            if self._clock() > ends_at:
                raise TryLater(f"{self._where}: the reply did not end in time")
        # A service that repeats the key in an error must not bring it into our books.
        secret = self._address.authorization.rpartition(" ")[2].encode()
        return bytes(body).replace(secret, b"***")


def _must_be_allowed(address: WebAddress) -> None:
    match = _BASE.fullmatch(address.base)
    if match is None:
        raise Refused("the base of a web address is a scheme and a host alone, as in https://api.example.edu; correct it in the settings")
    here = bool(_LOOPBACK.fullmatch(match[2]))
    if address.loopback_only and not here:
        raise Refused(
            f'{match[2]} is a host of the real world, and these settings are a sandbox; [campus] environment = "live" when all is meant for real'
        )
    if match[1] == "http" and not here:
        raise Refused(f"{match[2]} would be spoken to without TLS, so that anyone on the way has the key; write https://")
    if not _SECRET.fullmatch(address.authorization):
        raise Refused(f"the key for {match[2]} is empty or holds characters that no key has; look at the secret that the settings name")


def _failed(where: str, error: httpx2.TransportError) -> BridgeError:
    import httpx2

    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Refused(
            f"{where} did not show a certificate that this machine trusts. Nothing was sent; ask whoever runs it, and change no setting before"
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return TryLater(f"{where} cannot be reached now. Nothing was sent")
    words = "no answer in time" if isinstance(error, httpx2.TimeoutException) else f"the connection was lost ({type(error).__name__})"
    return TryLater(f"{where}: {words}. Whether the call was carried out is not known from here")
