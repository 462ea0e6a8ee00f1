"""What goes wrong on the way, by the rows of reliability.md 2.1: cut connections, changed keys, full disks, servers that change bytes."""

import asyncio
import errno
import hashlib
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from bursarbridge.errors import Refused, TryLater
from bursarbridge.exchange import folder
from bursarbridge.exchange.endpoint import PlaceEndpoint
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.sftp import SftpAddress, SftpEndpoint
from bursarbridge.ports import Proof
from tests.exchange import DOCUMENT, HIDDEN, NAME, SHA256
from tests.servers import CuttingProxy, Keys, Served, cutting, embedded, full_disk, openssh, small_disk
from tools.cluster import free_port


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# T16: the connection is cut after every single thing the client says in upload, publish and read-back, and now and then in the log-in


def deliver(endpoint: PlaceEndpoint, document: Path, done: set[str]) -> Proof:
    """As the deliver flow does: what was recorded is not done again, what was not is."""
    try:
        if "upload" not in done:
            endpoint.upload(NAME, document)
            done.add("upload")
        return endpoint.publish(NAME, SHA256)
    finally:
        endpoint.close()


@pytest.mark.parametrize("answers", [True, False], ids=["cut", "acted-but-answer-lost"])
def test_T16_cut_after_each_packet_ends_in_exactly_one_right_file(real: Served, here: Path, document: Path, answers: bool) -> None:
    with cutting(real.address.port) as proxy:
        logged_in, total = _chunks(proxy, real, here, document)
        proxy.answers = answers
        points = [*range(1, logged_in, 5), *range(logged_in, total + 1)]
        outcomes = {_cut_then_go_on(proxy, after, real, here, document) for after in points}
    assert total - logged_in > 10
    assert outcomes <= {"cut", "through"}
    assert "cut" in outcomes


def _chunks(proxy: CuttingProxy, real: Served, here: Path, document: Path) -> tuple[int, int]:
    """How much the client says until it is logged in, and in all, when nothing is cut."""
    endpoint = SftpEndpoint(real.through(proxy.port), str(here))
    assert not endpoint.present(NAME)
    logged_in = proxy.chunks
    assert deliver(endpoint, document, set()) is Proof.READ_BACK
    (here / NAME).unlink()
    return logged_in, proxy.chunks


def _cut_then_go_on(proxy: CuttingProxy, after: int, real: Served, here: Path, document: Path) -> str:
    proxy.cut_after, done, outcome = after, set[str](), "through"
    try:
        deliver(SftpEndpoint(real.through(proxy.port), str(here)), document, done)
    except TryLater:
        outcome = "cut"
    finally:
        proxy.cut_after = None
    assert names(here) in ([], [HIDDEN], [NAME], [HIDDEN, NAME])
    if NAME in names(here):
        assert (here / NAME).read_bytes() == DOCUMENT, "a file that shows is whole at every moment"
    assert deliver(SftpEndpoint(real.address, str(here)), document, done) is Proof.READ_BACK
    assert names(here) == [NAME]
    assert (here / NAME).read_bytes() == DOCUMENT
    (here / NAME).unlink()
    return outcome


def test_T16_partner_takes_the_file_while_the_answer_to_the_rename_is_lost(real: Served, here: Path, document: Path) -> None:
    endpoint = SftpEndpoint(real.address, str(here))
    endpoint.upload(NAME, document)
    endpoint.close()
    (here / HIDDEN).rename(here / NAME)
    (here / NAME).unlink()
    again = SftpEndpoint(real.address, str(here))
    assert again.publish(NAME, SHA256) is Proof.TAKEN
    again.close()


def test_a_silent_server_is_given_up_on(keys: Keys, tmp_path: Path) -> None:
    class Silent(asyncssh.SFTPServer):
        async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
            await asyncio.sleep(30)
            raise AssertionError

    with embedded(tmp_path, keys, Silent) as served:
        endpoint = SftpEndpoint(replace(served.address, timeout_seconds=1), "/")
        with pytest.raises(TryLater, match="silent for 1 s"):
            endpoint.present(NAME)
        endpoint.close()


