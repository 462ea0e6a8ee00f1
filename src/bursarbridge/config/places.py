"""Values that name something outside the file: folders, files, secrets, hosts, layouts, and templates for names and texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path
from string import Formatter
from typing import Final

import bursarbridge
from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import Flaw
from bursarbridge.config.kinds import Kind, text
from bursarbridge.config.nodes import Node
from bursarbridge.errors import BridgeError, Refused

_PRIVATE: Final = {"title": "what somebody borrowed never leaves the library", "plate": "what somebody drives never leaves the parking office"}
_HOST_KEY_LINE = re.compile(r"(?:ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) [A-Za-z0-9+/]{40,}={0,3}(?: .*)?")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_WEB_BASE = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?", re.ASCII)
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._-]+)*/?)", re.ASCII)
_HERE = re.compile(r"127(?:\.[0-9]{1,3}){3}|localhost|\[::1\]", re.ASCII)
_TEMPORARY: Final = (".part", ".tmp", ".filepart", ".incomplete", ".uploading")
_SAMPLE: Final[Mapping[str, str | int]] = {"sequence": 1, "made_at": "20260801T182000", "made_on": "20260801"}


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret by reference ("env:NAME" or "file:path"), read only when it is used; its repr shows the reference, never the secret."""

    reference: str
    base: Path

    @property
    def path(self) -> Path | None:
        """The file of a "file:" reference, relative ones from the settings file's folder; None for "env:"."""
        return self.base / self.reference.removeprefix("file:") if self.reference.startswith("file:") else None

    @property
    def missing(self) -> bool:
        """Whether the variable is not set, or the file not there."""
        path = self.path
        return not path.is_file() if path is not None else self.reference.removeprefix("env:") not in environ

    def value(self) -> str:
        """The secret itself, without surrounding white space. Raises Refused when it is not there or cannot be read."""
        path = self.path
        try:
            return (path.read_text("utf-8") if path is not None else environ[self.reference.removeprefix("env:")]).strip()
        except KeyError:
            raise Refused(
                f"the environment variable {self.reference.removeprefix('env:')} is not set; the settings name it as {self.reference}"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"the file of {self.reference} cannot be read ({type(error).__name__}); put it there or change the settings") from None

    def __repr__(self) -> str:
        return f"Secret({self.reference})"


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """Where the ledger is: "sqlite:path", "postgresql://...", or a reference to one of them. Its repr hides it, as it may hold a password."""

    written: str
    base: Path

    def url(self) -> str:
        """The address itself, references resolved and sqlite paths made absolute: "sqlite:/srv/x.db". Raises Refused when it cannot be had."""
        address = Secret(self.written, self.base).value() if self.written.startswith(("env:", "file:")) else self.written
        if address.startswith("sqlite:"):
            return f"sqlite:{self.base / sqlite_path(address)}"
        if not address.startswith(("postgresql://", "postgres://")):
            raise Refused(f"{self.written} does not hold a database address; it begins with sqlite: or postgresql://")
        return address

    def __repr__(self) -> str:
        return f"Database({self.written.split(':', 1)[0]}:...)"


def sqlite_path(address: str) -> str:
    """The path in a sqlite address, in SQLAlchemy's spelling with slashes or without: "sqlite:data/x.db", "sqlite:///data/x.db"."""
    rest = address.removeprefix("sqlite:")
    return rest.removeprefix("///") if rest.startswith("///") else rest


def secret(node: Node, desk: Desk) -> Secret:
    """A reference to a secret, "env:NAME" or "file:path"; the secret itself is a fault."""
    value = text(node, desk)
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+", value):
        raise Flaw("C031", f"{node.name} is written in the file", f'only say where it is: {node.name} = "file:keys/id_ed25519" or "env:NAME"')
    return Secret(value, desk.base)


