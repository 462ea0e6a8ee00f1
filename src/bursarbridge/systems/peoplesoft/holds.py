"""Hold files for PeopleSoft: who is to have a service indicator and whose is to go, in whatever layout the campus loads."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.back import details_in
from bursarbridge.formats.shape import Form, Layout, RecordKind, Row
from bursarbridge.ledger.money import shown
from bursarbridge.ports import ControlTotal, Heading, HoldDestination, HoldLine
from bursarbridge.systems.peoplesoft.settings import document_stem

HOLD_NAMES = (
    "account",
    "amount",
    "hold_code",
    "hold_reason",
    "reference",
    "institution",
    "department",
    "contact",
    "user_type",
    "category",
    "violated_on",
    "placed_on",
    "verb",
    "made_on",
)
"""The fields a hold line can fill, in the order the writer makes them."""

HOLD_HEAD_NAMES = ("line_count", "total", "made_on", "document")
"""The fields a header or trailer can fill, likewise."""

WIDTHS = {"account": 11, "hold_code": 3, "hold_reason": 5, "reference": 30, "institution": 5, "department": 10, "contact": 30}
"""What SRVC_IND_DATA has room for, whatever a layout would let through (peoplesoft.md 3.1)."""

_ADDED, _RELEASED = ("place", "change"), ("release",)


@dataclass(frozen=True, slots=True)
class HoldSettings:
    """What a campus decides about its hold files."""

    added: Layout
    released: Layout
    added_name: str
    """Template of a file name, such as "HOLDS_ADDED_{made_on}_{sequence:06d}.dat"; it may say {made_on}, {made_at} and {sequence}."""
    released_name: str
    amount_max_cents: int


def hold_files(settings: HoldSettings) -> "PeopleSoftHolds":
    """The two documents of a hold run. Raises Unreadable("settings") naming everything that is wrong with the settings."""
    faults = tuple(_faults_in(settings))
    if faults:
        raise Unreadable("settings", "; ".join(faults))
    return PeopleSoftHolds(settings)


class PeopleSoftHolds:
    """A ports.HoldFiles."""

    def __init__(self, settings: HoldSettings) -> None:
        self.encoding = settings.added.encoding
        self.added: HoldDestination = HoldDocuments(settings.added, settings.added_name, _ADDED, settings.amount_max_cents)
        self.released: HoldDestination = HoldDocuments(settings.released, settings.released_name, _RELEASED, 0)
        self.amounts = "amount" in settings.added.detail.names
        """Whether Holds Added carries amounts; where it does not (Mass Assign), a change has nothing to say and is not to be sent."""


class HoldDocuments:
    """One of the two kinds of document; a ports.HoldDestination."""

    def __init__(self, layout: Layout, template: str, verbs: tuple[str, ...], amount_max_cents: int) -> None:
        self._layout = layout
        self._template = template
        self._verbs = verbs
        self._most = amount_max_cents

    def name(self, sequence: int, made_at: datetime, made_on: str) -> str:
        """The document's file name from the settings' template; unique as its sequence is."""
        return self._template.format(sequence=sequence, made_at=made_at.strftime("%Y%m%d%H%M%S"), made_on=made_on.replace("-", ""))

    def writer(self, heading: Heading) -> "HoldFileWriter":
        """A fresh writer for one document."""
        return HoldFileWriter(self._layout, heading, self._verbs, self._most)


class HoldRow(NamedTuple):
    """A line of a hold file, read back; "" and -1 for what the layout does not carry."""

    account: str
    amount: int = -1
    """Cents."""
    hold_code: str = ""
    hold_reason: str = ""
    reference: str = ""


def holds_in(layout: Layout, chunks: Iterable[bytes]) -> Iterator[HoldRow]:
    """Reads a hold file of ours back, line by line, and checks its control totals when the last line is through.

    Raises Unreadable for the file: what the form raises, and "control_total" with both figures (reliability.md D29).
    """
    for row in details_in(layout, HoldRow._fields, "amount", chunks):
        yield HoldRow(**row)  # type: ignore[arg-type]


class HoldFileWriter:
    """Writes one document; a ports.HoldWriter. Every line text ends with the layout's newline."""

    def __init__(self, layout: Layout, heading: Heading, verbs: tuple[str, ...], amount_max_cents: int) -> None:
        self._layout = layout
        self._heading = heading
        self._verbs = verbs
        self._most = amount_max_cents
        self._named: tuple[str, str, str] | None = None

    def line(self, line: HoldLine) -> str:
        """The line's text.

        Raises Unreadable: "hold_verb" (a line of the other document), "hold_amount" (nothing owed in Holds Added, something in Holds
        Released), "amount_over_limit", "hold_no_amounts" (a change in a layout that carries none), "hold_codes" (a second institution, code
        and reason where only the run control says which), and what the fields raise ("too_wide", "blank", "characters"), naming the field.
        """
        _said_here(line, self._verbs)
        _right_amount(line, self._most)
        _fitting(line)
        self._sayable(line)
        return self._print(self._values(line))

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

    @cached_property
    def _pick(self) -> Callable[[Row], Row]:
        places = [HOLD_NAMES.index(name) for name in self._layout.detail.names]
        if len(places) == 1:
            return lambda values: (values[places[0]],)
        return itemgetter(*places)

    def _values(self, line: HoldLine) -> Row:
        made_on = self._heading.made_on
        codes = (line.code, line.reason, line.reference, line.institution, line.department, line.contact)
        speaking = (line.user_type, line.category, line.violated_on, line.placed_on or made_on)
        return self._pick((line.account, line.cents, *codes, *speaking, line.verb, made_on))

    def _sayable(self, line: HoldLine) -> None:
        """What the columns leave out has to be the same for every line, or of no matter."""
        names = self._layout.detail.names
        if line.verb == "change" and "amount" not in names:
            cure = "assigning again would add a second hold, or do nothing"
            raise Unreadable("hold_no_amounts", f"layout {self._layout.name} carries no amounts, so a new one cannot be told; {cure}")
        if "hold_code" in names:
            return
        mine = (line.institution, line.code, line.reason)
        self._named = self._named or mine
        if mine != self._named:
            words = f"a list for {' '.join(self._named)} cannot hold {' '.join(mine)}: the loader is told one institution, code and reason for all"
            raise Unreadable("hold_codes", words)

    def _ends(self, kind: RecordKind, total: ControlTotal) -> str:
        record = self._layout.record(kind)
        if record is None:
            return ""
        values: Row = (total.count, total.cents, self._heading.made_on, document_stem(self._heading.name))
        return fixed.writer(self._layout, record)(tuple(values[HOLD_HEAD_NAMES.index(name)] for name in record.names))


