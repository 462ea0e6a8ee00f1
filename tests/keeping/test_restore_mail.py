"""The same where the office's lists come by mail (reliability.md P21)."""

from datetime import datetime, timedelta
from pathlib import Path

from tests.cli.calls import answer
from tests.crash.campus import found
from tests.garage import CHANGES, SECTIONS, ZONE
from tests.keeping.test_restore_holds import ADA, BO, CY, GUARDS, HEAD, came, new, ran, reconciled, stands, told
from tests.letters import SENDER, agreed


def mailed(folder: Path, hours_ago: float, owed: dict[str, str]) -> None:
    """The office mails a complete list."""
    at = datetime.now(ZONE) - timedelta(hours=hours_ago)
    rows = "".join(f"{person},Student,V{person},No permit,07/01/2026,{cents},Open\r\n" for person, cents in owed.items())
    name, date = f"violations_full_{at:%Y%m%d_%H%M%S}.csv", f"{at:%a, %d %b %Y %H:%M:%S %z}"
    (folder / f"parking/new/{hours_ago}.host").write_bytes(agreed(name=name, content=f"{HEAD}\r\n{rows}".encode(), date=date).as_bytes())


def test_p21_lists_that_came_by_mail_are_read_again(tmp_path: Path) -> None:
    campus = found(tmp_path / "campus", "")
    by_mail = f'kind = "maildir"\npath = "parking"\nsenders = ["{SENDER}"]\nattachments = ["violations_full_*.csv"]\n'
    sections = SECTIONS.replace('kind = "folder"\npath = "parking"\n', by_mail, 1).replace(CHANGES, "").replace('folder = "out"', 'folder = "."', 1)
    settings = campus / "bursarbridge.toml"
    settings.write_text(settings.read_text() + sections + GUARDS)
    for place in ("parking/new", "parking/cur", "parking/tmp", "peoplesoft/holds/in", "peoplesoft/holds/out"):
        (campus / place).mkdir(parents=True)
    mailed(campus, 6, {ADA: "40.00", BO: "60.00"})
    ran(campus)
    answer("backup", tmp_path / "store", "-C", campus)
    mailed(campus, 4, {ADA: "55.00", CY: "25.00"})
    ran(campus)
    before = told(campus)
    answer("restore", tmp_path / "store", "-C", campus, "--over")
    looked = reconciled(campus)
    assert [one["state"] for one in came(looked)] == ["sent", "sent"] and len(looked["inputs"]) == 1
    ran(campus)
    assert new(campus, before) == [[(BO, "0")]] and stands(campus) == {ADA: "55.00", CY: "25.00"}
