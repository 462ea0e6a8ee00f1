"""The emulated Alma's answers: its JSON, written by hand where a number must be a number (alma.md 3.3)."""

import json
from datetime import UTC, datetime

from bursarbridge.sandbox.alma_fee_desk import FeeDesk
from bursarbridge.sandbox.alma_loans import LOST, Loan
from bursarbridge.sandbox.cents import shortest, two_decimals
from bursarbridge.sandbox.fees import Credit, Fee

MMS, HOLDING = "990001", "220001"


def fee_json(desk: FeeDesk, fee: Fee) -> str:
    """A fee. The balance has no fixed decimals, the original amount has two, as numbers of many writers do."""
    fee_id = desk.id_of(fee)
    texts: dict[str, object] = {
        "id": fee_id,
        "type": {"value": fee.fee_type, "desc": fee.fee_type.capitalize()},
        "status": {"value": desk.status(fee), "desc": desk.status(fee).capitalize()},
        "user_primary_id": {"value": fee.user.value, "link": f"/almaws/v1/users/{fee.user.value}"},
        "creation_time": stamp(fee.assessed_at or fee.last_transaction_at),
        "owner": {"value": fee.library or "INST", "desc": ""},
        "title": fee.title,
        "barcode": {"value": fee.barcode, "link": ""} if fee.barcode else None,
        "bursar_transaction_id": fee.bursar_transaction_id,
        "comment": None,
    }
    rows = ",".join(
        _with(
            {
                "type": {"value": one.kind},
                "external_transaction_id": one.external_id or None,
                "comment": one.comment or None,
                "reason": {"value": one.reason} if one.reason else None,
                "transaction_time": stamp(one.at),
            },
            f'"amount":{shortest(one.cents)},"vat_amount":0',
        )
        for one in desk.rows.get(fee_id, [])
    )
    listed = f',"transaction":[{rows}]' if rows else ""
    return _with(texts, f'"balance":{shortest(fee.balance_cents)},"original_amount":{two_decimals(fee.original_cents)}{listed}')


def credit_json(number: int, credit: Credit) -> str:
    """A credit: a fee of its own with a negative amount (alma.md 3.3)."""
    texts: dict[str, object] = {
        "id": f"139{number:010d}6001",
        "type": {"value": "CREDIT"},
        "status": {"value": "ACTIVE"},
        "user_primary_id": {"value": credit.user.value},
        "barcode": None,
        "comment": credit.comment,
    }
    return _with(texts, f'"balance":{shortest(-credit.cents)},"original_amount":{shortest(-credit.cents)}')


def list_json(entry: str, rows: list[str], total: int) -> str:
    """A list; the rows' own field is absent when there are none (alma.md 3.3)."""
    return f'{{"{entry}":[{",".join(rows)}],"total_record_count":{total}}}' if rows else f'{{"total_record_count":{total},"currency":"USD"}}'


def loan_json(loan: Loan) -> str:
    """A loan."""
    return json.dumps(
        {
            "loan_id": loan.loan_id,
            "user_id": loan.user.value,
            "item_barcode": loan.barcode,
            "mms_id": MMS,
            "holding_id": HOLDING,
            "item_id": item_id(loan.barcode),
            "loan_date": stamp(loan.lent_at),
            "due_date": stamp(loan.due_at),
            "return_date": stamp(loan.returned_at) if loan.returned_at else None,
            "loan_status": "COMPLETE" if loan.returned_at else "ACTIVE",
            "process_status": loan.process_status,
            "library": {"value": loan.library, "desc": ""},
        }
    )


def item_json(barcode: str, loan: Loan | None) -> str:
    """An item, in place unless its newest loan says otherwise."""
    out = loan is not None and loan.returned_at is None
    kind = "" if not out else "LOST_LOAN" if loan is not None and loan.process_status == LOST else "LOAN"
    state = {"base_status": {"value": "0" if out else "1"}, "process_type": {"value": kind}, "library": {"value": loan.library if loan else "MAIN"}}
    return json.dumps({"bib_data": {"mms_id": MMS}, "holding_data": {"holding_id": HOLDING}, "item_data": {"barcode": barcode, **state}})


def error_json(code: str, message: str) -> str:
    """Alma's own error form (alma.md 3.4)."""
    error = {"errorCode": code, "errorMessage": message, "trackingId": "E01-0101010101-SANDBOX"}
    return json.dumps({"errorsExist": True, "errorList": {"error": [error]}, "result": None})


def error_xml(code: str, message: str) -> str:
    """The old form, which comes now and then where JSON was asked for."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><web_service_result xmlns="http://com/exlibris/urm/general/xmlbeans">'
        f"<errorsExist>true</errorsExist><errorList><error><errorCode>{code}</errorCode><errorMessage>{message}</errorMessage></error></errorList>"
        "</web_service_result>"
    )


def item_id(barcode: str) -> str:
    """The item's own id."""
    return f"23{barcode}"


def stamp(at: datetime) -> str:
    """An instant as Alma writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _with(fields: dict[str, object], bare: str) -> str:
    return f"{json.dumps(fields)[:-1]},{bare}}}"
