"""What a measured run did, checked with the bench's own few lines: a fast wrong answer is no result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from bench.campus import Campus, Summary
from bench.inputs import Input

NOTHING = {"count": 0, "cents": 0}
_ALMA = "http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans"


class Total(NamedTuple):
    """Lines and cents, counted again from the file."""

    lines: int
    cents: int


def whole_summary(summary: Summary, given: Input) -> None:
    """Every record was read and sent, to the cent, with nothing left over."""
    wanted = {"count": given.lines, "cents": given.cents}
    assert summary["outcome"] == "completed", summary
    assert summary["read"] == wanted, summary["read"]
    assert summary["sent"] == wanted, summary["sent"]
    for end in (summary["already"], summary["conflicts"], summary["suspended"]):
        assert end == NOTHING, summary


def document(summary: Summary, folder: Path, total: Callable[[Path], Total], given: Input) -> Path:
    """The one document lies where the partner looks, under its final name, hash and totals as said; returns its path."""
    (file,) = summary["files"]
    assert file["proof"] == "read_back", file
    path = folder / file["name"]
    with path.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == file["sha256"], f"{path.name} is not what was sealed"
    assert total(path) == Total(given.lines, given.cents) == Total(file["count"], file["cents"]), file
    assert [one.name for one in folder.iterdir() if one.is_file()] == [path.name], f"there is more than {path.name} in {folder.name}"
    return path


def places(campus: Campus, wanted: Mapping[str, int]) -> None:
    """The ledger's places hold exactly these cents and nothing is unexplained."""
    status = campus.status()
    held = {place: cents for place, cents in status["places"].items() if cents and place != "outside"}
    assert held == wanted, held
    assert status["unexplained_cents"] == 0, status["unexplained_cents"]


def charge_file(path: Path) -> Total:
    """A generic charge file counted again: header, details and trailer have to agree (columns of generic-charges)."""
    count = cents = 0
    header, trailer = Total(-1, -1), Total(-1, -1)
    with path.open(encoding="ascii", newline="") as lines:
        for line in lines:
            if line[0] == "D":
                count += 1
                cents += _cents(line[36:52])
            elif line[0] == "H":
                header = Total(int(line[27:35]), _cents(line[35:51]))
            else:
                trailer = Total(int(line[1:9]), _cents(line[9:25]))
    assert header == trailer == Total(count, cents), (header, trailer, count, cents)
    return Total(count, cents)


def hold_file(path: Path) -> Total:
    """A generic hold file counted again: header, details and trailer have to agree, and nobody stands in it twice."""
    people, cents, header, trailer = set(), 0, Total(-1, -1), Total(-1, -1)
    count = 0
    with path.open(encoding="ascii", newline="") as lines:
        for line in lines:
            if line[0] == "D":
                people.add(line[1:12])
                count += 1
                cents += _cents(line[25:38])
            elif line[0] == "H":
                header = Total(int(line[1:11]), _cents(line[11:27]))
            else:
                trailer = Total(int(line[1:11]), _cents(line[11:27]))
    assert header == trailer == Total(count, cents) == Total(len(people), cents), (header, trailer, count, cents, len(people))
    return Total(count, cents)


def remittance(path: Path) -> Total:
    """An Alma import file counted again: its fees and their sums."""
    count = cents = 0
    texts: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def end(name: str) -> None:
        nonlocal count, cents
        if name == f"{_ALMA} userFineFee":
            count += 1
        elif name == f"{_ALMA} sum":
            cents += _cents("".join(texts))
        texts.clear()

    parser.EndElementHandler = end
    parser.CharacterDataHandler = texts.append
    with path.open("rb") as content:
        parser.ParseFile(content)
    return Total(count, cents)


def _cents(text: str) -> int:
    units, _, hundredths = text.strip().partition(".")
    return int(units) * 100 + int((hundredths + "00")[:2])
