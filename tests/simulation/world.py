"""A campus under random actions: what was truly sent and said, and what must hold of the bridge's books after every one of them.

The invariants are those of reliability.md section 3 (I1 to I6), as far as this loop has them.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bursarbridge.errors import TryLater
from bursarbridge.store import views
from bursarbridge.store.books import Books
from tests.campus import Campus
from tests.campus_files import Fee, Paid, charge_lines, told_in
from tests.returned_scenes import Library
from tests.simulation.shelves import Shelves

FACTS = {
    "entry": "id, obligation_id, from_place, to_place, cents, kind, cause_id",
    "cause": "id, kind, at, delivery_id, batch_id, actor, words",
    "obligation": "id, source_reference, account, category, cents, cause_id",
    "arrival": "id, delivery_id, name, at",
    "credit": "id, reference, account, item, cents, delivery_id",
    "webhook": "id, dedupe_key, body, received_at",
    "intent": "id, obligation_id, reference, kind, item",
}


class World:
    """The campus, and its truth: every file with what stands in it, every row the bursar ever booked."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        self.library = Library(campus)
        self.shelves = self.library.desk = Shelves()
        self.exported: list[Fee] = []
        self.booked: list[Paid] = []
        """Every payment and reversal at the bursar, in order."""
        self.late: list[Fee] = []
        """Fees whose credits are exported already, and they are not."""
        self.reports: list[tuple[str, bytes]] = []
        """Every payment file there was, by name, to be sent again late."""
        self.contents: dict[str, tuple[int, int]] = {}
        """By hash of a file: how many records it has, and their cents."""
        self.seen: dict[str, list[tuple[object, ...]]] = {table: [] for table in FACTS}
        self.documents: dict[str, bytes] = {}

    def known(self, path: Path, count: int, cents: int) -> None:
        """Remembers what truly stands in a file."""
        self.contents[hashlib.sha256(path.read_bytes()).hexdigest()] = (count, cents)

    def export(self, fees: Sequence[Fee], credited: Sequence[Fee] = ()) -> None:
        """Alma writes one export of fees and credits."""
        for fee in fees:
            self.shelves.assess(fee)
        rows = [*fees, *credited]
        self.known(self.campus.export(*rows), len(rows), sum(abs(fee.cents) for fee in rows))
        self.exported.extend(fees)
        self.shelves.exported.extend(credited)
        self.shelves.pending = [one for one in self.shelves.pending if one not in credited]

    def reason(self, account: str, pick: int) -> str:
        """Why a person decides so: it names one of the person's fees."""
        fees = [fee for fee in self.exported if fee.account == account]
        return f"seen with {fees[pick % len(fees)].reference}" if fees else "seen"

    def run(self, flow: str, cut: str) -> bool:
        """Runs a flow, perhaps over a line that is cut once; returns whether it came to its end."""
        self.campus.cut.clear()
        if cut:
            self.campus.cut.add(cut)
        try:
            self.campus.run(flow)
        except TryLater:
            return False
        finally:
            self.campus.cut.clear()
        return True

    def check(self) -> None:
        """Everything that must hold, now."""
        with self.campus.books() as books:
            _conserves(books)
            self._only_added(books)
            self._key_law(books)
            _at_most_once(books)
            _in_transit_is_on_a_line(books)
            _states_follow_lines(books)
            _paid_is_what_the_bursar_said(books)
            _credited_once_and_no_more_than_charged(books)
            self._credits_are_almas(books)
            self._every_record_counted(books)
            self._documents_are_ours(books)
            self._alma_is_told_no_more_than_the_fee(books)
        self.shelves.check()

    def _only_added(self, books: Books) -> None:
        """I2: what was once written stays, word for word."""
        for table, columns in FACTS.items():
            rows = books.rows(f"select {columns} from {table} order by id")
            old = self.seen[table]
            assert rows[: len(old)] == old, f"I2: {table} was changed"
            self.seen[table] = rows

    def _key_law(self, books: Books) -> None:
        """I3: a fee's name stands for one content for ever, and it is one that Alma wrote."""
        written = {(fee.reference, fee.account, fee.category, fee.cents) for fee in self.exported}
        found = books.rows("select source_reference, account, category, cents from obligation")
        assert len({row[0] for row in found}) == len(found), "I3: two obligations of one name"
        assert set(found) <= written, "I3: an obligation that no export ever held"

    def _credits_are_almas(self, books: Books) -> None:
        """I3 for credits: each stands once, and an export held it."""
        written = {(one.reference, one.account, -one.cents) for one in self.shelves.exported}
        found = books.rows("select reference, account, cents from credit")
        assert len({row[0] for row in found}) == len(found), "I3: two credits of one name"
        assert set(found) <= written, f"I3: credits that no export ever held: {set(found) - written}"

    def _every_record_counted(self, books: Books) -> None:
        """I5: every file has one state, every record of a read one has one end, in count and in cents."""
        for sha256, channel, state, records, cents in books.rows("select sha256, channel, state, records, record_cents from delivery"):
            count, true_cents = self.contents[sha256]
            if state == "refused":
                assert (records, cents) == (0, 0), "I5: a refused file had an effect"
            elif channel.endswith("results"):
                assert records == count, f"I5: {channel}: {records} of {count} records"
            else:
                assert (records, cents) == (count, true_cents), f"I5: {channel}: {(records, cents)} of {(count, true_cents)}"

    def _documents_are_ours(self, books: Books) -> None:
        """I4 outside: every document stands there once, whole, unchanged, as one batch of ours says."""
        batches = {
            row[0]: (row[1], row[2], row[3]) for row in books.rows("select document, sha256, lines, cents from batch where document is not null")
        }
        found = [path for place in ("peoplesoft/in", "alma/in", "alma/taken") for path in (self.campus.folder / place).iterdir() if path.is_file()]
        shown = [path for path in found if not path.name.startswith(".")]
        assert len({path.name for path in shown}) == len(shown), "I4: a document was delivered twice"
        for path in shown:
            content = path.read_bytes()
            assert self.documents.setdefault(path.name, content) == content, f"I4: {path.name} was overwritten"
            lines = charge_lines(content) if path.suffix == ".dat" else []
            cents = [line.cents for line in lines] if lines else [cents for _, cents in told_in(content)]
            assert batches[path.name] == (hashlib.sha256(content).hexdigest(), len(cents), sum(cents)), f"I4: {path.name}"
            assert min(cents) > 0, f"{path.name} holds an amount that is not above zero"
        assert set(self.documents) <= set(batches)

    def _alma_is_told_no_more_than_the_fee(self, books: Books) -> None:
        """Remittances of a fee never add up to more than the fee (alma.md 2.3)."""
        told: Counter[str] = Counter()
        for name, content in self.documents.items():
            if name.endswith(".xml"):
                for reference, cents in told_in(content):
                    told[reference] += cents
        fees = {row[0]: row[1] for row in books.rows("select source_reference, cents from obligation")}
        assert all(cents <= fees[reference] for reference, cents in told.items()), f"Alma was told too much: {told}"


