"""The two files PeopleSoft writes: what became of a load, and what was paid since 1 July."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from bursarbridge.sandbox.cents import two_decimals
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.items import ChargeLine, Group, Payment

RESULT_COLUMNS = ("Status", "File Name", "Group ID", "Reference Number", "Emplid", "Amount", "Count", "Reason")
PAYMENT_COLUMNS = ("Emplid", "Date Paid", "Reference Number", "Charge Amount", "Paid Amount", "Item Type", "Charge Description")


def results_file(group: Group, posted: Sequence[ChargeLine], defaulted: Sequence[ChargeLine], now: datetime) -> Sent:
    """The department's notice of receipt and of posting in one file (peoplesoft.md 1.4): totals, then line by line."""
    # A department is told amounts, not signs: what a file of credits takes back is told as it was sent, without one.
    whole = (two_decimals(abs(group.cents)), str(len(group.lines)))
    rows = [_about(group, "RECEIVED", *whole)]
    if group.blocked_because:
        rows.append(_about(group, "NOT_POSTED", *whole, reason=group.blocked_because))
        return _results(group, rows, now)
    rows.append(_about(group, "LOADED", *whole))
    for line, objection in group.refused:
        rows.append(_about(group, "REFUSED", two_decimals(abs(line.cents)), "", line.reference, line.emplid, objection))
    for line in defaulted:
        # A warning, not an error: the line did post (peoplesoft.md 1.4).
        rows.append(_about(group, "POSTED", two_decimals(abs(line.cents)), "", line.reference, line.emplid, "Term has defaulted to current term"))
    rows.append(_about(group, "POSTED", two_decimals(abs(sum(line.cents for line in posted))), str(len(posted))))
    return _results(group, rows, now)


def payments_file(payments: Iterable[Payment], now: datetime) -> Sent:
    """Arizona State's seven columns, every payment since 1 July that still stands (peoplesoft.md 2.3, P1).

    A reversed payment's row is simply gone, which is how a reader has to notice it.
    """
    begins_on = now.date().replace(year=now.year if now.month >= 7 else now.year - 1, month=7, day=1)
    rows = [_paid(payment) for payment in payments if not payment.reversed and begins_on <= payment.paid_at.date() <= now.date()]
    return Sent(f"ASUSASF_LIBRARY_REPORT_DTRANGE_{now:%Y%m%d_%H%M%S}.csv", _csv(PAYMENT_COLUMNS, rows))


def _paid(payment: Payment) -> tuple[str, ...]:
    item = payment.item
    amounts = (two_decimals(item.amount_cents), two_decimals(payment.cents))
    return (item.emplid, f"{payment.paid_at:%m/%d/%Y}", item.reference, *amounts, item.item_type, item.description)


def _about(group: Group, status: str, amount: str, count: str, reference: str = "", emplid: str = "", reason: str = "") -> tuple[str, ...]:
    # The loader is given a file's name without its extension, and that is what it repeats (peoplesoft.md 1.1).
    return (status, group.file_name.removesuffix(".dat"), group.number, reference, emplid, amount, count, reason)


def _results(group: Group, rows: Sequence[tuple[str, ...]], now: datetime) -> Sent:
    return Sent(f"results_{now:%Y%m%d%H%M%S}_{group.number}.csv", _csv(RESULT_COLUMNS, rows))


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return sheet.getvalue().encode()
