"""The campus's own jobs: files appear whole, are taken in name order and marked as read; nothing is taken twice."""

from pathlib import Path

import pytest

from bursarbridge.sandbox.folders import drop, set_aside
from bursarbridge.sandbox.people import ADA
from bursarbridge.sandbox.story import make_campus
from tests.sandbox.naive import NOON, Charge, charge_bytes, exported, import_bytes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_export_is_dropped_whole_and_dated_by_the_campus_clock(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    assert campus.export(NOON) is None
    campus.alma.assess(ADA, "OVERDUEFINE", 82, NOON)
    sent = campus.export(NOON)
    assert sent is not None
    (file,) = (tmp_path / "alma/out").iterdir()
    assert (file.name, file.read_bytes(), file.stat().st_mtime) == (sent.name, sent.content, NOON.timestamp())


def test_an_export_can_arrive_again_under_either_name(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    with pytest.raises(LookupError):
        campus.export_again(NOON)
    campus.alma.assess(ADA, "OVERDUEFINE", 82, NOON)
    sent = campus.export(NOON)
    assert sent is not None
    (tmp_path / "alma/out" / sent.name).unlink()
    assert campus.export_again(NOON) == sent
    campus.export_again(NOON, name="copy.xml")
    assert names(tmp_path / "alma/out") == [sent.name, "copy.xml"]
    assert (tmp_path / "alma/out/copy.xml").read_bytes() == sent.content


def test_charge_files_are_loaded_in_name_order_and_half_written_ones_are_left_alone(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    folder = tmp_path / "peoplesoft/in"
    for number in (2, 1):
        (folder / f"LIB_{number}.dat").write_bytes(charge_bytes([Charge(ADA.value, f"L{number}", 100)]))
    (folder / "LIB_0.dat").write_bytes(b"rubbish")
    (folder / ".LIB_3.dat.part").write_bytes(b"H")
    (folder / "note.txt").write_bytes(b"hello")
    groups = campus.load()
    assert [group.file_name for group in groups] == ["LIB_1.dat", "LIB_2.dat"]
    assert names(folder) == [".LIB_3.dat.part", "LIB_0.dat.refused", "LIB_1.dat.loaded", "LIB_2.dat.loaded", "note.txt"]
    assert campus.refusals == ["LIB_0.dat: the last line has no end: the file looks cut off"]
    answers = campus.post(groups, NOON)
    assert names(tmp_path / "peoplesoft/out") == [answer.name for answer in answers]
    assert campus.load() == []


def test_a_name_used_again_is_refused_and_nothing_is_charged_twice(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    file = tmp_path / "peoplesoft/in/LIB_1.dat"
    for _ in range(2):
        file.write_bytes(charge_bytes([Charge(ADA.value, "L1", 100)]))
        campus.post(campus.load(), NOON)
    assert campus.books().peoplesoft.charged.cents == 100
    assert names(file.parent) == ["LIB_1.dat.loaded", "LIB_1.dat.refused"]


def test_imports_are_taken_in_name_order_and_marked_handled(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    fee = campus.alma.assess(ADA, "OVERDUEFINE", 5000, NOON)
    sent = campus.export(NOON)
    assert sent is not None
    assert exported(sent.content)[0]["bursarTransactionId"] == fee.bursar_transaction_id
    folder = tmp_path / "alma/in"
    (folder / "b.xml").write_bytes(import_bytes([(fee.bursar_transaction_id, "20.00")]))
    (folder / "a.xml").write_bytes(import_bytes([(fee.bursar_transaction_id, "30")]))
    (folder / "c.xml").write_bytes(b"<cut")
    (folder / ".d.xml.part").write_bytes(b"<")
    taken = campus.import_payments(NOON)
    assert [(file.name, file.rows.lowered, file.rows.closed) for file in taken] == [("a.xml", 1, 0), ("b.xml", 0, 1)]
    assert names(folder) == [".d.xml.part", "a.xml.handled", "b.xml.handled", "c.xml.refused"]
    assert campus.import_payments(NOON) == []


def test_the_report_appears_even_when_nobody_has_paid(tmp_path: Path) -> None:
    report = make_campus(tmp_path).report_payments(NOON)
    assert (tmp_path / "peoplesoft/out" / report.name).read_bytes().count(b"\n") == 1


def test_a_taken_name_is_set_aside_with_a_number(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    report = campus.peoplesoft.payments_report(NOON)
    for _ in range(3):
        drop(tmp_path, report, NOON)
        set_aside(tmp_path / report.name, "done")
    assert [path.name.removeprefix(report.name) for path in sorted(tmp_path.glob("*.csv*"))] == [".done", ".done.2", ".done.3"]
