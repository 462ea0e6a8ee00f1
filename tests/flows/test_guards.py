"""Files and batches that wait for people, through the real flows: nothing leaves, nothing is posted, and an approved one carries on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursarbridge.assembly.library import library_flow
from bursarbridge.errors import Refused
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.flows.guarding import decide
from bursarbridge.flows.library import Flow, Summary, run_flow
from bursarbridge.store import guarded
from bursarbridge.store.guarded import Guarded
from tests.campus import Campus, Changes, campus_in_memory
from tests.campus_files import Fee


def limited(section: str) -> Changes:
    return (("[storage]", f"[guards.standard]\n{section}\n[storage]"),)


def open_ones(campus: Campus) -> list[Guarded]:
    with campus.books() as books:
        return guarded.open_ones(books)


def says(campus: Campus, number: int, actor: str, verdict: str = "approve") -> str:
    with campus.books(writing=True) as books:
        return decide(books, number, actor, verdict, "looked at it")


def fees(first: int, number: int, cents: int = 500, account: str = "0012345") -> list[Fee]:
    return [Fee(str(one), cents, account) for one in range(first, first + number)]


# ---- batches of money


def test_h04_a_batch_over_the_limit_waits_for_two_people_and_then_leaves() -> None:
    with campus_in_memory(limited('total = { max = "20.00" }')) as campus:
        campus.export(*fees(1, 5))
        summary = campus.charges()
        assert summary["outcome"] == "held" and campus.charge_files() == {} and campus.places() == {"source": 2500}
        assert summary["held"] == ["held as 1: the total is $25.00; the limit is $20.00; nothing was sent"]
        assert campus.charges()["outcome"] == "held" and [one.id for one in open_ones(campus)] == [1], "it keeps its number"
        assert "1 more, somebody else, must approve it" in says(campus, 1, "Imre")
        with pytest.raises(Refused, match="has approved 1 already"):
            says(campus, 1, " imre ")
        assert campus.charges()["outcome"] == "held"
        assert says(campus, 1, "Noor") == "1 is approved: the next run of library-charges carries it on"
        assert campus.charges()["outcome"] == "completed"
        assert [len(lines) for lines in campus.charge_files().values()] == [5] and campus.places() == {"in_transit": 2500}
        assert open_ones(campus) == [] and campus.unexplained() == 0


def test_h04_an_approval_covers_what_was_approved_and_no_more() -> None:
    with campus_in_memory(limited('total = { max = "20.00", approvers = 1 }')) as campus:
        campus.export(*fees(1, 5))
        campus.charges()
        says(campus, 1, "Imre")
        campus.export(*fees(50, 1))
        assert campus.charges()["outcome"] == "held" and campus.charge_files() == {}
        assert [(one.id, one.state, one.numbers) for one in open_ones(campus)] == [(2, "held", {"rows": 6, "cents": 3000})]
        says(campus, 2, "Imre")
        assert campus.charges()["sent"] == {"count": 6, "cents": 3000}


def test_h04_a_rejected_batch_stays_where_it_is_and_is_judged_anew() -> None:
    with campus_in_memory(limited('total = { max = "20.00", approvers = 1 }')) as campus:
        campus.export(*fees(1, 5))
        campus.charges()
        assert "judges it anew" in says(campus, 1, "Imre", "reject")
        assert open_ones(campus) == []
        assert campus.charges()["outcome"] == "held" and campus.charge_files() == {} and campus.places() == {"source": 2500}
        assert [one.id for one in open_ones(campus)] == [2]


def test_a_batch_whose_cause_is_gone_leaves_by_itself() -> None:
    with campus_in_memory(limited('total = { max = "20.00" }')) as campus:
        campus.export(*fees(1, 5))
        campus.charges()
        campus.settings = replace(campus.settings, guards=())
        assert campus.charges()["outcome"] == "completed" and open_ones(campus) == []


def test_h03_an_unusual_batch_waits_and_a_small_one_is_told() -> None:
    with campus_in_memory(limited("volume = { rows = 3, factor = 2 }")) as campus:
        for night in range(4):
            campus.export(*fees(100 * night, 4))
            assert campus.charges()["outcome"] == "completed"
            campus.later(days=1)
        campus.export(*fees(1000, 1))
        small = campus.charges()
        assert small["outcome"] == "completed" and "usual is 4 records" in small["warned"][0]
        campus.export(*fees(2000, 9))
        assert campus.charges()["outcome"] == "held"
        (one,) = open_ones(campus)
        assert "the volume is 9 records, usual is 4 records; the limit is at most 8 records" in one.trips[0].words


# ---- files


BAD = [Fee(str(one), 100, "X-77") for one in range(900, 906)]


def test_d01_six_of_sixteen_unreadable_stop_the_file_and_after_approval_it_is_read(campus: Campus) -> None:
    path = campus.export(*fees(1, 10), *BAD)
    summary = campus.charges()
    assert summary["outcome"] == "held" and campus.places() == {} and campus.codes() == []
    assert "6 of 16 records cannot be read; the limit is 5" in summary["held"][0]
    assert path.exists() and campus.charges()["deliveries"][0]["state"] == "held"
    assert campus.credits()["outcome"] == "held", "the other flow that reads these files does not either"
    says(campus, 1, "Imre")
    done = campus.charges()
    assert [one["state"] for one in done["deliveries"]] == ["read", "repeat"] and not path.exists()
    assert done["sent"] == {"count": 10, "cents": 5000} and campus.codes() == ["account_form"] * 6
    assert campus.charges()["outcome"] == "nothing_to_do" and campus.unexplained() == 0


def test_d01_an_approved_file_is_read_from_the_vault_when_it_is_gone(campus: Campus) -> None:
    path = campus.export(*fees(1, 10), *BAD)
    campus.charges()
    path.unlink()
    assert campus.charges()["outcome"] == "nothing_to_do"
    says(campus, 1, "Imre")
    assert campus.charges()["sent"]["count"] == 10


def test_d01_a_rejected_file_stays_refused(campus: Campus) -> None:
    path = campus.export(*fees(1, 10), *BAD)
    campus.charges()
    assert "stays unread" in says(campus, 1, "Imre", "reject")
    again = campus.charges()
    assert again["outcome"] == "completed_with_exceptions" and again["deliveries"][0]["state"] == "refused" and path.exists()
    assert campus.places() == {} and open_ones(campus) == []


def test_d01_five_are_as_before(campus: Campus) -> None:
    campus.export(*fees(1, 2), *BAD[:5])
    assert campus.charges()["outcome"] == "completed_with_exceptions"
    assert campus.codes() == ["account_form"] * 5


def test_h01_an_empty_statement_of_everything_is_not_read(campus: Campus) -> None:
    """A list of all that is open, as a parking office sends it: here the library's channel stands for it."""
    campus.export(*fees(1, 3), name="all-1.xml")
    assert _as_statements(campus)["outcome"] == "completed"
    campus.later(hours=1)
    campus.export(name="all-2.xml")
    summary = _as_statements(campus)
    assert summary["outcome"] == "held" and "an empty file is no evidence" in summary["held"][0]
    (one,) = open_ones(campus)
    assert (one.kind, one.file, [trip.code for trip in one.trips]) == ("file", "all-2.xml", ["empty"])
    campus.later(hours=1)
    says(campus, one.id, "Imre")
    assert _as_statements(campus)["outcome"] == "completed", "read as it is, because a person says that it is true"