def database(node: Node, desk: Desk) -> Database:
    """The ledger's address."""
    value = text(node, desk)
    if re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+", value) or re.fullmatch(r"sqlite:.*[^/:].*|postgres(?:ql)?://.+", value):
        return Database(value, desk.base)
    cure = 'database = "sqlite:data/bursarbridge.db", "postgresql://host/name" or "env:NAME"'
    raise Flaw("C037", f"{node.name} is neither a sqlite nor a postgresql address", cure)


def path(node: Node, desk: Desk) -> Path:
    """A folder of this machine, relative ones from the settings file's folder."""
    return desk.base / text(node, desk)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in a store of objects: "s3://name/prefix"."""

    name: str
    prefix: str
    """"" or ends with "/"."""


def vault(node: Node, desk: Desk) -> Path | Bucket:
    """Where kept files are: a folder of this machine, or a bucket, "s3://name" or "s3://name/prefix"."""
    value = text(node, desk)
    if not value.startswith("s3:"):
        return path(node, desk)
    match = _BUCKET.fullmatch(value)
    if match is None:
        raise Flaw("C075", f'"{value}" names no bucket', f'{node.name} = "s3://bucket/prefix"; the endpoint and the key stand in [storage.s3]')
    return Bucket(match[1], f"{match[2].strip('/')}/" if match[2].strip("/") else "")


def folder(node: Node, desk: Desk) -> str:
    """A folder inside a connection."""
    value = text(node, desk)
    if ".." in value.split("/") or "\\" in value or not value.isprintable():
        raise Flaw(
            "C019", f'{node.name} "{value}" leaves its connection or is not a folder', "name a folder inside the connection, with / between names"
        )
    return value


def file_pattern(node: Node, desk: Desk) -> str:
    """A pattern for file names: * and ? as a shell has them."""
    value = text(node, desk)
    if "/" in value or "\\" in value or not value.isprintable():
        raise Flaw("C019", f'"{value}" is not a pattern for file names', 'no folder in it: "*.xml"')
    return value


def host_key(node: Node, desk: Desk) -> str:
    """An OpenSSH public host key line, or its SHA256 fingerprint; there is no way to accept any key."""
    value = text(node, desk)
    if not (_HOST_KEY_LINE.fullmatch(value) or _FINGERPRINT.fullmatch(value)):
        raise Flaw(
            "C025",
            "host_key is neither a public key line nor a SHA256 fingerprint",
            'ask the host\'s owner for it: host_key = "SHA256:..." (43 characters)',
        )
    return value


def web_base(node: Node, desk: Desk) -> str:
    """A scheme and a host, without a path; without TLS only to this machine."""
    value = text(node, desk)
    match = _WEB_BASE.fullmatch(value)
    if match is None or (match[1] == "http" and not _HERE.fullmatch(match[2])):
        cure = 'a scheme and a host alone: base = "https://api-na.hosted.exlibrisgroup.com"'
        raise Flaw("C044", f"{node.name} is not the https:// address of a host", cure)
    return value


def prefix(node: Node, desk: Desk) -> str:
    """One to three capital letters that begin every reference of a source."""
    value = text(node, desk)
    if not re.fullmatch(r"[A-Z]{1,3}", value):
        raise Flaw("C027", f'reference_prefix "{value}" is not one to three capital letters', 'reference_prefix = "L"')
    return value


def version(node: Node, _desk: Desk) -> int:
    """The version of the settings' form; there is one so far."""
    if node.value is not True and node.value == 1 and isinstance(node.value, int):
        return 1
    raise Flaw("C007", f"config_version {node.value} is not 1", "config_version = 1, or a newer bursarbridge")


