"""Alma's webhook calls: a JSON body, signed, posted to whoever listens (alma.md 4.1 and 4.3)."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime

from bursarbridge.sandbox.alma_files import INSTITUTION
from bursarbridge.sandbox.alma_loans import Loan

_PATIENCE_SECONDS = 5
"""Alma takes longer than that for a failure (alma.md 4.2)."""


@dataclass(slots=True)
class AlmaCalls:
    """Makes the calls of one webhook profile."""

    url: str
    secret: str
    made: int = 0

    def returned(self, loan: Loan, now: datetime) -> int:
        """Tells that a loan came back; the HTTP status of the answer, 0 when nobody answered."""
        self.made += 1
        told = {
            "id": f"{self.made:019d}",
            "action": "LOAN",
            "institution": {"value": INSTITUTION, "desc": "Example College"},
            "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "event": {"value": "LOAN_RETURNED", "desc": "Loan returned"},
            "item_loan": {"loan_id": loan.loan_id, "user_id": loan.user.value, "item_barcode": loan.barcode, "loan_status": "COMPLETE"},
        }
        return self._post(json.dumps(told).encode())

    def _post(self, body: bytes) -> int:
        signed = base64.b64encode(hmac.new(self.secret.encode(), body, hashlib.sha256).digest()).decode()
        headers = {"Content-Type": "application/json", "X-Exl-Signature": signed}
        try:
            # No proxy of the machine's may come between: it is all loopback.
            door = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with door.open(urllib.request.Request(self.url, body, headers), timeout=_PATIENCE_SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0
