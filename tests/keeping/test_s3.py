"""The vault in a bucket, against a server that speaks S3: the promises of the folder, and what a store can do wrong."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bursarbridge.errors import Refused, TryLater
from bursarbridge.exchange.s3vault import S3Address, S3Vault
from bursarbridge.exchange.vault import FileVault
from bursarbridge.ports import Archive
from tests.cli.calls import answer, call
from tests.keeping.typed import DAY_1, DAY_2, charged, documents

BUCKET = "campus-vault"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A running server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str) -> Iterator[Any]:
    """An empty bucket."""
    s3 = boto3.resource("s3", endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
    made = s3.create_bucket(Bucket=BUCKET)
    yield made
    made.objects.all().delete()
    made.delete()


def vault_at(endpoint: str, cache: Path, bucket: str = BUCKET) -> S3Vault:
    """A vault of a machine of its own."""
    return S3Vault(S3Address(bucket, "exccd/", endpoint, "us-east-1", "k", "s"), FileVault(cache), cache)


def sample(tmp_path: Path, content: bytes = b"0012345,85.00\n") -> tuple[Path, str]:
    """A file and its hash."""
    path = tmp_path / "arrived"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_the_promises_of_an_archive(bucket: Any, endpoint: str, tmp_path: Path) -> None:
    vault: Archive = vault_at(endpoint, tmp_path / "one")
    source, sha256 = sample(tmp_path)
    assert not vault.has(sha256) and not vault.verify(sha256) and not vault.path(sha256).exists()
    assert vault.keep(source) == vault.keep(source) == sha256
    assert vault.has(sha256) and vault.verify(sha256) and source.exists() and list(vault.listed()) == [sha256]
    other: Archive = vault_at(endpoint, tmp_path / "two")
    assert other.path(sha256).read_bytes() == source.read_bytes(), "another machine reads what the first one kept"
    assert other.adopt(source) == sha256 and not source.exists()
    shutil.rmtree(tmp_path / "two")
    assert other.path(sha256).exists(), "the cache may be emptied"
    assert vault.noted("mark.json") == b"" and vault.notes("runs") == []
    vault.note("mark.json", b"one")
    vault.note("mark.json", b"two")
    vault.note("runs/0000-00000001.json", b"{}")
    assert other.noted("mark.json") == b"two" and other.notes("runs") == ["runs/0000-00000001.json"] and list(other.listed()) == [sha256]


def test_more_objects_than_one_page_are_listed(bucket: Any, endpoint: str, tmp_path: Path) -> None:
    vault = vault_at(endpoint, tmp_path / "one")
    hashes = {hashlib.sha256(str(n).encode()).hexdigest() for n in range(1005)}
    for sha256 in hashes:
        bucket.put_object(Key=f"exccd/objects/{sha256[:2]}/{sha256}", Body=b"")
    assert set(vault.listed()) == hashes


def test_what_the_store_damaged_is_never_used(bucket: Any, endpoint: str, tmp_path: Path) -> None:
    vault = vault_at(endpoint, tmp_path / "one")
    source, sha256 = sample(tmp_path)
    vault.keep(source)
    bucket.put_object(Key=f"exccd/objects/{sha256[:2]}/{sha256}", Body=b"0012345,58.00\n")
    assert not vault.verify(sha256)
    with pytest.raises(Refused, match="damaged"):
        vault_at(endpoint, tmp_path / "two").path(sha256)
    bucket.put_object(Key=f"exccd/objects/{sha256[:2]}/{sha256}", Body=b"short")
    with pytest.raises(Refused, match="damaged"):
        vault.keep(source)


def test_a_store_that_is_away_or_refuses(bucket: Any, endpoint: str, tmp_path: Path) -> None:
    source, sha256 = sample(tmp_path)
    with pytest.raises(TryLater, match="cannot be reached"):
        vault_at("http://127.0.0.1:9", tmp_path / "one").keep(source)
    with pytest.raises(Refused, match="NoSuchBucket"):
        list(vault_at(endpoint, tmp_path / "two", "nobodys-bucket").listed())
    with pytest.raises(Refused, match="not a SHA-256"):
        vault_at(endpoint, tmp_path / "three").path("../../etc/passwd")
    assert "s" not in repr(S3Address("b", "", "", "r", "key-id", "hush")).removeprefix("S3Address(s3://b/)") and sha256


def test_a_campus_lives_with_its_vault_in_a_bucket(bucket: Any, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_KEY_ID", "k")
    monkeypatch.setenv("VAULT_SECRET", "s")
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    settings = campus / "bursarbridge.toml"
    lines = settings.read_text().splitlines(keepends=True)
    door = f's3 = {{ endpoint = "{endpoint}", key_id = "env:VAULT_KEY_ID", secret = "env:VAULT_SECRET" }}\n'
    settings.write_text("".join(f'vault = "s3://{BUCKET}/exccd"\n{door}' if line.startswith("vault = ") else line for line in lines))
    charged(campus, "day-1", *DAY_1)
    assert answer("backup", store, "-C", campus)["vault"] == {"files": 2, "new": 2}
    charged(campus, "day-2", *DAY_2)
    before = documents(campus)
    shutil.rmtree(campus / "data")  # the machine is lost; the bucket and the partners are not
    assert answer("restore", store, "-C", campus)["vault_files"] == 0
    assert answer("reconcile", "--confirm", "--reason", "a test", "-C", campus)["documents"][-1]["state"] == "sent"
    answer("run", "library-charges", "-C", campus)
    assert documents(campus) == before and answer("files", "verify", "-C", campus)["damaged"] == []
