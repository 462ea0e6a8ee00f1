"""The vault of the settings, and where files lie that are not finished."""

from __future__ import annotations

from pathlib import Path

from bursarbridge.config.model import Settings
from bursarbridge.exchange.vault import FileVault
from bursarbridge.ports import Archive


def vault_of(settings: Settings) -> Archive:
    """Where every file that came or went is kept."""
    return FileVault(settings.storage.vault)


def scratch_of(settings: Settings) -> Path:
    """A folder on the disk of the vault, for files that are on their way into it."""
    return settings.storage.vault.parent / "scratch"
