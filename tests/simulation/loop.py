"""Charges, answers and payments under random actions: the machine that the library's own actions are added to."""

import random
from contextlib import ExitStack, suppress

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bursarbridge.errors import Refused
from bursarbridge.flows.resolve import actions_for
from tests import campus_files as files
from tests.campus import ASSUMED, SNAPSHOT, campus_in_memory
from tests.campus_files import TAM, WREN, Answer, Fee, Paid
from tests.library_desk import LOST_FEE
from tests.returned_scenes import LISTENING
from tests.simulation.world import World

CENTS = st.sampled_from([100, 100, 100, 250, 0])
"""Mostly equal on purpose: a fee is known by its name, never by its amount (D05)."""
PICK = st.integers(0, 10**6)
FEES = st.lists(st.tuples(CENTS, st.integers(0, 7)), max_size=3)
"""Cents, and a number that chooses the person and the fee type: mostly right ones."""
THEN = st.sampled_from(["", "c", "c", "p", "p", "cp", "cTp", "k", "k", "r", "rk", "pck", "krp"])
"""What we run afterwards: charges, payments, credits (k), returns, and whether Alma takes its files in between."""
CUTS = st.sampled_from(["", "", "", "", "", "", "upload", "publish", "clear", "refuse", "doubt"])
EXPORTS = st.sampled_from(["plain", "plain", "plain", "overlap", "twice", "changed", "other person", "old", "cut off", "again"])
ANSWERS = st.sampled_from(["POSTED", "POSTED", "lines", "lines", "lines", "REFUSED", "RECEIVED", "LOADED", "NOT_POSTED", "nobody's", "again"])
BOOKED = st.sampled_from(["full", "full", "full", "half", "half", "over", "reverse", "reverse", "reverse all", "other person", "unknown", "nothing"])
REPORTS = st.sampled_from(["full", "full", "full", "full", "shrunk", "shuffled", "empty", "last year", "late", "again"])
ODDITIES = st.sampled_from(["decide", "decide", "decide", "time", "time", "alma takes"])
FLOWS = {"c": "library-charges", "p": "library-payments", "k": "library-credits"}
PARTS = (('amount_max = "5000.00" ', 'full_waive_only = false\namount_max = "5000.00" '),)
"""A change of the example settings: parts of a fee may be waived."""
REASONS = ("Invalid Term", "Invalid Employee ID", "Invalid Item Type", "Term has defaulted to current term", "no such words", "")


