"""Decides whether two phone numbers are the same phone.

Networks and WhatsApp write some numbers differently from people, and renumbering leaves old forms behind. The site
stores and calls ``dialled_number`` and compares ``phone_key``.
"""

import re

from django.conf import settings

from core.references import keyed_hash

# How many of the last digits the front desk asks a caller for.
PHONE_END = 4
# Mexico dropped the 1 of mobile numbers in 2019. WhatsApp and old address books still write it.
_MEXICO_BEFORE_2019 = re.compile(r"\+521(\d{10})")
# Brazil added a 9 before the eight digits of mobile numbers, which begin with 6 to 9. WhatsApp keeps the old form.
_BRAZIL_WITHOUT_NINE = re.compile(r"\+55(\d\d)([6-9]\d{7})")
# Argentina writes a 9 in mobile numbers called from abroad, and not at home. No landline has the same digits.
_ARGENTINA_MOBILE = re.compile(r"\+549(\d{10})")


def dialled_number(number: str) -> str:
    """Return a number in E.164 form as people dial it today. Other text is returned as it is."""
    if found := _MEXICO_BEFORE_2019.fullmatch(number):
        return f"+52{found[1]}"
    if found := _BRAZIL_WITHOUT_NINE.fullmatch(number):
        return f"+55{found[1]}9{found[2]}"
    return number


def phone_key(number: str) -> str:
    """Return the form in which numbers are compared. ``number`` is in E.164 form, with or without ``whatsapp:``."""
    plain = re.sub(r"[\s().-]", "", number.strip().removeprefix("whatsapp:"))
    if found := _ARGENTINA_MOBILE.fullmatch(plain):
        return f"+54{found[1]}"
    return dialled_number(plain)


def phone_hash(number: str) -> str:
    """Return the pseudonym of a number, equal for all its written forms; empty for an empty number.

    LINK_KEY is never rotated: with another key the site would text customers again who answered STOP.
    """
    return keyed_hash(settings.LINK_KEY, f"phone:{phone_key(number)}") if number else ""


def phone_end_hash(number: str) -> str:
    """Return the pseudonym of a number's last four digits, by which the desk finds a caller; empty for fewer digits.

    It protects less than ``phone_hash``: with LINK_KEY an attacker finds the four digits by trying all of them.
    """
    digits = "".join(str(int(character)) for character in phone_key(number) if character.isdecimal())[-PHONE_END:]
    return keyed_hash(settings.LINK_KEY, f"phone-end:{digits}") if len(digits) == PHONE_END else ""
