"""The bursar's code for one line, from the dated tables: item type, term, due date; each looked up once per distinct question."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.entries import Kind
from bursarbridge.ledger.money import shown
from bursarbridge.systems.peoplesoft.settings import ChargeSettings, DueKind, DueRule, ItemType

_DISTINCT = 1024


class Coding(NamedTuple):
    """The three look-ups of one document."""

    item_type: Callable[[str], tuple[str, str]]
    """Fee type -> (item type, label). Raises Unreadable("unmapped_fee_type")."""
    term: Callable[[str], str]
    """Campus date -> term code. Raises Unreadable("no_term")."""
    due_on: Callable[[], str]
    """-> due date, or "" where the rule says none. Raises Unreadable("no_due_date_rule")."""


def coding(settings: ChargeSettings, kind: Kind, made_on: str) -> Coding:
    """The look-ups for a document of one kind made on one campus date; item types and due rules are those in force that day."""

    @lru_cache(_DISTINCT)
    def item_type(category: str) -> tuple[str, str]:
        found = item_type_on(settings, category, made_on)
        return (found.credit if kind is Kind.CREDIT else found.charge), found.label

    @lru_cache(_DISTINCT)
    def term(day: str) -> str:
        found = next((entry.code for entry in settings.terms if entry.begins_on <= day <= entry.ends_on), None)
        if found is None:
            raise Unreadable(
                "no_term", f"no term covers {day or 'a fee without a date'}; add the term to [[bursar.terms]], with its first and last day"
            )
        return found

    @lru_cache(1)
    def due_on() -> str:
        rules = [rule for rule in settings.due_rules if rule.valid_from <= made_on]
        if not rules:
            raise Unreadable("no_due_date_rule", f"no due date rule is in force on {made_on}; add one to [[bursar.due_dates]]")
        return due_date(max(rules, key=lambda rule: rule.valid_from), made_on)

    return Coding(item_type, term, due_on)


def item_type_on(settings: ChargeSettings, category: str, day: str) -> ItemType:
    """What the bursar calls a fee type on a campus date. Raises Unreadable("unmapped_fee_type")."""
    found = next((entry for entry in settings.item_types if entry.category == category and _covers(entry, day)), None)
    if found is None:
        known = any(entry.category == category for entry in settings.item_types)
        lack = f"has no item type valid on {day}" if known else "has no item type"
        raise Unreadable("unmapped_fee_type", f'fee type "{category}" {lack}; ask the bursar which one, and add it to [[bursar.item_types]]')
    return found


def due_date(rule: DueRule, made_on: str) -> str:
    """The due date YYYY-MM-DD of a document made on a campus date, or "" for the rule "none"."""
    day = date.fromisoformat(made_on)
    if rule.kind is DueKind.NONE:
        return ""
    if rule.kind is DueKind.DAYS_AFTER:
        return (day + timedelta(days=rule.number)).isoformat()
    ahead = day.month + (1 if day.day <= rule.number else 2)
    return date(day.year + (ahead - 1) // 12, (ahead - 1) % 12 + 1, rule.number).isoformat()


def sendable(cents: int, most: int) -> int:
    """The cents, when they can stand in a charge file. Raises Unreadable: "amount" for 0 and below, "amount_over_limit"."""
    if cents <= 0:
        raise Unreadable("amount", f"{shown(cents)} cannot be sent: only amounts above 0.00 are", where="field amount")
    if cents > most:
        words = f"{shown(cents)} is above the limit of {shown(most)} per line; have someone look at the fee, or raise amount_max"
        raise Unreadable("amount_over_limit", words, where="field amount")
    return cents


def _covers(entry: ItemType, day: str) -> bool:
    return entry.valid_from <= day and (not entry.valid_to or day <= entry.valid_to)
