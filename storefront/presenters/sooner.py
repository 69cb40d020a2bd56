"""Other staff and places that have a free time sooner than the visitor's choice. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from core.formats import day_text
from storefront.catalogue import Person, Place
from storefront.presenters.choice import Choice, choice_query, local_time, midnight, place_value
from storefront.presenters.times import Starts

SHOWN = 4
_WEEK = 7


def lacks_times(choice: Choice, starts: Starts) -> bool:
    """Return whether the week from the first shown day has no free time."""
    first = _first_day(choice, starts)
    return first is None or first >= _begins_on(choice) + timedelta(days=_WEEK)


def other_people(choice: Choice) -> list[Person]:
    """Return the other staff who perform the chosen length; empty if the visitor chose no staff member."""
    if choice.person is None:
        return []
    return [each for each in choice.service.people if each.id in choice.variant.prices and each != choice.person]


def other_places(choice: Choice) -> list[Place]:
    """Return the other places that offer it; empty unless the visitor chose one of several places."""
    return [each for each in choice.places if choice.place and each != choice.place]


def sooner_links(
    choice: Choice,
    starts: Starts,
    *,
    of_people: Mapping[Person, Starts],
    of_places: Mapping[Place, Sequence[int]],
    url: str,
) -> list[tuple[str, str, str]]:
    """Return name, day and address of each choice whose first free day is earlier than this one's, nearest first."""
    own = _first_day(choice, starts)
    found: list[tuple[date, str, str]] = []
    for person, theirs in of_people.items():
        if (on := _first_day(choice, theirs)) and (own is None or on < own):
            found.append((on, person.name, url + choice_query(choice, day="", **{"with": person.slug})))
    for place, minutes in of_places.items():
        if (on := _first_day_at(choice, place, minutes)) and (own is None or on < own):
            found.append((on, place.name, url + choice_query(choice, day="", at=place_value(choice, place))))
    return [(name, day_text(on), href) for on, name, href in sorted(found)[:SHOWN]]


def _begins_on(choice: Choice) -> date:
    return choice.day or choice.from_on


def _first_day(choice: Choice, starts: Starts) -> date | None:
    days = [_first_day_at(choice, place, starts.get(place.id, ())) for place in choice.shown_places]
    return min((day for day in days if day), default=None)


def _first_day_at(choice: Choice, place: Place, minutes: Sequence[int]) -> date | None:
    at = bisect_left(minutes, midnight(_begins_on(choice), place.zone))
    return local_time(minutes[at], place).date() if at < len(minutes) else None
