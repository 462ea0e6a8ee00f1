"""An office that bills, at the command line: run, preview, explain and status speak of the parking office; a flow nobody has is refused."""

from pathlib import Path

import pytest

from bursarbridge import config
from bursarbridge.assembly.hold_parts import ready_holds
from bursarbridge.assembly.names import billing_flows, office_of
from bursarbridge.assembly.timetable import hears
from bursarbridge.examples.example import write_example
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.ledger.entries import Place
from bursarbridge.store.open_items import Basis
from tests.cli.calls import answer, call
from tests.flows.billed_lot import HEAD, PARKING, WREN

_ROW = f"{WREN},Student,V1,No permit,2026-07-20,45.00,Open\r\n"


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example campus with a parking office that bills; one violation has been sent."""
    folder = tmp_path_factory.mktemp("billing") / "campus"
    write_example(folder)
    file = folder / "bursarbridge.toml"
    file.write_text(file.read_text("utf-8") + PARKING, "utf-8")
    (folder / "parking/in").mkdir(parents=True)
    (folder / "parking/out").mkdir()
    (folder / "parking/out/changes_20260802_020000.csv").write_text(HEAD + _ROW, "utf-8", newline="")
    seen = answer("preview", "parking-charges", "-C", folder)
    ran = answer("run", "parking-charges", "-C", folder)
    assert seen["sent"] == ran["sent"] == {"count": 1, "cents": 4500} and ran["outcome"] == "completed"
    return folder


def test_explain_and_status_speak_of_the_parking_office(campus: Path) -> None:
    explained = call("explain", "V1", "-C", campus).stdout
    assert "V1 in the parking office" in explained and "Assessed by the parking office" in explained
    assert "Parking: no permit" in explained
    assert "parking-charges" in call("status", "-C", campus).stdout


def test_the_payments_flow_has_nothing_to_say_yet(campus: Path) -> None:
    assert answer("run", "parking-payments", "-C", campus)["outcome"] == "nothing_to_do"
    assert answer("run", "parking-credits", "-C", campus)["outcome"] == "nothing_to_do"


def test_a_flow_that_nobody_has_is_refused_with_those_there_are(campus: Path) -> None:
    refused = call("run", "garage-charges", "-C", campus)
    assert refused.exit_code != 0 and "parking-charges" in refused.stderr


def test_the_names_and_what_each_waits_for(campus: Path) -> None:
    settings = config.load(campus / "bursarbridge.toml")
    assert billing_flows(settings) == ("parking-charges", "parking-payments", "parking-credits")
    assert (office_of(settings, "parking"), office_of(settings, "library")) == ("parking office", "library")
    lists = ("parking-violations", "parking-changes")
    assert [(hears(settings, flow).channels, hears(settings, flow).place) for flow in billing_flows(settings)] == [
        (lists, Place.SOURCE),
        (("bursar-payments",), Place.PAID),
        (lists, Place.WAIVED),
    ]


HOLDS = """
[mail]
relay = "127.0.0.1:1"
tls = "none"
from = "Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
[reports.holds]
to = ["parking@example.edu"]
[holds.parking]
code = "PRK"
reason = "PKCIT"
institution = "EXCCD"
impact = "registration"
added = { folder = "holds", layout = "generic-holds-added", name = "HOLDS_ADDED_{sequence:06d}.dat" }
released = { folder = "holds", layout = "generic-holds-released", name = "HOLDS_RELEASED_{sequence:06d}.dat" }
"""


def test_holds_for_what_is_billed_look_at_the_student_account_and_read_no_list(tmp_path: Path) -> None:
    write_example(tmp_path)
    file = tmp_path / "bursarbridge.toml"
    file.write_text(file.read_text("utf-8") + PARKING + HOLDS, "utf-8")
    flow = ready_holds("parking-holds", config.load(file), lambda _connection, folder, clear: FolderEndpoint(tmp_path / folder, clear=clear))
    assert (flow.basis, flow.facts, [channel for channel, _ in flow.evidence]) == (Basis.ACCOUNT, (), ["bursar-payments"])
