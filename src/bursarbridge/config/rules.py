"""Rules between sections: what one names the other has, and nothing stands in two ways. They look at the file's nodes,
so that they hold even where another key of the same section is at fault."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs, urlsplit

from bursarbridge.config.calendars import calendar_rules
from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import Severity
from bursarbridge.config.guarding import guard_rules
from bursarbridge.config.holding import hold_readings, hold_rules, hold_writings
from bursarbridge.config.mail_in import mail_in_rules
from bursarbridge.config.mailing import mail_rules
from bursarbridge.config.nodes import Node
from bursarbridge.config.parking import parking_rules
from bursarbridge.config.timetabling import timetable_rules

ALMA_TYPES: Final = (
    "OVERDUEFINE",
    "RECALLEDOVERDUEFINE",
    "LOSTITEMREPLACEMENTFEE",
    "LOSTITEMPROCESSFEE",
    "DAMAGEDITEMFINE",
    "OTHER",
    "CREDIT",
    "RENEWFEE",
    "CARDRENEWAL",
    "LIBRARYCARDREPLACEMENT",
    "DOCUMENTDELIVERYSERVICE",
)
"""Fee types seen in Alma's files and answers (alma.md 3.3); CUSTOMER_DEFINED_01 and so on come on top."""

_DESCRIPTION_WIDTH: Final = 30
"""The description's width in every published layout that has one (peoplesoft.md 1.7)."""


def cross_check(root: Node, desk: Desk) -> None:
    """Notes every fault between sections."""
    _connections(root, desk)
    _hosts(root, desk)
    _clock(root.at("campus"), desk)
    _prefixes(root, desk)
    _confirmations(root, desk)
    _item_types(root, desk)
    _files(root, desk)
    _snapshot(root.at("bursar", "payments"), desk)
    _secrets(root, desk)
    calendar_rules(root.at("bursar"), desk)
    mail_rules(root, desk)
    mail_in_rules(root, desk)
    hold_rules(root, desk)
    parking_rules(root, desk)
    guard_rules(root, desk)
    timetable_rules(root, desk)
    _vault(root.at("storage"), desk)


def _connections(root: Node, desk: Desk) -> None:
    known = tuple(root.at("connections").tables)
    for section in (*root.at("sources").tables.values(), root.at("bursar")):
        name = section.text("connection")
        if name and name not in known:
            guess = nearest(name, known)
            cure = f'did you mean connection = "{guess}"?' if guess else f"connections are: {listed(known)}; or add a section [connections.{name}]"
            desk.at_value("C021", section.at("connection"), f'there is no connection "{name}"', cure)


def _hosts(root: Node, desk: Desk) -> None:
    """A sandbox reaches nothing but this machine, and a live campus is told when it does not (reliability.md T11, H07)."""
    environment = root.at("campus").text("environment") or "sandbox"
    hosts = [(section.at("host"), section.text("host")) for section in root.at("connections").tables.values()]
    for source in root.at("sources").tables.values():
        if "api" in source.tables and source.at("api").text("base"):
            hosts.append((source.at("api", "base"), _host(source.at("api").text("base"))))
    if root.at("storage").text("vault").startswith("s3:") and "s3" in root.at("storage").tables:
        named = "endpoint" in root.at("storage", "s3").tables
        node = root.at("storage", "s3", "endpoint") if named else root.at("storage", "vault")
        hosts.append((node, _host(root.at("storage", "s3").text("endpoint")) if named else "s3.amazonaws.com"))
    address = root.at("storage").text("database")
    if address.startswith(("postgresql://", "postgres://")):
        hosts += [(root.at("storage", "database"), host) for host in _database_hosts(address)]
    relay = root.at("mail").text("relay")
    hosts.append((root.at("mail", "relay"), "" if relay.startswith("folder:") else relay.rpartition(":")[0].strip("[]")))
    if root.at("serve").text("host"):
        hosts.append((root.at("serve", "host"), root.at("serve").text("host")))
    hosts.append((root.at("ping", "base"), _host(root.at("ping").text("base"))))
    for node, host in hosts:
        if host and environment == "sandbox" and not _loopback(host):
            cure = 'use a folder or 127.0.0.1, or, when all is meant for real: [campus] environment = "live"'
            desk.at_value("C026", node, f"{host} is a host of the real world, and these settings are a sandbox", cure)
        if host and environment == "live" and (node.path[0] == "connections" or node.name == "base") and _loopback(host):
            cure = "name the partner's own host, unless this is a tunnel"
            desk.at_value("C026", node, f"{host} is this machine, and these settings are live", cure, severity=Severity.WARNING)


