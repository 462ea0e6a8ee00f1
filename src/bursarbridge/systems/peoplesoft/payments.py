"""PeopleSoft payment files into facts: cumulative reports (a row per payment) and snapshots (applied to date per item)."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited
from bursarbridge.formats.shape import ABSENT, Layout
from bursarbridge.formats.values import from_text, unfit
from bursarbridge.ledger.facts import Payments
from bursarbridge.ledger.money import cents_of
from bursarbridge.ports import Rejected

_CUMULATIVE = ("account", "paid_amount", "paid_on", "charge_amount", "item_type", "description")
_SNAPSHOT = ("account", "applied_amount", "as_of_on", "item_amount", "item_type", "description")


class PaymentReader:
    """Reads a delimited payment file of a declared layout; a ports.Reader. A zero amount is a fact like any other.

    `match` names the field that holds the reference. Sources: peoplesoft.md 2.1 (ITEM_SF), 2.3 P1.
    """

    def __init__(self, layout: Layout, match: str = "reference") -> None:
        self._layout = layout
        self._match = match
        self._payment = _payment(layout, match)

    def records(self, chunks: Iterable[bytes]) -> Iterator[list[str]]:
        """Every row's texts in file order; raises Unreadable when the file as a whole is unfit."""
        return delimited.rows(self._layout, chunks)

    def fact(self, record: object) -> Payments:
        """The row's payment. Raises Unreadable naming the field: "amount", "date", "blank", "no_reference"."""
        return self._payment(cast("list[str]", record))

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        """The row as suspense keeps it, its money as far as it can be read. Never raises."""
        texts = cast("list[str]", record)
        raw = raw_of(self._layout, texts)
        amount = raw.get("applied_amount" if _is_snapshot(self._layout) else "paid_amount", "")
        return Rejected(
            error.code, str(error), raw.get(self._match, "").strip(), raw.get("account", "").strip(), cents_or_zero(amount), json.dumps(raw)
        )

    def revived(self, raw: str) -> list[str]:
        """The row's texts from what `rejected` kept."""
        return texts_of(self._layout, raw)


def raw_of(layout: Layout, texts: Sequence[str]) -> dict[str, str]:
    """A row's texts by field name."""
    return {field.name: text for field, text in zip(layout.detail.fields, texts, strict=False)}


def texts_of(layout: Layout, raw: str) -> list[str]:
    """The inverse of raw_of, from its JSON; a field the layout has gained since is empty."""
    kept: dict[str, str] = json.loads(raw)
    return [kept.get(field.name, "") for field in layout.detail.fields]


def cents_or_zero(text: str) -> int:
    """The amount in cents as far as it can be read, else 0."""
    try:
        return cents_of(text.strip())
    except Unreadable:
        return 0


def _is_snapshot(layout: Layout) -> bool:
    return "applied_amount" in layout.detail.names


def _payment(layout: Layout, match: str) -> Callable[[list[str]], Payments]:
    """A function from a row's texts to its payment, with the look-ups done once: this is the hot path of a payment file."""
    fields = {field.name: (at, from_text(field)) for at, field in enumerate(layout.detail.fields) if field.carries}
    account, amount, *rest = _SNAPSHOT if _is_snapshot(layout) else _CUMULATIVE
    missing = [name for name in (match, account, amount) if name not in fields]
    if missing:
        raise Unreadable("layout", f"layout {layout.name} cannot be read as payments: it has no {' and no '.join(missing)}")
    (at_reference, read_reference), (at_account, read_account), (at_cents, read_cents) = fields[match], fields[account], fields[amount]
    day, charge, item_type, words = rest
    (at_day, read_day), (at_type, read_type), (at_words, read_words) = (fields.get(name, (0, _nothing)) for name in (day, item_type, words))
    at_charge, read_charge = fields.get(charge, (0, _absent))
    constants = [(at, field) for at, field in enumerate(layout.detail.fields) if not field.carries]

    def payment(texts: list[str]) -> Payments:
        for at, field in constants:
            if texts[at] != field.literal:  # such as a currency: money of another kind is not this money
                raise unfit(field, "literal", f'"{texts[at][:40]}" stands where the layout has "{field.literal}"')
        reference = str(read_reference(texts[at_reference])).strip()
        if not reference:
            raise Unreadable("no_reference", "the row names no reference; find out which fee it paid, and assign it", where=f"field {match}")
        return Payments(
            reference,
            str(read_account(texts[at_account])).strip(),
            int(read_cents(texts[at_cents])),
            str(read_day(texts[at_day])),
            int(read_charge(texts[at_charge])),
            str(read_type(texts[at_type])),
            str(read_words(texts[at_words])),
        )

    return payment


def _nothing(_text: str) -> str:
    return ""


def _absent(_text: str) -> int:
    return ABSENT
