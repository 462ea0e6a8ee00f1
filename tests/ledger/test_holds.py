"""The hold policy as a table: what is open and what was told -> what is done, and why."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursarbridge.ledger.holds import Decision, OpenItem, Override, Policy, Today, Told, Verb, decide

TODAY = Today("2026-11-17")
POLICY = Policy("PRK", "PKCIT")
OLD = OpenItem("V1", "NOPERMIT", "STUDENT", "2026-10-01", 4000)
NEW = OpenItem("V2", "METER", "STUDENT", "2026-11-16", 1500)
DISPUTED = OLD._replace(reference="V3", disputed=True)
ON = Told("place", 4000, "2026-11-10T02:00:00Z", "2026-11-09", "PRK", "PKCIT", "seen")
OFF = Told("release", 0, "2026-11-12T02:00:00Z", "2026-11-11", "PRK", "PKCIT", "seen")
NEVER = Told()


def done(policy: Policy, items: list[OpenItem], told: Told, today: Today = TODAY, override: Override | None = None) -> tuple[str, int]:
    """Verb and amount."""
    said = decide(policy, items, told, today, override)
    assert (said.because and said.because[0].islower()) or said.because.startswith("$"), said.because
    return said.verb.value, said.cents


@pytest.mark.parametrize(
    ("told", "items", "wanted"),
    [
        (NEVER, [], ("none", 0)),
        (NEVER, [OLD], ("place", 4000)),
        (NEVER, [OLD, NEW], ("place", 5500)),
        (ON, [OLD], ("none", 4000)),
        (ON, [OLD, NEW], ("change", 5500)),
        (ON, [OLD._replace(cents=1)], ("change", 1)),
        (ON, [], ("release", 0)),
        (OFF, [], ("none", 0)),
        (OFF, [OLD], ("place", 4000)),
        (OFF._replace(confirmed=""), [], ("release", 0)),
        (OFF._replace(confirmed="assumed"), [], ("none", 0)),
        (OFF._replace(confirmed="assumed", repair="still"), [], ("release", 0)),
        (OFF._replace(confirmed=""), [OLD], ("place", 4000)),
        (ON._replace(repair="missing"), [OLD], ("place", 4000)),
        (ON._replace(repair="amount"), [OLD], ("change", 4000)),
        (ON._replace(code="OLD"), [OLD], ("release", 0)),
        (OFF._replace(code="OLD", confirmed=""), [OLD], ("release", 0)),
        (OFF._replace(code="OLD"), [OLD], ("place", 4000)),
    ],
)
def test_what_is_owed_against_what_was_told(told: Told, items: list[OpenItem], wanted: tuple[str, int]) -> None:
    assert done(POLICY, items, told) == wanted


def test_d12_a_partial_payment_changes_the_hold_and_only_nothing_releases_it() -> None:
    policy = replace(POLICY, threshold_cents=30000)
    told = ON._replace(cents=35000)
    assert done(policy, [OLD._replace(cents=35000)], NEVER) == ("place", 35000)
    assert done(policy, [OLD._replace(cents=29999)], told) == ("change", 29999)
    assert done(policy, [OLD._replace(cents=1)], told) == ("change", 1)
    assert done(policy, [], told) == ("release", 0)
    assert done(policy, [OLD._replace(cents=29999)], NEVER) == ("none", 0)
    assert "below the limit of $300.00" in decide(policy, [OLD._replace(cents=29999)], NEVER, TODAY).because


def test_grace_is_for_the_first_hold_and_everything_open_is_in_it() -> None:
    policy = replace(POLICY, grace_days=14)
    assert done(policy, [NEW], NEVER) == ("none", 0)
    assert done(policy, [OLD, NEW], NEVER) == ("place", 5500)
    assert done(policy, [OLD, NEW], ON) == ("change", 5500)
    assert done(policy, [NEW], NEVER, Today("2026-11-29")) == ("none", 0)
    assert done(policy, [NEW], NEVER, Today("2026-11-30")) == ("place", 1500)
    assert done(policy, [NEW._replace(since_on="")], NEVER) == ("none", 0)
    assert done(POLICY, [NEW._replace(since_on="2026-11-18")], NEVER) == ("none", 0)


def test_d16_what_is_owed_again_after_a_release_holds_again_after_the_notice() -> None:
    assert done(POLICY, [OLD], OFF) == ("place", 4000)
    policy = replace(POLICY, notice_days=5)
    first = decide(policy, [OLD], OFF, TODAY)
    assert (first.verb, first.reopened_on) == (Verb.NONE, "2026-11-17")
    seen = OFF._replace(reopened_on=first.reopened_on)
    assert done(policy, [OLD], seen, Today("2026-11-21")) == ("none", 0)
    assert done(policy, [OLD], seen, Today("2026-11-22")) == ("place", 4000)
    assert done(policy, [OLD, NEW], seen, TODAY) == ("place", 5500), "what is new since the release needs no notice"
    assert decide(policy, [], seen, TODAY).reopened_on == ""


@pytest.mark.parametrize(
    ("disputed", "told", "items", "wanted"),
    [
        ("wait", NEVER, [DISPUTED], ("none", 0)),
        ("count", NEVER, [DISPUTED], ("none", 0)),
        ("wait", NEVER, [DISPUTED, NEW], ("place", 1500)),
        ("count", NEVER, [DISPUTED, NEW], ("place", 5500)),
        ("wait", ON, [DISPUTED], ("release", 0)),
        ("count", ON, [DISPUTED], ("none", 4000)),
        ("wait", ON, [OLD, DISPUTED], ("none", 4000)),
        ("count", ON, [OLD, DISPUTED], ("change", 8000)),
    ],
)
def test_d22_a_disputed_violation_places_no_hold_and_an_existing_one_follows_the_policy(
    disputed: str, told: Told, items: list[OpenItem], wanted: tuple[str, int]
) -> None:
    assert done(replace(POLICY, disputed=disputed), items, told) == wanted


def test_d34_people_of_an_exempt_kind_are_never_held() -> None:
    for policy in (replace(POLICY, exempt_types=("DECEASED", "EMPLOYEE")), replace(POLICY, user_types=("STUDENT",))):
        for kind in ("DECEASED", "EMPLOYEE"):
            one = OLD._replace(user_type=kind)
            assert done(policy, [one], NEVER) == ("none", 0)
            assert done(policy, [one], ON) == ("release", 0)
            assert kind in decide(policy, [one], NEVER, TODAY).because
        assert done(policy, [OLD], NEVER) == ("place", 4000)


def test_in_exempt_dates_nothing_is_placed_and_the_rest_goes_on() -> None:
    policy = replace(POLICY, exempt=(("2026-11-10", "2026-11-17"),))
    assert done(policy, [OLD], NEVER) == ("none", 0)
    assert "until Nov 17, 2026" in decide(policy, [OLD], NEVER, TODAY).because
    assert done(policy, [OLD], NEVER, Today("2026-11-18")) == ("place", 4000)
    assert done(policy, [OLD, NEW], ON) == ("change", 5500)
    assert done(policy, [], ON) == ("release", 0)
    assert done(policy, [OLD], ON._replace(repair="missing")) == ("none", 4000)


def test_stale_evidence_places_and_raises_nothing() -> None:
    stale = Today("2026-11-17", stale=True)
    assert done(POLICY, [OLD], NEVER, stale) == ("none", 0)
    assert done(POLICY, [OLD, NEW], ON, stale) == ("none", 5500)
    assert done(POLICY, [OLD], ON._replace(repair="missing"), stale) == ("none", 4000)
    assert done(POLICY, [NEW], ON, stale) == ("change", 1500)
    assert done(POLICY, [], ON, stale) == ("release", 0), "that nothing is owed was said by evidence, whenever it came"


def test_f12_a_transcript_hold_is_refused_unless_it_is_switched_on() -> None:
    policy = replace(POLICY, impact="transcript")
    assert done(policy, [OLD], NEVER) == ("none", 0)
    assert done(policy, [OLD], ON) == ("release", 0)
    assert done(replace(policy, transcript_allowed=True), [OLD], NEVER) == ("place", 4000)


@pytest.mark.parametrize(("speaks_for", "reference"), [("oldest", "V1"), ("newest", "V2"), ("largest", "V1"), ("first", "V2")])
def test_who_speaks_for_the_person(speaks_for: str, reference: str) -> None:
    said = decide(replace(POLICY, speaks_for=speaks_for), [NEW, OLD], NEVER, TODAY)
    assert said.speaking is not None and said.speaking.reference == reference


def test_what_is_left_out_counts_for_nothing() -> None:
    policy = replace(POLICY, left_out=("METER",))
    assert done(policy, [NEW], NEVER) == ("none", 0)
    assert done(policy, [OLD, NEW], NEVER) == ("place", 4000)
    assert done(policy, [NEW], ON) == ("release", 0)


def test_a_release_by_hand_runs_until_its_day_and_for_what_was_open() -> None:
    order = Override("2026-11-16T18:00:00Z", "2026-11-16", "2026-11-19", "R. Diaz", "registers today")
    said = decide(POLICY, [OLD, NEW], ON, TODAY, order)
    assert (said.verb, said.by_hand) == (Verb.RELEASE, True) and "R. Diaz until Nov 19, 2026: registers today" in said.because
    after = OFF._replace(at="2026-11-17T02:00:00Z", on="2026-11-16")
    assert done(POLICY, [OLD, NEW], after, TODAY, order) == ("none", 0)
    newer = OpenItem("V9", "METER", "STUDENT", "2026-11-17", 500)
    assert done(POLICY, [OLD, newer], after, TODAY, order) == ("place", 4500)
    placed = ON._replace(at="2026-11-17T04:00:00Z", cents=4500)
    assert done(POLICY, [OLD, newer], placed, TODAY, order) == ("none", 4500), "that hold came after the order"
    assert done(POLICY, [OLD, NEW], after, Today("2026-11-20"), order) == ("place", 5500)


CENTS = st.sampled_from([0, 100, 250])
DAYS = st.sampled_from(["", "2026-10-01", "2026-11-05", "2026-11-17", "2026-11-20"])
ITEMS = st.lists(
    st.builds(
        OpenItem, st.sampled_from("abc"), st.sampled_from(["METER", "LOST"]), st.sampled_from(["STUDENT", "STAFF", ""]), DAYS, CENTS, st.booleans()
    ),
    max_size=4,
)
POLICIES = st.builds(
    Policy,
    code=st.just("PRK"),
    reason=st.just("PKCIT"),
    threshold_cents=st.sampled_from([1, 200]),
    grace_days=st.sampled_from([0, 10]),
    notice_days=st.sampled_from([0, 5]),
    user_types=st.sampled_from([(), ("STUDENT",)]),
    exempt_types=st.sampled_from([(), ("STAFF",)]),
    left_out=st.sampled_from([(), ("LOST",)]),
    exempt=st.sampled_from([(), (("2026-11-17", "2026-11-18"),)]),
    disputed=st.sampled_from(["wait", "count"]),
    speaks_for=st.sampled_from(["oldest", "newest", "largest", "first"]),
    impact=st.sampled_from(["registration", "transcript"]),
    transcript_allowed=st.booleans(),
)
TOLDS = st.sampled_from([NEVER, ON, ON._replace(cents=100), ON._replace(repair="missing"), ON._replace(code="OLD"), OFF, OFF._replace(confirmed="")])
ORDERS = st.none() | st.just(Override("2026-11-16T18:00:00Z", "2026-11-16", "2026-11-17", "R. Diaz", "x"))


@settings(max_examples=400, deadline=None)
@given(POLICIES, ITEMS, TOLDS, st.booleans(), ORDERS)
def test_i7_what_was_told_is_not_decided_again_and_nothing_is_placed_against_the_policy(
    policy: Policy, items: list[OpenItem], told: Told, stale: bool, order: Override | None
) -> None:
    today = Today("2026-11-17", stale)
    said = decide(policy, items, told, today, order)
    counting = sum(item.cents for item in items if not item.disputed and item.category not in policy.left_out)
    if said.verb is Verb.PLACE:
        assert said.cents >= policy.threshold_cents and counting and not stale and not policy.exempt and said.speaking in items
    if said.verb is Verb.CHANGE:
        assert told.active and said.cents
    if said.verb is Verb.RELEASE and not said.by_hand:
        assert told.verb and (not told.active or told.code == "OLD" or policy.impact == "transcript" or _within(policy, items) == 0)
    after = _told(said, told, today)
    again = decide(policy, items, after, today, order)
    assert again.verb is Verb.NONE or (again.verb is Verb.PLACE and told.code == "OLD"), (said, again)


def _within(policy: Policy, items: list[OpenItem]) -> int:
    kinds = [one for one in items if one.category not in policy.left_out and one.user_type not in policy.exempt_types]
    kinds = [one for one in kinds if not policy.user_types or one.user_type in policy.user_types]
    return sum(one.cents for one in kinds if not (one.disputed and policy.disputed == "wait"))


def _told(said: Decision, told: Told, today: Today) -> Told:
    """What the store keeps once a decision was told and confirmed."""
    if said.verb is Verb.NONE:
        return told._replace(reopened_on=said.reopened_on)
    reopened = "" if said.verb is Verb.PLACE else said.reopened_on
    code = told.code if said.verb is Verb.RELEASE else "PRK"
    return Told(said.verb.value, said.cents, "2026-11-18T02:00:00Z", today.on, code, "PKCIT", "seen", "", reopened)
