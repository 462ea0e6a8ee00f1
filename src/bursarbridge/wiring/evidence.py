"""Gathering evidence after a restore: what the vault, its logs and the partners' folders show. Looks and copies, never changes anything there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from bursarbridge.assembly.evidence import AWAY, Shelf, channels_of, flow_of, folders_of, owners_of, patterns_of, shelves_of
from bursarbridge.assembly.hold_evidence import HoldShelf, hold_shelves, known_by, list_channels
from bursarbridge.assembly.holds import hold_destination
from bursarbridge.assembly.names import BURSAR, PlaceOf, office_of
from bursarbridge.config.model import Settings
from bursarbridge.errors import Refused, TryLater
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.flows.again import Input
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.evidence import Evidence, Owner
from bursarbridge.flows.holds import drawn_at
from bursarbridge.flows.preview import ReadOnly, Silent
from bursarbridge.flows.run import utc_text
from bursarbridge.ledger.found import FoundDocument, FoundHold, FoundLine
from bursarbridge.ports import Archive, Endpoint, Waiting
from bursarbridge.store.epochs import Mark
from bursarbridge.store.found import Known
from bursarbridge.store.hold_batches import ADDED, RELEASED
from bursarbridge.store.runlog import Log, LoggedBatch, LoggedDelivery

_UNPROVEN = ("OPEN", "SEALED", "IN_DOUBT")


@dataclass(frozen=True)
class Gathering:
    """One search for evidence: where to look, and what is known already."""

    settings: Settings
    vault: Archive
    scratch: Path
    place: PlaceOf
    known: Known
    logs: tuple[Log, ...]
    mark: Mark
    documents: Path | None
    """A folder with copies that people got from partners."""
    shelves: list[Shelf] = field(default_factory=list)
    holds: list[HoldShelf] = field(default_factory=list)


def gather(search: Gathering) -> Evidence:
    """Everything outside of the ledger that says what happened. Raises TryLater when a place cannot be reached: half of it is no evidence."""
    holds = hold_shelves(search.settings)
    search = replace(search, shelves=[*shelves_of(search.settings), *(one.shelf for one in holds)], holds=holds)
    documents: dict[str, FoundDocument] = {}
    for batch in (one for log in search.logs for one in log.batches):
        documents[batch.document] = _logged(search, batch)
    for found in _standing(search):
        before = documents.get(found.name, found)
        documents[found.name] = found._replace(made_at=min(before.made_at, found.made_at), told=before.told)
    highest = max([search.mark.batch, *(one.sequence for one in documents.values())])
    return Evidence(
        documents=tuple(documents.values()),
        inputs=tuple(_inputs(search)),
        mails=tuple(mail for log in search.logs for mail in log.mails),
        lines=lambda document: _lines(search, document),
        traced=lambda name: _traced(search, name),
        owners=owners_of(search.settings),
        expected_after=_expected(search.settings),
        highest=(highest, search.mark.obligation),
        told_destinations=frozenset(source.name for source in search.settings.libraries if source.payments_by == "api"),
        holds=lambda document: _holds(search, document),
        holder=lambda document: _holder(search, document),
        known_until=_known_until(search, documents.values()),
        zone=search.settings.campus.timezone,
    )


def _logged(search: Gathering, batch: LoggedBatch) -> FoundDocument:
    """A document that the vault's log of a run names."""
    kept = batch.sha256 if search.vault.has(batch.sha256) else ""
    size = search.vault.path(kept).stat().st_size if kept else 0
    left = batch.state not in _UNPROVEN
    where = f"by the vault's log it {'left' if left else 'was sealed'} on {batch.sent_at or batch.sealed_at}"
    made_at = batch.sealed_at or batch.sent_at
    told = batch.proof == "told"
    return FoundDocument(batch.document, batch.id, batch.destination, batch.flow, batch.kind, made_at, left, told, kept, size, where)


