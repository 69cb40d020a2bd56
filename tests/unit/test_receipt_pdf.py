"""The PDF of a receipt: says what the receipt says, in every alphabet, on as many pages as needed, always the same."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdfium2 import PdfDocument

from payments.receipts.contents import ReceiptContents, ReceiptLine, ReceiptMoney, written
from payments.receipts.fonts import MISSING, readable
from payments.receipts.pdf import receipt_pdf

BRAND = "#0f766e"
RECEIPT = ReceiptContents(
    kind="receipt",
    number="2026-000123",
    issued_at=datetime(2026, 11, 27, 14, 40, tzinfo=UTC),
    currency="EUR",
    language="en",
    zone="Europe/Berlin",
    issuer=("Stillwater Massage", "Oderberger Straße 14", "VAT DE123456789"),
    customer_name="Casey Whitfield",
    subject=("Deep tissue massage, 60 min", "Fri 27 Nov 2026, 14:30–15:30 with Ana", "Reference K7M 4PX"),
    lines=(
        ReceiptLine("Deep tissue massage, 60 min", 1, 6723, 1277, 8000, 1900),
        ReceiptLine("Book", 2, 3738, 262, 4000, 700),
    ),
    movements=(
        ReceiptMoney("payment", datetime(2026, 11, 20, 9, 12, tzinfo=UTC), "card", "Visa ···· 4242", 1600),
        ReceiptMoney("refund", datetime(2026, 11, 27, 14, 40, tzinfo=UTC), "card", "Visa ···· 4242", 400),
    ),
    this_amount_minor=1600,
    note="Thank you.",
)
HOSTILE = "<script>alert(1)</script> {{7*7}} {nb} \u202eevil\u202c a\x00b \U0001f338 \ud800 \\) endstream %%EOF"


def drawn(receipt: ReceiptContents) -> bytes:
    return receipt_pdf(replace(receipt, brand_colour=BRAND))


def read(receipt: ReceiptContents) -> PdfReader:
    return PdfReader(BytesIO(drawn(receipt)), strict=True)


def pages_of(receipt: ReceiptContents) -> list[str]:
    """The text of each page as a browser's reader finds it, without the places where a long word may be broken."""
    document = PdfDocument(drawn(receipt))
    with closing(document):
        texts = [page.get_textpage().get_text_range() for page in document]
    return [text.replace("\u200b", "").replace("\ufffe", "-") for text in texts]


def text_of(receipt: ReceiptContents) -> str:
    """All text of all pages, with one space for each stretch of white space."""
    return " ".join(" ".join(pages_of(receipt)).split())


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    "contents",
    [
        RECEIPT,
        replace(RECEIPT, language="ko", zone="Asia/Seoul", issuer=("고요한 물 Massage",), subject=("마사지, 60 min",)),
    ],
    ids=["one font", "two fonts"],
)
def test_pdf_says_all_that_the_receipt_says(contents: ReceiptContents) -> None:
    text, receipt = squeezed(text_of(contents)), written(contents)

    expected = [
        receipt.title,
        receipt.headline,
        receipt.customer_name,
        *receipt.issuer,
        *receipt.subject,
        *receipt.note,
    ]
    expected += [part for fact in receipt.facts for part in fact]
    expected += [line.text + line.tax + line.sum for line in receipt.lines]
    expected += [row.label + row.sum for row in receipt.sums]
    expected += [f"{move.when}{move.label}·{move.how}{move.sum}" for move in receipt.movements]
    assert [part for part in expected if squeezed(part) not in text] == []


def test_pdf_of_a_usual_receipt_is_one_small_a4_page() -> None:
    document = drawn(RECEIPT)
    pages = PdfReader(BytesIO(document)).pages

    assert len(document) < 60_000
    assert [(round(page.mediabox.width), round(page.mediabox.height)) for page in pages] == [(595, 842)]


def test_pdf_knows_its_title_language_and_date() -> None:
    reader = read(replace(RECEIPT, language="de"))

    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("Receipt 2026-000123", "Stillwater Massage")
    assert reader.metadata.creation_date == RECEIPT.issued_at
    assert reader.root_object["/Lang"] == "de"


