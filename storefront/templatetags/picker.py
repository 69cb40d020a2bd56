"""The widgets of the picker. In Python, because a page has sixty of them and drawing them is most of its work."""

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.templatetags.ui import icon

register = template.Library()


@register.simple_tag
def time_buttons(times: Iterable[tuple[str, str, str, bool]]) -> SafeString:
    """Draw free times: value of the field ``slot``, time, place ("" if not in doubt), whether it is the held one."""
    return SafeString("".join([_time_button(*each) for each in times]))


@register.simple_tag
def calendar_days(days: Iterable[tuple[str, str, str, str, str, str]]) -> SafeString:
    """Draw cells of a week: class, link, number, month for screen readers, word, "true" for the chosen day."""
    return SafeString("".join([_calendar_day(*each) for each in days]))


def _time_button(value: str, time: str, place: str, is_held: bool) -> str:
    look, small = "", f"<small>{escape(place)}</small>" if place else ""
    if is_held:
        look, small = " time-held", f"<small>{icon('check', 13)}{escape(gettext('Held'))}</small>"
    return f'<button class="time{look}" name="slot" value="{escape(value)}">{escape(time)}{small}</button>'


def _calendar_day(kind: str, href: str, number: str, month: str, word: str, chosen: str) -> str:
    inner = f'{escape(number)}<span class="visually-hidden"> {escape(month)}</span><small>{escape(word)}</small>'
    if not href:
        return f'<td><span class="date date-{kind}{" is-chosen" if chosen else ""}">{inner}</span></td>'
    current = ' aria-current="date"' if chosen else ""
    return f'<td><a class="date date-{kind}" href="{escape(href)}"{current}>{inner}</a></td>'
