"""The webhook intake over HTTP: size, signature, commit, answer, in this order, and nothing parsed before the signature is right.

200: it is stored, or was before. 401: not genuine, and nothing is kept of it but a count. 413: too large. 5xx, and only
then: it could not be stored, and the caller tries again later (alma.md 4.2; reliability.md F4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bursarbridge.console.intake import Intake
from bursarbridge.errors import Unreadable
from bursarbridge.ports.calls import Listener, Notice

BODY_MAX = 1 << 20
CHALLENGE_MAX = 256
_ANSWER_SECONDS = 4.0
"""Alma takes five seconds without an answer for a failure (alma.md 4.2)."""


class Heard(NamedTuple):
    """A genuine call. `notice` is None when it is in no form that is known."""

    source: str
    notice: Notice | None
    body: bytes
    received_at: str
    """UTC text."""


def application(
    listeners: Mapping[str, Listener], intake: Intake[Heard], now: Callable[[], str], ended: Callable[[str, str], None] = lambda _source, _end: None
) -> FastAPI:
    """The application that listens at /webhooks/SOURCE for every source that has a listener, and at no other path.

    `ended` hears of every call that was answered: its source, and stored, not_stored, slow, too_large or not_genuine.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/webhooks/{source}")
    async def challenge(source: str, request: Request) -> Response:
        given = request.query_params.getlist("challenge")
        if source not in listeners:
            return _said(404, "no such webhook")
        if len(given) != 1 or not 0 < len(given[0]) <= CHALLENGE_MAX:
            return _said(400, f"one challenge of at most {CHALLENGE_MAX} characters is expected")
        return JSONResponse({"challenge": given[0]}, headers=_PLAIN)

    @app.post("/webhooks/{source}")
    async def receive(source: str, request: Request) -> Response:
        listener = listeners.get(source)
        if listener is None:
            return _said(404, "no such webhook")
        try:
            body = await asyncio.wait_for(_body(request), _ANSWER_SECONDS)
        except TimeoutError:
            return turned_away(source, "slow", 408, "the call did not arrive in time")
        if body is None:
            return turned_away(source, "too_large", 413, f"a call has at most {BODY_MAX} bytes")
        if not listener.genuine(request.headers.raw, body):
            return turned_away(source, "not_genuine", 401, "the signature does not fit")
        if not await intake.take(Heard(source, _notice(listener, body), body, now()), _ANSWER_SECONDS):
            ended(source, "not_stored")
            return _said(503, "it could not be stored now; send it again later")
        ended(source, "stored")
        return _said(200, "stored")

    def turned_away(source: str, end: str, status: int, words: str) -> Response:
        intake.count(source, end)
        ended(source, end)
        return _said(status, words)

    return app


_PLAIN = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


async def _body(request: Request) -> bytes | None:
    """The raw bytes; None as soon as they are too many."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 9 or int(announced) > BODY_MAX:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX:
            return None
    return bytes(body)


def _notice(listener: Listener, body: bytes) -> Notice | None:
    """What a genuine call says; one in an unknown form is kept all the same."""
    try:
        return listener.notice(body)
    except Unreadable:
        return None


def _said(status: int, words: str) -> Response:
    return JSONResponse({"said": words}, status_code=status, headers=_PLAIN)
