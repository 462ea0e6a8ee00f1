"""The vault: exact bytes, once, durably, for our eyes only."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bursarbridge.errors import Refused, TryLater
from bursarbridge.exchange.vault import FileVault, open_chunks
from bursarbridge.ports import Vault
from tests.servers import full_disk, small_disk

CONTENT = b"exact \x00\xff bytes\r\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


def kept(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name != ".lock")


def test_keep_takes_the_bytes_in_under_their_hash(tmp_path: Path, source: Path) -> None:
    port: Vault = FileVault(tmp_path / "vault")
    assert port.keep(source) == SHA256
    assert port.path(SHA256) == tmp_path / "vault" / SHA256[:2] / SHA256[2:4] / SHA256
    assert port.path(SHA256).read_bytes() == CONTENT
    assert source.read_bytes() == CONTENT


def test_T05_the_same_bytes_under_another_name_are_kept_once(tmp_path: Path, source: Path) -> None:
    vault, other = FileVault(tmp_path / "vault"), tmp_path / "other name"
    other.write_bytes(CONTENT)
    first = vault.keep(source)
    before = vault.path(first).stat()
    assert vault.keep(other) == vault.keep(source) == first
    assert vault.path(first).stat().st_mtime_ns == before.st_mtime_ns
    assert kept(tmp_path / "vault") == [vault.path(first)]


def test_only_our_user_can_look_in(tmp_path: Path, source: Path) -> None:
    vault = FileVault(tmp_path / "deep" / "vault")
    path = vault.path(vault.keep(source))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, tmp_path / "deep" / "vault"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_empty_and_large_files(tmp_path: Path) -> None:
    vault, source = FileVault(tmp_path / "vault"), tmp_path / "source"
    for content in (b"", os.urandom((3 << 20) + 17)):
        source.write_bytes(content)
        assert vault.keep(source) == hashlib.sha256(content).hexdigest()
        assert b"".join(open_chunks(vault.path(vault.keep(source)))) == content


def test_verify_reads_every_byte(tmp_path: Path, source: Path) -> None:
    vault = FileVault(tmp_path / "vault")
    assert not vault.verify(SHA256)
    path = vault.path(vault.keep(source))
    assert vault.verify(SHA256)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert not vault.verify(SHA256)


def test_a_damaged_copy_is_not_taken_for_the_real_one(tmp_path: Path, source: Path) -> None:
    vault = FileVault(tmp_path / "vault")
    path = vault.path(vault.keep(source))
    path.write_bytes(CONTENT[:100])
    with pytest.raises(Refused, match=f"damaged .100 bytes instead of {len(CONTENT)}"):
        vault.keep(source)
    assert kept(tmp_path / "vault") == [path]


@pytest.mark.parametrize("wrong", ["", "abc", SHA256.upper(), "../" * 21 + "x", SHA256 + "0", SHA256[:-1] + "\n"])
def test_a_hash_that_is_none_never_becomes_a_path(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(Refused, match="SHA-256"):
        FileVault(tmp_path).path(wrong)


def test_a_missing_source_is_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="missing"):
        FileVault(tmp_path / "vault").keep(tmp_path / "missing")
    assert kept(tmp_path / "vault") == []


def test_T19_a_full_disk_keeps_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(300_000))
    with small_disk(tmp_path / "small", 64) as mounted:
        if not mounted:
            full_disk(monkeypatch)
        vault = FileVault(tmp_path / "small")
        with pytest.raises(TryLater, match="full"):
            vault.keep(source)
        assert kept(tmp_path / "small") == []
        monkeypatch.undo()
        source.write_bytes(b"small")
        assert vault.verify(vault.keep(source))


def test_many_keepers_at_once_agree(tmp_path: Path, source: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(FileVault(tmp_path / "vault").keep(source))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [SHA256] * 8
    assert kept(tmp_path / "vault") == [FileVault(tmp_path / "vault").path(SHA256)]


def test_what_a_killed_process_left_is_swept_up(tmp_path: Path, source: Path) -> None:
    words = """
import os, signal, sys
from pathlib import Path
from bursarbridge.exchange import vault
vault.FileVault._place = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
vault.FileVault(Path(sys.argv[1])).keep(Path(sys.argv[2]))
"""
    subprocess.run([sys.executable, "-c", words, str(tmp_path / "vault"), str(source)], check=False)
    assert len(kept(tmp_path / "vault")) == 1
    vault = FileVault(tmp_path / "vault")
    assert kept(tmp_path / "vault") != [vault.path(vault.keep(source)), *kept(tmp_path / "vault")]
    assert kept(tmp_path / "vault") == [vault.path(SHA256)]
