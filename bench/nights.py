"""The nightly case: a complete list of balances to verified Holds Added and Holds Released, on a campus whose holds stand."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict, cast
from zoneinfo import ZoneInfo

from bench.campus import Campus, Sent, Sum
from bench.cases import Place, figures, prepared
from bench.inputs import Night
from bench.proof import Total, hold_file
from bench.rounds import Figures

FLOW = "parking-holds"
_SETTINGS = Path(__file__).parent / "settings" / "parking.toml"
_ZONE = ZoneInfo("America/Los_Angeles")


class Holds(TypedDict):
    """What a run says of holds, as far as it is compared here."""

    added: int
    changed: int
    released: int
    repeated: int
    held: int
    stuck: int
    active: int


class Summary(TypedDict):
    """What `run parking-holds --json` prints, as far as it is compared here."""

    outcome: str
    read: Sum
    suspended: Sum
    files: list[Sent]
    holds: Holds


def standing(place: Place, given: Night) -> Campus:
    """A campus that read the first night's list, placed its holds, and knows that they were taken in."""

    def place_holds(campus: Campus) -> None:
        for folder in ("parking/out", "peoplesoft/holds"):
            (campus.home / folder).mkdir(parents=True)
        campus.config.write_text(campus.config.read_text("utf-8") + _SETTINGS.read_text("utf-8"), "utf-8")
        drop(campus, given.before, timedelta(days=1))
        _, said = campus.run(FLOW)
        summary = cast(Summary, said)
        assert summary["outcome"] == "completed" and summary["holds"]["added"] == summary["holds"]["active"] > 0, summary
        for file in (campus.home / "peoplesoft/holds").iterdir():
            file.unlink()  # the bursar takes it; the next run confirms
        campus.run(FLOW)
        shutil.rmtree(campus.home / "parking/out")
        (campus.home / "parking/out").mkdir()

    return prepared(place, given.before.stem, place_holds, vault=True)


def drop(campus: Campus, list_file: Path, ago: timedelta = timedelta()) -> None:
    """Lets a list arrive that says it was drawn just now, or that long ago."""
    drawn = datetime.now(UTC).astimezone(_ZONE) - ago
    campus.drop(list_file, "parking/out", f"balances_{drawn:%Y%m%d_%H%M%S}.csv")


def night(place: Place, base: Campus, given: Night) -> Figures:
    """The second night's list: every balance read, 2 % of them changed, two files told, verified and recorded."""
    campus = place.copy(base)
    drop(campus, given.after)
    spent, said = campus.run(FLOW)
    _prove(campus, cast(Summary, said), given)
    campus.remove()
    return figures(spent)


def _prove(campus: Campus, summary: Summary, given: Night) -> None:
    assert summary["outcome"] == "completed", summary
    assert summary["read"] == {"count": given.accounts, "cents": given.cents}, summary["read"]
    assert summary["suspended"] == {"count": 0, "cents": 0}, summary["suspended"]
    holds, folder = summary["holds"], campus.home / "peoplesoft/holds"
    assert (holds["added"], holds["changed"], holds["released"]) == (given.added.people, 0, given.released.people), holds
    assert holds["held"] == holds["stuck"] == holds["repeated"] == 0, holds
    added, released = sorted(summary["files"], key=lambda file: file["name"])
    assert hold_file(folder / added["name"]) == Total(*given.added) == Total(added["count"], added["cents"]), added
    assert hold_file(folder / released["name"]) == Total(given.released.people, 0) == Total(released["count"], released["cents"]), released
    for file in (added, released):
        assert file["proof"] == "read_back", file
        with (folder / file["name"]).open("rb") as content:
            assert hashlib.file_digest(content, "sha256").hexdigest() == file["sha256"], f"{file['name']} is not what was sealed"
    assert {file.name for file in folder.iterdir()} == {added["name"], released["name"]}, "there is more than the two files"
    for file, verb in ((added, "place"), (released, "release")):
        _explained(campus, (folder / file["name"]).read_text("ascii").splitlines()[1][1:12].strip(), verb)


def _explained(campus: Campus, account: str, verb: str) -> None:
    """One person of each file, asked about as a clerk would."""
    said = json.loads(campus.product.spent("holds", "explain", account, "--config", str(campus.config), "--json").said)
    (one,) = said["holds"]
    assert one["told"]["verb"] == verb, one
