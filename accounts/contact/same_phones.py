"""When two phone numbers are the same phone.

Networks and WhatsApp write some numbers differently from what people type, and renumbering leaves old forms behind.
``dialled_number`` is what we store and call, ``phone_key`` what is compared.
"""

import re

from django.conf import settings

from core.references import keyed_hash

# How many digits a caller is asked for.
PHONE_END = 4
# Mexico took the 1 of mobile numbers out in 2019; WhatsApp and old address books still write it.
_MEXICO_BEFORE_2019 = re.compile(r"\+521(\d{10})")
# Brazil put a 9 before the eight digits of mobile numbers, which begin with 6 to 9; WhatsApp keeps the old form.
_BRAZIL_WITHOUT_NINE = re.compile(r"\+55(\d\d)([6-9]\d{7})")
# Argentina writes a 9 where a mobile is called from abroad, and leaves it out at home. No landline has the same digits.
_ARGENTINA_MOBILE = re.compile(r"\+549(\d{10})")


def dialled_number(number: str) -> str:
    """Return a number in E.164 form as it is dialled today. Anything else is returned as it is."""
    if found := _MEXICO_BEFORE_2019.fullmatch(number):
        return f"+52{found[1]}"
    if found := _BRAZIL_WITHOUT_NINE.fullmatch(number):
        return f"+55{found[1]}9{found[2]}"
    return number


def phone_key(number: str) -> str:
    """Return the form in which numbers are compared; ``number`` is in E.164 form, with or without ``whatsapp:``."""
    plain = re.sub(r"[\s().-]", "", number.strip().removeprefix("whatsapp:"))
    if found := _ARGENTINA_MOBILE.fullmatch(plain):
        return f"+54{found[1]}"
    return dialled_number(plain)


def phone_hash(number: str) -> str:
    """Return the pseudonym of a number, equal for every way to write it; empty for none.

    LINK_KEY is the one key that is never rotated: with another one, a customer who answered STOP would be texted again.
    """
    return keyed_hash(settings.LINK_KEY, f"phone:{phone_key(number)}") if number else ""


def phone_end_hash(number: str) -> str:
    """Return the pseudonym of the last four digits of a number, by which the desk finds a caller; empty for fewer.

    It protects less than ``phone_hash``: with LINK_KEY the four digits are found by trying all of them.
    """
    digits = "".join(str(int(character)) for character in phone_key(number) if character.isdecimal())[-PHONE_END:]
    return keyed_hash(settings.LINK_KEY, f"phone-end:{digits}") if len(digits) == PHONE_END else ""
