"""The settings, frozen: one class a section, one line a key. What each key means is in docs/settings.md."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bursarbridge.config import kinds, places
from bursarbridge.config.faults import Fault
from bursarbridge.config.guarding import GuardLimits, guard_sections
from bursarbridge.config.holding import Holding
from bursarbridge.config.mail_in import ImapConnection, MaildirConnection
from bursarbridge.config.mailing import MailOut, ReportMail
from bursarbridge.config.parking import ParkingSource
from bursarbridge.config.places import Bucket, Database, Secret
from bursarbridge.config.reader import by_name, chosen, listed_sections, named, optional, required, table, tables
from bursarbridge.config.timetabling import FlowTimes
from bursarbridge.config.watching import Health, LogLines, Ping

_HALF_MINUTE, _TWO_HOURS, _HALF_DAY = timedelta(seconds=30), timedelta(hours=2), timedelta(hours=13)
_LIMIT_CENTS = 500_000
"""5,000.00: the single charge a person should see first (reliability.md H04)."""
_CLEAR = kinds.choice("move", "delete", "leave")
_PATTERNS = kinds.words(places.file_pattern, least=1)
_ITEM_TYPE = kinds.code(r"[0-9]{12}", "a PeopleSoft item type: 12 digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campus:
    """Who we are; the zone rules every date and cutoff."""

    name: str = required(kinds.text, example='"Example College"')
    timezone: ZoneInfo = required(kinds.zone, example='"America/Los_Angeles"')
    environment: str = optional(kinds.choice("sandbox", "live"), "sandbox")
    clock: Path | None = optional(places.path, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStore:
    """The door to a vault in a bucket, by the S3 protocol."""

    key_id: Secret = required(places.secret, example='"env:VAULT_KEY_ID"')
    secret: Secret = required(places.secret, example='"env:VAULT_SECRET"')
    endpoint: str = optional(places.web_base, "")
    region: str = optional(kinds.text, "us-east-1")
    cache: Path | None = optional(places.path, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where the ledger and the kept files are."""

    database: Database = required(places.database, example='"sqlite:data/bursarbridge.db"')
    vault: Path | Bucket = required(places.vault, example='"data/vault"')
    s3: ObjectStore | None = optional(table(ObjectStore), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The number by which every system means the same person; a person is never guessed."""

    student_id: re.Pattern[str] = required(kinds.expression(), example="'^\\d{7,11}$'")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderConnection:
    """A folder of this machine."""

    name: str
    kind: str = required(kinds.choice("folder"))
    path: Path = required(places.path, example='"alma"')


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpConnection:
    """A place on an SFTP host, reached by key, its host key pinned."""

    name: str
    kind: str = required(kinds.choice("sftp"))
    host: str = required(kinds.text, example='"sftp.example.edu"')
    port: int = optional(kinds.whole(1, 65535, "(a port)"), 22)
    user: str = required(kinds.text, example='"bursarbridge"')
    key: Secret = required(places.secret, example='"file:keys/id_ed25519"')
    host_key: str = required(places.host_key, example='"SHA256:..." (ask the owner of the host for it)', absent="C025")
    timeout: timedelta = optional(kinds.span(), _HALF_MINUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Where a source's files arrive and which they are."""

    folder: str = required(places.folder, example='"out"')
    files: tuple[str, ...] = required(_PATTERNS, example='["*.xml"]')
    excluded: tuple[str, ...] = optional(kinds.words(places.file_pattern), (), name="except")
    settle: timedelta = optional(kinds.span(zero=True), _HALF_MINUTE)
    clear: str = optional(_CLEAR, "move")


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """Where files for a source go, and when they count as taken."""

    folder: str = required(places.folder, example='"in"')
    name: str = required(places.name_template("sequence", "made_at", "made_on"), example='"bursarbridge-{sequence:06d}.xml"')
    confirmed_by: str = optional(kinds.choice("collected", "assumed"), "collected")
    assumed_after: timedelta | None = optional(kinds.span_or_never, None)
    expected_after: timedelta = optional(kinds.span(), _TWO_HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Alma's API, for a library whose Alma may be asked (alma.md 3)."""

    base: str = required(places.web_base, example='"https://api-na.hosted.exlibrisgroup.com"')
    key: Secret = required(places.secret, example='"file:keys/alma-api"')
    reserve: int = optional(kinds.whole(0, 1_000_000, "calls"), 1000)
    per_second: int = optional(kinds.whole(1, 25, "calls in a second"), 15)
    timeout: timedelta = optional(kinds.span(), _HALF_MINUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The calls a source makes to us (alma.md 4)."""

    secrets: tuple[Secret, ...] = required(kinds.words(places.secret, least=1), example='["env:ALMA_WEBHOOK_SECRET"]')
    returned_events: tuple[str, ...] = optional(kinds.words(kinds.text), ("LOAN_RETURNED",))
    export_job: re.Pattern[str] = optional(kinds.expression(), re.compile("(?i)export.*bursar"))
    file_within: timedelta = optional(kinds.span(), _TWO_HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """What happens to the fee of a lost item that comes back (alma.md 5)."""

    waive_reason: str = required(kinds.text, example='"LOST_ITEM_FOUND" (a code of Alma\'s table FineFeeTransactionReason)')
    lost_fee_types: tuple[str, ...] = optional(kinds.words(kinds.text, least=1), ("LOSTITEMREPLACEMENTFEE",))
    most: int = optional(kinds.whole(1, 5000, "questions"), 200)
    ask_after: timedelta = optional(kinds.span(), timedelta(hours=20))
    patience: timedelta = optional(kinds.span(), timedelta(days=3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Serve:
    """Where `serve` listens; TLS ends at a proxy in front of it."""

    host: str = optional(kinds.text, "127.0.0.1")
    port: int = optional(kinds.whole(1, 65535, "(a port)"), 8321)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlmaSource:
    """A library that runs Alma (alma.md 1 and 2)."""

    name: str
    adapter: str = required(kinds.choice("alma"))
    reference_prefix: str = required(places.prefix, example='"L"')
    connection: str = required(kinds.text, example='"library"')
    export: Export = required(table(Export), example='{ folder = "out", files = ["*.xml"] }')
    imports: Import = required(table(Import), name="import", example='{ folder = "in", name = "bursarbridge-{sequence:06d}-{made_at}.xml" }')
    identifier_types: tuple[str, ...] = optional(kinds.words(kinds.text), ())
    institution: str = optional(kinds.loose_text, "")
    currency: str = optional(kinds.code(r"[A-Z]{3}", "a currency code: three capital letters"), "USD")
    timezone: ZoneInfo = required(kinds.zone, example='"America/Los_Angeles"')
    amount_max_cents: int = optional(kinds.limit, _LIMIT_CENTS, name="amount_max")
    api: Api | None = optional(table(Api), None)
    payments_by: str = optional(kinds.choice("file", "api"), "file")
    webhooks: Webhooks | None = optional(table(Webhooks), None)
    returns: Returns | None = optional(table(Returns), None)
    full_waive_only: bool = optional(kinds.yes_no, True)
    echo_comments: tuple[str, ...] = optional(kinds.words(kinds.text), ("Bursar",))
    credits_export: Export | None = optional(table(Export), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """The charge files for the bursar."""

    folder: str = required(places.folder, example='"in"')
    layout: str = required(places.layout("charges"), example='"generic-charges"')
    name: str = required(
        places.name_template("sequence", "made_at", "made_on", "kind", "business_unit", "origin"),
        example='"LIB_{kind}_{business_unit}_{made_on}_{sequence:06d}.dat"',
    )
    description: str = optional(places.text_template("label", "office", "source_reference"), "{label}")
    term_by: str = optional(kinds.choice("made", "assessed", "blank"), "made")
    amount_max_cents: int = optional(kinds.limit, _LIMIT_CENTS, name="amount_max")
    confirmed_by: str = optional(kinds.choice("results", "collected", "assumed"), "results")
    assumed_after: timedelta | None = optional(kinds.span_or_never, None)
    expected_after: timedelta = optional(kinds.span(), _HALF_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditFiles:
    """The credit files for the bursar; what is left out is as for charges. They go to the same folder."""

    layout: str = optional(places.layout("charges", "credits", "reversals"), "")
    name: str = optional(places.name_template("sequence", "made_at", "made_on", "kind", "business_unit", "origin"), "")
    description: str = optional(places.text_template("label", "office", "source_reference"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The bursar's posting results, for a bursar who sends them (peoplesoft.md 1.3-1.4)."""

    folder: str = required(places.folder, example='"out"')
    layout: str = required(places.layout("results"), example='"generic-results"')
    files: tuple[str, ...] = required(_PATTERNS, example='["*result*"]')
    excluded: tuple[str, ...] = optional(kinds.words(places.file_pattern), (), name="except")
    settle: timedelta = optional(kinds.span(zero=True), _HALF_MINUTE)
    clear: str = optional(_CLEAR, "move")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReports:
    """The bursar's payment files (peoplesoft.md 2)."""

    folder: str = required(places.folder, example='"out"')
    layout: str = required(places.layout("payments"), example='"asu-payments"')
    files: tuple[str, ...] = required(_PATTERNS, example='["*.csv"]')
    excluded: tuple[str, ...] = optional(kinds.words(places.file_pattern), (), name="except")
    kind: str = required(kinds.choice("cumulative", "snapshot"), example='"cumulative"')
    match: str = optional(kinds.choice("reference", "source_reference"), "reference")
    as_of: re.Pattern[str] = required(kinds.expression(groups=1), example="'(\\d{8})(?:[-_T]?(\\d{6}))?'")
    period_begins: str = optional(kinds.month_day, "07-01")
    settle: timedelta = optional(kinds.span(zero=True), _HALF_MINUTE)
    clear: str = optional(_CLEAR, "move")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemType:
    """What the bursar calls one fee type of one source, between two campus dates, both included."""

    source: str = required(kinds.text, example='"library"')
    category: str = required(kinds.text, example='"OVERDUEFINE"')
    label: str = required(kinds.text, example='"Library overdue fine"')
    charge: str = required(_ITEM_TYPE, example='"410000000100"')
    credit: str = required(_ITEM_TYPE, example='"410000000101"')
    from_on: date = required(kinds.day, name="from", example='"2020-01-01"')
    to_on: date = optional(kinds.day_or_open, date.max, name="to")
    credit_as: str = optional(kinds.choice("credit_item_type", "reversal_flag", "reversal_exact", "negative_amount"), "credit_item_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term and its campus dates, both included."""

    code: str = required(kinds.code(r"[0-9]{4}", "a PeopleSoft term: four digits"), example='"2267"')
    from_on: date = required(kinds.day, name="from", example='"2026-08-01"')
    to_on: date = required(kinds.day, name="to", example='"2026-12-31"')


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDate:
    """When a charge of a day is due, from a campus date on; `days` and `day` are 0 where the rule has no use for them."""

    from_on: date = required(kinds.day, name="from", example='"2020-01-01"')
    rule: str = required(kinds.choice("days_after", "day_of_next_month", "none"), example='"days_after"')
    days: int = optional(kinds.whole(1, 730, "days"), 0)
    day: int = optional(kinds.whole(1, 28, "(a day that every month has)"), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSoftBursar:
    """A bursar's office that runs PeopleSoft Student Financials (peoplesoft.md 1)."""

    name: str
    adapter: str = required(kinds.choice("peoplesoft"))
    connection: str = required(kinds.text, example='"district"')
    business_unit: str = required(kinds.code(r"[A-Za-z0-9]{1,5}", "a business unit: one to five letters and digits"), example='"EXCCD"')
    origin: str = required(kinds.code(r"[A-Za-z0-9]{1,5}", "an origin id: one to five letters and digits"), example='"LIB01"')
    account_type: str = optional(kinds.code(r"[A-Za-z0-9]{1,3}", "an account type: one to three letters and digits"), "SFS")
    department: str = optional(kinds.code(r"[A-Za-z0-9]{0,10}", "a department: at most ten letters and digits"), "")
    charges: Charges = required(table(Charges), example='{ folder = "in", layout = "generic-charges", name = "LIB_{sequence:06d}.dat" }')
    results: Results | None = optional(table(Results), None)
    payments: PaymentReports = required(table(PaymentReports), example='{ folder = "out", layout = "asu-payments", ... }')
    item_types: tuple[ItemType, ...] = required(tables(ItemType), example="(one section [[bursar.item_types]] for each fee type)")
    terms: tuple[Term, ...] = required(tables(Term), example="(one section [[bursar.terms]] for each term)")
    due_dates: tuple[DueDate, ...] = required(tables(DueDate), example="(one section [[bursar.due_dates]] for each rule)")
    credits: CreditFiles | None = optional(table(CreditFiles), None)


Connection = FolderConnection | SftpConnection | MaildirConnection | ImapConnection
Source = AlmaSource | ParkingSource
Bursar = PeopleSoftBursar
_CONNECTIONS: Mapping[str, Callable[..., Connection]] = {
    "folder": FolderConnection,
    "sftp": SftpConnection,
    "maildir": MaildirConnection,
    "imap": ImapConnection,
}
_SOURCES: Mapping[str, Callable[..., Source]] = {"alma": AlmaSource, "opscom": ParkingSource}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a campus decided, checked and whole. Amounts are cents, times lengths are timedeltas, folders of this machine absolute."""

    config_version: int = required(places.version, example="1")
    campus: Campus = required(table(Campus))
    storage: Storage = required(table(Storage))
    identity: Identity = required(table(Identity))
    connections: Mapping[str, Connection] = required(named("kind", _CONNECTIONS, "C008"))
    sources: Mapping[str, Source] = required(named("adapter", _SOURCES, "C020"))
    bursar: Bursar = required(chosen("adapter", {"peoplesoft": PeopleSoftBursar}, "C020"))
    mail: MailOut | None = optional(table(MailOut), None)
    reports: tuple[ReportMail, ...] = optional(listed_sections(ReportMail, "returned-but-still-charged", "late", "exceptions", "holds", "held"), ())
    serve: Serve = optional(table(Serve), Serve())
    holds: tuple[Holding, ...] = optional(by_name(Holding), ())
    guards: tuple[GuardLimits, ...] = optional(guard_sections, ())
    flows: tuple[FlowTimes, ...] = optional(by_name(FlowTimes), ())
    log: LogLines | None = optional(table(LogLines), None)
    ping: Ping | None = optional(table(Ping), None)
    health: Health = optional(table(Health), Health())
    file: Path = Path()
    """The settings file itself."""
    warnings: tuple[Fault, ...] = ()

    @property
    def libraries(self) -> tuple[AlmaSource, ...]:
        """The sources that are libraries."""
        return tuple(source for source in self.sources.values() if isinstance(source, AlmaSource))

    @property
    def parking_offices(self) -> tuple[ParkingSource, ...]:
        """The sources that are parking offices."""
        return tuple(source for source in self.sources.values() if isinstance(source, ParkingSource))
