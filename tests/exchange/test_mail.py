"""The relay, over real SMTP with TLS: verified or not at all, and every ending told apart."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from bursarbridge.exchange.mail import Relay, RelayAddress
from bursarbridge.sandbox.mailbox import Mailbox
from tests.mail import certificate, relay
from tools.cluster import free_port

MAIL = b"Subject: Late: nothing\r\nMessage-ID: <one@example.edu>\r\n\r\nNothing is late.\r\n.a line with a dot\r\n.\r\nend\r\n"
FROM, TO = "bridge@example.edu", "circ@example.edu"


def handed(port: int, **changes: object) -> tuple[str, str]:
    settings = {"tls": "starttls", "timeout_seconds": 5, **changes}
    return tuple(Relay(RelayAddress("127.0.0.1", port, **settings), "t").hand_over(MAIL, FROM, TO))  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_a_mail_goes_over_verified_tls_unchanged(tmp_path: Path, implicit: bool) -> None:
    pem = certificate(tmp_path)
    with relay(pem, implicit=implicit) as (taken, port):
        outcome, words = handed(port, cafile=pem, tls="implicit" if implicit else "starttls")
    assert (outcome, taken.secure) == ("sent", [True]), words
    (envelope,) = taken.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == (FROM, [TO])
    assert envelope.content == MAIL


def test_login_needs_tls_and_the_right_password(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    with relay(pem, login=True) as (taken, port):
        assert handed(port, cafile=pem, user="bridge", password="correct horse")[0] == "sent"
        outcome, words = handed(port, cafile=pem, user="bridge", password="wrong horse")
    assert (outcome, taken.users, len(taken.mails)) == ("unreachable", ["bridge"], 1)
    assert "check [mail] user and password" in words and "horse" not in words
    assert "horse" not in repr(RelayAddress("127.0.0.1", port, "starttls", "bridge", "wrong horse"))


def test_t26_an_untrusted_certificate_or_another_host_closes_the_door(tmp_path: Path) -> None:
    pem, other = certificate(tmp_path), certificate(tmp_path, host="127.0.0.9", stem="other")
    with relay(pem) as (taken, port):
        unknown = handed(port)
        wrong_authority = handed(port, cafile=other)
    with relay(other) as (taken_too, port):
        wrong_host = handed(port, cafile=other)
    for outcome, words in (unknown, wrong_authority, wrong_host):
        assert outcome == "unreachable" and "certificate" in words and "cafile" in words
    assert not taken.mails and not taken_too.mails


def test_a_relay_without_tls_gets_nothing() -> None:
    with Mailbox() as box:
        outcome, words = handed(box.port, user="bridge", password="correct horse")
        assert (outcome, box.mails) == ("unreachable", [])
    assert "offers no TLS" in words


def test_every_ending_is_told_apart(tmp_path: Path) -> None:
    with Mailbox() as box:
        box.moods.later = 1
        assert handed(box.port, tls="none")[0] == "later"
        box.moods.refused = {TO}
        outcome, words = handed(box.port, tls="none")
        assert outcome == "refused" and "550 5.1.1 no such reader" in words
        box.moods.refused, box.moods.cut = set(), 1
        outcome, words = handed(box.port, tls="none")
        assert outcome == "unknown" and "not known" in words
        assert handed(box.port, tls="none")[0] == "sent"
        assert [message_from_bytes(one.raw, policy=default)["Message-ID"] for one in box.mails] == ["<one@example.edu>"] * 2
        assert box.mails[1].raw == MAIL
    assert handed(free_port(), tls="none")[0] == "unreachable"


def test_a_relay_that_falls_silent_before_the_mail_has_not_got_it() -> None:
    with _silent_after(b"250 ok\r\n") as port:
        outcome, words = handed(port, tls="none", timeout_seconds=1)
    assert (outcome, "no answer in time" in words) == ("later", True)


@contextmanager
def _silent_after(answer: bytes) -> Iterator[int]:
    """A relay that says hello, answers the greeting, and then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"220 here\r\n")
                    connection.recv(1000)
                    connection.sendall(answer)
                    done.wait(5)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join()
