"""A parking office in the settings, without a fault: every kind of list, delimited and fixed."""

from tests.config.sample import GOOD

PARKING = r"""
[connections.garage]
kind = "folder"
path = "parking"
[sources.parking]
adapter = "opscom"
reference_prefix = "P"
connection = "garage"
timezone = "America/Los_Angeles"
amount_max = "2000.00"
collect = "hold"
[[sources.parking.violations]]
kind = "full"
folder = "out"
files = ["violations_*.csv"]
as_of = '(\d{8})_(\d{6})'
absent = "ask"
titles = ["Student ID", "Name", "Violation", "Type", "Date", "Balance", "Currency", "Status", "System"]
dates = ["MM/DD/YYYY"]
first_line = '^LIVE'
environment = '^LIVE$'
trailer = { mark = "TRL", count = 2, total = 3 }
[sources.parking.violations.columns]
id = "Student ID"
reference = "Violation"
category = "Type"
violated_on = "Date"
amount = "Balance"
currency = "Currency"
status = "Status"
environment = "System"
[sources.parking.violations.statuses]
Outstanding = "open"
"In appeal" = "disputed"
"System processed" = "not_evidence"
[[sources.parking.violations]]
kind = "released"
folder = "out"
files = ["released_*.txt"]
as_of = '(\d{8})'
settle = "0s"
clear = "leave"
form = "fixed"
encoding = "iso-8859-1"
width = 45
point = false
columns = { id = [1, 11], amount = [12, 10], user_type = [22, 3] }
""".lstrip()

PARKED = f"{GOOD}{PARKING}"
