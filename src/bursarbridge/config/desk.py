"""Where faults are written down while the settings are read."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from bursarbridge.config.faults import CODES, Fault, Severity, masked
from bursarbridge.config.nodes import Node, Span


@dataclass(frozen=True, slots=True)
class Desk:
    """One reading of one file: its name, its lines for the carets, the folder that relative paths start from, and the faults so far."""

    file: str
    base: Path
    lines: tuple[str, ...]
    faults: list[Fault] = field(default_factory=list)

    def at_value(self, code: str, node: Node, words: str, cure: str, *, severity: Severity = Severity.ERROR) -> None:
        """Notes a fault and marks the value."""
        self.note(code, node.place.value, words, cure, severity=severity, variable=node.variable)

    def at_key(self, code: str, node: Node, words: str, cure: str, *, severity: Severity = Severity.ERROR) -> None:
        """Notes a fault and marks the key or the section's header."""
        self.note(code, node.place.key, words, cure, severity=severity, variable=node.variable)

    def note(self, code: str, span: Span, words: str, cure: str, *, severity: Severity = Severity.ERROR, variable: str = "") -> None:
        """Notes a fault at a stretch of the file, or at an environment variable."""
        effect = CODES[code].effect
        if variable:
            self.faults.append(Fault(code, severity, f"environment variable {variable}", 0, 0, words, effect, cure))
            return
        source = masked(self.lines[span.line - 1]) if 0 < span.line <= len(self.lines) else ""
        self.faults.append(Fault(code, severity, self.file, span.line, span.column, words, effect, cure, source, span.width))


def nearest(word: str, known: "list[str] | tuple[str, ...]") -> str:
    """The known word that was probably meant, or ""."""
    close = get_close_matches(word, known, 1, 0.6) or get_close_matches(word.lower(), [name.lower() for name in known], 1, 0.6)
    return next((name for name in known if close and name.lower() == close[0].lower()), "")


def listed(words: "list[str] | tuple[str, ...]") -> str:
    """Words for a sentence: "alma, parking", or "none" when there are none."""
    return ", ".join(words) if words else "none"
