"""Host keys are pinned: a server shows the agreed key or nothing is said to it. There is no other mode (reliability.md R8, T20)."""

from dataclasses import dataclass

import asyncssh

from bursarbridge.errors import Refused
from bursarbridge.exchange.sftp import SftpAddress

_FAMILIES = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
"""Host key algorithms, modern ones only, by kind of key: a server that has several keys shows the kind it is asked for."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The agreed key: its fingerprint, and the kinds of key to ask for, the agreed one first."""

    fingerprint: str
    families: tuple[tuple[str, ...], ...]
    any_kind: bool
    """A bare fingerprint does not say of which kind its key is: a server with several keys is asked for each in turn."""


def pin_of(address: SftpAddress) -> Pin:
    """Reads the address's pin, a public key line or a fingerprint; Refused when it is neither."""
    text = address.host_key.strip()
    if text.startswith("SHA256:"):
        return Pin(text.rstrip("="), _FAMILIES, any_kind=True)
    try:
        key = asyncssh.import_public_key(_key_line(text))
    except (asyncssh.KeyImportError, ValueError) as error:
        raise Refused(
            f'{address.host}: the pinned host key "{text[:40]}" is neither a public key line (ssh-ed25519 AAAA...) nor a SHA256: fingerprint. '
            "Ask whoever runs the server for it, or see docs/exchange.md for the command"
        ) from error
    kind = _kind(key)
    families = tuple(sorted(_FAMILIES, key=lambda family: kind not in family))
    return Pin(key.get_fingerprint("sha256"), families, any_kind=False)


class Gatekeeper(asyncssh.SSHClient):
    """Says yes to the pinned key and to no other; remembers the one it refused, so that a person can compare."""

    def __init__(self, pin: Pin) -> None:
        self.refused = ""
        self.kind = ""
        self._pin = pin

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 (asyncssh's signature)
        shown = key.get_fingerprint("sha256")
        if shown != self._pin.fingerprint:
            self.refused, self.kind = shown, _kind(key)
        return not self.refused


def wrong_key(address: SftpAddress, pin: Pin, shown: list[str]) -> Refused:
    """The refusal a person reads when a server shows another key than the agreed one."""
    return Refused(
        f"{address.host}:{address.port} showed host key {' and '.join(shown)}, agreed is {pin.fingerprint}. Nothing was sent. "
        "Ask whoever runs the server, by another way than mail, whether its key was changed; only then put the new one into the settings"
    )


def _key_line(text: str) -> str:
    """The key type and the key, from a bare line, a line with a comment or a known_hosts line with names in front."""
    words = text.split()
    start = next((place for place, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))), 0)
    return " ".join(words[start : start + 2])


def _kind(key: asyncssh.SSHKey) -> str:
    """The key's host key algorithm; an RSA key's own name means SHA-1, which is not used."""
    algorithm = str(key.get_algorithm())
    return "rsa-sha2-512" if algorithm == "ssh-rsa" else algorithm
