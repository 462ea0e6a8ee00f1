"""What must hold of parking holds after every transaction, judged by a few lines of its own (reliability.md I2, I7, I8, I11).

The policy is written here a second time, from the books' violations and the settings; nothing of ledger.holds is asked.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from bursarbridge.config.holding import Holding
from bursarbridge.store import open_items
from bursarbridge.store.books import Books
from tests.garage import FLOW, OURS, THEIRS, ZONE, Garage

FACTS = {
    "hold_line": "plan_id, line_no, hold_id, verb, cents, code, reason, because, item, by_hand",
    "hold_release": "id, account, actor, reason, at, released_on, until_on",
    "violation_past": "violation_id, account, cents, status, as_of, until_delivery_id",
    "guard_vote": "guarded_id, actor_key, verdict, at",
    "guard_history": "id, subject, kind, line_count, cents",
}
STRANGER = "9900001"
"""Somebody with a hold of our code that an office placed by hand; parking has never heard of them."""


class Owed(NamedTuple):
    """One person's debts as a policy counts them."""

    stays: int
    """What a hold that is on must say; 0 ends it."""
    calls: int
    """What places a new one."""


NOTHING = Owed(0, 0)


class HoldWorld:
    """A garage, with what was seen of its books before."""

    def __init__(self, garage: Garage) -> None:
        self.garage = garage
        garage.committed = self.committed
        self.lines: set[tuple[int, int]] = set()
        """The lines (plan and number) that had left before."""
        self.seen: dict[str, dict[tuple[object, ...], tuple[object, ...]]] = {table: {} for table in FACTS}
        self.active = 0
        """How many holds were on when the last transaction was committed."""
        self.evaluated_with = garage.text
        """The settings of the last plan."""

    @property
    def holding(self) -> Holding:
        """The policy as the settings say it now."""
        return self.garage.settings.holds[0]

    def committed(self, step: str) -> None:
        """Everything that must hold when a transaction has just been committed."""
        moment = self.garage.moment.astimezone(ZONE)
        with self.garage.books() as books:
            self._leaving(books, moment)
            if step == "plan":
                self.evaluated_with = self.garage.text
                self._as_the_policy_says(books, moment)
            self._release_is_meant(books, moment)
            self._only_added(books)
            self.active = _active(books)

    def check(self) -> None:
        """What must hold between runs."""
        with self.garage.books() as books:
            left = len(self.lines)
            self._leaving(books, self.garage.now)
            assert len(self.lines) == left, "something left outside of a run"
            self._release_is_meant(books, self.garage.now)
            self._only_added(books)
            twice = books.rows("select sealed_run, hold_id from hold_line where sealed_run is not null group by 1, 2 having count(*) > 1")
            assert twice == [], "somebody is in both files of a run"
            held = books.one(
                "select count(*) from hold_line l join hold_plan p on p.id = l.plan_id where p.state = 'held' and l.sealed_run is not null"
            )
            assert held == 0, "something of a plan left that waits for people"
        self._others_are_untouched()

    # ---- what leaves

    def _leaving(self, books: Books, moment: datetime) -> None:
        """I7 and I11 of each line that left since the last look; it was sealed in the transaction that was just committed."""
        found = books.rows(
            "select l.plan_id, l.line_no, h.account, l.verb, l.cents, l.by_hand, l.again, l.code, l.reason from hold_line l "
            "join hold h on h.id = l.hold_id where l.sealed_run is not null order by 1, 2"
        )
        fresh = [row for row in found if (row[0], row[1]) not in self.lines]
        self.lines |= {(row[0], row[1]) for row in found}
        if not fresh:
            return
        holding, now, today = self.holding, owed(books, self.holding, _day(moment)), _day(moment)
        stale = is_stale(books, holding, moment)
        for plan, _line, account, verb, cents, by_hand, again, code, reason in fresh:
            mine, ours = now.get(account, NOTHING), (code, reason) == (holding.code, holding.reason)
            if verb == "release":
                assert by_hand or again or not mine.stays or not ours, f"I7: {account} still owes {mine} and is released"
                continue
            assert ours and cents == mine.stays, f"I7: {account} is told {cents}, owes {mine}"
            if verb == "place":
                assert not stale and not exempt(holding, today), f"I7: a hold on {account} on old evidence, or on an exempt date"
                assert self._repair(books, account, plan) or mine.calls >= holding.threshold_cents, f"I7: {account} is held for {mine}"
        self._guarded(books, {row[0] for row in fresh if not row[5] and not row[6]})

    def _guarded(self, books: Books, plans: set[int]) -> None:
        """I11: a plan beyond a limit left only because enough different people approved it."""
        limits = next(one for one in self.garage.settings.guards if one.name == FLOW)
        for plan in plans:
            rows = books.rows(
                "select verb, count(*) from hold_line where plan_id = :p and by_hand = 0 and again = 0 and sealed_run is not null group by verb",
                p=plan,
            )
            sent = {str(verb): int(count) for verb, count in rows}
            if sent.get("release", 0) > limits.releases.limit(self.active) or sent.get("place", 0) > limits.placements.limit(self.active):
                asked = books.rows(
                    "select count(distinct v.actor_key) from guarded g join guard_vote v on v.guarded_id = g.id where g.kind = 'plan' "
                    "and g.state = 'carried' and v.verdict = 'approve' group by g.id order by g.id desc"
                )
                assert asked and int(asked[0][0]) >= 2, f"I11: {sent} of {self.active} left without two people"

    def _repair(self, books: Books, account: str, plan: int) -> bool:
        """Whether the hold was on before: it is told once more, because the bursar's list lacks it."""
        rows = books.rows(
            "select l.verb from hold_line l join hold h on h.id = l.hold_id where h.account = :a and l.sealed_run is not null and l.plan_id < :p "
            "order by l.plan_id desc limit 1",
            a=account,
            p=plan,
        )
        return bool(rows) and rows[0][0] in ("place", "change")

    # ---- what stands

    def _as_the_policy_says(self, books: Books, moment: datetime) -> None:
        """I7: after a cycle nobody's hold differs from the policy, but for what waits for people, or leaves with the next run."""
        holding, now = self.holding, owed(books, self.holding, _day(moment))
        told = {
            str(row[0]): (str(row[1]), int(row[2]), str(row[3]))
            for row in books.rows("select account, verb, cents, code || ' ' || reason from hold where verb <> ''")
        }
        later = {str(row[0]) for row in books.rows("select account from hold_touched")}
        later |= {str(row[0]) for row in books.rows("select h.account from hold_line l join hold h on h.id = l.hold_id where l.state = 'planned'")}
        ours = f"{holding.code} {holding.reason}"
        stale, nobody_new = is_stale(books, holding, moment), exempt(holding, _day(moment))
        for account in (now.keys() | told.keys()) - later:
            verb, cents, code = told.get(account, ("", 0, ""))
            mine = now.get(account, NOTHING)
            if verb in ("place", "change"):
                right = mine.stays == cents or (stale and mine.stays > cents)
                assert right and code == ours, f"I7: {account} has a hold of {cents} {code}, owes {mine}\n{story_of(self.garage, account)}"
            elif mine.calls >= holding.threshold_cents and not stale and not nobody_new:
                waits = verb == "release" and (holding.notice_days or code != ours)
                assert waits, f"I7: {account} owes {mine} and has no hold\n{story_of(self.garage, account)}"

    def _release_is_meant(self, books: Books, moment: datetime) -> None:
        """I8: whoever is known to owe nothing and has a hold stands in a plan, or on the list of the next decision, in the very same transaction."""
        now = owed(books, self.holding, _day(moment))
        on = [str(row[0]) for row in books.rows("select account from hold where verb in ('place', 'change')")]
        paid_off = {account for account in on if not now.get(account, NOTHING).stays}
        if not paid_off or self.garage.text != self.evaluated_with:
            return  # with other settings the next decision is about everybody
        source = int(books.one("select id from source where name = 'parking'"))
        sql = "select h.account from hold_line l join hold h on h.id = l.hold_id where l.state = 'planned' and l.verb = 'release'"
        meant = {str(row[0]) for row in books.rows(sql)}
        open_items.begin(books)
        since = open_items.marks(books, source)
        open_items.choose(books, source, self.garage.flow().basis, self.holding.grace_days, _day(moment), since)
        meant |= {str(row[0]) for row in books.rows("select account from deciding")}
        assert paid_off <= meant, f"I8: nobody will release {paid_off - meant}"

    def _only_added(self, books: Books) -> None:
        """I2: what was once written stays, word for word."""
        for table, columns in FACTS.items():
            rows = {
                tuple(row[:2]) if table in ("hold_line", "guard_vote") else tuple(row): tuple(row)
                for row in books.rows(f"select {columns} from {table}")
            }
            changed = [key for key, row in self.seen[table].items() if rows.get(key) != row]
            assert changed == [], f"I2: {table} was changed: {changed}"
            self.seen[table] = rows

    def _others_are_untouched(self) -> None:
        """Another department's indicators, and ours that an office placed by hand, stand as they were placed."""
        garage = self.garage
        for row in garage.indicators.audit:
            if row.code == THEIRS.code or row.emplid == STRANGER:
                assert row.by == "OFFICE", f"another office's hold was touched: {row}"
        assert garage.at_bursar(THEIRS) == {emplid: 0 for emplid in garage.people if int(emplid) % 2}, "another department's holds"
        assert garage.at_bursar(OURS).get(STRANGER) == 7700


