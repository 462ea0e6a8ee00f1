"""The three errors of the bridge, named for who acts next. Anything else that is raised is our own mistake."""


class BridgeError(Exception):
    """Base of the three; its text is a sentence a person can act on."""


class TryLater(BridgeError):
    """The worker acts next: nothing is wrong that time cannot cure (a lost connection, a file still being written)."""


class Unreadable(BridgeError):
    """Suspense acts next: this record, or this whole file, cannot be read as what it should be.

    `code` is the short lasting name of the reason; `where` is the place in the file, in words ("line 12, field amount").
    """

    def __init__(self, code: str, words: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {words}" if where else words)
        self.code = code
        self.words = words
        self.where = where


class Refused(BridgeError):
    """A person acts next: going on would be wrong or cannot be undone (a changed host key, a name already taken)."""
