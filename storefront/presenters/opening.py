"""Opening hours as text."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter

from django.utils.formats import date_format
from django.utils.translation import gettext

from core.formats import clock_text
from core.zones import city
from storefront.catalogue import Opening, Place

_A_MONDAY = date(2024, 1, 1)


def hours_lines(opening: Opening) -> list[str]:
    """Return weekly hours, equal days merged, such as "Mon–Fri 09:00–17:00"."""
    by_day = [tuple((start, end) for day, start, end in opening.weekly if day == weekday) for weekday in range(7)]
    lines, first = [], 0
    for weekday in range(1, 8):
        if weekday < 7 and by_day[weekday] == by_day[first]:
            continue
        if by_day[first]:
            lines.append(f"{_days(first, weekday - 1)} {_spans(by_day[first])}")
        first = weekday
    return lines


def open_sentence_of(places: Sequence[Place], openings: Mapping[int, Opening], now: datetime) -> str:
    """Return today's state, each place by its own clock. Where places differ the sentence names the one with the latest
    end, or the next start, and its zone where the zones differ, such as "Open today until 20:00 (Kreuzberg)".
    """
    known = [place for place in places if place.id in openings]
    sentences = {place.id: open_sentence([openings[place.id]], now.astimezone(place.zone)) for place in known}
    has_zones = len({place.zone for place in known}) > 1
    if not known or (len(set(sentences.values())) == 1 and not has_zones):
        return next(iter(sentences.values()), "")
    starts: list[tuple[float, Place]] = []
    ends: list[tuple[float, Place]] = []
    for place in known:
        local = now.astimezone(place.zone)
        minute = local.hour * 60 + local.minute
        for start, end in _today(openings[place.id], local):
            if start <= minute < end:
                ends.append((end - minute, place))
            elif start > minute:
                starts.append((start - minute, place))
    if not ends and not starts:
        return open_sentence([openings[place.id] for place in known], now.astimezone(known[0].zone))
    key = itemgetter(0)
    _, named = max(ends, key=key) if ends else min(starts, key=key)
    words = {"sentence": sentences[named.id], "place": named.name, "city": city(named.zone)}
    if has_zones:
        return gettext("%(sentence)s (%(place)s, %(city)s time)") % words
    return gettext("%(sentence)s (%(place)s)") % words


def open_sentence(openings: Sequence[Opening], now: datetime) -> str:
    """Return today's state over all places, such as "Open today until 20:00" or, if all of them are closed for the same
    reason, "Closed today: Public holiday". ``now`` is local.
    """
    spans = [span for opening in openings for span in _today(opening, now)]
    minute = now.hour * 60 + now.minute
    ends = [end for start, end in spans if start <= minute < end]
    if ends:
        return gettext("Open today until %(time)s") % {"time": clock_text(max(ends))}
    starts = [start for start, _ in spans if start > minute]
    if starts:
        return gettext("Opens today at %(time)s") % {"time": clock_text(min(starts))}
    if spans:
        return gettext("Closed for today")
    reasons = {opening.reason for opening in openings}
    if len(reasons) == 1 and (reason := reasons.pop()):
        return gettext("Closed today: %(reason)s") % {"reason": reason}
    return gettext("Closed today")


def _today(opening: Opening, now: datetime) -> Sequence[tuple[int, int]]:
    if opening.today is not None:
        return opening.today
    return [(start, end) for weekday, start, end in opening.weekly if weekday == now.weekday()]


def _days(first: int, last: int) -> str:
    names = [date_format(_A_MONDAY + timedelta(days=day), "D") for day in (first, last)]
    return names[0] if first == last else "–".join(names)


def _spans(spans: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{clock_text(start)}–{clock_text(end)}" for start, end in spans)
