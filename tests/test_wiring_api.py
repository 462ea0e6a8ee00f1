"""The API of a source, as the settings name it: a key by reference, the sandbox's Alma on this machine."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.errors import Refused
from bursarbridge.examples.example import write_example
from bursarbridge.sandbox.fees import FeeStatus, User
from bursarbridge.store import views
from bursarbridge.systems.alma.api import Status
from bursarbridge.systems.alma.once import AlreadyDone, Done
from tests.alma_api import ADA, KEY, NOON, library
from tests.campus_files import Paid, report_bytes


def test_a_source_with_an_api_can_be_asked_and_told(tmp_path: Path) -> None:
    write_example(tmp_path)
    file = tmp_path / "bursarbridge.toml"
    with library() as alma:
        fee = alma.bill(12_50)
        (tmp_path / "key").write_text(f"{KEY}\n", "utf-8")
        section = f'[sources.library.api]\nbase = "{alma.server.base}"\nkey = "file:key"\n'
        file.write_text(f"{file.read_text('utf-8')}\n{section}", "utf-8")
        settings = config.load(file)
        assert KEY not in repr(settings)
        bridge = wiring.build(settings)
        try:
            with bridge.ways.alma("library") as api:
                assert [one.balance_cents for one in api.fees(ADA.value, Status.EXPORTED)] == [12_50]
                assert isinstance(api.pay(alma.name(fee), 12_50, "L1"), Done)
            with bridge.ways.alma("library") as api:
                assert isinstance(api.pay(alma.name(fee), 12_50, "L1"), AlreadyDone)
            with pytest.raises(Refused, match="no API for the source law"), bridge.ways.alma("law"):
                pass
        finally:
            bridge.close()


def test_p16_payments_by_api_through_the_durable_engine(tmp_path: Path) -> None:
    """One fee from Alma's export to the account and back, its payment told by API; a preview tells nobody."""
    write_example(tmp_path)
    file = tmp_path / "bursarbridge.toml"
    with library() as alma:
        fee = alma.alma.assess(User("1042317", "Larkspur, Bao"), "OVERDUEFINE", 12_50, NOON, barcode="31234", title="T", library="MAIN")
        sent = alma.alma.run_export(NOON)
        assert sent is not None
        (tmp_path / "key").write_text(KEY, "utf-8")
        text = (
            file.read_text("utf-8")
            .replace('confirmed_by = "results"', 'confirmed_by = "assumed"')
            .replace('assumed_after = "" ', 'assumed_after = "1s" ')
        )
        section = f'[sources.library.api]\nbase = "{alma.server.base}"\nkey = "file:key"\n'
        text = text.replace('adapter = "alma"', 'adapter = "alma"\npayments_by = "api"', 1)
        file.write_text(f"{text}\n{section}", "utf-8")
        now = [datetime(2026, 10, 15, 2, 0, tzinfo=UTC)]
        bridge = wiring.build(config.load(file), clock=lambda: now[0])
        put(tmp_path / "alma/out" / sent.name, sent.content, now[0])
        try:
            with bridge.running() as start:
                start("library-charges")
                with bridge.books() as books:
                    (one,) = views.obligations(books, fee.bursar_transaction_id)
                now[0] += timedelta(hours=12)
                put(
                    tmp_path / "peoplesoft/out/payments_20261015_070000.csv",
                    report_bytes([Paid(one.reference, 12_50, "1042317", "10/15/2026")]),
                    now[0],
                )
                now[0] += timedelta(minutes=5)
                bridge.preview("library-payments")
                assert alma.called("pay") == 0
                summary = start("library-payments")
            assert summary["sent"] == {"count": 1, "cents": 12_50} and fee.status is FeeStatus.CLOSED
            with bridge.books() as books:
                assert views.places(books)["settled"] == 12_50 and views.unexplained_cents(books) == 0
        finally:
            bridge.close()


def put(path: Path, content: bytes, at: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp() - 120, at.timestamp() - 120))
