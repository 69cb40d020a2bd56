"""A visitor's choices in the picker, read from and written to the address. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from core.minutes import minute_of
from storefront.catalogue import Person, Place, ServiceOffer, VariantOffer

WEEKS = 5
WINDOW_DAYS = 7 * WEEKS

# The last minute of the year 2199, later than any real booking.
_LAST_MINUTE = 120_968_639
# Eighteen digits are certain to fit a database id.
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_SLOT = re.compile(rf"({_ID.pattern})\.([0-9]{{1,9}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """The visitor's choice. ``person`` None means any staff member, ``place`` None means all places."""

    service: ServiceOffer
    places: tuple[Place, ...]
    variant: VariantOffer
    person: Person | None
    place: Place | None
    from_on: date
    day: date | None
    today: date

    @property
    def shown_places(self) -> tuple[Place, ...]:
        return (self.place,) if self.place else self.places

    @property
    def window(self) -> tuple[date, date]:
        """Five weeks from a Monday, counted from the current week; the end is excluded."""
        monday = self.today - timedelta(days=self.today.weekday())
        wanted = max(self.day or self.from_on, self.today)
        first = monday + timedelta(days=(wanted - monday).days // WINDOW_DAYS * WINDOW_DAYS)
        return first, first + timedelta(days=WINDOW_DAYS)

    def asked_from(self, now: datetime) -> date:
        """The first day to load, which is today at the earliest: a day that every place has behind it is never free."""
        return max(self.window[0], min(now.astimezone(place.zone).date() for place in self.shown_places))

    @property
    def asked_until(self) -> date:
        """End (excluded) of the days to load: the window, one week more where the calendar may drop its first week, and
        two weeks from the start of the list of times.
        """
        first, end = self.window
        spare = end + timedelta(days=7) if first <= self.today else end
        return max(spare, self.from_on + timedelta(days=14))

    @property
    def horizon_ends_on(self) -> date:
        """The last day that customers can book."""
        return self.today + timedelta(days=self.service.horizon_days)


def read_choice(service: ServiceOffer, places: Sequence[Place], query: Mapping[str, str], now: datetime) -> Choice:
    """Read the choice from an address. Invalid parts are ignored, not refused."""
    offered = tuple(place for place in places if place.id in service.location_ids)
    variant = _by_id(service.variants, query.get("variant", ""))
    people = [person for person in service.people if person.id in variant.prices]
    person = next((each for each in people if each.slug == query.get("with")), None)
    wanted = query.get("at", "") if service.names_place else ""
    place = next((each for each in offered if each.slug == wanted), offered[0] if len(offered) == 1 else None)
    today = now.astimezone((place or offered[0]).zone).date()
    last = today + timedelta(days=service.horizon_days)
    day = _day(query.get("day", ""), today, last)
    from_on = _day(query.get("from", ""), today, last) or today
    return Choice(service, offered, variant, person, place, from_on, day, today)


def choice_query(choice: Choice, **changes: str) -> str:
    """Write the choice as a query string without default values; ``changes`` override it."""
    values = {
        "variant": str(choice.variant.id) if choice.variant != choice.service.variants[0] else "",
        "with": choice.person.slug if choice.person else "",
        "at": place_value(choice, choice.place),
        "from": choice.from_on.isoformat() if choice.from_on > choice.today else "",
        "day": choice.day.isoformat() if choice.day else "",
        **changes,
    }
    given = {name: value for name, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""


def variant_value(choice: Choice, variant: VariantOffer) -> str:
    return "" if variant == choice.service.variants[0] else str(variant.id)


def place_value(choice: Choice, place: Place | None) -> str:
    return place.slug if place and len(choice.places) > 1 else ""


def parsed_slot(slot: str) -> tuple[int, int]:
    """Parse the value of a time button, ``<location id>.<epoch minute>``.

    :raises ValueError: when the text is anything else.
    """
    match = _SLOT.fullmatch(slot)
    if match is None or int(match[2]) > _LAST_MINUTE:
        raise ValueError(slot)
    return int(match[1]), int(match[2])


def parsed_id(text: str) -> int:
    """Parse a row id from a form.

    :raises ValueError: when the text is anything else, or larger than any id can be.
    """
    if not _ID.fullmatch(text):
        raise ValueError(text)
    return int(text)


def local_time(minute: int, place: Place) -> datetime:
    return datetime.fromtimestamp(minute * 60, tz=UTC).astimezone(place.zone)


def midnight(day: date, zone: ZoneInfo) -> int:
    """Return the epoch minute at which a local day begins."""
    return minute_of(datetime(day.year, day.month, day.day, tzinfo=zone))


def _by_id(variants: Sequence[VariantOffer], wanted: str) -> VariantOffer:
    return next((variant for variant in variants if str(variant.id) == wanted), variants[0])


def _day(text: str, first: date, last: date) -> date | None:
    """Parse an ISO day within the bounds, both included; None otherwise."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if first <= day <= last else None
