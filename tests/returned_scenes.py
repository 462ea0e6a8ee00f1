"""Scenes of returned items: exports with barcodes, webhook calls as Alma writes them, and runs of library-returns."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bursarbridge.assembly.library import returns_flow
from bursarbridge.assembly.names import DeskOf
from bursarbridge.errors import Unreadable
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.returns import ReturnsSummary, run_returns
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.ports.calls import LibraryDesk, Notice
from bursarbridge.store import inbox, runs
from bursarbridge.store.books import Books
from bursarbridge.systems.alma.webhooks import AlmaListener
from tests.campus import Campus, PlainSteps, campus_in_memory
from tests.campus_files import WREN, Answer, Fee, dollars, export_bytes
from tests.library_desk import LOST_FEE, Desk

BOOK = "31234000123456"
LISTENING = (
    (
        "[sources.library.import] ",
        '[sources.library.webhooks]\nsecrets = ["env:BURSARBRIDGE_TEST_HOOK"]\n\n'
        '[sources.library.returns]\nwaive_reason = "LOST_ITEM_FOUND"\nlost_fee_types = ["LOSTITEMREPLACEMENTFEE"]\n\n[sources.library.import] ',
    ),
)


class Library:
    """A campus with a library whose items get lost and come back."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        self.desk = Desk()
        self.reached: list[str] = []
        self.dies_at = ""
        self._runs = self._calls = 0

    def export(self, *fees: tuple[str, int, str], account: str = WREN, category: str = LOST_FEE, name: str = "") -> None:
        """Alma exports fees: id, cents, barcode."""
        whole = export_bytes([Fee(fee, cents, account, category) for fee, cents, _item in fees]).decode()
        for fee, cents, item in fees:
            summed = (
                f"<xb:compositeSum><xb:currency>USD</xb:currency><xb:sum>{dollars(cents)}</xb:sum></xb:compositeSum><xb:bursarTransactionId>{fee}<"
            )
            assert summed in whole
            whole = whole.replace(summed, f"<xb:itemBarcode>{item}</xb:itemBarcode>{summed}")
        self.campus.put("alma/out", name or f"BURSAR-{self._runs}-{fees[0][0]}.xml", whole.encode())

    def billed(self, *fees: tuple[str, int, str], account: str = WREN) -> None:
        """Lost items are charged, exported, sent and posted on the student account."""
        for fee, cents, item in fees:
            self.desk.lose(account, item, fee, cents)
        before = set(self.campus.charge_files())
        self.export(*fees, account=account)
        self.campus.charges()
        (document,) = set(self.campus.charge_files()) - before
        self.campus.later(hours=10)
        self.campus.answer(Answer("POSTED", document))
        self.campus.charges()
        self.campus.later(hours=30)

    def hear(self, *bodies: bytes) -> None:
        """Genuine calls are stored."""
        listener = AlmaListener(())
        with self.campus.books(writing=True) as books:
            inbox.put(books, [inbox.Received("library", _notice(listener, body), body, books.now) for body in bodies])

    def returned(self, user: str = WREN, item: str = BOOK, *, event: str = "LOAN_RETURNED", loan: str = "14001", institution: str = "61LIB") -> bytes:
        """A call of Alma's about a loan."""
        self._calls += 1
        return loan_call(f"{self._calls:019}", user, item, event=event, at=utc_text(self.campus.now), loan=loan, institution=institution)

    def job(self, job: str, fees: int, users: int, *, name: str = "Export to bursar using profile BURSAR", state: str = "COMPLETED_SUCCESS") -> bytes:
        """A call of Alma's about an ended job."""
        self._calls += 1
        return job_call(f"{self._calls:019}", job, fees, users, name=name, state=state, at=utc_text(self.campus.now))

    def run(self, desk: LibraryDesk | None = None, *, alone: bool = False) -> ReturnsSummary:
        """Runs library-returns as of now; `alone`: with nobody to ask."""
        self._runs += 1
        campus, steps = self.campus, PlainSteps(self.campus.ledger)
        name, now = f"library-returns-{self._runs}", utc_text(campus.now)
        number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, "library-returns", "1"))
        world = World(FileVault(campus.folder / "vault"), campus.folder / "scratch", lambda _seconds: None, self._reach)
        today = campus.now.astimezone(campus.settings.campus.timezone).date().isoformat()
        speaker = None if alone else desk or self.desk
        desk_of: DeskOf = lambda _source: speaker  # noqa: E731
        return run_returns(Run(name, "library-returns", number, now, today, steps, world), returns_flow(campus.settings, desk_of))

    def calls(self) -> list[tuple[str, str]]:
        """State and words of every stored call, oldest first."""
        with self.campus.books() as books:
            return [(str(row[0]), str(row[1])) for row in books.rows("select state, words from webhook order by id")]

    def intents(self) -> list[tuple[str, int]]:
        """State and cents of every intent."""
        with self.campus.books() as books:
            return [(str(row[0]), int(row[1])) for row in books.rows("select state, cents from intent order by id")]

    def case(self, fee: str) -> tuple[str, str]:
        """Outcome and words of a fee's case."""
        with self.campus.books() as books:
            sql = "select r.outcome, r.words from return_case r join obligation o on o.id = r.obligation_id where o.source_reference = :fee"
            ((outcome, words),) = books.rows(sql, fee=fee)
            return str(outcome), str(words)

    def _reach(self, point: str) -> None:
        self.reached.append(point)
        if point == self.dies_at:
            self.dies_at = ""
            raise KilledHere(point)


class KilledHere(BaseException):
    """The process died at a named point."""


@contextmanager
def library_in_memory() -> Iterator[Library]:
    """A campus that listens, in memory."""
    with campus_in_memory(LISTENING) as campus:
        yield Library(campus)


def loan_call(number: str, user: str, item: str, *, event: str, at: str, loan: str = "14001", institution: str = "61LIB") -> bytes:
    """A LOAN call in the form of the public samples (alma.md 4.3)."""
    told = {
        "id": number,
        "action": "LOAN",
        "institution": {"value": institution, "desc": "Example College"},
        "time": at,
        "event": {"value": event, "desc": "Loan returned"},
        "item_loan": {"loan_id": loan, "user_id": user, "item_barcode": item, "loan_status": "ACTIVE", "process_status": "NORMAL"},
        "item": None,
    }
    return json.dumps(told).encode()


def job_call(number: str, job: str, fees: int, users: int, *, name: str, state: str, at: str) -> bytes:
    """A JOB_END call (alma.md 4.4)."""
    counter = [
        {"type": {"value": f"com.exlibris.external.bursar.report.{what}"}, "value": str(value)}
        for what, value in (("fines_fees_count", fees), ("user_count", users))
    ]
    instance = {"id": job, "name": name, "status": {"value": state}, "end_time": at, "counter": counter}
    return json.dumps({"id": number, "action": "JOB_END", "time": at, "job_instance": instance}).encode()


def _notice(listener: AlmaListener, body: bytes) -> Notice | None:
    try:
        return listener.notice(body)
    except Unreadable:
        return None


def words_of(found: Sequence[tuple[str, str]]) -> str:
    """All sentences in one text."""
    return " | ".join(words for _state, words in found)
