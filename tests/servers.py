"""Real SFTP servers for tests, on a free loopback port: OpenSSH's own sshd, an embedded asyncssh one, and a proxy that cuts connections."""

import asyncio
import errno
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import pytest

from bursarbridge.exchange.sftp import SftpAddress
from tools.cluster import free_port


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: how to reach it as a client, and the local folder it serves (its path on the server is `folder`)."""

    address: SftpAddress
    root: Path
    folder: str

    def through(self, port: int) -> SftpAddress:
        """The same server behind another port."""
        return replace(self.address, port=port)


class Keys:
    """An own host key and client key in a folder, as files and as public lines."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.host_path, self.client_path = folder / "host", folder / "client"
        for path in (self.host_path, self.client_path):
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(path)
            path.chmod(0o600)
            key.write_public_key(path.with_suffix(".pub"))
        self.host_line = self.host_path.with_suffix(".pub").read_text().strip()

    def address(self, port: int, user: str = "bridge") -> SftpAddress:
        return SftpAddress("127.0.0.1", port, user, self.client_path, self.host_line, timeout_seconds=10)


def sshd_path() -> str:
    """Where sshd is; skips the test where it is not installed, and fails it in CI."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        words = "OpenSSH's sshd is not installed (Debian: RUNLEVEL=1 apt-get install openssh-server)"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    return found


@contextmanager
def openssh(root: Path, keys: Keys, subsystem: str = "internal-sftp", more_host_keys: Sequence[Path] = ()) -> Iterator[Served]:
    """OpenSSH's sshd as the user we are, with its own configuration; `root` is served under its own path."""
    sshd, port, home = sshd_path(), free_port(), keys.host_path.parent
    settings = home / "sshd_config"
    more = "".join(f"HostKey {path}\n" for path in more_host_keys)
    settings.write_text(_sshd_settings(sshd, keys, port, subsystem) + more)
    log = home / "sshd.log"
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's privilege separation asks for it, as root only
    process = subprocess.Popen([sshd, "-D", "-e", "-f", str(settings)], stderr=log.open("wb"), stdin=subprocess.DEVNULL)
    try:
        _until_open(port, process, log)
        yield Served(keys.address(port, getpass.getuser()), root, str(root))
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def embedded(root: Path, keys: Keys, server: type[asyncssh.SFTPServer] = asyncssh.SFTPServer, port: int = 0) -> Iterator[Served]:
    """An asyncssh server in a thread of its own, chrooted to `root`; `server` may be a subclass that misbehaves."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="test-sftp-server", daemon=True)
    thread.start()
    connections: list[asyncssh.SSHServerConnection] = []

    class Doorkeeper(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_host_keys=[str(keys.host_path)],
            authorized_client_keys=str(keys.client_path.with_suffix(".pub")),
            sftp_factory=lambda channel: server(channel, chroot=os.fsencode(root)),
            server_factory=Doorkeeper,
            allow_scp=False,
        )

    async def stop() -> None:
        acceptor.close()
        for connection in connections:
            connection.abort()
        await acceptor.wait_closed()

    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield Served(keys.address(acceptor.get_port()), root, "/")
    finally:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(stop(), loop).result(2)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


class CuttingProxy:
    """Forwards loopback connections to a port and counts what the client sends, chunk by chunk (one SSH packet is one chunk or more).

    `cut_after` chunks of a connection are forwarded, then both sides are closed at once: the server got that request, and its
    answer may be lost. `answers=False` holds back every answer to the last forwarded chunk, so that it is lost for sure.
    """

    def __init__(self, port: int) -> None:
        self.cut_after: int | None = None
        self.answers = True
        self.chunks = 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.chunks = 0
                server = socket.create_connection(("127.0.0.1", self._target))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._back, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while block := client.recv(1 << 16):
                self.chunks += 1
                server.sendall(block)
                if self.cut_after is not None and self.chunks >= self.cut_after:
                    if not self.answers:
                        time.sleep(0.02)  # the server acts on what it got; nobody hears of it
                    break
        _shut(client, server)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while block := server.recv(1 << 16):
                if not self.answers and self.cut_after is not None and self.chunks >= self.cut_after:
                    continue
                client.sendall(block)
        _shut(client, server)


@contextmanager
def cutting(port: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[bool]:
    """Mounts a tiny tmpfs on `path` where the machine lets us; yields whether it did."""
    path.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(path)]
    mounted = shutil.which("mount") is not None and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(path)], check=True)


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no small disk can be mounted: our own writes find the disk full."""

    def write(handle: int, block: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bursarbridge.exchange.disk.os.write", write)


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Waits until the condition holds, at most so long."""
    for _ in range(int(seconds * 100)):
        if true():
            return True
        time.sleep(0.01)
    return true()


def _sshd_settings(sshd: str, keys: Keys, port: int, subsystem: str) -> str:
    home = keys.host_path.parent
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {keys.host_path}",
        f"PidFile {home / 'sshd.pid'}",
        f"AuthorizedKeysFile {keys.client_path.with_suffix('.pub')}",
        "UsePAM no" if _knows(sshd, home, "UsePAM no") else "",
        "StrictModes no",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        "UseDNS no",
        "MaxStartups 200",
        "LoginGraceTime 10",
        f"Subsystem sftp {subsystem}",
        # newer servers lock out an address that breaks off often, which is what these tests do
        "PerSourcePenalties no" if _knows(sshd, home, "PerSourcePenalties no") else "",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _knows(sshd: str, home: Path, directive: str) -> bool:
    trial = home / "sshd_trial"
    trial.write_text(f"HostKey {home / 'host'}\n{directive}\n")
    answer = subprocess.run([sshd, "-t", "-f", str(trial)], capture_output=True, text=True, check=False)
    return "Bad configuration option" not in answer.stderr and "Unsupported option" not in answer.stderr


def _until_open(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    if not eventually(lambda: process.poll() is not None or answers()) or process.poll() is not None:
        pytest.fail(f"sshd did not start: {log.read_text()}")


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
