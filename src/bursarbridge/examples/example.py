"""A campus to try the bridge on: folders instead of hosts, settings commented line by line, and samples to drop."""

from pathlib import Path
from typing import Final

from bursarbridge.errors import Refused

_TEMPLATE: Final = Path(__file__).parent / "campus"
_PARKING: Final = {"bursarbridge.toml": Path(__file__).parent / "parking.toml", "README.txt": Path(__file__).parent / "parking.txt"}
_FOLDERS: Final = ("alma/out", "alma/in", "peoplesoft/in", "peoplesoft/out")
_PARKING_FOLDERS: Final = ("parking/out", "peoplesoft/holds/in", "peoplesoft/holds/out")


def write_example(directory: Path, *, parking: bool = False) -> list[Path]:
    """Writes the example campus into a folder, made if need be, and returns the files written, settings first.

    With `parking` the campus has a parking office, holds and mail beside its library. Nothing is ever overwritten: raises Refused,
    before anything is written, when one of the files is already there, and when the folder cannot be made or written.
    """
    sources = sorted((file for file in _TEMPLATE.rglob("*") if file.suffix in (".toml", ".txt", ".xml", ".csv")), key=_settings_first)
    targets = [directory / file.relative_to(_TEMPLATE) for file in sources]
    for target in targets:
        if target.exists():
            raise Refused(f"{target} is already there and is never overwritten; name an empty folder: bursarbridge init --example DIR")
    try:
        for folder in _FOLDERS + (_PARKING_FOLDERS if parking else ()):
            (directory / folder).mkdir(parents=True, exist_ok=True)
        for source, target in zip(sources, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(source.read_bytes())
                if parking and source.name in _PARKING:
                    file.write(_PARKING[source.name].read_bytes())
    except OSError as error:
        raise Refused(f"the example cannot be written into {directory}: {error.strerror or error}; name a folder you may write to") from error
    return targets


def _settings_first(file: Path) -> tuple[bool, str]:
    return file.suffix != ".toml", file.as_posix()
