"""Small Alma documents made by hand, for the tests of this folder. All people are invented."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Charge, Credit
from bursarbridge.ports import Rejected, read
from bursarbridge.systems.alma.export import ExportReader, ExportSettings

NAMESPACE = "http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans"
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.xml"))
SETTINGS = ExportSettings(("02", "userName"), r"[0-9]{7}|T[0-9]{7}", "USD", 100_000)
ROOT = f'<xb:xml-fragment xmlns:xb="{NAMESPACE}">'
PEOPLE = f"{ROOT}<xb:userExportedFineFees><xb:userExportedList>"
SHUT = "</xb:userExportedList></xb:userExportedFineFees></xb:xml-fragment>"


def fee(**changed: str) -> str:
    """One fee's XML; name the element to give another text, or "-" to leave it out."""
    texts = {
        "sum": "1.00",
        "currency": "USD",
        "bursarTransactionId": "700",
        "fineFeeType": "OVERDUEFINE",
        "lastTransactionDate": "03/05/2026 09:00:00",
    }
    element = {name: "" if text == "-" else f"<xb:{name}>{text}</xb:{name}>" for name, text in (texts | changed).items()}
    total = f"<xb:compositeSum>{element.pop('currency')}{element.pop('sum')}</xb:compositeSum>"
    return f"<xb:userFineFee>{''.join(element.values())}{total}</xb:userFineFee>"


def person(*fees: str, value: str = "0012345", kind: str = "02", name: str = "Vandermolen, Tess") -> str:
    """One user's XML around fees."""
    user = f"<xb:user><xb:type>{kind}</xb:type><xb:value>{value}</xb:value></xb:user><xb:patronName>{name}</xb:patronName>"
    return f"<xb:userExportedFineFeesList>{user}<xb:finefeeList>{''.join(fees)}</xb:finefeeList></xb:userExportedFineFeesList>"


def document(*people: str) -> bytes:
    """A whole export without header sibling."""
    return f"{PEOPLE}{''.join(people)}{SHUT}".encode()


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    """The same bytes in chunks of one size."""
    return (text[at : at + size] for at in range(0, len(text), size))


def readings(chunks: Iterable[bytes], settings: ExportSettings = SETTINGS) -> list[Charge | Credit | Rejected]:
    """Everything the export says, facts and rejections, in order."""
    found: list[Charge | Credit | Rejected] = []
    for reading in read(ExportReader(settings), chunks):
        assert isinstance(reading, Charge | Credit | Rejected)
        found.append(reading)
    return found


def one(**changed: str) -> Charge | Credit | Rejected:
    """The reading of one fee in a document of its own."""
    (reading,) = readings([document(person(fee(**changed)))])
    return reading


def code(**changed: str) -> str:
    """The code for which one fee is rejected."""
    reading = one(**changed)
    assert isinstance(reading, Rejected)
    return reading.code


def refusal(chunks: Iterable[bytes]) -> str:
    """The code for which a whole document is refused."""
    try:
        readings(chunks)
    except Unreadable as error:
        return error.code
    raise AssertionError("the document was read")
