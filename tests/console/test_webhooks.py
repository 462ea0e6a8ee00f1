"""The intake over real HTTP: what is stored, what is turned away, and what is answered (reliability.md P07, P09, P12, S08)."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from bursarbridge.assembly.library import listeners
from bursarbridge.console.serving import bound, server
from bursarbridge.errors import Refused
from bursarbridge.exchange.vault import FileVault
from bursarbridge.store import inbox, opening
from bursarbridge.systems.alma.webhooks import signature
from bursarbridge.wiring import Bridge
from bursarbridge.wiring.ways import Ways
from tests.campus import Campus
from tests.campus_files import WREN
from tests.returned_scenes import BOOK, Library, library_in_memory, loan_call

SECRET, OLD = b"a secret of the tests", b"the one before it"
AT = "2026-08-04T12:00:00Z"
CALL = loan_call("77", WREN, BOOK, event="LOAN_RETURNED", at=AT)


@dataclass
class Site:
    """A campus that listens on a port."""

    library: Library
    bridge: Bridge
    port: int

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, str]:
        """One request on a connection of its own: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body or None, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def send(self, body: bytes, secret: bytes = SECRET, header: str = "X-Exl-Signature") -> int:
        """A signed call; the status it got."""
        return self.ask("POST", "/webhooks/library", body, {header: signature(secret, body).decode()})[0]

    def stored(self) -> list[tuple[str, str, str]]:
        """Event, loan and body of every stored call."""
        with self.bridge.ledger.connect() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(sa.text("select event, loan_id, body from webhook order by id"))]

    def turned_away(self, wanted: int) -> dict[str, int]:
        """The counts, once they add up to so many."""
        for _look in range(100):
            with self.library.campus.books() as books:
                found = inbox.turned_away(books, "library")
            if sum(found.values()) >= wanted:
                break
            time.sleep(0.05)
        return found


