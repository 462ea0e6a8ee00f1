"""The bursar's reasons for refusing a line, in plain words: the vocabulary UChicago publishes (peoplesoft.md 1.4)."""

from typing import NamedTuple


class Reason(NamedTuple):
    """What one answer of the bursar means."""

    code: str
    """Short and lasting; "other" for words that are not in the list."""
    text: str
    """The bursar's words: as published, or verbatim for "other"."""
    meaning: str
    cure: str
    warning: bool = False
    """The line was posted all the same."""


_NO_ORIGINAL = (
    "PeopleSoft found no original that this line belongs to: same person, term, item type and amount, sent at least a day before",
    "check the item type first, then term and amount of the original; correct the line and send it again, or withdraw it",
)

REASONS = (
    Reason(
        "invalid_term",
        "Invalid Term",
        "the term is not one the bursar posts to",
        "ask the bursar for the term's code and correct [[bursar.terms]], then send again",
    ),
    Reason(
        "invalid_account",
        "Invalid Employee ID",
        "PeopleSoft knows no such person",
        "look the person up; correct the id at the library or office, or bill by another way if this is no student",
    ),
    Reason(
        "invalid_item_type",
        "Invalid Item Type",
        "the item type does not exist, is inactive, or this office may not use it",
        "ask the bursar for the right one and correct [[bursar.item_types]], then send again",
    ),
    Reason(
        "term_defaulted",
        "Term has defaulted to current term",
        "no term was sent, so the bursar took the current one; the line is posted",
        "nothing, if the current term is right; else send terms (term_by)",
        warning=True,
    ),
    Reason("no_original", "Cannot post this charge", *_NO_ORIGINAL),
    Reason("no_original", "Cannot reverse this charge", *_NO_ORIGINAL),
    Reason("no_original", "Cannot reverse this payment", *_NO_ORIGINAL),
    Reason("no_original", "Select failed for Payment table", *_NO_ORIGINAL),
)
"""The published list."""


def reason_of(text: str) -> Reason:
    """What the bursar's words mean; case, spacing and anything after the published words do not matter. Unknown words stay verbatim."""
    plain = " ".join(text.split()).casefold()
    for reason in REASONS:
        if plain.startswith(reason.text.casefold()):
            return reason
    if not plain:
        return Reason("other", text, "the bursar gave no reason", "ask the bursar's office why, with the file name and the reference")
    return Reason(
        "other", text, "these words are not on the published list", "ask the bursar's office what they mean, with the file name and the reference"
    )
