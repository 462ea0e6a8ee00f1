"""Layout declarations: every fault is named at once."""

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats.layout import LayoutFaults, layout_from_toml, shipped, shipped_names

GOOD = """
name = "mine"
form = "fixed"
[[records]]
kind = "detail"
fields = [
  { name = "account", kind = "text", start = 1, width = 9 },
  { name = "amount", kind = "amount", start = 11, width = 9 },
]
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(LayoutFaults) as caught:
        layout_from_toml(text, "mine.toml")
    assert caught.value.where == "mine.toml"
    return caught.value.faults


def test_a_layout_with_defaults_loads() -> None:
    layout = layout_from_toml(GOOD, "mine.toml")
    assert (layout.encoding, layout.newline, layout.detail.names) == ("ascii", "\n", ("account", "amount"))


def test_shipped_layouts_load_under_their_own_names() -> None:
    assert len(shipped_names()) == 20
    assert [shipped(name).name for name in shipped_names()] == list(shipped_names())
    with pytest.raises(Unreadable, match="generic-charges"):
        shipped("nobody-charges")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name =", "name", "not TOML"),
        ('form = "fixed"', 'form = "excel"', "form is 'excel', and has to be one of fixed, delimited"),
        ('form = "fixed"', 'form = "fixed"\nfrom = 1', 'there is no key "from"'),
        ('form = "fixed"', 'form = "fixed"\nencoding = "utf-8"', "one byte per character"),
        ('form = "fixed"', 'form = "fixed"\nencoding = "klingon"', "unknown"),
        ('form = "fixed"', 'form = "fixed"\nnewline = "|"', "newline has to be"),
        ('form = "fixed"', 'form = "delimited"', "start has no meaning"),
        ('form = "fixed"', 'form = "delimited"\nheading = true', "title, the column's heading, is missing"),
        ('form = "fixed"', 'form = "delimited"\ndelimiter = "x"', "has to be a comma"),
        ('kind = "detail"', 'kind = "header"', "one detail record"),
        ('name = "amount"', 'name = "amuont"', '"amuont": unknown field name'),
        ('name = "amount"', 'name = "account"', "two fields are called"),
        ("start = 11", "start = 9", 'columns 9-17 overlap or precede "account" in 1-9'),
        ("start = 11", 'start = "11"', "start is '11', and has to be a whole number"),
        ("start = 11, width = 9", "start = 11, width = 3", "too few for an amount"),
        ("start = 11, width = 9", "start = 11", "width is missing"),
        ("start = 1, width = 9", "width = 9", "start (the first column"),
        ("start = 1, width = 9", "start = 1", "only the last field may run"),
        ("start = 11, width = 9", 'start = 11, width = 9, blank = "allowed", sign = "signed"', "cannot be signed"),
        ("start = 11, width = 9", 'start = 11, width = 9, align = "left"', "aligned right"),
        ("start = 11, width = 9", 'start = 11, width = 9, pad = "*"', "pad has to be"),
        ('kind = "amount"', 'kind = "date"', "belongs to kind date, and is needed"),
        ('kind = "amount"', 'kind = "date", dates = ["MMDD"]', 'date form "MMDD"'),
        ('kind = "amount"', 'kind = "date", dates = ["YYYY-MM-DD"]', "10 characters do not fit into its 9 columns"),
        ('kind = "amount"', 'kind = "date", dates = [1]', "a list of texts"),
        ('kind = "amount"', 'kind = "choice"', "belongs to kind choice"),
        ('kind = "amount"', 'kind = "choice", choices = { a = "X", b = "X" }', "same text"),
        ('kind = "amount"', 'kind = "literal"', "belongs to kind literal"),
        ('kind = "amount"', 'kind = "literal", literal = "a\\tb"', "control character"),
        ('kind = "detail"', 'kind = "detail"\nwidth = 12', "does not fit into its width of 12"),
        ("[[records]]", "[records]", "a list of tables"),
    ],
)
def test_each_fault_is_named(old: str, new: str, words: str) -> None:
    assert words in "; ".join(faults(GOOD.replace(old, new, 1)))


def test_all_faults_come_at_once() -> None:
    bad = (
        GOOD.replace("start = 11", "start = 9")
        .replace('name = "amount"', 'name = "amuont"')
        .replace('form = "fixed"', 'form = "fixed"\nnewline = "x"')
    )
    assert len(faults(bad)) == 3