def test_equal_receipts_give_equal_bytes_in_every_process() -> None:
    script = (
        "import json, sys, django; django.setup();"
        "from payments.receipts.pdf import receipt_pdf; from payments.receipts.contents import ReceiptContents;"
        "receipt = ReceiptContents.from_json(json.load(sys.stdin));"
        "sys.stdout.buffer.write(receipt_pdf(receipt))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(RECEIPT.to_json()).encode(), capture_output=True, check=True
    )

    assert elsewhere.stdout == drawn(RECEIPT)


def test_another_receipt_gives_other_bytes() -> None:
    assert drawn(RECEIPT) != drawn(replace(RECEIPT, this_amount_minor=1700))


@pytest.mark.parametrize(
    ("language", "letters"),
    [
        ("en", "The quick brown fox jumps over the lazy dog 0123456789"),
        ("pl", "Zażółć gęślą jaźń ZAŻÓŁĆ GĘŚLĄ JAŹŃ"),
        ("de", "Falsches Üben von Xylophonmusik quält jeden größeren Zwerg ẞ"),
        ("es", "¿El pingüino Wenceslao comió jamón? ¡Ñandú, señor!"),
        ("ru", "Съешь ещё этих мягких французских булок, да выпей чаю Ё"),
        ("ko", "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다 힣"),
    ],
)
def test_letters_of_every_language_are_on_the_page(language: str, letters: str) -> None:
    receipt = replace(RECEIPT, language=language, customer_name=letters, issuer=(letters,), subject=(letters,))
    text = squeezed(text_of(receipt))

    # At the head (cut to its place), as the customer, as the issuer and as the subject.
    assert text.count(squeezed(letters)) >= 3
    assert MISSING not in text


@pytest.mark.parametrize(("currency", "expected"), [("EUR", "€120.00"), ("JPY", "¥12,000"), ("KWD", "KWD 12.000")])
def test_sums_have_the_decimals_of_the_currency(currency: str, expected: str) -> None:
    assert f"Total {expected}" in text_of(replace(RECEIPT, currency=currency))


def test_many_lines_go_on_over_pages_that_repeat_the_head() -> None:
    lines = tuple(ReceiptLine(f"Visit number {number}.", 1, 100, 19, 119, 1900) for number in range(1, 81))
    pages = pages_of(replace(RECEIPT, lines=lines))

    assert re.findall(r"Visit number (\d+)\.", "".join(pages)) == [str(number) for number in range(1, 81)]
    assert [re.findall(r"\d/\d$", page.strip()) for page in pages] == [["1/3"], ["2/3"], ["3/3"]]
    assert [("Stillwater Massage" in page, "2026-000123" in page) for page in pages] == [(True, True)] * 3
    assert [("What" in page) == ("Visit" in page) for page in pages] == [True] * 3


def test_many_payments_go_on_over_pages_that_repeat_their_heading() -> None:
    pages = pages_of(replace(RECEIPT, movements=RECEIPT.movements * 30))

    assert sum(page.count("Visa") for page in pages) == 60
    assert [("Payments and refunds" in page) == ("Visa" in page) for page in pages] == [True] * len(pages)


def test_long_names_wrap_and_lose_nothing() -> None:
    name = "Maximiliane Freifrau von und zu Hohenstein-Waldburg-Zeil-Trauchburg " * 3
    text = squeezed(text_of(replace(RECEIPT, customer_name=name)))

    assert squeezed(name) in text


def test_receipt_with_nothing_on_it_is_a_page() -> None:
    bare = replace(RECEIPT, issuer=(), subject=(), lines=(), movements=(), customer_name="", note="", number="")

    assert len(read(bare).pages) == 1


