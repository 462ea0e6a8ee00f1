"""A process that mails a report, and dies right after the relay took it when it is told to. Called as: folder port die."""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from bursarbridge import config, wiring
from bursarbridge.examples.example import write_example
from bursarbridge.exchange.mail import Relay
from bursarbridge.ports.calls import Handed
from bursarbridge.store import outbox_mail

SETTINGS = """
[mail]
relay = "127.0.0.1:{port}"
tls = "none"
from = "bridge@example.edu"
allowed_domains = ["example.edu"]
[reports.late]
to = ["circ@example.edu"]
"""


def main(folder: Path, port: str, die: bool) -> None:
    """Runs the report once."""
    if not (folder / "bursarbridge.toml").exists():
        write_example(folder)
        with (folder / "bursarbridge.toml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS.format(port=port))
    taken = Relay.hand_over

    def dying(self: Relay, message: bytes, sender: str, recipient: str) -> Handed:
        handed = taken(self, message, sender, recipient)
        os.kill(os.getpid(), signal.SIGKILL)
        return handed

    if die:
        Relay.hand_over = dying  # type: ignore[method-assign]
    bridge = wiring.build(config.load(folder / "bursarbridge.toml"), clock=lambda: datetime(2026, 11, 17, 15, 30, tzinfo=UTC))
    bridge.send_report("late")
    with bridge.books() as books:
        (folder / "waiting").write_text(" ".join(one.state for one in outbox_mail.waiting(books)))
    bridge.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], bool(sys.argv[3]))
