"""What is sold, as one row: everything that is copied onto a booking when its time is held."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from bookings.rules.terms import Terms, terms_of
from services.queries import BOOKING_POLICY_ID, CANCELLATION_POLICY_ID
from services.values import POLICY_FIELDS, PaymentOverride, overridden, policy_values


@dataclass(frozen=True, slots=True)
class ChosenExtra:
    id: int
    name: str
    price_minor: int
    extra_minutes: int
    is_paid_at_visit: bool = True

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant at a location as it stands now, in one language. Durations are minutes, money is minor units."""

    variant_id: int
    variant_name: str
    is_variant_active: bool
    service_id: int
    service_name: str
    preparation: str
    visibility: str
    delivery: str
    max_party_size: int
    tax_basis_points: int
    location_id: int
    is_at_location: bool
    zone: ZoneInfo
    currency: str
    prices_include_tax: bool
    is_paused: bool
    paused_message: str
    has_service_limit: bool
    has_business_limit: bool
    hold_minutes: int
    needs_answer: bool
    terms: Terms
    resource_type_ids: tuple[int, ...]
    qualified_count: int
    extras: tuple[ChosenExtra, ...]


# Raw SQL, because it is part of every hold: one statement instead of eight.
_OFFER = (
    """
SELECT json_build_object(
    'variant', json_build_object(
        'id', v.id, 'name', v.name, 'translations', v.translations, 'is_active', v.is_active),
    'service', json_build_object(
        'id', s.id, 'name', s.name, 'preparation', s.preparation, 'translations', s.translations,
        'visibility', s.visibility, 'delivery', s.delivery, 'max_party_size', s.max_party_size,
        'tax_basis_points', s.tax_basis_points, 'has_limit', s.daily_limit IS NOT NULL,
        'needs_answer', s.needs_answer),
    'payment', json_build_object(
        'payment_mode', s.payment_mode, 'deposit_kind', s.deposit_kind, 'deposit_value', s.deposit_value),
    'location', json_build_object(
        'time_zone', l.time_zone,
        'is_offered', l.is_active AND EXISTS (
            SELECT 1 FROM services_service_locations sl WHERE sl.service_id = s.id AND sl.location_id = l.id)),
    'business', json_build_object(
        'currency', b.currency, 'prices_include_tax', b.prices_include_tax, 'is_paused', b.is_booking_paused,
        'paused_message', b.paused_message, 'translations', b.translations, 'has_limit', b.daily_limit IS NOT NULL),
    'hold_minutes', bp.hold_minutes,
    'policy', CASE WHEN cp.id IS NOT NULL THEN json_build_object(
        'tiers', (SELECT coalesce(json_agg(json_build_array(t.until_minutes_before, t.fee_kind, t.fee_value)), '[]')
            FROM services_cancellationtier t WHERE t.policy_id = cp.id),
        'columns', json_build_object({policy_columns})) END,
    'resource_type_ids', (SELECT coalesce(json_agg(r.resource_type_id), '[]')
        FROM services_resourcerequirement r WHERE r.service_id = s.id),
    'qualified_count', (SELECT count(*) FROM staff_qualification q
        JOIN staff_staffmember m ON m.id = q.staff_member_id AND m.is_active WHERE q.variant_id = v.id),
    'extras', (SELECT coalesce(json_agg(json_build_object(
            'id', a.id, 'name', a.name, 'translations', a.translations, 'price_minor', a.price_minor,
            'extra_minutes', a.extra_minutes, 'is_paid_at_visit', a.is_paid_at_visit) ORDER BY a.position, a.id), '[]')
        FROM services_addon a WHERE a.service_id = s.id AND a.is_active)
)::text
FROM services_servicevariant v
JOIN services_service s ON s.id = v.service_id
JOIN services_category c ON c.id = s.category_id
JOIN services_location l ON l.id = %s
CROSS JOIN services_business b
JOIN services_bookingpolicy bp ON bp.id = {booking_policy_id}
LEFT JOIN services_cancellationpolicy cp
    ON cp.id = {cancellation_policy_id}
WHERE v.id = %s
""".replace("{booking_policy_id}", BOOKING_POLICY_ID)
    .replace("{cancellation_policy_id}", CANCELLATION_POLICY_ID)
    .replace("{policy_columns}", ", ".join(f"'{name}', cp.{name}" for name in POLICY_FIELDS))
)


def offer_for(*, variant_id: int, location_id: int, add_on_ids: Sequence[int], language: str) -> Offer | None:
    """Read the offer in one statement; None when the variant or the location does not exist.

    ``extras`` has only those of ``add_on_ids`` that exist; the caller compares the count.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OFFER, [location_id, variant_id])
        row = cursor.fetchone()
    return _offer(json.loads(row[0]), location_id, add_on_ids, language) if row else None


def _offer(values: Mapping[str, Any], location_id: int, add_on_ids: Sequence[int], language: str) -> Offer:
    variant, service, business = values["variant"], values["service"], values["business"]
    return Offer(
        variant_id=variant["id"],
        variant_name=_text(variant, "name", language),
        is_variant_active=variant["is_active"],
        service_id=service["id"],
        service_name=_text(service, "name", language),
        preparation=_text(service, "preparation", language),
        visibility=service["visibility"],
        delivery=service["delivery"],
        max_party_size=service["max_party_size"],
        tax_basis_points=service["tax_basis_points"],
        location_id=location_id,
        is_at_location=values["location"]["is_offered"],
        zone=ZoneInfo(values["location"]["time_zone"]),
        currency=business["currency"],
        prices_include_tax=business["prices_include_tax"],
        is_paused=business["is_paused"],
        paused_message=_text(business, "paused_message", language),
        has_service_limit=service["has_limit"],
        has_business_limit=business["has_limit"],
        hold_minutes=values["hold_minutes"],
        needs_answer=service["needs_answer"],
        terms=_terms(values),
        resource_type_ids=tuple(values["resource_type_ids"]),
        qualified_count=values["qualified_count"],
        extras=tuple(_extra(extra, language) for extra in values["extras"] if extra["id"] in add_on_ids),
    )


def _terms(values: Mapping[str, Any]) -> Terms:
    policy = values["policy"]
    found = policy_values(policy["columns"], policy["tiers"]) if policy else None
    return terms_of(overridden(found, PaymentOverride(**values["payment"])))


def _extra(extra: Mapping[str, Any], language: str) -> ChosenExtra:
    return ChosenExtra(
        id=extra["id"],
        name=_text(extra, "name", language),
        price_minor=extra["price_minor"],
        extra_minutes=extra["extra_minutes"],
        is_paid_at_visit=extra["is_paid_at_visit"],
    )


def _text(row: Mapping[str, Any], field: str, language: str) -> str:
    """Return a text as ``TranslatedTexts.text`` does.

    The requested language comes first, then its base language, then the business's own text.
    """
    for code in (language, language.split("-", maxsplit=1)[0]):
        if found := row["translations"].get(code, {}).get(field):
            return str(found)
    return str(row[field])
