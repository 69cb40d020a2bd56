"""Whether two phone numbers are the same phone."""

import pytest

from accounts.contact.same_phones import dialled_number, phone_end_hash, phone_hash, phone_key
from notifications.addresses import address_hash


@pytest.mark.parametrize(
    ("stored", "reported"),
    [
        ("+525512345679", "whatsapp:+5215512345679"),
        ("+5531987654322", "whatsapp:+553187654322"),
        ("+5491123456789", "+541123456789"),
        ("+4915112345679", "whatsapp:+4915112345679"),
        ("+4915112345679", " +49 151 12345679 "),
    ],
)
def test_two_spellings_of_one_phone(stored: str, reported: str) -> None:
    assert phone_key(stored) == phone_key(reported)
    assert phone_hash(stored) == phone_hash(reported)
    assert address_hash("sms", stored) == address_hash("whatsapp", reported)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+525512345679", "+525512345678"),
        ("+551132561234", "+5511932561234"),  # a landline in São Paulo, and a mobile number
        ("+12125552368", "+5212125552368"),
        ("+521551234567", "+52551234567"),  # not ten digits behind the 1
        ("+5531987654322", "+5521987654322"),
    ],
)
def test_two_phones(one: str, other: str) -> None:
    assert phone_hash(one) != phone_hash(other)


def test_no_number_has_no_pseudonym() -> None:
    assert phone_hash("") == ""


def test_a_number_is_dialled_as_of_today() -> None:
    assert dialled_number("+5215512345678") == "+525512345678"
    assert dialled_number("+553187654322") == "+5531987654322"
    assert dialled_number("+5491123456789") == "+5491123456789"
    assert dialled_number("call me") == "call me"


@pytest.mark.parametrize("number", ["+4915155501827", "1827", "whatsapp:+49 151 5550 18-27"])
def test_the_last_four_digits_have_a_pseudonym_of_their_own(number: str) -> None:
    assert phone_end_hash(number) == phone_end_hash("+331827") != ""
    assert phone_end_hash(number) != phone_hash("1827")


@pytest.mark.parametrize("number", ["", "182", "+"])
def test_less_than_four_digits_have_no_such_pseudonym(number: str) -> None:
    assert phone_end_hash(number) == ""