def test_a_connection_lost_while_idle_is_made_anew(keys: Keys, tmp_path: Path) -> None:
    port = free_port()
    with embedded(tmp_path, keys, port=port) as served:
        endpoint = SftpEndpoint(served.address, "/")
        assert not endpoint.present(NAME)
    with pytest.raises(TryLater):
        endpoint.present(NAME)
    (tmp_path / NAME).write_bytes(DOCUMENT)
    with embedded(tmp_path, keys, port=port):
        assert endpoint.present(NAME)
        endpoint.close()


def test_nobody_listens(keys: Keys) -> None:
    with pytest.raises(TryLater, match="cannot be reached now"):
        SftpEndpoint(keys.address(free_port()), "/in").waiting(["*"])


# T03


@pytest.mark.parametrize("kind", ["folder", "openssh"])
def test_T03_a_slow_writer_is_never_read_half(kind: str, real: Served, here: Path, tmp_path: Path) -> None:
    endpoint = FolderEndpoint(here) if kind == "folder" else SftpEndpoint(real.address, str(here))
    block, started, enough = os.urandom(1 << 17), threading.Event(), threading.Event()

    def write() -> None:
        with (here / "slow.xml").open("wb", buffering=0) as file:
            while not enough.is_set():
                file.write(block)
                started.set()
                time.sleep(0.004)

    writer = threading.Thread(target=write)
    writer.start()
    started.wait()
    for _ in range(8):
        try:
            taken = endpoint.fetch("slow.xml", tmp_path / "copy")
        except TryLater:
            assert not (tmp_path / "copy").exists()
        else:  # fine between two writes: it was whole as listed, and the next look shows it grown
            assert (tmp_path / "copy").stat().st_size == taken.size
    enough.set()
    writer.join()
    assert endpoint.fetch("slow.xml", tmp_path / "copy").size == (here / "slow.xml").stat().st_size
    assert (tmp_path / "copy").read_bytes() == (here / "slow.xml").read_bytes()
    endpoint.close()


