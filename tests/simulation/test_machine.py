"""The whole loop under random actions, in any legal or illegal order, with repeats, cut lines, lost answers and people who decide.

`BURSARBRIDGE_SIMULATE=n` lives n campuses instead of the few of every test run; a failure prints the actions that led to it.
"""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from bursarbridge.flows.run import utc_text
from tests.campus_files import credit
from tests.simulation.loop import CENTS, CUTS, PICK, THEN, Files
from tests.simulation.rest import come_to_rest

WAIVES = st.sampled_from(["whole", "whole", "part", "before the charge", "refund", "dispute", "dispute"])
CREDITS = st.sampled_from(["new", "new", "new", "again", "changed", "echo", "stray"])
CALLS = st.sampled_from(["heard", "twice", "never", "early", "forgotten"])
TROUBLES = st.lists(st.sampled_from(["", "", "", "later", "refused"]), max_size=4)
"""What the library's next answers are: right, 429 or 5xx (both: ask later), or a refusal."""


class Loop(Files):
    """One campus whose library waives, takes items back and exports credits."""

    @rule(what=WAIVES, cents=CENTS, pick=PICK, then=THEN, cut=CUTS)
    def waive(self, what: str, cents: int, pick: int, then: str, cut: str) -> None:
        """Staff waive a fee, or a person disputes one; a fee may be waived before its charge is exported at all."""
        shelves = self.world.shelves
        where = shelves.chosen(pick)
        if what == "before the charge":
            fee = self._assessed(cents or 100, 1 + pick % 5)
            shelves.assess(fee)
            where = next(at for at in shelves.places() if shelves.at(at).reference == fee.reference)
            shelves.staff_waives(where, fee.cents)
            self.world.export([], shelves.pending)
            self.world.late.append(fee)
        elif where and what == "dispute":
            shelves.disputes(where)
        elif where:
            balance = shelves.at(where).balance_cents
            shelves.staff_waives(where, balance // 2 if what == "part" else balance, by_itself=what == "refund" and shelves.back(where))
        self._run(then, cut)

    @rule(what=CREDITS, pick=PICK, then=THEN, cut=CUTS)
    def credit(self, what: str, pick: int, then: str, cut: str) -> None:
        """Alma exports its credits, or old ones once more, changed ones, echoes of our payments, and some that fit nothing."""
        shelves = self.world.shelves
        rows, before, where = list(shelves.pending), shelves.exported, shelves.chosen(pick)
        if what in ("again", "changed") and before:
            one = before[pick % len(before)]
            rows = [*rows, one._replace(cents=one.cents - 50) if what == "changed" else one]
        elif what == "echo" and where:
            shelves.echo(where, 100)
            rows = list(shelves.pending)
        elif what == "stray":
            rows.append(credit(f"S{pick}", 100, ("", "no such item")[pick % 2]))
        late, self.world.late = (self.world.late, []) if pick % 2 else ([], self.world.late)
        self.world.export(late, rows)
        self._run(then, cut)

    @rule(call=CALLS, pick=PICK, troubles=TROUBLES, lost=st.booleans(), then=st.sampled_from(["", "r", "r", "r", "rk", "cr"]), cut=CUTS)
    def give_back(self, call: str, pick: int, troubles: list[str], lost: bool, then: str, cut: str) -> None:
        """An item comes back; Alma calls once, twice, never, or before it is so, and does not always answer."""
        shelves, library = self.world.shelves, self.world.library
        where = shelves.chosen(pick, lost=True)
        if where is not None:
            person, item = where[0]
            if call != "early":
                shelves.comes_back(where, utc_text(self.campus.now))
            told = library.returned(person, item, loan=f"L{item}")
            library.hear(*[told] * {"never": 0, "forgotten": 0, "twice": 2}.get(call, 1))
            if call == "twice":
                library.hear(library.returned(person, item, loan=f"L{item}"))
        if call == "forgotten":
            self.campus.later(hours=30)
        shelves.trouble, shelves.lose_answer = list(troubles), lost
        self._run(then, cut)

    def teardown(self) -> None:
        """The dust settles."""
        try:
            if hasattr(self, "world"):
                come_to_rest(self.world, self._run)
        finally:
            self.stack.close()


_QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A failure is not made smaller by itself, which takes minutes; BURSARBRIDGE_SHRINK=1 asks for it."""

Loop.TestCase.settings = settings(
    max_examples=int(os.environ.get("BURSARBRIDGE_SIMULATE", "45")),
    stateful_step_count=25,
    deadline=None,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink) if os.environ.get("BURSARBRIDGE_SHRINK") else _QUICK,
    suppress_health_check=list(HealthCheck),
)
TestLoop = Loop.TestCase
