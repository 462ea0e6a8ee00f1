"""Connections by which files come as mail, and what is wrong with them."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bursarbridge.config import SettingsError, load
from bursarbridge.config.mail_in import ImapConnection, MaildirConnection
from tests.config.sample import spoiled, written

MARK = "[sources.library]\n"
IMAP = """[connections.reports]
kind = "imap"
host = "127.0.0.1"
user = "parking-holds"
password = "env:NO_SUCH_PASSWORD"
senders = ["reports@parking.example.edu"]
attachments = ["*.csv"]
authserv = "mx.example.edu"
"""
MAILDIR = """[connections.post]
kind = "maildir"
path = "mail"
senders = ["reports@parking.example.edu"]
attachments = ["*.csv", "*.txt"]
"""


def codes(text: str, folder: Path) -> list[str]:
    file = written(folder, text)
    try:
        return [fault.code for fault in load(file).warnings]
    except SettingsError as error:
        return [fault.code for fault in error.faults]


def test_both_kinds_are_read(tmp_path: Path) -> None:
    settings = load(written(tmp_path, spoiled(MARK, IMAP + MAILDIR + MARK)))
    imap, post = settings.connections["reports"], settings.connections["post"]
    assert isinstance(imap, ImapConnection) and isinstance(post, MaildirConnection)
    assert (imap.port, imap.tls, imap.cafile, imap.authserv) == (993, "implicit", None, "mx.example.edu")
    assert (post.path, post.attachments, post.authserv) == (tmp_path / "mail", ("*.csv", "*.txt"), "")
    assert settings.campus.timezone == ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"env:NO_SUCH_PASSWORD"', '"correct horse"', "C031"),
        ('["reports@parking.example.edu"]', '["parking.example.edu"]', "C053"),
        ('["reports@parking.example.edu"]', "[]", "C009"),
        ('["*.csv"]', '["in/*.csv"]', "C019"),
        ('"127.0.0.1"', '"imap.example.edu"', "C026"),
        ('authserv = "mx.example.edu"\n', "", "C061"),
        ('authserv = "mx.example.edu"', 'authserv = "mx example"', "C033"),
        ('user = "parking-holds"\n', "", "C004"),
        ('kind = "imap"', 'kind = "imap"\ntls = "none"', "C008"),
    ],
)
def test_each_fault_has_its_code(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert old in IMAP
    assert code in codes(spoiled(MARK, IMAP.replace(old, new) + MARK), tmp_path)


def test_a_password_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert codes(spoiled(MARK, IMAP + MARK), tmp_path) == ["C032"]


@pytest.mark.parametrize("section", ["sources.library", "bursar"])
def test_files_cannot_leave_by_mail(tmp_path: Path, section: str) -> None:
    name = {"sources.library": 'connection = "library"', "bursar": 'connection = "district"'}[section]
    text = spoiled(name, 'connection = "post"').replace(MARK, MAILDIR + MARK)
    assert "C060" in codes(text, tmp_path)
