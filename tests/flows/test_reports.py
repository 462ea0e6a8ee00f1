"""Reports as people read them: the verdict first, nothing about anybody in a subject, and no more about people than was allowed."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursarbridge.flows.held import held_report
from bursarbridge.flows.hold_report import hold_report
from bursarbridge.flows.letter import Mail, mail_of
from bursarbridge.flows.report import PII, SHOWN, Frame, Report
from bursarbridge.flows.reports import NAMES, exceptions, late, returned_but_still_charged
from bursarbridge.flows.sheet import csv_for_people
from bursarbridge.ledger.guards import Trip
from bursarbridge.ledger.still_charged import ReturnedItem, StillCharged
from bursarbridge.store.guarded import Guarded, Vote
from bursarbridge.store.views import BatchView, ItemView
from tests.hold_mail import RICH
from tests.mail import FOUND, FRAME, JUN, ROSA, SCC

BATCH = BatchView(
    7, "bursar", "charge", "SENT", "LIB_CHG_000007.dat", 23, 126500, "2026-11-17T02:20:00Z", "2026-11-17T15:00:00Z", assumed=False, late=True
)
ITEM = ItemView(
    3, "unmapped_category", "library-export", "17000000000031001", "1042317", 5500, "nobody mapped it for Rosa", "2026-11-16T02:20:00Z", "", "", "",
    "", '{"title": "A Field Guide to Gannets"}', True, 1, "export.xml", "blocked:1",
)  # fmt: skip

RELEASES = Trip("releases", "14 would be released, limit 10", "14 holds would be released; the limit is 10", "hold", 2)
STOPPED = Guarded(
    7, "parking-holds", "plan", "held", 2, (RELEASES,), {"active": 120, "to_place": 0, "to_change": 0, "to_release": 14, "cents": 0},
    "2026-11-17T13:30:00Z", 0, "", (Vote("Imre", "approve", "amnesty", "2026-11-17T14:00:00Z"),),
)  # fmt: skip


def every_report(frame: Frame, found: StillCharged = FOUND) -> list[Report]:
    return [
        returned_but_still_charged(found, frame),
        late([BATCH], frame),
        exceptions([ITEM], frame),
        held_report([STOPPED], frame),
        hold_report(RICH, frame),
    ]


def whole(mail: Mail) -> str:
    return mail.text + mail.html + "".join(one.content.decode() for one in mail.attachments)


PEOPLE = st.builds(
    ROSA._replace,
    account=st.from_regex(r"[0-9]{7,11}", fullmatch=True),
    initials=st.from_regex(r"[A-Z]\.[A-Z]\.", fullmatch=True),
    name=st.text(min_size=3, max_size=30),
    title=st.text(max_size=40),
    barcode=st.from_regex(r"3[0-9]{13}", fullmatch=True),
)


@settings(max_examples=50)
@given(st.lists(PEOPLE, max_size=4), st.sampled_from(PII))
def test_no_subject_holds_a_name_or_an_id(people: list[ReturnedItem], pii: str) -> None:
    """A subject is kind, numbers and day: exchanging the people changes nothing in it."""
    frame = replace(FRAME, pii=pii)
    others = tuple(one._replace(account="9999999", initials="Z.Z.", name="Zed", title="Z", barcode="") for one in people)
    items = [ITEM._replace(account=one.account, words=one.name, raw=one.title) for one in people]
    strangers = [ITEM._replace(account="9999999", words="", raw="") for _ in people]
    assert (
        returned_but_still_charged(StillCharged(waive=tuple(people)), frame).subject
        == returned_but_still_charged(StillCharged(waive=others), frame).subject
    )
    assert exceptions(items, frame).subject == exceptions(strangers, frame).subject
    assert re.fullmatch(r"Exceptions: (none|\d+ items?, \$[\d,.]+) \(Tue Nov 17\)", exceptions(items, frame).subject)


def test_subjects_are_kind_numbers_and_day() -> None:
    assert [mail_of(one, FRAME).subject for one in every_report(FRAME)] == [
        "[SANDBOX] Returned but still charged: 3 items, $257.50 (Tue Nov 17)",
        "[SANDBOX] Late: 1 file, 23 lines, $1,265.00 (Tue Nov 17)",
        "[SANDBOX] Exceptions: 1 item, $55.00 (Tue Nov 17)",
        "[SANDBOX] Held: Parking holds, 14 would be released, limit 10 (Tue Nov 17)",
        "[SANDBOX] Holds: 4 added, 1 changed, 4 released, 2 stuck (Tue Nov 17)",
    ]
    assert mail_of(every_report(FRAME)[1], replace(FRAME, sandbox=False)).subject.startswith("Late: ")


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_is_the_verdict_in_both_parts(name: str) -> None:
    report = every_report(FRAME)[NAMES.index(name)]
    mail = mail_of(report, FRAME)
    assert mail.text.splitlines()[0] == report.verdict
    assert _Words.of(mail.html)[0] == report.verdict
    assert "SANDBOX: nothing here reaches real systems." in mail.text and "SANDBOX" in mail.html
    assert "SANDBOX" not in whole(mail_of(report, replace(FRAME, sandbox=False)))


COLUMNS = ["Item", "Where it stands", "Fee", "File", "Since when", "Since", "Amount", "Cause", "Oldest", "Held", "Since and who"]
COLUMNS += [
    "Office and code",
    "Added",
    "Changed",
    "Released",
    "Net",
    "On",
    "Total owed",
    "Who",
    "Since when",
    "Why",
    "What cleared it",
    "Was",
    "There",
]
COLUMNS += ["What the bursar has said", "What differs"]
HEADS = frozenset([*COLUMNS, "✕", "?", "↗", "!", "✓", "=", "+", "≠"])
"""Words of the page alone: heads of columns, and signs."""


@pytest.mark.parametrize("name", NAMES)
def test_both_parts_say_the_same(name: str) -> None:
    mail = mail_of(every_report(FRAME)[NAMES.index(name)], FRAME)
    text = " ".join(mail.text.split())
    for words in _Words.of(mail.html)[1:]:
        if words not in HEADS:
            assert " ".join(words.split()).rstrip(":") in text, words
    page = " ".join(_Words.of(mail.html))
    assert all(command in page for command in re.findall(r"bursarbridge (?:held|approve|reject|report|holds|suspense|status).*", mail.text))


@pytest.mark.parametrize(
    ("pii", "there", "not_there"),
    [
        ("none", [], ["1042317", "R.D.", "Rosa"]),
        ("id", ["1042317"], ["R.D.", "Rosa"]),
        ("id+initials", ["1042317 R.D."], ["Rosa"]),
        ("full", ["1042317 Rosa Doyle-Invented"], []),
    ],
)
def test_pii_levels_hold_in_every_part(pii: str, there: list[str], not_there: list[str]) -> None:
    frame = replace(FRAME, pii=pii)
    said = "".join(whole(mail_of(one, frame, attach="csv")) for one in every_report(frame))
    assert all(word in said for word in there) and not [word for word in not_there if word in said]
    assert ("Contains student records" in said) == (pii != "none")


def test_titles_are_named_only_where_it_is_set_and_a_records_own_words_never() -> None:
    said = "".join(whole(mail_of(one, replace(FRAME, pii="full"), attach="csv")) for one in every_report(replace(FRAME, pii="full")))
    assert "Gannets" not in said and "nobody mapped" not in said
    shown = replace(FRAME, titles=True)
    assert "A Field Guide to Gannets" in mail_of(returned_but_still_charged(FOUND, shown), shown).text


def test_each_library_gets_its_own_and_everybody_gets_an_empty_one() -> None:
    arc = returned_but_still_charged(FOUND, FRAME, "ARC")
    assert [one.count for one in arc.tables] == [1, 1, 0] and SCC.account not in whole(mail_of(arc, FRAME, attach="csv"))
    assert arc.verdict == "1 returned item to waive now, $55.00; 1 refund question."
    assert FOUND.libraries == ("ARC", "SCC")
    empty = returned_but_still_charged(StillCharged(), FRAME, "ARC")
    assert empty.subject == "Returned but still charged: 0 items, $0.00 (Tue Nov 17)"
    assert empty.verdict == "Nothing that came back is still charged." == mail_of(empty, FRAME).text.splitlines()[0]
    assert "Waive in Alma now: none" in mail_of(empty, FRAME).text
    assert late([BATCH._replace(late=False)], FRAME).verdict == "Nothing is late."
    assert exceptions([], FRAME).verdict == "Nothing waits for a person."


def test_the_sheet_has_all_and_the_mail_says_how_many_more() -> None:
    many = StillCharged(refund=(JUN,) * (SHOWN + 7))
    report = returned_but_still_charged(many, FRAME)
    assert f"Already paid: ask about a refund: {SHOWN + 7} items" in mail_of(report, FRAME).text
    assert "and 7 more in the spreadsheet" in mail_of(report, FRAME).text
    assert len(csv_for_people(report.sheet).splitlines()) == SHOWN + 8


def test_link_first_and_the_sheet_only_where_it_is_wished() -> None:
    report = returned_but_still_charged(FOUND, FRAME, "ARC")
    assert mail_of(report, FRAME).attachments == ()
    name = "returned-but-still-charged_ARC_2026-11-17_v1.csv"
    assert f"bursarbridge report returned-but-still-charged --library ARC --to {name}" in mail_of(report, FRAME).text
    assert [one.name for one in mail_of(report, FRAME, attach="csv").attachments] == [name]


def test_what_people_wrote_is_never_markup() -> None:
    evil = ROSA._replace(stands="<img src=x onerror=alert(1)>", link="https://alma.example.edu/?a=1&b=2")
    html = mail_of(returned_but_still_charged(StillCharged(waive=(evil,)), FRAME), FRAME).html
    assert "<img" not in html and "&lt;img" in html and "a=1&amp;b=2" in html


def test_data_tables_have_heads_and_layout_tables_say_so() -> None:
    html = mail_of(returned_but_still_charged(FOUND, FRAME), FRAME).html
    tables = re.findall(r"<table[^>]*>", html)
    assert len(tables) == 3 + html.count('role="presentation"')
    assert html.count('<th scope="col"') == 9 and html.count('<th scope="row"') == 3
    assert "max-width:640px" in html and "prefers-color-scheme: dark" in html and "<img" not in html and "<script" not in html


def test_the_held_mail_says_what_did_not_happen_and_who_must_approve() -> None:
    text = mail_of(held_report([STOPPED], FRAME), FRAME).text
    assert text.startswith("Parking holds held for a person: 14 holds would be released; the limit is 10. Nothing was sent, and every hold stands")
    assert "7: parking-holds, a plan: 0 placed, 0 changed, 14 released, 120 active" in text
    assert 'bursarbridge approve 7 --reason "..."' in text and "two different people must approve; Imre has" in text
    assert "empty too" not in text and "once a day until somebody decides" in text
    assert held_report([], FRAME).subject == "Held: nothing (Tue Nov 17)"


class _Words(HTMLParser):
    """What a reader sees of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    @classmethod
    def of(cls, html: str) -> list[str]:
        reader = cls()
        reader.feed(html)
        return reader.words

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden:
            self.words.append(data.strip())
