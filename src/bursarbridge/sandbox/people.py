"""The invented people of the story and what they owe the library. Any likeness is chance."""

from datetime import datetime
from typing import NamedTuple

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.fees import User

ADA = User("0104231", "Winterbourne, Ada")
BAO = User("1042317", "Larkspur, Bao")
CARMEN = User("20417733", "Ostrowe, Carmen")
DEV = User("300418825", "Halloway, Dev")
ESME = User("10042005193", "Tidewater-Quill, Esmé")
FERGUS = User("8800417", "Moorcroft, Fergus")
"""A community borrower: the library knows him, PeopleSoft does not."""

GITA = User("30517264", "Fennimore, Gita")
HUGO = User("1077342", "Applegarth, Hugo")

STUDENTS = (ADA, BAO, CARMEN, DEV, ESME, GITA, HUGO)


class Owed(NamedTuple):
    """One fee to assess."""

    user: User
    fee_type: str
    cents: int
    barcode: str = ""
    title: str = ""
    library: str = ""


# Sums with and without decimals, one id with a leading zero and one of eleven digits, two equal fees on one day, titles with a line
# break, markup and other scripts, a fee without an item: what real exports have (alma.md 1.1).
DAY_ONE = (
    Owed(ADA, "LOSTITEMREPLACEMENTFEE", 85_00, "31234000011170", "Tidal marshes :\na field guide /", "MAIN"),
    Owed(ADA, "LOSTITEMPROCESSFEE", 15_00, "31234000011170", "Tidal marshes :\na field guide /", "MAIN"),
    Owed(ADA, "OVERDUEFINE", 82, "31234000022284", "Bread & salt", "MAIN"),
    Owed(BAO, "LOSTITEMREPLACEMENTFEE", 124_35, "31234000033398", "Strömungslehre <Atlas>", "SCI"),
    Owed(BAO, "LOSTITEMPROCESSFEE", 15_00, "31234000033398", "Strömungslehre <Atlas>", "SCI"),
    Owed(CARMEN, "OVERDUEFINE", 3_25, "31234000044402", "月と海", "MAIN"),
    Owed(CARMEN, "LIBRARYCARDREPLACEMENT", 12_50),
    Owed(DEV, "DAMAGEDITEMFINE", 27_99, "31234000055516", "Field recording, a manual", "SCI"),
    Owed(ESME, "LOSTITEMREPLACEMENTFEE", 300_00, "31234000066620", "Maps of the lower river", "MAIN"),
    Owed(ESME, "OVERDUEFINE", 5_00, "31234000077734", "Letters home, vol. 1", "MAIN"),
    Owed(ESME, "OVERDUEFINE", 5_00, "31234000077742", "Letters home, vol. 2", "MAIN"),
    Owed(FERGUS, "LOSTITEMREPLACEMENTFEE", 45_50, "31234000088848", "Small engines", "MAIN"),
)

DAY_TWO = (
    Owed(GITA, "LOSTITEMREPLACEMENTFEE", 64_00, "31234000099952", "Wind and weather", "MAIN"),
    Owed(HUGO, "LOSTITEMREPLACEMENTFEE", 110_50, "31234000101014", "Bridges of wood", "SCI"),
)
"""Both items come back on the morning after."""


def assess(alma: Alma, owed: tuple[Owed, ...], at: datetime) -> int:
    """Adds these fees to Alma and returns their sum in cents."""
    for fee in owed:
        alma.assess(fee.user, fee.fee_type, fee.cents, at, barcode=fee.barcode, title=fee.title, library=fee.library)
    return sum(fee.cents for fee in owed)
