"""The storm in its short form; ./dev chaos lives the long one."""

import pytest

from tests.chaos.storm import storm


@pytest.mark.timeout(180)
def test_p04_p05_p17_everything_happens_once_in_a_storm() -> None:
    report = storm(runs=60, webhooks=300, seed=7, seconds_max=25)
    assert report.good, report.as_json()
    assert (report.runs, report.webhooks) == (60, 300) and report.kills + report.freezes + report.restarts >= 2
