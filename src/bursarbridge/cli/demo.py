"""demo: two days and a morning on an invented campus, through the real code, told as a story and added up at the end."""

from __future__ import annotations

import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from bursarbridge.cli import told
from bursarbridge.cli.campus import FAILED, Where, ending, usage
from bursarbridge.cli.options import Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import clock, count
from bursarbridge.errors import Refused, TryLater
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from bursarbridge.cli.crew import Hand, Worker
    from bursarbridge.cli.three_books import ThreeBooks
    from bursarbridge.cli.two_days import Moment, Stage
    from bursarbridge.sandbox.campus import Campus

Keep = Annotated[Path | None, typer.Option("--keep", metavar="DIR", help="Live the days in this new folder, and leave it for looking around.")]
_DATABASE_HELP = 'An empty PostgreSQL for the ledger: its address, or "file:PATH" or "env:NAME" that holds it.'
InDatabase = Annotated[str, typer.Option("--database", metavar="ADDRESS", help=_DATABASE_HELP)]
_WORKERS_HELP = "With --database: let so many worker processes run the flows; one of them is killed on the second day."
Workers = Annotated[int, typer.Option("--workers", metavar="N", min=0, max=9, help=_WORKERS_HELP, show_default=False)]

_WIDTH = 112
_OPENING = (
    "Example College: a library that runs Alma, a parking office, a bursar that runs PeopleSoft, and the bridge between them.\n"
    "The three systems are stand-ins; everything of the bridge's is real: files, SFTP, HTTP, mail, ledger, checks.\n"
    "No record of a real person is in it, and nothing leaves this machine.\n"
)


_UP = """\
Up on 127.0.0.1: an SFTP server with the files of all three (port {sftp}; the bridge knows its host key),
Alma's API over HTTP ({api}), the bridge's own listener for Alma's calls ({calls}), and a mail server ({mail})."""


_CREW = "The flows are run by {workers} on one PostgreSQL, as by `bursarbridge work`; this program plays people, partners and the clock."


