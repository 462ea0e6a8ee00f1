"""The promises of ports.Endpoint, written once for every kind of place.

How a document leaves (docs/exchange.md): upload under a hidden temporary name, publish by a rename that cannot replace, prove by
reading back. Whatever was cut in between, publish looks first and goes on from what stands there (reliability.md T15-T18).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal

from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.exchange import names
from bursarbridge.exchange.disk import durable, hashing
from bursarbridge.exchange.place import Gone, Place, Seen
from bursarbridge.ports import Proof, Waiting

Clear = Literal["move", "delete", "leave"]

_NUMBERS = 1000
"""How many files of one name may be put away before a person is asked."""


def unwatched(_: str) -> None:
    """The default for `reached`: nobody waits at the crash points."""


class PlaceEndpoint:
    """Keeps ports.Endpoint's promises at a place. Not safe for two threads at once; `close()` when done."""

    def __init__(self, open_place: Callable[[], Place], *, clear: Clear, done: str, reached: Callable[[str], None]) -> None:
        self.skipped: tuple[str, ...] = ()
        """Names that the last `waiting` left out because they are not safe to use; shown to a person, never opened."""
        self._open_place = open_place
        self._clear = clear
        self._done = done
        self._reached = reached
        self._fetched: dict[str, Waiting] = {}
        self._sent: dict[str, int] = {}
        """Bytes of each document this endpoint uploaded."""
        self._hidden: set[str] = set()
        """Of these, the ones it has not yet tried to rename."""

    def waiting(self, patterns: Sequence[str]) -> list[Waiting]:
        """Whole files whose name fits one of the shell patterns (case counts), sorted by name."""
        found = [seen for seen in self._place.scan() if seen.plain and names.finished(seen.name)]
        fitting = [seen for seen in found if any(fnmatchcase(seen.name, pattern) for pattern in patterns)]
        self.skipped = tuple(sorted(seen.name for seen in fitting if not names.safe(seen.name)))
        return sorted((_waiting(seen) for seen in fitting if names.safe(seen.name)), key=lambda waiting: waiting.name)

    def fetch(self, name: str, target: Path) -> Waiting:
        """Copies the file to `target`, which whoever keeps it makes durable; TryLater and no target when it changed or went away meanwhile (T03)."""
        names.require(name)
        before = self._plain(name)
        if before is None:
            raise Gone(f"{self._place.title}: {name} is not there any more. The next run looks again")
        copied = self._copy(name, target, before.size)
        after = self._place.look(name)
        if after != before or copied != before.size:
            target.unlink(missing_ok=True)
            raise self._unfinished(name, before.size, f"{copied} copied, {after.size if after else 'gone'} after")
        self._fetched[name] = _waiting(before)
        return _waiting(before)

    def clear(self, name: str) -> None:
        """Takes a read file away: into the done folder beside it under its name (name.2, .3 when taken), deleted, or left; absent is done.

        Raises TryLater when another file has taken the name since this endpoint fetched it: that one has not been read.
        """
        names.require(name)
        if self._clear == "leave":
            return
        seen = self._plain(name)
        if seen is None:
            return
        if _waiting(seen) != self._fetched.get(name, _waiting(seen)):
            raise TryLater(f"{self._place.title}: {name} was replaced since it was read. The new one stays and the next run reads it")
        if self._clear == "delete":
            self._place.remove(name)
        else:
            self._put_away(name)

    def upload(self, name: str, source: Path) -> None:
        """Puts the document under its hidden temporary name, whole and durable, and compares the size; again starts over.

        An old temporary file is removed, not truncated: after a cut rename it can be the same file as the published one (F5).
        """
        names.require(name)
        temporary = names.temporary(name)
        self._place.remove(temporary)
        self._place.write(temporary, source)
        seen, size = self._place.look(temporary), source.stat().st_size
        if seen is None or seen.size != size:
            self._place.remove(temporary)
            there = "nothing" if seen is None else f"{seen.size} bytes"
            raise Refused(
                f"{self._place.title}: {name} was sent with {size} bytes and the server has {there}. It was not published; "
                "ask whoever runs the server what changes files on arrival (text mode, a filter, a mover)"
            )
        self._sent[name] = size
        self._hidden.add(name)
        self._reached("upload.written")

    def publish(self, name: str, sha256: str) -> Proof:
        """Renames the uploaded document to its final name and proves it by its hash; resolves any cut by looking.

        Raises Refused when other bytes stand under the name: nothing is replaced, and the temporary file stays as evidence.
        """
        names.require(name)
        temporary = names.temporary(name)
        problem = ""
        if self._plain(name) is None:
            problem = self._rename(name, temporary)
        found, size = self._digest(name)
        if found is None:
            if self._place.look(temporary) is not None:
                raise TryLater(f"{self._place.title}: the server would not rename {temporary} to {name} ({problem}). The next run tries again")
            return Proof.TAKEN
        if found != sha256:
            raise self._conflict(name, size, sha256)
        self._place.remove(temporary)
        return Proof.READ_BACK

    def present(self, name: str) -> bool:
        """Whether a plain file of that final name stands there now."""
        names.require(name)
        seen = self._place.look(name)
        return seen is not None and seen.plain

    def close(self) -> None:
        """Lets go of the connection, if there is one; the endpoint may be used again after."""
        if "_place" in self.__dict__:
            self._place.close()

    @cached_property
    def _place(self) -> Place:
        return self._open_place()

    def _plain(self, name: str) -> Seen | None:
        seen = self._place.look(name)
        if seen is not None and not seen.plain:
            raise Refused(f"{self._place.title}: {name} is a folder or a link, not a file. It was not touched; ask whoever put it there")
        return seen

    def _copy(self, name: str, target: Path, size: int) -> int:
        """Copies the file; stops as soon as it is longer than it was, since a writer that is faster than we are has no end."""
        copied = 0
        target.unlink(missing_ok=True)
        with durable(target, synced=False) as write:

            def sink(block: bytes) -> None:
                nonlocal copied
                copied += len(block)
                if copied > size:
                    raise self._unfinished(name, size, "more came while it was copied")
                write(block)

            self._place.read(name, sink)
        return copied

    def _unfinished(self, name: str, size: int, then: str) -> TryLater:
        words = f"{name} was still being written ({size} bytes seen, {then}). Nothing was taken; the next run tries again"
        return TryLater(f"{self._place.title}: {words}")

    def _put_away(self, name: str) -> None:
        self._place.make_folder(self._done)
        for number in range(1, _NUMBERS):
            target = f"{self._done}/{names.numbered(name, number)}"
            if self._half_moved(name, target):
                self._place.remove(name)
                return
            if self._place.look(target) is None:
                problem = self._place.rename(name, target)
                if self._place.look(name) is None:
                    return
                raise TryLater(f"{self._place.title}: {name} could not be moved to {target} ({problem}). The next run tries again")
        raise Refused(f"{self._place.title}: {self._done}/ holds {_NUMBERS} files called {name}. Empty it")

    def _half_moved(self, name: str, target: str) -> bool:
        """Whether a move was cut after the new name was given and before the old one went (rename is link and unlink)."""
        old, new = self._place.look(name), self._place.look(target)
        if old is None or new is None or (old.size, old.modified_at) != (new.size, new.modified_at):
            return False
        return self._digest(name) == self._digest(target)

    def _rename(self, name: str, temporary: str) -> str:
        if self._place.look(temporary) is None:
            if name in self._hidden:
                raise Refused(
                    f"{self._place.title}: {temporary} was taken away before it got its final name, so {name} was never published. "
                    "Something there removes hidden or .part files; have that stopped, then send again"
                )
            return ""
        self._hidden.discard(name)
        problem = self._place.rename(temporary, name)
        self._reached("publish.renamed")
        return problem

    def _digest(self, name: str) -> tuple[str | None, int]:
        """The SHA-256 and size of what can be read under the name; (None, 0) when nothing is there."""
        if self._plain(name) is not None:
            with suppress(Gone), hashing() as digest:
                self._place.read(name, digest.update)
                return digest.sha256(), digest.size
        return None, 0

    def _conflict(self, name: str, size: int, sha256: str) -> BridgeError:
        ours = f"{self._sent[name]} bytes" if name in self._sent else f"SHA-256 {sha256[:16]}..."
        waits = f" and still waits hidden beside it as {names.temporary(name)}" if self._place.look(names.temporary(name)) else ""
        return Refused(
            f"{self._place.title}: {name} holds other bytes than ours: {size} bytes stand there, ours has {ours}{waits}. Nothing was replaced; "
            "compare the two and ask whoever runs the server whether it changes files or whether the name was used before"
        )


def _waiting(seen: Seen) -> Waiting:
    return Waiting(seen.name, seen.size, seen.modified_at)
