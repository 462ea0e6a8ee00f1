"""The invented people and codes of the parking story. Any likeness is chance."""

from bursarbridge.sandbox.indicators import HoldCode
from bursarbridge.sandbox.people import ADA, BAO, CARMEN, DEV
from bursarbridge.sandbox.tickets import ParkingUser, UserType

INSTITUTION = "EXCCD"
HOLD, REASON = "PRK", "PARK1"
ADVISING, ADVISING_REASON = "ADV", "NODEC"
CODES = (
    HoldCode(HOLD, REASON, "Parking violations", "AENR", "classes cannot be added", "PARKING"),
    HoldCode(ADVISING, ADVISING_REASON, "No declared program", "ENVER", "no enrollment verification", "ADVISING"),
)

ADA_PARKS = ParkingUser(ADA.value, ADA.name)
BAO_PARKS = ParkingUser(BAO.value, BAO.name)
CARMEN_PARKS = ParkingUser(CARMEN.value, CARMEN.name)
DEV_PARKS = ParkingUser(DEV.value, DEV.name)
IVO = ParkingUser("60221908", "Quillfeather, Ivo", UserType.STAFF)
"""Staff: his violations are no matter of the student account."""
VISITOR = ParkingUser("", "A visitor's car", UserType.VISITOR)
"""Nobody has matched the car to a person: there is no id."""