def _clock(campus: Node, desk: Desk) -> None:
    """A campus where money is real has the time that it is."""
    if campus.text("environment") == "live" and "clock" in campus.tables:
        desk.at_value(
            "C076", campus.at("clock"), "the time comes from a file, and these settings are live", 'take clock out, or environment = "sandbox"'
        )


def _vault(storage: Node, desk: Desk) -> None:
    """A bucket needs a door, and a door a bucket."""
    in_bucket = storage.text("vault").startswith("s3:")
    if in_bucket and "s3" not in storage.tables:
        cure = 'add s3 = { endpoint = "https://...", key_id = "env:...", secret = "env:..." } to [storage]'
        desk.at_value("C075", storage.at("vault"), "the vault is in a bucket, and nothing says how to reach it", cure)
    elif not in_bucket and "s3" in storage.tables and storage.text("vault"):
        desk.at_value(
            "C075", storage.at("vault"), "[storage] has an s3 section, and the vault is a folder", 'vault = "s3://bucket", or no s3 section'
        )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _database_hosts(address: str) -> list[str]:
    """Every host that a database address names: several with commas between them, and those of its options; a folder with a socket is none."""
    try:
        parts = urlsplit(address)
        named = [urlsplit(f"//{one}").hostname or "" for one in parts.netloc.rpartition("@")[2].split(",")]
    except ValueError:
        return []
    more = [host for key in ("host", "hostaddr") for words in parse_qs(parts.query).get(key, []) for host in words.split(",")]
    return [host for host in (*named, *more) if host and not host.startswith(("/", "%2f"))]


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _prefixes(root: Node, desk: Desk) -> None:
    taken: dict[str, str] = {}
    for name, section in root.at("sources").tables.items():
        prefix = section.text("reference_prefix")
        if prefix and prefix in taken:
            said = f'[sources.{name}] and [sources.{taken[prefix]}] both have the reference_prefix "{prefix}"'
            desk.at_value("C027", section.at("reference_prefix"), said, "give each source letters of its own, and never change them afterwards")
        taken.setdefault(prefix, name)


def _confirmations(root: Node, desk: Desk) -> None:
    bursar = root.at("bursar")
    for section in (bursar.at("charges"), *(source.at("import") for source in root.at("sources").tables.values())):
        waits = section.at("assumed_after").value if "assumed_after" in section.tables else ""
        if section.text("confirmed_by") == "assumed" and waits == "":
            cure = 'say after how long it counts: assumed_after = "1d"'
            desk.at_value("C034", section.at("confirmed_by"), 'confirmed_by = "assumed", and no assumed_after', cure)
    for source in root.at("sources").tables.values():
        if source.text("payments_by") == "api" and "api" not in source.tables:
            said = 'payments_by = "api", and the source has no section for its API'
            desk.at_value("C034", source.at("payments_by"), said, f"add a section [{source.name}.api] with base and key")
    charges = bursar.tables.get("charges")
    if charges is not None and (charges.text("confirmed_by") or "results") == "results" and "results" not in bursar.tables:
        cure = 'add results = { folder = ..., layout = "generic-results", files = ["*result*"] }, or confirmed_by = "collected"'
        desk.at_key("C034", charges, "charges wait for the bursar's results, and [bursar] names no results", cure)


def _item_types(root: Node, desk: Desk) -> None:
    known = tuple(root.at("sources").tables)
    template = root.at("bursar", "charges").text("description") or "{label}"
    for row in root.at("bursar", "item_types").rows:
        source = row.text("source")
        if source and source not in known:
            guess = nearest(source, known)
            cure = f'did you mean source = "{guess}"?' if guess else f"sources are: {listed(known)}"
            desk.at_value("C022", row.at("source"), f'there is no source "{source}"', cure)
        if root.at("sources", source).text("adapter") == "alma":
            _alma_category(row, desk)
        _label(row, template, desk)


def _alma_category(row: Node, desk: Desk) -> None:
    category = row.text("category")
    if not category or category in ALMA_TYPES or re.fullmatch(r"CUSTOMER_DEFINED_[0-9]{2}", category):
        return
    guess = nearest(category, ALMA_TYPES)
    severity = Severity.ERROR if guess else Severity.WARNING
    cure = f'did you mean category = "{guess}"?' if guess else "compare it with the fineFeeType in an export; capital letters, no spaces"
    desk.at_value("C014", row.at("category"), f'fee type "{category}" is not one Alma is known to send', cure, severity=severity)


def _label(row: Node, template: str, desk: Desk) -> None:
    label = row.text("label")
    made = template.replace("{label}", label).replace("{source_reference}", "").replace("{office}", "")
    if label and len(made) > _DESCRIPTION_WIDTH:
        said = f'the description "{made}" has {len(made)} characters'
        desk.at_value("C038", row.at("label"), said, f"shorten the label, or [bursar] charges description; {_DESCRIPTION_WIDTH} characters in all")


