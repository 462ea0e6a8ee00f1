"""Every fault code has at least one way to be made, at the right line, with words that say what was found."""

from pathlib import Path

import pytest

from bursarbridge.config import CODES, SettingsError, Severity, check, load
from tests.config.parking_sample import PARKING
from tests.config.sample import GOOD, spoiled, written

ITEM = '[[bursar.item_types]]\nsource = "library"\n'
OTHER_ITEM = """[[bursar.item_types]]
source = "library"
category = "LOSTITEMREPLACEMENTFEE"
label = "Library lost item"
charge = "410000000990"
credit = "410000000121"
from = "2025-01-01"
to = "2025-12-31"
"""
SECOND_SOURCE = """[sources.law]
adapter = "alma"
reference_prefix = "L"
connection = "library"
export = { folder = "law/out", files = ["*.xml"] }
import = { folder = "law/in", name = "x{sequence}.xml" }
timezone = "America/Los_Angeles"
[bursar]
"""

POST = """kind = "maildir"
path = "mail"
senders = ["reports@parking.example.edu"]
attachments = ["*.csv"]
"""

MAIL = """[mail]
relay = "127.0.0.1:25"
tls = "none"
from = "Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
"""
S3 = 's3 = { endpoint = "http://127.0.0.1:9000", key_id = "file:bursarbridge.toml", secret = "file:bursarbridge.toml" }'
API = """[sources.library.api]
base = "https://127.0.0.1:8443"
key = "file:bursarbridge.toml"
"""

HOLDS = """[holds.library]
code = "LIB"
reason = "LIBFN"
institution = "EXCCD"
impact = "registration"
added = { folder = "holds", layout = "generic-holds-added", name = "A{sequence}.dat" }
released = { folder = "holds", layout = "generic-holds-released", name = "R{sequence}.dat" }
"""
TOLD = (
    MAIL
    + """[reports.holds]
to = ["bso@example.edu"]
"""
)

