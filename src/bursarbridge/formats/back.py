"""Files of our own, read back: their details by name, and their control totals held against the lines (reliability.md D29)."""

from collections.abc import Iterable, Iterator

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.shape import Form, Layout, RecordKind, Row, Value
from bursarbridge.ledger.money import shown


def details_in(layout: Layout, names: Iterable[str], amount: str, chunks: Iterable[bytes]) -> Iterator[dict[str, Value]]:
    """Every detail line as those of the named fields that the layout carries; the totals are compared when the last line is through.

    Raises Unreadable for the file: what the form raises, and "control_total" with both figures; `amount` is the field that is summed.
    """
    places = [(name, layout.detail.names.index(name)) for name in names if name in layout.detail.names]
    ends: list[tuple[RecordKind, Row]] = []
    count = cents = 0
    for kind, row in fixed.read(layout, chunks) if layout.form is Form.FIXED else delimited.read(layout, chunks):
        if kind is not RecordKind.DETAIL:
            ends.append((kind, row))
            continue
        found = {name: row[place] for name, place in places}
        count += 1
        cents += int(found.get(amount, 0))
        yield found
    for kind, row in ends:
        check_totals(layout, kind, row, count, cents)


def check_totals(layout: Layout, kind: RecordKind, row: Row, count: int, cents: int) -> None:
    """Holds what a header or trailer says against the lines. Raises Unreadable("control_total")."""
    record = layout.record(kind)
    said: dict[str, Value] = dict(zip(record.names, row, strict=True)) if record else {}
    said_count, said_cents = int(said.get("line_count", count)), int(said.get("total", cents))
    if said_count != count or abs(said_cents) != abs(cents):
        lines = f"the lines are {count} and {shown(cents)}"
        words = f"the {kind} says {said_count} lines and {shown(said_cents)}, and {lines}; the file is not whole, do not load it"
        raise Unreadable("control_total", words)
