"""Cleans a typed phone number, and formats a stored one. Pure."""

import phonenumbers
from babel.core import get_global
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from phonenumbers import PhoneNumberType

from accounts.contact.names import visible_text
from accounts.contact.same_phones import dialled_number
from core.lines import breaks_line

PHONE_LIMIT = 40

_UNREACHABLE = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}

_NON_GEOGRAPHICAL = "001"  # the region of satellite networks and other numbers without a country


def clean_phone(text: str, *, region: str | None) -> str:
    """Return a number in E.164 form. A number without a country code belongs to ``region`` (ISO 3166, e.g. ``DE``).

    :raises ValidationError: when the business cannot call it at an ordinary price: too short, letters, an extension,
        premium, shared-cost or satellite numbers.
    """
    typed = visible_text(text).strip()
    if any(breaks_line(character) or character.isalpha() for character in typed) or ";" in typed or "#" in typed:
        raise ValidationError(
            gettext("Please give the number in digits only, without an extension, such as %(example)s.")
            % {"example": _example(region)},
            code="phone_letters",
        )
    try:
        number = _parsed_number(typed[: PHONE_LIMIT * 2], region)
    except phonenumbers.NumberParseException:
        raise _unknown_number(typed, region) from None
    if not phonenumbers.is_valid_number(number):
        raise _unknown_number(typed, region)
    is_special = phonenumbers.region_code_for_number(number) == _NON_GEOGRAPHICAL
    if is_special or phonenumbers.number_type(number) in _UNREACHABLE:
        raise ValidationError(
            gettext("We cannot call this kind of number. Please give an ordinary mobile or landline number."),
            code="phone_kind",
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_text(number: str) -> str:
    """Format a stored number for reading: ``+4915155501827`` becomes ``+49 1515 5501827``.

    Other text is returned as it is.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone_region(*numbers: str, time_zone: str) -> str | None:
    """Return the country of numbers typed without a country code.

    It is that of the first of the business's own ``numbers`` that has one, else that of the time zone.
    """
    for number in numbers:
        try:
            region = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
        except phonenumbers.NumberParseException:
            continue
        if region and region != _NON_GEOGRAPHICAL:
            return region
    territory = get_global("zone_territories").get(time_zone)
    return territory if territory in phonenumbers.SUPPORTED_REGIONS else None


def _parsed_number(typed: str, region: str | None) -> phonenumbers.PhoneNumber:
    """Parse a number; convert the old form that WhatsApp shows into the current one.

    :raises phonenumbers.NumberParseException: when the text is not a number.
    """
    number = phonenumbers.parse(typed, region)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    today = dialled_number(written)
    return number if today == written else phonenumbers.parse(today, None)


def _example(region: str | None) -> str:
    number = phonenumbers.example_number_for_type(region or "DE", PhoneNumberType.MOBILE)
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        if number
        else "+49 1512 3456789"
    )


def _unknown_number(typed: str, region: str | None) -> ValidationError:
    if typed.startswith("+"):
        sentence = gettext("There is no such number. Please check the digits after the country code.")
    else:
        sentence = gettext(
            "There is no such number. Please check the digits, or start with the country code, such as %(example)s."
        )
        sentence = sentence % {"example": _example(region)}
    return ValidationError(sentence, code="phone_unknown")
