"""What an endpoint needs of a place: nine small acts. A folder and an SFTP server each do them; endpoint.py keeps the promises with them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from bursarbridge.errors import TryLater


class Gone(TryLater):
    """The file is not there (any more); whoever asks decides whether that is news or trouble."""


class Seen(NamedTuple):
    """One name in a place."""

    name: str
    size: int
    modified_at: datetime
    """UTC, by the place's clock."""
    plain: bool
    """A regular file; not a folder, link, socket or pipe."""


class Place(Protocol):
    """One folder somewhere. Names are relative to it and already checked; nothing follows a link in the last component.

    Every act raises TryLater when the place cannot be reached or is full, Refused when it does not exist or may not be used.
    """

    title: str
    """What messages call it: "/srv/alma/out" or "bursar@files.example.edu:22 /in"."""

    def scan(self) -> list[Seen]:
        """Everything in it, in any order."""
        ...

    def look(self, name: str) -> Seen | None:
        """What stands under a name; None only when the place itself is there and the name is not."""
        ...

    def read(self, name: str, sink: Callable[[bytes], object]) -> None:
        """Gives the file's bytes to `sink`, in order, to the end; raises Gone."""
        ...

    def write(self, name: str, source: Path) -> None:
        """Creates a new file with the source's bytes, durably; an existing file of that name is never written into."""
        ...

    def rename(self, old: str, new: str) -> str:
        """Gives a file another name without ever replacing one; "" or, when it did not say yes, why not. Look to know what happened."""
        ...

    def remove(self, name: str) -> None:
        """Takes a name away; absent is no error."""
        ...

    def make_folder(self, name: str) -> None:
        """Makes a folder in it unless there is one."""
        ...

    def close(self) -> None:
        """Lets go of what it holds; it may be used again after."""
        ...
