"""The free times for the choices of the staff, best first. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bookings.availability.facts import Facts
from bookings.availability.gaps import Start, best_first, fitting_starts
from bookings.availability.loading import availability_facts
from bookings.queries.popular import fillers_at
from core.day_parts import day_part
from core.intervals import difference, intersection
from core.minutes import instant
from dashboard.phone_booking.choice import SHOWN_DAYS, Choice

# How far ahead to look for the next free time when the shown days have none.
_FURTHER = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class FreeTimes:
    """``starts`` are the free times of the chosen day and part of the day, best first. ``counts`` has their number on
    each shown day. ``staffed`` are the shown days on which somebody could still work. ``next_on`` is the next day with
    a free time when ``starts`` is empty.
    """

    starts: Sequence[Start]
    counts: dict[date, int]
    next_on: date | None = None
    staffed: frozenset[date] = frozenset()


def free_times(choice: Choice, *, held_booking_id: int | None, now: datetime) -> FreeTimes:
    """Find the free times of the shown days. The form's own hold counts as free. Eleven queries at most."""
    if choice.variant is None:
        return FreeTimes((), {})
    facts = _facts(choice, choice.from_on, choice.from_on + timedelta(days=SHOWN_DAYS), held_booking_id, now)
    starts = _starts(choice, facts, now)
    fitting = [start for start in starts if _is_in_part(choice, start)]
    counts = dict.fromkeys(choice.days, 0)
    for start in fitting:
        counts[_day(choice, start)] += 1
    wanted = [start for start in fitting if choice.day in (None, _day(choice, start))]
    following = None if wanted else _next_day(choice, held_booking_id, now)
    return FreeTimes(best_first(wanted), counts, following, _staffed_days(choice, facts))


def _staffed_days(choice: Choice, facts: Facts) -> frozenset[date]:
    """Return the days on which the place is open and the chosen person, or any qualified one, works from now on."""
    assert choice.variant  # noqa: S101 (the caller has looked)
    place, variant = facts.locations[choice.place.pk], facts.variants[choice.variant.id]
    opening = list(place.opening.intervals)
    spans = [] if variant.staff else opening
    for pk in [choice.person.id] if choice.person else variant.staff_ids:
        person = facts.staff[pk]
        if hours := person.working.get(place.id):
            away = list(facts.time_off.get(person.resource_id, ()))
            spans += difference(intersection(list(hours.intervals), opening), away)
    ahead = (max(low, facts.now_minute) for low, high in spans if high > facts.now_minute)
    return frozenset(instant(minute).astimezone(choice.zone).date() for minute in ahead)


def _facts(choice: Choice, from_on: date, until_on: date, held_booking_id: int | None, now: datetime) -> Facts:
    assert choice.variant  # noqa: S101 (the caller has looked)
    return availability_facts(
        variant_ids=[choice.variant.id],
        from_on=from_on,
        until_on=until_on,
        now=now,
        location_ids=[choice.place.pk],
        add_on_ids=choice.extra_ids,
        ignore_booking_id=held_booking_id,
    )


def _starts(choice: Choice, facts: Facts, now: datetime) -> Sequence[Start]:
    assert choice.variant  # noqa: S101 (the caller has looked)
    return fitting_starts(
        facts,
        choice.variant.id,
        choice.place.pk,
        fillers_at(choice.place.pk, now),
        staff_member_id=choice.person.id if choice.person else None,
    )


def _next_day(choice: Choice, held_booking_id: int | None, now: datetime) -> date | None:
    first = (choice.day or choice.days[-1]) + timedelta(days=1)
    later = _starts(choice, _facts(choice, first, first + _FURTHER, held_booking_id, now), now)
    return next((_day(choice, each) for each in later if _is_in_part(choice, each)), None)


def _day(choice: Choice, start: Start) -> date:
    return instant(start.minute).astimezone(choice.zone).date()


def _is_in_part(choice: Choice, start: Start) -> bool:
    local = instant(start.minute).astimezone(choice.zone)
    return choice.part in {None, day_part(local.hour * 60 + local.minute)}
