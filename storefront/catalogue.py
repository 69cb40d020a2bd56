"""The catalogue as public pages show it, in the active language: public services, lengths, staff, places.

It knows nothing about free time. Raw SQL, because the picker is the most requested page: one statement that returns one
document takes a fifth of the time of the six queries it replaces.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.storage import default_storage
from django.db import connection

from core.texts import text_of
from services.enums import Delivery, PaymentMode
from services.models import Closure, OpeningHours
from services.queries import BOOKING_POLICY_ID, CANCELLATION_POLICY_ID


@dataclass(frozen=True, slots=True)
class PublicBusiness:
    """The business as customers see it."""

    name: str
    tagline: str
    staff_word: str
    currency: str
    brand_colour: str
    phone: str
    is_booking_paused: bool
    paused_message: str


@dataclass(frozen=True, slots=True)
class Person:
    """A staff member. ``tone`` picks the colour of the initials that replace a photo. ``languages`` are the names of
    spoken languages, in the active language.
    """

    id: int
    slug: str
    name: str
    full_name: str
    picture_url: str
    tone: int
    bio: str = ""
    languages: str = ""


@dataclass(frozen=True, slots=True)
class VariantOffer:
    """A length and price. ``prices`` (minor units) and ``lengths`` (minutes) are by staff member id; both are empty for
    a service without staff.

    ``is_plus_tax``: prices are net, and tax is added.
    """

    id: int
    name: str
    minutes: int
    price_minor: int
    prices: dict[int, int]
    is_plus_tax: bool = False
    lengths: dict[int, int] = field(default_factory=dict)


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
    payment_mode: PaymentMode = PaymentMode.VENUE
    needs_answer: bool = False
    delivery: Delivery = Delivery.LOCATION

    @property
    def names_place(self) -> bool:
        """Whether every time names its place: customers come to the business, and it offers this at several places."""
        return self.delivery == Delivery.LOCATION and len(self.location_ids) > 1

    @property
    def is_performed(self) -> bool:
        """Whether customers can book it: it has a length, a place with the rooms and devices it needs, and a staff
        member if it needs one.
        """
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
    business: PublicBusiness
    places: tuple[Place, ...]
    categories: tuple[tuple[int, str, str], ...]  # id, slug, name
    services: tuple[ServiceOffer, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """Weekly hours of one place as (weekday, start, end) in wall minutes. ``today`` replaces them on the asked date.

    ``reason`` is why, in the words of the business.
    """

    weekly: tuple[tuple[int, int, int], ...]
    today: tuple[tuple[int, int], ...] | None
    reason: str = ""


def business_and_places() -> tuple[PublicBusiness, tuple[Place, ...]] | None:
    """Return the business and its places for the frame of a page; None before the setup. One query."""
    found = _read(_FRAME, [])
    return (_business(found["business"]), _places(found["places"])) if found["business"] else None


def catalogue(*, slug: str | None = None) -> Catalogue | None:
    """Return every public service, bookable or not, or only the one with ``slug``; None before the setup. One query."""
    found = _read(_CATALOGUE, [slug, slug])
    if not found["business"]:
        return None
    categories = {row["category_id"]: row for row in found["services"]}
    people = {row["id"]: _person(row) for row in found["people"]}
    return Catalogue(
        business=_business(found["business"]),
        places=_places(found["places"]),
        categories=tuple(
            (key, row["category_slug"], text_of(row["category"], "name")) for key, row in categories.items()
        ),
        services=tuple(_service(row, people) for row in found["services"]),
    )


def openings(today_of: dict[int, date]) -> dict[int, Opening]:
    """Return opening hours by location id. ``today_of`` is the local date of each place by its id. Two queries."""
    weekly: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    hours = OpeningHours.objects.filter(location__in=today_of).values_list(
        "location_id", "weekday", "start_minute", "end_minute"
    )
    for location_id, weekday, start, end in hours:
        weekly[location_id].append((weekday, start, end))
    special: dict[int, list[tuple[int, int]]] = {}
    reasons: dict[int, str] = {}
    closures: Any = Closure.objects.filter(location__in=today_of, on__in=set(today_of.values()))
    for location_id, on, start, end, reason in closures.values_list(
        "location_id", "on", "start_minute", "end_minute", "reason"
    ):
        if on == today_of[location_id]:
            special.setdefault(location_id, []).extend([(start, end)] if start is not None else [])
            reasons[location_id] = reason
    return {
        key: Opening(tuple(weekly[key]), tuple(special[key]) if key in special else None, reasons.get(key, ""))
        for key in today_of
    }


# --- reading -------------------------------------------------------------------------------------------------------

_BUSINESS = """(
    SELECT json_build_object(
        'name', b.name, 'tagline', b.tagline, 'staff_word', b.staff_word, 'translations', b.translations,
        'currency', b.currency, 'brand_colour', b.brand_colour, 'phone', b.phone,
        'is_booking_paused', b.is_booking_paused, 'paused_message', b.paused_message)
    FROM services_business b)"""

_PLACES = """(
    SELECT coalesce(json_agg(json_build_object(
        'id', l.id, 'slug', l.slug, 'name', l.name, 'translations', l.translations, 'address', l.address,
        'directions_url', l.directions_url, 'phone', l.phone, 'time_zone', l.time_zone
        ) ORDER BY l.position, l.name), '[]')
    FROM services_location l WHERE l.is_active)"""

_FRAME = f"SELECT json_build_object('business', {_BUSINESS}, 'places', {_PLACES})::text"

_CATALOGUE = f"""
WITH asked AS (
    SELECT s.* FROM services_service s WHERE s.visibility = 'public' AND (%s::text IS NULL OR s.slug = %s::text)
), qualified AS (
    SELECT v.id AS variant_id, m.id AS staff_member_id,
        coalesce(q.price_minor, v.price_minor) AS price_minor,
        coalesce(q.work_minutes, v.work_minutes) + v.processing_minutes + v.finish_minutes AS minutes,
        m.position, m.name
    FROM asked s
    JOIN services_servicevariant v ON v.service_id = s.id AND v.is_active
    JOIN staff_qualification q ON q.variant_id = v.id
    JOIN staff_staffmember m ON m.id = q.staff_member_id AND m.is_active
)
SELECT json_build_object(
    'business', {_BUSINESS},
    'places', {_PLACES},
    'people', (
        SELECT coalesce(json_agg(json_build_object(
            'id', m.id, 'slug', m.slug, 'name', m.name, 'short_name', m.short_name, 'translations', m.translations,
            'picture', m.picture, 'position', m.position, 'bio', m.bio,
            'spoken_languages', m.spoken_languages) ORDER BY m.position, m.name), '[]')
        FROM staff_staffmember m WHERE m.id IN (SELECT staff_member_id FROM qualified)),
    'services', (
        SELECT coalesce(json_agg(json_build_object(
            'id', s.id, 'slug', s.slug, 'name', s.name, 'summary', s.summary, 'description', s.description,
            'translations', s.translations, 'picture', s.picture, 'icon', s.icon, 'needs_staff', s.needs_staff,
            'delivery', s.delivery, 'category_id', c.id, 'category_slug', c.slug,
            'category', json_build_object('name', c.name, 'translations', c.translations),
            'horizon_days', bp.horizon_days, 'needs_answer', s.needs_answer,
            'payment_mode', coalesce(nullif(s.payment_mode, ''), cp.payment_mode, 'venue'),
            'location_ids', (
                SELECT coalesce(json_agg(l.id ORDER BY l.position, l.name), '[]')
                FROM services_service_locations sl JOIN services_location l ON l.id = sl.location_id AND l.is_active
                WHERE sl.service_id = s.id AND NOT EXISTS (
                    SELECT FROM services_resourcerequirement r
                    WHERE r.service_id = s.id AND r.quantity > (
                        SELECT count(*) FROM services_resource o
                        WHERE o.resource_type_id = r.resource_type_id AND o.location_id = l.id AND o.is_active))),
            'variants', (
                SELECT coalesce(json_agg(json_build_object(
                    'id', v.id, 'name', v.name, 'translations', v.translations, 'price_minor', v.price_minor,
                    'minutes', v.work_minutes + v.processing_minutes + v.finish_minutes,
                    'is_plus_tax', NOT b.prices_include_tax AND s.tax_basis_points > 0,
                    'prices', (
                        SELECT coalesce(json_agg(
                            json_build_array(q.staff_member_id, q.price_minor, q.minutes) ORDER BY q.position, q.name
                            ), '[]')
                        FROM qualified q WHERE q.variant_id = v.id)
                    ) ORDER BY v.position, v.work_minutes, v.id), '[]')
                FROM services_servicevariant v WHERE v.service_id = s.id AND v.is_active)
            ) ORDER BY c.position, c.name, s.position, s.name), '[]')
        FROM asked s
        JOIN services_category c ON c.id = s.category_id
        CROSS JOIN services_business b
        JOIN services_bookingpolicy bp ON bp.id = {BOOKING_POLICY_ID}
        LEFT JOIN services_cancellationpolicy cp
            ON cp.id = {CANCELLATION_POLICY_ID})
)::text
"""  # noqa: S608 (constants of ours)
# psycopg reads a text of more than 4096 characters anew each time.
_CATALOGUE = " ".join(_CATALOGUE.split())


def _read(statement: str, parameters: Sequence[Any]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: dict[str, Any] = json.loads(cursor.fetchone()[0])
    return found


def _business(row: Mapping[str, Any]) -> PublicBusiness:
    return PublicBusiness(
        name=text_of(row, "name"),
        tagline=text_of(row, "tagline"),
        staff_word=text_of(row, "staff_word"),
        currency=row["currency"],
        brand_colour=row["brand_colour"],
        phone=row["phone"],
        is_booking_paused=row["is_booking_paused"],
        paused_message=text_of(row, "paused_message"),
    )


def _places(rows: Sequence[Mapping[str, Any]]) -> tuple[Place, ...]:
    return tuple(
        Place(
            id=row["id"],
            slug=row["slug"],
            name=text_of(row, "name"),
            address=row["address"],
            directions_url=row["directions_url"],
            phone=row["phone"],
            zone=ZoneInfo(row["time_zone"]),
        )
        for row in rows
    )


def _service(row: Mapping[str, Any], people: Mapping[int, Person]) -> ServiceOffer:
    variants = tuple(_variant(variant) for variant in row["variants"])
    performing = {person_id for variant in variants for person_id in variant.prices}
    return ServiceOffer(
        id=row["id"],
        slug=row["slug"],
        name=text_of(row, "name"),
        summary=text_of(row, "summary"),
        description=text_of(row, "description"),
        picture_url=_media_url(row["picture"]),
        icon=row["icon"],
        category_id=row["category_id"],
        needs_staff=row["needs_staff"],
        location_ids=tuple(row["location_ids"]),
        variants=variants,
        people=tuple(person for key, person in people.items() if key in performing),
        horizon_days=row["horizon_days"],
        payment_mode=PaymentMode(row["payment_mode"]),
        needs_answer=row["needs_answer"],
        delivery=Delivery(row["delivery"]),
    )


def _variant(row: Mapping[str, Any]) -> VariantOffer:
    return VariantOffer(
        id=row["id"],
        name=text_of(row, "name"),
        minutes=row["minutes"],
        price_minor=row["price_minor"],
        prices={person_id: price_minor for person_id, price_minor, _ in row["prices"]},
        is_plus_tax=row["is_plus_tax"],
        lengths={person_id: minutes for person_id, _, minutes in row["prices"]},
    )


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        id=row["id"],
        slug=row["slug"],
        name=text_of(row, "short_name"),
        full_name=text_of(row, "name"),
        picture_url=_media_url(row["picture"]),
        tone=row["position"],
        bio=text_of(row, "bio"),
        languages=text_of(row, "spoken_languages"),
    )


def _media_url(path: str) -> str:
    return default_storage.url(path) if path else ""
