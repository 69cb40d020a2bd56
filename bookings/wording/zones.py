"""Sentences about time zones for visitors in another zone than the business."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext, ngettext

from core.formats import hours_text, moment_text, time_text
from core.zones import city

__all__ = [
    "away_sentence",
    "city",
    "is_elsewhere",
    "shown_moment",
    "shown_time",
    "visitor_time",
    "zone_named",
    "zone_note",
    "zone_sentence",
]


def zone_named(name: str) -> ZoneInfo | None:
    """Return the IANA zone that a browser reports; None for anything else."""
    try:
        return ZoneInfo(name) if name and "/" in name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def is_elsewhere(zone: ZoneInfo, visitor: ZoneInfo | None, at: datetime) -> bool:
    """Return whether the clocks of business and visitor differ at that instant."""
    return visitor is not None and at.astimezone(zone).utcoffset() != at.astimezone(visitor).utcoffset()


def zone_sentence(zone: ZoneInfo, visitor: ZoneInfo | None, now: datetime) -> str:
    """Return the zone of the times, and the difference to the visitor's clock."""
    business = gettext("Times are %(city)s time.") % {"city": city(zone)}
    if visitor is None or not is_elsewhere(zone, visitor, now):
        return business
    here = {"city": city(visitor), "difference": _difference(zone, visitor, now)}
    return business + " " + gettext("You are in %(city)s, %(difference)s.") % here


def away_sentence(zones: Iterable[ZoneInfo], visitor: ZoneInfo | None, now: datetime) -> str:
    """Return the difference of the visitor's clock to each of several zones; empty where it agrees with all of them."""
    if visitor is None:
        return ""
    away = [
        gettext("%(difference)s (%(city)s)") % {"difference": _difference(zone, visitor, now), "city": city(zone)}
        for zone in zones
        if is_elsewhere(zone, visitor, now)
    ]
    if not away:
        return ""
    return gettext("You are in %(city)s: %(differences)s.") % {"city": city(visitor), "differences": ", ".join(away)}


def visitor_time(starts_at: datetime, zone: ZoneInfo, visitor: ZoneInfo | None) -> str:
    """Return the visitor's own time, such as "13:30 in Lisbon"; empty where the clocks agree at that instant."""
    if visitor is None or not is_elsewhere(zone, visitor, starts_at):
        return ""
    return gettext("%(time)s in %(city)s") % {"time": time_text(starts_at.astimezone(visitor)), "city": city(visitor)}


def shown_time(at: datetime, zone: ZoneInfo, visitor: ZoneInfo | None) -> str:
    """Return a time such as "17:30".

    For a visitor in another zone it adds the zone and the time on their own clock.
    """
    text = time_text(at.astimezone(zone))
    return text + _elsewhere_words(at, zone, visitor)


def shown_moment(at: datetime, zone: ZoneInfo, visitor: ZoneInfo | None) -> str:
    """Return day and time, such as "Fri 27 Nov, 17:30", with the same addition as ``shown_time``."""
    return moment_text(at.astimezone(zone)) + _elsewhere_words(at, zone, visitor)


def zone_note(at: datetime, zone: ZoneInfo, visitor: ZoneInfo | None) -> str:
    """Return the zone in words, such as "Lisbon time, 18:00 in Berlin".

    Where the clocks agree at that instant the text is empty.
    """
    own = visitor_time(at, zone, visitor)
    return gettext("%(city)s time, %(own)s") % {"city": city(zone), "own": own} if own else ""


def _elsewhere_words(at: datetime, zone: ZoneInfo, visitor: ZoneInfo | None) -> str:
    own = visitor_time(at, zone, visitor)
    return gettext(" (%(city)s time, %(own)s)") % {"city": city(zone), "own": own} if own else ""


def _difference(zone: ZoneInfo, visitor: ZoneInfo, now: datetime) -> str:
    here, there = (now.astimezone(each).replace(tzinfo=None) for each in (zone, visitor))
    minutes = round((there - here).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if rest:
        words = gettext("%(length)s behind") if minutes < 0 else gettext("%(length)s ahead")
        return words % {"length": hours_text(abs(minutes))}
    if minutes < 0:
        return ngettext("one hour behind", "%(count)d hours behind", hours) % {"count": hours}
    return ngettext("one hour ahead", "%(count)d hours ahead", hours) % {"count": hours}
