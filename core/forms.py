"""Form fields that convert what users type (09:30, 24 h, 45.00, 19 %) to what columns store (minutes, minor units).

Each field shows a stored value in the notation that it accepts. All widgets are plain text inputs and may be replaced.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core import formats, money

MINUTES_OF_DAY = 1440
MOST_MINUTES = 2_147_483_647
_CLOCK = re.compile(r"(\d{1,2})[:.h]?(\d{2})?", re.IGNORECASE)
_LENGTH_PART = re.compile(r"(\d+)\s*(days?|d|hours?|h|minutes?|min|m)?(?![a-z])", re.IGNORECASE)
_DECIMAL = re.compile(r"[0-9]{1,20}(?:([.,])([0-9]{1,6}))?")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?P<group>[.,])[0-9]{3}(?:(?P=group)[0-9]{3})*(?:(?!(?P=group))[.,][0-9]{1,6})?")
# Separators that are used between thousands, never before decimals.
_SPACES = re.compile(r"[\s'’]")
_UNIT_MINUTES = {"d": MINUTES_OF_DAY, "h": 60, "m": 1}


class _TypedField(forms.CharField):
    """A text input for a number. An empty value is None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"empty_value": None, "max_length": 40, **options})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class ClockField(_TypedField):
    """Minutes after local midnight, typed as HH:MM. 24:00 and later is the next day: 26:00 is 2 in the morning."""

    def prepare_value(self, value: Any) -> Any:
        return clock_text(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if text is None:
            return None
        match = _CLOCK.fullmatch(text.replace(" ", ""))
        hours, minutes = (int(match[1]), int(match[2] or 0)) if match else (99, 99)
        if minutes > 59 or hours * 60 + minutes > 2 * MINUTES_OF_DAY:
            raise ValidationError(
                _("Type a time such as 09:30. After midnight go on counting: 26:00 is 2 in the morning.")
            )
        return hours * 60 + minutes


class LengthField(_TypedField):
    """A length in minutes, typed as 90, 90 min, 24 h, 3 d or 1 h 30 min.

    With ``needs_unit`` a bare number is refused, because users mean hours or days by it as often as minutes.
    """

    def __init__(self, *, needs_unit: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.needs_unit = needs_unit
        # What a refusal of other text suggests to type.
        self.example: Any = _("90 min, 24 h or 3 d")

    def prepare_value(self, value: Any) -> Any:
        return length_text(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if text is None:
            return None
        parts = _LENGTH_PART.findall(text)
        if not parts or _LENGTH_PART.sub("", text).strip(" ,"):
            raise ValidationError(_("Type a length such as %(example)s."), params={"example": self.example})
        if self.needs_unit and any(int(number) and not unit for number, unit in parts):
            example = {"number": parts[0][0]}
            raise ValidationError(_("Say which unit: %(number)s min, %(number)s h or %(number)s d."), params=example)
        minutes = sum(int(number) * _UNIT_MINUTES[(unit or "m")[0].lower()] for number, unit in parts)
        if minutes > MOST_MINUTES:
            raise ValidationError(_("That is too long."))
        return minutes


class DayField(forms.DateField):
    """A day of the years 2000 to 2100. Days far outside them have no place in the database or on a clock."""

    def __init__(self, **options: Any) -> None:
        ends = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 12, 31))]
        super().__init__(validators=ends, **options)


