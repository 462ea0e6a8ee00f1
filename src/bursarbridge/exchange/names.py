"""Names of files at a partner's place: which are whole, which are safe to use, and the ones we make up ourselves."""

from bursarbridge.errors import Refused

BYTES_MAX = 200
"""Longest name used, in UTF-8 bytes: servers stop at 255 and our temporary name and numbering add a few."""

_UNFINISHED = (".part", ".tmp", ".filepart", ".incomplete", ".uploading")
"""Endings that transfer programs give to files they are still writing (peoplesoft.md 7, atomic drop)."""


def finished(name: str) -> bool:
    """Whether the name is one a whole file may have: not hidden, no unfinished ending in any case."""
    return not name.startswith(".") and not name.lower().endswith(_UNFINISHED)


def safe(name: str) -> bool:
    """Whether the name may be used as part of a path here and there: one plain printable component of at most 200 bytes.

    Non-UTF-8 bytes arrive as surrogates, which are not printable, as are controls and text-direction marks.
    """
    return name.isprintable() and name not in ("", ".", "..") and not {"/", "\\"} & set(name) and len(name.encode()) <= BYTES_MAX


def require(name: str) -> None:
    """Raises Refused for a name that is not safe to use as a file name at a partner."""
    if not safe(name):
        raise Refused(
            f"{name[:80]!a} cannot be a file name at a partner: it must be one printable name of 1 to {BYTES_MAX} bytes without / or \\. "
            "Nothing was touched; give the file another name"
        )


def temporary(name: str) -> str:
    """The hidden name a document has until it is whole: partners' patterns skip it, and so does ours."""
    return f".{name}.part"


def numbered(name: str, number: int) -> str:
    """The name itself for 1, then "name.2", "name.3": where a file of that name was already put away."""
    return name if number == 1 else f"{name}.{number}"
