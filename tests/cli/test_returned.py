"""serve, run library-returns and returned: as a person and a service call them, the engine and a real process included."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.systems.alma.webhooks import signature
from tests.campus_files import WREN
from tests.cli.calls import answer, call
from tests.library_desk import Desk
from tests.returned_scenes import BOOK, LISTENING, loan_call
from tools.cluster import free_port

SECRET = "a secret of the tests"
SERVE = [sys.executable, "-c", "from bursarbridge.cli import main; main()", "serve", "-C"]
AT = "2026-08-04T12:00:00Z"


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    """The example campus, listening."""
    call("init", "--example", tmp_path)
    file = tmp_path / "bursarbridge.toml"
    ((old, new),) = LISTENING
    file.write_text(f"{file.read_text('utf-8').replace(old, new)}\n[serve]\nport = {free_port()}\n", "utf-8")
    return tmp_path


def test_a_call_to_the_service_is_worked_off_by_the_next_run(campus: Path) -> None:
    environment = {**os.environ, "BURSARBRIDGE_TEST_HOOK": SECRET}
    with subprocess.Popen([*SERVE, str(campus)], stderr=subprocess.PIPE, text=True, env=environment) as service:
        assert service.stderr is not None
        said = [service.stderr.readline(), service.stderr.readline()]
        port = int(re.findall(r"listening on http://127.0.0.1:(\d+)/webhooks/library", said[1])[0])
        assert _sent(port, loan_call("1", WREN, BOOK, event="LOAN_RETURNED", at=AT)) == 200
        service.send_signal(signal.SIGTERM)
        rest = service.stderr.read()
    assert service.returncode == 0 and "stopped" in rest and "Traceback" not in rest
    told = answer("run", "library-returns", "-C", campus)
    assert told["outcome"] == "completed" and "cannot be asked" in told["returned"]["stopped"]
    bridge = wiring.build(config.load(campus / "bursarbridge.toml"), wait=lambda _seconds: None, desk_of=lambda _source: Desk(shelved={BOOK}))
    try:
        seen = bridge.preview("library-returns")
        ran = bridge.run("library-returns")
    finally:
        bridge.close()
    assert [one["returned"]["heard"] for one in (seen, ran)] == [{"ignored": 1}] * 2  # type: ignore[index]
    assert answer("returned", "-C", campus) == {"schema": 1, "waive": [], "refund": [], "in_flight": []}
    assert "0 items" in call("returned", "-C", campus).stdout


def test_a_port_that_is_taken_is_a_sentence(campus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bursarbridge.console.serving import bound

    monkeypatch.setenv("BURSARBRIDGE_TEST_HOOK", SECRET)
    port = config.load(campus / "bursarbridge.toml").serve.port
    with bound("127.0.0.1", port):
        result = call("serve", "-C", campus)
    assert result.exit_code == 1 and "this machine refuses" in result.stderr


def test_without_a_section_or_a_secret_nothing_listens(campus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BURSARBRIDGE_TEST_HOOK", raising=False)
    result = call("serve", "-C", campus)
    assert result.exit_code == 1 and "BURSARBRIDGE_TEST_HOOK is not set" in result.stderr
    call("init", "--example", campus / "other")
    assert answer("run", "library-returns", "-C", campus / "other")["outcome"] == "nothing_to_do"


def test_a_sandbox_listens_on_this_machine_only(campus: Path) -> None:
    file = campus / "bursarbridge.toml"
    file.write_text(f'{file.read_text("utf-8")}host = "0.0.0.0"\n', "utf-8")
    result = call("check", "-C", campus)
    assert result.exit_code == 2 and "C026" in result.output


def _sent(port: int, body: bytes) -> int:
    for _look in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/webhooks/library", body, {"X-Exl-Signature": signature(SECRET.encode(), body).decode()})
            return connection.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError("nobody listens")
