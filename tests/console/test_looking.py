"""Looking: one look at a time, kept for a while, and nobody waits for one that hangs."""

import asyncio
import threading

from bursarbridge.console.looking import Looking


def test_many_who_ask_at_once_cost_one_look_and_an_old_one_is_made_anew() -> None:
    looks, seconds = [0], [0.0]

    def look() -> int:
        looks[0] += 1
        return looks[0]

    async def asked() -> list[int | None]:
        looking = Looking(look, 10, 5, lambda: seconds[0])
        first = list(await asyncio.gather(*(looking.newest() for _ in range(50))))
        seconds[0] = 9.0
        first.append(await looking.newest())
        seconds[0] = 11.0
        first.append(await looking.newest())
        return first

    assert asyncio.run(asked()) == [1] * 51 + [2]


def test_a_look_that_hangs_holds_nobody_and_is_not_begun_twice() -> None:
    gate, begun = threading.Event(), [0]

    def look() -> int:
        begun[0] += 1
        gate.wait(20)
        return begun[0]

    async def asked() -> list[int | None]:
        looking = Looking(look, 0, 0.05, lambda: 0.0)
        found = [await looking.newest(), await looking.newest()]
        gate.set()
        while (one := await looking.newest()) is None:
            pass
        return [*found, one]

    assert asyncio.run(asked())[:2] == [None, None] and begun[0] <= 2


def test_a_look_that_fails_is_followed_by_the_next() -> None:
    turns = iter((ValueError("no"), 7))

    def look() -> int:
        found = next(turns)
        if isinstance(found, Exception):
            raise found
        return found

    async def asked() -> list[int | None]:
        looking = Looking(look, 0, 5, lambda: 0.0)
        return [await looking.newest(), await looking.newest()]

    silent, threading.excepthook = threading.excepthook, lambda _told: None
    try:
        assert asyncio.run(asked()) == [None, 7]
    finally:
        threading.excepthook = silent
