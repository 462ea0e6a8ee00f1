"""The three books side by side, and what of their difference nobody can explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bursarbridge.cli.screen import columns
from bursarbridge.ledger.money import shown
from bursarbridge.sandbox import parking_story
from bursarbridge.store import hold_views, views

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursarbridge.cli.told import Told
    from bursarbridge.sandbox.campus import Books as CampusBooks
    from bursarbridge.sandbox.campus import Campus
    from bursarbridge.store.books import Books
    from bursarbridge.store.views import ItemView


class Check(NamedTuple):
    """Two figures that must be the same."""

    words: str
    one: int
    other: int
    money: bool = True
    """Cents; else a count."""

    @property
    def figures(self) -> str:
        """Both, as people read them."""
        return f"{shown(self.one)} and {shown(self.other)}" if self.money else f"{self.one:,} and {self.other:,}"


class HoldBooks(NamedTuple):
    """Holds by three books: parking's own, the bridge's and PeopleSoft's."""

    owed_cents: int
    """By parking's own book, of everybody who is to be held for it."""
    told_cents: int
    """What the bridge has told of holds that are on."""
    standing_cents: int
    """What stands in PeopleSoft under the same code."""
    told: tuple[int, int, int]
    """Placed, changed, released, as the bridge's runs said."""
    carried_out: tuple[int, int, int]
    """The same, as PeopleSoft's audit rows say."""

    def checks(self) -> list[Check]:
        """The comparisons."""
        counts = zip(("placed", "changed", "released"), self.told, self.carried_out, strict=True)
        return [
            Check("owed in parking's book, held by the bridge", self.owed_cents, self.told_cents),
            Check("held by the bridge, held in PeopleSoft", self.told_cents, self.standing_cents),
            *(Check(f"holds {word} by the bridge, {word} in PeopleSoft", one, other, money=False) for word, one, other in counts),
        ]


