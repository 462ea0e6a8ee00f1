"""What is seen of the bridge from outside: /metrics, /health and /health/live, on the port that hears webhook calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from bursarbridge.console.looking import Looking
from bursarbridge.console.metrics import FORM

_PATIENCE_SECONDS = 8
_METRICS_SECONDS = 15
_HEALTH_SECONDS = 5
"""How old an answer may be: many who ask cost the ledger no more than one."""
_PLAIN = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
_READING = ["GET", "HEAD"]


def seen_from_outside(app: FastAPI, metrics: Callable[[], bytes], unhealthy: Callable[[], Sequence[str]], monotonic: Callable[[], float]) -> None:
    """Adds the three paths. `metrics` makes the page; `unhealthy` gives the reasons, in words, and none when all is well. Neither may raise."""
    page = Looking(metrics, _METRICS_SECONDS, _PATIENCE_SECONDS, monotonic)
    health = Looking(unhealthy, _HEALTH_SECONDS, _PATIENCE_SECONDS, monotonic)

    @app.api_route("/metrics", methods=_READING)
    async def metrics_page() -> Response:
        found = await page.newest()
        if found is None:
            return JSONResponse({"said": "the numbers could not be had in time"}, status_code=503, headers=_PLAIN)
        return Response(found, headers={**_PLAIN, "content-type": FORM})

    @app.api_route("/health", methods=_READING)
    async def health_page() -> Response:
        found = await health.newest()
        reasons = ["the ledger and the disks did not answer in time"] if found is None else list(found)
        return JSONResponse({"healthy": not reasons, "reasons": reasons}, status_code=503 if reasons else 200, headers=_PLAIN)

    @app.api_route("/health/live", methods=_READING)
    async def live_page() -> Response:
        return JSONResponse({"alive": True}, headers=_PLAIN)
