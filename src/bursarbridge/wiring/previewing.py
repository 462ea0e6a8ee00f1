"""What a run would do: the run itself, on the files that wait now, with everything it did taken back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bursarbridge.assembly.hold_parts import ready_holds
from bursarbridge.assembly.library import returns_flow
from bursarbridge.assembly.names import RETURNS, hold_flows
from bursarbridge.flows.holds import run_holds
from bursarbridge.flows.library import run_flow
from bursarbridge.flows.preview import AskOnly, PreviewSteps, ReadOnly, Silent
from bursarbridge.flows.returns import run_returns
from bursarbridge.flows.run import utc_text
from bursarbridge.store import hold_views
from bursarbridge.wiring.vaults import Beside

if TYPE_CHECKING:
    from bursarbridge.wiring.bridge import Bridge

_NAME = "preview"


def preview(bridge: Bridge, flow: str) -> dict[str, object]:
    """The summary that a run of the flow would end with; for holds also its plan, person by person. Raises what the run would raise."""
    with tempfile.TemporaryDirectory() as folder, bridge.ledger.connect() as connection:
        transaction = connection.begin()
        try:
            steps = PreviewSteps(connection)
            said = _returns(bridge, flow, steps, Path(folder)) if flow == RETURNS else _files(bridge, flow, steps, Path(folder))
            return {"run": _NAME, "flow": flow, **said}
        finally:
            transaction.rollback()


def _returns(bridge: Bridge, flow: str, steps: PreviewSteps, folder: Path) -> dict[str, object]:
    """It counts what lies in the vault and puts nothing there; the library is asked and told nothing."""
    run = bridge.begin(steps, flow, _NAME, utc_text(bridge.clock()), bridge.vault, folder / "scratch")
    with bridge.ways.desks() as desk_of:
        asking = returns_flow(bridge.settings, lambda source: AskOnly(desk) if (desk := desk_of(source)) else None)
        return dict(run_returns(run, asking))


def _files(bridge: Bridge, flow: str, steps: PreviewSteps, folder: Path) -> dict[str, object]:
    """Files are read where they lie; what would be kept or sent goes into a folder that is thrown away."""
    vault = Beside(folder / "vault", bridge.vault)
    with bridge.ways.places(ReadOnly) as place:
        run = bridge.begin(steps, flow, _NAME, utc_text(bridge.clock()), vault, folder / "scratch")
        if flow not in hold_flows(bridge.settings):
            return dict(run_flow(run, bridge.files_flow(flow, place, lambda _source: Silent())))
        said = run_holds(run, ready_holds(flow, bridge.settings, place))
        plan = run.post("plan shown", lambda books: [one._asdict() for one in hold_views.plan_of(books, run.number)])
        return {**said, "plan": plan}
