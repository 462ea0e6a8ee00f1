"""Which limits guard a flow, as the settings say."""

from __future__ import annotations

import hashlib

from bursarbridge.config.guarding import STANDARD_NAME
from bursarbridge.config.model import Settings
from bursarbridge.flows.guarding import BatchGuard, FileGuard, PlanGuard
from bursarbridge.ledger.guards import STANDARD, Limits


def limits_of(settings: Settings, flow: str) -> Limits:
    """The limits of a flow: its own section, [guards.standard], or the defaults."""
    named = {one.name: one for one in settings.guards}
    return named.get(flow) or named.get(STANDARD_NAME) or STANDARD


def file_guard(settings: Settings, flow: str, *, whole: bool = False, dated: bool = False) -> FileGuard:
    """What stops the files that a flow reads; `whole` for those that state all that is true, `dated` where the newest one holds."""
    return FileGuard(flow, limits_of(settings, flow), settings.campus.timezone, whole, dated)


def batch_guard(settings: Settings, flow: str) -> BatchGuard:
    """What stops the money that a flow sends."""
    return BatchGuard(flow, limits_of(settings, flow))


def plan_guard(settings: Settings, flow: str, *behind: object) -> PlanGuard:
    """What stops the plans of a flow; `behind` are the sections of the settings that decide what it plans.

    The limits are among what is fingerprinted: whoever loosens one has the next plan looked at (reliability.md R2).
    """
    limits = limits_of(settings, flow)
    written = repr((settings.identity, *behind, limits))
    return PlanGuard(limits, flow, hashlib.sha256(written.encode()).hexdigest()[:16])
