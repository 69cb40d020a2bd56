"""Draws the items in a column of the calendar.

In Python and not in a template, because a full day has a thousand items and drawing them is most of the page's work.
"""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.drawings import ICONS
from dashboard.calendar.items import Block, Gap, Item, Request, Rest, Sized, Strip

register = template.Library()

# The icons of the states. Each is drawn once on the page; blocks refer to it.
_STATE_ICONS = ("alert", "calendar", "card", "check", "clock", "close", "door", "play")


@register.simple_tag
def calendar_icons() -> SafeString:
    """Draw the icons that ``calendar_items`` refers to."""
    drawn = "".join(f'<symbol id="i-{name}" viewBox="0 0 20 20">{ICONS[name]}</symbol>' for name in _STATE_ICONS)
    return SafeString(f'<svg class="calendar-icons" width="0" height="0" aria-hidden="true">{drawn}</svg>')


@register.simple_tag
def calendar_items(items: Iterable[Item]) -> SafeString:
    """Draw the items of a column as list items, in the order of time."""
    return SafeString("".join([_DRAWN[type(item)](item) for item in items]))


def _block(block: Block) -> str:
    at, state = block.at, block.state
    word = escape(state.word)
    inner = (
        f'<b class="block-name">{escape(block.name)}</b> '
        f'<span class="block-what"><span class="block-time">{at.starts}<span class="visually-hidden">–{at.ends}</span>'
        f' </span>{escape(block.what)}</span> <span class="block-state">{_icon(state.icon)}<span>{word}</span></span>'
    )
    css = f"block is-{state.css}{' is-selected' if block.is_selected else ''}"
    data = f'data-ref="{block.reference}"'
    # A block without these cannot be dragged.
    if block.is_movable:
        data += (
            f' data-start="{block.start}" data-minutes="{block.minutes}"'
            f' data-staff="{escape(block.staff)}" data-sequence="{block.sequence}"'
            f"{' data-whole' if block.is_whole else ''}"
        )
    if not block.url:
        return _row(at, block.size, f'<div class="{css}">{inner}</div>')
    current = ' aria-current="true"' if block.is_selected else ""
    return _row(at, block.size, f'<a class="{css}" href="{escape(block.url)}" {data}{current}>{inner}</a>')


def _gap(gap: Gap) -> str:
    words = escape(gettext("Free %(length)s") % {"length": gap.length})
    times = f'<span class="visually-hidden">, {gap.at.starts}–{gap.at.ends}</span>'
    if not gap.url:
        return _row(gap.at, "", f'<div class="gap"><span>{words}{times}</span></div>')
    inner = f'<span><span aria-hidden="true">+ </span>{words}{times}</span>'
    book = f' <span class="gap-act">{escape(gettext("Book"))}</span>'
    return _row(gap.at, "", f'<a class="gap" href="{escape(gap.url)}" hx-boost="false">{inner}{book}</a>')


def _rest(rest: Rest) -> str:
    if not rest.text:
        return f'<li class="at bare {rest.at.spot}" aria-hidden="true"><div class="rest"></div></li>'
    times = f'<span class="visually-hidden">, {rest.at.starts}–{rest.at.ends}</span>'
    return _row(rest.at, "behind", f'<div class="rest"><span>{escape(rest.text)}</span>{times}</div>')


def _request(request: Request) -> str:
    times = f'<span class="visually-hidden">, {request.at.starts}–{request.at.ends}</span>'
    inner = f"<span>{escape(request.text)}{times}</span>"
    if not request.url:
        return _row(request.at, "", f'<div class="asked">{inner}</div>')
    return _row(request.at, "", f'<a class="asked" href="{escape(request.url)}" hx-boost="false">{inner}</a>')


def _strip(strip: Strip) -> str:
    if strip.kind == "kept":
        return _row(strip.at, "", f'<div class="block is-held">{escape(gettext("Kept for a move"))}</div>')
    state = f" is-{strip.state.css}" if strip.state else ""
    return f'<li class="at bare {strip.at.spot}" aria-hidden="true"><div class="{strip.kind}{state}"></div></li>'


def _row(at: Sized, more: str, inner: str) -> str:
    when = f'<span class="when" aria-hidden="true"><b>{at.starts}</b><span>{at.ends}</span></span>'
    return f'<li class="at {at.spot}{" " if more else ""}{more}">{when}{inner}</li>'


def _icon(name: str) -> str:
    return f'<svg class="icon" width="13" height="13" aria-hidden="true"><use href="#i-{name}"/></svg>'


_DRAWN: dict[type, Callable[[Any], str]] = {Block: _block, Gap: _gap, Request: _request, Rest: _rest, Strip: _strip}
