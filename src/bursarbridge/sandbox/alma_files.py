"""Alma's one XML vocabulary, written as its bursar export has it and read as its bursar import needs it (alma.md 1.1, 2.2)."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from bursarbridge.sandbox.cents import cents_of, shortest
from bursarbridge.sandbox.fees import Fee, FileRefused, User

NAMESPACE = "http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans"
INSTITUTION = "6001"
_NIL = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
_STAMP = "%m/%d/%Y %H:%M:%S %Z"


def export_bytes(export_number: str, fees: Iterable[Fee]) -> bytes:
    """Writes a bursar export: the header sibling, then the other sibling with every user and fee.

    The misspelt names are Alma's own (alma.md 0, item 2).
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xb:xml-fragment xmlns:xb="{NAMESPACE}">',
        "<xb:userExportedFineFees>",
        _text("exportNumber", export_number),
        "</xb:userExportedFineFees>",
        "<xb:userExportedFineFees>",
        "<xb:userExportedList>",
    ]
    for user, owed in groupby(sorted(fees, key=lambda fee: fee.user), key=lambda fee: fee.user):
        lines += _user(user)
        for fee in owed:
            lines += _fee(fee)
        lines += ["</xb:finefeeList>", "</xb:userExportedFineFeesList>"]
    lines += ["</xb:userExportedList>", "</xb:userExportedFineFees>", "</xb:xml-fragment>", ""]
    return "\n".join(lines).encode()


class Paid(NamedTuple):
    """One row of an import file, as Alma's job looks at it."""

    bursar_transaction_id: str
    cents: int


def import_rows(content: bytes) -> list[Paid]:
    """Reads every row of a bursar import file. Raises FileRefused when it is not one, or a row lacks its id or its sum."""
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise FileRefused(f"not well-formed XML: {error}") from error
    if root.tag != f"{{{NAMESPACE}}}xml-fragment":
        raise FileRefused(f"the root element is {root.tag}, not Alma's xml-fragment")
    return [_paid(row) for row in root.iter(f"{{{NAMESPACE}}}userFineFee")]


def _paid(row: ElementTree.Element) -> Paid:
    fee_id = (row.findtext(f"{{{NAMESPACE}}}bursarTransactionId") or "").strip()
    total = row.findtext(f"{{{NAMESPACE}}}compositeSum/{{{NAMESPACE}}}sum")
    if not fee_id or total is None:
        raise FileRefused("a row has no bursarTransactionId or no compositeSum")
    try:
        return Paid(fee_id, cents_of(total))
    except ValueError as error:
        raise FileRefused(f"fee {fee_id}: {error}") from error


def _user(user: User) -> Iterator[str]:
    # A primary id carries the literal text "null" instead of an institution (alma.md 1.1).
    institution = "null" if user.identifier_type == "userName" else INSTITUTION
    yield "<xb:userExportedFineFeesList>"
    yield "<xb:user>"
    yield _text("type", user.identifier_type)
    yield _text("value", user.value)
    yield f"<xb:owneredEntity>{_text('InstitutionId', institution)}</xb:owneredEntity>"
    yield "</xb:user>"
    yield _text("patronName", user.name)
    yield "<xb:finefeeList>"


def _fee(fee: Fee) -> Iterator[str]:
    yield "<xb:userFineFee>"
    yield _text("fineFeeComment", fee.comment) if fee.comment else _nil("fineFeeComment")
    yield _text("fineFeeType", fee.fee_type)
    yield "<xb:owneredEntity>"
    yield _text("InstitutionId", INSTITUTION)
    if fee.library:
        yield _text("libraryId", f"1120000000{INSTITUTION}")
        yield _text("libraryCode", fee.library)
    yield "</xb:owneredEntity>"
    yield _text("lastTransactionDate", fee.last_transaction_at.strftime(_STAMP))
    yield from _item(fee)
    yield "<xb:compositeSum>"
    yield _text("currency", "USD")
    yield _text("sum", shortest(fee.balance_cents))
    yield _nil("vat")
    yield "</xb:compositeSum>"
    yield _text("bursarTransactionId", fee.bursar_transaction_id)
    yield "</xb:userFineFee>"


def _item(fee: Fee) -> Iterator[str]:
    if not fee.barcode:
        # A fee with no item has an empty title and none of the other item elements (alma.md 1.1, the minimal sample).
        yield "<xb:itemTitle/>"
        return
    yield _text("itemTitle", fee.title)
    yield _nil("itemCallNumebr")
    yield _text("itemLibrary", fee.library)
    yield _text("itemLocation", "Stacks")
    yield "<xb:itemInternalLocation/>"
    yield _nil("itemDueDate")
    yield _text("itemBarcode", fee.barcode)


def _text(name: str, value: str) -> str:
    return f"<xb:{name}>{escape(value)}</xb:{name}>"


def _nil(name: str) -> str:
    return f"<xb:{name} {_NIL}/>"
