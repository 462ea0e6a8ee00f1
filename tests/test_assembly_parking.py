"""A parking office's lists arrive through the channels that its settings name, and a library beside it goes on as before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bursarbridge import config
from bursarbridge.assembly.library import library_flow, listeners
from bursarbridge.assembly.names import FLOWS, Poster
from bursarbridge.assembly.parking import violation_channels
from bursarbridge.assembly.reports import returned_items
from bursarbridge.assembly.revive import record_poster, revive
from bursarbridge.config.model import FolderConnection, Settings
from bursarbridge.config.parking import ViolationFiles
from bursarbridge.errors import Refused
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.collect import Channel, Ended, collect
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.run import Run, World
from bursarbridge.ledger.facts import Fact, Violation
from bursarbridge.ports import Endpoint, Rejected
from bursarbridge.store import opening, runs
from bursarbridge.store.books import Books
from tests.campus import PlainSteps
from tests.config.parking_sample import PARKED
from tests.config.sample import written

NOW = "2026-10-10T09:00:00.000000Z"
FULL = """LIVE 2026-10-10
Student ID,Name,Violation,Type,Date,Balance,Currency,Status,System
0012345,"Lindqvist, Maja",PV-1,No Permit,10/03/2026,{amount},USD,Outstanding,LIVE
0076543,"Baptiste, Noor",PV-2,No Permit,10/04/2026,20.00,USD,{status},LIVE
TRL,2,{total}
"""


class Taken:
    """A poster that remembers what it was given."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, Fact]] = []

    def made(self, files: ViolationFiles) -> Poster:
        """A poster for one kind of list."""

        def post(reading: Reading, facts: Iterator[Fact]) -> None:
            for fact in facts:
                self.facts.append((f"{files.kind} {reading.arrived.as_of}", fact))
                reading.tally.posted.add(1, fact.cents)

        return post


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "parking" / "out").mkdir(parents=True)
    return config.load(written(tmp_path, PARKED.replace('files = ["violations_*.csv"]', 'files = ["violations_*.csv"]\nsettle = "0s"')), {})


def channels(settings: Settings, taken: Taken) -> tuple[Channel, ...]:
    def place(connection: str, folder: str, clear: Clear) -> Endpoint:
        where = settings.connections[connection]
        assert isinstance(where, FolderConnection)
        return FolderEndpoint(where.path / folder, clear=clear)

    return violation_channels(settings, settings.parking_offices[0], place, taken.made)


def collected(folder: Path, channel: Channel) -> list[Ended]:
    """What becomes of the files that wait on a channel, in a ledger of its own."""
    ledger = opening.open_engine(f"sqlite:{folder}/ledger.db")
    opening.migrate(ledger)
    steps = PlainSteps(ledger)
    number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, NOW), "parking-1", "parking-holds", "1"))
    world = World(FileVault(folder / "vault"), folder / "scratch", lambda _seconds: None, lambda _point: None)
    ended = collect(Run("parking-1", "parking-holds", number, NOW, "2026-10-10", steps, world), channel)
    with ledger.connect() as connection:
        waiting = connection.execute(sa.text("select code from suspense order by id")).scalars().all()
    ledger.dispose()
    return [Ended(**{**one, "words": f"{one['words']}{','.join(waiting)}"}) for one in ended]


def test_each_kind_of_list_has_a_channel_in_the_offices_own_time(settings: Settings) -> None:
    full, released = channels(settings, Taken())
    assert (full.name, full.patterns, full.settle_seconds, full.statements) == ("parking-violations", ("violations_*.csv",), 0, True)
    assert (released.name, released.zone, released.prepare) == ("parking-released", ZoneInfo("America/Los_Angeles"), None)


