"""Receipts: sums that add up, a snapshot that comes back as it was, words in the receipt's language and zone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from payments.receipts.contents import (
    ReceiptContents,
    ReceiptLine,
    ReceiptMoney,
    TaxTotal,
    Totals,
    WrittenLine,
    WrittenMovement,
    WrittenReceipt,
    WrittenSum,
    method_text,
    receipt_number,
    totals,
    written,
)

RECEIPT = ReceiptContents(
    kind="receipt",
    number="2026-000123",
    issued_at=datetime(2026, 11, 27, 23, 30, tzinfo=UTC),
    currency="EUR",
    language="en",
    zone="Europe/Berlin",
    issuer=("Stillwater Massage", "Oderberger Straße 14, Berlin"),
    customer_name="Casey Whitfield",
    subject=("Deep tissue massage, 60 min", "Reference K7M 4PX"),
    lines=(
        ReceiptLine("Deep tissue massage, 60 min", 1, 6723, 1277, 8000, 1900),
        ReceiptLine("Book", 2, 3738, 262, 4000, 700),
    ),
    movements=(
        ReceiptMoney("payment", datetime(2026, 11, 20, 9, 12, tzinfo=UTC), "card", "Visa ···· 4242", 1600),
        ReceiptMoney("refund", datetime(2026, 11, 27, 23, 30, tzinfo=UTC), "card", "Visa ···· 4242", 400),
    ),
    this_amount_minor=1600,
    note="Thank you.\nSee you soon.",
)

_amounts = st.integers(-(10**9), 10**9)
_moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]))
_lines = st.builds(
    lambda text, quantity, net, tax, rate: ReceiptLine(text, quantity, net, tax, net + tax, rate),
    st.text(),
    st.integers(1, 99),
    _amounts,
    _amounts,
    st.sampled_from([0, 500, 700, 825, 1900]),
)
_movements = st.builds(
    ReceiptMoney, st.sampled_from(["payment", "refund"]), _moments, st.text(), st.text(), st.integers(0, 10**9)
)
_receipts = st.builds(
    ReceiptContents,
    kind=st.sampled_from(["receipt", "refund"]),
    number=st.text(),
    issued_at=_moments,
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    language=st.sampled_from(["en", "pl", "de", "es", "ru", "ko"]),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Seoul"]),
    issuer=st.lists(st.text(), max_size=3).map(tuple),
    customer_name=st.text(),
    subject=st.lists(st.text(), max_size=3).map(tuple),
    lines=st.lists(_lines, max_size=5).map(tuple),
    movements=st.lists(_movements, max_size=5).map(tuple),
    this_amount_minor=_amounts,
    note=st.text(),
    original_number=st.text(),
)


def sums_of(receipt: ReceiptContents) -> list[tuple[str, str]]:
    return [(row.kind, row.sum) for row in written(receipt).sums]


def test_receipt_number_has_year_and_six_digits() -> None:
    assert receipt_number(2026, 123) == "2026-000123"
    assert receipt_number(2026, 1_234_567) == "2026-1234567"


def test_totals_are_by_rate_and_leave_what_is_open() -> None:
    assert totals(RECEIPT) == Totals(
        net_minor=10_461,
        taxes=(TaxTotal(700, 3738, 262), TaxTotal(1900, 6723, 1277)),
        gross_minor=12_000,
        paid_minor=1600,
        refunded_minor=400,
        open_minor=10_800,
    )


@given(_receipts)
def test_totals_always_add_up(receipt: ReceiptContents) -> None:
    sums = totals(receipt)

    assert sums.net_minor + sum(tax.tax_minor for tax in sums.taxes) == sums.gross_minor
    assert sum(tax.net_minor for tax in sums.taxes) == sums.net_minor
    assert sums.gross_minor == sum(line.gross_minor for line in receipt.lines)
    assert sums.open_minor + sums.paid_minor - sums.refunded_minor == sums.gross_minor
    assert [tax.basis_points for tax in sums.taxes] == sorted({line.tax_basis_points for line in receipt.lines})


@given(_receipts)
def test_snapshot_comes_back_from_json_as_it_was(receipt: ReceiptContents) -> None:
    assert ReceiptContents.from_json(json.loads(json.dumps(receipt.to_json()))) == receipt


def test_snapshot_is_made_of_json_types() -> None:
    document = RECEIPT.to_json()

    assert document == json.loads(json.dumps(document))
    assert document["issued_at"] == "2026-11-27T23:30:00+00:00"
    assert document["movements"][0]["at"] == "2026-11-20T09:12:00+00:00"


def test_snapshot_with_a_field_too_many_or_too_few_is_refused() -> None:
    document = RECEIPT.to_json()

    with pytest.raises(TypeError):
        ReceiptContents.from_json(document | {"colour": "red"})
    with pytest.raises(TypeError):
        ReceiptContents.from_json({name: value for name, value in document.items() if name != "number"})


def test_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="Net and tax"):
        ReceiptLine("Massage", 1, 100, 19, 120, 1900)
    with pytest.raises(ValueError, match="negative"):
        replace(RECEIPT.movements[1], amount_minor=-400)
    with pytest.raises(ValueError, match="time zone"):
        replace(RECEIPT.movements[0], at=datetime(2026, 11, 20, 9, 12))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        replace(RECEIPT, issued_at=datetime(2026, 11, 20, 9, 12))  # noqa: DTZ001


def test_written_receipt_says_everything_in_the_receipts_zone() -> None:
    assert written(RECEIPT) == WrittenReceipt(
        title="Receipt",
        headline="€16.00 paid",
        headline_note="Sat 28 Nov 2026",
        facts=(("Number", "2026-000123"), ("Date", "Sat 28 Nov 2026")),
        issuer_heading="From",
        issuer=("Stillwater Massage", "Oderberger Straße 14, Berlin"),
        customer_heading="For",
        customer_name="Casey Whitfield",
        subject=("Deep tissue massage, 60 min", "Reference K7M 4PX"),
        line_headings=("What", "Tax", "Sum"),
        lines=(
            WrittenLine("Deep tissue massage, 60 min", "19\xa0%", "€80.00"),
            WrittenLine("2 × Book", "7\xa0%", "€40.00"),
        ),
        sums=(
            WrittenSum("total", "Total", "€120.00"),
            WrittenSum("tax", "incl. 7\xa0% tax on €37.38", "€2.62"),
            WrittenSum("tax", "incl. 19\xa0% tax on €67.23", "€12.77"),
            WrittenSum("paid", "Paid", "−€16.00"),
            WrittenSum("refunded", "Refunded", "€4.00"),
            WrittenSum("open", "Still to pay", "€108.00"),
        ),
        movements_heading="Payments and refunds",
        movements=(
            WrittenMovement("payment", "Payment", "Card, Visa ···· 4242", "Fri 20 Nov 2026, 10:12", "€16.00"),
            WrittenMovement("refund", "Refund", "Card, Visa ···· 4242", "Sat 28 Nov 2026, 00:30", "−€4.00"),
        ),
        note=("Thank you.", "See you soon."),
    )


def test_refund_receipt_names_the_receipt_it_belongs_to() -> None:
    refund = written(replace(RECEIPT, kind="refund", number="2026-000124", original_number="2026-000123"))

    assert (refund.title, refund.headline) == ("Refund receipt", "€16.00 refunded")
    assert refund.facts[-1] == ("Belongs to receipt", "2026-000123")


def test_receipt_without_tax_says_nothing_of_tax() -> None:
    free_of_tax = written(replace(RECEIPT, lines=(ReceiptLine("Massage", 1, 8000, 0, 8000, 0),)))

    assert free_of_tax.line_headings == ("What", "", "Sum")
    assert free_of_tax.lines == (WrittenLine("Massage", "", "€80.00"),)
    assert [row.kind for row in free_of_tax.sums] == ["total", "paid", "refunded", "open"]


def test_tax_on_only_some_lines_names_the_part_without_tax() -> None:
    mixed = replace(RECEIPT, lines=(RECEIPT.lines[0], ReceiptLine("Tip", 1, 500, 0, 500, 0)))

    assert [row.label for row in written(mixed).sums if row.kind == "tax"] == [
        "incl. 0\xa0% tax on €5.00",
        "incl. 19\xa0% tax on €67.23",
    ]


def test_too_much_paid_is_credit_without_a_minus() -> None:
    overpaid = replace(RECEIPT, movements=(replace(RECEIPT.movements[0], amount_minor=12_500),))

    assert sums_of(overpaid)[-2:] == [("paid", "−€125.00"), ("credit", "€5.00")]


def test_all_paid_leaves_nothing_to_pay() -> None:
    paid = replace(RECEIPT, movements=(replace(RECEIPT.movements[0], amount_minor=12_000),))

    assert sums_of(paid)[-1] == ("open", "€0.00")


@pytest.mark.parametrize(
    ("currency", "language", "expected"),
    [("JPY", "en", "¥12,000"), ("EUR", "de", "120,00\xa0€"), ("KWD", "en", "KWD\xa012.000"), ("KRW", "ko", "₩12,000")],
)
def test_sums_have_the_decimals_of_the_currency(currency: str, language: str, expected: str) -> None:
    assert sums_of(replace(RECEIPT, currency=currency, language=language))[0] == ("total", expected)


@pytest.mark.parametrize(
    ("basis_points", "language", "expected"),
    [(1900, "de", "19\xa0%"), (825, "en", "8.25\xa0%"), (825, "de", "8,25\xa0%"), (550, "de", "5,5\xa0%")],
)
def test_rates_have_the_decimals_they_need(basis_points: int, language: str, expected: str) -> None:
    receipt = replace(RECEIPT, language=language, lines=(ReceiptLine("Massage", 1, 90, 10, 100, basis_points),))

    assert written(receipt).lines[0].tax == expected


def test_receipt_is_in_its_own_language_and_leaves_that_of_the_reader() -> None:
    with translation.override("en"):
        receipt = written(replace(RECEIPT, language="de"))

        assert receipt.headline_note == "Sa 28 Nov 2026"
        assert translation.get_language() == "en"


def test_methods_have_words_and_unknown_ones_keep_theirs() -> None:
    assert [method_text(method) for method in ("card", "terminal", "ideal", "wechat_pay", "")] == [
        "Card",
        "Card at the desk",
        "iDEAL",
        "Wechat pay",
        "",
    ]