@contextmanager
def listening(campus: Campus, secrets: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The campus with its intake, on a free port."""
    monkeypatch.setenv("BURSARBRIDGE_TEST_HOOK", secrets)
    ways = Ways(campus.settings, lambda _seconds: None, lambda _point: None)
    bridge = Bridge(campus.settings, lambda: campus.now, ways.wait, ways.reached, campus.ledger, FileVault(campus.folder / "vault"), ways)
    monkeypatch.setattr(opening, "refuse_unsafe", lambda _engine: None)  # the tests' SQLite does not wait for the disk
    with serving(bridge) as port:
        yield Site(Library(campus), bridge, port)


@contextmanager
def serving(bridge: Bridge) -> Iterator[int]:
    """The bridge's intake on a free port, in a thread."""
    with bound("127.0.0.1", 0) as listener, bridge.listening() as app:
        running = server(app)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            running.should_exit = True
            thread.join()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with library_in_memory() as library, listening(library.campus, SECRET.decode(), monkeypatch) as made:
        made.library = library
        yield made


def at_once(number: int, deed: Callable[[int], int]) -> Counter[int]:
    """So many deeds, all under way together; how often each answer came."""
    gate = threading.Barrier(number)

    def one(turn: int) -> int:
        gate.wait()
        return deed(turn)

    with ThreadPoolExecutor(number) as pool:
        return Counter(pool.map(one, range(number)))


def test_p07_a_hundred_parallel_copies_of_one_call_have_one_effect(site: Site) -> None:
    site.library.billed(("1001", 9500, BOOK))
    site.library.desk.give_back(WREN, BOOK)
    assert at_once(100, lambda _turn: site.send(CALL)) == {200: 100}
    assert len(site.stored()) == 1
    assert site.library.run()["returned"]["waived"] == {"count": 1, "cents": 9500}
    assert site.send(CALL) == 200
    site.library.run()
    assert len(site.stored()) == 1 and len(site.library.desk.waived) == 1


def test_many_different_calls_at_once_are_all_stored(site: Site) -> None:
    calls = [loan_call(str(n), WREN, BOOK, event="LOAN_RETURNED", at=AT, loan=str(n)) for n in range(60)]
    assert at_once(60, lambda turn: site.send(calls[turn])) == {200: 60}
    assert {loan for _event, loan, _body in site.stored()} == {str(n) for n in range(60)}


def test_a_call_is_stored_as_it_came_before_it_is_answered(site: Site) -> None:
    spaced = CALL.replace(b'", "', b'" ,\n "')
    assert site.send(spaced, header="x-eXL-sIGNATURE") == 200
    assert site.stored() == [("LOAN_RETURNED", "14001", spaced.decode())]


def test_p09_what_is_not_genuine_is_401_and_nothing_but_a_count(site: Site) -> None:
    right = signature(SECRET, CALL).decode()
    respaced = json.dumps(json.loads(CALL), separators=(",", ":")).encode()
    assert site.send(CALL, OLD) == 401
    assert site.send(CALL, b"") == 401
    assert site.ask("POST", "/webhooks/library", CALL)[0] == 401
    assert site.ask("POST", "/webhooks/library", b"", {"X-Exl-Signature": right})[0] == 401
    for altered in (respaced, CALL.replace(b"77", b"78", 1), CALL + b"\n"):
        assert site.ask("POST", "/webhooks/library", altered, {"X-Exl-Signature": right})[0] == 401
    assert site.stored() == [] and site.turned_away(7) == {"not_genuine": 7}


def test_p12_both_secrets_are_valid_during_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    with library_in_memory() as library:
        source = library.campus.settings.libraries[0]
        assert source.webhooks is not None
        (first,) = source.webhooks.secrets
        monkeypatch.setenv("BURSARBRIDGE_TEST_OLD", OLD.decode())
        both = replace(source.webhooks, secrets=(first, replace(first, reference="env:BURSARBRIDGE_TEST_OLD")))
        library.campus.settings = replace(library.campus.settings, sources={"library": replace(source, webhooks=both)})
        with listening(library.campus, SECRET.decode(), monkeypatch) as site:
            calls = [loan_call(str(n), WREN, BOOK, event="LOAN_RETURNED", at=AT, loan=str(n)) for n in range(3)]
            assert [site.send(calls[0], OLD), site.send(calls[1], SECRET), site.send(calls[2], b"neither of the two")] == [200, 200, 401]
            assert len(site.stored()) == 2


def test_s08_a_call_that_is_too_large_is_turned_away_before_its_signature(site: Site) -> None:
    large = b"x" * ((1 << 20) + 1)
    assert site.send(large) == 413
    assert site.send(large[:-1]) == 200, "one MiB is taken in"
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    try:
        connection.request("POST", "/webhooks/library", iter([b"y" * 65536] * 17), {"X-Exl-Signature": "x"}, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):  # it may hang up on the rest
        pass
    finally:
        connection.close()
    assert site.turned_away(2) == {"too_large": 2}


def test_the_challenge_is_echoed_on_its_own_path_only(site: Site) -> None:
    assert site.ask("GET", "/webhooks/library?challenge=a%20b%22%3Cc%3E") == (200, '{"challenge":"a b\\"<c>"}')
    for path in (
        "/webhooks/library",
        "/webhooks/library?challenge=",
        f"/webhooks/library?challenge={'x' * 257}",
        "/webhooks/library?challenge=a&challenge=b",
    ):
        assert site.ask("GET", path)[0] == 400
    for path in ("/webhooks/parking?challenge=a", "/", "/docs", "/openapi.json", "/webhooks/library/x?challenge=a"):
        assert site.ask("GET", path)[0] == 404
    assert site.ask("POST", "/webhooks/parking", CALL, {"X-Exl-Signature": signature(SECRET, CALL).decode()})[0] == 404
    assert site.stored() == []


def test_calls_in_unknown_forms_are_stored_too(site: Site) -> None:
    odd = (b"<xml/>", b"\xff\x00\xfe", b"{}", b'{"action": "REQUEST", "id": "\\u0000\\ud800"}', b"")
    assert [site.send(body) for body in odd] == [200] * 5
    assert [site.send(body) for body in odd] == [200] * 5
    assert len(site.stored()) == 5


def test_one_id_for_two_events_is_two_calls_and_one_event_under_two_ids_is_one(site: Site) -> None:
    assert [site.send(CALL.replace(b"LOAN_RETURNED", b"LOAN_CREATED")), site.send(CALL), site.send(CALL.replace(b'"77"', b'"78"'))] == [200] * 3
    assert [event for event, _loan, _body in site.stored()] == ["LOAN_CREATED", "LOAN_RETURNED"]


def test_a_call_that_cannot_be_stored_is_503_and_comes_again(site: Site) -> None:
    with site.bridge.ledger.begin() as connection:
        connection.exec_driver_sql("alter table webhook rename to webhook_away")
    assert site.send(CALL) == 503
    with site.bridge.ledger.begin() as connection:
        connection.exec_driver_sql("alter table webhook_away rename to webhook")
    assert site.send(CALL) == 200 and len(site.stored()) == 1


def test_a_ledger_that_is_busy_too_long_is_503_within_almas_five_seconds(site: Site) -> None:
    with site.bridge.ledger.connect() as connection, connection.begin():
        begun = time.monotonic()
        assert site.send(CALL) == 503
        assert time.monotonic() - begun < 5
    assert site.send(CALL) == 200 and len(site.stored()) == 1


def test_a_stored_call_is_never_changed_or_deleted(site: Site) -> None:
    site.send(CALL)
    for statement in ("update webhook set body = ''", "delete from webhook"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), site.bridge.ledger.begin() as connection:
            connection.exec_driver_sql(statement)


def test_p07_on_postgresql(pg_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with library_in_memory() as library:
        ledger = opening.open_engine(pg_address)
        opening.migrate(ledger)
        library.campus.ledger.dispose()
        library.campus.ledger = ledger
        with listening(library.campus, SECRET.decode(), monkeypatch) as site:
            assert at_once(50, lambda _turn: site.send(CALL)) == {200: 50}
            assert [site.send(body) for body in (b"\xff\x00", b'{"action": "X", "id": "\\u0000\\ud800"}')] == [200, 200]
            assert site.send(CALL, OLD) == 401
            assert len(site.stored()) == 3 and site.turned_away(1) == {"not_genuine": 1}
            with pytest.raises(sa.exc.DBAPIError, match="append-only"), ledger.begin() as connection:
                connection.exec_driver_sql("delete from webhook")


def test_a_secret_that_is_missing_or_short_stops_the_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    with library_in_memory() as library:
        monkeypatch.delenv("BURSARBRIDGE_TEST_HOOK", raising=False)
        with pytest.raises(Refused, match="not set"):
            listeners(library.campus.settings)
        monkeypatch.setenv("BURSARBRIDGE_TEST_HOOK", "short")
        with pytest.raises(Refused, match="fewer than 8 characters") as refused:
            listeners(library.campus.settings)
        assert 'short"' not in str(refused.value)
