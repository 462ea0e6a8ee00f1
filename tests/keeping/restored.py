"""A campus whose ledger can be put back: what its bursar and its library were told is what counts."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from bursarbridge.config.model import FolderConnection
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.evidence import Shows
from bursarbridge.flows.preview import ReadOnly
from bursarbridge.flows.reconcile import Findings, conclude, look
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.ports import Endpoint
from bursarbridge.store import epochs, found, opening, runlog, runs
from bursarbridge.store.books import Books
from bursarbridge.wiring import postgres
from bursarbridge.wiring.evidence import Gathering, gather
from tests.campus import Campus, Changes, PlainSteps, campus_in_memory
from tests.campus_files import Answer, Fee, Paid, credit


class Kept:
    """A campus with a backup of its ledger (not of its vault), and the logs that the vault keeps of its runs."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        self.vault = FileVault(campus.folder / "vault")
        self.logs: list[runlog.Log] = []
        self._runs = 0
        self._backup = campus.folder / "ledger.backup"

    def run(self, flow: str) -> None:
        """Runs a flow; what it did is logged outside of the ledger."""
        self.campus.later(minutes=10)
        self.campus.run(flow)
        with self.campus.books() as books:
            log = runlog.log_of(books, str(books.one("select name from run order by id desc limit 1")))
        for document in (one for place in ("peoplesoft/in", "alma/in", "parking/in") for one in (self.campus.folder / place).glob("*")):
            if document.stat().st_mtime > self.campus.now.timestamp():  # the disk's clock is not the campus's
                os.utime(document, (self.campus.now.timestamp(), self.campus.now.timestamp()))
        self.logs += [runlog.log_in(log.as_text())] if log else []

    def back_up(self) -> None:
        """Keeps the ledger as it is now."""
        if self.campus.ledger.dialect.name == "postgresql":
            with self.campus.ledger.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
                snapshot = str(connection.exec_driver_sql("select pg_export_snapshot()").scalar_one())
                postgres.dump(self.campus.ledger, snapshot, self._backup)
            return
        self.campus.ledger.dispose()
        shutil.copy(self.campus.folder / "ledger.db", self._backup)

    def put_back(self, *, logs: bool = True) -> None:
        """Puts the kept ledger back and blocks it, as `restore` does; without `logs` the vault is lost as well."""
        self.campus.ledger.dispose()
        if self.campus.ledger.dialect.name == "postgresql":
            postgres.restore(self.campus.ledger, self._backup)
        else:
            shutil.copy(self._backup, self.campus.folder / "ledger.db")
        with self.campus.books(writing=True) as books:
            epochs.begin(books, 1, "a test put a backup back")
        if not logs:
            self.logs.clear()
            shutil.rmtree(self.campus.folder / "vault")

    def reconcile(self, *, confirm: bool, documents: Path | None = None) -> Findings:
        """Looks, or looks and lifts the block."""
        self._runs += 1
        self.campus.later(minutes=10)
        steps, now = PlainSteps(self.campus.ledger), utc_text(self.campus.now)
        name = f"reconcile-{self._runs}"
        number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, found.FLOW, "1"))
        world = World(self.vault, self.campus.folder / "scratch", lambda _seconds: None, lambda _point: None)
        run = Run(name, found.FLOW, number, now, now[:10], steps, world)
        with self.campus.books(writing=True) as books:
            waiting = epochs.waiting(books)
            assert waiting is not None
            known = found.known(books, waiting.began_at)
            names = set(found.unknown_runs(books, [one.name for one in self.logs]))
        logs = tuple(one for one in self.logs if one.name in names)
        search = Gathering(self.campus.settings, self.vault, self.campus.folder / "scratch", self._place, known, logs, epochs.Mark(), documents)
        evidence = gather(search)
        teller = cast("object", self.campus.teller)
        if isinstance(teller, Shows):
            evidence = replace(evidence, told={"library": teller.shown})
        return conclude(run, evidence, "Imre", "a test") if confirm else look(run, evidence)

    def _place(self, connection: str, folder: str, clear: Clear) -> Endpoint:
        where = cast("FolderConnection", self.campus.settings.connections[connection])
        return ReadOnly(FolderEndpoint(where.path / folder, clear=clear))

    # ---- the worlds outside

    def billed(self) -> Counter[tuple[str, int, str]]:
        """What the bursar's office was told: account, cents and direction of every line of every file of ours."""
        return Counter((line.account, line.cents, line.direction) for lines in self.campus.charge_files().values() for line in lines)

    def references(self) -> Counter[tuple[str, str]]:
        """How often each of our references was billed or taken back."""
        return Counter((line.reference, line.direction) for lines in self.campus.charge_files().values() for line in lines)

    def told(self) -> Counter[tuple[str, int]]:
        """What Alma was told: fee and cents."""
        return Counter(one for lines in self.campus.remittances().values() for one in lines)

    def books(self) -> dict[str, tuple[str, dict[str, int]]]:
        """Every fee's reference and where its cents are."""
        with self.campus.books() as books:
            fees = [str(row[0]) for row in books.rows("select source_reference from obligation where source_reference not like 'ours:%' order by 1")]
        return {fee: (self.campus.reference(fee), self.campus.place_of(fee)) for fee in fees}


