"""How holds come to rest: faults are off, people decide what asks; within two nights the bursar has exactly what the policy says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from bursarbridge.config.holding import Holding
from bursarbridge.sandbox.parking import Parking
from bursarbridge.sandbox.tickets import TicketStatus
from tests.garage import Garage
from tests.simulation.hold_world import NOTHING, STRANGER, HoldWorld, Owed, story_of

AS_THEY_WERE = "grace notice exempt"


def come_to_rest(world: HoldWorld, load: Callable[[], None]) -> None:
    """Two nights without a fault: the office's list, a run, people who approve what waits, the bursar's load and list; then both are compared."""
    garage = world.garage
    garage.cut.clear()
    garage.run()
    garage.look_into_doubts()
    for _night in range(3):
        garage.later(hours=24)
        garage.jobs.export_violations(garage.now)
        garage.later(minutes=1)
        _carried_out(garage)
        load()
        garage.later(minutes=1)
        garage.jobs.report_indicators(garage.now)
        garage.later(minutes=1)
        world.check()
    assert garage.run() is not None
    _the_bursar_has_what_the_policy_says(world)
    _nothing_moves_any_more(world)


def _carried_out(garage: Garage) -> None:
    for _ in range(6):
        assert garage.run() is not None, "a run failed without a fault"
        if not garage.approve_all() and not garage.held():
            return
    raise AssertionError(f"something waits for ever: {garage.held()}")


def _the_bursar_has_what_the_policy_says(world: HoldWorld) -> None:
    """I7 at rest, against the parking office's own truth."""
    garage, holding = world.garage, world.holding
    truth = _truth(garage.parking, holding, garage.today)
    there = garage.at_bursar()
    there.pop(STRANGER)
    with garage.books() as books:
        orders = {str(row[0]): str(row[1]) for row in books.rows("select account, until_on from hold_release order by id")}
    for emplid in (one for one in garage.people if one != STRANGER):
        mine = truth.get(emplid, NOTHING)
        if emplid in there:
            assert there[emplid] == mine.stays, f"at rest {emplid} has a hold of {there[emplid]}, owes {mine}\n{story_of(garage, emplid)}"
        elif mine.calls >= holding.threshold_cents:
            free = garage.today <= orders.get(emplid, "") or any(one.from_on <= garage.now.date() <= one.to_on for one in holding.exempt)
            assert free or holding.notice_days, f"at rest {emplid} owes {mine} and has no hold\n{story_of(garage, emplid)}"


def _nothing_moves_any_more(world: HoldWorld) -> None:
    """Another run tells nobody anything."""
    ran = world.garage.run()
    assert ran is not None and not ran["files"], ran


def _truth(office: Parking, holding: Holding, today: str) -> dict[str, Owed]:
    """What people owe by the office's own books, as the policy counts it."""
    limit = date.fromisoformat(today) - timedelta(days=holding.grace_days)
    found: dict[str, Owed] = {}
    for one in office.tickets.values():
        user = one.user
        if not user.user_id or (holding.user_types and user.user_type not in holding.user_types):
            continue
        was, owed = found.get(user.user_id, NOTHING), one.owed_cents
        appealed = one.status is TicketStatus.APPEALED
        stays = owed if not appealed or holding.disputed == "count" else 0
        calls = owed if not appealed and one.issued_at.date() <= limit else 0
        found[user.user_id] = Owed(was.stays + stays, was.calls + calls)
    return found