CASES = [
    ("C002", 'name = "Example College"', 'name = "Example College', "name = "),
    ("C003", "[storage]\n", '[storage]\nvaults = "x"\n', "vaults"),
    ("C003", "[storage]\n", '[storag]\nx = "1"\n[storage]\n', "[storag]"),
    ("C004", 'origin = "LIB01"\n', "", "[bursar]"),
    ("C004", "[identity]\nstudent_id = '^\\d{7,11}$'\n", "", "config_version"),
    ("C005", 'user = "bursarbridge"', 'user = "bursarbridge"\nport = "22"', "port"),
    ("C005", 'files = ["*.xml"]', 'files = "*.xml"', "export"),
    ("C006", 'charge = "410000000120"', "charge = 410000000120", "charge = 4"),
    ("C006", 'code = "2264"', "code = 2264", "code = 2264"),
    ("C007", "config_version = 1", "config_version = 2", "config_version"),
    ("C008", 'term_by = "made"', 'term_by = "mode"', "charges"),
    ("C008", 'kind = "sftp"', 'kind = "ftp"', 'kind = "ftp"'),
    ("C009", 'name = "Example College"', 'name = " "', 'name = " "'),
    ("C009", 'files = ["*.xml"]', "files = []", "export"),
    ("C010", 'timezone = "America/Los_Angeles"\nenv', 'timezone = "America/Los_Angelos"\nenv', "Angelos"),
    ("C011", 'settle = "0s"', 'settle = "soon"', "export"),
    ("C012", 'amount_max = "5000.00"', 'amount_max = "5,000.00"', "amount_max"),
    ("C013", 'amount_max = "5000.00"', 'amount_max = "-1.00"', "amount_max"),
    ("C014", "LOSTITEMREPLACEMENTFEE", "LOSTITEMREPLACMENTFEE", "category"),
    ("C015", "'^\\d{7,11}$'", "'^(\\d{7,11}$'", "student_id"),
    ("C015", "as_of = '(\\d{8})'", "as_of = '\\d{8}'", "payments"),
    ("C016", "{kind}", "{knd}", "charges"),
    ("C016", "{kind}", "{kind", "charges"),
    ("C016", "{sequence:06d}.dat", "{sequence:06x!}.dat", "charges"),
    ("C017", '"{label}"', '"{label} {plate}"', "charges"),
    ("C018", "LIB_{kind}_{sequence:06d}.dat", "LIB_{kind}.dat", "charges"),
    ("C019", 'folder = "out", files = ["*.xml"]', 'folder = "../out", files = ["*.xml"]', "export"),
    ("C019", "LIB_{kind}", "sub/LIB_{kind}", "charges"),
    ("C019", '["*.xml"]', '["out/*.xml"]', "export"),
    ("C020", 'adapter = "peoplesoft"', 'adapter = "peoplesot"', 'adapter = "peoplesot"'),
    ("C021", 'connection = "district"', 'connection = "distrikt"', "distrikt"),
    ("C022", ITEM, ITEM.replace("library", "libary"), "libary"),
    ("C023", "generic-charges", "generic-charge", "charges"),
    ("C023", "asu-payments", "asu-charges", "payments"),
    ("C016", '"{label}"', '"{label:.10}"', "charges"),
    ("C023", 'kind = "cumulative"', 'kind = "snapshot"', "payments"),
    ("C024", '"generic-charges"', '"file:layouts/mine.toml"', "charges"),
    ("C025", "SHA256:AbCd", "SHA256:", "host_key"),
    ("C025", 'host_key = "SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg"\n', "", "[connections.district]"),
    ("C026", "127.0.0.1", "sftp.example.edu", "sftp.example.edu"),
    ("C027", 'reference_prefix = "L"', 'reference_prefix = "LIBR"', "LIBR"),
    ("C027", "[bursar]\n", SECOND_SOURCE, 'reference_prefix = "L"'),
    ("C028", 'to = "2026-12-31"', 'to = "2025-12-31"', "2267"),
    ("C028", 'to = "2026-12-31"', 'to = "2026-02-30"', "2267"),
    ("C029", 'to = "2026-07-31"', 'to = "2026-08-01"', "2267"),
    ("C029", ITEM, OTHER_ITEM + ITEM, 'from = "2025-01-01"'),
    ("C029", 'code = "2264"', 'code = "2267"', "2026-12-31"),
    ("C031", 'key = "file:bursarbridge.toml"', 'key = "-----BEGIN OPENSSH PRIVATE KEY-----"', "key = "),
    ("C031", 'user = "bursarbridge"', 'user = "bursarbridge"\npassphrase = "hunter2"', "passphrase"),
    ("C033", 'business_unit = "EXCCD"', 'business_unit = "EXCCD1"', "EXCCD1"),
    ("C033", 'charge = "410000000120"', 'charge = "41000000012"', "charge = "),
    ("C033", 'code = "2264"', 'code = "226"', "226"),
    ("C034", 'confirmed_by = "collected"', 'confirmed_by = "assumed"', "import"),
    ("C034", 'results = { folder = "out", layout = "generic-results", files = ["*result*"] }\n', "", "charges"),
    ("C035", 'import = { folder = "in"', 'import = { folder = "out"', "import"),
    ("C036", "days = 30\n", "", "rule = "),
    ("C036", "days = 30\n", "days = 30\nday = 5\n", "day = 5"),
    ("C037", "sqlite:data/bursarbridge.db", "data/bursarbridge.db", "database"),
    ("C038", 'label = "Library lost item"', 'label = "Library lost item replacement fee"', "label"),
    ("C039", 'user = "bursarbridge"', 'user = "bursarbridge"\nport = 70000', "port"),
    ("C039", "days = 30", "days = 9999", "days"),
    ("C003", "[storage]\n", f'{MAIL}[reports.lates]\nto = ["a@example.edu"]\n[storage]\n', "[reports.lates]"),
    ("C026", "[storage]\n", f"{MAIL}[storage]\n".replace("127.0.0.1:25", "smtp.example.edu:25").replace('"none"', '"starttls"'), "relay"),
    ("C031", "[storage]\n", f'{MAIL}user = "u"\npassword = "hush"\n[storage]\n'.replace('"none"', '"implicit"'), "password"),
    ("C050", "[storage]\n", f'{MAIL}user = "u"\npassword = "file:bursarbridge.toml"\n[storage]\n', "tls"),
    ("C051", "[storage]\n", '[reports.late]\nto = ["a@example.edu"]\n[storage]\n', "[reports.late]"),
    ("C051", "[storage]\n", f"{MAIL}[reports.late]\n[storage]\n", "[reports.late]"),
    ("C051", "[storage]\n", f'{MAIL}[reports.late]\nto_by_library = {{ ARC = "a@example.edu" }}\n[storage]\n', "to_by_library"),
    ("C051", "[storage]\n", f'{MAIL}user = "u"\n[storage]\n'.replace('"none"', '"starttls"'), "[mail]"),
    ("C052", "[storage]\n", f'{MAIL}[reports.late]\nto = ["a@elsewhere.example"]\n[storage]\n', "elsewhere"),
    ("C053", "[storage]\n", f'{MAIL}[reports.late]\nto = ["Ann <a@example.edu>"]\npii = "none"\n[storage]\n', "Ann"),
    ("C053", "[storage]\n", f"{MAIL}[storage]\n".replace("127.0.0.1:25", "127.0.0.1"), "relay"),
    ("C060", 'kind = "folder"\npath = "alma"\n', f'{POST}authserv = "mx.example.edu"\n', 'connection = "library"'),
    ("C026", 'amount_max = "5000.00"', API.replace("127.0.0.1:8443", "api.example.edu"), "base = "),
    ("C031", 'amount_max = "5000.00"', API.replace("file:bursarbridge.toml", "l7xx0badc0ffee"), "key = "),
    ("C039", 'amount_max = "5000.00"', f"{API}per_second = 26", "per_second"),
    ("C070", "[storage]\n", '[flows.library-charges]\nschedule = { at = ["25:00"] }\n[storage]\n', "25:00"),
    ("C071", "[storage]\n", '[flows.library-charges]\nschedule = { every = "1m" }\n[storage]\n', "every"),
    ("C072", "[storage]\n", '[flows.library-charges]\nschedule = { at = ["18:20"], skip = "no.ics" }\n[storage]\n', "no.ics"),
    ("C073", "[storage]\n", '[flows.library-charges]\nschedule = { after = "library-charges" }\n[storage]\n', "after"),
    ("C074", "[storage]\n", '[flows.library-charges]\nescalate_after = ["2h", "1h"]\n[storage]\n', "escalate_after"),
    ("C034", 'amount_max = "5000.00"', 'payments_by = "api"', "payments_by"),
    ("C044", 'amount_max = "5000.00"', API.replace("8443", "8443/almaws"), "base = "),
    ("C044", 'amount_max = "5000.00"', API.replace("https", "ftp"), "base = "),
    ("C062", "[bursar]\n", HOLDS + "[bursar]\n", "[holds.library]"),
    ("C063", "[bursar]\n", TOLD + HOLDS.replace('"registration"', '"transcript"') + "[bursar]\n", "impact"),
    ("C045", "[storage]\n", PARKING.replace('"Balance"\n', '"Balanse"\n') + "[storage]\n", "Balanse"),
    ("C046", "[storage]\n", PARKING.replace('status = "Status"\n', "") + "[storage]\n", "statuses"),
    (
        "C048",
        "[storage]\n",
        PARKING.replace('collect = "hold"', 'collect = "bill"').split('[[sources.parking.violations]]\nkind = "released"')[0] + "[storage]\n",
        'collect = "bill"',
    ),
    ("C047", "[storage]\n", PARKING.replace('settle = "0s"', 'absent = "ask"') + "[storage]\n", 'absent = "ask"'),
    ("C075", 'vault = "data/vault"', f'vault = "s3://Not A Bucket"\n{S3}', "vault"),
    ("C075", 'vault = "data/vault"', 'vault = "s3://bucket/prefix"', "vault"),
    ("C075", 'vault = "data/vault"', f'vault = "data/vault"\n{S3}', "vault"),
    ("C076", 'environment = "sandbox"', 'environment = "live"\nclock = "clock"', "clock"),
    ("C026", 'vault = "data/vault"', f'vault = "s3://bucket"\n{S3.replace("http://127.0.0.1:9000", "https://s3.example.edu")}', "endpoint"),
    ("C031", 'vault = "data/vault"', f'vault = "s3://bucket"\n{S3.replace("file:bursarbridge.toml", "l7xx0badc0ffee", 1)}', "key_id"),
]

