"""Mail that brings an export: the agreed one is read once, every other one is a suspense item and lies aside (reliability.md T24)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from bursarbridge.assembly.library import library_flow
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.letter import LetterRules
from bursarbridge.exchange.maildir import MaildirEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.collect import Ended, collect
from bursarbridge.flows.preview import ReadOnly
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.ports import Endpoint
from bursarbridge.store import runs
from bursarbridge.store.books import Books
from tests.campus import Campus, PlainSteps
from tests.campus_files import Fee, export_bytes
from tests.letters import AUTHSERV, REFUSED, SENDER, agreed

NAME = "export.xml"


class Died(Exception):
    """The process is gone."""


@pytest.fixture
def mail(campus: Campus) -> Path:
    for sub in ("new", "cur", "tmp"):
        (campus.folder / "mail" / sub).mkdir(parents=True)
    return campus.folder / "mail"


def report(content: bytes, number: int = 1) -> bytes:
    return agreed(name=NAME, content=content, number=number).as_bytes()


def evening(campus: Campus, mail: Path, *, around: Callable[[Endpoint], Endpoint] = lambda one: one, die_at: str = "") -> list[Ended]:
    """Collects the exports of a library that sends them by mail."""

    def place(connection: str, folder: str, clear: Clear) -> Endpoint:
        if (connection, folder) == ("library", "out"):
            rules = LetterRules((SENDER,), ("*.xml",), AUTHSERV)
            return around(MaildirEndpoint(mail, rules, zone=campus.settings.campus.timezone, clear=clear))
        return FolderEndpoint(campus.folder, clear=clear)

    def reached(point: str) -> None:
        if point == die_at:
            raise Died

    campus.later(hours=1)
    steps, now = PlainSteps(campus.ledger), utc_text(campus.now)
    number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), f"mail-{now}", "library-charges", "1"))
    world = World(FileVault(campus.folder / "vault"), campus.folder / "scratch", lambda _seconds: None, reached)
    run = Run(f"mail-{now}", "library-charges", number, now, now[:10], steps, world)
    (channel,) = library_flow("library-charges", campus.settings, place).facts
    return collect(run, channel)


def lying(mail: Path, word: str = "") -> int:
    return sum(1 for sub in ("new", "cur") for _ in (mail / word / sub).glob("*"))


def drop(mail: Path, *raws: bytes) -> None:
    for raw in raws:
        (mail / "new" / f"1.{len(list(mail.rglob('*')))}.host").write_bytes(raw)


def test_T24_the_agreed_mail_is_read_and_every_other_one_waits_for_a_person(campus: Campus, mail: Path) -> None:
    others = {name: REFUSED[name] for name in ("stranger", "two attachments", "inline body only", "a password zip under the agreed name", "sent on")}
    drop(mail, report(export_bytes([Fee("900", 500)])), *(raw.replace(b".csv", b".xml") for raw, _words in others.values()))
    ended = evening(campus, mail)
    assert sorted(one["state"] for one in ended) == ["read", *["refused"] * 5]
    assert campus.places() == {"source": 500}
    items = campus.items()
    assert {item.code for item in items} == {"mail_refused"} and len(items) == 5
    for _raw, words in others.values():
        assert sum(words.replace(".csv", ".xml") in item.words for item in items) >= 1
    assert (lying(mail), lying(mail, ".done"), lying(mail, ".refused")) == (0, 1, 5)
    assert evening(campus, mail) == []
    assert len(campus.items()) == 5


def test_T24_the_same_report_mailed_again_has_one_effect(campus: Campus, mail: Path) -> None:
    content = export_bytes([Fee("900", 500)])
    drop(mail, report(content), report(content, number=2))
    assert [one["state"] for one in evening(campus, mail)] == ["read", "repeat"]
    assert campus.places() == {"source": 500}
    assert lying(mail, ".done") == 2


def test_T24_a_death_between_telling_and_putting_aside_tells_once(campus: Campus, mail: Path) -> None:
    drop(mail, REFUSED["stranger"][0])
    with pytest.raises(Died):
        evening(campus, mail, die_at="collect.refused")
    assert (campus.codes(), lying(mail)) == (["mail_refused"], 1)
    evening(campus, mail)
    assert (campus.codes(), lying(mail), lying(mail, ".refused")) == (["mail_refused"], 0, 1)


def test_T24_what_a_person_has_dismissed_is_not_asked_again_where_mail_is_left(campus: Campus, mail: Path) -> None:
    drop(mail, REFUSED["stranger"][0])
    left = partial(_left, mail, campus)
    assert [one["state"] for one in evening(campus, mail, around=left)] == ["refused"]
    (item,) = campus.items()
    campus.resolve(item.id, "dismiss")
    assert evening(campus, mail, around=left) == []
    assert (campus.codes(), lying(mail)) == ([], 1)


def _left(mail: Path, campus: Campus, _one: Endpoint) -> Endpoint:
    return MaildirEndpoint(mail, LetterRules((SENDER,), ("*.xml",), AUTHSERV), zone=campus.settings.campus.timezone, clear="leave")


def test_a_preview_shows_refused_mail_and_touches_none(campus: Campus, mail: Path) -> None:
    drop(mail, REFUSED["stranger"][0])
    (one,) = evening(campus, mail, around=lambda place: cast("Endpoint", ReadOnly(place)))
    assert one["state"] == "refused" and "not one of the agreed senders" in one["words"]
    assert (lying(mail), lying(mail, ".refused")) == (1, 0)
