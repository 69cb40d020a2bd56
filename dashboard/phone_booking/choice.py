"""The choices that staff have made for a booking so far, read from an address or a form. Pure.

Invalid values are ignored, not refused: a length of another service, a staff member who does not perform it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import QueryDict

from core.day_parts import DayPart
from dashboard.phone_booking.queries import Extra, Offered, Person, Variant
from services.models import Location

SHOWN_DAYS = 7
# The last minute of the year 2199, and the longest text that is certain to fit a database id.
_LAST_MINUTE = 120_968_639
_LONGEST_ID = 18


@dataclass(frozen=True, slots=True)
class Slot:
    """A pressed time. ``staff_member_id`` is the staff member who fits best, or None for a service without staff."""

    start_minute: int
    staff_member_id: int | None

    def __str__(self) -> str:
        return f"{self.start_minute}.{self.staff_member_id or 0}"


@dataclass(frozen=True, slots=True)
class Choice:
    """``person`` None means any staff member, ``day`` None any shown day. ``wanted`` is the epoch minute of a link."""

    place: Location
    service: Offered | None
    variant: Variant | None
    extras: tuple[Extra, ...]
    person: Person | None
    today: date
    from_on: date
    day: date | None
    part: DayPart | None
    party_size: int
    wanted: int | None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.place.time_zone)

    @property
    def days(self) -> list[date]:
        return [self.from_on + timedelta(days=number) for number in range(SHOWN_DAYS)]

    @property
    def people(self) -> tuple[Person, ...]:
        """Staff members who perform the chosen length."""
        if self.service is None or self.variant is None:
            return ()
        return tuple(person for person in self.service.people if person.id in self.variant.people)

    @property
    def extra_ids(self) -> tuple[int, ...]:
        return tuple(extra.id for extra in self.extras)


def read_choice(place: Location, offered: Sequence[Offered], data: QueryDict, now: datetime) -> Choice:
    """Read the choice from an address or form. A day beyond the next ``SHOWN_DAYS`` becomes the first shown day."""
    service = next((each for each in offered if each.slug == data.get("service")), None)
    variant = extras = None
    if service is not None:
        variant = next((each for each in service.variants if str(each.id) == data.get("variant")), service.variants[0])
        chosen = set(data.getlist("extra"))
        extras = tuple(each for each in service.extras if str(each.id) in chosen)
    people = [p for p in service.people if variant and p.id in variant.people] if service else []
    today = now.astimezone(ZoneInfo(place.time_zone)).date()
    day = _day(data.get("jump", ""), today) or _day(data.get("on", ""), today)
    wanted = parsed_minute(data.get("start", ""))
    return Choice(
        place=place,
        service=service,
        variant=variant,
        extras=extras or (),
        person=next((each for each in people if each.slug == data.get("who")), None),
        today=today,
        from_on=day if day and not today <= day < today + timedelta(days=SHOWN_DAYS) else today,
        day=day,
        part=_part(data.get("part", "")),
        party_size=_party_size(data.get("party_size", ""), service),
        wanted=wanted,
    )


def parsed_slot(text: str) -> Slot | None:
    """Parse the value of a time button, epoch minute and staff member id, such as ``29712345.3``; None if invalid."""
    minute, _, staff = text.partition(".")
    start, staff_id = parsed_minute(minute), parsed_id(staff)
    return None if start is None or staff_id is None else Slot(start, staff_id or None)


def parsed_minute(text: str) -> int | None:
    number = parsed_id(text)
    return number if number is not None and number <= _LAST_MINUTE else None


def parsed_id(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID
    return int(text) if is_number else None


def _day(text: str, today: date) -> date | None:
    """Parse an ISO day from today on; None for a day outside the years that the arrows can reach."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if today <= day and day.year <= 2100 else None


def _part(text: str) -> DayPart | None:
    return DayPart(text) if text in set(DayPart) else None


def _party_size(text: str, service: Offered | None) -> int:
    size = parsed_id(text) or 1
    return size if service and 1 <= size <= service.max_party_size else 1
