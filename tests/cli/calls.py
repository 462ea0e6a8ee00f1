"""Calling the program as a shell does, in this process, with both streams apart."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bursarbridge import wiring
from bursarbridge.cli.app import app

NO_COLOR = {"NO_COLOR": "1", "COLUMNS": "200"}
NOON = datetime(2026, 11, 17, 20, 0, tzinfo=UTC)
"""At the example campus, and far from any midnight."""


def call(*words: object, env: Mapping[str, str] = NO_COLOR) -> Result:
    """One call; what it printed and its exit code."""
    try:
        return CliRunner().invoke(app, [str(word) for word in words], env=dict(env), catch_exceptions=False)
    finally:
        # The engine's logger keeps the stream it found, which is closed when the call ends; a process makes one call only.
        logging.getLogger("dbos").handlers.clear()


def stand_still(monkeypatch: pytest.MonkeyPatch, at: datetime = NOON) -> None:
    """Calls see this instant from now on: what is done once a day is called again on the same one, whenever the test runs."""
    monkeypatch.setattr(wiring, "build", partial(wiring.build, clock=lambda: at))


def answer(*words: object, code: int = 0) -> Any:
    """The one object that a call with --json prints; nothing else may stand on stdout."""
    result = call(*words, "--json")
    assert result.exit_code == code, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    told = json.loads(lines[0])
    assert told["schema"] == 1
    return told
