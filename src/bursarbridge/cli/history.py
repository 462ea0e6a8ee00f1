"""One entry of a fee's history in plain words: what moved, by which file, and whether it is only assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bursarbridge.store.views import Event

_WORDS = {
    ("outside", "source"): "Assessed by the {source}, now known to the bridge",
    ("source", "outside"): "Withdrawn, will not be billed",
    ("source", "in_transit"): "Put into a charge file for the bursar",
    ("in_transit", "bursar"): "Posted on the student account",
    ("in_transit", "source"): "Refused by the bursar",
    ("bursar", "paid"): "Paid at the bursar",
    ("outside", "student_credit"): "Paid beyond what was owed",
    ("student_credit", "outside"): "Credit taken back by the bursar",
    ("paid", "bursar"): "Payment taken back, open again",
    ("settled", "bursar"): "Payment taken back, open again; the {source} has to be told by hand",
    ("paid", "in_transit"): "Put into a payment file for the {source}",
    ("in_transit", "settled"): "Taken in by the {source}",
    ("in_transit", "waived"): "The bursar did not take the credit",
    ("waived", "bursar"): "Not to be waived after all, open again",
    ("in_transit", "paid"): "The {source} did not take the payment",
    ("paid", "settled"): "The {source} was told of this payment before",
    ("source", "settled"): "Forgiven before it was billed",
    ("bursar", "waived"): "Forgiven by the {source}",
    ("waived", "in_transit"): "Put into a credit file for the bursar",
    ("bursar", "source"): "Taken off the student account by the bursar",
    ("source", "bursar"): "Posted on the student account",
}

_CREDIT_WORDS = {
    ("in_transit", "settled"): "Taken off the student account",
    ("outside", "student_credit"): "Forgiven by the {source} after it was paid",
}


def told_of(event: Event, source: str) -> str:
    """The words for one entry; `source` is the office's name ("library")."""
    found = _CREDIT_WORDS.get((event.source, event.target)) if event.kind == "credit" else None
    words = found or _WORDS.get((event.source, event.target), f"{event.kind}: {event.source} to {event.target}")
    words = words.format(source=source)
    if event.cause == "assumed":
        return f"{words}: {event.words}" if event.words.startswith("assumed") else f"{words} (assumed)"
    if event.actor:
        return f'{words}, by {event.actor}: "{event.words}"'
    return f"{words} ({event.document})" if event.document else words