def _files(root: Node, desk: Desk) -> None:
    """No file may be taken for another kind, and we never read what we wrote ourselves."""
    taken = [*_takings(root), *hold_readings(root)]
    for number, (node, place, patterns, excluded) in enumerate(taken):
        for other, other_place, other_patterns, other_excluded in taken[number + 1 :]:
            if place == other_place and any(
                _meet(one, two) and one not in other_excluded and two not in excluded for one in patterns for two in other_patterns
            ):
                said = f"{node.name} and {other.name} look for files in the same folder, and a name can fit both"
                cure = f'add to the wider one what the other takes: except = ["{other_patterns[0] if len(other_patterns[0]) > 4 else patterns[0]}"]'
                desk.at_value("C035", other.at("files"), said, cure, severity=Severity.WARNING)
    for node, place, name in (*_leavings(root), *hold_writings(root)):
        wild = re.sub(r"\{[^}]*\}", "*", name)
        if any(place == there and any(_meet(wild, pattern) for pattern in patterns) for _, there, patterns, _ in taken):
            said = f'files named "{name}" are written into a folder where the same names are read'
            desk.at_value("C035", node.at("name"), said, "use two folders, one for each direction")


def _takings(root: Node) -> Iterator[tuple[Node, tuple[str, str], list[str], list[str]]]:
    pairs = [(source, key) for source in root.at("sources").tables.values() for key in ("export", "credits_export") if key in source.tables]
    for section, key in (*pairs, (root.at("bursar"), "results"), (root.at("bursar"), "payments")):
        node = section.at(key)
        patterns, excluded = ([str(row.value) for row in node.at(name).rows] for name in ("files", "except"))
        yield node, (section.text("connection"), node.text("folder").strip("/")), patterns, excluded
    for source in root.at("sources").tables.values():
        for node in source.at("violations").rows:
            patterns, excluded = ([str(row.value) for row in node.at(name).rows] for name in ("files", "except"))
            yield node, (source.text("connection"), node.text("folder").strip("/")), patterns, excluded


def _leavings(root: Node) -> Iterator[tuple[Node, tuple[str, str], str]]:
    pairs = [(source, "import") for source in root.at("sources").tables.values()]
    for section, key in (*pairs, (root.at("bursar"), "charges"), (root.at("bursar"), "credits")):
        node = section.at(key)
        if node.text("name"):
            folder = node.text("folder") or section.at("charges").text("folder")
            yield node, (section.text("connection"), folder.strip("/")), node.text("name")


def _meet(one: str, two: str) -> bool:
    """Whether some name can fit both patterns, as far as their beginnings and endings tell."""
    heads = [re.split(r"[*?\[]", pattern)[0] for pattern in (one, two)]
    tails = [re.split(r"[*?\]]", pattern)[-1] for pattern in (one, two)]
    begins = heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])
    return begins and (tails[0].endswith(tails[1]) or tails[1].endswith(tails[0]))


def _snapshot(payments: Node, desk: Desk) -> None:
    """A shipped layout says by its name whether it is a snapshot; a layout of one's own may be either."""
    layout, kind = payments.text("layout"), payments.text("kind")
    if layout and kind in ("cumulative", "snapshot") and not layout.startswith("file:") and ("snapshot" in layout) != (kind == "snapshot"):
        right = "snapshot" if kind == "cumulative" else "cumulative"
        said = f'layout "{layout}" is not one for kind = "{kind}"'
        desk.at_value("C023", payments.at("kind"), said, f'kind = "{right}", or another layout')


def _secrets(root: Node, desk: Desk) -> None:
    # The variable or file may be there for the service and not for the person who types `check`: told, not refused.
    from bursarbridge.config.places import Secret

    nodes = [section.at("key") for section in root.at("connections").tables.values() if section.text("key")]
    nodes += [section.at("password") for section in root.at("connections").tables.values() if section.text("password")]
    nodes += [root.at("mail", "password"), root.at("storage", "s3", "key_id"), root.at("storage", "s3", "secret")]
    nodes.append(root.at("ping", "url"))
    nodes += [source.at("api", "key") for source in root.at("sources").tables.values() if "api" in source.tables and source.at("api").text("key")]
    nodes += [row for source in root.at("sources").tables.values() for row in source.at("webhooks", "secrets").rows]
    for node in (*nodes, root.at("storage", "database")):
        reference = str(node.value)
        if reference.startswith(("env:", "file:")) and Secret(reference, desk.base).missing:
            cure = (
                f"set the variable {reference[4:]}"
                if reference.startswith("env:")
                else f"put the file {reference[5:]} there, readable by the bridge only"
            )
            desk.at_value("C032", node, f"{node.name} is {reference}, and there is no such thing here", cure, severity=Severity.WARNING)
