"""Mail out: durable first, handed over at most once as far as SMTP can tell, tried again, and visible until it arrived (T25)."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from bursarbridge.exchange.mail import Relay, RelayAddress
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.letter import Addressed, mail_of
from bursarbridge.flows.mailing import Mailed, mailing, message
from bursarbridge.flows.reports import returned_but_still_charged
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.ports.calls import Handed
from bursarbridge.sandbox.mailbox import Mailbox
from bursarbridge.store import outbox_mail, runs
from bursarbridge.store.books import Books
from bursarbridge.store.outbox_mail import MailView
from tests.campus import Campus, PlainSteps, campus_in_memory
from tests.mail import FOUND, FRAME, NOW

FROM = "Campus Bridge <bridge@example.edu>"
CIRC, LEAD = "circ@example.edu", "lead@example.edu"
REPORT = mail_of(returned_but_still_charged(FOUND, FRAME), FRAME, attach="csv")


@dataclass
class Line:
    """A carrier that says what it is told to, and remembers what it was given."""

    says: list[str] = field(default_factory=list)
    token: str = "this process"
    taken: list[tuple[bytes, str]] = field(default_factory=list)

    def hand_over(self, message: bytes, sender: str, recipient: str) -> Handed:
        assert sender == "bridge@example.edu"
        outcome = self.says.pop(0) if self.says else "sent"
        if outcome in ("sent", "unknown"):
            self.taken.append((message, recipient))
        return Handed(outcome, f"the relay says {outcome}")


class Post:
    """A campus that mails."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        self._runs = 0

    def mail(self, carrier: Line | Relay | None, *readers: str, key: str = "r::2026-11-17", run: str = "") -> Mailed:
        self._runs += 1
        steps, now, name = PlainSteps(self.campus.ledger), utc_text(self.campus.now), run or f"report-{self._runs}"
        number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, "report-r", "1"))
        folder = self.campus.folder
        world = World(FileVault(folder / "vault"), folder / "scratch", lambda _seconds: None, lambda _point: None)
        letters = [Addressed("r", key, readers, REPORT)] if readers else []
        return mailing(Run(name, "report-r", number, now, now[:10], steps, world), lambda _books: letters, FROM, carrier)

    def waiting(self) -> list[MailView]:
        with self.campus.books() as books:
            return outbox_mail.waiting(books)


@pytest.fixture
def post() -> Iterator[Post]:
    with campus_in_memory() as campus:
        yield Post(campus)


def test_a_mail_has_both_parts_and_says_that_a_machine_sent_it() -> None:
    content, message_id = message(Addressed("late", "k", (CIRC,), REPORT), f"k:{CIRC}", CIRC, FROM, NOW)
    assert (content, message_id) == message(Addressed("late", "k", (CIRC,), REPORT), f"k:{CIRC}", CIRC, FROM, NOW)
    read = message_from_bytes(content, policy=default)
    assert isinstance(read, EmailMessage)
    assert (read["From"], read["To"], read["Subject"]) == (FROM, CIRC, REPORT.subject)
    assert (read["Auto-Submitted"], read["Message-ID"]) == ("auto-generated", message_id)
    assert read["List-Id"] == "Bursarbridge late <late.bursarbridge.example.edu>" and read["Date"] == "Tue, 17 Nov 2026 15:30:00 +0000"
    plain, html = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None and plain.get_content().replace("\r\n", "\n") == REPORT.text
    assert html is not None and html.get_content().replace("\r\n", "\n").strip() == REPORT.html.strip()
    (sheet,) = read.iter_attachments()
    assert (sheet.get_filename(), sheet.get_payload(decode=True)) == (REPORT.attachments[0].name, REPORT.attachments[0].content)
    assert max(map(len, content.split(b"\r\n"))) < 998 and b"\n" not in content.replace(b"\r\n", b"")


def test_each_reader_gets_it_once_however_often_it_is_asked(post: Post) -> None:
    line = Line()
    assert post.mail(line, CIRC, LEAD)["sent"] == 2
    again = post.mail(line, CIRC, LEAD)
    assert (again["outcome"], again["queued"], again["sent"]) == ("nothing_to_do", 0, 0)
    assert [recipient for _, recipient in line.taken] == [CIRC, LEAD] and post.waiting() == []
    assert post.mail(line, CIRC, key="r::2026-11-18")["sent"] == 1