@contextmanager
def kept_campus(changes: Changes = (), address: str = "") -> Iterator[Kept]:
    """A campus on the fastest disk there is, or with its ledger in the PostgreSQL database of that address."""
    with campus_in_memory(changes) as campus:
        if address:
            campus.ledger.dispose()
            campus.ledger = opening.open_engine(address)
            opening.migrate(campus.ledger)
        yield Kept(campus)


LOST, FINE, CARD = "LOSTITEMREPLACEMENTFEE", "OVERDUEFINE", "LIBRARYCARDREPLACEMENT"
WREN, TAM, ODA = "0012345", "20260417", "10400099123"


def first_day(kept: Kept) -> None:
    """Fees are billed and posted, one is paid and told."""
    campus = kept.campus
    campus.export(Fee("11", 8500, WREN, LOST, item="b1"), Fee("12", 82, TAM), Fee("13", 1000, TAM, CARD))
    kept.run("library-charges")
    answer_all(kept)
    kept.run("library-charges")
    campus.report(Paid(campus.reference("12"), 82, TAM))
    kept.run("library-payments")


def second_day(kept: Kept) -> None:
    """More fees, among them two that are equal; one is refused; payments, a waive, and every document that follows from them."""
    campus = kept.campus
    campus.later(hours=20)
    campus.export(Fee("21", 500, ODA), Fee("22", 500, ODA), Fee("23", 700, WREN, CARD), Fee("24", 1500, ODA, "CUSTOMER_DEFINED_01"))
    kept.run("library-charges")
    answer_all(kept, refuse="23")
    kept.run("library-charges")
    campus.report(Paid(campus.reference("12"), 82, TAM), Paid(campus.reference("22"), 500, ODA), Paid(campus.reference("13"), 400, TAM))
    kept.run("library-payments")
    campus.export(credit("91", 8500, item="b1"))
    kept.run("library-credits")
    answer_all(kept)
    kept.run("library-credits")


def third_day(kept: Kept) -> None:
    """Life goes on: new fees, the rest of a payment, and a fee that comes again."""
    campus = kept.campus
    campus.later(hours=20)
    campus.export(Fee("31", 300, TAM), Fee("21", 500, ODA))
    kept.run("library-charges")
    answer_all(kept)
    kept.run("library-charges")
    paid = (Paid(campus.reference("12"), 82, TAM), Paid(campus.reference("22"), 500, ODA), Paid(campus.reference("13"), 1000, TAM))
    campus.report(*paid, Paid(campus.reference("31"), 300, TAM))
    kept.run("library-payments")
    kept.run("library-credits")


def answer_all(kept: Kept, refuse: str = "") -> None:
    """The bursar answers every document that has no answer yet, line by line."""
    campus = kept.campus
    campus.later(hours=1)
    said = []
    answered = campus.folder / "answered"
    known = set(answered.read_text().split()) if answered.exists() else set()
    for name, lines in campus.charge_files().items():
        if name not in known:
            refused = campus.reference(refuse) if refuse else ""
            for line in lines:
                status, reason = ("REFUSED", "Invalid Term") if line.reference == refused else ("POSTED", "")
                said.append(Answer(status, name, line.reference, reason=reason))
            known.add(name)
    answered.write_text(" ".join(sorted(known)))
    if said:
        campus.answer(*said)
