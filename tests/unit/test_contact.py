"""Names, notes, addresses and numbers as customers type them: what is kept, corrected, suggested and refused."""

import pytest
from django.core.exceptions import ValidationError

from accounts.contact import emails, names, phones

A_NAME = "Wilhelmine-Charlotte von Schwarzenbergen"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Jana Weber", "Jana Weber"),
        ("  Jana   Weber ", "Jana Weber"),
        ("김서연", "김서연"),
        ("José", "José"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("{{ 7*7 }} {% load x %} %s {0.__class__}", "{{ 7*7 }} {% load x %} %s {0.__class__}"),
        ("Jana \u202egnp.exe", "Jana gnp.exe"),
        ("Ja\u200bna", "Jana"),
        ("\u200b\u202e", ""),
        ("نیما\u200cرضا", "نیما\u200cرضا"),
        ("👩\u200d🌾 Ana", "👩\u200d🌾 Ana"),
        ("Z" + "\u0335" * 40, "Z" + "\u0335" * 4),
        ("𠮷野家", "𠮷野家"),
        ("x" * 120, "x" * 120),
    ],
)
def test_a_line_is_kept_or_cleaned_by_rule(typed: str, kept: str) -> None:
    assert names.clean_line(typed, limit=120, label="Name") == kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Ja\x00na", "control_characters"),
        ("Jana\r\nBcc: x@y.example", "control_characters"),
        ("Jana\nWeber", "control_characters"),
        ("Jana\u2028Weber", "control_characters"),
        ("Jana\x1b[31m", "control_characters"),
        ("x" * 121, "too_long"),
        ("x" * 10_000, "too_long"),
    ],
)
def test_a_line_that_cannot_be_kept_is_refused(typed: str, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        names.clean_line(typed, limit=120, label="Name")

    assert refusal.value.code == code


def test_the_sentence_about_length_says_by_how_much() -> None:
    with pytest.raises(ValidationError) as refusal:
        names.clean_line("x" * 10_000, limit=120, label="Name")

    assert refusal.value.messages == ["Name is 9,880 characters too long; 120 is the most we can keep."]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a\tb", "a b"),
        ("\n  \n", ""),
        ("back\u202epain", "backpain"),
    ],
)
def test_paragraphs_keep_their_lines(typed: str, kept: str) -> None:
    assert names.clean_paragraphs(typed, limit=1000, label="Note") == kept


@pytest.mark.parametrize("typed", ["pain\x00", "pain\x07", "x" * 1001])
def test_paragraphs_that_cannot_be_kept_are_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        names.clean_paragraphs(typed, limit=1000, label="Note")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("jana@example.com", "jana@example.com"),
        (" jana@example.com\n", "jana@example.com"),
        ("User+tag@EXAMPLE.com", "User+tag@EXAMPLE.com"),
        ("mailto:jana@example.com", "jana@example.com"),
        ("Jana Weber <jana@example.com>", "jana@example.com"),
        ("jana@müller.example", "jana@müller.example"),
        ("jana@Müller.ｅxample", "jana@müller.example"),
        ("rita@faß.example", "rita@faß.example"),
        ("jana@xn--mller-kva.example", "jana@xn--mller-kva.example"),
        ("a.b-c_d'e@sub.example.co.uk", "a.b-c_d'e@sub.example.co.uk"),
    ],
)
def test_an_address_is_kept_as_typed(typed: str, kept: str) -> None:
    assert emails.clean_email(typed) == kept


