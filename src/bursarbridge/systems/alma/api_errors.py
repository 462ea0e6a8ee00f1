"""What an answer of Alma's API is: a value, a refusal, or a trouble that time can cure (alma.md 3.4). Told by what stands in it."""

import re

from bursarbridge.errors import Refused, TryLater, Unreadable
from bursarbridge.ports.calls import Reply
from bursarbridge.systems.alma.api_json import Node, node_in

_OLD = re.compile(r"<(?:\w+:)?(errorCode|errorMessage)>([^<]{0,2000})<")
_NUMBERS = re.compile(r"[0-9]{5,}")
_FINE_NOT_FOUND = "401665"


class Throttled(TryLater):
    """Too many calls in this second: turned away at the gate, nothing was done."""


class Broken(TryLater):
    """An answer that says nothing about what was done: a server's error, a page instead of JSON, silence."""


class Exhausted(TryLater):
    """No more calls for now: the day's are used up, the rest of them is kept for what matters more, or Alma does not answer at all."""


class InDoubt(TryLater):
    """We asked for a change and cannot see whether it was made. Look again later, and not before a while has passed; never ask blindly."""


class Declined(Refused):
    """Alma said no, in its own words; `code` is its error code, "" when it gave none, and `status` the answer's."""

    def __init__(self, words: str, *, code: str = "", status: int = 400, closed: bool = False) -> None:
        super().__init__(words)
        self.code = code
        self.status = status
        self.closed = closed
        """Whether the fee may be closed or gone, so that it is to be looked for among the closed ones."""


def value_of(reply: Reply, where: str) -> Node:
    """The object a call returned. Raises Throttled, Exhausted, Broken or Declined.

    Everything but success is status 400 in Alma, old errors come as XML where JSON was asked, and a gateway answers with HTML:
    so the body is looked at first (alma.md 3.4).
    """
    if reply.status == 204:
        return Node({}, where)
    try:
        found = node_in(reply.body, where)
    except ValueError:
        raise _strange(reply, where) from None
    if 200 <= reply.status < 300 and not found.flag("errorsExist"):
        return found
    code, message = _said(found)
    raise _error(reply.status, code, message, where)


def _strange(reply: Reply, where: str) -> TryLater | Declined:
    text = reply.body[:20_000].decode("utf-8", "replace")
    said = {name: words.strip() for name, words in reversed(_OLD.findall(text))}
    if said or reply.status in (401, 403, 429):
        return _error(reply.status, said.get("errorCode", ""), said.get("errorMessage", "") or ("" if said else text[:200]), where)
    if 300 <= reply.status < 400:
        return Declined(f"{where}: Alma sends us on to another address, which is never followed here", status=reply.status)
    form = "nothing" if not text.strip() else "a page" if "<html" in text.lower() or "<!doctype" in text.lower() else "something that is not JSON"
    return Broken(f"{where}: Alma answered {reply.status} with {form}")


def _said(found: Node) -> tuple[str, str]:
    try:
        for one in found.node("errorList").nodes("error"):
            return one.text("errorCode"), one.text("errorMessage")
        # The gateway's own form, before Alma is reached.
        return found.text("errorCode"), found.text("errorMessage")
    except Unreadable:
        return "", ""


def _error(status: int, code: str, message: str, where: str) -> TryLater | Declined:
    # A number this long may be a person's id or a barcode, and errors are read and kept (architecture.md, section 6.11).
    told = _NUMBERS.sub("#", " ".join(message.split())[:200]) or "no reason given"
    words = f"{where}: Alma says {told}" + (f" (code {code})" if code else "")
    if status == 429:
        if "PER_SECOND" in f"{code} {message}".upper():
            return Throttled(f"{where}: too many calls in one second")
        return Exhausted(f"{where}: the calls of this day are used up, by all who call this Alma. They begin anew at midnight")
    if status >= 500:
        return Broken(words)
    if status in (401, 403) or code.upper() in ("UNAUTHORIZED", "FORBIDDEN"):
        return Declined(f"{words}. The key is wrong, or may not do this: see the key in Ex Libris' Developer Network", code=code, status=status)
    closed = code == _FINE_NOT_FOUND or "closed fees" in message.lower()
    return Declined(f"{words}. Nothing was changed by this call; look the fee or person up in Alma", code=code, status=status, closed=closed)
