"""Issue 2, acceptance 9: ten seeded mistakes are all named in one check, each with line, effect and cure."""

from pathlib import Path

from bursarbridge.config import CODES, check

FILE = Path(__file__).parent / "ten_mistakes.toml"
MISTAKES = [
    (6, "C003", "did you mean timezone?"),
    (20, "C025", 'add host_key = "SHA256:..."'),
    (25, "C031", 'key = "file:keys/id_ed25519"'),
    (30, "C021", 'did you mean connection = "library"?'),
    (32, "C018", "{sequence:06d}"),
    (34, "C013", 'amount_max = "5000.00"'),
    (39, "C006", 'write it in quotes: business_unit = "12345"'),
    (41, "C017", "use {label}, {office}, {source_reference}"),
    (46, "C029", 'to = "2026-07-31"'),
    (52, "C014", 'did you mean category = "LOSTITEMREPLACEMENTFEE"?'),
]


def test_all_ten_are_named_with_line_effect_and_cure() -> None:
    faults = check(FILE, {})
    assert [(fault.line, fault.code) for fault in faults] == [(line, code) for line, code, _ in MISTAKES]
    for fault, (_, code, cure) in zip(faults, MISTAKES, strict=True):
        assert cure in fault.cure
        assert fault.effect == CODES[code].effect
        assert fault.severity == "error"


def test_each_prints_as_a_person_reads_it() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    for fault in check(FILE, {}):
        shown = str(fault).splitlines()
        assert shown[0] == f"error[{fault.code}] {FILE}:{fault.line}:{fault.column}  {fault.words}"
        assert shown[1].startswith(f"{fault.line:5d} | ")
        assert set(shown[2].removeprefix("      | ")) <= {" ", "^"}
        assert shown[3:] == [f"  Effect: {fault.effect}", f"  Cure: {fault.cure}"]
        assert lines[fault.line - 1][fault.column - 1 :].strip()


def test_the_password_itself_is_never_shown() -> None:
    assert not any("hunter2" in str(fault) or "hunter2" in repr(fault) for fault in check(FILE, {}))
