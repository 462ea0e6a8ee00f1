"""Mail kept in a folder, for a campus that is being tried out."""

from email import message_from_bytes
from pathlib import Path

from bursarbridge.exchange.mail_folder import FolderCarrier
from tests.cli.calls import answer, call

MAIL = b"From: a@example.edu\r\nTo: b@example.edu\r\nSubject: one\r\n\r\ntext\r\n"


def test_every_mail_is_a_file_and_the_same_one_is_kept_once(tmp_path: Path) -> None:
    box = FolderCarrier("token", tmp_path / "mail")
    told = [box.hand_over(mail, "a@example.edu", "b@example.edu").outcome for mail in (MAIL, MAIL.replace(b"one", b"two"), MAIL)]
    kept = sorted((tmp_path / "mail").iterdir())
    assert told == ["sent"] * 3 and [path.name[:5] for path in kept] == ["0001-", "0002-"]
    assert kept[0].read_bytes() == MAIL and kept[0].stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    said = FolderCarrier("token", tmp_path / "mail").hand_over(MAIL, "a@example.edu", "b@example.edu")
    assert said.outcome == "unreachable" and "cannot take it" in said.words


def test_the_example_keeps_its_mail_and_a_live_campus_may_not(tmp_path: Path) -> None:
    call("init", "--example", tmp_path)
    settings = tmp_path / "bursarbridge.toml"
    text = settings.read_text("utf-8").replace('settings = { action = "warn" } ', 'settings = { action = "hold" } ')
    settings.write_text(text, "utf-8")
    (tmp_path / "parking/out/violations.csv").write_bytes((tmp_path / "samples/violations.csv").read_bytes())
    assert answer("run", "parking-holds", "-C", tmp_path, code=3)["outcome"] == "held"
    subjects = [str(message_from_bytes(path.read_bytes())["Subject"]) for path in sorted((tmp_path / "mail").glob("*.eml"))]
    assert any("held for a person" in " ".join(subject.split()) for subject in subjects), subjects
    settings.write_text(text.replace('environment = "sandbox"', 'environment = "live"   '), "utf-8")
    faults = answer("check", "-C", tmp_path, code=2)["faults"]
    assert [(one["code"], one["source"].split(" ")[0]) for one in faults if one["severity"] == "error"] == [("C051", "relay")]
