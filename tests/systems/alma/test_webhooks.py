"""Alma's webhook calls: the published signature vectors, and what a call says."""

import json

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.systems.alma.webhooks import AlmaListener, signature
from tests.returned_scenes import job_call, loan_call

SECRET = b"itsasecret"
VECTORS = [
    (b"The POST request body", b"e9SHoXK4MZrSGqhglMK4w+/u1pjYn0bfTEYtcFqj7CE="),
    (b'{"action": "JOB_END"}', b"bbQKggzWRSuwopIwszy757lusNZWOPllfv5Rt6Qj8uE="),
]


@pytest.mark.parametrize(("body", "signed"), VECTORS)
def test_the_vectors_of_the_documentation(body: bytes, signed: bytes) -> None:
    assert signature(SECRET, body) == signed
    assert AlmaListener((SECRET,)).genuine([(b"X-Exl-Signature", signed)], body)


@pytest.mark.parametrize("name", [b"x-exl-signature", b"X-EXL-SIGNATURE", b"X-Exl-Signature"])
def test_p09_the_header_is_known_in_any_case_of_letters(name: bytes) -> None:
    body, signed = VECTORS[0]
    assert AlmaListener((SECRET,)).genuine([(b"host", b"x"), (name, signed)], body)


def test_p09_what_is_not_signed_rightly_is_not_genuine() -> None:
    body, signed = VECTORS[1]
    hearing = AlmaListener((SECRET,))
    assert not hearing.genuine([], body)
    assert not hearing.genuine([(b"X-Exl-Signature", signed), (b"X-Exl-Signature", signed)], body)
    for wrong in (b"", signed[:-1], signed.lower(), b"\xff\xfe", signature(b"another secret", body)):
        assert not hearing.genuine([(b"X-Exl-Signature", wrong)], body)
    for altered in (body + b" ", b'{"action":"JOB_END"}', body.replace(b"END", b"EMD")):
        assert not hearing.genuine([(b"X-Exl-Signature", signed)], altered)
    assert not AlmaListener(()).genuine([(b"X-Exl-Signature", signature(b"", body))], body)


def test_p12_two_secrets_are_valid_while_one_takes_the_others_place() -> None:
    body = b"{}"
    both = AlmaListener((b"the old secret", b"the new secret"))
    for secret in both.secrets:
        assert both.genuine([(b"X-Exl-Signature", signature(secret, body))], body)
    assert not AlmaListener((b"the new secret",)).genuine([(b"X-Exl-Signature", signature(b"the old secret", body))], body)
    assert "secret" not in repr(both)


def test_a_loan_call_says_who_what_and_when() -> None:
    told = AlmaListener(()).notice(loan_call("1452370645077141593", "0012345", "BC1", event="LOAN_RETURNED", at="2026-08-04T12:00:00.005Z"))
    assert (told.id, told.institution, told.event, told.at) == ("1452370645077141593", "61LIB", "LOAN_RETURNED", "2026-08-04T12:00:00.005Z")
    assert (told.loan, told.user, told.item, told.job) == ("14001", "0012345", "BC1", "")


def test_a_job_call_brings_its_totals_in_any_case_of_letters() -> None:
    body = job_call("1", "555", 20, 7, name="Export to bursar using profile X", state="COMPLETED_SUCCESS", at="2026-08-04T01:00:00Z")
    told = AlmaListener(()).notice(body.replace(b'"JOB_END"', b'"job_end"'))
    assert (told.event, told.job, told.fees, told.users, told.job_state) == ("JOB_END", "555", 20, 7, "COMPLETED_SUCCESS")


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"[]", b"{}", b"\xff", b"[" * 200_000, b'{"action": null}'])
def test_other_forms_are_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        AlmaListener(()).notice(body)


def test_odd_values_are_blanks_and_never_break_a_database() -> None:
    odd = {
        "action": "LOAN",
        "id": "\ud800\x00a" + "b" * 500,
        "institution": None,
        "event": {"value": ["x"]},
        "item_loan": "?",
        "job_instance": {"counter": [3, {}]},
    }
    told = AlmaListener(()).notice(json.dumps(odd).encode())
    assert told.id.startswith("ab") and len(told.id) == 200
    assert (told.institution, told.event, told.loan, told.fees) == ("", "", "", -1)


def test_numbers_stay_as_they_are_written() -> None:
    body = loan_call("9", "x", "y", event="LOAN_RETURNED", at="").replace(b'"9"', b"12345678901234567890123")
    assert AlmaListener(()).notice(body).id == "12345678901234567890123"
