"""Sample files for the office at the other end, with a page that says what stands where: what parking gives, what PeopleSoft loads."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from bursarbridge.sandbox import hold_files, parking_files
from bursarbridge.sandbox.columns import Column, described
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.hold_files import HoldLine, HoldVerb, Standing, hold_file, snapshot_bytes
from bursarbridge.sandbox.hold_scenarios import OTHER, Cast, Step, hold_lines_of, list_name, steps, steps_by_name
from bursarbridge.sandbox.parking import Form, Parking
from bursarbridge.sandbox.parking_mail import report_mail
from bursarbridge.sandbox.tickets import ParkingUser, UserType

Write = Callable[[HoldVerb, Sequence[HoldLine], datetime], bytes]
"""Makes the bytes of one hold file."""

_LAYOUTS: tuple[tuple[str, tuple[tuple[str, tuple[Column, ...]], ...]], ...] = (
    (
        "Hold files for PeopleSoft (peoplesoft/*.dat): fixed columns, ASCII, every line ends with LF",
        (("header", hold_files.HEADER_COLUMNS), ("detail", hold_files.DETAIL_COLUMNS), ("trailer", hold_files.TRAILER_COLUMNS)),
    ),
    ("List of service indicators (peoplesoft/expected/*.csv): CSV with titles, as a PS Query gives it", (("row", hold_files.SNAPSHOT_TITLES),)),
    ("List of violations, full or changes (parking/violations_*.csv): CSV with titles, UTF-8", (("row", parking_files.VIOLATION_TITLES),)),
    (
        "The same in fixed columns (parking/violations_*.txt): ASCII, every line ends with LF, the last one is a trailer",
        (("detail", parking_files.VIOLATION_COLUMNS), ("trailer", parking_files.TRAILER_COLUMNS)),
    ),
    ("Ready-made Holds Added and Holds Released (parking/holds_*.csv): CSV with titles, UTF-8", (("row", parking_files.HOLD_TITLES),)),
    ("Payments for parking (parking/payments_*.csv): CSV with titles, UTF-8", (("row", parking_files.PAYMENT_TITLES),)),
)


def samples(cast: Cast, now: datetime, write: Write | None = None, described_as: Sequence[str] = ()) -> Iterator[Sent]:
    """Every sample file, its name with the folder it goes into; `write` makes the hold files, else they are the sandbox's own.

    `described_as` says what stands where in those of `write`.
    """
    yield from _of_parking(cast, now)
    yield from _for_peoplesoft(cast, now, write or (lambda _verb, lines, at: hold_file(lines, at.date())))
    yield Sent("LAYOUTS.txt", "\n".join(_layouts(described_as)).encode())
    yield Sent("README.txt", "\n".join(_readme(cast)).encode())


def _of_parking(cast: Cast, now: datetime) -> Iterator[Sent]:
    """Two nights: first everything is new, then one more, one paid, one appealed away."""
    parking = Parking()
    night, before = now - timedelta(days=1), now - timedelta(days=3)
    issued = [
        parking.issue(ParkingUser(emplid, ""), violation_type, cents, before).number
        for emplid, violation_type, cents in ((cast.ann, "No permit", 45_00), (cast.bob, "Expired meter", 30_00), (cast.cal, "Reserved space", 60_00))
    ]
    parking.issue(ParkingUser("", "", UserType.VISITOR), "Expired meter", 30_00, before)
    files = [parking.full_list(night), parking.changes(night), *parking.hold_files(night)]
    parking.issue(ParkingUser(cast.ann, ""), "Fire lane", 75_00, night)
    parking.pay(issued[1], 30_00)
    parking.appeal(issued[2])
    parking.decide(issued[2], 0)
    report = parking.full_list(now)
    files += [report, parking.full_list(now, Form.FIXED), parking.changes(now), *parking.hold_files(now)]
    yield from (Sent(f"parking/{sent.name}", sent.content) for sent in files)
    yield Sent(f"parking/{report.name.removesuffix('.csv')}.eml", report_mail(report, now, 1).raw)
    yield Sent(f"parking/payments_{now:%Y%m%d}_0001.csv", _payments(issued[0], now))


def _for_peoplesoft(cast: Cast, now: datetime, write: Write) -> Iterator[Sent]:
    made_on = f"{now:%Y%m%d}"
    others = [Standing(emplid, cast.institution, OTHER.code, OTHER.reason, 0) for emplid in (cast.ann, cast.bob)]
    yield Sent(f"peoplesoft/expected/{list_name(0)}", snapshot_bytes(others))
    for number, step in enumerate(steps(), 1):
        if step.stops:
            continue
        added, released = hold_lines_of(cast, number, made_on)
        if step.name == "repeated-file":
            added, _ = hold_lines_of(cast, steps_by_name("reappearing"), made_on)
        elif step.name == "damaged-file":
            content = write(HoldVerb.ADDED, hold_lines_of(cast, 1, made_on)[0], now)
            yield Sent(f"peoplesoft/{number:02d}_HOLDS_ADDED.dat", content[: len(content) // 2])
        for verb, lines in ((HoldVerb.ADDED, added), (HoldVerb.RELEASED, released)):
            if lines:
                yield Sent(f"peoplesoft/{number:02d}_HOLDS_{verb.upper()}.dat", write(verb, lines, now))
        yield Sent(f"peoplesoft/expected/{list_name(number)}", snapshot_bytes(sorted([*others, *_standing(step, cast, now)])))


def _standing(step: Step, cast: Cast, now: datetime) -> list[Standing]:
    hold = cast.hold
    people = ((str(getattr(cast, role)), cents) for role, cents in step.owed.items())
    return [Standing(emplid, cast.institution, hold.code, hold.reason, cents, f"SAMPLE-{emplid}", now.date().isoformat()) for emplid, cents in people]


def _payments(number: str, now: datetime) -> bytes:
    titles = ",".join(column.name for column in parking_files.PAYMENT_TITLES)
    return f"{titles}\r\n{number},20.00,{now:%m/%d/%Y}\r\n".encode()


def _layouts(described_as: Sequence[str]) -> Iterator[str]:
    yield "What stands where in the sample files. Columns count from 1."
    if described_as:
        yield ""
        yield from described_as
    for title, records in _LAYOUTS[1 if described_as else 0 :]:
        yield ""
        yield title
        for kind, layout in records:
            yield f" {kind}"
            yield from described(layout)
    yield ""


def _readme(cast: Cast) -> Iterator[str]:
    hold = cast.hold
    yield "Sample files for testing the parking holds. Every person in them is invented, or named by you."
    yield ""
    yield f"In PeopleSoft, in a test account: institution {cast.institution}, service indicator {hold.code}, reason {hold.reason}."
    yield f"Before the first file, {cast.ann} and {cast.bob} have an indicator of another department, and nobody has {hold.code}/{hold.reason}."
    yield f"Save the list of all service indicators of these people as {list_name(0)}."
    yield "Then, step by step: load the files that begin with the step's number, in name order, and save the list again."
    yield ""
    for number, step in enumerate(steps(), 1):
        if not step.stops:
            yield f"  {number:02d}  {step.words}. Save as {list_name(number)}"
    yield ""
    same = f"--people {cast.ann},{cast.bob},{cast.cal} --hold {hold.code}/{hold.reason}"
    yield f"Put the lists into one folder and type: bursarbridge sandbox verify --results FOLDER {same}"
    yield "The folder expected/ shows what each list should say; references and dates may differ."
    yield ""