class Files(RuleBasedStateMachine):
    """One campus that sends files and gets them."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.fees = 900
        self.states = False

    @initialize(states=st.booleans(), assumed=st.booleans(), parts=st.booleans(), begun=st.integers(0, 3))
    def open(self, states: bool, assumed: bool, parts: bool, begun: int) -> None:
        """A campus that sends reports or states, answers or not, and is `begun` steps into its first loop."""
        changes = (SNAPSHOT if states else ()) + (ASSUMED if assumed else ()) + (PARTS if parts else ()) + LISTENING
        self.states = states
        self.world = World(self.stack.enter_context(campus_in_memory(changes)))
        self.campus = self.world.campus
        if begun > 0:
            self.export("plain", [(100, 0), (100, 1), (250, 4), (100, 3)], 0, "c", "")
        if begun > 1:
            self.answer("POSTED", 1, set(), True, "c", "")
        if begun > 2:
            self.pay("full", "full", 0, "p", "")

    @rule(kind=EXPORTS, fees=FEES, pick=PICK, then=THEN, cut=CUTS)
    def export(self, kind: str, fees: list[tuple[int, int]], pick: int, then: str, cut: str) -> None:
        """Alma exports new fees, and old ones in every way that can go wrong."""
        if kind == "again":
            self._send_again("alma/out", pick)
        elif kind == "cut off":
            content = files.export_bytes([Fee("899", 100), Fee("898", 250)])
            self.world.known(self.campus.put("alma/out", f"cut-{pick}.xml", content[: pick % (len(content) - 2)]), 0, 0)
        else:
            self._export(kind, [self._assessed(cents, which) for cents, which in fees], pick)
        self._run(then, cut)

    @rule(kind=ANSWERS, pick=PICK, refused=st.sets(st.integers(0, 4), max_size=2), right=st.sampled_from([True, True, False]), then=THEN, cut=CUTS)
    def answer(self, kind: str, pick: int, refused: set[int], right: bool, then: str, cut: str) -> None:
        """The bursar answers about a file or its lines, rightly or not, also about what it never got."""
        sent = [one for one in self.campus.batches() if one.kind in ("charge", "credit")]
        wrong = 0 if right else 1
        if kind == "again":
            self._send_again("peoplesoft/out", pick)
        elif kind == "nobody's" or not sent:
            self.world.known(self.campus.answer(Answer("POSTED", "LIB_NOBODY.dat", "", 100, 1)), 1, 0)
        elif kind == "lines":
            self._answer_lines(sent[pick % len(sent)].document, pick, refused, wrong)
        else:
            one = sent[-1 - pick // 5 % len(sent) if pick % 5 else -1]
            reason = REASONS[pick % len(REASONS)] if kind in ("REFUSED", "NOT_POSTED") else ""
            said = Answer(kind, one.document, "", one.cents + wrong, one.lines, reason)
            self.world.known(self.campus.answer(said), 1, 0)
        self._run(then, cut)

    @rule(how=BOOKED, kind=REPORTS, pick=PICK, then=THEN, cut=CUTS)
    def pay(self, how: str, kind: str, pick: int, then: str, cut: str) -> None:
        """The cashier books something, legal or not, and a report or state of all that is booked arrives."""
        self._book(how, pick)
        if kind == "again":
            self._send_again("peoplesoft/out", pick)
        elif kind == "late" and self.world.reports:
            name, content = self.world.reports[pick % len(self.world.reports)]
            self.campus.put("peoplesoft/out", name, content)
        else:
            self._report(kind, pick)
        self._run(then, cut)

    @rule(what=ODDITIES, pick=PICK, then=THEN, cut=CUTS)
    def meanwhile(self, what: str, pick: int, then: str, cut: str) -> None:
        """People decide, time passes, Alma fetches its files."""
        items = self.campus.items()
        if what == "decide" and items:
            item = items[pick % len(items)]
            actions = [action.name for action in actions_for(item.code, blocks=item.blocks)]
            if item.code == "in_doubt":  # whoever looks, looks right: the bridge has nobody else to ask
                actions = ["arrived" if any(name in item.words for name in self.world.documents) else "send-again"]
            with suppress(Refused):
                self.campus.resolve(item.id, actions[pick // 7 % len(actions)], self.world.reason(item.account, pick))
        elif what == "time":
            self.campus.later(hours=1 + pick % 40)
        else:
            self.world.shelves.takes(self.campus)
        self._run(then, cut)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def _run(self, then: str, cut: str) -> None:
        for one in then:
            if one == "T":
                self.world.shelves.takes(self.campus)
            elif one == "r":
                self.world.library.run()
            else:
                ended = self.world.run(FLOWS[one], cut)
                assert ended or cut, "a run failed without a fault"

    def _assessed(self, cents: int, which: int) -> Fee:
        self.fees += 1
        account = "12" if which == 7 else TAM if which % 2 else WREN
        category = ("OTHER", LOST_FEE, "OVERDUEFINE", LOST_FEE, LOST_FEE, "OVERDUEFINE", "CUSTOMER_DEFINED_01", "OVERDUEFINE")[which]
        return Fee(str(self.fees), cents, account, category, item=f"31{self.fees // 2}" if which else "")

    def _export(self, kind: str, fees: list[Fee], pick: int) -> None:
        before = self.world.exported
        if before:
            one = before[pick % len(before)]
            if kind == "overlap":
                fees = [*before[-3:], *fees]
            elif kind == "changed":
                fees = [*fees, one._replace(cents=one.cents + 50)]
            elif kind == "other person":
                fees = [one._replace(account=TAM if one.account == WREN else WREN), *fees]
        if kind == "twice":
            fees = [*fees, *fees]
        if kind == "old":
            self.campus.later(days=-1)
        self.world.export(fees, self.world.shelves.pending if pick % 3 == 0 else ())
        if kind == "old":
            self.campus.later(days=1)

    def _answer_lines(self, document: str, pick: int, refused: set[int], wrong: int) -> None:
        said = []
        for at, line in enumerate(self.campus.charge_files().get(document, [])):
            status = "REFUSED" if at in refused else "POSTED"
            if (pick >> at) % 4:
                said.append(Answer(status, document, line.reference, line.cents + wrong, reason=REASONS[(pick + at) % len(REASONS)]))
        if pick % 5 == 0:
            said.append(Answer("POSTED", document, files.stray_reference(pick), 100))
        self.world.known(self.campus.answer(*said), len(said), 0)

    def _book(self, how: str, pick: int) -> None:
        lines = [line for lines in self.campus.charge_files().values() for line in lines if line.direction == "C"]
        booked = self.world.booked
        if how == "unknown":
            booked.append(Paid(files.stray_reference(pick), 100))
        elif how.startswith("reverse"):
            rows = [row for row in booked if row.cents > 0]
            if rows:
                row = rows[pick % len(rows)]
                rest = sum(one.cents for one in booked if one.reference == row.reference)
                booked.append(row._replace(cents=-row.cents if how == "reverse" else -rest))
        elif lines and how != "nothing":
            line = lines[pick % len(lines)]
            cents = {"half": max(line.cents // 2, 1), "over": line.cents + 70}.get(how, line.cents)
            booked.append(Paid(line.reference, cents, "7654321" if how == "other person" else line.account))

    def _report(self, kind: str, seed: int) -> None:
        rows = list(self.world.booked)
        if kind == "shrunk":
            rows = [row for at, row in enumerate(rows) if (seed >> at) % 3]
        elif kind == "shuffled":
            random.Random(seed).shuffle(rows)
        elif kind == "empty":
            rows = []
        elif kind == "last year":
            rows = [row._replace(paid_on="06/30/2026") if at % 2 else row for at, row in enumerate(rows)]
        if self.states:
            total: dict[tuple[str, str], int] = {}
            for row in rows:
                total[row.reference, row.account] = total.get((row.reference, row.account), 0) + row.cents
            rows = [Paid(reference, cents, account) for (reference, account), cents in total.items()]
        self.campus.later(seconds=1)
        path = self.campus.snapshot(*rows) if self.states else self.campus.report(*rows)
        self.world.reports.append((path.name, path.read_bytes()))
        self.world.known(path, len(rows), sum(row.cents for row in rows))

    def _send_again(self, place: str, pick: int) -> None:
        """The same bytes once more, under the same name or another."""
        done = sorted((self.campus.folder / place / "done").glob("*"))
        if done:
            path = done[pick % len(done)]
            self.campus.put(place, path.name if pick % 3 else f"again-{pick}-{path.name}", path.read_bytes())
