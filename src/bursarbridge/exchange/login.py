"""Logging in to an SFTP server: pinned host key, our key, modern algorithms, nothing from the user's own ssh settings or agent."""

import socket
from itertools import chain

import asyncssh

from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.exchange.pin import Gatekeeper, pin_of, wrong_key
from bursarbridge.exchange.sftp import SftpAddress

_KEX = (
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
_CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr", "aes128-ctr")
_MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
_SIGNATURES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256")
"""No SHA-1, CBC or group 1 anywhere (reliability.md R8)."""


async def log_in(address: SftpAddress) -> asyncssh.SSHClientConnection:
    """A connection to the server that showed the pinned key.

    Raises Refused for a wrong host key, an unknown user or an unusable key of ours; TryLater when the server cannot be reached.
    """
    pin, key = pin_of(address), _our_key(address)
    shown: list[str] = []
    families = pin.families
    while families:
        gatekeeper = Gatekeeper(pin)
        try:
            return await _connect(address, key, tuple(chain.from_iterable(families)), gatekeeper)
        except (asyncssh.Error, OSError) as error:
            if not gatekeeper.refused:
                if shown:
                    break  # it has no other kind of key
                raise _unreached(address, error) from error
            shown.append(gatekeeper.refused)
            families = tuple(family for family in families if gatekeeper.kind not in family) if pin.any_kind else ()
    raise wrong_key(address, pin, shown)


async def _connect(address: SftpAddress, key: asyncssh.SSHKey, algorithms: tuple[str, ...], gatekeeper: Gatekeeper) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        address.host,
        address.port,
        username=address.user,
        client_keys=[key],
        client_factory=lambda: gatekeeper,
        known_hosts=([], [], []),  # nobody is trusted beforehand: every key goes past the gatekeeper
        server_host_key_algs=algorithms,
        kex_algs=_KEX,
        encryption_algs=_CIPHERS,
        mac_algs=_MACS,
        signature_algs=_SIGNATURES,
        preferred_auth="publickey",
        agent_path=None,
        config=None,
        x509_trusted_certs=None,
        connect_timeout=address.timeout_seconds,
        login_timeout=address.timeout_seconds,
    )


def _our_key(address: SftpAddress) -> asyncssh.SSHKey:
    try:
        return asyncssh.read_private_key(address.key_path)
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise Refused(
            f"{address.key_path}: our key for {address.host} cannot be used: {words}. It must be a private key without a passphrase "
            'that the bridge\'s user can read (make one with: ssh-keygen -t ed25519 -N "" -f FILE)'
        ) from error


def _unreached(address: SftpAddress, error: Exception) -> BridgeError:
    where = f"{address.host}:{address.port}"
    if isinstance(error, asyncssh.PermissionDenied):
        return Refused(
            f"{where} does not let {address.user} in with our key {address.key_path}. Nothing was sent; "
            "ask whoever runs the server to enter our public key for this user"
        )
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return Refused(f"{where} offers no algorithms that are still safe ({error.reason}). Nothing was sent; it needs a newer SSH server")
    if isinstance(error, socket.gaierror):
        return TryLater(f"{where}: the name cannot be resolved now ({error.strerror}). Check the spelling if this goes on; the next run tries again")
    words = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return TryLater(f"{where} cannot be reached now: {words}. Nothing was sent; the next run tries again")


def lost(address: SftpAddress, error: Exception) -> TryLater:
    """The error for a connection that was there and broke: what was under way may or may not have happened."""
    words = f"silent for {address.timeout_seconds} s" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return TryLater(f"{address.host}:{address.port}: the connection was lost ({words}). The next run looks at what happened and goes on from there")