def _conserves(books: Books) -> None:
    """I1 and I6: entries and places agree to the cent, nothing is below zero, and a fee's money adds up to the fee."""
    assert views.unexplained_cents(books) == 0, "I1: unexplained cents"
    by_entries: Counter[tuple[int, int]] = Counter()
    withdrawn: Counter[int] = Counter()
    for obligation, source, target, cents, kind in books.rows("select obligation_id, from_place, to_place, cents, kind from entry"):
        assert isinstance(cents, int)
        by_entries[obligation, source] -= cents
        by_entries[obligation, target] += cents
        withdrawn[obligation] += cents if kind == "withdrawal" and target == 0 else 0
    stands = {(row[0], row[1]): row[2] for row in books.rows("select obligation_id, place, cents from position")}
    assert all(cents > 0 for cents in stands.values()), "I6: a place below or at zero"
    assert {key: cents for key, cents in by_entries.items() if cents and key[1]} == stands, "I1: entries and positions differ"
    for obligation, cents in books.rows("select id, cents from obligation"):
        inside = sum(part for (one, place), part in stands.items() if one == obligation and place != 7)
        assert inside == cents - withdrawn[obligation], f"I6: {inside} of {cents}"


def _at_most_once(books: Books) -> None:
    """I4: an obligation is in one live charge line at most."""
    live = books.rows(
        "select obligation_id, count(*) from batch_line where from_place = 1 and state <> 'refused' group by obligation_id having count(*) > 1"
    )
    assert not live, f"I4: billed twice: {live}"