def test_hostile_text_comes_out_as_typed_without_what_steers() -> None:
    hostile = replace(
        RECEIPT,
        number=HOSTILE,
        customer_name=HOSTILE,
        issuer=(HOSTILE, HOSTILE),
        subject=(HOSTILE,),
        note=HOSTILE,
        lines=(ReceiptLine(HOSTILE, 1, 100, 0, 100, 0),),
        movements=(replace(RECEIPT.movements[0], method=HOSTILE, detail=HOSTILE),),
    )
    text = squeezed(text_of(hostile))

    typed = squeezed("<script>alert(1)</script> {{7*7}} {nb} evil a b 🌸 \\) endstream %%EOF")
    assert text.count(typed) >= 5
    assert not {"\u202e", "\x00"} & set(text)


def test_very_long_text_goes_on_over_pages_and_loses_nothing() -> None:
    long = replace(RECEIPT, customer_name="q" * 10_000, subject=("w" * 10_000,), note="z" * 10_000)
    text = text_of(long)

    assert [text.count(letter) >= 10_000 for letter in "qwz"] == [True, True, True]


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(), max_size=60), st.text(max_size=60))
@example("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u05e9\u05dc\u05d5\u05dd", "\ud800\udfff")
def test_any_text_gives_a_document_that_can_be_read(name: str, line: str) -> None:
    receipt = replace(
        RECEIPT,
        customer_name=name,
        issuer=(line, name),
        subject=(name, line),
        lines=(ReceiptLine(line, 1, 100, 0, 100, 0),),
        note=name,
    )

    assert "Total" in text_of(receipt)


@given(st.text())
@example("A\u0339\u0323")
@example("a\u2060\u0301")
def test_readable_text_stays_as_it_is(text: str) -> None:
    assert readable(readable(text)) == readable(text)


@pytest.mark.parametrize(
    "name",
    [
        "محمد عبدالله",
        "אברהם כהן",
        "สมชาย ใจดี",
        "ශ්\u200dරී ලාල්",
        "अनुष्का शर्मा",
        "山田太郎",
        "王小明 简体汉语",
        "김철수",
        "Nguyễn Thị Hạnh",
        "Łukasz Żółć",
        "Γιώργος Παπαδόπουλος",
        "Анна Жизнь",
        "Արամ Խաչատրյան",
        "გიორგი",
        "தமிழ்ச்செல்வி",
        "বাংলা",
    ],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_name_in_any_script_is_readable(name: str, language: str) -> None:
    text = text_of(replace(RECEIPT, language=language, customer_name=name, subject=(name,)))

    assert readable(name) == name
    # Which of two neighbouring words in a script from right to left comes first is up to the reader.
    assert [word for word in name.split() if text.count(word) < 2] == []
    assert MISSING not in text


def test_pdf_can_be_followed_by_a_screen_reader() -> None:
    reader = read(RECEIPT)
    catalogue = reader.root_object

    assert catalogue["/MarkInfo"]["/Marked"] == True  # noqa: E712
    assert "<pdfuaid:part>1</pdfuaid:part>" in catalogue["/Metadata"].get_data().decode()
    kinds = set(_kinds(catalogue["/StructTreeRoot"]["/K"]))
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/P"} <= kinds


def _kinds(part: Any) -> Iterator[str]:
    part = part.get_object() if hasattr(part, "get_object") else part
    if isinstance(part, list):
        for each in part:
            yield from _kinds(each)
    elif isinstance(part, dict) and "/S" in part:
        yield part["/S"]
        yield from _kinds(part.get("/K", []))


def test_readable_text_is_composed_and_on_one_line() -> None:
    assert readable("Jose\u0301\r\nA\u200bna\t김\u202e ") == "José  Ana 김"
    assert readable("16,00\xa0€") == "16,00\xa0€"


def test_colour_must_be_written_in_full() -> None:
    for colour in ("teal", "#0f7", "#zzzzzz"):
        with pytest.raises(ValueError):
            receipt_pdf(replace(RECEIPT, brand_colour=colour))


def test_module_costs_nothing_until_the_first_receipt() -> None:
    script = (
        "import sys, payments.receipts.pdf; print([name for name in ('typst', 'fontTools') if name in sys.modules])"
    )
    imported = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)

    assert imported.stdout.strip() == "[]"
