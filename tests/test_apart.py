"""A file read in a process of its own says what it says when it is read here."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from bursarbridge.apart import read_apart
from bursarbridge.errors import TryLater, Unreadable
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.formats.layout import shipped
from bursarbridge.ledger.facts import Charge, Fact
from bursarbridge.ports import Reader, Rejected, read
from bursarbridge.systems.alma.export import ExportReader, ExportSettings
from bursarbridge.systems.peoplesoft.payments import PaymentReader
from bursarbridge.systems.peoplesoft.results import ResultReader

SAMPLES = Path(__file__).parent / "systems" / "alma" / "samples"
ALMA = partial(ExportReader, ExportSettings((), r"\d{5,11}", "USD", 500_000))
PAYMENTS = """Emplid,Date Paid,Reference Number,Charge Amount,Paid Amount,Item Type,Charge Description
0012345,10/15/2026,L0000000101,85.00,85.00,410000000120,Library lost item
0012345,10/15/2026,L0000000202,15.50,1e3,410000000130,not an amount
"""
RESULTS = """Status,File Name,Group ID,Reference Number,Emplid,Amount,Count,Reason
RECEIVED,LIB_CHG,,,,100.50,2,
REFUSED,LIB_CHG,G1,L0000000101,0012345,,,Invalid Term
"""


class Deadly:
    """A reader whose process dies after its first records: what a machine short of memory does."""

    def records(self, chunks: Iterable[bytes]) -> Iterator[object]:
        yield from range(2_500)
        os.kill(os.getpid(), signal.SIGKILL)

    def fact(self, record: object) -> Fact:
        return Charge(str(record), "0012345", "OTHER", 100, "2026-10-15")

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        raise AssertionError(f"{record} is a fact")

    def revived(self, raw: str) -> object:
        return raw


def here(make: Callable[[], Reader], path: Path) -> tuple[list[Fact | Rejected], tuple[str, str, str] | None]:
    return outcome(read(make(), open_chunks(path)))


def outcome(records: Iterator[Fact | Rejected]) -> tuple[list[Fact | Rejected], tuple[str, str, str] | None]:
    taken: list[Fact | Rejected] = []
    try:
        taken.extend(records)
    except Unreadable as error:
        return [], (error.code, error.words, error.where)
    return taken, None


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.xml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "truncated"])
def test_an_export_reads_the_same_apart(sample: Path, whole: bool, tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    content = sample.read_bytes()
    path.write_bytes(content if whole else content[: len(content) // 2])
    found = outcome(read_apart(ALMA, path))
    assert found == here(ALMA, path)
    assert bool(found[0]) is whole


@pytest.mark.parametrize(
    ("make", "content"), [(partial(PaymentReader, shipped("asu-payments")), PAYMENTS), (partial(ResultReader, shipped("generic-results")), RESULTS)]
)
def test_the_bursars_files_read_the_same_apart(make: Callable[[], Reader], content: str, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(content)
    records, error = outcome(read_apart(make, path))
    assert (records, error) == here(make, path)
    assert [type(record) for record in records] == [type(record) for record in here(make, path)[0]]


def test_a_child_that_dies_is_tried_later(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    taken: list[Fact | Rejected] = []
    with pytest.raises(TryLater, match="ended before the file did"):
        taken.extend(read_apart(Deadly, path))
    assert not taken or len(taken) == 2_000


def test_a_reading_that_is_given_up_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], *, stdin: int, stdout: int) -> None:
            super().__init__(command, stdin=stdin, stdout=stdout)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    path = tmp_path / "export.xml"
    path.write_bytes((SAMPLES / "debits.xml").read_bytes())
    reading = read_apart(ALMA, path)
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert [process.poll() is not None for process in started] == [True]
