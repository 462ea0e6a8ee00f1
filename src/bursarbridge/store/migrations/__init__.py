"""Numbered migrations of the ledger; opening.migrate runs them."""