@pytest.mark.parametrize(
    ("typed", "code", "suggestion"),
    [
        ("", "email_shape", None),
        ("jana", "email_shape", None),
        ("@example.com", "email_shape", None),
        ("jana@", "email_shape", None),
        ("a@b", "email_unfinished", None),
        ("jana.weber@gmail", "email_unfinished", "jana.weber@gmail.com"),
        ("jana.weber@GMX", "email_unfinished", "jana.weber@gmx.de"),
        ("a b@c.example", "email_spaces", "ab@c.example"),
        ("jana @ gmail.com", "email_spaces", "jana@gmail.com"),
        ("x" * 310 + "@example.com", "email_too_long", None),
        ("x" * 65 + "@example.com", "email_shape", None),
        ('"a@b"@c.example', "email_several", None),
        ('"a b"@c.example', "email_spaces", None),
        ('"ab"@c.example', "email_shape", None),
        ("a@[127.0.0.1]", "email_shape", None),
        ("a@127.0.0.1", "email_shape", None),
        ("a@b.example,d@e.example", "email_several", None),
        ("a@b.example;d@e.example", "email_several", None),
        ("a@b.example d@e.example", "email_several", None),
        ("jana@@x.de", "email_signs", "jana@x.de"),
        ("@@", "email_signs", None),
        ("ana@i❤.example", "email_shape", None),
        ("ana@exa\u200dmple.com", "email_shape", None),
        ("jänä@example.com", "email_letters", None),
        ("jana@example.com.", "email_shape", "jana@example.com"),
        ("jana..weber@example.com", "email_shape", None),
        ("jana@example.com\r\nBcc: x@y.example", "control_characters", None),
        ("ja\x00na@example.com", "control_characters", None),
    ],
)
def test_an_address_that_cannot_be_reached_is_refused(typed: str, code: str, suggestion: str | None) -> None:
    with pytest.raises(ValidationError) as refusal:
        emails.clean_email(typed)

    assert (refusal.value.code, (refusal.value.params or {}).get("suggestion")) == (code, suggestion)


@pytest.mark.parametrize(
    ("address", "suggestion"),
    [
        ("jana@gmial.com", "jana@gmail.com"),
        ("jana@gmai.com", "jana@gmail.com"),
        ("jana@ggmail.com", "jana@gmail.com"),
        ("jana@gmail.con", "jana@gmail.com"),
        ("jana@gmail.co", "jana@gmail.com"),
        ("jana@studio.con", "jana@studio.com"),
        ("jana@hotmial.com", "jana@hotmail.com"),
        ("Jana@Outlok.com", "Jana@outlook.com"),
        ("jana@web.ed", "jana@web.de"),
        ("jana@gmail.com", None),
        ("jana@mail.com", None),
        ("jana@gmx.at", None),
        ("jana@gmx.net", None),
        ("jana@example.com", None),
        ("jana@wp.pl", None),
        ("jana@live.com", None),
        ("jana@hotmail.co", "jana@hotmail.com"),
        ("jana@yahoo.cm", "jana@yahoo.com"),
        ("jana@outlok.it", None),
        ("jana@email.de", None),
        ("jana@protonmail.ch", None),
    ],
)
def test_a_slip_in_a_common_domain_is_noticed(address: str, suggestion: str | None) -> None:
    assert emails.email_suggestion(address) == suggestion


@pytest.mark.parametrize(
    ("brand", "endings"),
    [
        ("outlook", "it at dk be ie kr cz fr de es pt com com.br co.th"),
        ("hotmail", "se be nl dk no com com.tr co.jp it co.uk"),
        ("yahoo", "dk ie gr se in ca com.au com.br co.jp co.in"),
        ("live", "nl se dk no be at com.au"),
        ("gmx", "de net at ch com fr"),
    ],
)
def test_a_real_domain_of_a_provider_is_never_called_a_slip(brand: str, endings: str) -> None:
    assert [ending for ending in endings.split() if emails.email_suggestion(f"mara@{brand}.{ending}")] == []


