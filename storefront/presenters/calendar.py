"""A calendar of five weeks, each day with a state and a word. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.utils.translation import pgettext

from bookings.availability.engine import FEW_COUNT, DayMark, DayState
from core.formats import day_month_text, month_text, weekday_names
from storefront.catalogue import Place
from storefront.presenters.choice import WINDOW_DAYS, Choice, choice_query

# Of two places, a day takes the more promising state.
_EMPTY_STATES = [DayState.FULL, DayState.CLOSED, DayState.PAST]


def merged_marks(marks: Mapping[int, Sequence[DayMark]], places: Sequence[Place]) -> dict[date, DayMark]:
    """Return one mark for each day over all shown places."""
    if len(places) == 1:
        return {mark.on: mark for mark in marks.get(places[0].id, ())}
    merged: dict[date, DayMark] = {}
    for place in places:
        for mark in marks.get(place.id, ()):
            merged[mark.on] = _both(merged[mark.on], mark) if mark.on in merged else mark
    return merged


def calendar(choice: Choice, days: Mapping[date, DayMark], url: str, held_on: date | None) -> dict[str, Any]:
    """Return the five weeks of the choice, moved on by one week when all days of the first week are past or closed."""
    first, end = choice.window
    is_over = first <= choice.today and not any(_is_ahead(days.get(first + timedelta(days=each))) for each in range(7))
    shown = first + timedelta(days=7) if is_over else first
    dates = [shown + timedelta(days=each) for each in range(WINDOW_DAYS)]
    row = _Row(
        words={state: word() for state, word in _STATE_WORDS.items()},
        base=_day_base(choice, url),
        today=choice.today,
        chosen=choice.day or held_on,
        horizon=choice.horizon_ends_on,
        not_yet=pgettext("day", "not yet"),
        not_working=pgettext("day", "not working") if _is_of_one_person(choice) else "",
        months={day.month: month_text(day) for day in (dates[0], *(day for day in dates if day.day == 1))},
    )
    cells = [_cell(day, days.get(day), row) for day in dates]
    previous = max(first - timedelta(days=WINDOW_DAYS), choice.today)
    return {
        "title": _window_title(max(shown, choice.today), shown + timedelta(days=WINDOW_DAYS - 1)),
        "weekdays": weekday_names(),
        "weeks": [cells[at : at + 7] for at in range(0, WINDOW_DAYS, 7)],
        "earlier_url": _from_url(choice, url, previous) if first > choice.today else "",
        "later_url": _from_url(choice, url, end) if end <= choice.horizon_ends_on else "",
    }


class _Row(NamedTuple):
    """The values that all cells share."""

    words: dict[DayState, str]
    base: str
    today: date
    chosen: date | None
    horizon: date
    not_yet: str
    not_working: str
    months: dict[int, str]


def _is_of_one_person(choice: Choice) -> bool:
    """Return whether a day without hours is the day off of one staff member, although the place may be open."""
    performing = [person for person in choice.service.people if person.id in choice.variant.prices]
    return choice.service.needs_staff and (choice.person is not None or len(performing) < 2)


def _is_ahead(mark: DayMark | None) -> bool:
    return mark is not None and mark.state not in (DayState.PAST, DayState.CLOSED)


def _day_base(choice: Choice, url: str) -> str:
    """Return the address of a day without its date, which the caller appends."""
    query = choice_query(choice, day="", **{"from": ""})
    return f"{url}{query}&day=" if query else f"{url}?day="


def _both(one: DayMark, other: DayMark) -> DayMark:
    free = one.free_count + other.free_count
    if free:
        return DayMark(one.on, DayState.FEW if free <= FEW_COUNT else DayState.FREE, free, None)
    state = min(one.state, other.state, key=_EMPTY_STATES.index)
    ends = [each for each in (one.may_free_at_minute, other.may_free_at_minute) if each is not None]
    return DayMark(one.on, state, 0, min(ends) if ends and state == DayState.FULL else None)


def _cell(day: date, mark: DayMark | None, row: _Row) -> tuple[str, str, str, str, str, str]:
    """Return class, link, number, month for screen readers, word, and "true" for the chosen day.

    Days that every place has behind it have no mark (``Choice.asked_from``).
    """
    state = mark.state if mark else DayState.PAST if day < row.today else DayState.CLOSED
    is_later = day > row.horizon
    kind = "later" if is_later else state.value
    month = "" if day.day == 1 else row.months[day.month]
    word = row.not_yet if is_later else row.words[state]
    if state == DayState.CLOSED and row.not_working and not is_later:
        # Too long for a cell: a screen reader reads it in full, the cell shows a dash.
        month, word = ", ".join(filter(None, (month, row.not_working))), "–"
    return (
        f"{kind} date-new" if day.day == 1 else kind,
        row.base + day.isoformat() if mark and mark.free_count else "",
        day_month_text(day) if day.day == 1 else str(day.day),
        month,
        word,
        "true" if day == row.chosen else "",
    )


def _window_title(first: date, last: date) -> str:
    names = [month_text(day) for day in (first, last)]
    return names[0] if names[0] == names[1] else " – ".join(names)


def _from_url(choice: Choice, url: str, day: date) -> str:
    return url + choice_query(choice, day="", **{"from": day.isoformat() if day > choice.today else ""})


_STATE_WORDS: dict[DayState, Callable[[], str]] = {
    DayState.FREE: lambda: pgettext("day", "free"),
    DayState.FEW: lambda: pgettext("day", "few"),
    DayState.FULL: lambda: pgettext("day", "full"),
    DayState.CLOSED: lambda: pgettext("day", "closed"),
    DayState.PAST: lambda: pgettext("day", "past"),
}
