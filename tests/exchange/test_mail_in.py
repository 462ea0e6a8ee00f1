"""Mail that brings files, from a maildir and from a real IMAP server: the agreed mail is a file, every other one is kept and never read."""

import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bursarbridge.errors import BridgeError, Refused, TryLater, Unreadable
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.imap import ImapAddress, ImapEndpoint
from bursarbridge.exchange.letter import LetterRules, enclosure
from bursarbridge.exchange.mailbox import MailEndpoint
from bursarbridge.exchange.maildir import MaildirEndpoint
from bursarbridge.flows.doorkeeping import Doorkeeper
from bursarbridge.ports import Endpoint
from tests.dovecot import PASSWORD, USER, Imap, dovecot
from tests.letters import ACCEPTED, AUTHSERV, NAME, REFUSED, REPORT, SENDER, agreed
from tests.mail import certificate
from tools.cluster import free_port

RULES = LetterRules((SENDER,), ("*.csv",), AUTHSERV)
ZONE = ZoneInfo("America/Los_Angeles")
CAME = datetime(2026, 11, 17, 18, 0, tzinfo=UTC)
_NUMBERS = count(1)


@dataclass
class Box:
    """One empty mailbox: `root` is its maildir, `imap` the server before it, if there is one."""

    root: Path
    imap: Imap | None
    opened: list[MailEndpoint] = field(default_factory=list)

    def endpoint(self, rules: LetterRules = RULES, *, clear: Clear = "move") -> MailEndpoint:
        made: MailEndpoint
        if self.imap is None:
            made = MaildirEndpoint(self.root, rules, zone=ZONE, clear=clear)
        else:
            made = ImapEndpoint(address(self.imap), "INBOX", rules, zone=ZONE, clear=clear)
        self.opened.append(made)
        return made

    def drop(self, raw: bytes) -> Path:
        path = self.root / "new" / f"{int(CAME.timestamp())}.{next(_NUMBERS)}.host"
        path.write_bytes(raw)
        os.utime(path, (CAME.timestamp(), CAME.timestamp()))
        return path

    def held(self) -> dict[str, int]:
        """How many mails lie in the mailbox and in the folders beside it."""
        return {word: self._counted(word) for word in ("", "done", "refused")}

    def _counted(self, word: str) -> int:
        name = "" if not word else f".INBOX.{word}" if self.imap else f".{word}"
        flags = [path.name.partition(":2,")[2] for sub in ("new", "cur") for path in (self.root / name / sub).glob("*")]
        return sum("T" not in one for one in flags)


def emptied(imap: Imap) -> None:
    for path in imap.maildir.rglob("*"):
        if path.is_file() and path.parent.name in ("new", "cur"):
            path.unlink()


