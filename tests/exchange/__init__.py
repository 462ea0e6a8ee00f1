"""Tests of the exchange room; their names start with the row of reliability.md 2.1 they are for."""
