"""Facts for the availability engine: ``loading`` fills them and ``engine`` reads them. Pure.

Minutes are whole minutes since the Unix epoch (UTC), ends excluded. Days are ``date.toordinal()`` of a location's date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bookings.availability.claims import LineSpec
from core.intervals import Interval


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Joined, sorted hours. Compared by identity: staff members with the same week share one object, computed once."""

    intervals: tuple[Interval, ...]


class Busy(NamedTuple):
    """Claimed time of one resource, in any order: claim ``k`` is ``lows[k]`` to ``highs[k]``."""

    lows: Sequence[int]
    highs: Sequence[int]


class HeldClaim(NamedTuple):
    """A claim of a hold, which ends at a known time. It is also in ``Facts.busy``."""

    resource_id: int
    low_minute: int
    high_minute: int
    ends_minute: int


@dataclass(frozen=True, slots=True)
class LocationFacts:
    """A location: its zone, its date now, its opening hours, and its rooms and devices by resource type."""

    id: int
    zone: ZoneInfo
    today: date
    opening: Hours
    resources: Mapping[int, tuple[int, ...]]


class QualifiedStaff(NamedTuple):
    """A staff member who performs a variant, with their own length and price where set."""

    staff_member_id: int
    spec: LineSpec
    price_minor: int


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """A variant with the rules that apply to booking it.

    Prices and ``spec`` are the catalogue's. Add-ons count in the minutes of ``spec`` and not in ``price_minor``.
    """

    id: int
    service_id: int
    spec: LineSpec
    price_minor: int
    lead_minutes: int
    horizon_days: int
    slot_interval_minutes: int
    hold_minutes: int
    service_daily_limit: int | None
    is_public: bool
    location_ids: tuple[int, ...]
    staff: tuple[QualifiedStaff, ...]

    @property
    def duration_minutes(self) -> int:
        return self.spec.duration_minutes

    @property
    def staff_ids(self) -> tuple[int, ...]:
        return tuple(person.staff_member_id for person in self.staff)


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """A staff member: the resource that stands for their time, and their working hours by location."""

    id: int
    resource_id: int
    daily_limit: int | None
    working: Mapping[int, Hours]


@dataclass(frozen=True, slots=True)
class Counts:
    """Bookings per local day, loaded only where a limit is set. Keys are days, and (id, day)."""

    business: Mapping[int, int] = field(default_factory=dict)
    services: Mapping[tuple[int, int], int] = field(default_factory=dict)
    staff: Mapping[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Everything about the days from ``from_on`` to ``until_on`` (excluded), which are local dates of each location.

    ``now_minute`` is the first whole minute that is not past. Claims in ``busy`` are at most ``MAX_CLAIM_MINUTES``
    long.
    """

    now_minute: int
    from_on: date
    until_on: date
    locations: Mapping[int, LocationFacts]
    variants: Mapping[int, VariantFacts]
    staff: Mapping[int, StaffFacts]
    busy: Mapping[int, Busy]
    time_off: Mapping[int, tuple[Interval, ...]]
    held: Sequence[HeldClaim] = ()
    business_daily_limit: int | None = None
    counts: Counts = field(default_factory=Counts)
    # What the engine has computed from these facts, so that marks and times of one page share it.
    answers: dict[Any, Any] = field(default_factory=dict, repr=False)
