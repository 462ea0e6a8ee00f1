"""Backups, restores, reconciliation, power cuts, and the vault in a store of objects."""
