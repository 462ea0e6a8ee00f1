"""What is held, on both databases: plans, votes, what the database itself refuses, and the history the usual is taken from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bursarbridge.errors import Refused
from bursarbridge.flows.guarding import BatchGuard, PlanGuard, approved_plan, decide, plan_carried
from bursarbridge.ledger.guards import STANDARD, Limits, Past, Plan, Share, Total
from bursarbridge.store import guarded, opening, runs, starts
from bursarbridge.store.books import Books

FLOW = "parking-holds"
AMNESTY = Plan(active=120, to_place=0, to_change=0, to_release=40, cents=0, largest=0)
GUARD = PlanGuard(STANDARD, FLOW, "settings-a")


class Ledger:
    """A ledger whose every transaction is a run of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.day = 1

    @contextmanager
    def books(self) -> Iterator[Books]:
        with self.engine.begin() as connection:
            books = Books(connection, 0, f"2026-11-{self.day:02}T13:30:00Z")
            books.run = runs.begin(books, f"run-{books.now}", FLOW, "1")
            yield books

    def says(self, number: int, actor: str, verdict: str = "approve", reason: str = "amnesty week") -> str:
        with self.books() as books:
            return decide(books, number, actor, verdict, reason)

    def judged(self, plan: Plan, guard: PlanGuard = GUARD, content: str = "") -> int:
        with self.books() as books:
            return guard.judge(books, plan, lambda: content).number

    def state(self, number: int) -> str:
        with self.books() as books:
            return guarded.one(books, number).state


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger on each database, with one plan accepted, so that the settings are no news."""
    address = str(request.getfixturevalue("pg_address")) if request.param == "postgresql" else f"sqlite:{tmp_path / 'ledger.db'}"
    engine = opening.open_engine(address)
    opening.migrate(engine)
    made = Ledger(engine)
    with made.books() as books:
        guarded.remember(books, FLOW, "plan", Past(3, 1000), fingerprint=GUARD.fingerprint)
    yield made
    engine.dispose()


def test_h11_a_mass_release_waits_for_two_named_people_and_is_then_carried_out(ledger: Ledger) -> None:
    number = ledger.judged(AMNESTY)
    assert number and ledger.judged(AMNESTY) == number, "the same plan again keeps its number"
    ledger.says(number, "Imre")
    with ledger.books() as books:
        assert approved_plan(books, FLOW) is None
    assert ledger.says(number, "Noor") == f"{number} is approved: the next run of {FLOW} carries it on"
    with ledger.books() as books:
        assert approved_plan(books, FLOW) == number
        plan_carried(books, number)
        assert approved_plan(books, FLOW) is None
    assert ledger.state(number) == "carried"
    with ledger.books() as books:
        assert [(vote.actor, vote.reason) for vote in guarded.one(books, number).votes] == [("Imre", "amnesty week"), ("Noor", "amnesty week")]
    with pytest.raises(Refused, match="is carried already"):
        ledger.says(number, "Wanjiru")


def test_h02_changed_settings_are_looked_at_once(ledger: Ledger) -> None:
    small, mapped = Plan(120, 1, 0, 0, 2500, 2500), PlanGuard(STANDARD, FLOW, "settings-b")
    assert ledger.judged(small) == 0
    assert ledger.judged(Plan(120, 0, 0, 0, 0, 0), mapped) == 0, "nothing to do proves nothing about the new settings"
    number = ledger.judged(small, mapped)
    assert number
    ledger.says(number, "Imre")
    with ledger.books() as books:
        plan_carried(books, number)
    assert ledger.judged(small, mapped) == 0 and ledger.judged(small) != 0, "going back is a change too"


def test_a_newer_plan_takes_the_place_of_one_that_waits_with_its_votes(ledger: Ledger) -> None:
    first = ledger.judged(AMNESTY)
    ledger.says(first, "Imre")
    second = ledger.judged(AMNESTY._replace(to_release=41))
    assert second != first and (ledger.state(first), ledger.state(second)) == ("superseded", "held")
    ledger.says(second, "Noor")
    assert ledger.state(second) == "held", "Imre spoke about another plan"
    assert ledger.judged(AMNESTY._replace(to_release=1)) == 0
    assert ledger.state(second) == "superseded"


def test_h04_a_plan_is_what_it_says_of_whom(ledger: Ledger) -> None:
    first = ledger.judged(AMNESTY, content="forty people")
    ledger.says(first, "Imre")
    assert ledger.judged(AMNESTY._replace(active=119), content="forty people") == first, "how many stand is not of it"
    ledger.says(first, "Noor")
    assert (ledger.judged(AMNESTY, content="forty people"), ledger.state(first)) == (first, "approved"), "said while a run was deciding"
    second = ledger.judged(AMNESTY, content="forty others")
    assert (ledger.state(first), ledger.state(second)) == ("superseded", "held")
    with ledger.books() as books:
        assert guarded.one(books, second).missing == 2 and approved_plan(books, FLOW) is None


def test_a_rejected_plan_takes_its_open_batches_with_it(ledger: Ledger) -> None:
    with ledger.books() as books:
        for flow in (FLOW, "library-holds"):
            sql = "insert into batch (destination, flow, kind, state, run_id) values ('bursar', :f, 'holds_released', 'OPEN', :r)"
            books.do(sql, f=flow, r=books.run)
    number = ledger.judged(AMNESTY)
    assert "the next run plans anew" in ledger.says(number, "Imre", "reject", "the list was cut")
    with ledger.books() as books:
        assert books.rows("select flow, state from batch order by id") == [(FLOW, "REFUSED"), ("library-holds", "OPEN")]
    assert ledger.judged(AMNESTY) != number


def test_a_vote_needs_a_name_a_reason_and_something_that_waits(ledger: Ledger) -> None:
    number = ledger.judged(AMNESTY)
    for actor, reason in (("", "because"), ("Imre", "  ")):
        with pytest.raises(Refused, match="a name and a reason"):
            ledger.says(number, actor, "reject", reason)
    with pytest.raises(Refused, match="nothing was held under the number 99"):
        ledger.says(99, "Imre")
    ledger.says(number, "Imre")
    with pytest.raises(Refused, match="has approved"):
        ledger.says(number, "IMRE ", "reject")
    ledger.says(number, "Noor", "reject")
    assert ledger.state(number) == "rejected"


@pytest.mark.parametrize(
    "statement",
    [
        "update guarded set state = 'approved'",
        "update guarded set state = 'carried'",
        "update guard_vote set actor_key = 'noor'",
        "delete from guard_vote",
        "delete from guard_history",
        "insert into guard_vote select guarded_id, actor_key, 'Noor', verdict, reason, at from guard_vote",
        "insert into guarded (flow, kind, run_id, state, approvers, trips, numbers, opened_at) "
        "select flow, 'batch', run_id, 'approved', 1, trips, numbers, opened_at from guarded",
    ],
)
def test_i11_the_database_itself_refuses_to_go_round_the_people(ledger: Ledger, statement: str) -> None:
    number = ledger.judged(AMNESTY)
    ledger.says(number, "Imre")
    with pytest.raises(sa.exc.DBAPIError), ledger.books() as books:
        books.do(statement)
    assert ledger.state(number) == "held"


def started_by_hand(ledger: Ledger, actor: str) -> int:
    """A plan held by a run that somebody started by hand; its number."""
    with ledger.engine.begin() as connection:
        starts.by_hand(Books(connection, 0, "2026-11-01T13:29:00Z"), "by-hand", actor)
    with ledger.engine.begin() as connection:
        books = Books(connection, 0, "2026-11-01T13:30:00Z")
        books.run = runs.begin(books, "by-hand", FLOW, "1")
        return GUARD.judge(books, AMNESTY).number


def test_i11_whoever_started_the_run_does_not_approve_what_it_made(ledger: Ledger) -> None:
    number = started_by_hand(ledger, "R. Diaz")
    with pytest.raises(Refused, match=r"r\. DIAZ started the run .* by hand, .*2 people other than they"):
        ledger.says(number, " r.  DIAZ ")
    ledger.says(number, "Imre")
    with pytest.raises(Refused, match="1 person other than they"):
        ledger.says(number, "R. Diaz")
    ledger.says(number, "Noor")
    assert ledger.state(number) == "approved"


def test_whoever_started_the_run_may_reject_what_it_made(ledger: Ledger) -> None:
    number = started_by_hand(ledger, "R. Diaz")
    ledger.says(number, "R. Diaz", "reject")
    assert ledger.state(number) == "rejected"


def test_what_the_timetable_started_anybody_approves(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        starts.by_timetable(Books(connection, 0, "2026-11-01T13:29:00Z"), "run-2026-11-02T13:30:00Z")
    ledger.day = 2
    number = ledger.judged(AMNESTY)
    with ledger.books() as books:
        (one,) = guarded.open_ones(books)
    assert (one.start, one.started_by) == ("timetable", "")
    for actor in ("the timetable", "Imre"):
        ledger.says(number, actor)
    assert ledger.state(number) == "approved"


@pytest.mark.parametrize(
    "statement",
    [
        "insert into guard_vote select id, 'r. diaz', 'R. Diaz', 'approve', 'mine', opened_at from guarded",
        "update run_start set actor_key = 'imre'",
        "delete from run_start",
        "insert into run_start select name, 'hand', 'imre', 'Imre', started_at from run where name <> 'by-hand'",
        "insert into run_start values ('later', 'hand', '', '', '2026-11-01T13:30:00Z')",
        "insert into run_start values ('later', 'timetable', 'imre', 'Imre', '2026-11-01T13:30:00Z')",
    ],
)
def test_i11_the_database_itself_knows_who_started_what(ledger: Ledger, statement: str) -> None:
    number = started_by_hand(ledger, "R. Diaz")
    with pytest.raises(sa.exc.DBAPIError), ledger.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert ledger.state(number) == "held"


def test_an_approval_under_looser_settings_does_not_cover_stricter_ones(ledger: Ledger) -> None:
    one, two = (BatchGuard("library-charges", Limits(total=Total(most_cents=100, factor=3, approvers=n))) for n in (1, 2))
    with ledger.books() as books:
        number = one.judge(books, 2, 300).number
    ledger.says(number, "Imre")
    with ledger.books() as books:
        assert two.judge(books, 2, 300).number not in (0, number)
    assert ledger.state(number) == "superseded"


def test_the_usual_is_taken_from_the_newest_eight_and_the_peak_from_ninety_days(ledger: Ledger) -> None:
    for day in range(2, 14):
        ledger.day = day
        with ledger.books() as books:
            guarded.remember(books, "x", "batch", Past(day, 100 * day))
    with ledger.engine.begin() as connection:
        later = Books(connection, 0, "2027-02-08T13:30:00Z")
        found = guarded.history(later, "x", "batch")
    assert [one.rows for one in found.recent] == [13, 12, 11, 10, 9, 8, 7, 6] and found.peak_cents == 1300
    with ledger.engine.begin() as connection:
        assert guarded.history(Books(connection, 0, "2027-02-20T13:30:00Z"), "x", "batch").peak_cents == 0


def test_warnings_do_not_hold(ledger: Ledger) -> None:
    told = PlanGuard(Limits(releases=Share(most=10, percent=5, action="warn")), FLOW, GUARD.fingerprint)
    with ledger.books() as books:
        judged = told.judge(books, AMNESTY)
    assert (judged.number, judged.reasons) == (0, ()) and "40 holds would be released" in judged.warnings[0]
