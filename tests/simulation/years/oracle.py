"""The oracle: three true books, fee by fee. What two of them disagree on and no open question names is unexplained.

So is a student's credit: what was paid beyond a charge at the bursar, and nothing else but refunds that a person has been asked about.
That is judged at rest; on every day, in between as well, the library may have been told of no more than was ever paid.
"""

from collections import Counter
from dataclasses import dataclass, field

from bursarbridge.ledger.entries import Place
from bursarbridge.store import views
from tests.simulation.years.life import Life


@dataclass
class Verdict:
    """What was found at a moment of rest."""

    unexplained_cents: int = 0
    asked: int = 0
    """Fees whose difference an open question names."""
    words: list[str] = field(default_factory=list)

    def blame(self, cents: int, words: str) -> None:
        """A difference that nobody can explain."""
        self.unexplained_cents += abs(cents)
        self.words.append(words)


@dataclass
class Told:
    """What Alma counts as paid, held each day against all that students ever paid for it: what was never paid must not be told, not for a day."""

    references: dict[str, str] = field(default_factory=dict)

    def beyond(self, life: Life) -> list[tuple[int, str]]:
        """The cents told too much of each fee, with words."""
        paid: Counter[str] = Counter()
        for payment in life.campus.peoplesoft.payments:
            paid[payment.item.reference] += payment.cents
        told = {one.bursar_transaction_id: one.original_cents - one.balance_cents - one.waived_cents for one in life.fees()}
        with life.machine.bridge.books() as books:
            for name in told.keys() - self.references.keys():
                for one in views.obligations(books, name):
                    self.references[name] = one.reference
        ours = ((name, cents, paid[self.references.get(name, "")]) for name, cents in told.items())
        return [(cents - most, f"{name}: Alma was told of {cents}, and {most} were ever paid") for name, cents, most in ours if cents > most]


def judge(life: Life) -> Verdict:
    """Compares Alma, the bridge and the bursar, fee by fee, and the bridge's books with themselves."""
    verdict = Verdict()
    with life.machine.bridge.books() as books:
        own = views.unexplained_cents(books)
        known = {str(row[1]): (int(row[0]), int(row[2])) for row in books.rows("select id, source_reference, cents from obligation")}
        stands: dict[int, dict[int, int]] = {}
        for obligation, place, cents in books.rows("select obligation_id, place, cents from position"):
            stands.setdefault(int(obligation), {})[int(place)] = int(cents)
        withdrawn = dict(books.rows("select obligation_id, sum(cents) from entry where kind = 'withdrawal' and to_place = 0 group by 1"))
        questions = {int(row[0]) for row in books.rows("select obligation_id from suspense where resolved_at is null and obligation_id is not null")}
        spoken = " ".join(f"{row[0]} {row[1]}" for row in books.rows("select reference, words from suspense where resolved_at is null"))
        names = {one: views.obligations(books, one)[0].reference for one in known}
        asked = "select obligation_id, sum(cents) from suspense where code = 'refund_question' and resolved_at is not null group by 1"
        refunds = {int(row[0]): int(row[1]) for row in books.rows(asked)}
    if own:
        verdict.blame(own, f"the bridge's own books: {own} cents")
    charged: Counter[str] = Counter()
    open_there: Counter[str] = Counter()
    posted: Counter[str] = Counter()
    for item in life.campus.peoplesoft.items:
        posted[item.reference] += 1
        charged[item.reference] += item.amount_cents
        open_there[item.reference] += item.open_cents
    credit = _credit(life)
    for fee in life.fees():
        name = fee.bursar_transaction_id
        if name not in known:
            if fee.status.value != "Active" and fee.balance_cents and name not in spoken:
                verdict.blame(fee.balance_cents, f"{name}: Alma handed over {fee.balance_cents}, the bridge never heard of it")
            continue
        obligation, cents = known[name]
        reference, here = names[name], stands.get(obligation, {})
        if posted[reference] > 1:
            verdict.blame(charged[reference] - cents, f"{name}: billed {posted[reference]} times")
        if obligation in questions or name in spoken or reference in spoken:
            verdict.asked += 1
            continue
        if withdrawn.get(obligation):
            continue
        credited = here.get(Place.STUDENT_CREDIT, 0) - refunds.get(obligation, 0)
        if credited != credit[reference]:
            verdict.blame(credited - credit[reference], f"{name}: {credited} is the student's credit, {credit[reference]} at the bursar: {here}")
        bridge_open = sum(here.get(place, 0) for place in (1, 2, 3))
        if bridge_open != open_there[reference]:
            verdict.blame(
                bridge_open - open_there[reference], f"{name}: open {bridge_open} in the bridge, {open_there[reference]} at the bursar: {here}"
            )
        if fee.balance_cents != open_there[reference]:
            verdict.blame(
                fee.balance_cents - open_there[reference], f"{name}: open {fee.balance_cents} in Alma, {open_there[reference]} at the bursar: {here}"
            )
    for reference in posted:
        if reference not in names.values():
            verdict.blame(charged[reference], f"{reference}: at the bursar, and not of the bridge's")
    return verdict


def _credit(life: Life) -> Counter[str]:
    """By charge, what the bursar has of a student's money beyond it."""
    credit: Counter[str] = Counter()
    for item in life.campus.peoplesoft.items:
        credit[item.reference] += item.excess_cents
    for payment in life.campus.peoplesoft.payments:
        if not payment.reversed:
            credit[payment.item.reference] += payment.cents - payment.applied_cents
    return credit
