"""docs/cli.md names every verb and option there is, and no other."""

import re
from pathlib import Path

import typer.main

from bursarbridge.cli.app import app

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text("utf-8")


def verbs() -> dict[str, set[str]]:
    """Every verb with its long options."""
    found: dict[str, set[str]] = {}

    def walk(words: list[str], command: object) -> None:
        below = getattr(command, "commands", None)
        if below:
            for name, one in below.items():
                walk([*words, name], one)
        else:
            found[" ".join(words)] = {option for one in getattr(command, "params", ()) for option in one.opts if option.startswith("--")}

    walk([], typer.main.get_command(app))
    return found


def test_the_table_has_the_verbs_of_the_program() -> None:
    table = PAGE.partition("| verb |")[2].partition("\n\n")[0]
    named = {" ".join(re.findall(r"\b[a-z]+\b", verb)) for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for verb in cell.split(", ")}
    assert named == set(verbs())


def test_every_verb_has_an_example_and_every_option_is_told() -> None:
    for verb, options in verbs().items():
        assert f"$ bursarbridge {verb}" in PAGE, verb
        assert not [option for option in options if option not in PAGE], verb


def test_no_machine_path_is_in_an_example() -> None:
    assert not re.search(r"/(?:tmp|root|work|home)/", PAGE)
