"""The vault in a store of objects that speaks S3: the same promises as the folder, shared by any number of machines."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bursarbridge.errors import Refused, TryLater
from bursarbridge.exchange.disk import BLOCK_BYTES, durable, hashing
from bursarbridge.exchange.names import require
from bursarbridge.exchange.vault import FileVault

_ABSENT: Final = ("404", "NoSuchKey", "NotFound")
_PASSING: Final = ("500", "502", "503", "504", "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "RequestTimeTooSkewed")


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where a bucket is and how its door opens; its repr shows no secret."""

    bucket: str
    prefix: str
    """Begins every object's name; "" for none, else it ends with "/"."""
    endpoint: str
    """"https://host", or "" for AWS itself."""
    region: str
    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"S3Address(s3://{self.bucket}/{self.prefix})"


class S3Vault:
    """ports.Archive in a bucket. A file is kept once the store has acknowledged its bytes with their SHA-256.

    `cache` is a folder of this machine for the files at hand; it may be emptied at any time, and what is read from it was verified.
    Raises TryLater when the store cannot be reached, Refused when it will not have us or what it holds is damaged.
    """

    def __init__(self, address: S3Address, cache: FileVault, cache_folder: Path) -> None:
        self._address = address
        self._cache = cache
        self._folder = cache_folder

    def keep(self, source: Path) -> str:
        """Takes the file's bytes in and returns their SHA-256 in hex once the store has them; again is no error."""
        return self._up(self._cache.keep(source))

    def adopt(self, source: Path) -> str:
        """The same for a file that is ours alone: `source` is gone afterwards."""
        return self._up(self._cache.adopt(source))

    def path(self, sha256: str) -> Path:
        """A file of this machine with the bytes of that hash, fetched and verified when it is not at hand; absent when the store has none."""
        path = self._cache.path(sha256)
        if not path.exists():
            self._down(sha256)
        return path

    def verify(self, sha256: str) -> bool:
        """Whether the store's own bytes are there and still have that hash; reads them all."""
        found = ""
        with hashing() as digest, self._asking(sha256):
            for block in self._blocks(sha256):
                digest.update(block)
            found = digest.sha256()
        return found == sha256

    def has(self, sha256: str) -> bool:
        """Whether the store has an object of that hash."""
        return self._size(self._name(sha256)) is not None

    def listed(self) -> Iterator[str]:
        """The hash of everything in the bucket under our prefix."""
        for name in self._names(f"{self._address.prefix}objects/"):
            yield name.rpartition("/")[2]

    def note(self, name: str, content: bytes) -> None:
        """Replaces a note; the store shows it whole or not at all."""
        with self._asking(name):
            self._client.put_object(Bucket=self._address.bucket, Key=self._note(name), Body=content, ChecksumAlgorithm="SHA256")

    def noted(self, name: str) -> bytes:
        """What a note says; b"" when there is none."""
        with self._asking(name) as found:
            reply = self._client.get_object(Bucket=self._address.bucket, Key=self._note(name))
            found.append(bytes(reply["Body"].read()))
        return found[0] if found else b""

    def notes(self, folder: str) -> list[str]:
        """The names of the notes in a folder of them, sorted."""
        start = len(f"{self._address.prefix}notes/")
        return sorted(name[start:] for name in self._names(f"{self._note(folder)}/"))

    def _up(self, sha256: str) -> str:
        path, name = self._cache.path(sha256), self._name(sha256)
        there, size = self._size(name), path.stat().st_size
        if there is not None:
            if there != size:
                words = f"the kept object is damaged ({there} bytes instead of {size}); move it aside in the store, then run again"
                raise Refused(f"s3://{self._address.bucket}/{name}: {words}")
            return sha256
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with self._asking(name), path.open("rb") as body:
            self._client.put_object(Bucket=self._address.bucket, Key=name, Body=body, ContentLength=size, ChecksumSHA256=checksum)
        return sha256

    def _down(self, sha256: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / f".{sha256}.part"
        target.unlink(missing_ok=True)
        with self._asking(sha256) as found, durable(target) as write:
            for block in self._blocks(sha256):
                write(block)
            found.append(b"")
        if not found:
            target.unlink(missing_ok=True)
            return
        came = self._cache.adopt(target)
        if came != sha256:
            raise Refused(f"s3://{self._address.bucket}/{self._name(sha256)}: the kept object is damaged, its bytes have the hash {came[:16]}...")

    def _blocks(self, sha256: str) -> Iterator[bytes]:
        reply = self._client.get_object(Bucket=self._address.bucket, Key=self._name(sha256))
        yield from reply["Body"].iter_chunks(BLOCK_BYTES)

    def _size(self, name: str) -> int | None:
        size = 0
        with self._asking(name) as found:
            size = int(self._client.head_object(Bucket=self._address.bucket, Key=name)["ContentLength"])
            found.append(b"")
        return size if found else None

    def _names(self, prefix: str) -> Iterator[str]:
        with self._asking(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._address.bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    yield str(entry["Key"])

    def _name(self, sha256: str) -> str:
        self._cache.path(sha256)  # a hash in the right form, or Refused
        return f"{self._address.prefix}objects/{sha256[:2]}/{sha256}"

    def _note(self, name: str) -> str:
        for word in name.split("/"):
            require(word)
        return f"{self._address.prefix}notes/{name}"

    @contextmanager
    def _asking(self, name: str) -> Iterator[list[bytes]]:
        """Turns the store's troubles into ours; what is not there leaves the list empty."""
        self._client  # noqa: B018 - says in our words when the library is missing
        from botocore.exceptions import BotoCoreError, ClientError

        where = f"s3://{self._address.bucket}/{name}"
        try:
            yield []
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _ABSENT:
                return
            if code in _PASSING:
                raise TryLater(f"{where}: the store says {code}. The next run tries again") from error
            words = "Check bucket, endpoint, key id and secret in [storage.s3], and what that key may do"
            raise Refused(f"{where}: the store refuses ({code}). {words}") from error
        except BotoCoreError as error:
            raise TryLater(f"{where}: the store cannot be reached ({type(error).__name__}). The next run tries again") from error

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3  # heavy, and only for those whose vault is in a bucket
            from botocore.config import Config
        except ImportError as error:
            raise Refused("the vault is in a bucket, and the library for it is not installed: pip install 'bursarbridge[s3]'") from error
        style = {"addressing_style": "path" if self._address.endpoint else "auto"}
        config = Config(signature_version="s3v4", s3=style, retries={"mode": "standard", "max_attempts": 4}, connect_timeout=10, read_timeout=60)
        session = boto3.session.Session(self._address.key_id, self._address.secret, region_name=self._address.region)
        return session.client("s3", endpoint_url=self._address.endpoint or None, config=config)
