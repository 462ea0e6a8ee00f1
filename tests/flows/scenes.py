"""Beginnings that many tests of the flows share."""

from tests.campus import Campus
from tests.campus_files import Answer, Fee, Paid


def on_account(campus: Campus, *fees: Fee) -> str:
    """The fees are exported, sent and posted; returns the charge file's name."""
    document = sent(campus, *fees)
    campus.later(hours=10)
    campus.answer(Answer("POSTED", document))
    campus.charges()
    campus.later(hours=1)
    return document


def sent(campus: Campus, *fees: Fee) -> str:
    """The fees are exported and sent; returns the charge file's name."""
    before = set(campus.charge_files())
    campus.export(*fees)
    campus.charges()
    (document,) = set(campus.charge_files()) - before
    return document


def reported(campus: Campus, *paid: tuple[str, int]) -> None:
    """A report of these payments (fee and cents) arrives and is read."""
    campus.later(minutes=1)
    campus.report(*(Paid(campus.reference(fee), cents) for fee, cents in paid))
    campus.payments()


def settled(campus: Campus, *paid: tuple[str, int]) -> None:
    """A report is read, and Alma takes what follows from it."""
    reported(campus, *paid)
    campus.alma_takes()
    campus.later(hours=1)
    campus.payments()
