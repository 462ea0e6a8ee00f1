"""A rehearsal: the agreed steps through a campus's own settings, against emulated offices, in a copy that is thrown away."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from typing import cast as cast_to

from bursarbridge import wiring
from bursarbridge.assembly.bursar import layout_of
from bursarbridge.assembly.guards import limits_of
from bursarbridge.cli.own_forms import generic, list_of
from bursarbridge.config.guarding import Guard, GuardLimits
from bursarbridge.config.holding import HoldFile, IndicatorList
from bursarbridge.config.model import FolderConnection
from bursarbridge.config.parking import ParkingSource
from bursarbridge.config.places import Database
from bursarbridge.errors import Refused
from bursarbridge.ledger.guards import OFF, Limits
from bursarbridge.sandbox import story
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.folders import HOLDS_IN, HOLDS_OUT, PARKING_OUT, drop
from bursarbridge.sandbox.hold_scenarios import Cast, Verdict, play, set_up

if TYPE_CHECKING:
    from bursarbridge.cli.told import Told
    from bursarbridge.config.holding import Holding
    from bursarbridge.config.model import Settings
    from bursarbridge.config.parking import ViolationFiles
    from bursarbridge.sandbox.campus import Campus
    from bursarbridge.wiring import Bridge

_LISTS, _HOLDS = "own/violations", "own/holds"
"""Where the campus's own forms lie, between the emulated offices and the bridge."""
_STAMP = re.compile(r"(\d{8})_(\d{6})")
_SMALLEST_CENTS = 30_00
"""The smallest amount that places a hold in the agreed steps."""


class Part(NamedTuple):
    """What of the settings is rehearsed."""

    source: ParkingSource
    files: ViolationFiles
    holding: Holding


def part_of(settings: Settings) -> Part:
    """The parking office whose full list becomes holds. Raises Refused when there is none, and for layouts that carry no amounts."""
    for one in settings.holds:
        source = settings.sources[one.name]
        full = [files for files in source.violations if files.kind == "full"] if isinstance(source, ParkingSource) else []
        if isinstance(source, ParkingSource) and full:
            if "amount" not in layout_of(settings, one.added.layout).detail.names:
                raise Refused(
                    f"layout {one.added.layout} carries no amounts, which the agreed steps are about; use sandbox samples and a test account"
                )
            return Part(source, full[0], one)
    raise Refused("there is nothing to rehearse: no [holds] section of a parking office whose full list is read")


def left_out(part: Part) -> list[str]:
    """What of the settings the agreed steps leave out, because they are small and ten nights long."""
    one = part.holding
    said = [(one.threshold_cents > _SMALLEST_CENTS, "threshold"), (one.grace_days > 0, "grace"), (one.notice_days > 0, "notice")]
    return [word for there, word in [*said, (bool(one.exempt), "exempt")] if there]


def rehearsed(settings: Settings, cast: Cast, start: datetime) -> Iterator[Verdict]:
    """Plays the agreed steps, a night each from `start` (aware, campus zone) on; nothing of the campus itself is touched."""
    part = part_of(settings)
    with tempfile.TemporaryDirectory(prefix="bursarbridge-rehearsal-") as name:
        root = Path(name)
        campus = story.make_campus(root, business_unit=settings.bursar.business_unit)
        set_up(campus, cast, start)
        for folder in (_LISTS, _HOLDS):
            (root / folder).mkdir(parents=True)
        now, stopped = [start], set[str]()
        bridge = wiring.build(_settings(settings, part, root), clock=lambda: now[0].astimezone(UTC), wait=lambda _seconds: None)
        try:
            with bridge.running() as run:

                def night(at: datetime) -> bool:
                    now[0] = at
                    _bring_lists(campus, part, at)
                    ended = cast_to("Told", run(f"{part.source.name}-holds"))
                    _bring_holds(bridge, campus, part, at)
                    refused = {one["name"] for one in ended["deliveries"] if one["state"] in ("refused", "held")} - stopped
                    stopped.update(refused)
                    return bool(refused or ended["holds"]["reasons"])

                yield from play(campus, cast, night, start)
        finally:
            bridge.close()


def _settings(settings: Settings, part: Part, root: Path) -> Settings:
    """The campus's settings with this folder in place of every system; nobody is mailed."""
    one, flow = part.holding, f"{part.holding.name}-holds"
    here = FolderConnection(name="here", kind="folder", path=root)
    snapshot = IndicatorList(folder=HOLDS_OUT, files=("BB_SRVC_IND*.csv",), layout="ps-query-indicators", as_of=_STAMP, settle=timedelta())
    holding = replace(
        one,
        added=HoldFile(folder=_HOLDS, layout=one.added.layout, name="{sequence:06d}_ADDED.dat"),
        released=HoldFile(folder=_HOLDS, layout=one.released.layout, name="{sequence:06d}_RELEASED.dat"),
        snapshot=snapshot if one.snapshot else None,
        threshold_cents=min(one.threshold_cents, _SMALLEST_CENTS),
        grace_days=0,
        notice_days=0,
        exempt=(),
    )
    columns = replace(part.files.columns, environment="")
    files = replace(
        part.files,
        folder=_LISTS,
        files=("violations_*",),
        excluded=(),
        as_of=_STAMP,
        settle=timedelta(),
        columns=columns,
        environment=None,
        first_line=None,
    )
    limits = limits_of(settings, flow)
    guards = GuardLimits(name=flow, **{**{each.name: getattr(limits, each.name) for each in fields(Limits)}, "settings": Guard(action=OFF)})
    return replace(
        settings,
        campus=replace(settings.campus, environment="sandbox"),
        storage=replace(settings.storage, database=Database("sqlite:ledger.db", root), vault=root / "vault"),
        connections=dict.fromkeys(settings.connections, here),
        sources={**settings.sources, part.source.name: replace(part.source, violations=(files,))},
        holds=(holding,),
        guards=(guards,),
        mail=None,
        reports=(),
    )


def _bring_lists(campus: Campus, part: Part, now: datetime) -> None:
    """What parking exported since, in the campus's own form."""
    wanted = part.holding.user_types
    for path in sorted((campus.root / PARKING_OUT).glob("*.csv")):
        content = list_of(path.read_bytes(), part.files, wanted[0] if wanted else "Student", part.source.currency)
        drop(campus.root / _LISTS, Sent(path.name, content), now)
        path.unlink()


def _bring_holds(bridge: Bridge, campus: Campus, part: Part, now: datetime) -> None:
    """What the bridge sent, to where PeopleSoft loads: as it is where the emulated loader knows the layout, else read by the campus's layout."""
    for path in sorted((campus.root / _HOLDS).glob("*.dat")):
        name = (part.holding.added if "ADDED" in path.name else part.holding.released).layout
        content = path.read_bytes()
        if not name.startswith("generic-holds"):
            content = generic(content, layout_of(bridge.settings, name), part.holding, now.date())
        drop(campus.root / HOLDS_IN, Sent(path.name, content), now)
        path.unlink()
