"""The holds of a source: its policy, where its facts come from, its documents, and how the bursar's list is read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bursarbridge.assembly.bursar import clear_of, layout_of
from bursarbridge.assembly.names import BURSAR, HOLDS_ENDING, HOLDS_FULL_ENDING, PlaceOf
from bursarbridge.assembly.reading import records_in
from bursarbridge.config.holding import HoldFile, Holding
from bursarbridge.config.model import AlmaSource, Settings
from bursarbridge.errors import Refused
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.deliver import Outlet
from bursarbridge.flows.hold_files import Sheets
from bursarbridge.flows.holds import Gate, HoldsFlow
from bursarbridge.flows.indicators import indicator_poster
from bursarbridge.ledger.holds import Policy
from bursarbridge.store.hold_batches import ADDED, RELEASED, Form
from bursarbridge.store.open_items import Basis
from bursarbridge.systems.peoplesoft.holds import HoldSettings, PeopleSoftHolds, hold_files
from bursarbridge.systems.peoplesoft.indicators import IndicatorReader


def holding_of(settings: Settings, flow: str) -> Holding:
    """The section of a flow that holds, by either of its names. Raises Refused for another name."""
    for one in settings.holds:
        if flow in (f"{one.name}{HOLDS_ENDING}", f"{one.name}{HOLDS_FULL_ENDING}"):
            return one
    known = ", ".join(f"{one.name}{HOLDS_ENDING}" for one in settings.holds) or "none, for there is no [holds] section"
    raise Refused(f'there is no flow "{flow}" that holds; those that do are: {known}')


def holds_flow(flow: str, settings: Settings, place: PlaceOf, facts: Sequence[Channel], gate: Gate) -> HoldsFlow:
    """The flow of that name; `facts` are the channels of what is owed, where the source states it itself."""
    one = holding_of(settings, flow)
    source = settings.sources[one.name]
    zone = settings.campus.timezone
    on_account = isinstance(source, AlmaSource) or source.billing is not None
    files = hold_files_of(settings, one)
    form = Form(source.reference_prefix, one.institution, one.department or settings.bursar.department, one.contact, files.amounts)
    outlets = {name: _outlet(settings, one, where, name, place) for name, where in ((ADDED, one.added), (RELEASED, one.released))}
    return HoldsFlow(
        name=f"{one.name}{HOLDS_ENDING}",
        source=one.name,
        prefix=source.reference_prefix,
        policy=policy_of(one, amounts=files.amounts),
        basis=Basis.ACCOUNT if on_account else Basis.VIOLATIONS,
        facts=tuple(facts),
        evidence=((f"{BURSAR}-payments", zone),) if on_account else tuple((channel.name, channel.zone) for channel in facts),
        evidence_age=one.evidence_max_age,
        snapshot=_snapshot(settings, one, place),
        sheets=Sheets(files, form, hold_destination(ADDED), hold_destination(RELEASED)),
        outlets={hold_destination(name): outlet for name, outlet in outlets.items()},
        gate=gate,
        zone=zone,
        everybody=flow.endswith(HOLDS_FULL_ENDING),
    )


def policy_of(one: Holding, *, amounts: bool = True) -> Policy:
    """What a [holds] section says about who gets a hold."""
    return Policy(
        code=one.code,
        reason=one.reason,
        threshold_cents=one.threshold_cents,
        grace_days=one.grace_days,
        notice_days=one.notice_days,
        user_types=one.user_types,
        exempt_types=one.exempt_types,
        left_out=one.left_out,
        exempt=tuple((dates.from_on.isoformat(), dates.to_on.isoformat()) for dates in one.exempt),
        disputed=one.disputed,
        speaks_for=one.speaks_for,
        impact=one.impact,
        amounts=amounts,
        transcript_allowed=one.transcript_allowed,
    )


def hold_files_of(settings: Settings, one: Holding) -> PeopleSoftHolds:
    """The two documents of a [holds] section, in its layouts."""
    added, released = layout_of(settings, one.added.layout), layout_of(settings, one.released.layout)
    return hold_files(HoldSettings(added, released, one.added.name, one.released.name, one.amount_max_cents))


def _outlet(settings: Settings, one: Holding, where: HoldFile, kind: str, place: PlaceOf) -> Outlet:
    endpoint = place(settings.bursar.connection, where.folder, "leave")
    return Outlet(hold_destination(kind), endpoint, one.expected_after, one.confirmed_by, one.assumed_after)


def hold_destination(kind: str) -> str:
    """How the batches of one kind of document call where they go."""
    return f"{BURSAR}-{kind.replace('_', '-')}"


def _snapshot(settings: Settings, one: Holding, place: PlaceOf) -> Channel | None:
    """The channel of the bursar's list; sections that name the same files share it, and each compares its own code."""
    where = one.snapshot
    if where is None:
        return None
    first = next(other.name for other in settings.holds if other.snapshot is not None and other.snapshot == where)
    return Channel(
        name=f"{first}-indicators",
        endpoint=place(settings.bursar.connection, where.folder, clear_of(where.clear)),
        patterns=where.files,
        excluded=where.excluded,
        settle_seconds=where.settle.total_seconds(),
        as_of=where.as_of,
        zone=settings.campus.timezone,
        records=partial(records_in, partial(IndicatorReader, layout_of(settings, where.layout))),
        post=indicator_poster,
        statements=True,
    )