def test_T03_a_file_that_grows_faster_than_it_is_read_is_left_for_later(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "endless.xml").write_bytes(b"x" * 1000)
    monkeypatch.setattr(folder, "_block", lambda _handle, _path: b"x" * 700)  # there is always more
    with pytest.raises(TryLater, match=r"endless.xml was still being written \(1000 bytes seen"):
        FolderEndpoint(here).fetch("endless.xml", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


# T15: servers that do not tell the truth about a rename


def test_T15_a_rename_that_worked_and_was_answered_as_failed(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Liar(asyncssh.SFTPServer):
        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            super().rename(oldpath, newpath)
            raise asyncssh.SFTPFailure("the file was moved at once")

    assert _delivered(keys, tmp_path, document, Liar) is Proof.READ_BACK


def test_T15_a_rename_that_always_fails_is_for_later_and_shows_nothing(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Refusing(asyncssh.SFTPServer):
        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            raise asyncssh.SFTPFailure("not today")

    with pytest.raises(TryLater, match="not today"):
        _delivered(keys, tmp_path, document, Refusing)
    assert names(tmp_path / "root") == [HIDDEN]


def test_T15_the_renaming_that_replaces_is_never_asked_for(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Watched(asyncssh.SFTPServer):
        def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
            raise AssertionError

    assert _delivered(keys, tmp_path, document, Watched) is Proof.READ_BACK


def _delivered(keys: Keys, tmp_path: Path, document: Path, server: type[asyncssh.SFTPServer]) -> Proof:
    (tmp_path / "root").mkdir(exist_ok=True)
    with embedded(tmp_path / "root", keys, server) as served:
        return deliver(SftpEndpoint(served.address, "/"), document, set())


# T17


def test_T17_the_server_moves_every_file_away_inside_the_rename(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Mover(asyncssh.SFTPServer):
        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            Path(os.fsdecode(self.map_path(oldpath))).rename(tmp_path / "archived")

    assert _delivered(keys, tmp_path, document, Mover) is Proof.TAKEN
    assert (tmp_path / "archived").read_bytes() == DOCUMENT


def test_T17_the_partner_takes_the_file_between_our_look_and_our_read(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Quick(asyncssh.SFTPServer):
        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            if path == b"/" + NAME.encode():
                Path(os.fsdecode(self.map_path(path))).unlink()
            return super().open(path, pflags, attrs)

    assert _delivered(keys, tmp_path, document, Quick) is Proof.TAKEN


# T18


def test_T18_content_doubled_on_arrival_is_refused_before_anything_shows(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Doubling(asyncssh.SFTPServer):
        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            raise AssertionError

        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            super().write(file_obj, len(DOCUMENT) + offset, data)
            return super().write(file_obj, offset, data)  # type: ignore[return-value]

    with pytest.raises(Refused, match=rf"{len(DOCUMENT)} bytes .* {2 * len(DOCUMENT)} bytes"):
        _delivered(keys, tmp_path, document, Doubling)
    assert names(tmp_path / "root") == []


def test_T18_content_doubled_by_the_rename_is_refused_naming_both_sizes(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Doubling(asyncssh.SFTPServer):
        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            super().rename(oldpath, newpath)
            path = Path(os.fsdecode(self.map_path(newpath)))
            path.write_bytes(path.read_bytes() * 2)

    with pytest.raises(Refused, match=rf"{2 * len(DOCUMENT)} bytes stand there, ours has {len(DOCUMENT)} bytes"):
        _delivered(keys, tmp_path, document, Doubling)


def test_T18_content_re_encoded_to_the_same_size_is_refused(keys: Keys, tmp_path: Path, document: Path) -> None:
    class Shouting(asyncssh.SFTPServer):
        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            return super().write(file_obj, offset, data.replace(b"D", b"d"))  # type: ignore[return-value]

    with pytest.raises(Refused, match="other bytes"):
        _delivered(keys, tmp_path, document, Shouting)


# T19


def test_T19_our_own_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, here = tmp_path / "large", tmp_path / "in"
    source.write_bytes(os.urandom(300_000))
    here.mkdir()
    (here / "large.xml").write_bytes(source.read_bytes())
    with small_disk(tmp_path / "small", 64) as mounted:
        small = tmp_path / "small"
        if not mounted:
            full_disk(monkeypatch)
        with pytest.raises(TryLater, match="full"):
            FolderEndpoint(small).upload(NAME, source)
        with pytest.raises(TryLater, match="full"):
            FolderEndpoint(here).fetch("large.xml", small / "copy")
        assert names(small) == []
        assert names(here) == ["large.xml"]


def test_T19_the_servers_disk_is_full(real: Served, tmp_path: Path) -> None:
    source, here = tmp_path / "large", real.root / "small"
    source.write_bytes(os.urandom(300_000))
    with small_disk(here, 64) as mounted:
        if not mounted:
            pytest.skip("this machine mounts no tmpfs; the quota test below covers the answer")
        endpoint = SftpEndpoint(real.address, str(here))
        with pytest.raises(TryLater, match="full"):
            endpoint.upload(NAME, source)
        assert names(here) == [], "the half file was taken away, so that the disk gets its room back"
        source.write_bytes(b"small")
        endpoint.upload(NAME, source)
        endpoint.close()


@pytest.mark.parametrize("error", [asyncssh.SFTPFailure("no space left"), asyncssh.SFTPQuotaExceeded("quota"), OSError(errno.EDQUOT, "quota")])
def test_T19_quota_at_the_server(keys: Keys, tmp_path: Path, document: Path, error: Exception) -> None:
    class Full(asyncssh.SFTPServer):
        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            super().write(file_obj, offset, data[:1000])
            raise error

    with pytest.raises(TryLater, match="full"):
        _delivered(keys, tmp_path, document, Full)
    assert names(tmp_path / "root") == []


def test_T19_a_server_without_the_right_to_write_is_for_a_person(keys: Keys, tmp_path: Path, document: Path) -> None:
    with openssh(tmp_path, keys, "internal-sftp -R") as served:
        endpoint = SftpEndpoint(served.address, str(tmp_path))
        assert endpoint.present("document")
        with pytest.raises(Refused, match="right to read, write"):
            endpoint.upload(NAME, document)
        endpoint.close()


# T22


def test_T22_a_file_that_was_not_collected_stays_when_the_next_run_sends(real: Served, here: Path, document: Path, tmp_path: Path) -> None:
    endpoint = SftpEndpoint(real.address, str(here))
    endpoint.upload("RUN_0001.dat", document)
    endpoint.publish("RUN_0001.dat", SHA256)
    second = tmp_path / "second"
    second.write_bytes(b"tomorrow")
    endpoint.upload("RUN_0002.dat", second)
    endpoint.publish("RUN_0002.dat", hashlib.sha256(b"tomorrow").hexdigest())
    endpoint.upload("RUN_0001.dat", second)
    with pytest.raises(Refused, match="other bytes"):
        endpoint.publish("RUN_0001.dat", hashlib.sha256(b"tomorrow").hexdigest())
    assert (here / "RUN_0001.dat").read_bytes() == DOCUMENT
    assert (here / "RUN_0002.dat").read_bytes() == b"tomorrow"
    endpoint.close()


# the folder's own crash points, and the cost of not using SFTP


@pytest.mark.parametrize("point", ["upload.written", "publish.linked", "publish.renamed"])
def test_F5_a_folder_delivery_stopped_at_each_crash_point_goes_on_to_one_file(here: Path, document: Path, point: str) -> None:
    class Stopped(BaseException):
        pass

    def stop(reached: str) -> None:
        if reached == point:
            raise Stopped

    done: set[str] = set()
    with pytest.raises(Stopped):
        deliver(FolderEndpoint(here, reached=stop), document, done)
    assert deliver(FolderEndpoint(here), document, done) is Proof.READ_BACK
    assert names(here) == [NAME]
    assert (here / NAME).read_bytes() == DOCUMENT


def test_a_file_system_without_hard_links_still_never_replaces(here: Path, document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    endpoint = FolderEndpoint(here)
    endpoint.upload(NAME, document)
    assert endpoint.publish(NAME, SHA256) is Proof.READ_BACK
    document.write_bytes(b"other")
    endpoint.upload(NAME, document)
    with pytest.raises(Refused, match="other bytes"):
        endpoint.publish(NAME, hashlib.sha256(b"other").hexdigest())
    assert (here / NAME).read_bytes() == DOCUMENT


def test_a_document_in_a_folder_is_readable_for_the_partner_as_the_umask_says(here: Path, document: Path) -> None:
    old = os.umask(0o027)
    try:
        FolderEndpoint(here).upload(NAME, document)
    finally:
        os.umask(old)
    assert (here / HIDDEN).stat().st_mode & 0o777 == 0o640


def test_the_sftp_library_is_only_imported_when_a_server_is_spoken_to() -> None:
    words = "import sys, bursarbridge.exchange.sftp, bursarbridge.exchange.folder, bursarbridge.exchange.vault; print('asyncssh' in sys.modules)"
    answer = os.popen(f'"{sys.executable}" -c "{words}"').read()
    assert answer.strip() == "False"


def test_an_address_says_nothing_secret(keys: Keys) -> None:
    address = keys.address(22)
    assert isinstance(address, SftpAddress)
    assert "PRIVATE" not in repr(address)