def _in_transit_is_on_a_line(books: Books) -> None:
    """I9, our half: what is in transit stands on a line that waits for an answer, cent by cent."""
    lines = books.rows("select obligation_id, sum(cents) from batch_line where state = 'sent' group by obligation_id order by 1")
    assert books.rows("select obligation_id, cents from position where place = 2 order by 1") == lines, "I9: in transit and on no line"


def _states_follow_lines(books: Books) -> None:
    """A batch that waits has a line that waits; an answered one has none."""
    for batch, state, sent, posted, refused in books.rows(
        "select b.id, b.state, sum(l.state = 'sent'), sum(l.state in ('posted', 'assumed')), sum(l.state = 'refused') "
        "from batch b join batch_line l on l.batch_id = b.id group by b.id"
    ):
        if state in ("SENT", "RECEIVED"):
            assert sent, f"batch {batch} is {state}, and none of its lines waits"
        elif state in ("POSTED", "PARTLY_POSTED", "REFUSED"):
            assert not sent, f"batch {batch} is {state}, and {sent} of its lines wait"
            assert state == ("POSTED" if not refused else "PARTLY_POSTED" if posted else "REFUSED")


def _paid_is_what_the_bursar_said(books: Books) -> None:
    """What stands as paid, on its way back, settled or credited, but for what was waived, is what the bursar said is applied."""
    held: Counter[int] = Counter()
    held.update(dict(books.rows("select obligation_id, sum(cents) from position where place in (4, 6, 7) group by 1")))
    held.update(dict(books.rows("select obligation_id, sum(cents) from batch_line where from_place = 4 and state = 'sent' group by 1")))
    held.subtract(
        dict(
            books.rows(
                "select obligation_id, sum(case when to_place in (6, 7) then cents else -cents end) from entry "
                "where kind in ('waiver', 'credit') and (to_place in (6, 7) or from_place in (6, 7)) group by 1"
            )
        )
    )
    said = dict(books.rows("select obligation_id, sum(cents) from applied group by 1 having sum(cents) <> 0"))
    assert {one: cents for one, cents in held.items() if cents} == said, f"held {held}, said {said}"


def _credited_once_and_no_more_than_charged(books: Books) -> None:
    """What entries give back is what the decided credits say, cent by cent, and never more than was charged; nor is more of it sent."""
    given = dict(
        books.rows(
            "select obligation_id, sum(cents) from entry where kind = 'waiver' or (kind = 'credit' and from_place = 0 and to_place = 7) group by 1"
        )
    )
    decided = dict(books.rows("select obligation_id, sum(cents) from credit where state in ('applied', 'refund') group by 1"))
    assert given == decided, f"given back {given}, decided {decided}"
    charged = dict(books.rows("select id, cents from obligation"))
    withdrawn = dict(books.rows("select obligation_id, sum(cents) from entry where kind = 'withdrawal' and from_place = 5 group by 1"))
    for one, cents in given.items():
        story = books.rows("select from_place, to_place, cents, kind from entry where obligation_id = :o order by id", o=one)
        assert cents - withdrawn.get(one, 0) <= charged[one], f"credited {cents} of {charged[one]}: {story}"
    for one, cents in books.rows("select obligation_id, sum(cents) from batch_line where from_place = 5 and state <> 'refused' group by 1"):
        assert cents <= charged[one], f"sent credits of {cents} for a charge of {charged[one]}"
    twice = books.rows("select obligation_id from intent group by obligation_id having count(*) > 1")
    assert not twice, f"two waives were meant for one fee: {twice}"
