"""The parking offices: what the settings say of their lists, and the channels these come through."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bursarbridge.assembly.bursar import clear_of
from bursarbridge.assembly.names import PlaceOf, Poster
from bursarbridge.assembly.reading import records_in
from bursarbridge.config.model import Settings
from bursarbridge.config.parking import ParkingSource, ViolationFiles
from bursarbridge.config.parking import Place as Written
from bursarbridge.flows.collect import Channel
from bursarbridge.systems.parking.agreed import COLUMNS, Place, Trailer, ViolationForm
from bursarbridge.systems.parking.violations import ViolationReader

_ENDINGS = {"full": "violations", "changes": "changes", "added": "added", "released": "released"}


def violation_channels(
    settings: Settings, source: ParkingSource, place: PlaceOf, make_post: Callable[[ViolationFiles], Poster]
) -> tuple[Channel, ...]:
    """A parking office's channels, one for each kind of list it sends, in the order of the settings; `make_post` makes what posts one."""
    return tuple(_channel(settings, source, files, place, make_post(files)) for files in source.violations)


def violation_form(settings: Settings, source: ParkingSource, files: ViolationFiles) -> ViolationForm:
    """What the settings say of one kind of list, as its reader needs it."""
    columns = files.columns
    named = {column.name: getattr(columns, "account" if column.name == "id" else column.name) for column in COLUMNS}
    return ViolationForm(
        name=channel_name(source, files.kind),
        kind=files.kind,
        columns=tuple((name, _place(files, written)) for name, written in named.items() if written),
        account_pattern=settings.identity.student_id.pattern,
        currency=source.currency,
        amount_max_cents=source.amount_max_cents,
        delimiter=files.delimiter if files.form == "delimited" else "",
        titles=files.titles,
        heading=files.heading,
        spanning=files.spanning,
        width=files.width,
        encoding=files.encoding,
        dates=files.dates,
        point=files.point,
        statuses=files.statuses,
        first_line=files.first_line.pattern if files.first_line else "",
        environment=files.environment.pattern if files.environment else "",
        trailer=Trailer(files.trailer.mark, files.trailer.count, files.trailer.total) if files.trailer else None,
    )


def channel_name(source: ParkingSource, kind: str) -> str:
    """How the channel of one kind of list is called: "parking-violations", "parking-changes", "parking-added", "parking-released"."""
    return f"{source.name}-{_ENDINGS[kind]}"


def _channel(settings: Settings, source: ParkingSource, files: ViolationFiles, place: PlaceOf, post: Poster) -> Channel:
    return Channel(
        name=channel_name(source, files.kind),
        endpoint=place(source.connection, files.folder, clear_of(files.clear)),
        patterns=files.files,
        excluded=files.excluded,
        settle_seconds=files.settle.total_seconds(),
        as_of=files.as_of,
        zone=source.timezone,
        records=partial(records_in, partial(ViolationReader, violation_form(settings, source, files))),
        post=post,
        statements=True,
    )


def _place(files: ViolationFiles, written: Written) -> Place:
    return (files.titles.index(written) + 1, 0) if isinstance(written, str) else written