def _said_here(line: HoldLine, verbs: tuple[str, ...]) -> None:
    if line.verb not in verbs:
        document = "Holds Added" if verbs is _ADDED else "Holds Released"
        raise Unreadable("hold_verb", f'"{line.verb}" has no place in {document}; nobody may stand in the wrong one')


def _right_amount(line: HoldLine, most: int) -> None:
    if line.verb == "release" and line.cents:
        raise Unreadable("hold_amount", f"{shown(line.cents)} is still owed, and a hold is released at exactly $0.00 only", where="field amount")
    if line.verb != "release" and line.cents <= 0:
        raise Unreadable("hold_amount", f"{shown(line.cents)} is owed: there is no hold to place for it", where="field amount")
    if line.verb != "release" and line.cents > most:
        words = f"{shown(line.cents)} is above the limit of {shown(most)} per person; have someone look at it, or raise amount_max"
        raise Unreadable("amount_over_limit", words, where="field amount")


def _fitting(line: HoldLine) -> None:
    """PeopleSoft's own widths, where a layout is wider or has none."""
    codes = (line.code, line.reason, line.institution, line.department, line.contact)
    if len(line.account) <= WIDTHS["account"] and len(line.reference) <= WIDTHS["reference"] and _codes_fit(*codes):
        return
    values = (line.account, line.code, line.reason, line.reference, line.institution, line.department, line.contact)
    for (name, width), value in zip(WIDTHS.items(), values, strict=True):
        if len(value) > width:
            words = f'"{value[:80]}" has {len(value)} characters, and PeopleSoft has room for {width}; nothing is cut'
            raise Unreadable("too_wide", words, where=f"field {name}")


@lru_cache(256)
def _codes_fit(code: str, reason: str, institution: str, department: str, contact: str) -> bool:
    """The same for what is alike in most lines, looked at once."""
    widths = (WIDTHS[name] for name in ("hold_code", "hold_reason", "institution", "department", "contact"))
    return all(len(text) <= width for text, width in zip((code, reason, institution, department, contact), widths, strict=True))


def _faults_in(settings: HoldSettings) -> Iterator[str]:
    """Every fault of the settings as a sentence."""
    for layout in (settings.added, settings.released):
        for record in layout.records:
            known = HOLD_NAMES if record is layout.detail else HOLD_HEAD_NAMES
            yield from (
                f'layout {layout.name}: a hold file has no value for "{name}" in its {record.kind}' for name in record.names if name not in known
            )
        if "account" not in layout.detail.names:
            yield f"layout {layout.name}: a hold file without account says nothing of anybody"
    if settings.added.encoding != settings.released.encoding:
        yield f"layouts {settings.added.name} and {settings.released.name} have two encodings; both documents of a run have one"
    if settings.amount_max_cents <= 0:
        yield "the highest amount has to be above 0.00"
    if settings.added_name == settings.released_name:
        yield "both documents would have the same name"
    for template in (settings.added_name, settings.released_name):
        yield from _name_faults(template)


def _name_faults(template: str) -> Iterator[str]:
    documents = HoldDocuments(_NO_LAYOUT, template, _ADDED, 0)
    try:
        names = {documents.name(sequence, datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01") for sequence in (1, 2)}
    except (KeyError, IndexError, ValueError):
        yield f'name "{template}" cannot be filled in: use {{sequence:06d}}, {{made_on}} and {{made_at}}'
        return
    if len(names) < 2:
        yield f'name "{template}" needs {{sequence}}, as a name is never used twice'


_NO_LAYOUT = Layout("", Form.FIXED, "ascii", "\n", ())
