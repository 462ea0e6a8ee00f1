"""The emulated Alma's API over real HTTP on loopback, refusing what the real one refuses, with mishaps on demand (alma.md 3)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, RLock, Thread
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from bursarbridge.sandbox import alma_json as said
from bursarbridge.sandbox.alma_fee_desk import REASONS, ApiRefused, FeeDesk
from bursarbridge.sandbox.alma_loans import Circulation

HOST = "127.0.0.1"
_ROOT = "/almaws/v1"
_PATIENCE_SECONDS = 10


class Mishap(NamedTuple):
    """Something that goes wrong with the next call of a kind.

    lost: done, and the answer never comes. cut: not done, no answer. late: no answer, and done when `settle` is called.
    slow: done, and answered when `release` is called. per_second, per_day: 429. error, html, xml, wrong: not done, and answered with 500,
    a page, an error in the old XML, an error under status 200. error_after, html_after, empty_after: the same after doing it.
    """

    kind: str
    on: str = ""
    """pay, waive, dispute, restore, GET, PUT or POST; any call when ""."""


class Asked(NamedTuple):
    """One request, taken apart."""

    method: str
    parts: tuple[str, ...]
    query: dict[str, str]
    body: bytes

    @property
    def label(self) -> str:
        """What it is, in one word: its op or its method."""
        return self.query.get("op", self.method)


@dataclass
class AlmaDoor:
    """What the API does with one request after another, without the HTTP."""

    fees: FeeDesk
    circulation: Circulation
    now: Callable[[], datetime]
    key: str
    remaining: int = 100_000
    """Calls left today, for all; at 0 every one is answered 429."""
    mishaps: list[Mishap] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    """What was called, in order: "pay users/0104231/fees/138..."."""
    base: str = ""
    _late: list[Asked] = field(default_factory=list)
    _released: Event = field(default_factory=Event)
    _turn: RLock = field(default_factory=RLock)

    def answer(self, asked: Asked, key: str) -> tuple[int, dict[str, str], str] | None:
        """Status, headers and body; None where the line goes dead."""
        with self._turn:
            self.calls.append(f"{asked.label} {'/'.join(asked.parts)}")
            self.remaining -= 1
            mishap = self._mishap(asked)
            told = self._answer(asked, key, mishap)
        if mishap == "slow":
            self._released.wait(_PATIENCE_SECONDS)
        return told

    def settle(self) -> None:
        """What was under way arrives, and is done if it still can be."""
        with self._turn:
            waiting, self._late = self._late, []
            for asked in waiting:
                self._served(asked)

    def release(self) -> None:
        """Slow answers go out now."""
        self._released.set()

    def _mishap(self, asked: Asked) -> str:
        for mishap in self.mishaps:
            if mishap.on in ("", asked.label, asked.method):
                self.mishaps.remove(mishap)
                return mishap.kind
        return ""

    def _answer(self, asked: Asked, key: str, mishap: str) -> tuple[int, dict[str, str], str] | None:
        headers = {"X-Exl-Api-Remaining": str(max(0, self.remaining))}
        page = "<!DOCTYPE html><html><head><title>Service</title></head><body>Please try again</body></html>"
        if self.remaining < 0 or mishap == "per_day":
            return 429, headers, said.error_json("DAILY_THRESHOLD", "API calls daily threshold was reached")
        instead = {
            "per_second": (429, said.error_json("PER_SECOND_THRESHOLD", "HTTP requests are more than allowed per second")),
            "error": (500, said.error_json("INTERNAL_SERVER_ERROR", "Internal server error")),
            "html": (200, page),
            "xml": (400, said.error_xml("402119", "General error")),
            "wrong": (200, said.error_json("402119", "General error")),
        }.get(mishap)
        if instead:
            return instead[0], headers, instead[1]
        if mishap in ("cut", "late"):
            self._late += [asked] if mishap == "late" else []
            return None
        if key != f"apikey {self.key}":
            return 401, headers, said.error_xml("UNAUTHORIZED", "API-key not defined or not configured to allow this API.")
        status, more, body = self._served(asked)
        after = {"error_after": (500, "Bad gateway"), "html_after": (200, page), "empty_after": (200, "")}.get(mishap)
        return None if mishap == "lost" else (*after[:1], headers, after[1]) if after else (status, {**headers, **more}, body)

    def _served(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        try:
            return self._route(asked)
        except ApiRefused as refusal:
            return refusal.status, {}, said.error_json(refusal.code, refusal.message)

    def _route(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        get = asked.method == "GET"
        match asked.parts:
            case ("users", "operation", "test") | ("conf", "test"):
                return 200, {}, "success"
            case ("users", user):
                return 200, {}, self._user(asked, user)
            case ("users", user, "fees") if get:
                return 200, {}, self._fees(asked, user)
            case ("users", user, "fees", fee):
                return 200, {}, self._fee(asked, user, fee)
            case ("users", user, "loans") if get:
                return 200, {}, self._loans(asked, user)
            case ("users", user, "loans", loan) if get:
                return 200, {}, self._loan(user, loan)
            case ("items",) if get:
                barcode = asked.query.get("item_barcode", "")
                place = f"{self.base}{_ROOT}/bibs/{said.MMS}/holdings/{said.HOLDING}/items/{said.item_id(barcode)}"
                return 302, {"Location": place}, ""
            case ("bibs", _, "holdings", _, "items", item) if get:
                barcode = item.removeprefix("23")
                return 200, {}, said.item_json(barcode, self.circulation.loan_of_item(barcode))
            case ("conf", "utilities", "fee-transactions") if get:
                return 200, {}, self._transactions(asked)
            case ("conf", "code-tables", "FineFeeTransactionReason") if get:
                rows = [{"code": code, "description": words, "enabled": True} for code, words in REASONS.items()]
                return 200, {}, json.dumps({"name": "FineFeeTransactionReason", "row": rows})
        raise ApiRefused("UNKNOWN", "There is no such call", 404)

    def _known(self, user: str) -> dict[str, object]:
        if user not in self.circulation.users:
            for fee in self.fees.alma.fees.values():
                self.circulation.enrol(fee.user)
        if user not in self.circulation.users:
            raise ApiRefused("401861", f"User with identifier {user} was not found.")
        return self.circulation.users[user]

    def _user(self, asked: Asked, user: str) -> str:
        record = self._known(user)
        if asked.method == "PUT":
            told = json.loads(asked.body)
            if told.get("primary_id") != user:
                raise ApiRefused("401863", "The user's id in the body is another")
            # Swap all: what the body leaves out is gone (alma.md 3.5).
            record.clear()
            record.update(told)
        return json.dumps(record)

    def _fees(self, asked: Asked, user: str) -> str:
        self._known(user)
        status = asked.query.get("status", "ACTIVE")
        rows = [said.fee_json(self.fees, fee) for fee in self.fees.of_user(user, status)]
        if status == "ACTIVE":
            rows += [said.credit_json(n, one) for n, one in enumerate(self.fees.alma.credits, 1) if one.user.value == user]
        return _paged("fee", rows, asked)

    def _fee(self, asked: Asked, user: str, fee_id: str) -> str:
        self._known(user)
        fee = self.fees.one(user, fee_id)
        if asked.method == "POST":
            self.fees.change(fee, asked.query, self.now())
        return said.fee_json(self.fees, fee)

    def _loans(self, asked: Asked, user: str) -> str:
        self._known(user)
        complete = asked.query.get("loan_status") == "Complete"
        found = [one for one in self.circulation.loans.values() if one.user.value == user and (one.returned_at is not None) == complete]
        return _paged("item_loan", [said.loan_json(one) for one in found], asked)

    def _loan(self, user: str, loan: str) -> str:
        found = self.circulation.loans.get(loan)
        if found is None or found.user.value != user:
            raise ApiRefused("401823", "Loan ID does not exist.")
        return said.loan_json(found)

    def _transactions(self, asked: Asked) -> str:
        begin, end = (datetime.fromisoformat(asked.query.get(f"transaction_{one}_date", "")[:10]).date() for one in ("from", "to"))
        if not 0 <= (end - begin).days <= 7:
            raise ApiRefused("401666", "The range of dates is longer than 7 days.")
        rows = []
        for fee in self.fees.alma.fees.values():
            if any(begin <= one.at.date() <= end for one in self.fees.rows.get(self.fees.id_of(fee), [])):
                rows.append(said.fee_json(self.fees, fee))
        return _paged("fee", rows, asked)


class AlmaServer:
    """`with AlmaServer(door) as server:` answers on `server.base` until the block ends."""

    def __init__(self, door: AlmaDoor, port: int = 0) -> None:
        self.door = door
        self.port = port
        self.base = ""
        """"http://127.0.0.1:port", once started."""
        self._server: ThreadingHTTPServer | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> "AlmaServer":
        door = self.door

        class Handler(_Handler):
            """Answers for this door."""

            api = door

        self._server = ThreadingHTTPServer((HOST, self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.base = door.base = f"http://{HOST}:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), name="sandbox-alma", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None and self._thread is not None:
            self.door.release()
            self._server.shutdown()
            self._thread.join(_PATIENCE_SECONDS)
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Headers and body are two writes; the second must not wait for the first one's receipt."""
    api: AlmaDoor

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Says nothing: what is called names people."""

    def _serve(self) -> None:
        where = urlsplit(self.path)
        parts = tuple(unquote(one) for one in where.path.removeprefix(f"{_ROOT}/").split("/"))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, parts, dict(parse_qsl(where.query, keep_blank_values=True)), body)
        told = self.api.answer(asked, self.headers.get("Authorization") or "")
        self.close_connection = told is None
        if told is None:
            return
        status, headers, text = told
        content = text.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _paged(entry: str, rows: list[str], asked: Asked) -> str:
    offset, limit = int(asked.query.get("offset", "0")), int(asked.query.get("limit", "10"))
    return said.list_json(entry, rows[offset : offset + min(limit, 100)], len(rows))
