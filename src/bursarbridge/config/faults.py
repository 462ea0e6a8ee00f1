"""A fault in the settings: where, what was found, why it matters, what to do. The form is ux.md section 7's."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from bursarbridge.errors import Refused, Unreadable


class Severity(StrEnum):
    """Whether the bridge may start: an error stops every command, a warning is only told."""

    ERROR = "error"
    WARNING = "warning"


class Meaning(NamedTuple):
    """What a fault code stands for, and what happens if nobody cures it."""

    title: str
    effect: str


_STOPS = "No command starts with these settings."

CODES: Final[dict[str, Meaning]] = {
    "C001": Meaning("the settings file cannot be read", _STOPS),
    "C002": Meaning("not TOML", "The line cannot be read; nothing starts until it can."),
    "C003": Meaning("unknown key or section", "It would have no effect, and what was meant by it would silently not happen."),
    "C004": Meaning("missing key or section", _STOPS),
    "C005": Meaning("wrong type of value", _STOPS),
    "C006": Meaning("a code or text without quotes", "As a number it loses its leading zeros and its form, and another code may be meant."),
    "C007": Meaning("a version of the settings this program does not know", "Keys may mean something else in another version."),
    "C008": Meaning("not one of the words allowed here", _STOPS),
    "C009": Meaning("blank where something must stand", _STOPS),
    "C010": Meaning("unknown time zone", "Dates, cutoffs and expected times would be wrong by hours."),
    "C011": Meaning("not a length of time", "The bridge would not know how long to wait."),
    "C012": Meaning("not an amount", "Money is read exactly or not at all."),
    "C013": Meaning("a limit of zero or less", "The limit would stop everything or nothing."),
    "C014": Meaning(
        "a fee type Alma does not send", "Fees of the type that was meant stay in suspense as unmapped; they never reach the student account."
    ),
    "C015": Meaning("not a regular expression", "No value could be compared with it."),
    "C016": Meaning("a bad placeholder in a template", "The text could not be made."),
    "C017": Meaning("a placeholder refused for privacy", "What somebody borrowed or drives would leave its office and stand on the student account."),
    "C018": Meaning("a file name without {sequence}", "Two files could get the same name, and the second would be refused or taken for the first."),
    "C019": Meaning("not a file name, pattern or folder", "The file could not be found, or would stand where nobody looks."),
    "C020": Meaning("unknown adapter", "The bridge does not know how to speak with that system."),
    "C021": Meaning("unknown connection", "The bridge would not know where the files are."),
    "C022": Meaning("unknown source", "The line would apply to no fee at all."),
    "C023": Meaning("unknown layout", "The file could not be written or read."),
    "C024": Meaning("a layout of your own that cannot be used", "The file could not be written or read."),
    "C025": Meaning("an SFTP host without a usable host key", "Anyone who answers at that address would get the students' charges."),
    "C026": Meaning("a host of the wrong environment", "Test files would reach a real office, or real money would stay in a test."),
    "C027": Meaning("a bad reference prefix", "Two offices could give two fees the same reference at the bursar."),
    "C028": Meaning("not a date, or an end before its beginning", "Charges of those days would find no line in the table."),
    "C029": Meaning("two lines for the same day", "The same charge could get one code or the other."),
    "C030": Meaning("days without a line", "Charges of those days wait in suspense."),
    "C031": Meaning("a secret written in the file", "Everyone who can read the file, its backups and its history has the secret."),
    "C032": Meaning("a secret that cannot be found", "The connection that needs it cannot be opened."),
    "C033": Meaning("a code of the wrong form", "The bursar's system refuses the line, or the whole file."),
    "C034": Meaning("a confirmation that cannot come", "Batches would wait for an answer for ever, or count as confirmed without one."),
    "C035": Meaning("file patterns that take each other's files", "A file would be read as something it is not."),
    "C036": Meaning("a due date rule that is not whole", "Charges could not be given a due date."),
    "C037": Meaning("not a database", "There is no ledger to open."),
    "C038": Meaning("a description longer than 30 characters", "Every charge of this type would wait in suspense as too wide."),
    "C039": Meaning("a number out of range", _STOPS),
    "C044": Meaning("not a web address that may be used", "The key would be sent to nobody, or to anyone who listens on the way."),
    "C045": Meaning("a column that does not fit its file", "Another column would be read as the id, the amount or the status."),
    "C046": Meaning("settings of a list that only make sense together", "What a row says would be guessed, or not looked at."),
    "C047": Meaning("a list that would be taken for another kind", "People would get or lose holds by a list that does not say so."),
    "C048": Meaning("billing that is not whole", "Violations would be billed twice or to nobody, or payments would close the wrong ones."),
    "C050": Meaning("mail in the clear", "Everyone on the way could read the reports, and a password."),
    "C051": Meaning("mail that cannot leave or that nobody gets", "A report would be made for nobody, and its silence would be taken for good news."),
    "C052": Meaning("a reader outside the allowed domains", "Student records would leave the campus by mail."),
    "C053": Meaning("not a mail address or relay", "No report could be sent."),
    "C060": Meaning("files that would leave by a mailbox", "Nothing could be sent, as a mailbox is only read."),
    "C061": Meaning("mail whose sender nobody vouches for", "Whoever writes an agreed address into a mail decides who gets a hold."),
    "C062": Meaning(
        "holds without a monitored address", "A hold that should not be there, or should be gone, would be noticed by nobody but the student."
    ),
    "C063": Meaning("a transcript hold that is not switched on", "Transcripts would be kept back where the law may forbid it."),
    "C070": Meaning("not a time of the campus day", "Nobody could say when it runs, or by when something is late."),
    "C071": Meaning("a schedule that cannot be", "The flow would never run, or far too often."),
    "C072": Meaning("a calendar that cannot be used", "Runs would start on closed days, or not start on open ones."),
    "C073": Meaning("a flow that waits for ever", "It would never run, and look as if it had nothing to do."),
    "C074": Meaning("an alarm that nobody gets", "What is late or missing is seen only by whoever happens to look."),
    "C075": Meaning("a vault in a bucket that cannot be reached", "Nothing that comes or goes could be kept, so nothing runs."),
    "C076": Meaning("an invented clock where money is real", "Files would get invented dates, and what is late would not be noticed."),
}
"""Every fault code; docs/settings.md lists the same ones and a test compares them."""

_SECRET_KEY = r"\w*(?:password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key)\w*"
_INLINE_SECRET = re.compile(rf"({_SECRET_KEY}\s*=\s*)(?!\s*[\"'](?:env|file):)([\"'][^\"']*[\"']?|[^\s,}}]+)", re.IGNORECASE)
_KEY_TEXT = re.compile(r"-----BEGIN.*")
_URL_PASSWORD = re.compile(r"(://[^:/@\s\"']*:)[^@\s\"']+(?=@)")
SECRET_NAME: Final = re.compile(_SECRET_KEY, re.IGNORECASE)
_SHOWN_WIDTH: Final = 140


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in the settings. `line` and `column` count from 1; line 0 means that no line can be named.

    `source` is the line itself with anything secret replaced; `width` is how many characters the caret marks.
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    words: str
    effect: str
    cure: str
    source: str = ""
    width: int = 1

    @property
    def place(self) -> str:
        """Where, as editors understand it: "bursarbridge.toml:32:1"."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        """The fault as a person reads it: place and sentence, the line with a caret, effect and cure (ux.md section 7)."""
        lines = [f"{self.severity}[{self.code}] {self.place}  {self.words}"]
        if self.source:
            start = max(0, self.column - _SHOWN_WIDTH // 2) if len(self.source) > _SHOWN_WIDTH else 0
            shown = self.source[start : start + _SHOWN_WIDTH]
            width = max(1, min(self.width, len(shown) - (self.column - 1 - start)))
            lines += [f"{self.line:5d} | {shown}", f"      | {' ' * (self.column - 1 - start)}{'^' * width}"]
        return "\n".join([*lines, f"  Effect: {self.effect}", f"  Cure: {self.cure}"])


class SettingsError(Refused):
    """The settings cannot be used; `faults` has every reason at once, errors and warnings, in the order of the file."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Flaw(Unreadable):
    """One value that cannot be what its key asks for; the reader adds the place."""

    def __init__(self, code: str, words: str, cure: str) -> None:
        super().__init__(code, words)
        self.cure = cure


def masked(line: str) -> str:
    """The line as it may be shown on a screen or in a ticket: whatever looks like a secret becomes "***"."""
    return _URL_PASSWORD.sub(r"\1***", _KEY_TEXT.sub("***", _INLINE_SECRET.sub(r'\1"***"', line)))
