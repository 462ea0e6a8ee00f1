"""The campus's drop folders, and how its jobs put files there: whole, under a temporary name first, dated by the campus clock."""

import os
from datetime import datetime
from pathlib import Path

from bursarbridge.sandbox.fees import Sent

ALMA_OUT = "alma/out"
ALMA_IN = "alma/in"
PEOPLESOFT_IN = "peoplesoft/in"
PEOPLESOFT_OUT = "peoplesoft/out"
FOLDERS = (ALMA_OUT, ALMA_IN, PEOPLESOFT_IN, PEOPLESOFT_OUT)
PARKING_OUT = "parking/out"
PARKING_IN = "parking/in"
PARKING_MAIL = "parking/mail"
"""A maildir, where the parking report arrives that is sent by e-mail."""
HOLDS_IN = "peoplesoft/holds/in"
HOLDS_OUT = "peoplesoft/holds/out"


def make_folders(root: Path) -> None:
    """Makes the four folders under `root` where they are missing."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)


def drop(folder: Path, sent: Sent, now: datetime) -> None:
    """Puts a file there in one step, with `now` as its time of change."""
    temporary = folder / f".{sent.name}.part"
    temporary.write_bytes(sent.content)
    os.utime(temporary, (now.timestamp(), now.timestamp()))
    temporary.replace(folder / sent.name)


def arrived(folder: Path, ending: str) -> list[Path]:
    """The whole files of that ending that wait, by name; hidden and temporary ones are not there yet."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(ending) and not path.name.startswith(".") and path.is_file())


def set_aside(path: Path, word: str) -> Path:
    """Marks a file as read by adding `.word` to its name, numbered where that name is taken; returns the new path."""
    number, aside = 1, path.with_name(f"{path.name}.{word}")
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.{word}.{number}")
    return path.rename(aside)