def owed(books: Books, holding: Holding, today: str) -> dict[str, Owed]:
    """What everybody owes by the newest evidence, as the policy counts it."""
    limit = (date.fromisoformat(today) - timedelta(days=holding.grace_days)).isoformat()
    ordered = {
        str(account): (str(on), str(until))
        for account, on, until in books.rows("select account, released_on, until_on from hold_release order by id")
    }
    found: dict[str, Owed] = {}
    for account, user_type, category, since, cents, status in books.rows(
        "select account, user_type, category, violated_on, cents, status from violation where cents > 0"
    ):
        if category in holding.left_out or user_type in holding.exempt_types or (holding.user_types and user_type not in holding.user_types):
            continue
        was, (on, until) = found.get(account, NOTHING), ordered.get(account, ("", ""))
        stays = int(cents) if status == "open" or (status == "disputed" and holding.disputed == "count") else 0
        forgiven = today <= until and since <= on
        calls = int(cents) if status == "open" and since <= limit and not forgiven else 0
        found[account] = Owed(was.stays + stays, was.calls + calls)
    return found


def is_stale(books: Books, holding: Holding, moment: datetime) -> bool:
    """Whether the newest list of the office is older than the limit."""
    newest = books.one("select coalesce(max(as_of), '') from delivery where state = 'read' and channel in ('parking-violations', 'parking-changes')")
    if not newest:
        return True
    return moment - datetime.strptime(str(newest), "%Y%m%d%H%M%S").replace(tzinfo=ZONE) > holding.evidence_max_age


def exempt(holding: Holding, today: str) -> bool:
    """Whether no new hold is placed today."""
    return any(one.from_on.isoformat() <= today <= one.to_on.isoformat() for one in holding.exempt)


def _active(books: Books) -> int:
    return int(books.one("select count(*) from hold where verb in ('place', 'change')"))


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def story_of(garage: Garage, emplid: str) -> str:
    """What was told of one person, what stands, and what the bursar's system did; for whoever reads a failure."""
    with garage.books() as books:
        rows = [
            *books.rows("select * from violation where account = :a", a=emplid),
            *books.rows("select * from hold where account = :a", a=emplid),
            *books.rows(
                "select l.verb, l.cents, l.because, l.state, b.document, b.state, b.sealed_at, b.sent_at from hold_line l "
                "join hold h on h.id = l.hold_id left join batch b on b.id = l.batch_id where h.account = :a order by l.plan_id",
                a=emplid,
            ),
            *books.rows("select id, name, as_of, state, words from delivery order by id"),
        ]
    return "\n".join(str(row) for row in [*rows, *(row for row in garage.indicators.audit if row.emplid == emplid), garage.jobs.refusals])
