"""What the public pages show of the catalogue, read in a fixed number of queries. Words come in the active language.

Only what a customer may see: public services, active variants, people and places. Nothing about free time.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from services.models import Business, Closure, Location, OpeningHours, Service, ServiceVariant
from staff.models import Qualification, StaffMember


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who performs services. ``tone`` picks the colour of the letters that stand for the face."""

    id: int
    slug: str
    name: str
    full_name: str
    picture_url: str
    tone: int


@dataclass(frozen=True, slots=True)
class VariantOffer:
    """A length and price. ``prices`` are those of the people who perform it, by their id; empty for a court."""

    id: int
    name: str
    minutes: int
    price_minor: int
    prices: dict[int, int]


@dataclass(frozen=True, slots=True)
class ServiceOffer:
    id: int
    slug: str
    name: str
    summary: str
    description: str
    picture_url: str
    icon: str
    category_id: int
    needs_staff: bool
    location_ids: tuple[int, ...]
    variants: tuple[VariantOffer, ...]
    people: tuple[Person, ...]
    horizon_days: int

    @property
    def is_performed(self) -> bool:
        """Whether there is anything to book: a length, a place, and somebody to do it where one is needed."""
        return bool(self.variants and self.location_ids and (self.people or not self.needs_staff))


@dataclass(frozen=True, slots=True)
class Place:
    id: int
    slug: str
    name: str
    address: str
    directions_url: str
    phone: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Catalogue:
    business: Business
    places: tuple[Place, ...]
    categories: tuple[tuple[int, str, str], ...]  # id, slug, name
    services: tuple[ServiceOffer, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """Weekly intervals of one place as (weekday, start, end) in wall minutes, and what replaces them on one date."""

    weekly: tuple[tuple[int, int, int], ...]
    today: tuple[tuple[int, int], ...] | None


def the_business() -> Business | None:
    """The business, with its rules of booking; None before anything was set up."""
    return Business.objects.select_related("booking_policy").first()


def active_places() -> tuple[Place, ...]:
    return tuple(
        Place(
            id=place.pk,
            slug=place.slug,
            name=place.text("name"),
            address=place.address,
            directions_url=place.directions_url,
            phone=place.phone,
            zone=ZoneInfo(place.time_zone),
        )
        for place in Location.objects.filter(is_active=True)
    )


def catalogue(business: Business, *, slug: str | None = None) -> Catalogue:
    """Read every public service, or with ``slug`` that one alone (5 queries either way)."""
    places = active_places()
    services = Service.objects.filter(visibility=Service.Visibility.PUBLIC).select_related("category", "booking_policy")
    if slug is not None:
        services = services.filter(slug=slug)
    chosen = list(services.order_by("category__position", "category__name", "position", "name"))
    offers = _offers(business, chosen, {place.id for place in places})
    categories = {service.category_id: service.category for service in chosen}
    return Catalogue(
        business=business,
        places=places,
        categories=tuple((key, each.slug, each.text("name")) for key, each in categories.items()),
        services=tuple(offers),
    )


def _offers(business: Business, services: Sequence[Service], place_ids: set[int]) -> list[ServiceOffer]:
    places_of = _places_of(services, place_ids)
    variants_of = defaultdict(list)
    for variant in ServiceVariant.objects.filter(service__in=services, is_active=True):
        variants_of[variant.service_id].append(variant)
    people_of, prices_of = _people_of(services)
    return [
        ServiceOffer(
            id=service.pk,
            slug=service.slug,
            name=service.text("name"),
            summary=service.text("summary"),
            description=service.text("description"),
            picture_url=service.picture.url if service.picture else "",
            icon=service.icon,
            category_id=service.category_id,
            needs_staff=service.needs_staff,
            location_ids=tuple(places_of[service.pk]),
            variants=tuple(_variant(each, prices_of[each.pk]) for each in variants_of[service.pk]),
            people=tuple(people_of[service.pk].values()),
            horizon_days=(service.booking_policy or business.booking_policy).horizon_days,
        )
        for service in services
    ]


def _places_of(services: Sequence[Service], place_ids: set[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    links = Service.locations.through.objects.filter(service__in=services)
    rows = links.order_by("location__position", "location__name").values_list("service_id", "location_id")
    for service_id, location_id in rows:
        if location_id in place_ids:
            found[service_id].append(location_id)
    return found


def _people_of(services: Sequence[Service]) -> tuple[dict[int, dict[int, Person]], dict[int, dict[int, int]]]:
    """People by service, and prices by variant and person."""
    people: dict[int, dict[int, Person]] = defaultdict(dict)
    prices: dict[int, dict[int, int]] = defaultdict(dict)
    rows = (
        Qualification.objects.filter(
            variant__service__in=services, variant__is_active=True, staff_member__is_active=True
        )
        .select_related("staff_member", "variant")
        .order_by("staff_member__position", "staff_member__name")
    )
    for row in rows:
        member, variant = row.staff_member, row.variant
        people[variant.service_id].setdefault(member.pk, _person(member))
        prices[variant.pk][member.pk] = variant.price_minor if row.price_minor is None else row.price_minor
    return people, prices


def _person(member: StaffMember) -> Person:
    return Person(
        id=member.pk,
        slug=member.slug,
        name=member.text("short_name"),
        full_name=member.text("name"),
        picture_url=member.picture.url if member.picture else "",
        tone=member.position,
    )


def _variant(variant: ServiceVariant, prices: dict[int, int]) -> VariantOffer:
    return VariantOffer(
        id=variant.pk,
        name=variant.text("name"),
        minutes=variant.duration_minutes,
        price_minor=variant.price_minor,
        prices=prices,
    )


def openings(today_of: dict[int, date]) -> dict[int, Opening]:
    """When places are open: ``today_of`` is the local date of each place by its id (2 queries)."""
    weekly: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    hours = OpeningHours.objects.filter(location__in=today_of).values_list(
        "location_id", "weekday", "start_minute", "end_minute"
    )
    for location_id, weekday, start, end in hours:
        weekly[location_id].append((weekday, start, end))
    special: dict[int, list[tuple[int, int]]] = {}
    closures: Any = Closure.objects.filter(location__in=today_of, on__in=set(today_of.values()))
    for location_id, on, start, end in closures.values_list("location_id", "on", "start_minute", "end_minute"):
        if on == today_of[location_id]:
            special.setdefault(location_id, []).extend([(start, end)] if start is not None else [])
    return {
        key: Opening(weekly=tuple(weekly[key]), today=tuple(special[key]) if key in special else None)
        for key in today_of
    }


def picker_url(slug: str) -> str:
    return reverse("picker", args=[slug])
