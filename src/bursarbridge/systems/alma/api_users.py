"""Users and their blocks. There is no call for a block: the whole user is read, the list shortened and the whole put back (alma.md 3.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.ports.calls import Call
from bursarbridge.systems.alma.api import ROOT, segment
from bursarbridge.systems.alma.api_json import Node, node_in

_NUMBER = re.compile(r'"\\u0000(-?[0-9][0-9eE+.-]*)\\u0000"')
_NUL = re.compile(rb"\\u0000|\x00")


class Block(NamedTuple):
    """A block on a user: what keeps somebody from borrowing. The note is kept, for it may say which item it is for."""

    type: str
    """block_type: CASH, LOAN and so on; site data."""
    description: str
    """The code of block_description, as 05."""
    status: str
    note: str
    created_by: str
    created_at: str
    loan: str
    """item_loan_id, "" when the block came from no loan."""


class ApiUser(NamedTuple):
    """A user as Alma gave it, byte for byte, and what of it concerns us."""

    id: str
    blocks: tuple[Block, ...]
    raw: bytes


def user_call(user: str) -> Call:
    """The whole user, as it can be put back."""
    return Call("GET", f"{ROOT}/users/{segment(user)}", (("view", "full"),))


def put_call(user: str, raw: bytes) -> Call:
    """Puts a whole user back: every list in it replaces Alma's (alma.md 3.5)."""
    return Call("PUT", f"{ROOT}/users/{segment(user)}", (), raw)


def user_of(found: Node, raw: bytes) -> ApiUser:
    """A user. Raises Unreadable when it has no primary id or a block is no object."""
    return ApiUser(found.required("primary_id"), tuple(_block(one) for one in found.nodes("user_block")), raw)


def with_blocks(raw: bytes, remove: Callable[[Block], bool]) -> bytes:
    """The same user without the blocks that `remove` is true of; everything else means what it meant, numbers digit for digit.

    Raises Unreadable when the user cannot be written again for certain: a field twice, a NUL, not JSON.
    """
    if _NUL.search(raw):
        raise _unwritable("it holds a NUL")
    try:
        # Numbers travel as marked texts, so that none is ever read as a float and printed differently.
        found = json.loads(raw.decode("utf-8-sig"), parse_float=_marked, parse_int=_marked, parse_constant=_marked, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _unwritable("it is not JSON") from None
    if not isinstance(found, dict):
        raise _unwritable("it is no object")
    blocks = found.get("user_block")
    if blocks is not None:
        facts = [_block(one) for one in node_in(raw, "user").nodes("user_block")]
        found["user_block"] = [one for one, fact in zip(blocks, facts, strict=True) if not remove(fact)]
    return _NUMBER.sub(r"\1", json.dumps(found)).encode("ascii")


def _block(found: Node) -> Block:
    names = ("block_type", "block_description", "block_status", "block_note", "created_by", "created_date", "item_loan_id")
    return Block(*(found.text(name) for name in names))


def _marked(text: str) -> str:
    return f"\0{text}\0"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _unwritable("a field stands in it twice")
    return found


def _unwritable(words: str) -> Unreadable:
    return Unreadable("repeated_field", f"the user as Alma gave it cannot be put back: {words}; change the block in Alma by hand")
