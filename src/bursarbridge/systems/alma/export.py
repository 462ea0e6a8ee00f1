"""What Alma's bursar export says, row by row, as charges and credits (alma.md 1.1, 1.5); the mapping is in docs/systems/alma.md."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Charge, Credit
from bursarbridge.ledger.money import cents_of, shown
from bursarbridge.ports import Rejected
from bursarbridge.systems.alma.listening import Fee, Header
from bursarbridge.systems.alma.plain import fees_quickly

CREDIT = "CREDIT"
"""The fee type of every credit row, whatever the fee it belongs to was (alma.md 0, item 3)."""

EXTRA_SEPARATOR = "\x1f"
"""Between the parts of `Charge.extra`; XML 1.0 cannot carry it, so no field can hold it."""

_REFERENCE_MAX = 100
"""Characters of a fee id; Alma's have 12 to 17 (alma.md 1.1), the limit only keeps garbage out."""

_COMMENT_MAX = 200
"""Characters of a credit's comment that are kept: enough to tell an echo."""

# The zone abbreviation is ambiguous (IST is three zones) and not read: the date is the campus date as printed (alma.md 1.1).
_STAMP = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?: [A-Za-z][A-Za-z0-9+:/_-]{0,31})?")


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """What library and bursar agreed about the export."""

    identifier_types: tuple[str, ...]
    """The accepted texts of user/type ("02", "userName"); empty: any."""
    account_pattern: str
    """A regular expression that the whole of user/value matches."""
    currency: str
    """The one accepted code ("USD")."""
    amount_max_cents: int
    """A single fee above it waits for a person."""
    institution: str = ""
    """The InstitutionId that users carry in our exports; an export with another one is refused whole. Empty: not compared."""


class ExportReader:
    """Reads bursar exports: implements ports.Reader, yielding `Fee` records and `Charge` or `Credit` facts."""

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings
        self._header = Header()
        self._account = ""

    @property
    def export_number(self) -> str:
        """Alma's number of the export job, or "" when the header sibling is missing; complete once the records are read."""
        return self._header.export_number

    def records(self, chunks: Iterable[bytes]) -> Iterator[Fee]:
        """Every fee of the export in order. Raises Unreadable when the document as a whole is unfit, maybe after some were yielded."""
        self._header = Header()
        found = fees_quickly(chunks, self._header)
        return self._ours(found) if self._settings.institution else found

    def _ours(self, found: Iterator[Fee]) -> Iterator[Fee]:
        """Stops at the first user of another institution: this is a file of another Alma, a sandbox's perhaps (T11)."""
        for fee in found:
            if fee.institution not in ("", "null", self._settings.institution):
                words = f'a user belongs to institution "{fee.institution[:60]}", agreed is "{self._settings.institution}": a file of another Alma'
                raise Unreadable("institution", words, where="user/owneredEntity/InstitutionId")
            yield fee

    def fact(self, record: object) -> Charge | Credit:
        """The charge or credit one row says. Raises Unreadable with the codes of docs/systems/alma.md; amounts are cents, exact."""
        assert isinstance(record, Fee)
        account_type, account, institution, patron, person_twice, twice, reference, category, changed, owner, item, currency, _, comment = record
        if twice or person_twice:
            raise _twice(record)
        cents = _cents(record)
        settings = self._settings
        if not reference or len(reference) > _REFERENCE_MAX:
            raise _no_reference(record)
        if not account or (settings.identifier_types and account_type not in settings.identifier_types):
            raise _wrong_account(record, settings)
        if account != self._account and re.fullmatch(settings.account_pattern, account) is None:
            raise _odd_account(record, settings)
        self._account = account
        if currency != settings.currency:
            raise _foreign(record, settings)
        extra = EXTRA_SEPARATOR.join((account_type, institution, patron, changed, currency))
        if cents < 0 or category == CREDIT:
            if not cents:
                raise _fault(record, "amount", "compositeSum/sum", "a credit of 0.00 takes nothing back; look it up in Alma")
            # A credit frees; the limit on single fees is about billing too much.
            return Credit(reference, account, abs(cents), self._date(record), item, owner, _short(comment), extra)
        if cents > settings.amount_max_cents:
            raise _too_much(record, cents, settings)
        if not category:
            raise _fault(record, "category", "fineFeeType", "the fee has no type, so no item type can be found; set its type in Alma")
        return Charge(reference, account, category, cents, self._date(record), item, owner, extra)

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        """The row as suspense keeps it, its money positive; titles and call numbers are never read, comments of fees not kept. Never raises."""
        assert isinstance(record, Fee)
        try:
            cents = 0 if record.twice == "sum" else cents_of(record.sum)
        except Unreadable:
            cents = 0
        is_credit = cents < 0 or record.category == CREDIT
        kept = record if is_credit else record._replace(comment="")
        raw = json.dumps({name: text for name, text in kept._asdict().items() if text}, ensure_ascii=False)
        return Rejected(error.code, str(error), record.reference, record.account, abs(cents), raw)

    def revived(self, raw: str) -> Fee:
        """The fee that `rejected` kept. Raises Unreadable("raw") for anything else."""
        try:
            texts = json.loads(raw)
        except ValueError as error:
            raise Unreadable("raw", "what was kept of this fee is not a JSON object; have the export sent again") from error
        known = isinstance(texts, dict) and texts.keys() <= set(Fee._fields) and all(isinstance(text, str) for text in texts.values())
        if not known:
            raise Unreadable("raw", "what was kept of this fee is not one object of texts; have the export sent again")
        return Fee(*(texts.get(name, "").replace(EXTRA_SEPARATOR, " ") for name in Fee._fields))

    def _date(self, record: Fee) -> str:
        printed = record.changed
        if not printed:
            return ""
        try:
            if _STAMP.fullmatch(printed):
                return _campus_date(printed[:10])
        except ValueError as error:
            raise _odd_date(record) from error
        raise _odd_date(record)


