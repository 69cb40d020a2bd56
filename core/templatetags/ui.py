"""Template tags and filters that every page uses: icons, pictures, money, dates. They draw and format, no more."""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from core import formats
from core.drawings import ICONS, PICTURES

register = template.Library()

_HYPHENED = re.compile(r"\d+-\d+")


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 20) -> SafeString:
    """Draw an icon in the colour of the text. It is decoration: the words beside it carry the meaning."""
    return _drawn("icon", ICONS[name], "0 0 20 20", int(size))


@register.simple_tag
@lru_cache(maxsize=64)
def picture(name: str) -> SafeString:
    """Draw the line picture of a service on its tinted ground; an unknown name gives the plain one."""
    return _drawn("picture", PICTURES.get(name) or PICTURES["rings"], "0 0 64 64", 64)


@register.simple_tag
def avatar(name: str, tone: int = 0) -> SafeString:
    """Draw a face as two letters; ``tone`` picks one of six grounds. The name must stand beside it."""
    return format_html(
        '<span class="face face-{}" aria-hidden="true">{}</span>', int(tone) % 6 + 1, formats.initials(name)
    )


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """€16.00, for ledgers and summaries."""
    return "" if amount_minor is None else formats.money_text(amount_minor, currency)


@register.filter
def less(amount_minor: int | None, currency: str) -> str:
    """−€16.00, for what is taken off in a ledger."""
    return "" if amount_minor is None else formats.money_text(-amount_minor, currency)


@register.filter
def price(amount_minor: int | None, currency: str) -> str:
    """€45 or €45.50, for cards and chips."""
    return "" if amount_minor is None else formats.money_text(amount_minor, currency, short=True)


@register.filter
def clock(moment: datetime | None) -> str:
    """14:30 of a moment that is already in its local zone."""
    return formats.time_text(moment) if moment else ""


@register.filter
def day(value: date | datetime | None) -> str:
    """Fri 27 Nov."""
    return formats.day_text(_date(value)) if value else ""


@register.filter
def full_day(value: date | datetime | None) -> str:
    """Fri 27 Nov 2026."""
    return formats.full_day_text(_date(value)) if value else ""


@register.filter
def moment(value: datetime | None) -> str:
    """Fri 27 Nov, 14:30 of a moment that is already in its local zone."""
    return formats.moment_text(value) if value else ""


@register.filter
def address(text: str) -> SafeString:
    """An address whose post code does not break at its hyphen: 1100-443."""
    return SafeString(_HYPHENED.sub(r'<span class="unbroken">\g<0></span>', conditional_escape(text)))


@register.filter
def minutes(count: int | None) -> str:
    """60 min."""
    return "" if count is None else formats.minutes_text(count)


@register.filter
def reference(value: str) -> str:
    """K7M 4PX."""
    return formats.reference_text(value)


@register.simple_tag
def control(field: BoundField, autocomplete: str = "") -> SafeString:
    """Draw the input of a form field, tied to its help and its errors for those who cannot see them.

    The only field with an error takes the focus, unless a summary above it has it already.
    """
    attrs: dict[str, Any] = {"class": "input"}
    described = [f"{field.auto_id}-error"] if field.errors else []
    if field.help_text:
        described.append(f"{field.auto_id}-help")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if field.errors:
        attrs["aria-invalid"] = "true"
        if len(field.form.errors) == 1:
            attrs["autofocus"] = True
    if autocomplete:
        attrs["autocomplete"] = autocomplete
    return field.as_widget(attrs=attrs)


def _drawn(css: str, drawing: str, box: str, size: int) -> SafeString:
    return format_html(
        '<svg class="{}" width="{}" height="{}" viewBox="{}" aria-hidden="true" focusable="false">{}</svg>',
        css,
        size,
        size,
        box,
        SafeString(drawing),
    )


def _date(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
