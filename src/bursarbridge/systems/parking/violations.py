"""What a parking office's list says, row by row, as violations (parking.md); the mapping is in docs/systems/parking.md."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import cast

from bursarbridge.errors import Unreadable
from bursarbridge.formats.shape import Blank, Field, FieldKind
from bursarbridge.formats.values import from_text
from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ledger.money import shown
from bursarbridge.ports import Rejected
from bursarbridge.systems.parking.agreed import COLUMNS, NOT_EVIDENCE, ViolationForm
from bursarbridge.systems.parking.rows import Row, exact_cents, place_of, rows, words_of

_REFERENCE_MAX = 60
_TEXT_MAX = 100
"""Characters of a type or status; real ones have some ten, the limit only keeps garbage out."""
_NATIONAL = re.compile(r"\b[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}\b", re.ASCII)
"""The printed form of a social security number; nine bare digits are taken for one only where they are not the agreed id."""
_TIME_OF_DAY = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?: ?[AaPp][Mm])?$", re.ASCII)
_NOTHING_OWED = (Standing.PAID, Standing.VOID, Standing.WARNING)


class ViolationReader:
    """Reads lists of violations, and ready-made lists of holds: implements ports.Reader, yielding rows of texts and `Violation` facts.

    Without `whole` it takes the lines before the records and any of the records, and asks for no trailer; the last line has to end all the same.
    """

    def __init__(self, form: ViolationForm, *, whole: bool = True) -> None:
        self._form = form
        self._whole = whole
        self._violation = _violation(form)

    @property
    def lines_are_records(self) -> bool:
        """Whether every record is one line that always says the same, and nothing else in the file has to be looked at: no first line, no trailer."""
        spanning = bool(self._form.delimiter) and self._form.spanning
        return not (spanning or self._form.first_line or self._form.trailer)

    @property
    def lines_before(self) -> int:
        """How many lines stand before the first record."""
        return bool(self._form.first_line) + (1 if self._form.delimiter and self._form.heading else 0)

    def records(self, chunks: Iterable[bytes]) -> Iterator[Row]:
        """Every row of the list in order. Raises Unreadable when the file as a whole is unfit, maybe after some were yielded."""
        return rows(self._form, chunks, whole=self._whole)

    def fact(self, record: object) -> Violation:
        """What one row says is owed. Raises Unreadable with the codes of docs/systems/parking.md; amounts are cents, exact."""
        return self._violation(cast(Row, record))

    def rejected(self, record: object, error: Unreadable) -> Rejected:
        """The row as suspense keeps it: the agreed columns only, no national id. Never raises."""
        row = cast(Row, record)
        raw = {name: row[at] for name, _ in self._form.columns if (at := place_of(self._form, name)) < len(row)}
        try:
            cents = abs(exact_cents(self._form, raw.get("amount", "")))
        except Unreadable:
            cents = 0
        account = raw.get("id", "").strip()
        if error.code == "national_id":
            account, raw["id"] = "", ""
        reference = raw.get("reference", account).strip() if _by_violation(self._form) else account
        kept = _NATIONAL.sub("***", json.dumps(raw, ensure_ascii=False))
        return Rejected(error.code, _NATIONAL.sub("***", str(error)), _NATIONAL.sub("***", reference), account, cents, kept)

    def revived(self, raw: str) -> Row:
        """The row that `rejected` kept. Raises Unreadable("raw") for anything else."""
        try:
            texts = json.loads(raw)
        except ValueError as error:
            raise Unreadable("raw", "what was kept of this row is not a JSON object; have the list sent again") from error
        known = {column.name for column in COLUMNS}
        if not (isinstance(texts, dict) and texts.keys() <= known and all(isinstance(text, str) for text in texts.values())):
            raise Unreadable("raw", "what was kept of this row is not one object of texts; have the list sent again")
        row = [""] * max(len(self._form.titles), len(self._form.columns))
        for name, _ in self._form.columns:
            row[place_of(self._form, name)] = texts.get(name, "")
        return row


def _by_violation(form: ViolationForm) -> bool:
    """Whether a row is one violation, rather than a person's whole balance."""
    return place_of(form, "reference") >= 0 and form.kind in ("full", "changes")


def _violation(form: ViolationForm) -> Callable[[Row], Violation]:
    """A function from a row to its violation, with the look-ups done once: this is the hot path of a nightly list."""
    at_id, at_amount, at_type, at_category, at_day = (place_of(form, one) for one in ("id", "amount", "user_type", "category", "violated_on"))
    at_reference = place_of(form, "reference") if _by_violation(form) else -1
    at_status, at_currency = place_of(form, "status"), place_of(form, "currency")
    fits = re.compile(form.account_pattern, re.ASCII).fullmatch
    quick, slow_cents = re.compile(r"[0-9]{1,9}\.[0-9]{2}", re.ASCII).fullmatch, _cents(form)
    day_of, category_of, type_of = (lru_cache(1 << 12)(one) for one in (_day(form), _text(form, "category"), _text(form, "user_type")))
    standing_of, checked = _standing(form), _checked(form)
    most, currency, point, both = form.amount_max_cents, form.currency, form.point, form.kind in ("full", "changes")
    opened, paid, new = Standing.OPEN, Standing.PAID, tuple.__new__

    def violation(row: Row) -> Violation:
        account = row[at_id]
        if fits(account) is None or "-" in account or " " in account:
            account = _account(form, account, fits)
        text = row[at_amount]
        if text == "0.00" and point:
            cents = 0
        elif point and quick(text):
            cents = int(text[:-3] + text[-2:])
        else:
            cents = slow_cents(text)
        if at_currency >= 0 and row[at_currency] != currency:
            _check_currency(form, row[at_currency])
        if at_status >= 0:
            standing, cents = standing_of(row[at_status], cents)
        else:
            standing = opened if cents else paid
        if cents > most or not both:
            checked(cents)
        reference = _reference(form, row[at_reference]) if at_reference >= 0 else account
        category = category_of(row[at_category]) if at_category >= 0 else ""
        violated_on = day_of(row[at_day]) if at_day >= 0 else ""
        user_type = type_of(row[at_type]) if at_type >= 0 else ""
        return new(Violation, (reference, account, category, cents, violated_on, standing, user_type))

    return violation