class ThreeBooks(NamedTuple):
    """Alma's book, the bridge's and PeopleSoft's at one moment; all amounts in cents."""

    campus: CampusBooks
    places: dict[str, int]
    charges_under_way: int
    payments_under_way: int
    credits_under_way: int
    forgiven: int
    """What the library waived, wherever it is now."""
    own_unexplained: int
    kept_back: tuple[ItemView, ...]
    """Charges that wait for a person before they may leave."""
    holds: HoldBooks

    @property
    def fees(self) -> int:
        """What the bridge took in as fees."""
        return sum(cents for place, cents in self.places.items() if place not in ("outside", "student_credit"))

    @property
    def unexplained_cents(self) -> int:
        """Every difference between two books that ought to agree, added up without signs."""
        return sum(abs(check.one - check.other) for check in self.checks() if check.money)

    @property
    def agree(self) -> bool:
        """Whether every figure is the same in the books that ought to have it."""
        return all(check.one == check.other for check in self.checks())

    @property
    def settled_by_payment(self) -> int:
        """What both sides know to be paid: settled, and not by a waive."""
        return self.places["settled"] - self.forgiven + self.places["waived"] + self.credits_under_way

    def checks(self) -> list[Check]:
        """The comparisons, each of two books that were written by different programs."""
        alma, bursar, places = self.campus.alma, self.campus.peoplesoft, self.places
        under_way = self.charges_under_way + self.payments_under_way + self.credits_under_way
        untold = places["waived"] + self.credits_under_way
        paid = places["paid"] + self.settled_by_payment + self.payments_under_way
        billed = self.fees - places["source"] - self.charges_under_way
        return [
            Check("fees that Alma exported, fees the bridge took in", alma.assessed.cents - alma.active.cents, self.fees),
            Check("charges beyond the library in the bridge, charges on PeopleSoft", billed, bursar.charged.cents),
            Check("open by the bridge or waived and not told, open on PeopleSoft", places["bursar"] + untold, bursar.open.cents),
            Check("paid by the bridge, paid on PeopleSoft", paid, bursar.paid.cents),
            Check("settled by payment in the bridge, paid in Alma", self.settled_by_payment, alma.paid_cents),
            Check("waived by the bridge, waived in Alma", self.forgiven, alma.waived_cents),
            Check("waived and told by the bridge, taken back on PeopleSoft", self.forgiven - untold, bursar.taken_back_cents),
            Check("credit by the bridge, credit on PeopleSoft", places["student_credit"], bursar.credit_cents),
            Check("credits that Alma made, what it waived", alma.credits.cents, alma.waived_cents),
            Check("on its way by the bridge, in files without an answer", places["in_transit"], under_way),
            Check("at the library by the bridge, kept back for a person", places["source"], sum(one.cents for one in self.kept_back)),
            Check("the bridge's own books, entries against places and files", self.own_unexplained, 0),
            *self.holds.checks(),
        ]

    def lines(self) -> list[str]:
        """The table, its columns headed."""
        alma, bursar, places = self.campus.alma, self.campus.peoplesoft, self.places
        waiting = self.fees - places["settled"]
        rows = [
            ["", "Alma", "the bridge", "PeopleSoft"],
            ["charged", shown(alma.assessed.cents), shown(self.fees), shown(bursar.charged.cents)],
            ["paid", shown(alma.paid_cents), shown(self.settled_by_payment + places["paid"] + self.payments_under_way), shown(bursar.paid.cents)],
            ["waived", shown(alma.waived_cents), shown(self.forgiven), shown(bursar.taken_back_cents)],
            ["still open", shown(alma.open_cents), shown(waiting), shown(bursar.open.cents)],
            ["", "Parking", "the bridge", "PeopleSoft"],
            ["on hold", shown(self.holds.owed_cents), shown(self.holds.told_cents), shown(self.holds.standing_cents)],
        ]
        return columns(rows, right=(1, 2, 3))

    def as_json(self) -> dict[str, object]:
        """The same figures for programs."""
        alma, bursar = self.campus.alma, self.campus.peoplesoft
        library = (alma.assessed.cents, alma.paid_cents, alma.waived_cents, alma.open_cents)
        accounts = (bursar.charged.cents, bursar.paid.cents, bursar.taken_back_cents, bursar.open.cents)
        names = ("charged_cents", "paid_cents", "waived_cents", "open_cents")
        books = {"alma": dict(zip(names, library, strict=True)), "bridge": self.places, "peoplesoft": dict(zip(names, accounts, strict=True))}
        held = {"parking_cents": self.holds.owed_cents, "bridge_cents": self.holds.told_cents, "peoplesoft_cents": self.holds.standing_cents}
        return {**books, "holds": held}


def held(campus: Campus, books: Books, runs: Iterable[Told]) -> HoldBooks:
    """Reads what is on hold in all three books; `runs` are all that the bridge ran."""
    done = [run["holds"] for run in runs if "holds" in run]
    return HoldBooks(
        parking_story.to_be_held(campus),
        sum(one.cents for one in hold_views.board(books) if one.verb != "release"),
        sum(parking_story.in_force(campus).values()),
        (sum(one["added"] for one in done), sum(one["changed"] for one in done), sum(one["released"] for one in done)),
        parking_story.carried_out(campus),
    )


def compared(campus: CampusBooks, books: Books, holds: HoldBooks) -> ThreeBooks:
    """Reads the bridge's book and puts it beside the campus's two."""
    under_way = views.batches(books, only_open=True)
    return ThreeBooks(
        campus,
        views.places(books),
        sum(one.cents for one in under_way if one.kind == "charge"),
        sum(one.cents for one in under_way if one.kind == "payment"),
        sum(one.cents for one in under_way if one.kind == "credit"),
        views.forgiven_cents(books),
        views.unexplained_cents(books),
        tuple(one for one in views.items(books) if one.blocks),
        holds,
    )
