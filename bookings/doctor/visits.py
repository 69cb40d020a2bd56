"""Invariants of bookings and the time they claim. Reads only; reports ids and references, no personal data."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max

from bookings.availability.claims import Claim, PlacedLine, claims_for
from bookings.booked import spec_of_line
from bookings.doctor import money
from bookings.enums import AGREED, CALLED_OFF, CLAIMING, EXPIRING, BookingStatus
from bookings.models import Allocation, Booking, BookingLine
from bookings.reported_money import HAS_REPORTED_FEE, HAS_REPORTED_MONEY
from core.doctor import Check, sql_check
from core.minutes import minute_of
from core.reads import sql_values
from staff.hours import day_of

# The sweep runs every 15 seconds. No booking depends on it, but it must not stop.
SWEEP_LIMIT = timedelta(seconds=60)
# As long as a time is kept while Stripe does not answer, and one sweep.
UNHEARD_LIMIT = timedelta(minutes=16)
# Bookings are checked in batches of this size, so that years of them need little memory.
BATCH = 5000
_query = partial(
    sql_check,
    ago={"swept": SWEEP_LIMIT, "unheard": UNHEARD_LIMIT},
    values={"claiming": list(CLAIMING), "expiring": list(EXPIRING)},
)
_NEVER_AGREED = EXPIRING | (CALLED_OFF - {BookingStatus.CANCELLED})

overlapping_claims = _query("""
SELECT format('allocations %%s and %%s of resource %%s overlap', a.id, b.id, a.resource_id)
FROM bookings_allocation a
JOIN bookings_allocation b ON b.resource_id = a.resource_id AND b.id > a.id AND b.busy && a.busy
""")

claims_without_right = _query("""
SELECT format('booking %%s is %%s and still has %%s allocations', b.id, b.status, count(*))
FROM bookings_booking b JOIN bookings_allocation a ON a.booking_id = b.id
WHERE b.status <> ALL(%(claiming)s) GROUP BY b.id
""")


def claims_unlike_lines(now: datetime) -> list[str]:
    """Compute the claims of every booking again from its lines, and compare them with the stored allocations."""
    last_id = Booking.objects.aggregate(last=Max("id"))["last"] or 0
    return [line for first in range(0, last_id + 1, BATCH) for line in _claims_unlike_lines(first, first + BATCH)]


def _claims_unlike_lines(first_id: int, until_id: int) -> list[str]:
    stored: defaultdict[int, Counter[Claim]] = defaultdict(Counter)
    types: dict[int, int | None] = {}
    batch = {"booking_id__gte": first_id, "booking_id__lt": until_id, "booking__status__in": CLAIMING}
    claims = Allocation.objects.filter(**batch).values_list(
        "booking_id", "resource_id", "low_minute", "high_minute", "resource__resource_type_id"
    )
    for booking_id, resource_id, low, high, type_id in claims:
        stored[booking_id][Claim(resource_id, low, high)] += 1
        types[resource_id] = type_id
    lines: defaultdict[int, list[BookingLine]] = defaultdict(list)
    for line in BookingLine.objects.filter(**batch).select_related("staff_member"):
        lines[line.booking_id].append(line)
    return [
        f"booking {booking_id} claims {sorted(stored[booking_id].elements())} but needs {expected}"
        for booking_id, own in sorted(lines.items())
        if (expected := _needed(own, stored[booking_id], types)) != sorted(stored[booking_id].elements())
    ]


lines_unlike_booking = _query("""
SELECT format('booking %%s is not as long as its lines', b.id)
FROM bookings_booking b
LEFT JOIN (
    SELECT booking_id, min(starts_at) AS starts_at, max(ends_at) AS ends_at,
        bool_and(extract(epoch FROM ends_at - starts_at) / 60 = (
            SELECT sum((phase ->> 1)::int) FROM jsonb_array_elements(phases) phase)) AS is_exact
    FROM bookings_bookingline GROUP BY booking_id
) l ON l.booking_id = b.id
WHERE (l.starts_at, l.ends_at, l.is_exact) IS DISTINCT FROM (b.starts_at, b.ends_at, true)
""")

# A time whose payment state Stripe does not report is kept a little longer (operations.expiry).
overdue_holds = _query(f"""
SELECT format('booking %%s is %%s and ran out at %%s', b.id, b.status, b.hold_expires_at)
FROM bookings_booking b WHERE b.status = ANY(%(expiring)s) AND b.hold_expires_at < %(swept)s AND NOT (
    b.status = 'pending_payment' AND (
        EXISTS (SELECT FROM payments_payment p WHERE p.subject_ref = 'booking:' || b.id
            AND p.status IN ('created', 'open', 'processing') AND p.created_at > %(unheard)s)
        OR EXISTS (SELECT FROM payments_cardsetup c WHERE c.subject_ref = 'booking:' || b.id
            AND c.status IN ('created', 'open', 'processing') AND c.created_at > %(unheard)s)
        OR {HAS_REPORTED_MONEY.format(booking="b")}))
