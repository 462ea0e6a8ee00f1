"""A small settings file without a fault, and the means to spoil it."""

from pathlib import Path

GOOD = r"""
config_version = 1
[campus]
name = "Example College"
timezone = "America/Los_Angeles"
environment = "sandbox"
[storage]
database = "sqlite:data/bursarbridge.db"
vault = "data/vault"
[identity]
student_id = '^\d{7,11}$'
[connections.library]
kind = "folder"
path = "alma"
[connections.district]
kind = "sftp"
host = "127.0.0.1"
user = "bursarbridge"
key = "file:bursarbridge.toml"
host_key = "SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg"
[sources.library]
adapter = "alma"
reference_prefix = "L"
connection = "library"
export = { folder = "out", files = ["*.xml"], settle = "0s", clear = "move" }
import = { folder = "in", name = "bursarbridge-{sequence:06d}-{made_at}.xml", confirmed_by = "collected" }
timezone = "America/Los_Angeles"
amount_max = "5000.00"
[bursar]
adapter = "peoplesoft"
connection = "district"
business_unit = "EXCCD"
origin = "LIB01"
charges = { folder = "in", layout = "generic-charges", name = "LIB_{kind}_{sequence:06d}.dat", description = "{label}", term_by = "made" }
results = { folder = "out", layout = "generic-results", files = ["*result*"] }
payments = { folder = "out", layout = "asu-payments", files = ["*.csv"], except = ["*result*"], kind = "cumulative", as_of = '(\d{8})' }
terms = [
  { code = "2264", from = "2026-06-01", to = "2026-07-31" },
  { code = "2267", from = "2026-08-01", to = "2026-12-31" },
]
[[bursar.item_types]]
source = "library"
category = "LOSTITEMREPLACEMENTFEE"
label = "Library lost item"
charge = "410000000120"
credit = "410000000121"
from = "2020-01-01"
[[bursar.due_dates]]
from = "2020-01-01"
rule = "days_after"
days = 30
""".lstrip()


def written(folder: Path, text: str = GOOD) -> Path:
    """The text as a settings file in a folder."""
    file = folder / "bursarbridge.toml"
    file.write_text(text, "utf-8")
    return file


def spoiled(old: str, new: str) -> str:
    """The good settings with one stretch replaced; it must be there."""
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)