WARNINGS = [
    ("C061", "[storage]\n", f"[connections.post]\n{POST}[storage]\n", "[connections.post]"),
    ("C014", "LOSTITEMREPLACEMENTFEE", "QQQ", "QQQ"),
    ("C026", 'environment = "sandbox"', 'environment = "live"', "127.0.0.1"),
    ("C030", 'from = "2026-08-01"', 'from = "2026-08-02"', "2267"),
    ("C032", "file:bursarbridge.toml", "env:NO_SUCH_VARIABLE_HERE", "key"),
    ("C035", ', except = ["*result*"]', "", "payments"),
]


@pytest.mark.parametrize(("code", "old", "new", "at"), CASES)
def test_an_error_is_named_once_at_its_line(tmp_path: Path, code: str, old: str, new: str, at: str) -> None:
    text = spoiled(old, new)
    faults = check(written(tmp_path, text), {})
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    assert [fault.code for fault in errors] == [code], "\n".join(map(str, faults))
    assert at in text.splitlines()[errors[0].line - 1]
    assert errors[0].words and errors[0].cure
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "bursarbridge.toml", {})
    assert list(caught.value.faults) == faults


@pytest.mark.parametrize(("code", "old", "new", "at"), WARNINGS)
def test_a_warning_does_not_stop_loading(tmp_path: Path, code: str, old: str, new: str, at: str) -> None:
    text = spoiled(old, new)
    settings = load(written(tmp_path, text), {})
    assert [(warning.code, warning.severity) for warning in settings.warnings] == [(code, Severity.WARNING)]
    assert at in text.splitlines()[settings.warnings[0].line - 1]


