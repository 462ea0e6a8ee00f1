"""A sign of life: one address is asked for, and what it answers is thrown away. Bounded in time, and never an error for who calls."""

from __future__ import annotations

import http.client
import queue
import ssl
import threading
from urllib.parse import SplitResult, urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def ping(url: str, base: str, seconds: int, *, failed: bool = False) -> str:
    """Asks for the address once, with `/fail` behind it for bad news (healthchecks' way); "" when it was heard, else why not, in words of ours.

    Only an address below `base` is asked for, with TLS verified unless it is this machine; no redirect is followed. Waits `seconds`
    at most, whatever the other side or the name server does.
    """
    parts = _parts(url)
    if parts is None or not url.startswith(f"{base}/") or not (parts.scheme == "https" or parts.hostname in _LOOPBACK):
        return "the address is not one below the base that the settings allow"
    path = f"{parts.path.rstrip('/')}{'/fail' if failed else ''}{'?' + parts.query if parts.query else ''}"
    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: said.put(_ask(parts, path, seconds)), name="ping", daemon=True).start()
    try:
        return said.get(timeout=seconds)
    except queue.Empty:
        return "no answer in time"


def _parts(url: str) -> SplitResult | None:
    if not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _ask(parts: SplitResult, path: str, seconds: int) -> str:
    connection = _connection(parts, seconds)
    try:
        connection.request("GET", path, headers={"User-Agent": "bursarbridge", "Connection": "close"})
        status = connection.getresponse().status
    except ssl.SSLCertVerificationError:
        return "its certificate is not one that this machine trusts"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"it cannot be reached ({type(error).__name__})"
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"it answered with status {status}"


def _connection(parts: SplitResult, seconds: int) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=seconds)