def demo(
    keep: Keep = None, database: InDatabase = "", workers: Workers = 0, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """Live two days and a morning on an invented campus: fees are charged, paid or waived, and parking's holds come and go.

    \b
    bursarbridge demo
    bursarbridge demo --keep two-days       then look around in it
    bursarbridge demo --database file:.postgres/url --workers 3
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(keep, None)
    if workers and not database:
        usage(screen, where, "several workers need one PostgreSQL, and --database names none", "bursarbridge demo --database ADDRESS --workers 3")
    with ending(screen, where, "bursarbridge demo --keep OTHER_DIR"), _folder(keep) as folder:
        from bursarbridge.wiring import system_clock

        began = system_clock()
        lived = _live(screen, folder, _empty(database) if database else "", workers)
        seconds = (system_clock() - began).total_seconds()
        answer = _answer(lived, seconds, keep)
        screen.give(answer)
        _ending(screen, lived, seconds)
        _where_next(screen, where, lived.books)
    if not lived.books.agree:
        raise typer.Exit(FAILED)


class Lived(NamedTuple):
    """The days as they went."""

    moments: list[Moment]
    books: ThreeBooks
    campus: Campus
    workers: Sequence[Worker]


def _empty(database: str) -> str:
    """The address of a PostgreSQL that holds nothing yet. Raises Refused for another one, TryLater when it does not answer."""
    from sqlalchemy.exc import DBAPIError

    from bursarbridge.config.places import Database
    from bursarbridge.store import opening

    address = Database(database, Path()).url()
    if address.startswith("sqlite:"):
        raise Refused("--database is for a PostgreSQL; without it the demo makes a SQLite ledger of its own")
    engine = opening.open_engine(address)
    try:
        found = opening.version_of(engine)
    except DBAPIError as error:
        first = (str(error.orig).strip().splitlines() or ["it says nothing"])[0]
        raise TryLater(f"the database of --database does not let us in: {first}") from error
    finally:
        engine.dispose()
    if found:
        raise Refused(
            "the database of --database holds a ledger already, which stays as it is; name an empty one (in the repository: ./dev postgres)"
        )
    return address


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="bursarbridge-demo-") as folder:
        yield Path(folder)


def _live(screen: Screen, folder: Path, database: str, workers: int) -> Lived:
    from bursarbridge.cli.three_books import compared, held
    from bursarbridge.cli.two_days import two_days

    screen.say(_OPENING)
    moments: list[Moment] = []
    with two_days(folder, database, workers) as stage:
        _curtain(screen, stage)
        for moment in stage.moments():
            _scene(screen, moment, moments[-1] if moments else None)
            moments.append(moment)
        with stage.bridge.books() as books:
            holds = held(stage.campus, books, (moment.ran for moment in moments if moment.ran is not None))
            return Lived(moments, compared(stage.campus.books(), books, holds), stage.campus, stage.crew.workers if stage.crew else ())


def _curtain(screen: Screen, stage: Stage) -> None:
    for line in _UP.format(**stage.ports._asdict()).splitlines():
        screen.say(line)
    if stage.crew is not None:
        screen.say(_CREW.format(workers=count(len(stage.crew.workers), "worker")))


def _scene(screen: Screen, moment: Moment, before: Moment | None) -> None:
    at = moment.scene.at
    if before is None or before.scene.at.date() != at.date():
        screen.say()
        screen.say(bold(f"{at:%A, %B} {at.day}"))
    _say(screen, f"{clock(at):>8}  ", moment.scene.text)
    if moment.came:
        _say(screen, " " * 10, moment.came)
    if moment.hand is not None:
        _say(screen, " " * 10, _by(moment.hand))
    if moment.ran is not None:
        for line in told.sentences(moment.ran):
            _say(screen, " " * 10 + "> ", line)
    for line in told.mailed(moment.mailed) if moment.mailed is not None else ():
        _say(screen, " " * 10 + "> ", line)
    for words in moment.questions:
        _say(screen, " " * 10 + "> ", f"One thing now waits for a person: {words}.")


def _by(hand: Hand) -> str:
    if hand.killed:
        at = "when PeopleSoft's server had given its file the final name, and before it heard of that"
        return f"Worker {hand.killed} is killed (SIGKILL) {at}. Worker {hand.worker} goes on:"
    return f"Worker {hand.worker}:" if hand.worker else "A person types the command:"


def _say(screen: Screen, start: str, text: str) -> None:
    indent = " " * len(start)
    for line in textwrap.wrap(text, _WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False):
        screen.say(line)


def _ending(screen: Screen, lived: Lived, seconds: float) -> None:
    books = lived.books
    screen.say()
    screen.say(bold("The three books at the end"))
    for line in books.lines():
        screen.say(line)
    screen.say()
    for item in books.kept_back:
        _say(screen, "  ", f"{shown(item.cents)} is open in Alma and not on PeopleSoft, and the bridge says why: {item.words}.")
    checks = books.checks()
    screen.say(f"  Unexplained difference: {bold(shown(books.unexplained_cents))}, by {len(checks)} comparisons of books kept by different programs.")
    for check in checks:
        if check.one != check.other:
            screen.say(f"    {check.words}: {check.figures}")
    _crew(screen, lived.workers)
    screen.say(f"  All of it took {seconds:.1f} seconds.")
    screen.say()


def _crew(screen: Screen, workers: Sequence[Worker]) -> None:
    """Which worker ran what."""
    if not workers:
        return
    screen.say()
    screen.say(bold("The workers"))
    rows = []
    for one in workers:
        flows = Counter(name.rsplit("-", 3)[0] for name in one.runs)
        ran = ", ".join(f"{number} {flow}" for flow, number in sorted(flows.items()))
        rows.append([f"worker {one.number}", count(len(one.runs), "run"), ran])
        rows += [["", "", f"killed in the middle of {name}, which another one ended; started again"] for name in one.killed_in]
    screen.table(rows, right=(1,))
    screen.say()


def _where_next(screen: Screen, where: Where, books: ThreeBooks) -> None:
    if where.folder is None:
        screen.say("To look around in these two days yourself: bursarbridge demo --keep two-days")
        screen.say("To begin with a campus of your own:        bursarbridge init --example campus")
        return
    screen.say(f"The campus is in {where.folder}. Look around:")
    verbs = ["status", "explain 1042317", "holds explain 0104231", "files list"] + [f"suspense show {item.id}" for item in books.kept_back[:1]]
    for verb in verbs:
        screen.say(f"  {where.command(verb)}")


def _answer(lived: Lived, seconds: float, keep: Path | None) -> dict[str, object]:
    moments, books, campus, workers = lived
    runs = [moment.ran for moment in moments if moment.ran is not None]
    charges = [run["sent"] for run in runs if run["flow"] == "library-charges"]
    payments = [run["sent"] for run in runs if run["flow"] == "library-payments"]
    placed, changed, released = books.holds.carried_out
    taken_back = [run["sent"] for run in runs if run["flow"] == "library-credits"]
    return {
        "charges_sent": sum(sent["count"] for sent in charges),
        "charges_sent_cents": sum(sent["cents"] for sent in charges),
        "payments_returned": sum(sent["count"] for sent in payments),
        "payments_returned_cents": sum(sent["cents"] for sent in payments),
        "credits_sent": sum(sent["count"] for sent in taken_back),
        "credits_sent_cents": sum(sent["cents"] for sent in taken_back),
        "returned_items_cleared": len(campus.cleared()),
        "holds_added": placed,
        "holds_changed": changed,
        "holds_released": released,
        "reports_mailed": len(campus.mailbox.mails) if campus.mailbox else 0,
        "fees_closed": campus.books().alma.closed.count,
        "waiting_for_a_person": {"count": len(books.kept_back), "cents": sum(one.cents for one in books.kept_back)},
        "unexplained_cents": books.unexplained_cents,
        "books": books.as_json(),
        "runs": len(runs) + sum(moment.mailed is not None for moment in moments),
        "workers": [{"worker": one.number, "runs": one.runs, "killed_in": one.killed_in} for one in workers],
        "folder": "" if keep is None else str(keep.absolute()),
        "seconds": round(seconds, 2),
    }
