"""The API of a source, as the settings name it: a key by reference, the sandbox's Alma on this machine."""

from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.errors import Refused
from bursarbridge.examples.example import write_example
from bursarbridge.systems.alma.api import Status
from bursarbridge.systems.alma.once import AlreadyDone, Done
from tests.alma_api import ADA, KEY, library


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
            with bridge.alma("library") as api:
                assert [one.balance_cents for one in api.fees(ADA.value, Status.EXPORTED)] == [12_50]
                assert isinstance(api.pay(alma.name(fee), 12_50, "L1"), Done)
            with bridge.alma("library") as api:
                assert isinstance(api.pay(alma.name(fee), 12_50, "L1"), AlreadyDone)
            with pytest.raises(Refused, match="no API for the source law"), bridge.alma("law"):
                pass
        finally:
            bridge.close()
