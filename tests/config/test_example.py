"""The example campus: without a fault, commented line by line, never over somebody's files."""

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bursarbridge.config import load
from bursarbridge.config.rules import ALMA_TYPES
from bursarbridge.errors import Refused
from bursarbridge.examples.example import write_example
from bursarbridge.ledger.money import cents_of


def test_the_example_is_whole_and_without_a_fault(tmp_path: Path) -> None:
    files = write_example(tmp_path / "campus")
    assert files[0] == tmp_path / "campus" / "bursarbridge.toml"
    settings = load(files[0], {})
    assert settings.warnings == ()
    assert all((tmp_path / "campus" / folder).is_dir() for folder in ("alma/out", "alma/in", "peoplesoft/in", "peoplesoft/out"))
    assert {item.category for item in settings.bursar.item_types} == set(ALMA_TYPES) - {"CREDIT"}
    assert settings.identity.student_id.pattern == r"^\d{7,11}$"
    assert (settings.bursar.charges.layout, settings.bursar.payments.layout) == ("generic-charges", "asu-payments")


def test_terms_have_no_gap_from_2020_to_2035_and_codes_by_their_rule(tmp_path: Path) -> None:
    terms = load(write_example(tmp_path)[0], {}).bursar.terms
    assert (terms[0].from_on, terms[-1].to_on, len(terms)) == (date(2020, 1, 1), date(2035, 12, 31), 48)
    assert all(after.from_on - before.to_on == timedelta(days=1) for before, after in pairwise(terms))
    assert all(term.code == f"2{term.from_on:%y}{ {1: 1, 6: 4, 8: 7}[term.from_on.month] }" for term in terms)


def test_it_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("mine", "utf-8")
    with pytest.raises(Refused, match=r"README\.txt is already there"):
        write_example(tmp_path)
    assert (tmp_path / "README.txt").read_text("utf-8") == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["README.txt"]


def test_the_readme_has_ten_lines_and_names_real_files(tmp_path: Path) -> None:
    write_example(tmp_path)
    text = (tmp_path / "README.txt").read_text("utf-8")
    assert len(text.splitlines()) == 10
    assert all((tmp_path / name).is_file() for name in re.findall(r"samples/[\w.-]+", text))


def test_the_sample_export_has_five_fees_of_people_the_settings_accept(tmp_path: Path) -> None:
    settings = load(write_example(tmp_path)[0], {})
    root = ElementTree.parse(tmp_path / "samples" / "alma-export.xml").getroot()
    assert [cents_of(total.text or "") for total in root.iter() if total.tag.endswith("}sum")] == [8500, 1550, 82, 1000, 4225]
    assert all(settings.identity.student_id.fullmatch(value.text or "") for value in root.iter() if value.tag.endswith("}value"))
    assert {kind.text for kind in root.iter() if kind.tag.endswith("}fineFeeType")} <= {item.category for item in settings.bursar.item_types}


def test_the_sample_payments_name_is_read_by_the_settings(tmp_path: Path) -> None:
    settings = load(write_example(tmp_path)[0], {})
    found = settings.bursar.payments.as_of.search("payments_20260802_120000.csv")
    assert found is not None and found.groups() == ("20260802", "120000")


def test_every_key_of_the_example_is_explained_where_it_first_stands(tmp_path: Path) -> None:
    lines = write_example(tmp_path)[0].read_text("utf-8").splitlines()
    first: dict[str, str] = {}
    for number, line in enumerate(lines):
        if re.match(r"\w+ = ", line):
            first.setdefault(line.split(" = ")[0], f"{line} {lines[number - 1] if lines[number - 1].startswith('# ') else ''}")
    assert [line for line in first.values() if "# " not in line] == []


def test_the_example_with_parking_is_whole_and_explained_as_well(tmp_path: Path) -> None:
    files = write_example(tmp_path, parking=True)
    settings = load(files[0], {})
    assert settings.warnings == () and [one.name for one in settings.holds] == ["parking"]
    assert all((tmp_path / folder).is_dir() for folder in ("parking/out", "peoplesoft/holds/in", "peoplesoft/holds/out"))
    readme = (tmp_path / "README.txt").read_text("utf-8")
    assert [line.split(".")[0].strip() for line in readme.splitlines()[-4:]] == ["9", "10", "11", "12"]
    assert all((tmp_path / name).is_file() for name in re.findall(r"samples/[\w.-]+", readme))
    own = files[0].read_text("utf-8").partition("# ---- the parking office")[2].splitlines()
    unsaid = {line.split(" = ")[0] for line in own if re.match(r"\w+ = ", line) and "# " not in line}
    told_by_the_library = set(re.findall(r"^(\w+) = .*# ", files[0].read_text("utf-8"), re.MULTILINE))
    columns = {"user_type", "reference", "category", "violated_on", "status", "titles"}
    assert unsaid - told_by_the_library <= columns | {"Open", "Paid", "Spoiled", "Warning"}
