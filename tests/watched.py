"""A campus in memory whose bridge is watched: the real wiring around the real flows, with plain steps instead of an engine."""

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bursarbridge.config.places import Secret
from bursarbridge.config.watching import LogLines, Ping
from bursarbridge.exchange.vault import FileVault
from bursarbridge.wiring import Bridge
from bursarbridge.wiring.recording import Recorded
from bursarbridge.wiring.watch import watch_of
from bursarbridge.wiring.ways import Ways
from tests.campus import Campus, PlainSteps


@dataclass
class Watched:
    """A bridge that writes its log into a file."""

    campus: Campus
    bridge: Bridge
    log_file: Path

    def run(self, flow: str) -> dict[str, object]:
        """One run, told as the program tells it, and the end of its round."""

        def start(wanted: str, name: str, now: str) -> dict[str, object]:
            steps = PlainSteps(self.campus.ledger)
            with Recorded(wanted, steps, name, now):
                return dict(self.bridge._procedure(wanted)(steps, name, now))

        try:
            return self.bridge._start(start, flow)
        finally:
            self.bridge.watch.beat()

    def events(self) -> list[dict[str, Any]]:
        """The lines of the log, read back."""
        return [json.loads(line) for line in self.log_file.read_text("utf-8").splitlines()]

    def named(self, event: str) -> list[dict[str, Any]]:
        """The lines of one event."""
        return [one for one in self.events() if one["event"] == event]


def watched(campus: Campus, *, ping: Ping | None = None, log_file: Path | None = None, level: str = "info") -> Watched:
    """The campus's bridge with a log, and a dead-man ping where one is given."""
    export = campus.settings.libraries[0].export
    library = replace(campus.settings.libraries[0], export=replace(export, settle=export.settle * 0))
    file = log_file or campus.folder / "log.jsonl"
    settings = replace(campus.settings, sources={"library": library}, ping=ping, log=LogLines(file=file, level=level))
    ways = Ways(settings, lambda _seconds: None, lambda _point: None)

    def clock() -> Any:
        return campus.now

    bridge = Bridge(
        settings, clock, ways.wait, ways.reached, campus.ledger, FileVault(campus.folder / "vault"), ways, watch=watch_of(settings, clock)
    )
    return Watched(campus, bridge, file)


@dataclass
class Ear:
    """A real HTTP server that hears pings."""

    port: int = 0
    heard: list[str] = field(default_factory=list)
    """Method and path of each request, with every header's value behind it."""
    status: int = 200
    hold: threading.Event = field(default_factory=threading.Event)
    """Cleared, and the answer waits."""

    @property
    def base(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def told(self) -> list[str]:
        """The paths alone."""
        return [one.split("\n")[0] for one in self.heard]


@contextmanager
def ear(certificate: Path | None = None) -> Iterator[Ear]:
    """Listens until the block ends, by TLS where a certificate with its key is given."""
    made = Ear()
    made.hold.set()

    class Hearing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.heard.append(f"GET {self.path}\n{self.headers}")
            made.hold.wait(20)
            self.send_response(made.status)
            if 300 <= made.status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hearing)
    server.daemon_threads = True
    made.port = server.server_address[1]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()


def ping_of(base: str, folder: Path, *, url: str = "", seconds: int = 5) -> Ping:
    """A section [ping] whose address stands in a file."""
    (folder / "ping-url").write_text(url or f"{base}/0c1d/token\n", "utf-8")
    return Ping(base=base, url=Secret("file:ping-url", folder), timeout=timedelta(seconds=seconds))
