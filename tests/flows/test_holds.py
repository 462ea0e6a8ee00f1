"""Holds, end to end: what is owed becomes Holds Added and Holds Released, never by mistake (reliability.md D12, D16, D22, H11, I7, I8)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bursarbridge.errors import Refused
from bursarbridge.flows.hold_desk import explain, release_by_hand
from bursarbridge.store import hold_views, views
from tests.curb import Curb, counts, parking


@pytest.fixture
def curb() -> Iterator[Curb]:
    """A parking office."""
    with parking() as made:
        yield made


def placed(curb: Curb, *accounts: str) -> None:
    """These people owe 40.00 each, and their holds stand at the bursar's."""
    curb.owes(*((f"V-{account}", account, 4000) for account in accounts))
    curb.run()
    curb.told()
    curb.bursar_loads()
    curb.later(hours=1)
    curb.run()
    assert curb.told() == []


def test_a_hold_is_placed_changed_and_released(curb: Curb) -> None:
    curb.owes(("V1", "0012345", 4000), ("V2", "0012346", 1500))
    ran = curb.run()
    assert (ran["outcome"], counts(ran)) == ("completed", {"added": 2})
    assert curb.told() == ["place 0012345 4000", "place 0012346 1500"]
    curb.bursar_loads()
    curb.later(days=1)
    curb.owes(("V3", "0012345", 1000), ("V2", "0012346", 0))
    assert counts(curb.run()) == {"confirmed": 2, "changed": 1, "released": 1}
    assert curb.told() == ["change 0012345 5000", "release 0012346 0"]
    assert curb.states() == {"0012345": ("change", 5000, ""), "0012346": ("release", 0, "")}
    with curb.books() as books:
        assert views.unexplained_cents(books) == 0


def test_a_run_with_nothing_new_does_nothing(curb: Curb) -> None:
    placed(curb, "0012345")
    curb.later(days=1)
    ran = curb.run()
    assert (ran["outcome"], counts(ran)) == ("nothing_to_do", {})


def test_d12_a_partial_payment_is_an_update_in_added(curb: Curb) -> None:
    curb.policy = replace(curb.policy, threshold_cents=3000)
    placed(curb, "0012345")
    curb.owes(("V-0012345", "0012345", 1))
    curb.run()
    assert curb.told() == ["change 0012345 1"]


def test_d16_a_reversed_payment_brings_the_hold_back(curb: Curb) -> None:
    placed(curb, "0012345")
    curb.owes(("V-0012345", "0012345", 0))
    curb.run()
    assert curb.told() == ["release 0012345 0"]
    curb.bursar_loads()
    curb.later(days=1)
    curb.owes(("V-0012345", "0012345", 4000))
    curb.run()
    assert curb.told() == ["place 0012345 4000"]
    curb.bursar_loads()
    assert list(curb.at_bursar) == ["0012345"]


def test_d22_a_disputed_violation_places_nothing_and_lifts_a_hold_by_policy(curb: Curb) -> None:
    curb.owes(("V1", "0012345", 4000), status="disputed")
    assert counts(curb.run()) == {}
    curb.owes(("V1", "0012345", 4000))
    curb.run()
    curb.owes(("V1", "0012345", 4000), status="disputed")
    curb.later(minutes=1)
    curb.run()
    assert curb.told() == ["place 0012345 4000", "release 0012345 0"]


def test_d34_an_exempt_kind_of_person_is_not_held(curb: Curb) -> None:
    curb.policy = replace(curb.policy, exempt_types=("DECEASED",))
    curb.owes(("V1", "0012345", 4000), user_type="DECEASED")
    curb.owes(("V2", "0012346", 4000))
    curb.run()
    assert curb.told() == ["place 0012346 4000"]


def test_a_release_is_repeated_until_it_is_confirmed(curb: Curb) -> None:
    placed(curb, "0012345")
    curb.owes(("V-0012345", "0012345", 0))
    curb.run()
    for _night in range(3):
        curb.later(hours=5)
        assert counts(curb.run())["repeated"] == 1
    assert curb.told() == ["release 0012345 0"] * 4
    with curb.books() as books:
        (one,) = hold_views.board(books)
        assert one.stuck, "expected after thirteen hours, and fifteen have passed since it was told first"
    curb.bursar_loads()
    curb.later(days=1)
    assert counts(curb.run()) == {"confirmed": 1}
    assert curb.states()["0012345"] == ("release", 0, "assumed")
    assert [one.state for one in curb.campus.batches()] == ["POSTED"] * 5