def test_a_stale_statement_is_held(campus: Campus) -> None:
    campus.export(*fees(1, 3))
    campus.later(hours=27)
    summary = _as_statements(campus)
    assert "27 hours ago; the limit is 26 hours" in summary["held"][0]


def _as_statements(campus: Campus) -> Summary:
    """library-charges with an export that counts as a statement of all that is true."""
    with _whole(campus) as flow:
        return run_flow(campus.begun("library-charges"), flow)


@contextmanager
def _whole(campus: Campus) -> Iterator[Flow]:
    flow = library_flow(
        "library-charges", campus.settings, lambda connection, folder, clear: FolderEndpoint(_path(campus, connection) / folder, clear=clear)
    )
    (channel,) = flow.facts
    assert channel.guard is not None
    yield replace(flow, facts=(replace(channel, guard=replace(channel.guard, whole=True)),))


def _path(campus: Campus, connection: str) -> Path:
    return campus.folder / {"library": "alma", "district": "peoplesoft"}[connection]


# ---- I11


PEOPLE = ("Imre", "imre", " IMRE", "Noor", "Wanjiru")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["export", "approve", "reject"]), st.sampled_from(PEOPLE), st.integers(1, 5)), max_size=14))
def test_i11_no_batch_beyond_the_limit_leaves_without_two_different_people(story: list[tuple[str, str, int]]) -> None:
    with campus_in_memory(limited('total = { max = "12.00" }')) as campus:
        for number, (deed, actor, size) in enumerate(story):
            if deed == "export":
                campus.export(*fees(100 * number + 1, size))
            for one in [one for one in open_ones(campus) if deed != "export" and one.state == "held"]:
                try:
                    says(campus, one.id, actor, deed)
                except Refused:
                    continue
            campus.later(minutes=10)
            campus.charges()
            assert campus.unexplained() == 0
        with campus.books() as books:
            for cents, at in books.rows("select cents, sealed_at from batch"):
                approved = books.rows(
                    "select g.numbers, count(distinct v.actor_key) from guarded g join guard_vote v on v.guarded_id = g.id "
                    "where g.state = 'carried' and g.closed_at = :at and v.verdict = 'approve' group by g.id, g.numbers",
                    at=at,
                )
                assert cents <= 1200 or [1 for numbers, people in approved if people >= 2 and json.loads(numbers)["cents"] >= cents]
