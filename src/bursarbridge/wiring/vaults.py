"""The vault of the settings, and where files lie that are not finished."""

from __future__ import annotations

from pathlib import Path

from bursarbridge.config.model import Settings
from bursarbridge.exchange.vault import FileVault
from bursarbridge.ports import Archive, Vault


def vault_of(settings: Settings) -> Archive:
    """Where every file that came or went is kept."""
    storage = settings.storage
    if isinstance(storage.vault, Path):
        return FileVault(storage.vault)
    from bursarbridge.exchange.s3vault import S3Address, S3Vault

    door, cache = storage.s3, _cache_of(settings)
    assert door is not None, "a bucket without a door is a fault of the settings"
    where = (storage.vault.name, storage.vault.prefix, door.endpoint, door.region)
    return S3Vault(S3Address(*where, door.key_id.value(), door.secret.value()), FileVault(cache), cache)


class Beside:
    """ports.Vault for those who only look: what they take in lies in a folder of its own, and what was kept before is read where it is."""

    def __init__(self, folder: Path, kept: Vault) -> None:
        self._own = FileVault(folder)
        self._kept = kept

    def keep(self, source: Path) -> str:
        """As FileVault, in the folder of its own."""
        return self._own.keep(source)

    def adopt(self, source: Path) -> str:
        """As FileVault, in the folder of its own."""
        return self._own.adopt(source)

    def path(self, sha256: str) -> Path:
        """Where the bytes of that hash are: its own first."""
        own = self._own.path(sha256)
        return own if own.is_file() else self._kept.path(sha256)


def scratch_of(settings: Settings) -> Path:
    """A folder on the disk of the vault or of its cache, for files that are on their way into it."""
    vault = settings.storage.vault
    return (vault if isinstance(vault, Path) else _cache_of(settings)).parent / "scratch"


def _cache_of(settings: Settings) -> Path:
    own = settings.storage.s3.cache if settings.storage.s3 else None
    return own or settings.file.parent / "data" / "vault-cache"
