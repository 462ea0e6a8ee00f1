"""An invented run of parking holds with something of everything, one in which nothing changed, and one that was held."""

from dataclasses import replace

from bursarbridge.flows.hold_facts import HoldFacts, Told
from bursarbridge.ledger.guards import Trip
from bursarbridge.store.guarded import Guarded, Vote
from bursarbridge.store.hold_reports import DocumentView, HoldRun, StuckLine, ToldLine
from bursarbridge.store.indicators import Difference

RUN = "parking-holds-20261117-0530-1"
AT = "2026-11-17T13:30:00Z"


def summary(**told: object) -> dict[str, object]:
    """A run's own summary; `told` is what differs from a run that did nothing."""
    counts = dict.fromkeys(("added", "changed", "released", "repeated", "held", "overtaken", "confirmed", "stuck", "theirs"), 0)
    standing = [{"code": "PRK", "reason": "PKCIT", "count": 118, "cents": 842_150}]
    more = {"active": 118, "standing": standing, "differences": {}, "stale": False, "reasons": [], "words": []}
    return {"deliveries": [], "files": [], "holds": {**counts, **more, **told}}


def added(number: int, account: str, cents: int, before: int = 0, category: str = "NOPERMIT", since_on: str = "2026-10-03") -> Told:
    """One person in Holds Added."""
    verb = "change" if before else "place"
    because = f"${cents / 100:.2f} is open in 1 item"
    line = ToldLine(
        number, account, f"PH0000{number}", verb, cents, before, "PRK", "PKCIT", because, category, since_on, False, False, "sent", ""
    )  # fmt: skip
    return Told(line, category, 1, since_on)


def released(number: int, account: str, before: int, cause: str, confirmed_at: str = "", state: str = "sent") -> Told:
    """One person in Holds Released."""
    because = "nothing is owed any more"
    line = ToldLine(
        number, account, f"PH0000{number}", "release", 0, before, "PRK", "PKCIT", because, "", "", cause.startswith("by hand"), False, state,
        confirmed_at,
    )  # fmt: skip
    return Told(line, cause)


QUIET = HoldFacts(
    run=HoldRun(41, RUN, "parking-holds", AT, "nothing_to_do", summary(), newest=True),
    source="parking",
    code=("PRK", "PKCIT"),
    several=False,
    totals={},
    added=(),
    released=(),
    stuck=(),
    documents=(),
    differences=(),
    held=(),
    evidence_at="2026-11-17T13:12:00Z",
)

RICH = replace(
    QUIET,
    run=QUIET.run._replace(
        outcome="completed_with_exceptions",
        summary=summary(added=4, changed=1, released=4, repeated=1, confirmed=11, stuck=2, theirs=1, differences={"missing": 1}),
    ),
    totals={("PRK", "PKCIT", "place"): (4, 19_500), ("PRK", "PKCIT", "change"): (1, 9_500), ("PRK", "PKCIT", "release"): (4, 0)},
    added=(
        added(311, "1042317", 5_500),
        added(312, "1050881", 3_500, category="EXPIRED METER", since_on="2026-11-02"),
        added(188, "0098120", 9_500, before=4_000, since_on="2026-08-30"),
        added(313, "1061730", 6_500, category="FIRE LANE", since_on="2026-10-28"),
        added(314, "1063305", 4_000, since_on="2026-11-01"),
    ),
    released=(
        released(201, "1077001", 4_000, "paid"),
        released(202, "1033912", 8_500, "appeal granted, or void"),
        released(203, "1044870", 2_500, "waived"),
        released(204, "1049333", 12_000, "by hand: R. Diaz, until Nov 20, 2026"),
    ),
    stuck=(
        StuckLine("1021188", "PH0000144", "release", 6_000, "2026-11-15T13:30:00Z", "2026-11-16T02:30:00Z", "HOLDS_RELEASED_000112.dat", 0, ""),
        StuckLine("98765432109", "PH0000300", "unwritten", 4_000, "2026-11-16T13:30:00Z", "", "", 17, "too wide"),
    ),
    documents=(
        DocumentView("HOLDS_ADDED_000113.dat", "holds_added", "SENT", 5, 29_000, AT, "2026-11-18T02:30:00Z", "", False, "read_back"),
        DocumentView("HOLDS_RELEASED_000114.dat", "holds_released", "SENT", 5, 0, AT, "2026-11-18T02:30:00Z", "", False, "read_back"),
    ),
    differences=(Difference("1088123", "theirs", 0, 2_500),),
)

VOLUME = Trip("volume", "412 to be told of, usual 21", "412 holds would be told of; the usual is 9 to 21", "hold", 2)
STOPPED = Guarded(
    7, "parking-holds", "plan", "held", 2, (VOLUME,), {"active": 118, "to_place": 412, "to_change": 0, "to_release": 0, "cents": 1_648_000}, AT, 0,
    "", (Vote("I. Nagy", "approve", "first week of term", "2026-11-17T14:00:00Z"),),
)  # fmt: skip

HELD_RUN = replace(
    QUIET,
    run=QUIET.run._replace(outcome="held", summary={**summary(held=412, reasons=[VOLUME.words]), "held": [VOLUME.words]}),
    held=(STOPPED,),
)