def address(imap: Imap, **changes: object) -> ImapAddress:
    return replace(ImapAddress("127.0.0.1", imap.port, "implicit", USER, PASSWORD, imap.pem, 10), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[Imap]:
    with dovecot() as served:
        yield served


@pytest.fixture(params=["maildir", "imap"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Box]:
    if request.param == "maildir":
        made = Box(tmp_path / "mail", None)
        for sub in ("new", "cur", "tmp"):
            (made.root / sub).mkdir(parents=True)
    else:
        imap: Imap = request.getfixturevalue("server")
        emptied(imap)
        made = Box(imap.maildir, imap)
    yield made
    for endpoint in made.opened:
        endpoint.close()


def test_it_is_an_endpoint_that_keeps_the_door(box: Box) -> None:
    port: Endpoint = box.endpoint()
    assert isinstance(port, Doorkeeper)
    assert (port.waiting(["*"]), port.refused()) == ([], [])


@pytest.mark.parametrize("raw", ACCEPTED.values(), ids=ACCEPTED)
def test_an_agreed_mail_is_one_waiting_file(box: Box, tmp_path: Path, raw: bytes) -> None:
    box.drop(raw)
    endpoint = box.endpoint()
    assert endpoint.refused() == []
    (waiting,) = endpoint.waiting(["violations*.csv"])
    assert re.fullmatch(r"violations\.20261117T021500-[0-9a-f]{10}\.csv", waiting.name)
    assert waiting.modified_at == datetime(2026, 11, 17, 10, 15, tzinfo=UTC)
    assert endpoint.fetch(waiting.name, tmp_path / "copy") == waiting
    assert (tmp_path / "copy").read_bytes().replace(b"\r\n", b"\n") == REPORT.replace(b"\r\n", b"\n")
    assert waiting.size == (tmp_path / "copy").stat().st_size
    assert endpoint.present(waiting.name) and box.held()[""] == 1
    assert endpoint.waiting(["other*"]) == []


@pytest.mark.parametrize(("raw", "words"), REFUSED.values(), ids=REFUSED)
def test_T24_a_mail_that_is_not_as_agreed_is_kept_named_and_never_read(box: Box, tmp_path: Path, raw: bytes, words: str) -> None:
    box.drop(raw)
    endpoint = box.endpoint()
    assert endpoint.waiting(["*"]) == []
    ((said, name),) = endpoint.refused()
    assert words in said and "was not read" in said
    assert not endpoint.present(name)
    with pytest.raises(TryLater):
        endpoint.fetch(name, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    endpoint.clear(name)
    endpoint.clear(name)
    assert box.endpoint().refused() == []
    assert box.held() == {"": 0, "done": 0, "refused": 1}


def test_T24_without_a_vouching_host_the_address_alone_counts(box: Box) -> None:
    box.drop(agreed(said="").as_bytes())
    box.drop(agreed(sender="eve@elsewhere.example", said="").as_bytes())
    endpoint = box.endpoint(replace(RULES, authserv=""))
    assert len(endpoint.waiting(["*"])) == len(endpoint.refused()) == 1


def test_T24_a_refused_mail_does_not_hold_up_the_agreed_one(box: Box) -> None:
    for raw, _words in REFUSED.values():
        box.drop(raw)
    box.drop(agreed().as_bytes())
    endpoint = box.endpoint()
    assert len(endpoint.waiting(["*.csv"])) == 1
    assert len(endpoint.refused()) == len({name for _words, name in endpoint.refused()}) == len(REFUSED)


def test_mails_are_told_apart_and_stand_in_the_order_of_their_own_dates(box: Box) -> None:
    for number, date in enumerate(("Tue, 17 Nov 2026 02:15:00 -0800", "Mon, 16 Nov 2026 02:15:00 -0800", "Mon, 16 Nov 2026 02:15:00 -0800")):
        box.drop(agreed(number=number, date=date).as_bytes())
    names = [waiting.name for waiting in box.endpoint().waiting(["*"])]
    assert len(set(names)) == 3
    assert [name[:26] for name in names] == ["violations.20261116T021500"] * 2 + ["violations.20261117T021500"]


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 01 Jan 2038 00:00:00 +0000", "Tue, 99 Nov 2026 02:15:00 -0800"])
def test_a_date_that_is_none_or_lies_ahead_is_the_time_of_receipt(box: Box, date: str) -> None:
    """A report dated ahead would otherwise be the newest for ever."""
    raw = agreed(date="").as_bytes()
    box.drop(f"Date: {date}\n".encode() + raw if date else raw)
    (waiting,) = box.endpoint().waiting(["*"])
    assert waiting.modified_at == CAME


def test_the_senders_own_date_comes_first_in_the_name(box: Box) -> None:
    box.drop(agreed(name="violations_20261115.csv").as_bytes())
    (waiting,) = box.endpoint().waiting(["violations_*.csv"])
    found = re.search(r"(\d{8})(?:[-_T]?(\d{6}))?", waiting.name)
    assert found is not None and found.groups() == ("20261115", None)


def test_clear_puts_a_read_mail_aside_and_again_is_no_error(box: Box) -> None:
    box.drop(agreed().as_bytes())
    box.drop(agreed(number=2).as_bytes())
    endpoint = box.endpoint()
    first, second = endpoint.waiting(["*"])
    endpoint.clear(first.name)
    box.endpoint().clear(first.name)
    assert box.held() == {"": 1, "done": 1, "refused": 0}
    assert [waiting.name for waiting in endpoint.waiting(["*"])] == [second.name]


def test_clear_deletes_or_leaves_as_set_and_refused_mail_is_never_deleted(box: Box) -> None:
    box.drop(agreed().as_bytes())
    box.drop(REFUSED["stranger"][0])
    leaving, deleting = box.endpoint(clear="leave"), box.endpoint(clear="delete")
    (waiting,), ((_words, name),) = leaving.waiting(["*"]), leaving.refused()
    for endpoint in (leaving, deleting):
        endpoint.clear(waiting.name)
        endpoint.clear(name)
    assert box.held() == {"": 0, "done": 0, "refused": 1}


def test_the_same_bytes_twice_in_the_mailbox_are_cleared_one_after_the_other(box: Box) -> None:
    raw = agreed().as_bytes()
    for _ in range(2):
        box.drop(raw)
    endpoint = box.endpoint()
    name = endpoint.waiting(["*"])[0].name
    endpoint.clear(name)
    assert box.held()[""] == 1
    endpoint.clear(name)
    assert box.held()[""] == 0


def test_a_mail_that_went_away_is_for_later(box: Box, tmp_path: Path) -> None:
    endpoint = box.endpoint()
    path = box.drop(agreed().as_bytes())
    (waiting,) = endpoint.waiting(["*"])
    for lying in box.root.rglob(f"{path.name}*"):
        lying.unlink()
    with pytest.raises(TryLater):
        endpoint.fetch(waiting.name, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_nothing_leaves_by_mail(box: Box, tmp_path: Path) -> None:
    endpoint = box.endpoint()
    acts: list[Callable[[], object]] = [lambda: endpoint.upload(NAME, tmp_path / "x"), lambda: endpoint.publish(NAME, "0" * 64)]
    for act in acts:
        with pytest.raises(Refused, match="mail is only read"):
            act()


@pytest.mark.parametrize("name", ["../x.csv", "", "a\nb"])
def test_unsafe_names_are_refused(box: Box, tmp_path: Path, name: str) -> None:
    endpoint = box.endpoint()
    acts: list[Callable[[], object]] = [lambda: endpoint.fetch(name, tmp_path / "x"), lambda: endpoint.clear(name), lambda: endpoint.present(name)]
    for act in acts:
        with pytest.raises(Refused, match="file name"):
            act()


def test_a_mail_too_large_to_open_is_kept_and_named(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bursarbridge.exchange.mailbox.LETTER_MAX", 100)
    box.drop(agreed().as_bytes())
    endpoint = box.endpoint()
    ((words, name),) = endpoint.refused()
    assert "more than the 100" in words
    endpoint.clear(name)
    assert box.held()["refused"] == 1


def test_close_lets_go_and_the_endpoint_can_be_used_again(box: Box) -> None:
    endpoint = box.endpoint()
    endpoint.close()
    assert endpoint.waiting(["*"]) == []
    endpoint.close()
    endpoint.close()
    assert endpoint.waiting(["*"]) == []


def test_a_maildir_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="new"):
        MaildirEndpoint(tmp_path / "nowhere", RULES, zone=ZONE).waiting(["*"])


def test_a_mail_that_a_program_has_opened_or_deleted(tmp_path: Path) -> None:
    box = Box(tmp_path / "mail", None)
    for sub in ("new", "cur", "tmp"):
        (box.root / sub).mkdir(parents=True)
    seen, deleted, being_written = box.drop(agreed().as_bytes()), box.drop(agreed(number=2).as_bytes()), box.drop(agreed(number=3).as_bytes())
    before = {one.name for one in box.endpoint().waiting(["*"])}
    seen.rename(box.root / "cur" / f"{seen.name}:2,RS")
    deleted.rename(box.root / "cur" / f"{deleted.name}:2,ST")
    being_written.rename(box.root / "tmp" / being_written.name)
    (waiting,) = box.endpoint().waiting(["*"])
    assert waiting.name in before
    box.endpoint().clear(waiting.name)
    assert [path.name for path in (box.root / ".done" / "cur").iterdir()] == [f"{seen.name}:2,S"]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_imap_over_verified_tls(server: Imap, tls: str) -> None:
    port = server.port if tls == "implicit" else server.starttls_port
    endpoint = ImapEndpoint(address(server, port=port, tls=tls), "INBOX", RULES, zone=ZONE)
    assert endpoint.waiting(["*"]) == []
    endpoint.close()


def test_t26_a_mail_server_whose_certificate_cannot_be_trusted_gets_no_password(server: Imap, tmp_path: Path) -> None:
    other = certificate(tmp_path, stem="other")
    for changes in ({"cafile": None}, {"cafile": other}, {"cafile": None, "port": server.starttls_port, "tls": "starttls"}):
        with pytest.raises(Refused, match="certificate is not to be trusted"):
            ImapEndpoint(address(server, **changes), "INBOX", RULES, zone=ZONE).waiting(["*"])


def test_every_way_a_mail_server_can_say_no(server: Imap) -> None:
    def error(mailbox: str = "INBOX", **changes: object) -> BridgeError:
        with pytest.raises(BridgeError) as caught:
            ImapEndpoint(address(server, **changes), mailbox, RULES, zone=ZONE).waiting(["*"])
        return caught.value

    wrong = error(password="wrong horse")
    assert isinstance(wrong, Refused) and "check user and password" in str(wrong) and "horse" not in str(wrong)
    assert "horse" not in repr(address(server))
    assert isinstance(error(mailbox="Nowhere"), Refused) and isinstance(error(mailbox="Gebühren"), Refused)
    assert isinstance(error(port=free_port()), TryLater)
    assert isinstance(error(port=server.starttls_port, timeout_seconds=2), TryLater)


def test_a_line_that_broke_is_begun_anew(server: Imap) -> None:
    endpoint = ImapEndpoint(address(server), "INBOX", RULES, zone=ZONE)
    assert endpoint.waiting(["*"]) == []
    endpoint._box._server.shutdown()  # type: ignore[attr-defined]
    with pytest.raises(TryLater, match="broke off"):
        endpoint.waiting(["*"])
    assert endpoint.waiting(["*"]) == []
    endpoint.close()


@pytest.mark.parametrize("lacking", [{"MOVE"}, {"MOVE", "UIDPLUS"}])
def test_servers_that_cannot_move_or_expunge_one_mail(server: Imap, lacking: set[str]) -> None:
    emptied(server)
    box = Box(server.maildir, server)
    box.drop(agreed().as_bytes())
    endpoint = box.endpoint()
    (waiting,) = endpoint.waiting(["*"])
    spoken = endpoint._box._server  # type: ignore[attr-defined]
    spoken.capabilities = tuple(set(spoken.capabilities) - lacking)
    endpoint.clear(waiting.name)
    assert endpoint.waiting(["*"]) == [] and not endpoint.present(waiting.name)
    assert (box.held()[""], box.held()["done"]) == (0, 1)
    endpoint.close()


def test_no_mail_however_damaged_breaks_the_reading() -> None:
    chance = random.Random(24)
    whole = [*ACCEPTED.values(), *(raw for raw, _words in REFUSED.values())]
    for _ in range(3000):
        raw = bytearray(chance.choice(whole))
        for _change in range(chance.randint(1, 6)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randint(0, 3)] = chance.choice([b"", b"\n", b'"', b"=?", b"\xff", b"\0", b";", b"=?x?b?=?=", b"*0*=", b"("])
        try:
            enclosure(bytes(raw), RULES, CAME)
        except Unreadable as error:
            assert error.code == "mail_refused"
