"""A library to kill on: the sandbox's Alma over real HTTP in the test's own process, whose books begin anew for every try. People are invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bursarbridge import config, wiring
from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.alma_api import AlmaDoor, AlmaServer
from bursarbridge.sandbox.alma_fee_desk import FeeDesk
from bursarbridge.sandbox.alma_loans import Circulation, Loan
from bursarbridge.sandbox.fees import User
from bursarbridge.store import inbox
from bursarbridge.store.inbox import Received
from bursarbridge.systems.alma.webhooks import AlmaListener
from tests.crash import campus, child
from tests.returned_scenes import loan_call

KEY = "key-of-nobody-in-particular"
LOST = "LOSTITEMREPLACEMENTFEE"
ADA, BAO = User("0012345", "Winterbourne, Ada"), User("20260417", "Larkspur, Bao")
BOOKS = {f"3123400000{number}": (ADA if number % 2 else BAO, (number + 1) * 10_00) for number in range(5)}
"""Barcode -> who lost it, and what it costs."""
PAID = "31234000003"


@dataclass
class Library:
    """One Alma behind its API; what is asked of it changes it, until `fresh` takes it back."""

    door: AlmaDoor
    base: str
    _kept: tuple[FeeDesk, Circulation]

    def keep(self) -> None:
        """From now on, this is how it begins."""
        self._kept = deepcopy((self.door.fees, self.door.circulation))

    def fresh(self) -> None:
        """As it was when it was kept."""
        self.door.fees, self.door.circulation = deepcopy(self._kept)

    def books(self) -> list[str]:
        """What it has: each row of each fee's history with our mark, and each block."""
        fees = self.door.fees
        rows = [f"{fee.bursar_transaction_id} {fee.status} {fee.balance_cents}" for fee in fees.alma.fees.values()]
        rows += [f"{fee} {row.kind} {row.cents} {row.external_id} {row.comment} {row.reason}" for fee, told in fees.rows.items() for row in told]
        return rows + [f"{user.value} blocked {one}" for user in (ADA, BAO) for one in self.door.circulation.blocks(user)]


@contextmanager
def library() -> Iterator[Library]:
    """An Alma on loopback until the block ends."""
    door = AlmaDoor(FeeDesk(Alma()), Circulation(), lambda: child.START, KEY)
    with AlmaServer(door) as server:
        yield Library(door, server.base, (door.fees, door.circulation))


def returns_wait(folder: Path, alma: Library) -> None:
    """Five lost books are billed, one of them is paid; four come back, one of them with a call, one of them the paid one."""
    _connected(folder, alma, '\n[sources.library.webhooks]\nsecrets = ["file:keys/api"]\n\n[sources.library.returns]\nwaive_reason = "FOUND"\n')
    _billed(folder, alma)
    for barcode in list(BOOKS)[:4]:
        alma.door.circulation.give_back(_loan(alma, barcode), child.START)
    bridge = wiring.build(config.load(folder / "bursarbridge.toml"), clock=lambda: child.START + timedelta(minutes=15))
    try:
        with bridge.books(writing=True) as books:
            loan = _loan(alma, next(iter(BOOKS)))
            body = loan_call("1", loan.user.value, loan.barcode, event="LOAN_RETURNED", at=books.now, loan=loan.loan_id, institution="6001")
            inbox.put(books, [Received("library", AlmaListener(()).notice(body), body, books.now)])
    finally:
        bridge.close()
    alma.keep()


def payments_wait(folder: Path, alma: Library) -> None:
    """Five fees are billed, and the bursar reports that three are paid, one of them in part; Alma is told by its API."""
    _connected(folder, alma, "", by_api=True)
    _billed(folder, alma, paid=())
    ours = campus.references(folder)
    rows = [(user.value, ours[_dollars(cents)], _dollars(cents), _dollars(cents)) for user, cents in list(BOOKS.values())[:3]]
    rows[1] = (*rows[1][:3], "7.00")
    campus.drop(folder / "peoplesoft/out/payments_20260804_060000.csv", campus.payments(rows), 12)
    alma.keep()


def _connected(folder: Path, alma: Library, sections: str, *, by_api: bool = False) -> None:
    settings = folder / "bursarbridge.toml"
    (folder / "keys").mkdir(exist_ok=True)
    (folder / "keys/api").write_text(KEY, "utf-8")
    text = settings.read_text("utf-8")
    if by_api:
        text = text.replace('adapter = "alma"', 'adapter = "alma"\npayments_by = "api"', 1)
    settings.write_text(f'{text}\n[sources.library.api]\nbase = "{alma.base}"\nkey = "file:keys/api"\n{sections}', "utf-8")


def _billed(folder: Path, alma: Library, paid: tuple[str, ...] = (PAID,)) -> None:
    """Every book is lost, charged, exported, sent and posted; those of `paid` are paid."""
    books = alma.door.fees.alma
    for barcode, (user, cents) in BOOKS.items():
        loan = alma.door.circulation.lend(user, barcode, child.START - timedelta(days=45), child.START)
        alma.door.circulation.lose(loan)
        alma.door.circulation.block(user, "LOAN", "05", f"Lost item {barcode}", loan.loan_id)
        books.assess(user, LOST, cents, child.START, barcode=barcode, title="A book", library="MAIN")
    sent = books.run_export(child.START)
    assert sent is not None
    campus.drop(folder / "alma/out" / sent.name, sent.content.decode(), -10)
    child.run(folder, ("library-charges", 0))
    (document,) = (folder / "peoplesoft/in").iterdir()
    campus.drop(folder / "peoplesoft/out/result_1.csv", campus.results([("POSTED", document.stem, "", "", "", "")]), 5)
    child.run(folder, ("library-charges", 1))
    if paid:
        ours = campus.references(folder)
        rows = [(user.value, ours[_dollars(cents)], _dollars(cents), _dollars(cents)) for user, cents in (BOOKS[one] for one in paid)]
        campus.drop(folder / "peoplesoft/out/payments_20260803_060000.csv", campus.payments(rows), 6)
        child.run(folder, ("library-payments", 1))


def _loan(alma: Library, barcode: str) -> Loan:
    loan = alma.door.circulation.loan_of_item(barcode)
    assert loan is not None
    return loan


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
