"""The sandbox's SFTP server, met by a real client over a real socket."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncssh
import pytest

from bursarbridge.sandbox.server import SftpCampus


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpCampus]:
    with SftpCampus(tmp_path / "campus") as running:
        yield running


def client(server: SftpCampus, **changed: object) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
    known = asyncssh.import_known_hosts(f"[{server.host}]:{server.port} {server.host_key}")
    settings: dict[str, object] = {
        "username": server.user,
        "client_keys": [str(server.client_key_path)],
        "known_hosts": known,
        "config": None,
        "agent_path": None,
        "login_timeout": 5,
        **changed,
    }
    return asyncssh.connect(server.host, server.port, **settings)


def loops() -> set[threading.Thread]:
    """The servers' own threads; what a loop lends out work to comes and goes as it likes."""
    return {one for one in threading.enumerate() if one.name == "sandbox-sftp"}


def test_a_file_goes_in_is_renamed_and_comes_back(server: SftpCampus) -> None:
    content = bytes(range(256)) * 4096

    async def visit() -> tuple[list[str], object]:
        async with client(server) as connection, connection.start_sftp_client() as sftp:
            async with sftp.open("peoplesoft/in/.a.dat.part", "wb") as file:
                await file.write(content)
            await sftp.rename("peoplesoft/in/.a.dat.part", "peoplesoft/in/a.dat")
            async with sftp.open("/peoplesoft/in/a.dat", "rb") as file:
                back: object = await file.read()
                return sorted(str(name) for name in await sftp.listdir("/")), back

    names, back = asyncio.run(visit())
    assert {"alma", "peoplesoft"} <= set(names)
    assert back == content
    assert (server.root / "peoplesoft/in/a.dat").read_bytes() == content
    assert all((server.root / folder).is_dir() for folder in ("alma/in", "alma/out", "peoplesoft/in", "peoplesoft/out"))


def test_a_plain_rename_never_replaces(server: SftpCampus) -> None:
    (server.root / "alma/in/final.xml").write_bytes(b"first")
    (server.root / "alma/in/.part").write_bytes(b"second")

    async def visit() -> None:
        async with client(server) as connection, connection.start_sftp_client() as sftp:
            await sftp.rename("alma/in/.part", "alma/in/final.xml")

    with pytest.raises(asyncssh.SFTPError):
        asyncio.run(visit())
    assert (server.root / "alma/in/final.xml").read_bytes() == b"first"


def test_nothing_above_the_root_can_be_reached(server: SftpCampus) -> None:
    (server.root.parent / "secret").write_text("no", encoding="utf-8")

    async def visit(path: str) -> bool:
        async with client(server) as connection, connection.start_sftp_client() as sftp:
            return await sftp.exists(path)

    assert not asyncio.run(visit("../secret"))
    assert not asyncio.run(visit(str(server.root.parent / "secret")))
    assert asyncio.run(visit("../../alma/in"))


def test_another_host_key_is_noticed_and_another_client_key_is_turned_away(server: SftpCampus, tmp_path: Path) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    other_host = asyncssh.import_known_hosts(f"[{server.host}]:{server.port} {stranger.export_public_key().decode()}")

    async def visit(**changed: object) -> None:
        async with client(server, **changed):
            pass

    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        asyncio.run(visit(known_hosts=other_host))
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(visit(client_keys=[stranger]))
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(visit(client_keys=None, password="guess"))


def test_there_is_no_shell(server: SftpCampus) -> None:
    async def visit() -> None:
        async with client(server) as connection:
            await connection.run("id")

    with pytest.raises(asyncssh.ChannelOpenError):
        asyncio.run(visit())


def test_it_starts_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = loops()
    began = time.perf_counter()
    with SftpCampus(tmp_path) as server:
        # 0.05 s on an idle machine; the limit allows for a busy one.
        assert time.perf_counter() - began < 2.0
        key, port = server.client_key_path, server.port
        assert key.stat().st_mode & 0o777 == 0o600
        assert not key.is_relative_to(tmp_path)
        # A client that never says a word must not hold the server up.
        silent = socket.create_connection((server.host, port), timeout=5)
        silent.recv(64)
    silent.close()
    assert not key.exists()
    assert loops() <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_stopping_ends_the_sessions_of_clients(tmp_path: Path) -> None:
    server = SftpCampus(tmp_path)

    async def visit() -> None:
        async with client(server) as connection, connection.start_sftp_client() as sftp:
            await sftp.listdir(".")
            await asyncio.to_thread(server.__exit__)
            await asyncio.wait_for(connection.wait_closed(), 5)
            with pytest.raises((asyncssh.SFTPError, asyncssh.ConnectionLost)):
                await sftp.listdir(".")

    server.__enter__()
    asyncio.run(visit())


def test_two_servers_live_side_by_side_and_one_can_start_again(tmp_path: Path) -> None:
    with SftpCampus(tmp_path / "one") as one, SftpCampus(tmp_path / "two") as two:
        assert one.port != two.port
        assert one.host_key != two.host_key
    with one:
        assert one.port


def test_a_taken_port_is_an_error_and_leaves_no_thread(server: SftpCampus, tmp_path: Path) -> None:
    before = loops()
    with pytest.raises(OSError, match="address already in use"), SftpCampus(tmp_path / "other", port=server.port):
        pass
    assert loops() <= before