def _standing(search: Gathering) -> Iterator[FoundDocument]:
    """Documents of ours that stand at a partner's place or in a folder beside it, or in the folder that a person names."""
    for shelf in search.shelves:
        for folder in (shelf.folder, *(f"{shelf.folder}/{one}" for one in AWAY)):
            endpoint = search.place(shelf.connection, folder, "leave")
            for seen in _waiting(endpoint, (shelf.pattern,), sure=folder == shelf.folder):
                yield from _taken(search, shelf, endpoint, seen, f"it stands in {shelf.connection}, {folder}")
        if search.documents is not None:
            endpoint = ReadOnly(FolderEndpoint(search.documents, clear="leave"))
            for seen in _waiting(endpoint, (shelf.pattern,), sure=True):
                yield from _taken(search, shelf, endpoint, seen, "a copy of it was given")


def _taken(search: Gathering, shelf: Shelf, endpoint: Endpoint, seen: Waiting, where: str) -> Iterator[FoundDocument]:
    told = shelf.sequence_in(seen.name)
    if told is None or seen.name in search.known.documents:
        return
    sha256 = _fetched(search, endpoint, seen)
    sequence, kind = told
    made_at = utc_text(seen.modified_at)
    flow = shelf.flow or flow_of(search.settings, kind)
    yield FoundDocument(seen.name, sequence, shelf.destination, flow, kind, made_at, True, False, sha256, seen.size, where)


def _waiting(endpoint: Endpoint, patterns: Iterable[str], *, sure: bool) -> list[Waiting]:
    """What lies in a folder; one that only might be there may be absent."""
    try:
        return endpoint.waiting(tuple(patterns))
    except Refused:
        if sure:
            raise
        return []


def _fetched(search: Gathering, endpoint: Endpoint, seen: Waiting) -> str:
    search.scratch.mkdir(parents=True, exist_ok=True)
    target = search.scratch / "evidence"
    endpoint.fetch(seen.name, target)
    return search.vault.adopt(target)


def _lines(search: Gathering, document: FoundDocument) -> tuple[FoundDocument, list[FoundLine]]:
    """A document with its lines, by the shelf whose name fits and whose layout reads it."""
    for shelf in search.shelves:
        if shelf.lines is None or shelf.destination != document.destination or shelf.sequence_in(document.name) is None:
            continue
        try:
            kind, lines = shelf.lines(search.vault.path(document.sha256))
        except Refused:
            continue
        return document._replace(kind=kind, flow=shelf.flow or flow_of(search.settings, kind, lines[0].source if lines else "")), lines
    return document, []


def _traced(search: Gathering, name: str) -> FoundDocument | None:
    plain = Path(name.replace("\\", "/")).name
    for shelf in search.shelves:
        found = shelf.sequence_in(plain)
        if found is not None:
            whole = plain if "." in plain else f"{plain}.{shelf.pattern.rpartition('.')[2]}"
            at, flow = search.known.last_at, shelf.flow or flow_of(search.settings, found[1])
            return FoundDocument(whole, found[0], shelf.destination, flow, found[1], at, True, False, "", 0, "")
    return None


def _fitting(search: Gathering, document: FoundDocument) -> Iterator[HoldShelf]:
    """The kinds of hold file that a document can be: where flow or kind are known, by them; and by its name."""
    for one in search.holds:
        shelf = one.shelf
        told = document.flow.removesuffix("-full") in (shelf.flow, "") and document.kind == shelf.kind
        if told and shelf.destination == document.destination and shelf.sequence_in(document.name) is not None:
            yield one


def _holder(search: Gathering, document: FoundDocument) -> Owner | None:
    return next((one.owner for one in _fitting(search, document)), None)


def _holds(search: Gathering, document: FoundDocument) -> tuple[Owner | None, list[FoundHold]]:
    """Whose hold file it is, with its lines: two sources may use one name, but not one prefix."""
    for one in _fitting(search, document):
        rows = one.lines(search.vault.path(document.sha256))
        if rows is not None:
            return one.owner, rows
    return None, []


