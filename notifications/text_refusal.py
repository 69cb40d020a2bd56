"""Decides which phone numbers get text messages. Pure: a number and the allowed countries in, a refusal out."""

from collections.abc import Collection

import phonenumbers
from phonenumbers import PhoneNumberType

# Landlines in most countries cannot receive texts. Where a number may be either kind, the site tries it.
_TEXTABLE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER}
# The region that phonenumbers gives to satellite networks and other numbers without a country.
_NO_COUNTRY = "001"
COUNTRY_CLOSED = "SMS_COUNTRIES does not allow texts to"


def text_refusal(number: str, countries: Collection[str]) -> str | None:
    """Return why a number in E.164 form gets no text message, in words for the message log; None if it gets one.

    ``countries`` are ISO codes. A text to a premium or satellite number costs the sender extra, so these get none.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return "This is not a phone number."
    country = phonenumbers.region_code_for_number(parsed)
    if phonenumbers.number_type(parsed) not in _TEXTABLE or country == _NO_COUNTRY:
        return "This phone number cannot receive SMS."
    if country not in countries:
        return f"{COUNTRY_CLOSED} {country or 'this country'}."
    return None