def test_every_code_has_a_case() -> None:
    assert {code for code, *_ in CASES} | {code for code, *_ in WARNINGS} | {"C001"} == set(CODES)


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'config_version = 1\n[campus]\nname = "Universit\xe9"\n')
    assert [fault.code for fault in check(tmp_path / "absent.toml", {})] == ["C001"]
    assert [fault.code for fault in check(tmp_path, {})] == ["C001"]
    assert "line 3" in check(latin, {})[0].words


def test_the_good_file_has_no_fault_with_any_line_ending_and_mark(tmp_path: Path) -> None:
    assert check(written(tmp_path), {}) == []
    (tmp_path / "crlf.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("file:bursarbridge", "file:crlf").replace("\n", "\r\n").encode())
    assert check(tmp_path / "crlf.toml", {}) == []


def test_an_own_layout_with_faults_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("name = 3\n", "utf-8")
    faults = check(written(tmp_path, spoiled("generic-charges", "file:mine.toml")), {})
    assert [fault.code for fault in faults] == ["C024"]
    assert "mine.toml" in faults[0].words


def test_t11_h07_a_sandbox_reaches_no_host_but_this_machine(tmp_path: Path) -> None:
    for host in ("10.0.0.5", "sftp.example.edu", "127.0.0.1.example.edu", "localhost.example.edu"):
        assert [fault.code for fault in check(written(tmp_path, spoiled("127.0.0.1", host)), {})] == ["C026"], host
    for host in ("localhost", "::1", "127.0.0.2"):
        assert check(written(tmp_path, spoiled("127.0.0.1", host)), {}) == [], host
    for address, hosts in (
        ("db.example.edu/bridge", 1),
        ("bridge:secret@127.0.0.1:5432,db2.example.edu:5432/bridge?target_session_attrs=read-write", 1),
        ("db1.example.edu,db2.example.edu/bridge", 2),
        ("/bridge?host=db.example.edu", 1),
        ("[::1]:5432,localhost/bridge?target_session_attrs=read-write", 0),
        ("/bridge?host=/run/postgresql", 0),
    ):
        database = spoiled("sqlite:data/bursarbridge.db", f"postgresql://{address}")
        assert [fault.code for fault in check(written(tmp_path, database), {})] == ["C026"] * hosts, address


def test_h06_a_zone_or_a_day_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "America/Los_Angeles" in check(written(tmp_path, spoiled("America/Los_Angeles", "America/Los_Angelos")), {})[0].cure
    assert check(written(tmp_path, spoiled("2026-12-31", "2027-02-29")), {})[0].code == "C028"


@pytest.mark.parametrize("amount", ["0", "0.00", "-5.00", "-0.01"])
def test_h10_a_limit_of_zero_or_less_is_refused(tmp_path: Path, amount: str) -> None:
    assert [fault.code for fault in check(written(tmp_path, spoiled("5000.00", amount)), {})] == ["C013"]


def test_h10_a_time_or_number_of_zero_is_refused(tmp_path: Path) -> None:
    timeout = spoiled('user = "bursarbridge"', 'user = "bursarbridge"\ntimeout = "0s"')
    assert [fault.code for fault in check(written(tmp_path, timeout), {})] == ["C013"]
    assert [fault.code for fault in check(written(tmp_path, spoiled("days = 30", "days = 0")), {})] == ["C013"]


def test_secrets_are_masked_wherever_a_line_is_shown(tmp_path: Path) -> None:
    text = spoiled("sqlite:data/bursarbridge.db", "postgresql://bridge:hunter2@db.example.edu/x")
    faults = check(written(tmp_path, text), {})
    assert [fault.code for fault in faults] == ["C026"]
    assert "hunter2" not in str(faults[0]) and "***" in faults[0].source
