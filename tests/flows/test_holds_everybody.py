"""Deciding those for whom something changed comes to the same as deciding everybody; after every run the holds are what the policy wants."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import sqlalchemy as sa
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from bursarbridge.flows.hold_desk import release_by_hand
from bursarbridge.flows.holds import decided, source_of, today_of
from bursarbridge.ledger.holds import Verb
from bursarbridge.store import open_items, opening
from tests.campus import campus_in_memory
from tests.curb import POLICY, Curb, parking
from tests.postgres import Cluster

QUICK = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
PEOPLE = ["0012341", "0012342", "0012343"]
OWES = st.tuples(
    st.just("owes"),
    st.sampled_from(PEOPLE),
    st.integers(0, 2),
    st.sampled_from([0, 0, 100, 250, 400]),
    st.sampled_from(["open", "open", "open", "disputed"]),
    st.sampled_from(["", "2026-07-01", "2026-08-01", "2026-08-03", "2026-08-06"]),
)
POLICIES = [
    POLICY,
    replace(POLICY, threshold_cents=300),
    replace(POLICY, grace_days=2),
    replace(POLICY, notice_days=2),
    replace(POLICY, exempt=(("2026-08-03", "2026-08-04"),)),
    replace(POLICY, code="PKG"),
    replace(POLICY, disputed="count"),
]
STEPS = st.lists(
    OWES
    | st.tuples(st.sampled_from(["run", "run", "run", "loads", "loads", "loses", "lists", "yes"]))
    | st.tuples(st.just("later"), st.sampled_from([1, 24, 24, 48, 120]))
    | st.tuples(st.just("policy"), st.integers(0, len(POLICIES) - 1))
    | st.tuples(st.just("most"), st.sampled_from([1, 1000, 1000]))
    | st.tuples(st.just("release"), st.sampled_from(PEOPLE), st.integers(0, 3)),
    max_size=25,
)
Steps = Sequence[tuple[object, ...]]


def live(curb: Curb, step: tuple[object, ...]) -> list[str]:
    """One step; what left in it."""
    what = step[0]
    if what == "owes":
        _, account, number, cents, status, since = step
        curb.owes((f"V{account}{number}", str(account), int(str(cents))), since=str(since), status=str(status))
    elif what == "later":
        curb.later(hours=int(str(step[1])))
    elif what == "policy":
        curb.policy = POLICIES[int(str(step[1]))]
    elif what == "most":
        curb.gate.most = int(str(step[1]))
    elif what == "yes":
        curb.gate.yes = True
    elif what == "release":
        _release(curb, str(step[1]), int(str(step[2])))
    else:
        {"run": curb.run, "loads": curb.bursar_loads, "loses": curb.bursar_loses, "lists": curb.lists}[str(what)]()
    curb.later(seconds=1)
    return curb.told()


def _release(curb: Curb, account: str, days: int) -> None:
    with curb.books() as books:
        source = source_of(books, curb.flow())
        if books.one("select exists (select 1 from violation where account = :a and cents > 0 and source_id = :s)", a=account, s=source):
            until = f"2026-08-{int(curb.today[-2:]) + days:02}" if curb.today < "2026-08-25" else "2026-12-31"
            release_by_hand(books, curb.flow(), account, "R. Diaz", "a test", curb.today, until)


def as_the_policy_wants(curb: Curb) -> None:
    """I7, I8: whoever is decided now gets nothing but repeats; nobody who owes nothing has a hold that is not released."""
    flow = curb.flow()
    with curb.books() as books:
        source = source_of(books, flow)
        today = today_of(books, flow, curb.today)
        open_items.begin(books)
        open_items.choose_all(books, source, flow.basis, curb.today, open_items.marks(books, source))
        for one in decided(books, source, flow, today):
            assert one.decision.verb is Verb.NONE or one.decision.again, one
        books.connection.rollback()


@settings(max_examples=60, deadline=None, phases=QUICK)
@given(st.integers(0, len(POLICIES) - 1), STEPS)
@example(0, [("owes", PEOPLE[0], 0, 400, "open", "2026-07-01"), ("most", 0), ("run",), ("yes",), ("run",)])
def test_i7_i8_incremental_is_everybody(policy: int, steps: Steps) -> None:
    with parking(POLICIES[policy]) as some, parking(POLICIES[policy]) as everybody:
        everybody.everybody = True
        for step in (*steps, ("most", 1000), ("run",)):
            assert live(some, step) == live(everybody, step), step
            assert some.states() == everybody.states()
            if step[0] == "run" and some.gate.most == 1000:
                as_the_policy_wants(some)
                _nobody_is_in_both_files(some)


def _nobody_is_in_both_files(curb: Curb) -> None:
    with curb.books() as books:
        twice = books.rows("select sealed_run, hold_id from hold_line where sealed_run is not null group by sealed_run, hold_id having count(*) > 1")
        assert twice == []


@settings(max_examples=60, deadline=None, phases=QUICK)
@given(STEPS)
def test_i7_at_rest_the_bursar_has_exactly_what_was_told(steps: Steps) -> None:
    """Whatever got lost on the way: two lists of the bursar's later, the holds there are those of the policy."""
    with parking() as curb:
        for step in steps:
            live(curb, step)
        curb.gate.most = 1000
        curb.owes()
        for _night in range(4):
            for step in (("run",), ("loads",), ("later", 1), ("lists",), ("later", 1)):
                live(curb, step)
        wanted = {account: cents for account, (verb, cents, _known) in curb.states().items() if verb != "release"}
        assert {account: cents for account, (cents, _name) in curb.at_bursar.items()} == wanted
        as_the_policy_wants(curb)


def test_on_postgresql_too(pg_cluster: Cluster) -> None:
    steps: Steps = [
        ("owes", PEOPLE[0], 0, 400, "open", "2026-07-01"),
        ("owes", PEOPLE[1], 0, 250, "open", "2026-08-01"),
        ("owes", PEOPLE[2], 0, 100, "disputed", ""),
        ("run",),
        ("loads",),
        ("later", 24),
        ("owes", PEOPLE[0], 1, 100, "open", "2026-08-03"),
        ("owes", PEOPLE[1], 0, 0, "open", "2026-08-01"),
        ("release", PEOPLE[0], 1),
        ("run",),
        ("loses",),
        ("lists",),
        ("run",),
        ("most", 0),
        ("later", 48),
        ("lists",),
        ("run",),
        ("yes",),
        ("policy", 5),
        ("run",),
    ]
    name = pg_cluster.create()
    with ExitStack() as stack:
        some = stack.enter_context(parking())
        campus = stack.enter_context(campus_in_memory())
        (campus.folder / "peoplesoft/taken").mkdir()
        engine: sa.Engine = opening.open_engine(pg_cluster.address(name))
        stack.callback(pg_cluster.drop, name)
        stack.callback(engine.dispose)
        opening.migrate(engine)
        there = Curb(campus, ledger=engine)
        for step in steps:
            assert live(some, step) == live(there, step), step
            assert some.states() == there.states(), step
