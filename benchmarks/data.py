"""The benchmark's business: N therapists, one 60-minute service on a 15-minute grid, Monday to Friday 9 to 17.

60 % of the next 60 days are booked, and the past holds as many bookings as asked. Rows are written by SQL, because a
million of them through Python would take the whole afternoon.
"""

from datetime import date

from django.db import connection

from services.models import (
    BookingPolicy,
    Business,
    Category,
    Location,
    OpeningHours,
    Resource,
    Service,
    ServiceVariant,
)
from staff.models import Qualification, StaffMember, WorkingHours

NINE, SEVENTEEN = 540, 1020
BOOKED_PERCENT = 60

_BOOKINGS = """
WITH staff AS (
    SELECT sm.id, sm.resource_id, row_number() OVER (ORDER BY sm.id) - 1 AS n FROM staff_staffmember sm
), places AS MATERIALIZED (
    SELECT p.*, nextval(pg_get_serial_sequence('bookings_booking', 'id')) AS id FROM ({places}) p
), made AS (
    INSERT INTO bookings_booking (id, reference, status, is_hold_extended, location_id, starts_at, ends_at,
        is_any_staff, party_size, channel, language, contact_name, contact_email, contact_phone, phone_hash,
        customer_note, visitor_hash, address_hash, delivery, visit_address, meeting_url, currency, total_minor,
        tax_minor, prices_include_tax, terms,
        customer_move_count, fee_anchor_minor, cancelled_by, ical_sequence, link_version, staff_link_version,
        payment_mode, due_now_minor, is_payment_waived, created_at, updated_at)
    SELECT p.id, lpad(upper(to_hex(p.id)), 6, '0'), %(status)s, false, %(location)s, p.starts_at,
        p.starts_at + interval '60 min', true, 1, 'web', 'en', 'Guest',
        'guest' || mod(p.id, 20000) || '@example.com', '', '', '', '', '',
        'location', '', '', 'EUR', 8000, 1277, true, '{{}}', 0, 0, '', 0, 1, 1, '', 0, false,
        p.starts_at, p.starts_at
    FROM places p
), line AS (
    INSERT INTO bookings_bookingline (booking_id, position, variant_id, staff_member_id, service_name, variant_name,
        preparation, starts_at, ends_at, phases, buffer_before_minutes, buffer_after_minutes, requirements, price_minor,
        add_ons, tax_basis_points)
    SELECT p.id, 0, %(variant)s, p.staff_id, 'Massage', '', '', p.starts_at, p.starts_at + interval '60 min',
        '[["work", 60]]', 0, 0, '[]', 8000, '[]', 1900
    FROM places p
)
INSERT INTO bookings_allocation (resource_id, busy, booking_id)
SELECT s.resource_id, tstzrange(p.starts_at, p.starts_at + interval '60 min'), p.id
FROM places p JOIN staff s ON s.id = p.staff_id
"""

_FUTURE = """
    SELECT s.id AS staff_id, (d + make_interval(hours => h)) AT TIME ZONE 'Europe/Berlin' AS starts_at
    FROM staff s,
        generate_series(%(today)s::timestamp, %(today)s::timestamp + interval '60 days', interval '1 day') d,
        generate_series(9, 16) h
    WHERE extract(isodow FROM d) < 6 AND ('x' || substr(md5(s.id::text || d::text || h::text), 1, 4))::bit(16)::int
        %% 100 < %(percent)s"""

_PAST = """
    SELECT s.id AS staff_id, (%(today)s::timestamp - make_interval(days => 1 + (i / %(staff)s)::int / 24,
        hours => (i / %(staff)s)::int %% 24)) AT TIME ZONE 'UTC' AS starts_at
    FROM generate_series(%(first)s::int, %(last)s::int) i JOIN staff s ON s.n = i %% %(staff)s"""


_WHOLE_DAY = """
    SELECT s.id AS staff_id,
        (%(today)s::timestamp + make_interval(hours => h)) AT TIME ZONE 'Europe/Berlin' AS starts_at
    FROM staff s, generate_series(7, 16) h"""


def fill_day(on: date) -> None:
    """Give every therapist ten bookings on a day of which nothing is booked yet."""
    values = {
        "today": on,
        "location": Location.objects.values_list("pk", flat=True).get(),
        "variant": ServiceVariant.objects.values_list("pk", flat=True).get(),
        "status": "confirmed",
    }
    with connection.cursor() as cursor:
        cursor.execute(_BOOKINGS.format(places=_WHOLE_DAY), values)
        cursor.execute("ANALYZE")


def fill(*, staff_count: int, past_bookings: int, today: date) -> int:
    """Write the business into an empty migrated database and return the variant's id."""
    policy = BookingPolicy.objects.create(name="Benchmark", lead_minutes=0, horizon_days=90, slot_interval_minutes=15)
    Business.objects.create(id=1, name="Benchmark Studio", booking_policy=policy)
    place = Location.objects.create(name="Berlin", slug="berlin", time_zone="Europe/Berlin")
    OpeningHours.objects.bulk_create(
        OpeningHours(location=place, weekday=day, start_minute=NINE, end_minute=SEVENTEEN) for day in range(5)
    )
    service = Service.objects.create(
        category=Category.objects.create(name="Massage", slug="massage"), name="Massage", slug="massage"
    )
    service.locations.add(place)
    variant = ServiceVariant.objects.create(service=service, work_minutes=60, price_minor=8000)
    _hire(staff_count, variant, place)
    values = {
        "today": today,
        "location": place.pk,
        "variant": variant.pk,
        "staff": staff_count,
        "percent": BOOKED_PERCENT,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(_BOOKINGS.format(places=_FUTURE), {**values, "status": "confirmed"})
        for first in range(0, past_bookings, 100_000):
            last = min(first + 100_000, past_bookings) - 1
            cursor.execute(
                _BOOKINGS.format(places=_PAST), {**values, "status": "completed", "first": first, "last": last}
            )
        cursor.execute("RESET synchronous_commit")
        cursor.execute("VACUUM ANALYZE")
    return variant.pk


def _hire(staff_count: int, variant: ServiceVariant, place: Location) -> None:
    resources = Resource.objects.bulk_create(
        Resource(kind="person", name=f"Therapist {number}") for number in range(staff_count)
    )
    people = StaffMember.objects.bulk_create(
        StaffMember(
            resource=resource,
            name=resource.name,
            short_name=resource.name,
            slug=f"staff-{resource.pk}",
            email=f"staff{resource.pk}@example.com",
        )
        for resource in resources
    )
    Qualification.objects.bulk_create(Qualification(staff_member=person, variant=variant) for person in people)
    WorkingHours.objects.bulk_create(
        WorkingHours(staff_member=person, location=place, weekday=day, start_minute=NINE, end_minute=SEVENTEEN)
        for person in people
        for day in range(5)
    )