@pytest.mark.parametrize(
    ("typed", "region", "kept"),
    [
        ("+49 151 5550 1827", "US", "+4915155501827"),
        ("0151 55501827", "DE", "+4915155501827"),
        ("0049 151 55501827", "DE", "+4915155501827"),
        ("(030) 901820", "DE", "+4930901820"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("+48 601 234 567", "DE", "+48601234567"),
        ("٠١٥١ ٥٥٥٠١٨٢٧", "DE", "+4915155501827"),
        ("+49\u00a0151\u200b55501827", None, "+4915155501827"),
        ("+52 1 55 1234 5678", "DE", "+525512345678"),
        ("+52 55 1234 5678", "DE", "+525512345678"),
        ("+55 31 8765-4322", "DE", "+5531987654322"),
        ("+55 31 98765-4322", "DE", "+5531987654322"),
        ("031 98765-4322", "BR", "+5531987654322"),
        ("+55 11 3256-1234", "DE", "+551132561234"),
        ("+54 9 11 2345-6789", "DE", "+5491123456789"),
    ],
)
def test_a_number_becomes_international(typed: str, region: str | None, kept: str) -> None:
    assert phones.clean_phone(typed, region=region) == kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123", "phone_unknown"),
        ("call me", "phone_letters"),
        ("0800 FLOWERS", "phone_letters"),
        ("+1;ext=", "phone_letters"),
        ("030 901820 ext 5", "phone_letters"),
        ("030 901820#5", "phone_letters"),
        ("0900 1234567", "phone_kind"),
        ("+870 773 111 632", "phone_kind"),
        ("+881 612 345 678", "phone_kind"),
        ("+999 123456789", "phone_unknown"),
        ("+", "phone_unknown"),
        ("+49 151\x00 55501827", "phone_letters"),
        ("1" * 10_000, "phone_unknown"),
    ],
)
def test_a_number_nobody_can_call_is_refused(typed: str, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        phones.clean_phone(typed, region="DE")

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("numbers", "time_zone", "region"),
    [
        (("", "+48 22 5557 0142"), "Europe/Berlin", "PL"),
        (("030 123",), "Europe/Berlin", "DE"),
        ((), "America/New_York", "US"),
        ((), "Asia/Kathmandu", "NP"),
        ((), "UTC", None),
    ],
)
def test_the_country_of_short_numbers(numbers: tuple[str, ...], time_zone: str, region: str | None) -> None:
    assert phones.phone_region(*numbers, time_zone=time_zone) == region


@pytest.mark.parametrize(
    "name",
    [
        "www.prize.example/claim",
        "http://evil.example/win Jana",
        "HTTPS://x",
        "WWW.Prize",
        "ｗｗｗ．prize．ｅxample",
        "prize。example",
        "Jana prize.example",
        "Jana (prize.com)",
        "bit.ly/x",
        "t.me/x",
        "x.com",
        "prize.co.uk",
        "prize.xn--p1ai",
        "jana@example.com",
    ],
)
def test_a_name_that_is_a_web_address_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        names.clean_name(name, label="Name")

    assert refusal.value.code == "web_address"
    assert refusal.value.messages == [
        "Name cannot hold a web or e-mail address. After a full stop, please leave a space."
    ]


@pytest.mark.parametrize(
    "name",
    [
        A_NAME,
        "Dr. Anna Weber",
        "Dr.Anna Weber",
        "Dr.Li",
        "J.R.R. Tolkien",
        "J.de Vries",
        "Prof.Dr.Weber",
        "Dipl.-Ing. Huber",
        "Anna Weber, M.Sc.",
        "O'Neil / Weber",
        "St. John",
        "{{ manage_url }}",
    ],
)
def test_a_name_with_full_stops_is_a_name(name: str) -> None:
    assert names.clean_name(name, label="Name") == name


def test_where_to_come_holds_no_web_address_either() -> None:
    assert names.clean_visit_address("Lindenstr.14\n10969 Berlin", label="Address") == "Lindenstr.14\n10969 Berlin"
    with pytest.raises(ValidationError):
        names.clean_visit_address("Lindenstr. 14\nwww.prize.example/claim", label="Address")
