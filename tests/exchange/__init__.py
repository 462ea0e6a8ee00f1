"""Tests of the exchange room; their names start with the row of reliability.md 2.1 they are for."""

import hashlib

DOCUMENT = b"H 1 12.50\nD 1 12.50\n" * 4000
SHA256 = hashlib.sha256(DOCUMENT).hexdigest()
NAME = "LIBRARY_20260105_0001.dat"
HIDDEN = f".{NAME}.part"
