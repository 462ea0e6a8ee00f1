"""Alma's webhook calls: the signature over the raw bytes, and what a call says (alma.md 4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bursarbridge.errors import Unreadable
from bursarbridge.ports.calls import Notice

_HEADER = b"x-exl-signature"
_COUNTER = "com.exlibris.external.bursar.report."
_TEXT_MAX = 200
"""No id or name of Alma's is as long; longer ones are cut, the body is kept whole."""


@dataclass(frozen=True, repr=False)
class AlmaListener:
    """Knows Alma's calls by any of several secrets, so that one can be changed for another without losing a call (P12)."""

    secrets: tuple[bytes, ...]

    def genuine(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        """Whether the one signature header fits these bytes; every secret is tried, each compared in constant time."""
        given = [value for name, value in headers if name.lower() == _HEADER]
        if len(given) != 1:
            return False
        fitting = [hmac.compare_digest(signature(secret, body), given[0].strip()) for secret in self.secrets]
        return any(fitting)

    def notice(self, body: bytes) -> Notice:
        """What a call says. Raises Unreadable when it is not JSON with an action (XML, for one)."""
        try:
            # Numbers stay as they are written: an id of twenty digits is no number.
            told = json.loads(body.decode("utf-8"), parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            raise Unreadable("webhook", "the call is not JSON; set the webhook's message type to JSON in Alma") from None
        if not isinstance(told, dict) or not _text(told, "action"):
            raise Unreadable("webhook", "the call is JSON without an action; it is none of Alma's that we know")
        return _notice(told)


def signature(secret: bytes, body: bytes) -> bytes:
    """Base64 of HMAC-SHA256 over the body's raw bytes, as the header carries it (alma.md 4.1)."""
    return base64.b64encode(hmac.digest(secret, body, hashlib.sha256))


def _notice(told: Mapping[str, object]) -> Notice:
    loan, job = _table(told, "item_loan"), _table(told, "job_instance")
    action = _text(told, "action").upper()  # older pages write job_end (alma.md 4.4)
    counted = _counters(job)
    return Notice(
        id=_text(told, "id"),
        institution=_coded(told, "institution"),
        event=_coded(told, "event") if action == "LOAN" else action,
        at=_text(told, "time"),
        loan=_text(loan, "loan_id"),
        user=_text(loan, "user_id"),
        item=_text(loan, "item_barcode"),
        job=_text(job, "id"),
        job_name=_text(job, "name"),
        job_state=_coded(job, "status"),
        job_ended_at=_text(job, "end_time"),
        fees=counted.get(f"{_COUNTER}fines_fees_count", -1),
        users=counted.get(f"{_COUNTER}user_count", -1),
    )


def _counters(job: Mapping[str, object]) -> dict[str, int]:
    listed = job.get("counter")
    found = {}
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and (value := _text(one, "value")).isdecimal() and value.isascii():
            found[_coded(one, "type")] = int(value)
    return found


def _table(told: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = told.get(key)
    return found if isinstance(found, dict) else {}


def _coded(told: Mapping[str, object], key: str) -> str:
    """A code: bare, or as {"value": code, "desc": words}."""
    inner = told.get(key)
    return _text(inner, "value") if isinstance(inner, dict) else _text(told, key)


def _text(told: Mapping[str, object], key: str) -> str:
    """A text that every database takes: no control characters, no half of a surrogate pair."""
    found = told.get(key)
    if not isinstance(found, str):
        return ""
    return "".join(one for one in found if one.isprintable())[:_TEXT_MAX]
