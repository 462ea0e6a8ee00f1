"""A storm over three workers on one PostgreSQL: killed, frozen and started again at random, the server restarted; then everything is counted."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg

from bursarbridge import config
from bursarbridge.store import opening
from bursarbridge.systems.alma.webhooks import signature
from tests import postgres
from tests.campus_files import WREN
from tests.chaos.member import FLOWS, LEASE_SECONDS, Task, live
from tests.crash import campus
from tests.returned_scenes import BOOK, LISTENING, loan_call
from tools.cluster import free_port

MEMBERS = 3
SECRET = "a secret of the tests"
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.chaos.member"])
_TWICE = 10
"""One call in so many is made a second time although it was answered."""


@dataclass
class Report:
    """What happened, and what is left of it. `lost` and `doubled` are empty when all is well."""

    seed: int
    seconds: float = 0
    runs: int = 0
    webhooks: int = 0
    calls: int = 0
    kills: int = 0
    freezes: int = 0
    restarts: int = 0
    ended_themselves: int = 0
    taken_over: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Everything happened once."""
        return not (self.lost or self.doubled or self.said)

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


class Storm:
    """The weather, with everything it blows on."""

    def __init__(self, server: postgres.Cluster, folder: Path, runs: int, webhooks: int, seed: int) -> None:
        self.report = Report(seed)
        self._server = server
        self._folder = folder
        self._runs = -(-runs // FLOWS)
        self._webhooks = webhooks
        self._dice = random.Random(seed)
        self._address = server.address(server.create())
        self._ports = [free_port() for _ in range(MEMBERS)]
        self._members: list[multiprocessing.context.ForkServerProcess] = []
        self._heard = 0

    def live(self, seconds_max: float) -> Report:
        """Lives until every run is done and every call answered, with bad weather all the while; then the weather clears, and all is counted."""
        self._found()
        began = time.monotonic()
        self._members = [self._member(port) for port in self._ports]
        calling = threading.Thread(target=self._call, daemon=True)
        calling.start()
        while time.monotonic() - began < seconds_max and not (self._done() and not calling.is_alive()):
            self._weather()
        clear = time.monotonic() + 60
        while time.monotonic() < clear and not (self._done() and not calling.is_alive()):
            self._keep_alive()
            time.sleep(0.2)
        self.report.seconds = round(time.monotonic() - began, 1)
        (self._folder / "over").touch()
        for member in self._members:
            member.join(5)
            member.kill()
        self._count()
        return self.report

    def _found(self) -> None:
        os.environ["BURSARBRIDGE_TEST_HOOK"] = SECRET
        (self._folder / "effects").mkdir()
        settings = campus.found(self._folder / "campus", self._address) / "bursarbridge.toml"
        ((old, new),) = LISTENING
        settings.write_text(settings.read_text("utf-8").replace(old, new), "utf-8")
        opening.migrate(opening.open_engine(config.load(settings).storage.database.url()))

    def _member(self, port: int) -> multiprocessing.context.ForkServerProcess:
        process = _FORKS.Process(target=_begin, args=(SECRET, self._folder, port, self._runs), daemon=True)
        process.start()
        return process

    def _weather(self) -> None:
        time.sleep(self._dice.uniform(0.2, 1.5))
        what = self._dice.choices(["kill", "freeze", "restart", "calm"], [4, 3, 2, 3])[0]
        victim = self._dice.choice(self._members)
        if what == "restart":
            self.report.restarts += 1
            self._server.restart()
        elif what != "calm" and victim.is_alive() and victim.pid is not None:
            if what == "kill":
                self.report.kills += 1
                victim.kill()
            else:
                self.report.freezes += 1
                os.kill(victim.pid, signal.SIGSTOP)
                time.sleep(self._dice.uniform(0.1, LEASE_SECONDS * 2))
                os.kill(victim.pid, signal.SIGCONT)
        self._keep_alive()

    def _keep_alive(self) -> None:
        """What systemd does."""
        for number, member in enumerate(self._members):
            if not member.is_alive():
                self.report.ended_themselves += member.exitcode not in (0, -signal.SIGKILL)
                self._members[number] = self._member(self._ports[number])

    def _call(self) -> None:
        """What Alma does, only more patiently: each call is made again until it is answered with 200."""
        dice, number = random.Random(self.report.seed + 1), 0
        while number < self._webhooks and not (self._folder / "over").exists():
            at = f"2026-08-04T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"  # Alma's second call for one event is one event
            body = loan_call(f"{number}", WREN, BOOK, event="LOAN_RETURNED", at=at)
            again = dice.randrange(_TWICE) == 0
            if _answered(dice.choice(self._ports), body) and (not again or _answered(dice.choice(self._ports), body)):
                number += 1
            self.report.calls += 1 + again
        self._heard = number

    def _done(self) -> bool:
        try:
            with psycopg.connect(self._address, connect_timeout=2) as looking:
                row = looking.execute("select count(*) from run where flow like 'flow%'").fetchone()
                return row is not None and row[0] >= self._runs * FLOWS
        except psycopg.Error:
            return False

    def _count(self) -> None:
        report, wanted = self.report, {f"flow{flow}-{number}" for flow in range(FLOWS) for number in range(self._runs)}
        with psycopg.connect(self._address) as looking:
            rows = [str(name) for (name,) in looking.execute("select name from run where flow like 'flow%'")]
            intended = [str(name) for (name,) in looking.execute("select name from run where flow = 'intended'")]
            stored = [str(key) for (key,) in looking.execute("select dedupe_key from webhook")]
            open_ones = looking.execute("select count(*) from dbos.workflow_status where status in ('PENDING', 'ENQUEUED')").fetchall()
        effects = self._folder / "effects"
        published = (effects / "published").read_text().split() if (effects / "published").exists() else []
        report.runs, report.webhooks = len(rows), len(set(stored))
        for what, found in (("run", rows), ("document", [path.name for path in effects.glob("flow*")])):
            report.lost += [f"{what} {name}" for name in sorted(wanted - set(found))]
        report.lost += [f"intent of {name}" for name in sorted(wanted) if f"{name} intended" not in intended]
        report.lost += [f"{self._webhooks - len(set(stored))} calls"] * (len(set(stored)) < self._webhooks)
        report.lost += [f"{row[0]} runs never ended" for row in open_ones if row[0]]
        for what, found in (("run", rows), ("intent", intended), ("document", published), ("call", stored)):
            report.doubled += [f"{what} {name}" for name in sorted(set(found)) if found.count(name) > 1] if len(found) > len(set(found)) else []
        report.taken_over = sum(int(line) for path in self._folder.glob("taken *") for line in path.read_text().split())
        report.said = [path.read_text() for path in self._folder.glob("said *")]


def storm(runs: int, webhooks: int, seed: int, seconds_max: float) -> Report:
    """One storm on a server of its own."""
    with postgres.cluster() as server, tempfile.TemporaryDirectory(prefix="bursarbridge-storm-") as folder:
        return Storm(server, Path(folder), runs, webhooks, seed).live(seconds_max)


def _begin(secret: str, folder: Path, port: int, runs: int) -> None:
    os.environ["BURSARBRIDGE_TEST_HOOK"] = secret
    live(Task(folder, port, runs))


def _answered(port: int, body: bytes) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/webhooks/library", body, {"X-Exl-Signature": signature(SECRET.encode(), body).decode()})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        time.sleep(0.02)
        return False
    finally:
        connection.close()
