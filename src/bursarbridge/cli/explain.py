"""explain: why is it still here, who moves next, and by when; the verdict first, then the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.history import told_of
from bursarbridge.cli.near import alike, mistyped
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.suspense import fields_of
from bursarbridge.cli.words import count, day, moment
from bursarbridge.errors import Refused
from bursarbridge.ledger.entries import Place
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.config.model import Settings
    from bursarbridge.ledger.verdict import Verdict
    from bursarbridge.store.books import Books
    from bursarbridge.store.views import ItemView, Obligation

Subject = Annotated[str, typer.Argument(metavar="PERSON|FEE", help="A person's id, the library's number of a fee, or our reference of it.")]


def explain(
    subject: Subject, folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """Say where a person's fees, or one fee, are: the verdict, who it waits for, by when, and the evidence.

    \b
    bursarbridge explain 0012345 -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file, {"obligations": []})
    with ending(screen, where), bridge_of(screen, where) as bridge:
        from bursarbridge.assembly.names import office_of
        from bursarbridge.store import returns, views

        wanted = subject.strip()
        with bridge.books() as books:
            found = views.obligations(books, wanted)
            numbers = {one.id for one in found}
            loose = [one for one in views.items(books) if one.obligation not in numbers and wanted in (one.account, one.reference)]
            if not found and not loose:
                raise Refused(_unknown(bridge.settings, books, wanted))
            back = {one.id: returns.case_of(books, one.id) for one in found}
            verdicts = [_verdict(one, office_of(bridge.settings, one.source), books.now, *back[one.id][:2]) for one in found]
        screen.give(
            {
                "obligations": [{**_as_json(one, said), "returned": back[one.id][1]} for one, said in zip(found, verdicts, strict=True)],
                "suspense": [fields_of(one) for one in loose],
            }
        )
        _heading(screen, wanted, found)
        for one, said in zip(found, verdicts, strict=True):
            _obligation(screen, bridge.settings, one, said)
        for item in loose:
            _item(screen, item, bridge.settings.campus.timezone)
        _next(screen, where, found, loose)


def _verdict(one: Obligation, office: str, now: str, outcome: str, words: str) -> Verdict:
    """The verdict; for a fee that is open while its item is back, with what the library last answered."""
    from bursarbridge.ledger.returns import WAITING_ON, Outcome
    from bursarbridge.ledger.verdict import Verdict, verdict

    said = verdict(one.cents, f"the {office}", one.standing, one.in_flight, one.questions, assumed=one.assumed, now=now, forgiven=one.forgiven)
    if not one.standing.bursar or one.questions or outcome not in WAITING_ON:
        return said
    return Verdict(f"{said.words.removesuffix('.')}; {words}.", WAITING_ON[Outcome(outcome)], "")


def _as_json(one: Obligation, said: Verdict) -> dict[str, object]:
    inside = {place.word: getattr(one.standing, place.word) for place in Place if place is not Place.OUTSIDE}
    return {
        "reference": one.reference,
        "source": one.source,
        "source_reference": one.source_reference,
        "account": one.account,
        "category": one.category,
        "cents": one.cents,
        "assessed_on": one.assessed_on,
        "place": {"outside": -sum(inside.values()), **inside},
        "verdict": said.words,
        "waiting_on": said.waiting_on,
        "expected_by": said.expected_by,
        "assumed": one.assumed,
        "suspense": [question.number for question in one.questions],
        "history": [
            {
                "at": event.at,
                "from": event.source,
                "to": event.target,
                "cents": event.cents,
                "kind": event.kind,
                "cause": event.cause,
                "file": event.document,
                "words": event.words,
                "actor": event.actor,
            }
            for event in one.history
        ],
    }


def _heading(screen: Screen, wanted: str, found: list[Obligation]) -> None:
    if len(found) < 2:
        return
    settled = sum(one.standing.settled for one in found)
    total = sum(one.cents for one in found)
    screen.say(f"{wanted}: {count(len(found), 'fee')}, {shown(total)}; {shown(settled)} of it settled.")
    screen.say()


def _obligation(screen: Screen, settings: Settings, one: Obligation, said: Verdict) -> None:
    from bursarbridge.assembly.names import office_of

    zone, office = settings.campus.timezone, office_of(settings, one.source)
    screen.say(bold(said.words))
    rows = [["Waiting on", said.waiting_on]]
    if said.expected_by:
        rows.append(["Expected by", moment(said.expected_by, zone)])
    assessed = f", assessed {day(one.assessed_on)}" if one.assessed_on else ""
    rows.append(["Fee", f"{one.reference}: {_label(settings, one)}, {shown(one.cents)}{assessed}"])
    rows.append(["", f"person {one.account}; {one.source_reference} in the {office}"])
    screen.table(rows)
    history = [[moment(event.at, zone), shown(event.cents), told_of(event, office)] for event in one.history]
    screen.table(history, right=(1,), indent="    ")
    screen.say()


def _label(settings: Settings, one: Obligation) -> str:
    """The fee type as the student reads it on the account; the source's own word where there is none."""
    labels = {row.label for row in settings.bursar.item_types if (row.source, row.category) == (one.source, one.category)}
    return min(labels) if labels else one.category


def _item(screen: Screen, item: ItemView, zone: ZoneInfo) -> None:
    screen.say(bold(f"{shown(item.cents)} could not be posted: {item.words}."))
    screen.say(f"  Waiting on  a person: suspense {item.id}, since {moment(item.opened_at, zone)}")
    screen.say()


def _next(screen: Screen, where: Where, found: list[Obligation], loose: list[ItemView]) -> None:
    numbers = [question.number for one in found for question in one.questions] + [item.id for item in loose]
    screen.next(where.command(f"suspense show {numbers[0]}" if numbers else "status"))


def _unknown(settings: Settings, books: Books, wanted: str) -> str:
    words = f'no charge and no open question is known for "{wanted}"'
    holds = f". Holds are asked about apart: holds explain {wanted}" if settings.holds else ""
    reason = mistyped(settings, wanted)
    near = alike(books, wanted)
    if reason:
        words += f"; {reason}"
    return f"{words}; did you mean {' or '.join(near)}?" if near else f"{words}; check the number, or whether its file has arrived: files list{holds}"
