"""Template tags and filters of all pages: icons, pictures, form controls, money and dates."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from core import formats
from core.drawings import ICONS, PICTURES

register = template.Library()

_HYPHENED = re.compile(r"\d+-\d+")


_MOST_WRITTEN = 64


class _FixedNode(template.Node):
    def __init__(self, names: Sequence[str], nodelist: template.NodeList) -> None:
        self.names = names
        self.nodelist = nodelist
        self._written: dict[tuple[Any, ...], SafeString] = {}

    def render(self, context: template.Context) -> SafeString:
        values = {name: context[name] for name in self.names}
        key = (get_language(), *values.values())
        written = self._written.get(key)
        if written is None:
            if len(self._written) >= _MOST_WRITTEN:
                self._written.clear()
            # Without any other variable, so that nothing of this request can get into the pages of others.
            written = self._written[key] = self.nodelist.render(context.new(values))
        return written


@register.tag
def fixed(parser: template.base.Parser, token: template.base.Token) -> _FixedNode:
    """Write what is inside once per process, for each language and each value of the named variables.

    ``{% fixed %}`` is for markup and words that are equal for everybody, ``{% fixed frame %}`` for the frame of a page.
    Other variables are empty inside. Values must be hashable and never change.
    """
    nodelist = parser.parse(("endfixed",))
    parser.delete_first_token()
    return _FixedNode(token.split_contents()[1:], nodelist)


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 20) -> SafeString:
    """Draw an icon in the colour of the text, hidden from screen readers: the text next to it carries the meaning."""
    return _drawn("icon", ICONS[name], "0 0 20 20", int(size))


@register.simple_tag
@lru_cache(maxsize=64)
def picture(name: str) -> SafeString:
    """Draw the line picture of a service; an unknown name gives the default picture."""
    return _drawn("picture", PICTURES.get(name) or PICTURES["rings"], "0 0 64 64", 64)


@register.simple_tag
def avatar(name: str, tone: int = 0) -> SafeString:
    """Draw an avatar with two letters; ``tone`` picks one of six colours. Show the name next to it."""
    return format_html(
        '<span class="face face-{}" aria-hidden="true">{}</span>', int(tone) % 6 + 1, formats.initials(name)
    )


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """Write €16.00, for ledgers and summaries."""
    return "" if amount_minor is None else formats.money_text(amount_minor, currency)


@register.filter
def less(amount_minor: int | None, currency: str) -> str:
    """Write −€16.00, for amounts that a ledger deducts."""
    return "" if amount_minor is None else formats.money_text(-amount_minor, currency)


@register.filter
def price(amount_minor: int | None, currency: str) -> str:
    """Write €45 or €45.50, for cards and chips."""
    return "" if amount_minor is None else formats.money_text(amount_minor, currency, short=True)


@register.filter
def clock(moment: datetime | None) -> str:
    """Write 14:30. The datetime is already in its local zone."""
    return formats.time_text(moment) if moment else ""


@register.filter
def day(value: date | datetime | None) -> str:
    """Write Fri 27 Nov."""
    return formats.day_text(_date(value)) if value else ""


@register.filter
def full_day(value: date | datetime | None) -> str:
    """Write Fri 27 Nov 2026."""
    return formats.full_day_text(_date(value)) if value else ""


@register.filter
def moment(value: datetime | None) -> str:
    """Write Fri 27 Nov, 14:30. The datetime is already in its local zone."""
    return formats.moment_text(value) if value else ""


@register.filter
def address(text: str) -> SafeString:
    """Write a postal address without a line break at the hyphen of its post code: 1100-443."""
    return SafeString(_HYPHENED.sub(r'<span class="unbroken">\g<0></span>', conditional_escape(text)))


@register.filter
def minutes(count: int | None) -> str:
    """Write 60 min."""
    return "" if count is None else formats.minutes_text(count)


@register.filter
def reference(value: str) -> str:
    """Write K7M 4PX."""
    return formats.reference_text(value)


@register.simple_tag
def control(field: BoundField, autocomplete: str = "", takes_focus: object = False) -> SafeString:
    """Draw the input of a form field, linked to its help text and errors for screen readers.

    If a single field has an error, it takes the focus, unless an error summary above it does.
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
    if takes_focus:
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
