"""What an export says: the samples against their golden readings and a second reader, and every reason to reject a fee."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Charge, Credit
from bursarbridge.ledger.money import text_of
from bursarbridge.ports import Rejected
from bursarbridge.systems.alma.export import EXTRA_SEPARATOR, ExportReader, ExportSettings
from bursarbridge.systems.alma.listening import Fee
from bursarbridge.systems.alma.vocabulary import FEE_SLOTS
from tests.systems.alma.documents import NAMESPACE, PEOPLE, ROOT, SAMPLES, SETTINGS, SHUT, code, document, fee, one, person, readings, refusal

NUMBERS = {"debits": "70010000440", "credits": "70010000550", "minimal": "70010000660", "nasty": "70010000770"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_reads_as_the_golden_reading_beside_it(sample: Path) -> None:
    golden = [json.loads(line) for line in sample.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    assert [{type(reading).__name__.lower(): reading._asdict()} for reading in readings([sample.read_bytes()])] == golden


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_export_number_is_known_after_reading_wherever_it_stands(sample: Path) -> None:
    reader = ExportReader(SETTINGS)
    assert list(reader.records([sample.read_bytes()]))
    assert reader.export_number == NUMBERS[sample.stem]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_two_independent_readers_agree(sample: Path) -> None:
    ours = list(ExportReader(SETTINGS).records([sample.read_bytes()]))
    theirs = slow_reading(sample)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        if not mine.twice:
            assert mine._asdict() == {"person_twice": "", "twice": ""} | other


def slow_reading(sample: Path) -> list[dict[str, str]]:
    """Whole-tree reading with ElementTree, sharing nothing with the package."""
    rows = []
    for owner in (
        ElementTree.parse(sample).getroot().findall("x:userExportedFineFees/x:userExportedList/x:userExportedFineFeesList", {"x": NAMESPACE})
    ):
        who = {
            "account_type": found(owner, "user/type"),
            "account": found(owner, "user/value"),
            "institution": found(owner, "user/owneredEntity/InstitutionId") or found(owner, "user/ownedEntity/institutionId"),
            "patron": " ".join(found(owner, "patronName").split()),
        }
        for row in [*owner.findall(path("finefeeList/userFineFee")), *owner.findall(path("fineFeeList/userFineFee"))]:
            what = {
                "reference": found(row, "bursarTransactionId"),
                "category": found(row, "fineFeeType"),
                "changed": found(row, "lastTransactionDate"),
                "owner": found(row, "owneredEntity/libraryCode") or found(row, "ownedEntity/libraryCode"),
                "item": found(row, "itemBarcode"),
                "currency": found(row, "compositeSum/currency"),
                "sum": found(row, "compositeSum/sum"),
                "comment": found(row, "fineFeeComment"),
            }
            rows.append(who | what)
    return rows


def path(local: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{name}" for name in local.split("/"))


def found(element: ElementTree.Element, local: str) -> str:
    return (element.findtext(path(local)) or "").strip(" \t\r\n")


def test_the_row_of_texts_and_the_record_name_the_same_fields() -> None:
    assert Fee._fields[-len(FEE_SLOTS) :] == FEE_SLOTS


def test_extra_carries_what_the_import_writer_echoes() -> None:
    reading = one()
    assert isinstance(reading, Charge)
    assert reading.extra.split(EXTRA_SEPARATOR) == ["02", "", "Vandermolen, Tess", "03/05/2026 09:00:00", "USD"]


def test_d02_a_user_without_the_match_id_is_rejected_with_the_money_counted() -> None:
    (reading,) = readings([document(person(fee(sum="25"), value=""))])
    assert isinstance(reading, Rejected)
    assert (reading.code, reading.cents, reading.reference) == ("account", 2500, "700")
    assert "add the id in Alma" in reading.words


def test_a_fee_before_its_user_has_no_account_rather_than_the_last_users() -> None:
    stray = person(fee()).replace("<xb:user>", "<xb:later>").replace("</xb:user>", "</xb:later>")
    first, second = readings([document(person(fee()), stray)])
    assert isinstance(first, Charge)
    assert isinstance(second, Rejected)
    assert (second.code, second.account) == ("account", "")


@pytest.mark.parametrize(("total", "cents"), [("-3.25", 325), ("-100", 10_000), ("-0.01", 1)])
def test_d07_a_negative_sum_is_a_credit_of_positive_cents(total: str, cents: int) -> None:
    reading = one(sum=total, fineFeeComment=" item\n returned ")
    assert isinstance(reading, Credit)
    assert (reading.cents, reading.comment) == (cents, "item returned")


def test_d07_a_row_of_type_credit_is_a_credit_whatever_its_sign() -> None:
    reading = one(fineFeeType="CREDIT", sum="4")
    assert isinstance(reading, Credit)
    assert reading.cents == 400
    assert code(fineFeeType="CREDIT", sum="0") == "amount"


@pytest.mark.parametrize(("changed", "wanted"), [({"bursarTransactionId": ""}, "fee_id"), ({"compositeSum/currency": "EUR"}, "currency")])
def test_a_credit_is_looked_at_like_a_fee(changed: dict[str, str], wanted: str) -> None:
    reading = one(fineFeeType="CREDIT", sum="-4", **{name.rpartition("/")[2]: text for name, text in changed.items()})
    assert isinstance(reading, Rejected)
    assert (reading.code, reading.cents) == (wanted, 400)


def test_a_long_comment_is_kept_short() -> None:
    reading = one(fineFeeType="CREDIT", sum="-4", fineFeeComment="x" * 5000)
    assert isinstance(reading, Credit)
    assert len(reading.comment) == 200


@pytest.mark.parametrize("total", ["0", "0.00", "-0"])
def test_d08_zero_is_a_charge_of_nothing(total: str) -> None:
    reading = one(sum=total)
    assert isinstance(reading, Charge)
    assert reading.cents == 0


@pytest.mark.parametrize("total", ["1.005", "1e3", "1,000.00", "$5", "1,5", "+1", ".5", "1.", "1 0", "١", "0x10", "NaN", "--1", "", "-"])
def test_d09_an_amount_that_is_not_plain_is_never_guessed(total: str) -> None:
    reading = one(sum=total)
    assert isinstance(reading, Rejected)
    assert (reading.code, reading.cents) == ("amount", 0)


@given(st.integers(0, 100_000))
def test_d09_every_plain_amount_is_exact_with_and_without_decimals(cents: int) -> None:
    text = text_of(cents)
    for total in {text, text.removesuffix(".00"), text.removesuffix("0")}:
        reading = one(sum=total)
        assert isinstance(reading, Charge)
        assert reading.cents == cents


def test_d10_an_amount_above_the_limit_or_out_of_bounds_waits() -> None:
    assert isinstance(one(sum="1000.00"), Charge)
    assert code(sum="1000.01") == "over_limit"
    assert code(sum="1000000000000000000") == "amount"


@pytest.mark.parametrize("currency", ["EUR", "usd", "-", "", "US D"])
def test_d11_another_currency_is_not_converted(currency: str) -> None:
    assert code(currency=currency) == "currency"


@pytest.mark.parametrize("value", ["12345", "123456789", "0012345X", "00123 45", "٠٠١٢٣٤٥", "0012345\u00a0"])
def test_d24_an_id_that_lost_its_zeros_is_not_taken(value: str) -> None:
    (reading,) = readings([document(person(fee(), value=value))])
    assert isinstance(reading, Rejected)
    assert reading.code == "account_form"


def test_d24_leading_zeros_and_letters_are_kept() -> None:
    (reading,) = readings([document(person(fee(bursarTransactionId="000INST7"), value=" 0000007\n"))])
    assert isinstance(reading, Charge)
    assert (reading.account, reading.reference) == ("0000007", "000INST7")


def test_only_the_agreed_identifier_type_is_taken_unless_any_is() -> None:
    chunks = [document(person(fee(), kind="04"))]
    (reading,) = readings(chunks)
    assert isinstance(reading, Rejected)
    assert reading.code == "account_type"
    assert isinstance(readings(chunks, ExportSettings((), "[0-9]{7}", "USD", 1))[0], Rejected)
    assert isinstance(readings(chunks, ExportSettings((), "[0-9]{7}", "USD", 100))[0], Charge)


@pytest.mark.parametrize("missing", ["-", "", " \n "])
def test_missing_id_and_type_are_named(missing: str) -> None:
    assert code(bursarTransactionId=missing) == "fee_id"
    assert code(fineFeeType=missing) == "category"
    assert code(bursarTransactionId="7" * 101) == "fee_id"


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("12/31/2025 23:59:59", "2025-12-31"),
        ("12/31/2025 00:00:00 IST", "2025-12-31"),
        ("02/29/2024 10:00:00 GMT-08:00", "2024-02-29"),
        ("-", ""),
        ("", ""),
    ],
)
def test_the_date_is_the_campus_date_as_printed(printed: str, day: str) -> None:
    reading = one(lastTransactionDate=printed)
    assert isinstance(reading, Charge)
    assert reading.assessed_on == day


@pytest.mark.parametrize(
    "printed", ["2026-03-05", "3/5/2026 09:00:00", "13/01/2026 09:00:00", "02/29/2025 09:00:00", "03/05/2026", "03/05/2026 25:00:00", "x"]
)
def test_a_malformed_date_waits_for_a_person(printed: str) -> None:
    assert code(lastTransactionDate=printed) == "date"


def test_what_suspense_kept_is_decided_again_the_same_way() -> None:
    reader = ExportReader(SETTINGS)
    for sample in SAMPLES:
        for record in reader.records([sample.read_bytes()]):
            kept = reader.rejected(record, Unreadable("x", "y"))
            assert reader.revived(kept.raw) == (record if record.category == "CREDIT" else record._replace(comment=""))
    for raw in ("", "[]", '{"sum": 1}', '{"title": "x"}'):
        with pytest.raises(Unreadable):
            reader.revived(raw)


def test_titles_call_numbers_and_comments_of_fees_are_kept_nowhere() -> None:
    secret = {"itemTitle": "SECRET", "itemCallNumebr": "SECRET", "fineFeeComment": "SECRET"}
    assert "SECRET" not in repr(one(**secret))
    assert "SECRET" not in repr(one(**secret, sum="x"))


def test_a_field_that_stands_twice_is_not_chosen_from() -> None:
    twice = fee().replace("<xb:sum>", "<xb:sum>2</xb:sum><xb:sum>")
    (reading,) = readings([document(person(twice))])
    assert isinstance(reading, Rejected)
    assert (reading.code, reading.cents) == ("repeated_field", 0)
    (reading,) = readings([document(person(fee()).replace("<xb:value>", "<xb:value>0099999</xb:value><xb:value>"))])
    assert isinstance(reading, Rejected)
    assert reading.code == "repeated_field"


def test_no_fees_at_all_is_a_lawful_export() -> None:
    assert readings([document()]) == []
    assert readings([f"{ROOT}</xb:xml-fragment>".encode()]) == []
    assert readings([f'<xml-fragment xmlns="{NAMESPACE}"><userExportedFineFees/></xml-fragment>'.encode()]) == []


def test_unknown_elements_among_the_fees_are_passed_over() -> None:
    for fees in ((fee(), "<xb:note/>"), ("<xb:note><xb:sum>5</xb:sum></xb:note>", fee())):
        assert len(readings([document(person(*fees), person())])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "<xml-fragment/>",
        '<xb:xml-fragment xmlns:xb="urn:example:other"/>',
        f'<xb:userExportedFineFees xmlns:xb="{NAMESPACE}"/>',
        f"{ROOT}<xb:userFineFee/></xb:xml-fragment>",
        f"{PEOPLE}<xb:newWrapper>{person(fee())}</xb:newWrapper>{SHUT}",
        f"{PEOPLE}{person(fee().replace('</xb:userFineFee>', fee() + '</xb:userFineFee>'))}{SHUT}",
        f"{PEOPLE}{person(fee()).replace('userFineFee>', 'userFinefee>')}{SHUT}",
        f"{PEOPLE}{person(fee(sum='1<xb:b/>0'))}{SHUT}",
        f"{PEOPLE}{person(fee(), value='00<xb:b/>12345')}{SHUT}",
    ],
)
def test_a_document_that_is_not_alma_s_or_would_hide_a_fee_is_refused_whole(text: str) -> None:
    assert refusal([text.encode()]) == "not_alma_export"
