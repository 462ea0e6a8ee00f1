"""The dead-man ping, on a real HTTP server: when it is told what, and that it can break nothing (P26)."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursarbridge.config.places import Secret
from bursarbridge.errors import Refused, TryLater
from bursarbridge.exchange.ping import ping
from bursarbridge.wiring.pulse import Pulse
from tests.campus import campus_in_memory
from tests.campus_files import WREN, Fee
from tests.mail import certificate
from tests.watched import Ear, Watched, ear, ping_of, watched


@pytest.fixture
def ears() -> Iterator[Ear]:
    with ear() as hearing:
        yield hearing


@pytest.fixture
def site(ears: Ear) -> Iterator[Watched]:
    with campus_in_memory() as campus:
        yield watched(campus, ping=ping_of(ears.base, campus.folder))


def pulse_of(ears: Ear, seconds: list[float]) -> Pulse:
    return Pulse(lambda: f"{ears.base}/x", ears.base, 5, lambda: seconds[0], lambda event, /, **_fields: None)


def test_p26_a_bridge_that_does_not_run_is_heard_as_silence(site: Watched, ears: Ear) -> None:
    assert ears.told == []
    site.run("library-payments")
    assert ears.told == ["GET /0c1d/token"]
    assert site.bridge.watch.pulse is not None and site.bridge.watch.pulse.told == {"ok": 1}


def test_a_failed_run_is_told_with_fail(site: Watched, ears: Ear) -> None:
    site.campus.export(Fee("1", 500))
    site.run("library-charges")
    with site.campus.ledger.begin() as connection:
        connection.exec_driver_sql("update source set prefix = 'Q'")
    with pytest.raises(Refused):
        site.run("library-charges")
    assert ears.told == ["GET /0c1d/token", "GET /0c1d/token/fail"]


def test_nothing_but_the_address_is_told(site: Watched, ears: Ear) -> None:
    site.campus.export(Fee("CANARY1", 500))
    site.run("library-charges")
    (heard,) = ears.heard
    assert not any(word in heard for word in (WREN, "CANARY1", "library", "Example")) and "User-Agent: bursarbridge\n" in heard


def test_one_sign_a_minute_bad_news_at_once_and_good_news_after_it(ears: Ear) -> None:
    seconds = [100.0]
    pulse = pulse_of(ears, seconds)
    for _round in range(3):
        pulse.beat()
    seconds[0] += 61
    pulse.beat()
    assert ears.told == ["GET /x"] * 2
    pulse.note(None)
    pulse.note(Refused)
    pulse.note(TryLater)
    pulse.beat()
    pulse.beat()
    assert ears.told[2:] == ["GET /x/fail", "GET /x"]


def test_what_cannot_be_reached_is_told_by_silence(ears: Ear) -> None:
    pulse = pulse_of(ears, [0.0])
    pulse.note(TryLater)
    pulse.beat()
    assert ears.told == []
    pulse.beat()
    assert ears.told == ["GET /x"]


def test_a_watch_that_hangs_is_left_after_its_time(ears: Ear) -> None:
    with campus_in_memory() as campus:
        site = watched(campus, ping=ping_of(ears.base, campus.folder, seconds=1))
        ears.hold.clear()
        begun = time.monotonic()
        assert site.run("library-payments")["outcome"] == "nothing_to_do"
        assert time.monotonic() - begun < 8
        assert [one["reason"] for one in site.named("ping_unheard")] in (["no answer in time"], ["it cannot be reached (TimeoutError)"])


def test_a_watch_that_is_not_there_or_answers_badly_breaks_nothing(site: Watched, ears: Ear) -> None:
    for status in (500, 302, 404):
        ears.status = status
        site.run("library-payments")
    assert ears.told == ["GET /0c1d/token"] * 3, "no redirect is followed"
    assert [one["reason"] for one in site.named("ping_unheard")] == [f"it answered with status {status}" for status in (500, 302, 404)]
    pulse = site.bridge.watch.pulse
    assert pulse is not None and pulse.told == {"unheard": 3}


def test_a_secret_that_is_not_there_breaks_nothing(tmp_path: Path, ears: Ear) -> None:
    with campus_in_memory() as campus:
        told = replace(ping_of(ears.base, tmp_path), url=Secret("env:NO_SUCH_PING_URL", tmp_path))
        site = watched(campus, ping=told)
        site.run("library-payments")
        assert [one["reason"] for one in site.named("ping_unheard")] == ["the secret that holds its address cannot be had"] and ears.told == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}.example.edu/x",
        "http://127.0.0.1:{port}@example.edu/x",
        "http://localhost:{port}/x",
        "",
        "{base}",
        "{base}/a b",
        "{base}/\n",
    ],
)
def test_only_the_host_of_the_settings_is_asked(url: str, ears: Ear) -> None:
    assert ping(url.format(port=ears.port, base=ears.base), ears.base, 2) != ""
    assert ears.told == []


def test_without_tls_only_this_machine_is_asked() -> None:
    assert ping("http://192.0.2.1/x", "http://192.0.2.1", 1) == "the address is not one below the base that the settings allow"


def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = certificate(tmp_path)
    with ear(trusted) as ears:
        url = f"https://127.0.0.1:{ears.port}"
        assert ping(f"{url}/x", url, 5) == "its certificate is not one that this machine trusts" and ears.told == []
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert ping(f"{url}/x", url, 5) == "" and ears.told == ["GET /x"]
        other = f"https://localhost:{ears.port}"
        assert ping(f"{other}/x", other, 5) == "its certificate is not one that this machine trusts", "the certificate is another host's"


def test_a_query_stays_behind_the_word_fail(ears: Ear) -> None:
    assert ping(f"{ears.base}/x/?a=1", ears.base, 5, failed=True) == ""
    assert ears.told == ["GET /x/fail?a=1"]