def _cents(form: ViolationForm) -> Callable[[str], int]:
    def cents(text: str) -> int:
        if not text.strip():
            raise _fault(form, "amount", "amount", "nothing stands here, not even 0.00; look the violation up in the parking system")
        try:
            found = exact_cents(form, text)
        except Unreadable as error:
            words = f"{error.words}; nothing is rounded or guessed: look the violation up in the parking system"
            raise _fault(form, "amount", "amount", words) from error
        if found < 0:
            words = f"{shown(found)} is below zero: more was paid than owed, and only exactly 0.00 is nothing owed; the parking office clears it up"
            raise _fault(form, "amount", "amount", words)
        return found

    return cents


def _account(form: ViolationForm, text: str, fits: Callable[[str], re.Match[str] | None]) -> str:
    """The id without blanks round it, when it is one."""
    account = text.strip()
    if not account:
        raise _fault(form, "account", "id", "the row names nobody; give the person the agreed id in the parking system")
    if _NATIONAL.search(account) or re.fullmatch(r"[0-9]{9}", account, re.ASCII):
        words = "the id has the form of a social security number; it is kept nowhere: put the agreed id in its place in the parking system"
        raise _fault(form, "national_id", "id", words)
    if fits(account) is None:
        words = f'the id "{account[:60]}" has not the agreed form {form.account_pattern} (a leading zero lost?); correct it in the parking system'
        raise _fault(form, "account_form", "id", words)
    return account


def _reference(form: ViolationForm, text: str) -> str:
    reference = text if text[:1] > " " and text[-1:] > " " else text.strip()
    if not reference:
        raise _fault(form, "no_reference", "reference", "the violation has no number and could not be known again; look it up in the parking system")
    if len(reference) > _REFERENCE_MAX or not reference.isprintable():
        words = f"the number {reference[:40]!a} has {len(reference)} characters, at most {_REFERENCE_MAX} printable ones are taken"
        raise _fault(form, "too_wide", "reference", words)
    return reference


def _check_currency(form: ViolationForm, text: str) -> None:
    if text.strip() != form.currency:
        words = f'the currency is "{text[:20]}", agreed is "{form.currency}"; nothing is converted: correct the violation in the parking system'
        raise _fault(form, "currency", "currency", words)


def _standing(form: ViolationForm) -> Callable[[str, int], tuple[Standing, int]]:
    """A function from a status word and the printed amount to what it means and what is owed."""
    meanings = dict(form.statuses)

    def standing(text: str, cents: int) -> tuple[Standing, int]:
        meaning = meanings.get(text) or meanings.get(text.strip())
        if meaning is None:
            known = ", ".join(f'"{word}"' for word in meanings)
            words = f'nobody has said what the status "{text[:40]}" means ({known} are known); add it to statuses in the settings'
            raise _fault(form, "status", "status", words)
        if meaning == NOT_EVIDENCE:
            words = f'"{text[:40]}" says that the office tidied up, not that somebody paid; what was known of the violation stays'
            raise _fault(form, "not_evidence", "status", words)
        if meaning == Standing.PAID and cents:
            words = f'the status is "{text[:40]}", paid, and {shown(cents)} is owed; only one can be right: look it up in the parking system'
            raise _fault(form, "paid_and_owed", "status", words)
        found = Standing(meaning)
        return found, 0 if found in _NOTHING_OWED else cents

    return lru_cache(1 << 14)(standing)


def _checked(form: ViolationForm) -> Callable[[int], None]:
    """What is rarely wrong with what is owed."""

    def checked(cents: int) -> None:
        if form.kind == "released" and cents:
            words = f"a list of released holds holds {shown(cents)}; only 0.00 releases: is it the list of added ones?"
            raise _fault(form, "wrong_list", "amount", words)
        if form.kind == "added" and not cents:
            raise _fault(form, "wrong_list", "amount", "a list of added holds holds 0.00; what owes nothing belongs in the list of released ones")
        if cents > form.amount_max_cents:
            limit = shown(form.amount_max_cents)
            words = f"{shown(cents)} is above the limit of {limit}; check it in the parking system, then raise amount_max or have it corrected"
            raise _fault(form, "over_limit", "amount", words)

    return checked


def _day(form: ViolationForm) -> Callable[[str], str]:
    forms = from_text(Field("violated_on", FieldKind.DATE, blank=Blank.ALLOWED, dates=form.dates))

    def day(text: str) -> str:
        try:
            return str(forms(_TIME_OF_DAY.sub("", text.strip())))
        except Unreadable as error:
            raise _fault(form, "date", "violated_on", f"{error.words}; look it up in the parking system, or add the form to dates") from error

    return day


def _text(form: ViolationForm, name: str) -> Callable[[str], str]:
    def printable(text: str) -> str:
        found = text.strip()
        if len(found) > _TEXT_MAX or not found.isprintable():
            words = (
                f"{found[:40]!a} has {len(found)} characters, at most {_TEXT_MAX} printable ones are taken; are the columns where the settings say?"
            )
            raise _fault(form, "characters", name, words)
        return found

    return printable


def _fault(form: ViolationForm, code: str, name: str, words: str) -> Unreadable:
    return Unreadable(code, words, where=words_of(form, name))
