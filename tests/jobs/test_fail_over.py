"""The database's machine dies, and a standby that had every acknowledged commit goes on: so does the bridge, by one address of both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bursarbridge.errors import Refused
from bursarbridge.jobs.engine import DurableSteps
from bursarbridge.store import opening
from tests import postgres
from tests.cli.calls import answer
from tests.crash import campus
from tests.jobs.test_database import at_work, put
from tests.jobs.toy import NAME
from tests.postgres import Cluster
from tests.servers import eventually

NOW = "2026-08-03T02:00:00Z"
_POSTS = 30


@pytest.fixture
def pair() -> Iterator[tuple[Cluster, Cluster]]:
    """A server and its synchronous standby."""
    with postgres.cluster() as primary, primary.standby() as standby:
        yield primary, standby


def address_of_both(primary: Cluster, standby: Cluster, database: str) -> str:
    """As the settings write it; who of the two may be written to is asked at each connection."""
    return f"postgresql://tester@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/{database}?target_session_attrs=read-write"


@pytest.mark.timeout(180)
def test_p17_after_a_fail_over_to_a_synchronous_standby_nothing_is_lost_or_done_twice(pair: tuple[Cluster, Cluster], tmp_path: Path) -> None:
    primary, standby = pair
    address = address_of_both(primary, standby, primary.create())
    folder = campus.found(tmp_path / "campus", address)
    campus.charges_wait(folder)
    assert answer("run", "library-charges", "-C", folder, code=4)["sent"]["count"] == 6
    acknowledged, ended, midway, crashed = list[str](), list[dict[str, object]](), threading.Event(), threading.Event()

    def chain(steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        for number in range(_POSTS):
            steps.act(f"look {number}", lambda: 1)
            steps.post(f"post {number}", partial(put, f"{name}-{number}"))
            acknowledged.append(f"{name}-{number}")
            if number == _POSTS // 3:
                midway.set()
            assert number < _POSTS * 2 // 3 or crashed.wait(60)
        return {"done": _POSTS}

    with at_work(address, {"toy": chain}) as running:
        thread = threading.Thread(target=lambda: ended.append(running.run("toy", NAME, NOW)))
        thread.start()
        assert midway.wait(60)
        primary.crash()
        before = tuple(acknowledged)
        crashed.set()
        standby.promote()
        assert len(before) < _POSTS, "the machine died in the middle of it"
        with psycopg.connect(standby.address(address.rpartition("/")[2].partition("?")[0])) as looking:
            kept = {str(row[0]) for row in looking.execute("select name from run")}
        assert set(before) <= kept, "what was acknowledged is there"
        thread.join(90)
        assert ended == [{"done": _POSTS}]
    with psycopg.connect(address) as looking:
        assert looking.info.port == standby.port
        found = looking.execute("select count(*), count(distinct name) from run where name like %s", (f"{NAME}-%",)).fetchone()
        assert found == (_POSTS, _POSTS)
    status = answer("status", "-C", folder)
    assert status["unexplained_cents"] == 0 and status["places"]["in_transit"] > 0
    assert answer("run", "library-charges", "-C", folder)["sent"]["count"] == 0, "what had left does not leave again"


def test_p17_with_no_server_that_may_be_written_to_nothing_is_run(pair: tuple[Cluster, Cluster], tmp_path: Path) -> None:
    primary, standby = pair
    folder = campus.found(tmp_path / "campus", address_of_both(primary, standby, primary.create()))
    answer("status", "-C", folder)
    primary.crash()
    told = answer("run", "library-charges", "-C", folder, code=5)
    assert "not answer" in told["words"] or "database" in told["words"]
    standby.promote()
    assert eventually(lambda: answer("status", "-C", folder)["unexplained_cents"] == 0, 20)


def test_an_address_of_several_hosts_is_one_that_every_part_can_read() -> None:
    engine = opening.open_engine("postgresql://me:p%40ss@[::1]:5001,b.example.edu/name?target_session_attrs=read-write&connect_timeout=3")
    _, options = engine.dialect.create_connect_args(engine.url)
    told = {key: options[key] for key in ("host", "port", "user", "password", "dbname", "target_session_attrs", "connect_timeout")}
    assert told == {
        "host": "::1,b.example.edu",
        "port": "5001,",
        "user": "me",
        "password": "p@ss",
        "dbname": "name",
        "target_session_attrs": "read-write",
        "connect_timeout": "3",
    }
    as_libpq = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    read = psycopg.conninfo.conninfo_to_dict(as_libpq)
    assert read == told
    assert isinstance(sa.make_url(as_libpq), sa.URL)
    with pytest.raises(Refused, match="cannot be read"):
        opening.open_engine("postgresql://a,b/name?no_such_option=1")
