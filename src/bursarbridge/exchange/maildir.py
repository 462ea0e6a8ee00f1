"""A maildir on a disk we can reach: what a mail host delivers into, one file a mail."""

from pathlib import Path
from zoneinfo import ZoneInfo

from bursarbridge.errors import TryLater
from bursarbridge.exchange.endpoint import Clear, unwatched
from bursarbridge.exchange.folder import FolderPlace
from bursarbridge.exchange.letter import LetterRules
from bursarbridge.exchange.mailbox import Envelope, MailEndpoint
from bursarbridge.exchange.place import Gone, Seen

_LYING = ("new", "cur")


class MaildirEndpoint(MailEndpoint):
    """ports.Endpoint for a maildir, read only. Its mails go to the folders .done and .refused inside it, which mail programs show too."""

    def __init__(self, path: Path, rules: LetterRules, *, zone: ZoneInfo, clear: Clear = "move") -> None:
        super().__init__(lambda: Maildir(path), rules, zone=zone, clear=clear)


class Maildir:
    """mailbox.Letterbox for a maildir: `tmp` is never looked into, names before the colon last, and what a program marked as deleted is gone."""

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        self._path = path

    def look(self) -> list[Envelope]:
        return [Envelope(_key(seen), seen.size, seen.modified_at) for place in self._places() for seen in place.scan() if _lies(seen)]

    def read(self, envelope: Envelope) -> bytes:
        found = self._find(envelope)
        if found is None:
            raise Gone(f"{self.title}: a mail is not there any more. The next run looks again")
        place, name = found
        blocks: list[bytes] = []
        place.read(name, blocks.append)
        return b"".join(blocks)

    def put_aside(self, envelope: Envelope, folder: str) -> None:
        found = self._find(envelope)
        if found is None:
            return
        place, name = found
        for inner in ("", "/tmp", "/new", "/cur"):
            place.make_folder(f"../.{folder}{inner}")
        target = f"../.{folder}/cur/{envelope.id}:2,S"
        problem = place.rename(name, target)
        taken = place.look(target)
        if problem and taken is not None and taken.size == envelope.size:
            place.remove(name)  # a move that was cut between the new name and the old one: the name is one mail's for ever
        elif problem:
            raise TryLater(f"{self.title}: a mail could not be moved to .{folder} ({problem}). The next run tries again")

    def remove(self, envelope: Envelope) -> None:
        found = self._find(envelope)
        if found is not None:
            place, name = found
            place.remove(name)

    def close(self) -> None:
        pass

    def _places(self) -> list[FolderPlace]:
        return [FolderPlace(self._path / name, unwatched) for name in _LYING]

    def _find(self, envelope: Envelope) -> tuple[FolderPlace, str] | None:
        """Where the mail lies now: a program that shows it may have moved it from new to cur, or given it flags."""
        for place in self._places():
            for seen in place.scan():
                if _lies(seen) and _key(seen) == envelope.id:
                    return place, seen.name
        return None


def _key(seen: Seen) -> str:
    return seen.name.partition(":")[0]


def _lies(seen: Seen) -> bool:
    flags = seen.name.partition(":2,")[2]
    return seen.plain and not seen.name.startswith(".") and "T" not in flags and "D" not in flags
