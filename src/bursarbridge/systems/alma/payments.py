"""Payments on their way back to Alma: the bursar import XML (alma.md 2.2), and reading it again."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bursarbridge.errors import Refused, Unreadable
from bursarbridge.ledger.entries import Kind
from bursarbridge.ledger.money import cents_of, shown, text_of
from bursarbridge.ports import ControlTotal, Heading, Line
from bursarbridge.systems.alma.export import EXTRA_SEPARATOR
from bursarbridge.systems.alma.listening import Fee, Header, fees
from bursarbridge.systems.alma.vocabulary import NAMESPACE

# What XML 1.0 cannot carry in any spelling (production Char).
_UNCARRIED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[&<>]|[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})
_PEOPLE_OPEN = "<xb:userExportedFineFees><xb:userExportedList>\n"
_PEOPLE_SHUT = "</xb:userExportedList></xb:userExportedFineFees>\n</xb:xml-fragment>\n"
_PERSON_SHUT = "</xb:finefeeList></xb:userExportedFineFeesList>\n"


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """How remittances to one Alma are named and dated."""

    name_template: str
    """Such as "bursarbridge-{sequence:06d}-{made_at}.xml"; may use sequence, made_at (UTC, 20261001T161500Z) and made_on."""
    zone: ZoneInfo
    """The campus time zone, for lastTransactionDate."""


class PaymentDestination:
    """Where remittances for Alma go: implements ports.Destination. Lines come ordered by account."""

    encoding = "utf-8"

    def __init__(self, settings: PaymentSettings) -> None:
        self._settings = settings

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        """The document's file name. Raises Refused when the template cannot make a plain and unique one (alma.md 2.3)."""
        template = self._settings.name_template
        stamp = made_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        try:
            name = template.format(sequence=sequence, made_at=stamp, made_on=made_on)
        except (LookupError, ValueError) as error:
            raise Refused(
                f'the file name template "{template}" does not fit ({error}); it may use {{sequence}}, {{made_at}} and {{made_on}}'
            ) from error
        if "{sequence" not in template or "/" in name:
            raise Refused(f'the file name template "{template}" must hold {{sequence}}, so that no name is used twice, and no "/"')
        return name

    def writer(self, heading: Heading) -> "PaymentWriter":
        """A fresh writer for one document."""
        return PaymentWriter(heading, heading.made_at.astimezone(self._settings.zone).strftime("%m/%d/%Y %H:%M:%S"))


class PaymentWriter:
    """Writes one import document, one fee a line: implements ports.Writer."""

    def __init__(self, heading: Heading, stamp: str) -> None:
        self._heading = heading
        self._stamp = stamp
        self._person: tuple[str, str] | None = None

    def head(self, total: ControlTotal) -> str:  # noqa: ARG002 - the port's name
        """Everything before the first user; the document carries no total of its own (alma.md 1.1), so none is written."""
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<xb:xml-fragment xmlns:xb="{NAMESPACE}">\n<xb:userExportedFineFees>'
            f"<xb:exportNumber>{self._heading.sequence}</xb:exportNumber></xb:userExportedFineFees>\n{_PEOPLE_OPEN}"
        )

    def line(self, line: Line) -> str:
        """One payment as a userFineFee, its user before it when another than the last. Raises Unreadable: "not_positive", "kind", "extra", ..."""
        if line.cents <= 0:
            raise Unreadable("not_positive", f"{shown(line.cents)} is not a payment; Alma is only told of sums above zero (alma.md 2.3)")
        if line.kind != Kind.PAYMENT:
            raise Unreadable("kind", f"a {line.kind} was to be sent to Alma as a payment; only payments are, so look at why it is in this batch")
        if not (line.source_reference and line.account and line.category):
            raise Unreadable(
                "incomplete", "the fee id, the user's id or the fee type is missing, and Alma could not find the fee; look the fee up in Alma"
            )
        # The extra is type, institution, name, date, currency: the first three are the user's (export.py).
        who, *rest = line.extra.rsplit(EXTRA_SEPARATOR, 2)
        currency = _escaped(rest[-1]) if rest else ""
        fee = (
            f"<xb:userFineFee><xb:fineFeeType>{_escaped(line.category)}</xb:fineFeeType>"
            f"<xb:lastTransactionDate>{self._stamp}</xb:lastTransactionDate>"
            f"<xb:compositeSum><xb:currency>{currency}</xb:currency><xb:sum>{text_of(line.cents)}</xb:sum></xb:compositeSum>"
            f"<xb:bursarTransactionId>{_escaped(line.source_reference)}</xb:bursarTransactionId></xb:userFineFee>\n"
        )
        if (line.account, who) == self._person:
            return fee
        person = _person(line.account, who)
        shut = _PERSON_SHUT if self._person else ""
        self._person = (line.account, who)
        return f"{shut}{person}{fee}"

    def tail(self, total: ControlTotal) -> str:  # noqa: ARG002 - the port's name
        """Everything after the last fee."""
        return (_PERSON_SHUT if self._person else "") + _PEOPLE_SHUT


class Paid(NamedTuple):
    """One row of an import document."""

    reference: str
    """bursarTransactionId, as Alma exported it."""
    account_type: str
    account: str
    category: str
    cents: int
    """Paid now, positive."""
    currency: str


def read_import(chunks: Iterable[bytes], header: Header) -> Iterator[Paid]:
    """The rows of an import document, for verification and `files show`; `header` learns the export number.

    Raises Unreadable for the whole document at the first row that Alma could not use: no id, no exact positive sum.
    """
    for fee in fees(chunks, header):
        yield _paid(fee)


def _person(account: str, who: str) -> str:
    parts = who.split(EXTRA_SEPARATOR)
    if len(parts) != 3:
        raise Unreadable("extra", "what Alma said of this fee's user was not kept with it; have the fee exported again")
    account_type, institution, patron = map(_escaped, parts)
    owner = f"<xb:owneredEntity><xb:InstitutionId>{institution}</xb:InstitutionId></xb:owneredEntity>" if institution else ""
    return (
        f"<xb:userExportedFineFeesList><xb:user><xb:type>{account_type}</xb:type><xb:value>{_escaped(account)}</xb:value>{owner}</xb:user>"
        f"<xb:patronName>{patron}</xb:patronName><xb:finefeeList>\n"
    )


def _paid(fee: Fee) -> Paid:
    if not fee.reference or fee.twice or fee.person_twice:
        raise Unreadable("fee_id", "a row has no id or a field twice; the document was not written by us or was changed", where="bursarTransactionId")
    cents = cents_of(fee.sum)
    if cents <= 0:
        raise Unreadable("not_positive", f"{shown(cents)} is not a payment", where=f"fee {fee.reference[:60]}, field compositeSum/sum")
    return Paid(fee.reference, fee.account_type, fee.account, fee.category, cents, fee.currency)


def _escaped(text: str) -> str:
    if text.isalnum() or not _SPECIAL.search(text):
        return text
    if found := _UNCARRIED.search(text):
        raise Unreadable("character", f"the character U+{ord(found[0]):04X} cannot stand in XML; correct the text in Alma and export the fee again")
    return text.translate(_ESCAPES)
