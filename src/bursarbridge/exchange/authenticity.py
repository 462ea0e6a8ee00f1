"""Whether the campus's own mail host vouches for a sender: Authentication-Results (RFC 8601), read strictly."""

import re
from email.message import Message
from typing import NamedTuple

_RESULT = re.compile(r"\s*([a-z0-9-]+)(?:\s*/\s*[0-9]+)?\s*=\s*([a-z]+)((?:\s+[a-z.-][a-z0-9.-]*\s*=\s*\S+)*)\s*", re.ASCII | re.IGNORECASE)
_PROPERTY = re.compile(r"([a-z-]+\.[a-z0-9-]+)\s*=\s*(\S+)", re.ASCII | re.IGNORECASE)


class _Said(NamedTuple):
    """One result: "dkim", "pass" and what it is about."""

    method: str
    result: str
    about: dict[str, str]


def unproven(message: "Message[str, str]", domain: str, authserv: str) -> str:
    """Why the mail is not proven to come from the domain of its From address, in words; "" when it is.

    Only the topmost header of the campus's own mail host counts, as headers below it may have come with the mail; it has to
    say dmarc=pass for the domain, or dkim=pass by a signature of that very domain or one above it. A fail beside a pass is a fail.
    """
    for header in message.get_all("Authentication-Results", []):
        server, results = _read(str(header))
        if server.lower() == authserv.lower():
            return _judged(results, domain.lower())
    return f"{authserv} says nothing about who sent it"


def _judged(results: list[_Said], domain: str) -> str:
    dmarc = [one for one in results if one.method == "dmarc"]
    if dmarc:
        good = all(one.result == "pass" and one.about.get("header.from", domain).lower() == domain for one in dmarc)
        return "" if good else f"the mail host says dmarc={dmarc[0].result}: it does not come from {domain}"
    dkim = [one for one in results if one.method == "dkim"]
    if any(one.result == "pass" and _above(one.about.get("header.d", ""), domain) for one in dkim):
        return ""
    said = f"dkim={dkim[0].result}, and no signature of {domain}" if dkim else "neither dmarc nor dkim"
    return f"the mail host says {said}: nothing shows that it comes from {domain}"


def _above(signer: str, domain: str) -> bool:
    """Whether a signature of that domain speaks for an address of this one."""
    signer = signer.lower().strip(".")
    return "." in signer and (domain == signer or domain.endswith(f".{signer}"))


def _read(header: str) -> tuple[str, list[_Said]]:
    """The host's name and its results; one that is not written as the standard says counts as no result."""
    server, *parts = _plain(header).split(";")
    name = server.split()
    matches = [_RESULT.fullmatch(part) for part in parts]
    found = [
        _Said(match[1].lower(), match[2].lower(), {key.lower(): value for key, value in _PROPERTY.findall(match[3])}) for match in matches if match
    ]
    return (name[0] if name else ""), found


def _plain(header: str) -> str:
    """The header without comments and quoted strings: neither may say "dmarc=pass" (or hide a semicolon) for the host."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in header:
        if escaped:
            escaped = False
        elif letter == "\\" and (depth or quoted):
            escaped = True
        elif quoted:
            quoted = letter != '"'
        elif letter == '"' and not depth:
            quoted = True
            kept.append("_")
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
            kept.append(" ")
        elif not depth:
            kept.append(letter)
    return "" if depth or quoted else "".join(kept)
