"""The HTTP client: one host, TLS verified, no redirect, bounded in time and size (reliability.md R10)."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bursarbridge.errors import Refused, TryLater
from bursarbridge.exchange.http import WebAddress, WebPlace
from bursarbridge.ports.calls import Call

KEY = "l7xxCANARY"


def no_clock() -> float:
    return 0.0


@contextmanager
def served(answer: Callable[[BaseHTTPRequestHandler], None], certificate: Path | None = None) -> Iterator[str]:
    """A server on loopback that answers like this; its base address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def place(base: str, *, sandbox: bool = True, clock: Callable[[], float] = no_clock, limit: int = 1000) -> WebPlace:
    return WebPlace(WebAddress(base, f"apikey {KEY}", 2.0, loopback_only=sandbox), clock, limit)


def plain(status: int, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_the_key_travels_in_its_header_only() -> None:
    seen: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        seen.extend([request.path, request.headers["Authorization"], request.headers["Accept"]])
        plain(200, b"{}", X_Exl_Api_Remaining="7")(request)

    with served(answer) as base:
        door = place(base)
        reply = door.send(Call("GET", "/a%2Fb", (("comment", "é & ü"),)))
        door.close()
    assert seen == ["/a%2Fb?comment=%C3%A9+%26+%C3%BC", f"apikey {KEY}", "application/json"]
    assert (reply.status, reply.headers["x-exl-api-remaining"], reply.body) == (200, "7", b"{}")


def test_r10_a_redirect_is_a_reply_and_is_not_followed() -> None:
    calls: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        calls.append(request.path)
        plain(302, b"", Location="/elsewhere")(request)

    with served(answer) as base:
        assert place(base).send(Call("GET", "/a")).status == 302
    assert calls == ["/a"]


@pytest.mark.parametrize(
    ("base", "sandbox", "words"),
    [
        ("https://api.example.edu", True, "host of the real world"),
        ("http://api.example.edu", False, "without TLS"),
        ("https://user@api.example.edu", False, "scheme and a host alone"),
        ("https://api.example.edu/path", False, "scheme and a host alone"),
        ("ftp://api.example.edu", False, "scheme and a host alone"),
        ("https://127.0.0.1.example.edu", True, "host of the real world"),
    ],
)
def test_r10_t11_no_other_host_is_spoken_to(base: str, sandbox: bool, words: str) -> None:
    with pytest.raises(Refused, match=words):
        place(base, sandbox=sandbox).send(Call("GET", "/a"))


@pytest.mark.parametrize("path", ["a", "@evil.example/", "/a b", "/a\r\nX: y", "/a\\b", ""])
def test_a_path_that_is_not_encoded_is_not_sent(path: str) -> None:
    with served(plain(200, b"{}")) as base, pytest.raises(Refused):
        place(base).send(Call("GET", path))


def test_a_key_that_is_none_is_refused_and_not_shown() -> None:
    for key in ("", "two\nlines", "schlüssel"):
        door = WebPlace(WebAddress("http://127.0.0.1:9", key), no_clock)
        with pytest.raises(Refused) as caught:
            door.send(Call("GET", "/a"))
        assert not key or key not in str(caught.value)


def test_r10_a_reply_that_is_too_large_is_refused() -> None:
    with served(plain(200, b"x" * 5000)) as base, pytest.raises(Refused, match="larger than 1000 bytes"):
        place(base).send(Call("GET", "/a"))


def test_r10_a_packed_reply_is_not_unpacked() -> None:
    with served(plain(200, b"x", Content_Encoding="gzip")) as base, pytest.raises(TryLater, match="packed"):
        place(base).send(Call("GET", "/a"))


def test_a_reply_that_drips_for_ever_ends() -> None:
    ticks = iter(range(0, 1000, 100))
    with served(plain(200, b"x" * 500)) as base, pytest.raises(TryLater, match="did not end in time"):
        place(base, clock=lambda: float(next(ticks))).send(Call("GET", "/a"))


def test_a_key_that_is_repeated_to_us_is_blotted_out() -> None:
    with served(plain(400, f"the key {KEY} is not known".encode())) as base:
        assert place(base).send(Call("GET", "/a")).body == b"the key *** is not known"


def test_nobody_there_is_for_later() -> None:
    with pytest.raises(TryLater, match=r"cannot be reached now\. Nothing was sent"):
        place("http://127.0.0.1:9").send(Call("GET", "/a"))


def test_half_a_reply_is_for_later() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(b"half")

    with served(answer) as base, pytest.raises(TryLater, match="not known from here"):
        place(base).send(Call("GET", "/a"))


def test_r10_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with served(plain(200, b"{}"), _certificate(tmp_path)) as base, pytest.raises(Refused, match="certificate"):
        place(base).send(Call("GET", "/a"))


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(secret + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path
