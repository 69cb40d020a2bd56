"""Weekly opening hours typed as text ("09:00–13:00, 14:00–18:00"), and the rule that they do not overlap."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.forms import MINUTES_OF_DAY, ClockField, clock_text
from core.intervals import overlaps

MINUTES_OF_WEEK = 7 * MINUTES_OF_DAY
MOST_PER_DAY = 6
_DASH = re.compile(r"\s*[-–—]\s*")
_BETWEEN = re.compile(r"[,;]")


def read_day(text: str) -> list[list[int]]:
    """Read the intervals of a day, in order, as minutes from its midnight. An empty text is a closed day.

    :raises ValidationError: if it is no list of times, an interval does not end after it starts, or two overlap.
    """
    intervals = sorted(_interval(part.strip()) for part in _BETWEEN.split(text) if part.strip())
    if len(intervals) > MOST_PER_DAY:
        raise ValidationError(_("A day has at most %(count)d intervals."), params={"count": MOST_PER_DAY})
    for first, second in combinations(intervals, 2):
        if overlaps((first[0], first[1]), (second[0], second[1])):
            raise ValidationError(
                _("%(first)s and %(second)s overlap."),
                params={"first": day_text([first]), "second": day_text([second])},
            )
    return intervals


def day_text(intervals: Iterable[Sequence[int]]) -> str:
    """Write the intervals of a day as users type them; empty for a closed day."""
    return ", ".join(f"{clock_text(start)}–{clock_text(end)}" for start, end in intervals)


def days_that_overlap(week: Mapping[int, Iterable[Sequence[int]]]) -> tuple[int, int] | None:
    """Return two weekdays whose hours overlap, because those of one end after midnight; None if there are none."""
    rows = [(weekday, start, end) for weekday, intervals in sorted(week.items()) for start, end in intervals]
    for first, second in combinations(rows, 2):
        if share_time(first, second):
            return first[0], second[0]
    return None


def share_time(first: tuple[int, int, int], second: tuple[int, int, int]) -> bool:
    """Return whether two weekly intervals (weekday, start, end) overlap. The week is circular: Sunday night runs into
    Monday.
    """
    span, (low, high) = _span(first), _span(second)
    return any(overlaps(span, (low + shift, high + shift)) for shift in (-MINUTES_OF_WEEK, 0, MINUTES_OF_WEEK))


def _span(row: tuple[int, int, int]) -> tuple[int, int]:
    weekday, start, end = row
    return weekday * MINUTES_OF_DAY + start, weekday * MINUTES_OF_DAY + end


def _interval(text: str) -> list[int]:
    ends = _DASH.split(text)
    clock = ClockField()
    if len(ends) != 2 or not all(ends):
        raise ValidationError(_("Type times such as 09:00–18:00, with a comma between two: 09:00–13:00, 14:00–18:00."))
    start, end = (clock.clean(each) or 0 for each in ends)
    if start >= MINUTES_OF_DAY:
        raise ValidationError(_("Start before 24:00. What begins after midnight belongs to the next day."))
    if end <= start:
        later = clock_text(end + MINUTES_OF_DAY)
        raise ValidationError(
            _("%(end)s does not come after %(start)s. For past midnight type %(later)s."),
            params={"start": clock_text(start), "end": clock_text(end), "later": later},
        )
    return [start, end]