def name_template(*allowed: str) -> Kind[str]:
    """A template for the names of documents: unique by {sequence}, a plain file name once filled in."""

    def read(node: Node, desk: Desk) -> str:
        value = text(node, desk)
        used = _placeholders(node.name, value, allowed)
        if "sequence" not in used:
            raise Flaw("C018", f"{node.name} has no {{sequence}}", f'put the running number in: {node.name} = "charges_{{sequence:06d}}.dat"')
        try:
            made = value.format(**{name: _SAMPLE.get(name, "A") for name in allowed})
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise Flaw("C016", f"{node.name} cannot be filled in: {error}", "a plain placeholder, or {sequence:06d} for six digits") from None
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,119}", made) or made.endswith(_TEMPORARY):
            raise Flaw(
                "C019", f'{node.name} makes "{made}", which is no safe file name', "letters, digits, _ - and . only; no .part or .tmp at the end"
            )
        return value

    return read


def text_template(*allowed: str) -> Kind[str]:
    """A template for a text the bursar shows to the student."""

    def read(node: Node, desk: Desk) -> str:
        value = text(node, desk)
        _placeholders(node.name, value, allowed)
        try:
            value.format(**dict.fromkeys(allowed, "A"))
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise Flaw("C016", f"{node.name} cannot be filled in: {error}", f"plain placeholders only: {_braced(allowed)}") from None
        return value

    return read


def _placeholders(key: str, template: str, allowed: tuple[str, ...]) -> set[str]:
    try:
        parts = [(name, form, turn) for _, name, form, turn in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise Flaw("C016", f"{key} is not a template: {error}", "write placeholders as {name} and a single brace as {{ or }}") from None
    used = {name for name, _, _ in parts}
    for name, form, turn in parts:
        if name in allowed and (turn or (form and name != "sequence")):
            raise Flaw("C016", f"{{{name}}} in {key} takes no format", f"write {{{name}}}; only {{sequence}} may have one, as in {{sequence:06d}}")
    for name in sorted(used - set(allowed)):
        if name in _PRIVATE:
            raise Flaw("C017", f"{{{name}}} is refused in {key}: {_PRIVATE[name]}", f"use {_braced(allowed)}")
        guess = nearest(name, allowed)
        raise Flaw(
            "C016", f"{key} has a placeholder {{{name}}} that nobody fills in", f"did you mean {{{guess}}}?" if guess else f"use {_braced(allowed)}"
        )
    return used


def _braced(names: tuple[str, ...]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def layout(role: str, *more: str) -> Kind[str]:
    """A shipped layout by name, or "file:path" of one's own; a role is a part of its name: charges, credits, added, release, ..."""

    def read(node: Node, desk: Desk) -> str:
        value = text(node, desk)
        if value.startswith("file:"):
            _own_layout(desk.base / value.removeprefix("file:"), node.name)
            return value
        known = shipped_layouts()
        roles = (role, *more)
        if value in known and any(one in value for one in roles):
            return value
        fitting = tuple(name for name in known if any(one in name for one in roles))
        guess = nearest(value, fitting)
        said = f'layout "{value}" is not one for {role}' if value in known else f'there is no layout "{value}"'
        raise Flaw("C023", said, f'did you mean layout = "{guess}"?' if guess else f'one of {listed(fitting)}, or "file:layouts/mine.toml"')

    return read


def shipped_layouts() -> tuple[str, ...]:
    """The names of the layouts that come with the bridge; read from their folder, so that no layout need be loaded to check a name."""
    return tuple(sorted(file.stem for file in (Path(bursarbridge.__file__).parent / "formats" / "layouts").glob("*.toml")))


def _own_layout(file: Path, key: str) -> None:
    # Only a campus with a layout of its own pays for loading the layout code (start-up, performance.md).
    from bursarbridge.formats.layout import layout_from_toml

    try:
        layout_from_toml(file.read_text("utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise Flaw(
            "C024", f"the {key} file {file.name} cannot be read ({type(error).__name__})", "put the layout file there, or name a shipped layout"
        ) from None
    except BridgeError as error:
        raise Flaw(
            "C024", f"the {key} file {file.name} is not a layout: {error}", "correct the layout file; docs/systems/peoplesoft.md has a complete one"
        ) from None