@lru_cache(maxsize=1 << 12)
def _campus_date(printed: str) -> str:
    return date(int(printed[6:]), int(printed[:2]), int(printed[3:5])).isoformat()


_exact_cents = lru_cache(maxsize=1 << 14)(cents_of)
"""Fee amounts repeat a lot: a library has a price list."""


def _cents(record: Fee) -> int:
    if not record.sum:
        raise _fault(record, "amount", "compositeSum/sum", "the fee has no amount; look it up in Alma and have it exported again")
    try:
        return _exact_cents(record.sum)
    except Unreadable as error:
        raise _fault(record, "amount", "compositeSum/sum", f"{error.words}; nothing is rounded or guessed: look the fee up in Alma") from error


def _fault(record: Fee, code: str, field: str, words: str) -> Unreadable:
    return Unreadable(code, words, where=f"fee {record.reference[:60] or 'without id'}, field {field}")


def _twice(record: Fee) -> Unreadable:
    field = record.twice or record.person_twice
    return _fault(
        record, "repeated_field", field, "the field stands twice in one fee or user, so it is not clear which holds; look the fee up in Alma"
    )


def _short(comment: str) -> str:
    return " ".join(comment.split())[:_COMMENT_MAX]


def _no_reference(record: Fee) -> Unreadable:
    if record.reference:
        return _fault(record, "fee_id", "bursarTransactionId", f"the id has {len(record.reference)} characters, at most {_REFERENCE_MAX} are taken")
    return _fault(record, "fee_id", "bursarTransactionId", "the fee has no id; check Configuring Bursar Transaction IDs in Alma and export it again")


def _wrong_account(record: Fee, settings: ExportSettings) -> Unreadable:
    wanted = " or ".join(f'"{name}"' for name in settings.identifier_types) or "any type"
    if not record.account:
        return _fault(
            record, "account", "user/value", f"the user has no id of the agreed type ({wanted}); add the id in Alma and export the fee again"
        )
    words = (
        f'the user is named by an id of type "{record.account_type[:60]}", agreed is {wanted}; add that id to the user in Alma, or change the profile'
    )
    return _fault(record, "account_type", "user/type", words)


def _odd_account(record: Fee, settings: ExportSettings) -> Unreadable:
    words = f'the id "{record.account[:60]}" has not the agreed form {settings.account_pattern} (a leading zero lost?); correct the id in Alma'
    return _fault(record, "account_form", "user/value", words)


def _foreign(record: Fee, settings: ExportSettings) -> Unreadable:
    words = f'the currency is "{record.currency[:20]}", agreed is "{settings.currency}"; nothing is converted: correct the fee in Alma'
    return _fault(record, "currency", "compositeSum/currency", words)


def _too_much(record: Fee, cents: int, settings: ExportSettings) -> Unreadable:
    words = f"the fee is {shown(cents)}, above the limit of {shown(settings.amount_max_cents)}; check it in Alma, then raise the limit or accept it"
    return _fault(record, "over_limit", "compositeSum/sum", words)


def _odd_date(record: Fee) -> Unreadable:
    words = f'"{record.changed[:60]}" is not a date of the form MM/dd/yyyy HH:mm:ss with or without a zone; look the fee up in Alma'
    return _fault(record, "date", "lastTransactionDate", words)
