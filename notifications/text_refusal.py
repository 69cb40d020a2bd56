"""Which phone numbers we text. Pure: a number and the allowed countries in, the reason against it out."""

from collections.abc import Collection

import phonenumbers
from phonenumbers import PhoneNumberType

# Landlines in most countries cannot receive texts; where the plan does not tell, the number gets its chance.
_TEXTABLE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER}
# What phonenumbers calls satellite networks and the like.
_NO_COUNTRY = "001"
COUNTRY_CLOSED = "SMS_COUNTRIES does not allow texts to"


def text_refusal(number: str, countries: Collection[str]) -> str | None:
    """Say why we send no text to a number in E.164 form, in words for the message log; None if we do.

    ``countries`` are ISO codes. Premium and satellite numbers cost whoever writes to them, so they never get any.
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
