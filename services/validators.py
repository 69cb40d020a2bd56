"""Validators shared by catalogue fields."""

from zoneinfo import available_timezones

from babel.numbers import list_currencies
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("Pick a time zone such as Europe/Berlin."))


def validate_currency(value: str) -> None:
    if value not in list_currencies():
        raise ValidationError(_("Use a three-letter currency code such as EUR."))