def test_lists_are_read_in_the_order_of_their_own_dates_not_of_their_arrival(settings: Settings, tmp_path: Path) -> None:
    taken, out = Taken(), tmp_path / "parking" / "out"
    (out / "violations_20261010_020000.csv").write_text(FULL.format(amount="0.00", status="In appeal", total="20.00"), "utf-8")
    (out / "violations_20261009_020000.csv").write_text(FULL.format(amount="45.00", status="Outstanding", total="65.00"), "utf-8")
    ended = collected(tmp_path, channels(settings, taken)[0])
    assert [(one["state"], one["tally"]["read"]) for one in ended] == [("read", {"count": 2, "cents": 6_500}), ("read", {"count": 2, "cents": 2_000})]
    assert [(when, fact.account, fact.cents) for when, fact in taken.facts if isinstance(fact, Violation)] == [
        ("full 20261009020000", "0012345", 4_500),
        ("full 20261009020000", "0076543", 2_000),
        ("full 20261010020000", "0012345", 0),
        ("full 20261010020000", "0076543", 2_000),
    ]


def test_t11_a_list_of_the_test_system_stays_where_it_lies(settings: Settings, tmp_path: Path) -> None:
    taken, out = Taken(), tmp_path / "parking" / "out"
    (out / "violations_20261010_020000.csv").write_text(
        FULL.format(amount="1.00", status="Outstanding", total="21.00").replace("Outstanding,LIVE", "Outstanding,TEST"), "utf-8"
    )
    (one,) = collected(tmp_path, channels(settings, taken)[0])
    assert one["state"] == "refused" and one["words"].endswith("file_environment")
    assert (out / "violations_20261010_020000.csv").exists()


def test_d29_a_total_that_does_not_match_posts_nothing(settings: Settings, tmp_path: Path) -> None:
    taken, out = Taken(), tmp_path / "parking" / "out"
    (out / "violations_20261010_020000.csv").write_text(FULL.format(amount="1.00", status="Outstanding", total="65.00"), "utf-8")
    (one,) = collected(tmp_path, channels(settings, taken)[0])
    assert (one["state"], one["tally"]["posted"]) == ("refused", {"count": 0, "cents": 0})
    assert one["words"].endswith("file_control_total")


def test_a_status_that_nobody_explained_waits_and_says_more_once_it_is_explained(settings: Settings, tmp_path: Path) -> None:
    channel = channels(settings, Taken())[0]
    (tmp_path / "kept").write_text(FULL.format(amount="45.00", status="On Plan", total="65.00"), "utf-8")
    waits = [one for one in channel.records(tmp_path / "kept") if isinstance(one, Rejected)]
    assert [(one.code, one.reference, one.cents) for one in waits] == [("status", "PV-2", 2_000)]
    again = revive(settings, "parking-violations", waits[0].raw)
    assert isinstance(again, Rejected) and again.code == "status"
    (office,) = settings.parking_offices
    explained = replace(office.violations[0], statuses=(*office.violations[0].statuses, ("On Plan", "open")))
    later = replace(settings, sources={**settings.sources, "parking": replace(office, violations=(explained,))})
    assert revive(later, "parking-violations", waits[0].raw) == Violation("PV-2", "0076543", "No Permit", 2_000, "2026-10-04")
    assert record_poster(later, "parking-violations") is not None


def test_a_library_beside_a_parking_office_is_as_it_was(settings: Settings, tmp_path: Path) -> None:
    def place(_connection: str, folder: str, clear: Clear) -> Endpoint:
        return FolderEndpoint(tmp_path / folder, clear=clear)

    assert [library_flow(flow, settings, place).leg.source for flow in FLOWS] == ["library"] * 3
    assert listeners(settings) == {}
    ledger = opening.open_engine(f"sqlite:{tmp_path}/empty.db")
    with ledger.connect() as connection:
        assert returned_items(settings, Books(connection, 0, NOW)).waive == ()
    ledger.dispose()


def test_a_campus_without_a_library_has_no_library_flows(settings: Settings, tmp_path: Path) -> None:
    alone = replace(settings, sources={"parking": settings.sources["parking"]})

    def place(_connection: str, folder: str, clear: Clear) -> Endpoint:
        return FolderEndpoint(tmp_path / folder, clear=clear)

    with pytest.raises(Refused, match="one library; the settings name 0"):
        library_flow("library-charges", alone, place)