""")  # noqa: S608 (our own text)

overdue_proposals = _query(f"""
SELECT format('move proposal %%s of booking %%s ran out at %%s', m.id, m.booking_id, m.expires_at)
FROM bookings_moveproposal m WHERE m.expires_at < %(swept)s AND NOT {HAS_REPORTED_FEE.format(proposal="m")}
""")  # noqa: S608 (our own text)

moves_unlike_booking = _query("""
SELECT format('booking %%s starts at %%s but was moved to %%s', b.id, b.starts_at, moved.details #>> '{to,starts_at}')
FROM bookings_booking b
JOIN LATERAL (
    SELECT details FROM bookings_bookingevent e
    WHERE e.booking_id = b.id AND e.kind = 'moved' ORDER BY e.id DESC LIMIT 1
) moved ON (moved.details #>> '{to,starts_at}')::timestamptz IS DISTINCT FROM b.starts_at
""")

proposals_at_once = _query("""
SELECT format('booking %%s has %%s move proposals at once', booking_id, count(*))
FROM bookings_moveproposal WHERE expires_at > %(now)s GROUP BY booking_id HAVING count(*) > 1
""")

status_unlike_history = _query("""
SELECT format('booking %%s is %%s but its history ends with %%s', b.id, b.status, coalesce(last.to_status, 'nothing'))
FROM bookings_booking b
LEFT JOIN LATERAL (
    SELECT to_status FROM bookings_bookingevent e WHERE e.booking_id = b.id ORDER BY e.id DESC LIMIT 1
) last ON true
WHERE last.to_status IS DISTINCT FROM b.status
""")

broken_history = _query("""
SELECT format('event %%s of booking %%s goes on from %%s, but %%s came before', id, booking_id,
    coalesce(nullif(from_status, ''), 'nothing'), coalesce(previous, 'nothing'))
FROM (
    SELECT id, booking_id, kind, from_status, to_status,
        lag(to_status) OVER (PARTITION BY booking_id ORDER BY id) AS previous
    FROM bookings_bookingevent
) e
WHERE from_status <> coalesce(previous, '') OR (kind = 'status') = (from_status = to_status)
""")

_BOOKED = """
SELECT b.id, b.starts_at, l.time_zone, s.id, s.daily_limit, m.id, m.daily_limit, f.daily_limit
FROM bookings_booking b
JOIN services_business f ON f.id = 1
JOIN services_location l ON l.id = b.location_id
JOIN bookings_bookingline n ON n.booking_id = b.id
JOIN services_servicevariant v ON v.id = n.variant_id
JOIN services_service s ON s.id = v.service_id
LEFT JOIN staff_staffmember m ON m.id = n.staff_member_id
WHERE b.status = ANY(%(claiming)s) AND b.starts_at > %(now)s
    AND (b.status <> ALL(%(expiring)s) OR b.hold_expires_at > %(now)s)
    AND (f.daily_limit IS NOT NULL OR s.daily_limit IS NOT NULL OR m.daily_limit IS NOT NULL)
"""


def exceeded_limits(now: datetime) -> list[str]:
    """Find local days ahead with more bookings than a limit allows, by the same local days as availability.

    Only days ahead: a limit that was lowered later says nothing about the past.
    """
    parameters: dict[str, Any] = {"now": now, "claiming": list(CLAIMING), "expiring": list(EXPIRING)}
    found: defaultdict[tuple[int, str, int], set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED, parameters)
        for booking, at, zone, service, service_limit, person, person_limit, business_limit in cursor.fetchall():
            day = day_of(ZoneInfo(zone), minute_of(at))
            owners = {
                "the business": business_limit,
                f"service {service}": service_limit,
                f"staff member {person}": person_limit,
            }
            for owner, limit in owners.items():
                if limit is not None:
                    found[day, owner, limit].add(booking)
    return [
        f"{len(bookings)} bookings of {owner} on {date.fromordinal(day)}, the limit is {limit}"
        for (day, owner, limit), bookings in sorted(found.items())
        if len(bookings) > limit
    ]


unconfirmed_agreements = _query(f"""
SELECT format('booking %%s is %%s, confirmed at %%s', id, status, coalesce(confirmed_at::text, 'no time'))
FROM bookings_booking
WHERE status IN {sql_values(AGREED)} AND (confirmed_at IS NULL OR hold_expires_at IS NOT NULL)
    OR status IN {sql_values(_NEVER_AGREED)} AND confirmed_at IS NOT NULL
    OR (status = 'cancelled') <> (cancelled_at IS NOT NULL)
    OR (status = 'no_show') <> (missed_at IS NOT NULL)
""")  # noqa: S608 (constants of ours)

bookings_without_customer = _query("""
SELECT format('booking %%s is %%s and has no customer', id, status)
FROM bookings_booking
WHERE customer_id IS NULL AND contact_name <> '' AND status <> 'held' AND NOT (status = 'expired' AND payment_mode = '')
""")

CHECKS = [
    Check("I1", "No time of a resource is taken twice", overlapping_claims),
    Check("I1", "Every booking takes exactly the time that its lines need", claims_unlike_lines),
    Check("I2", "What is over, cancelled or declined takes no time", claims_without_right),
    Check("I4", "No hold outlives its end by more than a minute", overdue_holds),
    Check("I4", "No proposed move outlives its end by more than a minute", overdue_proposals),
    Check("I5", "Every booking is at the time to which it was last moved", moves_unlike_booking),
    Check("I5", "No booking has two proposed moves at once", proposals_at_once),
    Check("I6", "Every booking is as long as its lines, and they as their phases", lines_unlike_booking),
    Check("I9", "Every status is the last one of its history", status_unlike_history),
    Check("I9", "Every history goes on from where it was", broken_history),
    Check("I9", "What is agreed says since when, and nothing else does", unconfirmed_agreements),
    Check("I32", "No daily limit is exceeded", exceeded_limits),
    Check("I34", "Every booking has a customer", bookings_without_customer),
    *money.CHECKS,
]


def _needed(lines: Sequence[BookingLine], stored: Counter[Claim], types: dict[int, int | None]) -> list[Claim]:
    """Return the claims that the lines need, with the rooms and devices they have.

    A missing room or device shows as resource 0.
    """
    placed = []
    for line in lines:
        spec = spec_of_line(line)
        chosen: list[int] = []
        for type_id, quantity in spec.requirements:
            have = sorted({claim.resource_id for claim in stored if types[claim.resource_id] == type_id})
            chosen += (have + [0] * quantity)[:quantity]
        person_id = line.staff_member.resource_id if line.staff_member else None
        placed.append(PlacedLine(spec, minute_of(line.starts_at), person_id, tuple(chosen)))
    return sorted(claims_for(placed))
