"""Opening hours as text."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext

from core.formats import clock_text
from storefront.catalogue import Opening

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
