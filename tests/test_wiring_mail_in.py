"""The settings' mail connections become endpoints that read."""

from pathlib import Path

from bursarbridge.config import load
from bursarbridge.wiring.ways import Ways
from tests.config.sample import spoiled, written
from tests.dovecot import PASSWORD, USER, dovecot
from tests.letters import AUTHSERV, SENDER, agreed

RULES = f'senders = ["{SENDER}"]\nattachments = ["*.csv"]\nauthserv = "{AUTHSERV}"\n'


def ways(folder: Path, connection: str) -> Ways:
    settings = load(written(folder, spoiled("[sources.library]\n", f"[connections.reports]\n{connection}{RULES}[sources.library]\n")), {})
    return Ways(settings, lambda _seconds: None, lambda _point: None)


def test_a_maildir_of_the_settings(tmp_path: Path) -> None:
    for sub in ("new", "cur", "tmp"):
        (tmp_path / "mail" / "parking" / sub).mkdir(parents=True)
    (tmp_path / "mail/parking/new/1.1.host").write_bytes(agreed().as_bytes())
    with ways(tmp_path, 'kind = "maildir"\npath = "mail"\n').places() as place:
        endpoint = place("reports", "parking", "move")
        (waiting,) = endpoint.waiting(["*.csv"])
        assert waiting.name.startswith("violations.20261117T021500-"), "campus time"
        endpoint.clear(waiting.name)
    assert len(list((tmp_path / "mail/parking/.done/cur").iterdir())) == 1


def test_an_imap_mailbox_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    with dovecot() as server:
        (server.maildir / "new" / "1.1.host").write_bytes(agreed().as_bytes())
        where = f'kind = "imap"\nhost = "127.0.0.1"\nport = {server.port}\nuser = "{USER}"\npassword = "file:password"\ncafile = "{server.pem}"\n'
        with ways(tmp_path, where).places() as place:
            endpoint = place("reports", "INBOX", "move")
            (waiting,) = endpoint.waiting(["*.csv"])
            endpoint.clear(waiting.name)
            assert endpoint.waiting(["*.csv"]) == []
        assert server.folders() == {"": 0, ".INBOX.done": 1}
