"""House rules that can be checked (architecture.md, section 6). Every failure names the file and line, and what is asked."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "bursarbridge"
FILE_LINES_MAX, FUNCTION_LINES_MAX = 400, 60
BANNED_WORDS = frozenset({"data", "info", "manager", "helper", "helpers", "util", "utils", "process"})
CLOCKS = frozenset({"now", "utcnow", "today", "time", "monotonic", "perf_counter", "sleep", "localtime", "gmtime"})
PUBLIC_HOSTS = frozenset({"https://pypi.org", "https://files.pythonhosted.org"})
# Put together here, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w./~<-])/(?:" + "work|root|farm" + r")/\w")
REGISTRY_HOST = re.compile(r"(?i)https?://[\w.-]*(?:" + "artifactory|nexus|devpi|mirror|proxy" + r")[\w.-]*")
UNFINISHED = re.compile(r"\b(?:TO" + "DO|FIX" + r"ME|X{3})\b")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MODULES = sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the repository; a folder that somebody tried the program in is none of them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def texts() -> Iterator[tuple[Path, str]]:
    """The tracked files that are UTF-8 text."""
    for path in tracked():
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def definitions(tree: ast.Module) -> Iterator[Definition]:
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            yield node


def none_of(faults: list[str], wanted: str) -> None:
    assert not faults, f"{wanted}:\n  " + "\n  ".join(faults)


def test_files_stay_short() -> None:
    sources = [path for path in tracked() if path.suffix == ".py"]
    long = [f"{relative(path)}: {count} lines" for path in sources if (count := len(path.read_text("utf-8").splitlines())) > FILE_LINES_MAX]
    none_of(long, f"a file has at most {FILE_LINES_MAX} lines; split it by what it is about")


def test_functions_stay_short() -> None:
    long = []
    for path in (path for path in tracked() if path.suffix == ".py"):
        for node in definitions(tree_of(path)):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if not isinstance(node, ast.ClassDef) and count > FUNCTION_LINES_MAX:
                long.append(f"{relative(path)}:{node.lineno} {node.name}: {count} lines")
    none_of(long, f"a function has at most {FUNCTION_LINES_MAX} lines")


def test_no_float_in_the_package() -> None:
    """Money is whole cents; a float that is not money is a number of seconds, and is only ever named in a signature."""
    found = []
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
                found.append(f"{relative(path)}:{node.lineno} {ast.unparse(node)}")
            if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation and "float" in ast.unparse(node.annotation) and _names_money(node):
                found.append(f"{relative(path)}:{node.lineno} {ast.unparse(node)}")
    none_of(found, "no float( in the package, and no amount that is annotated float")


def _names_money(node: ast.arg | ast.AnnAssign) -> bool:
    name = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
    return any(word in name for word in ("cents", "amount", "total", "sum"))


def test_only_wiring_reads_the_clock() -> None:
    """Now is an argument (architecture.md, section 6.4); wiring hands it in. The sandbox and the engine obey too."""
    found = []
    for path in (path for path in MODULES if path.parent.name != "wiring"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
                owner = ast.unparse(node.func.value).rpartition(".")[2]
                if owner in {"datetime", "date", "time"}:
                    found.append(f"{relative(path)}:{node.lineno} {ast.unparse(node.func)}()")
    none_of(found, "the clock is read in wiring only; take the instant as an argument")


def test_no_chance_outside_wiring() -> None:
    found = []
    for path in (path for path in MODULES if path.parent.name != "wiring"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import | ast.ImportFrom) and re.search(r"\b(secrets|uuid)\b", ast.unparse(node)):
                found.append(f"{relative(path)}:{node.lineno} {ast.unparse(node)}")
            # random.Random as the type of a seeded source that is handed in is fine; drawing from the module is not.
            if isinstance(node, ast.Call) and re.fullmatch(r"random\.(?!Random$)\w+", ast.unparse(node.func)):
                found.append(f"{relative(path)}:{node.lineno} {ast.unparse(node.func)}()")
    none_of(found, "chance is handed in by wiring or by a test")


def test_no_blind_except() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = {ast.unparse(one) for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else {"everything"}
                if caught & {"everything", "Exception", "BaseException"}:
                    found.append(f"{relative(path)}:{node.lineno}")
    none_of(found, "catch the errors that are meant")


def test_nothing_is_left_unfinished() -> None:
    found = []
    for path, text in texts():
        found += [f"{relative(path)}:{n} {line.strip()[:80]}" for n, line in enumerate(text.splitlines(), 1) if UNFINISHED.search(line)]
    none_of(found, "say in an issue what is missing, not in the code")


def test_no_machine_path_and_no_registry_host() -> None:
    found = []
    for path, text in texts():
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line) or REGISTRY_HOST.search(line):
                found.append(f"{relative(path)}:{number} {line.strip()[:80]}")
    none_of(found, "nothing that only one machine has belongs in the repository")


def test_the_lock_file_names_the_public_index_only() -> None:
    hosts = set(re.findall(r"https?://[^/\"\s]+", (ROOT / "uv.lock").read_text("utf-8")))
    assert hosts == PUBLIC_HOSTS, f"uv.lock names {sorted(hosts)}; lock again with the public index as the only one"


def test_names_say_what_a_thing_is() -> None:
    found = []
    for path in MODULES:
        if BANNED_WORDS & {path.stem, path.parent.name}:
            found.append(relative(path))
        for node in definitions(tree_of(path)):
            words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", node.name)
            if BANNED_WORDS & {word.lower() for word in words}:
                found.append(f"{relative(path)}:{node.lineno} {node.name}")
    none_of(found, f"none of {', '.join(sorted(BANNED_WORDS))} in a name: say which one it is")


def test_modules_begin_with_a_promise() -> None:
    none_of([relative(path) for path in MODULES if not ast.get_docstring(tree_of(path))], "every module has a docstring")


def test_public_names_have_a_docstring() -> None:
    """Public means: reachable without an underscore on the way. A method that keeps a documented Protocol's promise need not repeat it."""
    promised = protocols()
    found = []
    for path in (path for path in MODULES if path.parent.name != "versions"):
        for node in definitions(tree_of(path)):
            kept = _promises_kept(node, promised) if isinstance(node, ast.ClassDef) else frozenset()
            inside = [one for one in node.body if isinstance(one, Definition)] if isinstance(node, ast.ClassDef) else []
            here = [node] if node in tree_of(path).body else []
            for one in (*here, *(method for method in inside if not node.name.startswith("_"))):
                if not one.name.startswith("_") and one.name not in kept and not ast.get_docstring(one):
                    found.append(f"{relative(path)}:{one.lineno} {one.name}")
    none_of(found, "the first line of a public function's or class's docstring is its promise")


