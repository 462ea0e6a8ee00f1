"""The ways out: places where files lie, APIs, the mail relay. Each is opened when it is asked for and closed at the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bursarbridge.assembly.library import alma_api, web_place
from bursarbridge.assembly.names import DeskOf, Times
from bursarbridge.config.mail_in import ImapConnection, MaildirConnection
from bursarbridge.config.mailing import MailFolder
from bursarbridge.config.model import AlmaSource, FolderConnection, Settings
from bursarbridge.errors import Refused
from bursarbridge.exchange.endpoint import Clear, PlaceEndpoint
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.sftp import SftpAddress, SftpEndpoint
from bursarbridge.flows.tell import Teller
from bursarbridge.ports import Endpoint
from bursarbridge.ports.calls import Carrier, LibraryDesk
from bursarbridge.systems.alma.desk import AlmaDesk
from bursarbridge.systems.alma.teller import FeeTeller
from bursarbridge.wiring.outside import Reached

if TYPE_CHECKING:
    from bursarbridge.exchange.mailbox import MailEndpoint
    from bursarbridge.systems.alma.client import AlmaApi


@dataclass(frozen=True)
class Ways:
    """The ways out of one campus's bridge, opened when they are asked for."""

    settings: Settings
    wait: Callable[[float], None]
    reached: Reached
    desk_of: DeskOf | None = None
    """Who speaks for a library, where that is not its API as the settings name it."""

    @contextmanager
    def alma(self, source: str) -> Iterator[AlmaApi]:
        """The API of a source, with its own pace and its own count of the day's calls; its connections are closed at the end.

        Raises Refused when the settings name no such API or its key cannot be had.
        """
        found = next((one for one in self.settings.libraries if one.name == source), None)
        if found is None or found.api is None:
            raise Refused(f"the settings name no API for the source {source}; add a section [sources.{source}.api] with base and key")
        door = web_place(self.settings, found.api, time.monotonic)
        try:
            # Uneven pauses keep many callers from coming back at once (reliability.md P14).
            yield alma_api(found.api, door.send, Times(time.monotonic, self.wait, lambda seconds: seconds * (1 + secrets.randbelow(500) / 1000)))
        finally:
            door.close()

    @contextmanager
    def desks(self) -> Iterator[DeskOf]:
        """Opens the API of a source when its desk is asked for; closes it at the end."""
        with ExitStack() as open_ones:

            def desk(source: AlmaSource) -> LibraryDesk | None:
                return AlmaDesk(open_ones.enter_context(self.alma(source.name))) if source.api else None

            yield self.desk_of or desk

    @contextmanager
    def tellers(self) -> Iterator[Callable[[str], Teller]]:
        """Opens the API of a source when its payments are told; closes it at the end."""
        with ExitStack() as open_ones:
            yield lambda source: FeeTeller(open_ones.enter_context(self.alma(source)))

    @contextmanager
    def places(self, around: Callable[[Endpoint], Endpoint] | None = None) -> Iterator[Callable[[str, str, Clear], Endpoint]]:
        """Makes endpoints by connection, folder and way of clearing; closes their connections at the end."""
        made: dict[tuple[str, str, Clear], PlaceEndpoint | MailEndpoint] = {}

        def place(connection: str, folder: str, clear: Clear) -> Endpoint:
            key = (connection, folder, clear)
            if key not in made:
                made[key] = self._endpoint(connection, folder, clear)
            return around(made[key]) if around else made[key]

        try:
            yield place
        finally:
            for endpoint in made.values():
                endpoint.close()

    def _endpoint(self, connection: str, folder: str, clear: Clear) -> PlaceEndpoint | MailEndpoint:
        where = self.settings.connections[connection]
        if isinstance(where, MaildirConnection | ImapConnection):
            return self._mailbox(where, folder, clear)
        if isinstance(where, FolderConnection):
            return FolderEndpoint(where.path / folder, clear=clear, reached=self.reached)
        key = where.key.path or Path(where.key.value())
        address = SftpAddress(where.host, where.port, where.user, key, where.host_key, int(where.timeout.total_seconds()))
        return SftpEndpoint(address, folder, clear=clear, reached=self.reached)

    def _mailbox(self, where: MaildirConnection | ImapConnection, folder: str, clear: Clear) -> MailEndpoint:
        """What comes by mail; the mail libraries are loaded by those who read some."""
        from bursarbridge.exchange.imap import ImapAddress, ImapEndpoint
        from bursarbridge.exchange.letter import LetterRules
        from bursarbridge.exchange.maildir import MaildirEndpoint

        rules, zone = LetterRules(where.senders, where.attachments, where.authserv), self.settings.campus.timezone
        if isinstance(where, MaildirConnection):
            return MaildirEndpoint(where.path / folder, rules, zone=zone, clear=clear)
        seconds = int(where.timeout.total_seconds())
        address = ImapAddress(where.host, where.port, where.tls, where.user, where.password.value(), where.cafile, seconds)
        return ImapEndpoint(address, folder, rules, zone=zone, clear=clear)

    def carrier(self) -> Carrier | None:
        """The mail relay of the settings; None where nobody is mailed."""
        mail, token = self.settings.mail, secrets.token_hex(8)
        if mail is None:
            return None
        if isinstance(mail.relay, MailFolder):
            from bursarbridge.exchange.mail_folder import FolderCarrier

            return FolderCarrier(token, mail.relay.path)
        from bursarbridge.exchange.mail import NoRelay, Relay, RelayAddress

        try:
            password = mail.password.value() if mail.password else ""
        except Refused as error:
            return NoRelay(token, f"nothing is sent: {error}")
        seconds = int(mail.timeout.total_seconds())
        return Relay(RelayAddress(mail.relay.host, mail.relay.port, mail.tls, mail.user, password, mail.cafile, seconds), token)
