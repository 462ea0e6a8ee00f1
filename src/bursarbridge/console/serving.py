"""One process that listens on one port, until it is told to stop."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

_CONNECTIONS_MAX = 512
"""More than these at once are answered 503 before anything is read (reliability.md S08)."""
_STOP_SECONDS = 10


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 finds a free one. Raises OSError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_CONNECTIONS_MAX)
    except OSError:
        listener.close()
        raise
    return listener


def run(app: FastAPI, listener: socket.socket) -> None:
    """Serves until SIGTERM or Ctrl-C, and returns when what was begun is answered."""
    for one in (signal.SIGTERM, signal.SIGINT):
        # The library ends with the signal it was stopped by, sent again to whoever listened before: that is us, and we go on to the end.
        signal.signal(one, lambda _number, _frame: None)
    server(app).run(sockets=[listener])


@contextmanager
def beside(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serves in a thread of its own until the block ends; the socket listens already, so no call is too early."""
    running = server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, name="listener", daemon=True)
    thread.start()
    try:
        yield
    finally:
        running.should_exit = True
        thread.join(_STOP_SECONDS)


def server(app: FastAPI) -> uvicorn.Server:
    """A server for the application: no access log (it would hold addresses), no banner, no trust in forwarded headers."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    return uvicorn.Server(config)
