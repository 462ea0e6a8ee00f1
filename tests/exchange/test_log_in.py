"""Who we talk to, and who we say we are: pinned host keys (T20) and our own key."""

from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from bursarbridge.errors import Refused
from bursarbridge.exchange.sftp import SftpEndpoint
from tests.exchange import NAME
from tests.servers import Keys, Served, embedded, openssh
from tools.cluster import free_port

# T20


def test_T20_a_changed_host_key_stops_everything(keys: Keys, tmp_path: Path, document: Path) -> None:
    asked: list[str] = []

    class Listening(asyncssh.SFTPServer):
        def __init__(self, chan: "asyncssh.SSHServerChannel[bytes]", chroot: bytes | None = None) -> None:
            asked.append("session")
            super().__init__(chan, chroot)

    (tmp_path / "root").mkdir()
    stranger = Keys(tmp_path / "stranger")
    with embedded(tmp_path / "root", stranger, Listening) as served:
        agreed = replace(served.address, host_key=keys.host_line)
        for endpoint in (SftpEndpoint(agreed, "/"), SftpEndpoint(replace(agreed, host_key=fingerprint(keys)), "/")):
            with pytest.raises(Refused) as refusal:
                endpoint.upload(NAME, document)
            for words in ("127.0.0.1", fingerprint(stranger), fingerprint(keys), "Nothing was sent"):
                assert words in str(refusal.value)
            endpoint.close()
    assert asked == []


def test_T20_a_server_that_now_has_another_kind_of_key_names_it_too(keys: Keys, tmp_path: Path) -> None:
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048).convert_to_public()
    with embedded(tmp_path, keys) as served:
        pinned = replace(served.address, host_key=rsa.export_public_key().decode())
        with pytest.raises(Refused, match="Nothing was sent") as refusal:
            SftpEndpoint(pinned, "/").waiting(["*"])
    assert fingerprint(keys) in str(refusal.value)
    assert rsa.get_fingerprint() in str(refusal.value)


@pytest.mark.parametrize("kind", ["line", "comment", "known_hosts", "fingerprint"])
def test_T20_every_way_to_write_the_pin_lets_the_right_key_in(real: Served, keys: Keys, here: Path, kind: str) -> None:
    bare = " ".join(keys.host_line.split()[:2])
    pins = {"line": bare, "comment": f"{bare} root@files", "known_hosts": f"[files.example.edu]:22 {bare}", "fingerprint": fingerprint(keys)}
    endpoint = SftpEndpoint(replace(real.address, host_key=pins[kind]), str(here))
    assert endpoint.waiting(["*"]) == []
    endpoint.close()


@pytest.mark.parametrize("kind", ["ssh-rsa", "ecdsa-sha2-nistp384"])
def test_T20_a_fingerprint_pins_any_kind_of_key(tmp_path: Path, kind: str) -> None:
    keys = Keys(tmp_path / "keys")
    key = asyncssh.generate_private_key(kind, key_size=2048) if kind == "ssh-rsa" else asyncssh.generate_private_key(kind)
    key.write_private_key(keys.host_path)
    key.write_public_key(keys.host_path.with_suffix(".pub"))
    (tmp_path / "root").mkdir()
    with embedded(tmp_path / "root", keys) as served:
        endpoint = SftpEndpoint(replace(served.address, host_key=key.convert_to_public().get_fingerprint()), "/")
        assert endpoint.waiting(["*"]) == []
        endpoint.close()


def test_T20_a_fingerprint_finds_its_key_among_several(keys: Keys, tmp_path: Path) -> None:
    other, pins = Keys(tmp_path / "more"), []
    for kind in ("ecdsa-sha2-nistp256", "ssh-rsa"):
        key = asyncssh.generate_private_key(kind, key_size=2048) if kind == "ssh-rsa" else asyncssh.generate_private_key(kind)
        path = tmp_path / "more" / kind
        key.write_private_key(path)
        path.chmod(0o600)
        pins.append((path, key.convert_to_public().get_fingerprint()))
    with openssh(tmp_path, keys, more_host_keys=[path for path, _ in pins]) as served:
        for _, pin in pins:
            endpoint = SftpEndpoint(replace(served.address, host_key=pin), str(tmp_path))
            assert endpoint.present("nothing") is False
            endpoint.close()
        with pytest.raises(Refused, match="Nothing was sent") as refusal:
            SftpEndpoint(replace(served.address, host_key=fingerprint(other)), str(tmp_path)).waiting(["*"])
    assert str(refusal.value).count("SHA256:") == 4, "each of the server's three keys and the agreed one"


@pytest.mark.parametrize("pin", ["", "*", "ssh-ed25519", "ssh-ed25519 AAAAnonsense", "accept-any", "-----BEGIN OPENSSH PRIVATE KEY-----"])
def test_T20_a_pin_that_is_none_is_refused(keys: Keys, pin: str) -> None:
    with pytest.raises(Refused, match="pinned host key"):
        SftpEndpoint(replace(keys.address(free_port()), host_key=pin), "/").waiting(["*"])


# our own key


def test_an_unknown_key_of_ours_is_for_a_person(real: Served, here: Path, tmp_path: Path) -> None:
    other = replace(real.address, key_path=Keys(tmp_path / "other").client_path)
    with pytest.raises(Refused, match=r"does not let .* in"):
        SftpEndpoint(other, str(here)).waiting(["*"])


def test_a_key_file_that_cannot_be_used_is_for_a_person(real: Served, here: Path, tmp_path: Path) -> None:
    locked, nonsense = tmp_path / "locked", tmp_path / "nonsense"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(locked, "pkcs8-pem", passphrase="secret")
    nonsense.write_text("not a key")
    for path in (locked, nonsense, tmp_path / "missing"):
        with pytest.raises(Refused, match="cannot be used"):
            SftpEndpoint(replace(real.address, key_path=path), str(here)).waiting(["*"])


def test_an_agent_and_the_users_own_settings_are_left_alone(real: Served, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host *\n  ProxyCommand /bin/false\n  HostName nowhere.invalid\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    endpoint = SftpEndpoint(real.address, str(here))
    assert endpoint.waiting(["*"]) == []
    endpoint.close()


def fingerprint(keys: Keys) -> str:
    return str(asyncssh.import_public_key(keys.host_line).get_fingerprint())
