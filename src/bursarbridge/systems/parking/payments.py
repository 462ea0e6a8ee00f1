"""Payments on their way back to a parking office, in whatever layout it takes: no parking system publishes one (parking.md)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.back import details_in
from bursarbridge.formats.shape import Form, Layout, RecordKind, Row
from bursarbridge.ledger.entries import Kind
from bursarbridge.ledger.money import shown
from bursarbridge.ports import ControlTotal, Heading, Line

PAYMENT_NAMES = ("source_reference", "account", "amount", "paid_on", "made_on", "reference", "category", "violated_on")
"""The fields a payment line can fill, in the order the writer makes them."""

PAYMENT_HEAD_NAMES = ("line_count", "total", "made_on", "document")
"""The fields a header or trailer can fill, likewise."""


@dataclass(frozen=True, slots=True)
class RemittanceSettings:
    """How payments for one office are written and named."""

    layout: Layout
    name: str
    """Template of a file name, such as "payments_{made_on}_{sequence:06d}.txt"; it may say {made_on}, {made_at} and {sequence}."""


def parking_payments(settings: RemittanceSettings) -> "ParkingPayments":
    """Where payments for one office go. Raises Unreadable("settings") when its layout asks for what a payment has not."""
    faults = tuple(_faults_in(settings.layout))
    if faults:
        raise Unreadable("settings", "; ".join(faults))
    return ParkingPayments(settings)


class ParkingPayments:
    """Where remittances for a parking office go; a ports.Destination."""

    def __init__(self, settings: RemittanceSettings) -> None:
        self._settings = settings
        self.encoding = settings.layout.encoding

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        """The document's file name from the settings' template; unique as its sequence is."""
        stamp = made_at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
        return self._settings.name.format(sequence=sequence, made_at=stamp, made_on=made_on.replace("-", ""))

    def writer(self, heading: Heading) -> "ParkingPaymentWriter":
        """A fresh writer for one document."""
        return ParkingPaymentWriter(self._settings.layout, heading)


class ToldRow(NamedTuple):
    """A payment line, read back; "" for what the layout does not carry."""

    source_reference: str
    amount: int
    """Cents."""
    account: str = ""


def told_in(layout: Layout, chunks: Iterable[bytes]) -> Iterator[ToldRow]:
    """Reads a payment file of ours back, line by line, and checks its control totals when the last line is through.

    Raises Unreadable for the file: what the form raises, and "control_total" with both figures (reliability.md D29).
    """
    for row in details_in(layout, ToldRow._fields, "amount", chunks):
        yield ToldRow(**row)  # type: ignore[arg-type]


class ParkingPaymentWriter:
    """Writes one document, one payment a line; a ports.Writer."""

    def __init__(self, layout: Layout, heading: Heading) -> None:
        self._layout = layout
        self._heading = heading

    def line(self, line: Line) -> str:
        """The line's text. Raises Unreadable: "not_positive", "kind", and what the fields raise ("too_wide", "blank", ...), naming the field."""
        if line.cents <= 0:
            raise Unreadable("not_positive", f"{shown(line.cents)} is not a payment; the parking office is only told of sums above zero")
        if line.kind != Kind.PAYMENT:
            raise Unreadable("kind", f"a {line.kind} was to be sent to the parking office as a payment; look at why it is in this batch")
        made_on = self._heading.made_on
        values = (line.source_reference, line.account, line.cents, made_on, made_on, line.reference, line.category, line.assessed_on)
        return self._print(tuple(values[PAYMENT_NAMES.index(name)] for name in self._layout.detail.names))

    def head(self, total: ControlTotal) -> str:
        """The header record or heading row, or ""."""
        return delimited.heading(self._layout) if self._layout.form is Form.DELIMITED else self._ends(RecordKind.HEADER, total)

    def tail(self, total: ControlTotal) -> str:
        """The trailer record, or ""."""
        return self._ends(RecordKind.TRAILER, total)

    @cached_property
    def _print(self) -> Callable[[Row], str]:
        layout = self._layout
        return fixed.writer(layout, layout.detail) if layout.form is Form.FIXED else delimited.writer(layout)

    def _ends(self, kind: RecordKind, total: ControlTotal) -> str:
        record = self._layout.record(kind)
        if record is None:
            return ""
        values: Row = (total.count, total.cents, self._heading.made_on, self._heading.name.rpartition(".")[0] or self._heading.name)
        return fixed.writer(self._layout, record)(tuple(values[PAYMENT_HEAD_NAMES.index(name)] for name in record.names))


def _faults_in(layout: Layout) -> list[str]:
    """What a layout asks for that a payment has not, and what it leaves out that the office needs; each as a sentence."""
    faults = [
        f'layout {layout.name}: a payment file has no value for "{name}" in its {record.kind}'
        for record in layout.records
        for name in record.names
        if name not in (PAYMENT_NAMES if record is layout.detail else PAYMENT_HEAD_NAMES)
    ]
    missing = [name for name in ("source_reference", "amount") if name not in layout.detail.names]
    return faults + [f"layout {layout.name}: a payment file without {name} closes nothing" for name in missing]
