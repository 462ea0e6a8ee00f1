"""A process at work: its post among the workers of a ledger, its engine, and the rounds it makes until it is told to stop."""

from __future__ import annotations

import gc
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from bursarbridge.errors import BridgeError, TryLater
from bursarbridge.jobs.engine import VERSION, Engine, Stopping
from bursarbridge.jobs.lock import Busy, only_one
from bursarbridge.jobs.takeover import LOOK_SECONDS, TakeOver
from bursarbridge.jobs.workers import Alone, Leased, Lost
from bursarbridge.store import opening, soundness
from bursarbridge.store.owners import RunOwners
from bursarbridge.wiring.epochs import keep_mark, require_open
from bursarbridge.wiring.recording import Recorded

if TYPE_CHECKING:
    from bursarbridge.wiring.bridge import Bridge

ROUND_SECONDS = 5
_AGAIN_SECONDS = 5
_SANDBOX_ROUND_SECONDS = 0.25
"""Where the campus's clock is a file ([campus] clock), days pass in seconds."""


@contextmanager
def engine_for_a_while(bridge: Bridge) -> Iterator[Engine]:
    """An engine for the length of the block, after what dead processes left is finished. Raises Busy on SQLite when another is at work."""
    opening.refuse_unsafe(bridge.ledger)
    soundness.refuse_damaged(bridge.ledger)
    if not gc.get_freeze_count():
        gc.freeze()  # what is loaded by now stays until the end: a long list need not have it looked through again and again
    if bridge.ledger.dialect.name == "sqlite":
        with only_one(bridge.ledger), _launched(bridge, Alone()) as engine:
            _finish(bridge, engine)
            yield engine
        return
    with _leased(bridge) as post, _launched(bridge, post) as engine:
        looks = TakeOver(post, engine.unfinished, engine.active, engine.resume)
        _finish(bridge, engine)
        looks.look()
        if looks.suspects():
            threading.Event().wait(LOOK_SECONDS)
            engine.finish(looks.look())
        yield engine


def _finish(bridge: Bridge, engine: Engine) -> None:
    for name in engine.finish_resumed():
        bridge.watch.log("run_resumed", run=name)
        keep_mark(bridge, name)


def work(bridge: Bridge, make_round: Callable[[], object], note: Callable[[str], None]) -> None:
    """Takes over what dead workers left and makes rounds until `bridge.stopping` is set; then ends after the step under way.

    A round that finds the flow busy, the database away or another system silent is no reason to end: the next one looks again.
    """
    opening.refuse_unsafe(bridge.ledger)
    soundness.refuse_damaged(bridge.ledger)
    stop = bridge.stopping
    while not stop.is_set():
        try:
            with _at_work(bridge, note):
                _rounds(bridge, make_round, note)
        except (TryLater, psycopg.Error, sa.exc.DBAPIError) as error:
            note(f"begins again: {_first_line(error)}")
            stop.wait(_AGAIN_SECONDS)
        except Stopping:
            return


def _rounds(bridge: Bridge, make_round: Callable[[], object], note: Callable[[str], None]) -> None:
    told, stop = "", bridge.stopping
    pause = _SANDBOX_ROUND_SECONDS if bridge.settings.campus.clock else ROUND_SECONDS
    while not stop.is_set():
        try:
            make_round()
            bridge.watch.beat()
            told = ""
        except Busy:
            pass
        except Lost:
            raise
        except BridgeError as error:
            told = _told_once(str(error), told, note)
        except (psycopg.OperationalError, sa.exc.OperationalError) as error:
            told = _told_once(f"the database does not answer: {_first_line(error)}", told, note)
        stop.wait(pause)
        if bridge.lost():
            raise Lost("another process has taken this worker's place; it takes a new one")


def _told_once(words: str, told: str, note: Callable[[str], None]) -> str:
    if words != told:
        note(words)
    return words


@contextmanager
def _at_work(bridge: Bridge, note: Callable[[str], None]) -> Iterator[None]:
    """On PostgreSQL an engine for as long as this process lives, and the look for what others left. On SQLite each round has its own,
    so that commands find their turn between the rounds."""
    if bridge.ledger.dialect.name == "sqlite":
        with suppress(Busy), engine_for_a_while(bridge):
            """What a dead process left is finished before the first round."""
        yield
        return
    with _leased(bridge) as post, _launched(bridge, post) as engine:
        ended = threading.Event()
        looks = TakeOver(post, engine.unfinished, engine.active, engine.resume)
        looking = threading.Thread(target=looks.keep_looking, args=(ended, lambda names: _tell(note, names)), name="takeover", daemon=True)
        looking.start()
        bridge.engine, bridge.lost = engine, post.lost.is_set
        try:
            note(f"at work as {post.slot}")
            yield
        finally:
            bridge.engine, bridge.lost = None, bool
            ended.set()
            looking.join()
            engine.settle()


def _tell(note: Callable[[str], None], names: list[str]) -> None:
    for name in names:
        note(f"goes on with {name}, which a dead worker left")


@contextmanager
def _leased(bridge: Bridge) -> Iterator[Leased]:
    post = Leased(bridge.ledger, VERSION)
    try:
        try:
            post.take()
        except psycopg.Error as error:
            raise TryLater(f"the ledger's database does not answer: {_first_line(error)}") from error
        yield post
    finally:
        post.give_back()


@contextmanager
def _launched(bridge: Bridge, post: Alone | Leased) -> Iterator[Engine]:
    require_open(bridge)
    bridge.slot = post.slot
    shutil.rmtree(bridge.scratch, ignore_errors=True)  # unfinished files of a killed process
    recording = partial(Recorded, reached=bridge.reached)
    engine = Engine(bridge.ledger, bridge.procedures(), at=post, owners=RunOwners(), recording=recording, stop=bridge.stopping)
    try:
        engine.launch()
        yield engine
    finally:
        engine.close()
        shutil.rmtree(bridge.scratch, ignore_errors=True)


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return (str(cause).strip().splitlines() or [type(error).__name__])[0]