@cache
def protocols() -> tuple[frozenset[str], ...]:
    """The method names of every Protocol of the package."""
    found = []
    for path in MODULES:
        for node in definitions(tree_of(path)):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases):
                found.append(_methods(node))
    return tuple(one for one in found if one)


def _methods(node: ast.ClassDef) -> frozenset[str]:
    return frozenset(one.name for one in node.body if isinstance(one, Definition) and not one.name.startswith("_"))


def _promises_kept(node: ast.ClassDef, promised: tuple[frozenset[str], ...]) -> frozenset[str]:
    """The names a class shares with the Protocols it has whole, unless it is one of them itself; all of them under a library's class."""
    bases = [ast.unparse(base) for base in node.bases]
    if any("." in base for base in bases):
        return _methods(node)
    if any(base.startswith("Protocol") for base in bases):
        return frozenset()
    return frozenset().union(*(one for one in promised if one <= _methods(node)))


def crash_points() -> set[str]:
    return {name for path in MODULES for name in re.findall(r'reached\("([a-z_.]+)"\)', path.read_text("utf-8"))}


def test_the_runbook_lists_every_crash_point() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    section = runbook.partition("## Crash points")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", section, re.MULTILINE))
    assert listed == crash_points(), f"docs/runbook.md, Crash points: missing {crash_points() - listed}, gone {listed - crash_points()}"
