"""The report that follows a run of holds: the verdict first, what is stuck first, the total owed, and nothing about anybody in a subject."""

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from bursarbridge.flows.hold_desk import release_by_hand
from bursarbridge.flows.hold_facts import HoldFacts, Told, facts_of
from bursarbridge.flows.hold_report import hold_report
from bursarbridge.flows.letter import ATTACHED, mail_of
from bursarbridge.flows.report import SHOWN, Frame
from bursarbridge.flows.sheet import csv_for_people
from bursarbridge.store import hold_reports, opening
from tests.curb import Curb, parking
from tests.hold_mail import HELD_RUN, QUIET, RICH, STOPPED, added, summary
from tests.mail import FRAME

LIVE = replace(FRAME, sandbox=False)
GOLDEN = Path(__file__).parent / "golden"
COLUMNS = [
    "student_id", "initials", "office", "hold_code", "reason_code", "total_owed", "item_count", "oldest_date", "action", "cause", "run_id",
    "confirmed_at",
]  # fmt: skip


@pytest.mark.parametrize(("name", "facts"), [("holds-rich", RICH), ("holds-quiet", QUIET), ("holds-held", HELD_RUN)])
def test_the_whole_text(name: str, facts: HoldFacts) -> None:
    """A run with something of everything, one in which nothing changed (zeros: it comes all the same), one that a guard held."""
    mail = mail_of(hold_report(facts, LIVE), LIVE)
    assert f"Subject: {mail.subject}\n\n{mail.text}" == (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_whose_holds_it_is_about_is_said_where_there_are_several() -> None:
    assert hold_report(QUIET, LIVE).subject == "Holds: 0 added, 0 released, 0 stuck (Tue Nov 17)"
    assert hold_report(replace(QUIET, several=True), LIVE).subject == "Holds, parking: 0 added, 0 released, 0 stuck (Tue Nov 17)"


def test_nothing_of_a_person_is_in_a_subject_or_a_file_name() -> None:
    canary = Told(added(9, "7777777", 1).line._replace(reference="PHCANARY", category="Canary"), "Canary, 7777777")
    facts = replace(RICH, added=(canary,), stuck=(RICH.stuck[0]._replace(account="7777777"),))
    mail = mail_of(hold_report(facts, LIVE), LIVE, attach="csv")
    assert mail.subject == mail_of(hold_report(RICH, LIVE), LIVE).subject and "7777777" in mail.text
    assert [one.name for one in mail.attachments] == ["holds_added_2026-11-17_v1.csv", "holds_released_2026-11-17_v1.csv"]
    assert not any("7777777" in one.name for one in mail.attachments)


@pytest.mark.parametrize("pii", ["none", "id", "id+initials", "full"])
def test_no_more_of_a_person_than_is_allowed(pii: str) -> None:
    frame = replace(LIVE, pii=pii)
    mail = mail_of(hold_report(RICH, frame), frame, attach="csv")
    said = mail.text + mail.html + "".join(one.content.decode() for one in mail.attachments)
    accounts = ["1042317", "1077001", "1021188", "1088123"]
    assert [one in said for one in accounts] == [pii != "none"] * 4
    assert ("Hold PH0000311" in mail.text) == (pii == "none") == ("Contains student records" not in mail.text)


def test_the_spreadsheets_have_fixed_columns_and_everybody() -> None:
    report = hold_report(RICH, LIVE)
    first, second = (list(csv.DictReader(StringIO(csv_for_people(one).decode("utf-8-sig")))) for one in (report.sheet, *report.more_sheets))
    assert [list(first[0]), list(second[0])] == [COLUMNS, COLUMNS] and (len(first), len(second)) == (5, 4)
    expected = ["'1042317", "", "parking", "PRK", "PKCIT", "55.00", "1", "2026-10-03", "added", "NOPERMIT", RICH.run.name, ""]
    assert list(first[0].values()) == expected
    assert [(one["action"], one["total_owed"], one["cause"]) for one in second[:2]] == [
        ("released", "0.00", "paid"),
        ("released", "0.00", "appeal granted, or void"),
    ]


def test_link_first_and_a_spreadsheet_that_is_too_long_is_never_attached() -> None:
    mail = mail_of(hold_report(RICH, LIVE), LIVE)
    assert mail.attachments == ()
    assert f"bursarbridge report holds --run {RICH.run.name} --to holds_released_2026-11-17_v1.csv" in mail.text
    many = mail_of(hold_report(replace(RICH, added=RICH.added[:1] * (ATTACHED + 1)), LIVE), LIVE, attach="csv")
    assert [one.name[:14] for one in many.attachments] == ["holds_released"] and "--to holds_added_2026-11-17_v1.csv" in many.text


def test_a_mail_shows_some_and_says_how_many_more() -> None:
    totals = {("PRK", "PKCIT", "place"): (900, 4_950_000)}
    text = mail_of(hold_report(replace(RICH, totals=totals, added=RICH.added[:1] * 900), LIVE), LIVE).text
    assert "Added or changed: 900 holds, $49,500.00" in text and f"and {900 - SHOWN} more in the spreadsheet" in text


def test_a_held_plan_beside_repeats_says_what_did_leave() -> None:
    told = {**summary(held=412, repeated=1, reasons=["too many"]), "held": ["too many"]}
    facts = replace(HELD_RUN, run=HELD_RUN.run._replace(summary=told), documents=RICH.documents[1:], held=(STOPPED._replace(state="approved"),))
    text = mail_of(hold_report(facts, LIVE), LIVE).text
    assert text.startswith("412 holds wait for a person: too many. Nothing of the plan was sent, and those holds stand as they were.")
    assert "approved; the next run carries it on" in text and "bursarbridge approve" not in text


def test_a_held_list_and_one_that_cannot_be_read_are_in_the_verdict() -> None:
    run = QUIET.run._replace(outcome="held", summary={**summary(stale=True), "held": ["held as 3: 1 row; nothing of v.csv was posted"]})
    run.summary["deliveries"] = [{"state": "refused"}]
    assert hold_report(replace(QUIET, run=run), LIVE).verdict == (
        "A list waits for a person: held as 3: 1 row; nothing of v.csv was posted. No hold changed; 118 holds stand. "
        "1 file could not be read, and nothing of it counts. What is known is older than the limit, so no hold was placed or raised."
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def curb(request: pytest.FixtureRequest) -> Iterator[Curb]:
    """A parking office, on one of the databases."""
    with ExitStack() as stack:
        made = stack.enter_context(parking())
        if request.param == "postgresql":
            made.ledger = opening.open_engine(request.getfixturevalue("pg_address"))
            stack.callback(made.ledger.dispose)
            opening.migrate(made.ledger)
        yield made


def found(curb: Curb, name: str = "", *, whole: bool = True) -> HoldFacts:
    """The facts of a run, of the newest without a name."""
    with curb.books() as books:
        run = hold_reports.run_of(books, ["parking-holds"], name)
        assert run is not None
        return facts_of(books, curb.flow(), run, several=False, whole=whole)


def test_facts_of_a_run_say_what_was_told_and_what_cleared_it(curb: Curb) -> None:
    people = [("V1", "0012345", 4000), ("V2", "0012346", 1500), ("V3", "0012347", 2500), ("V4", "0012348", 700)]
    curb.owes(*people)
    curb.run()
    curb.bursar_loads()
    curb.later(days=1)
    curb.owes(("V5", "0012345", 1000), ("V2", "0012346", 0))
    curb.owes(("V3", "0012347", 2500), status="disputed")
    with curb.books() as books:
        release_by_hand(books, curb.flow(), "0012348", "R. Diaz", "Jo Invented registers", curb.today, "2026-11-20")
    curb.run()
    facts = found(curb)
    assert [(one.line.account, one.line.cents, one.line.before_cents, one.item_count, one.oldest_on) for one in facts.added] == [
        ("0012345", 5000, 4000, 2, "2026-07-01")
    ]
    assert [(one.line.account, one.line.before_cents, one.cause) for one in facts.released] == [
        ("0012346", 1500, "paid"),
        ("0012347", 2500, "an appeal is pending"),
        ("0012348", 700, "by hand: R. Diaz, until Nov 20, 2026"),
    ]
    assert facts.totals == {("PRK", "PKCIT", "change"): (1, 5000), ("PRK", "PKCIT", "release"): (3, 0)}
    assert [(one.kind, one.lines) for one in facts.documents] == [("holds_added", 1), ("holds_released", 3)]
    first = found(curb, "parking-holds-1")
    assert [one.line.account for one in first.added] == [one[1] for one in people] and not first.run.newest
    assert [one.item_count for one in first.added] == [0, 0, 0, 1], "what made the other amounts is not what is owed now"
    assert first.run.summary["holds"]["standing"] == [{"code": "PRK", "reason": "PKCIT", "count": 4, "cents": 8700}]
    text = mail_of(hold_report(facts, LIVE), LIVE).text
    assert "Jo Invented" not in text, "what people wrote stays in the ledger"


def test_what_is_stuck_comes_with_its_age_and_what_it_waits_for(curb: Curb) -> None:
    curb.owes(("V1", "0012345", 4000), ("V2", "00123456789", 1500), ("V3", "0012346", 900))
    curb.run()
    curb.bursar_loads()
    curb.later(hours=1)
    curb.owes(("V1", "0012345", 0))
    curb.run()
    curb.owes(("V4", "0012347", 2000))
    curb.later(hours=15)
    curb.run()
    curb.later(hours=15)
    ran = curb.run()
    facts = found(curb)
    assert [(one.account, one.kind, one.cents) for one in facts.stuck] == [
        ("0012345", "release", 4000),
        ("0012347", "told", 2000),
        ("00123456789", "unwritten", 1500),
    ]
    assert ran["holds"]["stuck"] == 3
    frame = Frame("Example College", curb.flow().zone, f"{curb.campus.now:%Y-%m-%dT%H:%M:%SZ}", sandbox=False)
    text = mail_of(hold_report(facts, frame), frame).text
    assert "30 hours" in text and "Owner: the bursar's office" in text and "too wide" in text


def test_the_bursars_own_list_tells_what_differs(curb: Curb) -> None:
    curb.confirmed_by, curb.assumed_after = "snapshot", None  # type: ignore[assignment]
    curb.owes(("V1", "0012345", 4000), ("V2", "0012346", 1500))
    curb.run()
    curb.bursar_loads()
    curb.later(hours=1)
    curb.lists("0099999 PRK PKCIT 2500", without=("0012346",))
    curb.run()
    facts = found(curb)
    assert facts.run.summary["holds"]["differences"] == {"missing": 1}
    assert [(one.account, one.kind, one.theirs_cents) for one in facts.differences] == [("0099999", "theirs", 2500)]


def test_a_mail_is_made_of_as_many_as_it_shows(curb: Curb) -> None:
    curb.owes(*((f"V{number}", f"00{number}", 100) for number in range(10000, 10000 + SHOWN + 5)))
    curb.run()
    assert (len(found(curb, whole=False).added), len(found(curb).added)) == (SHOWN, SHOWN + 5)
    assert found(curb, whole=False).totals == {("PRK", "PKCIT", "place"): (SHOWN + 5, 100 * (SHOWN + 5))}


def test_runs_that_were_not_told_of(curb: Curb) -> None:
    curb.run()
    with curb.books() as books:
        assert hold_reports.untold(books, ["parking-holds"]) == ["parking-holds-1"] and hold_reports.untold(books, ["library-holds"]) == []
        for name, flow in ((f"{hold_reports.TOLD_BY}parking-holds-1", "report-holds"), ("parking-holds-x", "parking-holds")):
            books.do(
                "insert into run (name, flow, version, started_at, ended_at, outcome, summary) values (:name, :flow, '1', :at, :at, 'failed', :told)",
                name=name,
                flow=flow,
                at=books.now,
                told=json.dumps({"words": "no"}),
            )
        assert hold_reports.untold(books, ["parking-holds"]) == [], "told; and a run that failed told nobody anything"
