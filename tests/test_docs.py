"""The pages tell the truth about what can be checked: links, commands, suspense codes, the picture, the import order."""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import typer
from typer.main import get_command

from tests.test_tidy import MODULES, ROOT, none_of, relative, tracked

LINK = re.compile(r"(?<!`)\[[^\]\[]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")
CODE_AT = {"Unreadable": 0, "unfit": 1, "_fault": 1, "Suspended": 0, "Item": 1, "_suspend": 4, "Waits": 0}
"""Functions that name a suspense code, and which argument it is."""


@cache
def pages() -> tuple[tuple[Path, str], ...]:
    return tuple((path, path.read_text("utf-8")) for path in tracked() if path.suffix == ".md")


def _prose(text: str) -> str:
    return FENCE.sub("", text)


def _anchors(text: str) -> set[str]:
    """The anchors a code host makes of a page's headings."""
    headings = re.findall(r"^#+ (.+?)\s*$", _prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_relative_links_lead_somewhere() -> None:
    broken = []
    for path, text in pages():
        for link in LINK.findall(_prose(text)):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target.read_text("utf-8"))):
                broken.append(f"{relative(path)}: {link}")
    none_of(broken, "links lead to a file, and to a heading, of this repository")


def test_every_page_is_reached_from_the_index() -> None:
    """Two clicks from docs/index.md to every page of docs/."""
    known = dict(pages())
    reached = {ROOT / "docs" / "index.md"}
    for _click in range(2):
        for path in tuple(reached):
            reached |= {(path.parent / link.partition("#")[0]).resolve() for link in LINK.findall(known.get(path, ""))}
    lost = [relative(path) for path in known if path.is_relative_to(ROOT / "docs") and path not in reached]
    none_of(lost, "every page is linked from docs/index.md or from a page linked there")


def _shown_commands() -> Iterator[tuple[Path, list[str]]]:
    """The words after `bursarbridge` in every sh fence, and of every `bursarbridge ...` in the text."""
    for path, text in pages():
        fences = [body for kind, body in FENCE.findall(text) if kind == "sh"]
        lines = [line for body in fences for line in body.splitlines()]
        for line in (*lines, *re.findall(r"`(bursarbridge [^`]+)`", text)):
            match = re.match(r"\s*(?:\./dev )?bursarbridge (.*)", line.partition("  #")[0])
            if match:
                yield path, match[1].split()


def test_commands_in_the_pages_exist() -> None:
    from bursarbridge.cli.app import app

    faults = [f"{relative(path)}: bursarbridge {' '.join(words)}" for path, words in _shown_commands() if not _exists(app, words)]
    none_of(faults, "a command that a page shows is one the program has")


def _exists(app: typer.Typer, words: list[str]) -> bool:
    command: object = get_command(app)
    options = {"--version", "--help", "-h"}
    for word in words:
        inside: dict[str, object] = getattr(command, "commands", {})
        if word.startswith("-"):
            return not inside or word in options
        if not inside:
            return True
        if word not in inside:
            return bool(re.fullmatch(r"[A-Z.]+(\|.*)?", word))
        command = inside[word]
    return True


def test_the_readme_shows_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    first = FENCE.search(readme)
    assert first is not None and first[2].split("\n")[:2] == ["./dev bursarbridge demo", "./dev test"]


def test_the_readme_shows_what_the_demo_prints() -> None:
    """Every line of the excerpt stands in the real output, in that order; where lines break does not matter."""
    shown = next(body for _kind, body in FENCE.findall((ROOT / "README.md").read_text("utf-8")) if "The three books" in body)
    ran = subprocess.run([sys.executable, "-c", "from bursarbridge.cli import main; main()", "demo"], capture_output=True, text=True, check=True)
    rest = " ".join(ran.stdout.split())
    for line in filter(None, (" ".join(line.split()) for line in shown.splitlines())):
        assert line in rest, f"README.md shows a line that the demo does not print, or not there: {line}"
        rest = rest.partition(line)[2]


def test_dev_in_the_pages_exists() -> None:
    """What the pages call by ./dev is a verb of the script or a program the project depends on."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    known = {"test", "help", "chaos", "postgres", "python", "mypy", "ruff", "pytest", "lint-imports", "uv", *pyproject["project"]["scripts"]}
    for path, text in pages():
        lines = [line for kind, body in FENCE.findall(text) if kind == "sh" for line in body.splitlines()]
        used = {match[1] for line in lines if (match := re.match(r"\./dev ([\w-]+)", line))}
        assert used <= known, f"{relative(path)}: ./dev {' '.join(used - known)}"


def _codes() -> dict[str, str]:
    """Every code under which something can wait in suspense, with where it is named."""
    found = {}
    for path in (path for path in MODULES if not {"cli", "config", "jobs", "sandbox"} & set(path.parts)):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                at = CODE_AT.get(name, -1)
                argument = node.args[at] if 0 <= at < len(node.args) else None
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and CODE.fullmatch(argument.value):
                    found[argument.value] = f"{relative(path)}:{node.lineno}"
    return found


def test_the_runbook_has_a_cure_for_every_suspense_code() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    section = runbook.partition("## What waits in suspense")[2].partition("\n## ")[0]
    named = {word.removeprefix("file_") for word in re.findall(r"`([a-z_]+)`", section)}
    missing = [f"{code} ({where})" for code, where in sorted(_codes().items()) if code not in named]
    none_of(missing, "docs/runbook.md, What waits in suspense, says for every code what it means and what cures it")
    assert len(_codes()) > 40, "the codes are no longer found in the source; look at CODE_AT"


def test_the_runbook_names_no_code_that_is_gone() -> None:
    from bursarbridge.systems.peoplesoft.reasons import REASONS

    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    section = runbook.partition("## What waits in suspense")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", section, re.MULTILINE)
    source = "\n".join(path.read_text("utf-8") for path in MODULES)
    refusals = {f"refused_{reason.code}" for reason in REASONS} | {"refused_other", "refused_refused"}
    gone = []
    for code in (code for row in rows for code in re.findall(r"`([a-z_]+)`", row)):
        if code not in refusals and f'"{code.removeprefix("file_")}"' not in source:
            gone.append(code)
    none_of(gone, "docs/runbook.md names codes that the source does not raise")


def test_the_architecture_page_has_the_import_order_of_the_gate() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = next(one["layers"] for one in pyproject["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert f"Imports run one way: `{' > '.join(layers)}`" in page


def test_the_picture_is_drawn_by_its_program() -> None:
    drawn = runpy.run_path(str(ROOT / "tools" / "picture.py"))
    assert drawn["picture"]() == drawn["PICTURE"].read_text("utf-8"), "write it again: ./dev python tools/picture.py"


def test_the_changelog_knows_the_version() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert f"## [{pyproject['project']['version']}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