def _known_until(search: Gathering, documents: Iterable[FoundDocument]) -> dict[str, str]:
    """Of every hold file, the time of the newest statement that its run can have known: that of the newest logged one, or when it was made."""
    logged = {batch.document for log in search.logs for batch in log.batches}
    channels = known_by(search.settings, search.place)
    found = {}
    for document in documents:
        owner = _holder(search, document)
        if owner is None:
            continue
        zones = dict(channels[owner.name])
        heard = [drawn_at(one.as_of, zones[one.channel]) for log in search.logs for one in log.deliveries if one.channel in zones]
        found[document.name] = max(heard, default="") if document.name in logged else document.made_at
    return found


def _inputs(search: Gathering) -> Iterator[Input]:
    """Files that were read after the backup, by the vault's logs and by the folders where read files are put away."""
    folders = folders_of(search.settings)
    channels = [(*one, folders[one[0].name], True) for one in channels_of(search.settings, search.place, lambda _source: Silent())]
    # A list that still lies in its folder is read by the next run, whose guards look at it; it changes nothing that left.
    lists = [(one, office.name, False, (office.connection, folder), False) for one, office, folder in list_channels(search.settings, search.place)]
    logged = {(one.channel, one.sha256): one for log in search.logs for one in log.deliveries}
    seen: set[tuple[str, str]] = set()
    for channel, owner, answers, where, standing in [*channels, *lists]:
        for one in _put_away(search, channel, *where, standing=standing):
            found = replace(one, owner=owner, answers=answers)
            key = (channel.name, found.path.name)
            log = logged.get(key)
            if key not in seen:
                yield found if log is None else replace(found, at=log.arrived_at)
            seen.add(key)
        for key, delivery in logged.items():
            if delivery.channel == channel.name and key not in seen and search.vault.has(delivery.sha256):
                seen.add(key)
                yield replace(_kept(search, channel, delivery), owner=owner, answers=answers)


def _put_away(search: Gathering, channel: Channel, connection: str, folder: str, *, standing: bool) -> Iterator[Input]:
    for place, sure in (*(((folder, True),) if standing else ()), (f"{folder}/done", False)):
        endpoint = search.place(connection, place, "leave")
        for one in _waiting(endpoint, patterns_of(channel), sure=sure):
            name = _name(channel, one.name)
            read_before = (channel.name, name) in search.known.names and utc_text(one.modified_at) < search.known.last_at
            if read_before or any(fnmatchcase(name, pattern) for pattern in channel.excluded):
                continue
            sha256 = _unless_moving(search, endpoint, one)
            if sha256:
                yield Input(channel, name, search.vault.path(sha256), one.modified_at, utc_text(one.modified_at))


def _unless_moving(search: Gathering, endpoint: Endpoint, seen: Waiting) -> str:
    """The hash of a file that stands still; "" for one that is still being written, which no run has read."""
    try:
        return _fetched(search, endpoint, seen)
    except TryLater:
        if seen in endpoint.waiting((seen.name,)):
            raise
        return ""


def _name(channel: Channel, name: str) -> str:
    """The name under which a file arrived, where it was numbered when it was put away."""
    stem, _dot, number = name.rpartition(".")
    return stem if number.isdecimal() and any(fnmatchcase(stem, one) for one in channel.patterns) else name


def _kept(search: Gathering, channel: Channel, delivery: LoggedDelivery) -> Input:
    """A file that only the vault still has; its own time is what the log says."""
    modified_at = datetime.strptime(delivery.as_of, "%Y%m%d%H%M%S").replace(tzinfo=channel.zone)
    return Input(channel, delivery.name, search.vault.path(delivery.sha256), modified_at, delivery.arrived_at)


def _expected(settings: Settings) -> dict[str, timedelta]:
    """By destination: how long after its delivery a document is answered."""
    libraries = {library.name: library.imports.expected_after for library in settings.libraries}
    offices = {
        office_of(settings, office.name): office.billing.imports.expected_after for office in settings.parking_offices if office.billing is not None
    }
    holds = {hold_destination(kind): one.expected_after for one in settings.holds for kind in (ADDED, RELEASED)}
    return {BURSAR: settings.bursar.charges.expected_after, **libraries, **offices, **holds}
