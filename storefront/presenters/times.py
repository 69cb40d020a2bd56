"""Free times as buttons: the nearest days, all times of one day, and times near a taken one. Pure.

A button is (value of the field, time, place if it is in doubt, whether it is the held one).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext, ngettext, pgettext

from bookings.availability.engine import DayMark, DayState
from core.day_parts import DayPart, day_part
from core.formats import clock_texts, day_text, long_day_text, moment_text, time_text
from core.zones import city
from storefront.catalogue import Person, Place
from storefront.presenters.choice import Choice, choice_query, local_time, midnight, parsed_slot

GROUPS = 5
TIMES_A_DAY = 8
ALTERNATIVES = 3

Starts = Mapping[int, Sequence[int]]
TimeButton = tuple[str, str, str, bool]


class Times:
    """The times of a local day at all shown places. It bisects, so that only shown days are formatted."""

    def __init__(self, choice: Choice, starts: Starts, held_slot: str) -> None:
        self.places = choice.shown_places
        self.starts = starts
        self.held_slot = held_slot
        self.says_place = choice.service.names_place and len(self.places) > 1
        self.says_clock = not choice.service.names_place and len({place.zone.key for place in self.places}) > 1

    def of(self, day: date, limit: int | None = None) -> list[tuple[int, TimeButton]]:
        """Return the buttons of a day with their wall minutes, ascending. ``limit`` spreads that many over the day."""
        found: list[tuple[int, TimeButton]] = []
        for place in self.places:
            low, high = midnight(day, place.zone), midnight(day + timedelta(days=1), place.zone)
            starts = self.starts.get(place.id, ())
            chosen = starts[bisect_left(starts, low) : bisect_left(starts, high)]
            if limit is not None:
                chosen = spread(chosen, max(2, limit // len(self.places)), self._held_at(place))
            # Where the clocks change, a repeated hour says which one it is.
            is_even = high - low == 1440
            says = self._place_words(place)
            walls = [start - low if is_even else _wall_minute(start, place) for start in chosen]
            texts = clock_texts(walls) if is_even else [time_text(local_time(start, place)) for start in chosen]
            for start, wall, text in zip(chosen, walls, texts, strict=True):
                value = f"{place.id}.{start}"
                found.append((wall, (value, text, says, value == self.held_slot)))
        if len(self.places) > 1:
            found.sort()
        return found

    def _place_words(self, place: Place) -> str:
        if self.says_clock:
            return gettext("%(city)s time") % {"city": city(place.zone)}
        return place.name if self.says_place else ""

    def _held_at(self, place: Place) -> int | None:
        if not self.held_slot:
            return None
        location_id, minute = parsed_slot(self.held_slot)
        return minute if location_id == place.id else None


def day_groups(choice: Choice, days: Mapping[date, DayMark], times: Times, url: str) -> Iterator[dict[str, Any]]:
    """Yield the nearest days with free times. Full days between them are one line, which does not count as a group."""
    full: list[DayMark] = []
    count = 0
    first = choice.day + timedelta(days=1) if choice.day else choice.from_on
    for mark in (mark for on, mark in sorted(days.items()) if on >= first):
        if mark.free_count:
            if full:
                yield _full_group(full, choice)
                full = []
            yield _free_group(mark, choice, times, url)
            count += 1
            if count == GROUPS:
                return
        elif mark.state == DayState.FULL:
            full.append(mark)
    if full and count:
        yield _full_group(full, choice)


def day_view(choice: Choice, days: Mapping[date, DayMark], times: Times, url: str) -> dict[str, Any] | None:
    """Return all times of the chosen day by part of the day."""
    if choice.day is None:
        return None
    parts: dict[DayPart, list[TimeButton]] = {part: [] for part in DayPart}
    for wall, button in times.of(choice.day):
        parts[day_part(wall)].append(button)
    mark = days.get(choice.day)
    return {
        "title": long_day_text(choice.day),
        "count": _count_words(mark) if mark and mark.free_count else "",
        "parts": [(part.label, buttons) for part, buttons in parts.items() if buttons],
        "note": may_free_words([mark], choice) if mark else "",
        "nearest_url": url + choice_query(choice, day="", **{"from": ""}),
    }


def more_url(choice: Choice, groups: Sequence[dict[str, Any]], days: Mapping[date, DayMark], url: str) -> str:
    """Return the address of the next part of the list; empty beyond the horizon."""
    free = sum(1 for group in groups if group["times"])
    last = groups[-1]["last_on"] if free >= GROUPS else max(days, default=choice.today)
    following = last + timedelta(days=1)
    if following > choice.horizon_ends_on:
        return ""
    return url + choice_query(choice, day="", **{"from": following.isoformat()})


def taken_words(choice: Choice, starts: Starts, slot: str, *, was_taken: bool = True) -> dict[str, Any]:
    """Say that a time is taken or no longer bookable, and offer the nearest free times as buttons."""
    location_id, minute = parsed_slot(slot)
    place = next((each for each in choice.places if each.id == location_id), choice.shown_places[0])
    local = local_time(minute, place)
    near = nearest(starts.get(place.id, ()), minute, ALTERNATIVES)
    same_day = all(local_time(each, place).date() == local.date() for each in near)
    labels = [time_text(local_time(each, place)) if same_day else moment_text(local_time(each, place)) for each in near]
    gone = time_text(local) if same_day else moment_text(local)
    where = place.name if choice.service.names_place and len(choice.shown_places) > 1 else ""
    return {
        "title": _gone_words(gone, where, was_taken=was_taken),
        "text": _free_sentence(labels, choice.person),
        "times": [_near_button(each, place, where, same_day=same_day) for each in near],
    }


def _gone_words(time: str, where: str, *, was_taken: bool) -> str:
    if where:
        time = gettext("%(time)s in %(place)s") % {"time": time, "place": where}
    return (gettext("%(time)s was just taken.") if was_taken else gettext("%(time)s cannot be booked any more.")) % {
        "time": time
    }


def _near_button(minute: int, place: Place, where: str, *, same_day: bool) -> tuple[str, str, str, str]:
    """Return value, time, the day if it is another one, and the place if it is in doubt."""
    local = local_time(minute, place)
    return f"{place.id}.{minute}", time_text(local), "" if same_day else day_text(local.date()), where


def without_repeats(
    places: Sequence[Place], marks: Mapping[int, Sequence[DayMark]], starts: Starts
) -> tuple[dict[int, list[DayMark]], dict[int, list[int]]]:
    """Keep each instant once for a service at which customers come to no place: the first place keeps it."""
    seen: set[int] = set()
    kept_marks: dict[int, list[DayMark]] = {}
    kept_starts: dict[int, list[int]] = {}
    for place in places:
        own = [start for start in starts.get(place.id, ()) if start not in seen]
        left = Counter(local_time(start, place).date() for start in own)
        seen.update(own)
        kept_starts[place.id] = own
        kept_marks[place.id] = [_with_count(mark, left[mark.on]) for mark in marks.get(place.id, ())]
    return kept_marks, kept_starts


def _with_count(mark: DayMark, count: int) -> DayMark:
    return mark._replace(free_count=count, state=mark.state if count or not mark.free_count else DayState.FULL)


def nearest(starts: Sequence[int], wanted: int, count: int) -> list[int]:
    """Return the ``count`` starts closest to ``wanted``, without ``wanted`` itself, in the order of time."""
    at = bisect_left(starts, wanted)
    around = [each for each in starts[max(0, at - count) : at + count + 1] if each != wanted]
    return sorted(sorted(around, key=lambda each: abs(each - wanted))[:count])


def spread(starts: Sequence[int], count: int, keep: int | None = None) -> Sequence[int]:
    """Choose ``count`` starts evenly over the day: the first, the last, and ``keep`` if it is one of them."""
    if len(starts) <= count:
        return starts
    step = (len(starts) - 1) / (count - 1)
    chosen = [starts[round(step * number)] for number in range(count)]
    if keep is not None and keep in starts and keep not in chosen:
        closest = min(range(count), key=lambda at: abs(chosen[at] - keep))
        chosen[closest] = keep
    return chosen


def _free_group(mark: DayMark, choice: Choice, times: Times, url: str) -> dict[str, Any]:
    buttons = times.of(mark.on, TIMES_A_DAY)
    has_more = mark.free_count > len(buttons)
    return {
        "last_on": mark.on,
        "id": mark.on.isoformat(),
        **_heading(mark.on, choice.today),
        "count": "" if has_more else _count_words(mark),
        "times": [button for _, button in buttons],
        "all_url": url + choice_query(choice, day=mark.on.isoformat(), **{"from": ""}) if has_more else "",
        "all_label": _all_words(mark.free_count) if has_more else "",
        "note": "",
    }


def _full_group(marks: Sequence[DayMark], choice: Choice) -> dict[str, Any]:
    first, last = marks[0], marks[-1]
    heading = _heading(first.on, choice.today)
    if len(marks) > 1:
        heading = {"near": days_words([mark.on for mark in marks]), "date": ""}
    return {
        "last_on": last.on,
        "id": first.on.isoformat(),
        **heading,
        "count": gettext("Full"),
        "times": [],
        "all_url": "",
        "note": may_free_words(marks, choice),
    }


def days_words(days: Sequence[date]) -> str:
    """Name days as runs of consecutive ones, so that no run covers a day on which the place is closed."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(day_text(run[0]) if len(run) == 1 else f"{day_text(run[0])} – {day_text(run[-1])}" for run in runs)


