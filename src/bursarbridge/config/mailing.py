"""Mail: its sections, the values they take, and the rules between them (ux.md 5 and 7)."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from bursarbridge.config import kinds, places
from bursarbridge.config.desk import Desk
from bursarbridge.config.faults import Flaw
from bursarbridge.config.nodes import Node
from bursarbridge.config.places import Secret
from bursarbridge.config.reader import optional, required

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_RELAY = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})", re.ASCII)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
BY_LIBRARY = "returned-but-still-charged"
"""The report that knows libraries."""


class HostPort(NamedTuple):
    """A relay's address."""

    host: str
    port: int


class MailFolder(NamedTuple):
    """A folder of this machine that keeps the mail, in place of a relay."""

    path: Path


def address(node: Node, desk: Desk) -> str:
    """A plain mail address, "circ@example.edu"."""
    value = kinds.text(node, desk)
    if not _ADDRESS.fullmatch(value) or ".." in value:
        raise Flaw("C053", f'"{value}" is not a mail address', 'one plain address without a name: "circ@example.edu"')
    return value


def sender(node: Node, desk: Desk) -> str:
    """A mail address with a name in front, or without."""
    value = kinds.text(node, desk)
    named = re.fullmatch(r"[^<>]*<([^<>]+)>", value)
    bare = named[1] if named else value
    if not _ADDRESS.fullmatch(bare) or not value.isprintable():
        raise Flaw("C053", f'{node.name} "{value}" holds no mail address', 'from = "Campus Bridge <bridge@example.edu>"')
    return value


def relay(node: Node, desk: Desk) -> HostPort | MailFolder:
    """A host's name or address, a colon, a port; or "folder:" and a folder that keeps the mail."""
    value = kinds.text(node, desk)
    if value.startswith("folder:") and value.removeprefix("folder:").strip():
        return MailFolder(desk.base / value.removeprefix("folder:").strip())
    match = _RELAY.fullmatch(value)
    if match is None or not 0 < int(match[2]) < 65_536:
        raise Flaw("C053", f'{node.name} "{value}" is not a host and a port', f'{node.name} = "smtp.example.edu:587"')
    return HostPort(match[1].strip("[]"), int(match[2]))


def by_library(node: Node, desk: Desk) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Addresses by the code of a campus library: one in quotes, or a list."""
    if node.kind != "table":
        raise Flaw("C005", f"{node.name} is not a table", f'{node.name} = {{ ARC = ["circ@example.edu"] }}')
    return tuple((code, _readers(one, desk)) for code, one in node.tables.items())


def _readers(node: Node, desk: Desk) -> tuple[str, ...]:
    return kinds.words(address, least=1)(node, desk) if node.kind == "list" else (address(node, desk),)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOut:
    """How mail leaves."""

    relay: HostPort | MailFolder = required(relay, example='"smtp.example.edu:587"')
    tls: str = optional(kinds.choice("starttls", "implicit", "none"), "starttls")
    user: str = optional(kinds.loose_text, "")
    password: Secret | None = optional(places.secret, None)
    cafile: Path | None = optional(places.path, None)
    sender: str = required(sender, name="from", example='"Campus Bridge <bridge@example.edu>"')
    allowed_domains: tuple[str, ...] = required(kinds.words(kinds.text, least=1), example='["example.edu"]')
    timeout: timedelta = optional(kinds.span(), timedelta(seconds=30))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMail:
    """Who gets a report, and how much it says."""

    name: str
    to: tuple[str, ...] = optional(kinds.words(address), ())
    to_by_library: tuple[tuple[str, tuple[str, ...]], ...] = optional(by_library, ())
    pii: str = optional(kinds.choice("none", "id", "id+initials", "full"), "id+initials")
    titles: str = optional(kinds.choice("never", "shown"), "never")
    attach: str = optional(kinds.choice("link", "csv"), "link")


def mail_rules(root: Node, desk: Desk) -> None:
    """Notes mail in the clear, reports that nobody gets, and student records that would leave the campus's own domains."""
    mail = root.at("mail")
    folder = mail.text("relay").startswith("folder:")
    relay = "" if folder else mail.text("relay").rpartition(":")[0]
    if mail.text("tls") == "none":
        if relay and relay not in _LOOPBACK:
            desk.at_value("C050", mail.at("tls"), f'tls = "none" to {relay}', 'tls = "starttls" (port 587) or "implicit" (port 465)')
        if "user" in mail.tables or "password" in mail.tables:
            desk.at_value("C050", mail.at("tls"), 'tls = "none" with a user or a password', "take user and password out, or use TLS")
    if bool(mail.text("user")) != ("password" in mail.tables) and "relay" in mail.tables:
        desk.at_key("C051", mail, "[mail] names a user or a password without the other", "give both, or neither")
    if folder and root.at("campus").text("environment") == "live":
        desk.at_value("C051", mail.at("relay"), "real reports would lie in a folder that nobody reads", 'relay = "smtp.example.edu:587"')
    domains = [domain.lower() for _node, domain in _texts(mail.at("allowed_domains"))]
    for name, report in root.at("reports").tables.items():
        _report(name, report, "relay" in mail.tables, domains, desk)


def _report(name: str, report: Node, can_leave: bool, domains: list[str], desk: Desk) -> None:
    by_code = [one for code in report.at("to_by_library").tables.values() for one in _texts(code)]
    readers = [*_texts(report.at("to")), *by_code]
    if not can_leave:
        desk.at_key(
            "C051", report, f"[reports.{name}] has readers, and there is no [mail]", "add a section [mail] with relay, from and allowed_domains"
        )
    if not readers and report.kind == "table":
        desk.at_key("C051", report, f"nobody gets [reports.{name}]", 'to = ["library@example.edu"]')
    if name != BY_LIBRARY and "to_by_library" in report.tables:
        desk.at_key("C051", report.at("to_by_library"), f"{name} is one report for all libraries", f"use to; only {BY_LIBRARY} is split by library")
    if report.text("pii") == "none" and (report.text("attach") or "link") == "link":
        return
    for node, reader in readers:
        if reader.rpartition("@")[2].lower() not in domains and domains:
            cure = 'add the domain to [mail] allowed_domains, or let the report say nothing about people: pii = "none" and attach = "link"'
            desk.at_value("C052", node, f'"{reader}" is outside the allowed domains', cure)


def _texts(node: Node) -> list[tuple[Node, str]]:
    """The texts of a list, of a single one, or of a list in an environment variable, each with where it stands."""
    if node.kind == "value" and isinstance(node.value, str):
        return [(node, text.strip(' "[]')) for text in node.value.split(",") if text]
    return [(row, row.value) for row in node.rows if isinstance(row.value, str)]
