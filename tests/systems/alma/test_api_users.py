"""Users and their blocks: one short read-modify-write that changes nothing else (alma.md 3.5)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.errors import Unreadable
from bursarbridge.systems.alma.api_errors import InDoubt
from bursarbridge.systems.alma.api_users import Block, with_blocks
from tests.alma_api import ADA, Library

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_characters="\0"), max_size=5), inner, max_size=3),
    max_leaves=8,
)


def ours(block: Block) -> bool:
    return block.note.startswith("bursarbridge")


def test_only_the_blocks_asked_for_go(alma: Library) -> None:
    desk = alma.door.circulation
    desk.block(ADA, "CASH", "05", "bursarbridge L1", "1291")
    desk.block(ADA, "USER", "02", "by hand")
    desk.enrol(ADA)["pin_number"] = "untouched"
    (gone,) = alma.api.unblock(ADA.value, ours)
    assert (gone.type, gone.description, gone.loan) == ("CASH", "05", "1291")
    assert desk.blocks(ADA) == ["02"] and desk.enrol(ADA)["pin_number"] == "untouched"
    assert alma.door.calls[-2:] == [f"GET users/{ADA.value}", f"PUT users/{ADA.value}"]
    assert alma.api.unblock(ADA.value, ours) == () and alma.called("PUT") == 1


@pytest.mark.parametrize("kind", ["lost", "error_after", "empty_after", "html_after", "slow"])
def test_p15_a_lost_answer_of_unblocking_is_looked_for(alma: Library, kind: str) -> None:
    alma.door.circulation.block(ADA, "CASH", "05", "bursarbridge L1")
    alma.door.release()
    alma.next(kind, on="PUT")
    assert len(alma.api.unblock(ADA.value, ours)) == 1
    assert alma.called("PUT") == 1 and alma.door.circulation.blocks(ADA) == []


def test_p15_unblocking_that_does_not_show_is_in_doubt(alma: Library) -> None:
    alma.door.circulation.block(ADA, "CASH", "05", "bursarbridge L1")
    alma.next("cut", on="PUT")
    with pytest.raises(InDoubt):
        alma.api.unblock(ADA.value, ours)
    assert alma.called("PUT") == 1
    assert len(alma.api.unblock(ADA.value, ours)) == 1


@given(st.dictionaries(st.text(st.characters(exclude_characters="\0"), max_size=6), ANYTHING, max_size=4))
def test_everything_else_of_a_user_keeps_its_meaning(rest: dict[str, object]) -> None:
    rest.pop("user_block", None)
    blocks = [{"block_type": {"value": "CASH"}, "block_note": "bursarbridge L1"}, {"block_type": {"value": "USER"}, "n": 1.10}]
    raw = json.dumps({**rest, "user_block": blocks}).encode()
    assert json.loads(with_blocks(raw, ours)) == {**rest, "user_block": blocks[1:]}


def test_numbers_keep_every_digit() -> None:
    raw = b'{"primary_id":"1","a":0.10,"b":1E+2,"c":12345678901234567890123,"d":"1","e":-0,"user_block":null}'
    assert (
        with_blocks(raw, ours).decode()
        == '{"primary_id": "1", "a": 0.10, "b": 1E+2, "c": 12345678901234567890123, "d": "1", "e": -0, "user_block": null}'
    )


@pytest.mark.parametrize("raw", [b'{"a":1,"a":2}', b'{"a":"\\u0000 1"}', b"[]", b"<user/>", b"", b'{"a":' * 100_000])
def test_a_user_that_cannot_be_written_again_is_not_put(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        with_blocks(raw, ours)
