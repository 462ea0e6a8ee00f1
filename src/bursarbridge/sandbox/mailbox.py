"""A campus mailbox over real SMTP on loopback: takes every mail, shows them as people get them, and misbehaves when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

HOST = "127.0.0.1"
_LINE_BYTES = 2_000
_MAIL_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail for one or more readers."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = message_from_bytes(self.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        """Its subject line."""
        return str(self.message["Subject"])

    def part(self, subtype: str) -> str:
        """The body of that kind ("plain" or "html"), or ""."""
        body = self.message.get_body((subtype,))
        return str(body.get_content()) if body is not None else ""

    @property
    def sheets(self) -> dict[str, bytes]:
        """The attachments by name."""
        return {str(one.get_filename()): bytes(one.get_payload(decode=True) or b"") for one in self.message.iter_attachments()}


@dataclass
class Moods:
    """What goes wrong, for so many mails."""

    refused: set[str] = field(default_factory=set)
    """Readers that do not exist here."""
    later: int = 0
    """So many mails get "try again later"."""
    cut: int = 0
    """So many mails are taken, and the line is cut before the answer."""


class Mailbox:
    """`with Mailbox() as box:` takes mail at `box.port` until the block ends; `box.mails` has them in the order they came."""

    host = HOST

    def __init__(self, port: int = 0) -> None:
        self.port = port
        """0 until started means any free one."""
        self.mails: list[Arrived] = []
        self.moods = Moods()

    def __enter__(self) -> Mailbox:
        box = self

        class Talk(StreamRequestHandler):
            """One client's connection."""

            def handle(self) -> None:
                """Talks until the client goes."""
                box._talk(self)

        self._server = _Server((HOST, self.port), Talk)
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _talk(self, talk: StreamRequestHandler) -> None:
        def say(line: str) -> None:
            talk.wfile.write(f"{line}\r\n".encode())

        sender, recipients = "", list[str]()
        say("220 mailbox.example.edu ESMTP of an invented campus")
        for verb, rest in _commands(talk):
            if verb in ("EHLO", "HELO"):
                say("250 mailbox.example.edu")
            elif verb == "MAIL":
                sender, recipients = _address(rest), []
                say("451 4.7.1 come back later" if self._mood("later") else "250 2.1.0 ok")
            elif verb == "RCPT" and _address(rest) in self.moods.refused:
                say("550 5.1.1 no such reader here")
            elif verb == "RCPT":
                recipients.append(_address(rest))
                say("250 2.1.5 ok")
            elif verb == "DATA" and recipients:
                say("354 end with a dot")
                self.mails.append(Arrived(sender, tuple(recipients), b"".join(_body(talk))))
                if self._mood("cut"):
                    return
                say("250 2.0.0 taken")
            elif verb == "QUIT":
                say("221 2.0.0 bye")
                return
            else:
                say("250 2.0.0 ok" if verb in ("NOOP", "RSET") else "503 5.5.1 not now")

    def _mood(self, name: str) -> bool:
        left = int(getattr(self.moods, name))
        setattr(self.moods, name, max(0, left - 1))
        return left > 0


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _commands(talk: StreamRequestHandler) -> Iterator[tuple[str, str]]:
    while line := talk.rfile.readline(_LINE_BYTES):
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        yield verb.upper(), rest


def _body(talk: StreamRequestHandler) -> Iterator[bytes]:
    size = 0
    while (line := talk.rfile.readline()) not in (b".\r\n", b"") and size < _MAIL_BYTES:
        size += len(line)
        yield line[1:] if line.startswith(b".") else line


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