def may_free_words(marks: Sequence[DayMark], choice: Choice) -> str:
    ends = [mark.may_free_at_minute for mark in marks if mark.may_free_at_minute is not None]
    if not ends:
        return ""
    at = local_time(min(ends), choice.shown_places[0])
    if at.date() != choice.today:
        values = {"day": day_text(at.date()), "time": time_text(at)}
        return gettext("A time is on hold. It may come free on %(day)s at %(time)s.") % values
    return gettext("A time is on hold. It may come free at %(time)s.") % {"time": time_text(at)}


def _heading(day: date, today: date) -> dict[str, str]:
    ahead = (day - today).days
    if ahead == 0:
        return {"near": gettext("Today"), "date": day_text(day)}
    if ahead == 1:
        return {"near": gettext("Tomorrow"), "date": day_text(day)}
    return {"near": day_text(day), "date": ""}


def _all_words(count: int) -> str:
    return ngettext("All %(count)d times", "All %(count)d times", count) % {"count": count}


def _count_words(mark: DayMark) -> str:
    if mark.state == DayState.FEW:
        return ngettext("%(count)d left", "%(count)d left", mark.free_count) % {"count": mark.free_count}
    return ngettext("%(count)d free", "%(count)d free", mark.free_count) % {"count": mark.free_count}


def _free_sentence(labels: Sequence[str], person: Person | None) -> str:
    if not labels:
        return gettext("Nothing near it is free any more. Please pick another day.")
    listed = labels[0]
    if len(labels) > 1:
        listed = pgettext("list of times", "%(first)s and %(last)s") % {
            "first": ", ".join(labels[:-1]),
            "last": labels[-1],
        }
    values = {"times": listed, "name": person.name if person else ""}
    if person:
        return ngettext("%(times)s with %(name)s is free.", "%(times)s with %(name)s are free.", len(labels)) % values
    return ngettext("%(times)s is free.", "%(times)s are free.", len(labels)) % values


def _wall_minute(minute: int, place: Place) -> int:
    local = local_time(minute, place)
    return local.hour * 60 + local.minute