def test_t25_relay_down_queued_retried_with_pauses_and_sent_once(post: Post) -> None:
    with Mailbox() as box:
        port = box.port
    relay = Relay(RelayAddress("127.0.0.1", port, "none"), "t")
    first = post.mail(relay, CIRC, LEAD)
    assert (first["outcome"], first["queued"], first["later"]) == ("completed_with_exceptions", 2, 2)
    assert [(one.state, one.next_at) for one in post.waiting()] == [("queued", utc_text(post.campus.now + timedelta(minutes=5)))] * 2
    assert all("cannot be reached now" in one.last_error for one in post.waiting())
    with Mailbox(port) as box:
        assert post.mail(relay)["sent"] == 0, "not before its time"
        post.campus.later(minutes=5)
        assert post.mail(relay)["sent"] == 2
        assert post.mail(relay)["outcome"] == "nothing_to_do"
        assert [one.recipients for one in box.mails] == [(CIRC,), (LEAD,)]
        assert box.mails[0].part("plain").splitlines()[0] == REPORT.text.splitlines()[0] and box.mails[0].part("html")
        assert box.mails[0].sheets.keys() == {REPORT.attachments[0].name}
    assert post.waiting() == []


def test_t25_a_refused_reader_is_not_tried_again_and_stays_visible(post: Post) -> None:
    with Mailbox() as box:
        box.moods.refused = {CIRC}
        relay = Relay(RelayAddress("127.0.0.1", box.port, "none"), "t")
        done = post.mail(relay, CIRC, LEAD)
        post.campus.later(days=1)
        post.mail(relay)
        assert (done["sent"], done["failed"], [one.recipients for one in box.mails]) == (1, 1, [(LEAD,)])
    (left,) = post.waiting()
    assert (left.state, left.recipient) == ("failed", CIRC) and "550" in left.last_error


def test_pauses_grow_and_after_three_days_it_is_given_up(post: Post) -> None:
    line, pauses = Line(says=["later"] * 99), []
    post.mail(line, CIRC)
    while post.waiting()[0].state == "queued":
        now, again = post.campus.now, post.waiting()[0].next_at
        post.campus.now = type(now).fromisoformat(again)
        pauses.append(int((post.campus.now - now).total_seconds() // 60))
        post.mail(line)
    assert pauses[:6] == [5, 15, 60, 120, 240, 240] and sum(pauses) <= 3 * 24 * 60
    assert "given up after 3 days" in post.waiting()[0].last_error


def test_an_unknown_outcome_is_said_and_not_sent_again_blindly(post: Post) -> None:
    line = Line(says=["unknown"])
    assert post.mail(line, CIRC)["in_doubt"] == 1
    post.campus.later(days=1)
    post.mail(line)
    assert len(line.taken) == 1 and post.waiting()[0].state == "in_doubt"
    assert post.mail(line, CIRC, key="r::again")["sent"] == 1
    assert post.waiting() == [], "the same report reached the same reader"


def test_a_process_that_died_with_the_mail_out_leaves_it_in_doubt(post: Post) -> None:
    line = Line(says=["later"])
    post.mail(line, CIRC)
    with post.campus.books(writing=True) as books:
        books.run = runs.begin(books, "the dead one", "mail", "1")
        assert outbox_mail.claim(books, 1) and not outbox_mail.claim(books, 1)
    post.campus.later(hours=1)
    assert post.mail(line)["in_doubt"] == 1
    assert line.taken == [] and "in the mailbox" in post.waiting()[0].last_error


def test_a_resumed_run_does_not_send_what_the_dead_process_may_have_sent(tmp_path: Path) -> None:
    """The real engine and a real SIGKILL, right after the relay took the mail: the next process resumes the run and sends nothing twice."""
    with Mailbox() as box:
        ran = [
            subprocess.run([sys.executable, "-m", "tests.flows.mailing_child", str(tmp_path), str(box.port), die], check=False) for die in ("1", "")
        ]
        assert [one.returncode for one in ran] == [-signal.SIGKILL, 0]
        assert len(box.mails) == 1
    assert (tmp_path / "waiting").read_text() == "in_doubt"


def test_nothing_of_a_person_stands_in_the_table(post: Post) -> None:
    """The bytes are in the vault, readable by the bridge only; rows hold staff addresses, numbers and days."""
    post.mail(None, CIRC)
    with post.campus.books() as books:
        rows = repr(books.rows("select * from mail"))
        sha256 = str(books.one("select sha256 from mail"))
    assert "1042317" not in rows and "R.D." not in rows and REPORT.subject in rows
    assert FileVault(post.campus.folder / "vault").verify(sha256)
    assert FileVault(post.campus.folder / "vault").path(sha256).stat().st_mode & 0o077 == 0
