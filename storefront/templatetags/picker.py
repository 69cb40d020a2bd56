"""The widgets of the picker: times, days, choices. In Python, because a page has over a hundred of them, and a template
looks up and escapes each of their values by itself.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.templatetags.ui import icon
from storefront.presenters.times import TimeButton

register = template.Library()


@register.simple_tag
def time_buttons(times: Iterable[TimeButton]) -> SafeString:
    """Draw free times: value of the field ``slot``, time, place ("" if not in doubt), whether it is the held one."""
    return SafeString("".join([_time_button(*each) for each in times]))


@register.simple_tag
def day_sections(groups: Iterable[Mapping[str, Any]]) -> SafeString:
    """Draw days with their free times, and full days with a note (``presenters.times.day_groups``)."""
    return SafeString("".join([_day_section(group) for group in groups]))


@register.simple_tag
def link_chips(chips: Iterable[Mapping[str, Any]]) -> SafeString:
    """Draw choices that are links: ``id``, ``label``, ``href``, ``is_on``, and "note" where there is a second word."""
    return SafeString("".join([_link_chip(chip) for chip in chips]))


@register.simple_tag
def calendar_weekdays(days: Iterable[tuple[str, str]]) -> SafeString:
    """Draw the heads of the seven columns: each day short and in full."""
    return SafeString("".join([f'<th scope="col" abbr="{escape(full)}">{escape(short)}</th>' for short, full in days]))


@register.simple_tag
def calendar_days(days: Iterable[tuple[str, str, str, str, str, str]]) -> SafeString:
    """Draw cells of a week: class, link, number, month for screen readers, word, "true" for the chosen day."""
    return SafeString("".join([_calendar_day(*each) for each in days]))


def _day_section(group: Mapping[str, Any]) -> str:
    key, date = f"day-{escape(group['id'])}", f" <span>{escape(group['date'])}</span>" if group["date"] else ""
    if group["all_url"]:
        beside = f'<a class="day-all" href="{escape(group["all_url"])}">{escape(group["all_label"])}</a>'
    else:
        beside = f'<span class="label">{escape(group["count"])}</span>'
    look, inner = "", ""
    if group["times"]:
        inner = f'<div class="times">{time_buttons(group["times"])}</div>'
    else:
        look = " day-full"
        inner = f'<p class="note"><span>{escape(group["note"])}</span></p>' if group["note"] else ""
    return (
        f'<section class="day{look}" aria-labelledby="{key}">'
        f'<div class="day-top"><h3 id="{key}">{escape(group["near"])}{date}</h3>{beside}</div>{inner}</section>\n'
    )


def _time_button(value: str, time: str, place: str, is_held: bool) -> str:
    look, small = "", f"<small>{escape(place)}</small>" if place else ""
    if is_held:
        look, small = " time-held", f"<small>{icon('check', 13)}{escape(gettext('Held'))}</small>"
    return f'<button class="time{look}" name="slot" value="{escape(value)}">{escape(time)}{small}</button>'


def _link_chip(chip: Mapping[str, Any]) -> str:
    current = ' aria-current="true"' if chip["is_on"] else ""
    note = f" <span>{escape(chip['note'])}</span>" if "note" in chip else ""
    label, href = escape(chip["label"]), escape(chip["href"])
    return f'<a class="chip" id="{escape(chip["id"])}" href="{href}"{current}>{label}{note}</a>'


def _calendar_day(kind: str, href: str, number: str, month: str, word: str, chosen: str) -> str:
    inner = f'{escape(number)}<span class="visually-hidden"> {escape(month)}</span><small>{escape(word)}</small>'
    if not href:
        return f'<td><span class="date date-{kind}{" is-chosen" if chosen else ""}">{inner}</span></td>'
    current = ' aria-current="date"' if chosen else ""
    return f'<td><a class="date date-{kind}" href="{escape(href)}"{current}>{inner}</a></td>'
