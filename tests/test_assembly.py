"""Every flow of the example campus can be put together, and what the settings say reaches the adapters."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursarbridge import config
from bursarbridge.assembly.library import library_flow
from bursarbridge.assembly.names import FLOWS
from bursarbridge.examples.example import write_example
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.ports import Endpoint


@pytest.mark.parametrize("template", ["{label}", "{office}: {label}"])
@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_of_the_example_campus_is_assembled(tmp_path: Path, flow: str, template: str) -> None:
    write_example(tmp_path)
    file = tmp_path / "bursarbridge.toml"
    file.write_text(file.read_text("utf-8").replace('description = "{label}"', f'description = "{template}"'), "utf-8")

    def place(connection: str, folder: str, clear: Clear) -> Endpoint:
        return FolderEndpoint(tmp_path / connection / folder, clear=clear)

    assert library_flow(flow, config.load(file), place).name == flow
