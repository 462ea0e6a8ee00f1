"""A real IMAP server for tests: Debian's Dovecot with its own settings, on free loopback ports, over a maildir that tests put mails into."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mail import certificate
from tests.servers import eventually
from tools.cluster import free_port

USER, PASSWORD = "bridge", "correct horse"


@dataclass(frozen=True, slots=True)
class Imap:
    """A running server: its ports, the certificate that is its own authority, and the maildir behind INBOX."""

    port: int
    starttls_port: int
    pem: Path
    maildir: Path

    def folders(self) -> dict[str, int]:
        """How many mails each mailbox holds, by its name in the maildir ("" is INBOX)."""
        places = [self.maildir, *(path for path in self.maildir.iterdir() if path.name.startswith(".") and (path / "cur").is_dir())]
        counted = {place: sum(len(list((place / sub).iterdir())) for sub in ("new", "cur")) for place in places}
        return {place.name if place != self.maildir else "": count for place, count in counted.items()}


def dovecot_path() -> str:
    """Where dovecot is; skips the test where it is not installed, and fails it in CI."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        words = "Dovecot's IMAP server is not installed (Debian: RUNLEVEL=1 apt-get install dovecot-imapd)"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    return found


@contextmanager
def dovecot(password: str = PASSWORD) -> Iterator[Imap]:
    """Dovecot as the user we are (root keeps its mail under nobody's name, as Dovecot lets no mail belong to root)."""
    program = dovecot_path()
    with tempfile.TemporaryDirectory(prefix="dovecot-") as name:
        home = Path(name)
        home.chmod(0o755)
        served = Imap(free_port(), free_port(), certificate(home, stem="imap"), home / "mail")
        for sub in ("new", "cur", "tmp"):
            (served.maildir / sub).mkdir(parents=True)
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for path in (served.maildir, *served.maildir.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        (home / "users").write_text(f"{USER}:{{PLAIN}}{password}\n")
        settings = home / "dovecot.conf"
        settings.write_text(_settings(home, served, owner))
        process = subprocess.Popen([program, "-F", "-c", str(settings)], stdin=subprocess.DEVNULL, stderr=(home / "log").open("wb"))
        try:
            started = eventually(lambda: process.poll() is not None or _answers(served.port), 10)
            if not started or process.poll() is not None:
                pytest.fail(f"dovecot did not start: {(home / 'log').read_text()}")
            yield served
        finally:
            process.terminate()
            process.wait(10)


def _settings(home: Path, served: Imap, owner: pwd.struct_passwd) -> str:
    me = pwd.getpwuid(os.geteuid()).pw_name
    services = "".join(f"service {name} {{\n  chroot =\n}}\n" for name in ("anvil", "stats", "imap-login"))
    return f"""
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {me}
default_internal_group = {grp.getgrgid(os.getgid()).gr_name}
default_login_user = {me if os.geteuid() else "nobody"}
first_valid_uid = 1
ssl = required
ssl_cert = <{served.pem}
ssl_key = <{served.pem}
auth_mechanisms = plain
mail_location = maildir:{served.maildir}
mail_plugin_dir = /usr/lib/dovecot/modules
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={home}
}}
namespace inbox {{
  inbox = yes
}}
{services}
service imap-login {{
  inet_listener imap {{
    port = {served.starttls_port}
  }}
  inet_listener imaps {{
    port = {served.port}
    ssl = yes
  }}
}}
"""


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
