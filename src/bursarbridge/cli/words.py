"""How people read instants, days and counts: the same words on the screen and in mail (ledger.words)."""

from bursarbridge.ledger.words import clock, count, day, moment

__all__ = ["clock", "count", "day", "moment"]