class MoneyField(_TypedField):
    """Minor units of ``currency``, typed with its decimals: 45, 45.00 or 45,00. See ``scaled`` for thousands."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        super().__init__(**options)
        self.currency = currency

    def prepare_value(self, value: Any) -> Any:
        return sum_text(value, self.currency) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        return None if text is None else sum_of(text, self.currency)


class PercentField(_TypedField):
    """Basis points, typed as a percentage: 19 or 7.5 %. More than 100 % is refused."""

    def prepare_value(self, value: Any) -> Any:
        return percent_text(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if text is None:
            return None
        points = scaled(text.rstrip(" %"), 2, example="19", has_thousands=False)
        if points > 10_000:
            raise ValidationError(_("A percentage cannot be more than 100."))
        return points


def sum_of(text: str, currency: str) -> int:
    """Read an amount of money, typed with the decimals of its currency, as minor units.

    :raises ValidationError: if it is not an amount, or more than ``money.MOST_MINOR``.
    """
    places = money.exponent(currency)
    minor = scaled(text, places, example=sum_text(45 * 10**places, currency))
    if minor > money.MOST_MINOR:
        most = formats.money_text(money.MOST_MINOR, currency)
        raise ValidationError(_("That is too much: at most %(sum)s."), params={"sum": most})
    return minor


def scaled(text: str, places: int, *, example: str, has_thousands: bool = True) -> int:
    """Read a non-negative decimal number as an integer, multiplied by 10 to the power of ``places``: 45.5 gives 4550.

    Both point and comma are accepted as decimal separators. With ``has_thousands`` both are also accepted between
    thousands, in 1,200.00 as in 1.200,00. Three digits after a single separator are ambiguous, as in 1,200. Then the
    separators of the active language decide: its thousands separator, or, with three places (KWD 1.200), its decimal
    separator.

    :raises ValidationError: if both readings make sense, or the text is not a number, is negative, has too many digits
        or more decimals than ``places``.
    """
    plain = _SPACES.sub("", text)
    language = (get_language() or "en").replace("-", "_")
    point, group = get_decimal_symbol(language), get_group_symbol(language)
    small, large = _as_decimal(plain, places), _as_grouped(plain, places) if has_thousands else None
    if small is None and large is not None:
        is_sure = sum(map(plain.count, ".,")) > 1 or places == 0 or group in plain
        small, large = large if is_sure else None, None
    if small is None:
        raise ValidationError(_("Type an amount such as %(example)s."), params={"example": example})
    if large is None or (places >= 3 and point in plain):
        return small
    pattern = "#,##0" + ("." + "0" * places if places else "")
    both = [format_decimal(Decimal(each).scaleb(-places), pattern, language) for each in (large, small)]
    raise ValidationError(
        _("Do you mean %(large)s or %(small)s? Please type it that way."), params={"large": both[0], "small": both[1]}
    )


def _as_decimal(plain: str, places: int) -> int | None:
    """Read a single point or comma as the decimal separator; None if that is not possible."""
    match = _DECIMAL.fullmatch(plain)
    if match is None or (places == 0 and len(match[2] or "") == 3 and _GROUPED.fullmatch(plain)):
        return None
    return _whole(plain.replace(",", "."), places)


def _as_grouped(plain: str, places: int) -> int | None:
    """Read the first point or comma as the thousands separator; None if that is not possible."""
    match = _GROUPED.fullmatch(plain)
    return _whole(plain.replace(match["group"], "").replace(",", "."), places) if match else None


def _whole(number: str, places: int) -> int | None:
    scaled_number = Decimal(number).scaleb(places)
    return int(scaled_number) if scaled_number == scaled_number.to_integral_value() else None


def sum_text(amount_minor: int, currency: str) -> str:
    """Write an amount as a user may type it: without currency and thousands separators."""
    point = get_decimal_symbol((get_language() or "en").replace("-", "_"))
    return str(money.major(amount_minor, currency)).replace(".", point)


def clock_text(minutes: int) -> str:
    """Write minutes after midnight as HH:MM; times of the next day continue after 24:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def length_text(minutes: int) -> str:
    """Write a length in the largest unit that fits, from 2 h and 2 d on: 90 min, 24 h, 3 d."""
    if minutes >= 2 * MINUTES_OF_DAY and minutes % MINUTES_OF_DAY == 0:
        return f"{minutes // MINUTES_OF_DAY} d"
    if minutes >= 120 and minutes % 60 == 0:
        return f"{minutes // 60} h"
    return f"{minutes} min"


def percent_text(basis_points: int) -> str:
    """Write basis points as a percentage without trailing zeros: 1900 is 19, 750 is 7.5."""
    return (
        f"{Decimal(basis_points) / 100:f}".rstrip("0").rstrip(".") if basis_points % 100 else str(basis_points // 100)
    )


class CleanedField(forms.CharField):
    """Text that ``cleaner`` normalises. A text that is empty afterwards counts as missing."""

    def __init__(self, *, cleaner: Callable[[str], str], **options: Any) -> None:
        super().__init__(strip=False, **options)
        self.validators = []
        self.cleaner = cleaner

    def clean(self, value: Any) -> str:
        typed = "" if value is None else str(value)
        cleaned = self.cleaner(typed) if typed.strip() else ""
        self.validate(cleaned)
        return cleaned