def test_grace_passes_without_a_file(curb: Curb) -> None:
    curb.policy = replace(curb.policy, grace_days=2)
    curb.owes(("V1", "0012345", 4000), since="2026-08-02")
    curb.run()
    assert curb.told() == []
    curb.later(days=1)
    curb.run()
    assert curb.told() == []
    curb.later(days=1)
    curb.run()
    assert curb.told() == ["place 0012345 4000"]


def test_after_exempt_dates_the_holds_are_placed(curb: Curb) -> None:
    curb.policy = replace(curb.policy, exempt=(("2026-08-01", "2026-08-03"),))
    curb.owes(("V1", "0012345", 4000))
    curb.run()
    curb.later(days=1)
    curb.run()
    assert curb.told() == []
    curb.later(days=1)
    curb.run()
    assert curb.told() == ["place 0012345 4000"]


def test_stale_evidence_places_nothing_and_fresh_evidence_catches_up(curb: Curb) -> None:
    curb.owes(("V1", "0012345", 4000))
    curb.later(days=5)
    ran = curb.run()
    assert ran["holds"]["stale"] and curb.told() == []
    curb.owes()
    curb.run()
    assert curb.told() == ["place 0012345 4000"]


def test_a_guard_keeps_a_plan_and_an_approved_one_carries_on(curb: Curb) -> None:
    curb.gate.most = 1
    curb.owes(("V1", "0012345", 4000), ("V2", "0012346", 1500), ("V3", "0012347", 700))
    ran = curb.run()
    assert (ran["outcome"], counts(ran), curb.told()) == ("held", {"held": 3}, [])
    assert ran["holds"]["reasons"] == ["3 holds would be told of, limit 1"]
    assert curb.states() == {}
    curb.later(hours=1)
    curb.owes(("V2", "0012346", 0), ("V3", "0012347", 800))
    curb.gate.yes = True
    ran = curb.run()
    assert counts(ran) == {"added": 2, "overtaken": 2}
    assert curb.told() == ["place 0012345 4000", "place 0012347 800"], "as the evidence is today"


def test_a_newer_plan_takes_the_place_of_one_that_waits(curb: Curb) -> None:
    curb.gate.most = 1
    curb.owes(("V1", "0012345", 4000), ("V2", "0012346", 1500))
    curb.run()
    curb.later(hours=1)
    curb.owes(("V1", "0012345", 0))
    ran = curb.run()
    assert (counts(ran), curb.told()) == ({"added": 1}, ["place 0012346 1500"])


def test_h11_one_person_is_released_by_one_person_whatever_a_guard_says(curb: Curb) -> None:
    placed(curb, "0012345", "0012346", "0012347")
    curb.gate.most = 0
    curb.owes(("V-0012346", "0012346", 0))
    with curb.books() as books:
        said = release_by_hand(books, curb.flow(), "0012345", "R. Diaz", "registers today", curb.today, "2026-08-04")
        assert "$40.00 goes with the next run" in said
        with pytest.raises(Refused, match="reason"):
            release_by_hand(books, curb.flow(), "0012345", "R. Diaz", " ", curb.today, "2026-08-04")
        with pytest.raises(Refused, match="before it begins"):
            release_by_hand(books, curb.flow(), "0012345", "R. Diaz", "x", curb.today, "2026-08-01")
        with pytest.raises(Refused, match="check the number"):
            release_by_hand(books, curb.flow(), "9999999", "R. Diaz", "x", curb.today, "2026-08-04")
    ran = curb.run()
    assert (ran["outcome"], counts(ran)) == ("held", {"released": 1, "held": 1})
    assert curb.told() == ["release 0012345 0"]
    assert curb.gate.judged[-1].to_release == 1, "the guard does not count it"
    curb.gate.most = 10
    curb.bursar_loads()
    curb.later(days=1)
    curb.run()
    assert curb.told() == ["release 0012346 0"], "while the order runs what is open places no hold"
    with curb.books() as books:
        assert [(one.actor, one.reason, one.until_on) for one in hold_views.orders(books, "0012345")] == [
            ("R. Diaz", "registers today", "2026-08-04")
        ]
    curb.bursar_loads()
    curb.later(days=2)
    curb.run()
    assert curb.told() == ["place 0012345 4000"], "the order has ended"


