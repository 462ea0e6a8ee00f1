"""A parking office for tests: lists in a folder, a reader of a few lines, and the real collect with the real poster."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bursarbridge.errors import Unreadable
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.collect import Channel, Ended, collect
from bursarbridge.flows.lane import ListLane
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ports import Rejected, read
from bursarbridge.store import runs
from bursarbridge.store.books import Books
from tests.campus import Campus, PlainSteps, campus_in_memory

HEAD = "violation,person,type,owed,date,status,who,remark\n"


class LotReader:
    """ports.Reader for lines of eight fields without quotes; an amount that is no number, or an empty person, is rejected."""

    def records(self, chunks: Iterable[bytes]) -> Iterator[object]:
        text = b"".join(chunks).decode()
        if not text.startswith(HEAD):
            raise Unreadable("heading", "another heading")
        yield from text.splitlines()[1:]

    def fact(self, record: object) -> Violation:
        fields = str(record).split(",")
        if len(fields) != 8 or not fields[3].isdigit() or not fields[1]:
            raise Unreadable("amount", f"not a violation: {record}")
        return Violation(fields[0], fields[1], fields[2], int(fields[3]), fields[4], Standing(fields[5]), fields[6])

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        fields = str(record).split(",")
        return Rejected(error.code, error.words, fields[0], fields[1] if len(fields) > 1 else "", 0, str(record))

    def revived(self, raw: str) -> object:
        return raw


def line(reference: str, owed: int, account: str = "0012345", *, on: str = "2026-07-01", status: str = "open", remark: str = "") -> str:
    """One violation as the office writes it."""
    return f"{reference},{account},NO PERMIT,{owed},{on},{status},Student,{remark}\n"


class Lot:
    """One parking office and the books of it."""

    def __init__(self, campus: Campus, absent: str = "cleared", *, lane: bool = False) -> None:
        self.campus = campus
        self.lane = lane
        self.absent = absent
        self.shortened: list[bool] = []
        """For each list that was to be read: whether the lane was taken."""
        self._runs = 0
        for kind in ("full", "changes", "added", "released"):
            (campus.folder / "parking" / kind).mkdir(parents=True, exist_ok=True)

    def put(self, day: int, *lines: str, kind: str = "full", name: str = "") -> Path:
        """A file of that day of August appears."""
        return self.campus.put(f"parking/{kind}", name or f"{kind}_202608{day:02}.csv", (HEAD + "".join(lines)).encode())

    def collect(self, *kinds: str) -> list[Ended]:
        """A run reads what waits."""
        self._runs += 1
        now = utc_text(self.campus.now)
        steps = PlainSteps(self.campus.ledger)
        name = f"parking-{self._runs}"
        number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, "parking-holds", "1"))
        world = World(FileVault(self.campus.folder / "vault"), self.campus.folder / "scratch", lambda _seconds: None, lambda _point: None)
        run = Run(name, "parking-holds", number, now, "2026-08-03", steps, world)
        return [ended for kind in kinds or ("full", "changes", "added", "released") for ended in collect(run, self.channel(kind))]

    def poster(self, kind: str) -> ViolationPoster:
        return ViolationPoster("parking", "P", kind, self.absent, "reader 1")

    def channel(self, kind: str) -> Channel:
        """One channel of the office."""
        poster = self.poster(kind)
        return Channel(
            f"parking-{kind}",
            FolderEndpoint(self.campus.folder / "parking" / kind),
            ("*.csv",),
            (),
            0,
            re.compile(r"(\d{8})"),
            self.campus.settings.campus.timezone,
            lambda path: read(LotReader(), open_chunks(path)),
            poster,
            statements=True,
            lane=partial(self._shorten, ListLane(poster, LotReader, rows_least=0)) if self.lane and kind == "full" else None,
        )

    def _shorten(self, lane: ListLane, reading: Reading, path_of: Callable[[str], Path]) -> bool:
        self.shortened.append(lane(reading, path_of))
        return self.shortened[-1]

    def owed(self) -> dict[str, int]:
        """What is owed for each violation, where anything is."""
        with self.campus.books() as books:
            return {str(row[0]): int(row[1]) for row in books.rows("select reference, cents from violation where cents > 0 order by reference")}

    def one(self, sql: str) -> object:
        """A single value of the books."""
        with self.campus.books() as books:
            return books.one(sql)


@contextmanager
def lot(absent: str = "cleared", *, lane: bool = False) -> Iterator[Lot]:
    """A parking office in memory."""
    with campus_in_memory() as campus:
        yield Lot(campus, absent, lane=lane)


def ends(ended: Ended) -> dict[str, int]:
    """How many records ended where."""
    return {end: found["count"] for end, found in ended["tally"].items() if found["count"] and end != "read"}


BOOKS = {
    "violation": "select source_id, reference, account, category, user_type, violated_on, status, cents, as_of, delivery_id from violation",
    "violation_past": "select v.reference, p.account, p.category, p.user_type, p.violated_on, p.status, p.cents, p.as_of, p.delivery_id, "
    "p.until_delivery_id from violation_past p join violation v on v.id = p.violation_id",
    "delivery": "select id, channel, name, sha256, as_of, state, words, records, record_cents, tally from delivery",
    "full_list": "select * from full_list",
    "suspense": "select item_key, code, channel, reference, account, cents, row_count, resolution, actor, resolved_at is null, "
    "case when item_key like 'record:%' then '' else words end, case when item_key like 'record:%' then 0 else delivery_id end from suspense",
    "cause": "select kind, delivery_id, words from cause",
}
"""All that violations leave in the books. A record that waits and comes again unchanged names the file that was read whole last."""


def books_of(office: Lot) -> dict[str, list[tuple[object, ...]]]:
    """Every row, without the numbers that the database gives out."""
    with office.campus.books() as books:
        return {table: sorted((_plain(row) for row in books.rows(sql)), key=str) for table, sql in BOOKS.items()}


def _plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """The row as both databases give it: one of them knows truth from one."""
    return tuple(int(value) if isinstance(value, bool) else value for value in row)
