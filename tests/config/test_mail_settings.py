"""Mail and reports as a campus writes them."""

from pathlib import Path

from bursarbridge.config import check, load
from bursarbridge.config.mailing import HostPort
from tests.config.sample import GOOD, written

MAIL = """
[mail]
relay = "[::1]:465"
tls = "implicit"
user = "bridge"
password = "file:bursarbridge.toml"
cafile = "ca.pem"
from = "Campus Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
[reports.returned-but-still-charged]
to_by_library = { ARC = ["a@example.edu", "b@example.edu"], SCC = "c@example.edu" }
attach = "csv"
[reports.late]
to = ["ops@elsewhere.example"]
pii = "none"
"""


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    read = load(written(tmp_path, GOOD + MAIL), {})
    assert read.mail is not None
    assert (read.mail.relay, read.mail.cafile, read.mail.timeout.seconds) == (("::1", 465), tmp_path / "ca.pem", 30)
    returned, late = read.reports
    assert (returned.name, returned.to, returned.pii, returned.titles) == ("returned-but-still-charged", (), "id+initials", "never")
    assert returned.to_by_library == (("ARC", ("a@example.edu", "b@example.edu")), ("SCC", ("c@example.edu",)))
    assert (late.to, late.attach) == (("ops@elsewhere.example",), "link")
    assert "hush" not in repr(read)


def test_without_them_nothing_is_mailed(tmp_path: Path) -> None:
    read = load(written(tmp_path), {})
    assert (read.mail, read.reports) == (None, ())


def test_an_environment_variable_names_the_relay(tmp_path: Path) -> None:
    read = load(written(tmp_path, GOOD + MAIL), {"BURSARBRIDGE__MAIL__RELAY": "127.0.0.1:2525", "BURSARBRIDGE__REPORTS__LATE__TO": "x@example.edu"})
    assert read.mail is not None and isinstance(read.mail.relay, HostPort)
    assert (read.mail.relay.port, read.reports[1].to) == (2525, ("x@example.edu",))


def test_mail_in_the_clear_is_for_this_machine_only(tmp_path: Path) -> None:
    text = (GOOD + MAIL).replace('environment = "sandbox"', 'environment = "live"').replace("[::1]:465", "smtp.example.edu:25")
    text = text.replace('tls = "implicit"', 'tls = "none"').replace('user = "bridge"\npassword', 'user = "bridge"\npassword')
    errors = [fault.code for fault in check(written(tmp_path, text), {}) if fault.severity == "error"]
    assert errors == ["C050", "C050"]
