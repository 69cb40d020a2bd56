"""Five weeks of days with a mark and a word each. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import pgettext

from bookings.availability import FEW_COUNT, DayMark, DayState
from bookings.catalogue import Place
from bookings.presenters.choice import WINDOW_DAYS, Choice, choice_query
from core.formats import day_month_text, month_text

# Of two places the day takes the state that promises more.
_EMPTY_STATES = [DayState.FULL, DayState.CLOSED, DayState.PAST]
_A_WEEK = [date(2024, 1, day) for day in range(1, 8)]


def merged_marks(marks: Mapping[int, Sequence[DayMark]], places: Sequence[Place]) -> dict[date, DayMark]:
    """One mark a day over all shown places."""
    if len(places) == 1:
        return {mark.on: mark for mark in marks.get(places[0].id, ())}
    merged: dict[date, DayMark] = {}
    for place in places:
        for mark in marks.get(place.id, ()):
            merged[mark.on] = _both(merged[mark.on], mark) if mark.on in merged else mark
    return merged


def calendar(choice: Choice, days: Mapping[date, DayMark], url: str, held_on: date | None) -> dict[str, Any]:
    first, end = choice.window
    chosen = choice.day or held_on
    base = url + choice_query(choice, day="", **{"from": ""})
    base += "&day=" if "?" in base else "?day="
    cells = [
        _cell(first + timedelta(days=number), days, base, chosen, choice.horizon_ends_on)
        for number in range(WINDOW_DAYS)
    ]
    previous = first - timedelta(days=WINDOW_DAYS)
    return {
        "title": _window_title(max(first, choice.today), end - timedelta(days=1)),
        "weekdays": _weekday_names(),
        "weeks": [cells[at : at + 7] for at in range(0, WINDOW_DAYS, 7)],
        "earlier_url": _from_url(choice, url, max(previous, choice.today)) if first > choice.today else "",
        "later_url": _from_url(choice, url, end) if end <= choice.horizon_ends_on else "",
    }


def _both(one: DayMark, other: DayMark) -> DayMark:
    free = one.free_count + other.free_count
    if free:
        return DayMark(one.on, DayState.FEW if free <= FEW_COUNT else DayState.FREE, free, None)
    state = min(one.state, other.state, key=_EMPTY_STATES.index)
    ends = [each for each in (one.may_free_at_minute, other.may_free_at_minute) if each is not None]
    return DayMark(one.on, state, 0, min(ends) if ends and state == DayState.FULL else None)


def _cell(
    day: date, days: Mapping[date, DayMark], base: str, chosen: date | None, horizon: date
) -> tuple[str, str, str, str, str, str]:
    """Class, link, number, month read aloud, word, and whether it is the chosen day."""
    mark = days.get(day)
    state = mark.state if mark else DayState.CLOSED
    free = state in (DayState.FREE, DayState.FEW)
    word = pgettext("day", "not yet") if day > horizon else _STATE_WORDS[state]()
    kind = _STATE_CLASSES[state] if day <= horizon else "later"
    return (
        f"{kind} date-new" if day.day == 1 else kind,
        base + day.isoformat() if free else "",
        day_month_text(day) if day.day == 1 else str(day.day),
        "" if day.day == 1 else month_text(day),
        word,
        "true" if day == chosen else "",
    )


def _weekday_names() -> list[tuple[str, str]]:
    """Short and full names, Monday first."""
    return [(date_format(day, "D"), date_format(day, "l")) for day in _A_WEEK]


def _window_title(first: date, last: date) -> str:
    names = [month_text(day) for day in (first, last)]
    return names[0] if names[0] == names[1] else " – ".join(names)


def _from_url(choice: Choice, url: str, day: date) -> str:
    return url + choice_query(choice, day="", **{"from": day.isoformat() if day > choice.today else ""})


_STATE_CLASSES = {
    DayState.FREE: "free",
    DayState.FEW: "few",
    DayState.FULL: "full",
    DayState.CLOSED: "closed",
    DayState.PAST: "past",
}
_STATE_WORDS = {
    DayState.FREE: lambda: pgettext("day", "free"),
    DayState.FEW: lambda: pgettext("day", "few"),
    DayState.FULL: lambda: pgettext("day", "full"),
    DayState.CLOSED: lambda: pgettext("day", "closed"),
    DayState.PAST: lambda: pgettext("day", "past"),
}
