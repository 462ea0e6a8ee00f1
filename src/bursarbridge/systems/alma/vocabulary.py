"""The words of Alma's bursar XML, export and import alike, with the misspelt names that are the real contract (alma.md 0 and 1.1)."""

NAMESPACE = "http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans"


def full(local: str) -> str:
    """The name as the XML front gives it: namespace, blank, local name. The prefix plays no part."""
    return f"{NAMESPACE} {local}"


def _named(places: dict[str, str]) -> dict[str, str]:
    return {full(local): place for local, place in places.items()}


ROOT = full("xml-fragment")
FEE = full("userFineFee")

PLACES = {
    "": _named({"xml-fragment": "root"}),
    "root": _named({"userExportedFineFees": "part"}),
    "part": _named({"exportNumber": "export_number", "userExportedList": "people"}),
    "people": _named({"userExportedFineFeesList": "person"}),
    "person": _named({"user": "user", "patronName": "patron", "finefeeList": "fees", "fineFeeList": "fees"}),
    "user": _named({"type": "account_type", "value": "account", "owneredEntity": "home", "ownedEntity": "home"}),
    "home": _named({"InstitutionId": "institution", "institutionId": "institution"}),
    "fees": _named({"userFineFee": "fee"}),
}
"""From the root down to one fee: which element may stand where, and what we call its place. Whatever is not named here is ignored."""

TEXTS = frozenset({"export_number", "patron", "account_type", "account", "institution"})
"""The places above a fee whose text is wanted."""

FEE_SLOTS = ("twice", "reference", "category", "changed", "owner", "item", "currency", "sum", "comment")
"""The texts kept of one fee, in the order of listening.Fee; the first is filled when another stands twice."""


def _slots(wanted: dict[str, str]) -> dict[str, int]:
    return {full(local): FEE_SLOTS.index(slot) for local, slot in wanted.items()}


NOT_HERE, _OWNER, _SUM = -1, -2, -3

FEE_WORDS = _slots(
    {
        "fineFeeType": "category",
        "lastTransactionDate": "changed",
        "itemBarcode": "item",
        "bursarTransactionId": "reference",
        "fineFeeComment": "comment",
    }
) | {
    full("owneredEntity"): _OWNER,
    full("ownedEntity"): _OWNER,
    full("compositeSum"): _SUM,
    FEE: NOT_HERE,
}
"""What may stand directly in a fee: the place of a wanted text, or a number below zero: a box (see BOXES), or what must not stand there.

Titles and call numbers are never read: they say what a person borrowed. Of comments only those of credits are kept (alma.md 1.5).
"""

BOXES = {
    _OWNER: _slots({"libraryCode": "owner"}) | {FEE: NOT_HERE},
    _SUM: _slots({"currency": "currency", "sum": "sum"}) | {FEE: NOT_HERE},
}
"""The elements in a fee that hold wanted texts of their own."""