def test_the_bursars_list_repairs_what_got_lost(curb: Curb) -> None:
    placed(curb, "0012345", "0012346", "0012347")
    curb.owes(("V-0012345", "0012345", 0), ("V-0012346", "0012346", 100), ("V-9", "0012348", 900))
    curb.run()
    assert curb.told() == ["change 0012346 100", "place 0012348 900", "release 0012345 0"]
    curb.bursar_loses()
    curb.later(hours=1)
    curb.lists("0099999 PRK PKCIT 500", "0012347 LIB FINES 100")
    ran = curb.run()
    assert curb.told() == ["change 0012346 100", "place 0012348 900", "release 0012345 0"]
    assert ran["holds"]["theirs"] == 1
    curb.bursar_loads()
    curb.later(hours=1)
    curb.lists("0099999 PRK PKCIT 500")
    curb.run()
    assert curb.told() == [], "it is as it was told, and what is not ours stays"
    assert {state[2] for state in curb.states().values()} == {"seen"}


def test_a_list_drawn_before_our_delivery_proves_nothing(curb: Curb) -> None:
    placed(curb, "0012345")
    curb.lists()
    curb.owes(("V-0012345", "0012345", 0))
    curb.later(minutes=1)
    curb.run()
    assert curb.told() == ["release 0012345 0"]
    assert curb.states()["0012345"] == ("release", 0, "")


def test_h01_an_empty_list_confirms_no_release(curb: Curb) -> None:
    curb.confirmed_by = "snapshot"
    curb.owes(("V1", "0012345", 4000), ("V2", "0012346", 4000))
    curb.run()
    curb.bursar_loads()
    curb.later(hours=1)
    curb.owes(("V1", "0012345", 0))
    curb.run()
    curb.bursar_loads()
    curb.later(hours=1)
    curb.lists(without=("0012346",))
    ran = curb.run()
    assert curb.states()["0012345"] == ("release", 0, "") and "confirms no release" in ran["holds"]["words"][0]
    curb.bursar_loads()
    curb.later(hours=1)
    curb.lists()
    curb.run()
    assert curb.states() == {"0012345": ("release", 0, "seen"), "0012346": ("place", 4000, "seen")}


def test_a_hold_that_somebody_else_places_after_our_release_is_theirs(curb: Curb) -> None:
    placed(curb, "0012345", "0012346")
    curb.owes(("V-0012345", "0012345", 0))
    curb.run()
    curb.bursar_loads()
    curb.later(hours=1)
    curb.lists()
    curb.run()
    curb.told()
    curb.later(hours=1)
    curb.lists("0012345 PRK PKCIT 7700")
    ran = curb.run()
    assert (curb.told(), ran["holds"]["theirs"]) == ([], 1)


def test_a_new_hold_code_releases_the_old_hold_first(curb: Curb) -> None:
    placed(curb, "0012345")
    curb.policy = replace(curb.policy, code="PKG")
    curb.run()
    assert curb.told() == ["release 0012345 0"]
    curb.later(minutes=1)
    curb.run()
    assert curb.told() == ["release 0012345 0"], "nobody has two while the first is not known to be gone"
    curb.bursar_loads()
    curb.later(minutes=1)
    curb.run()
    assert curb.told() == ["place 0012345 4000"]


def test_everybody_is_decided_when_asked(curb: Curb) -> None:
    placed(curb, "0012345", "0012346")
    with curb.books() as books:
        books.do("update violation set cents = 1 where account = '0012346'")
    assert counts(curb.run()) == {}
    curb.everybody = True
    curb.run()
    assert curb.told() == ["change 0012346 1"]


def test_a_line_that_cannot_be_written_waits_and_the_rest_goes(curb: Curb) -> None:
    curb.owes(("V1", "00123456789", 4000), ("V2", "0012346", 1500))
    ran = curb.run()
    assert (ran["outcome"], curb.told(), curb.campus.codes()) == ("completed_with_exceptions", ["place 0012346 1500"], ["too_wide"])
    assert ran["holds"]["stuck"] == 1
    curb.later(minutes=1)
    curb.owes(("V1", "00123456789", 0))
    curb.run()
    assert curb.told() == [] and curb.campus.codes() == []


def test_everybodys_hold_is_explained(curb: Curb) -> None:
    def said(account: str) -> str:
        with curb.books() as books:
            return explain(books, curb.flow(), account, curb.today).verdict

    assert said("0012345") == "No parking hold is on: nothing is owed any more."
    curb.owes(("V1", "0012345", 4000))
    assert said("0012345").startswith("No parking hold is on yet: $40.00 is open in 1 item; one of $40.00 is placed with the next run")
    curb.run()
    assert said("0012345").startswith("A parking hold of $40.00 is on (not confirmed yet, told Sun Aug 2, 7:00 PM PDT)")
    curb.owes(("V1", "0012345", 0))
    assert said("0012345").endswith("nothing is owed any more; it is released with the next run.")
    curb.run()
    assert "its release is not confirmed yet" in said("0012345")
