"""Popular services: the shortest one of each staff member decides which gaps can still be sold."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection

from bookings.availability.gaps import Filler
from bookings.enums import AGREED
from core.reads import sql_values

_LOOK_BACK = timedelta(days=90)
# A service is popular with at least this share of the bookings of a location.
_POPULAR = 0.1

_SOLD = f"""
WITH counted AS MATERIALIZED (
    SELECT n.variant_id, count(*) AS times
    FROM bookings_booking b
    JOIN bookings_bookingline n ON n.booking_id = b.id
    WHERE b.location_id = %(location)s AND b.starts_at >= %(since)s AND b.starts_at < %(now)s
      AND b.status IN {sql_values(AGREED)}
    GROUP BY n.variant_id
)
SELECT q.staff_member_id,
       s.buffer_before_minutes + coalesce(q.work_minutes, v.work_minutes) + v.processing_minutes + v.finish_minutes
           + s.buffer_after_minutes,
       coalesce(q.price_minor, v.price_minor), coalesce(c.times, 0),
       (SELECT coalesce(sum(times), 0) FROM counted)
FROM staff_qualification q
JOIN staff_staffmember m ON m.id = q.staff_member_id AND m.is_active
JOIN services_servicevariant v ON v.id = q.variant_id AND v.is_active
JOIN services_service s ON s.id = v.service_id AND s.visibility <> 'archived'
JOIN services_service_locations l ON l.service_id = s.id AND l.location_id = %(location)s
LEFT JOIN counted c ON c.variant_id = v.id
"""  # noqa: S608 (our own text)


def fillers_at(location_id: int, now: datetime) -> Mapping[int, Filler]:
    """Return by staff member the shortest popular service that they perform at a location.

    Popular means booked often in the last three months; without any popular service, the shortest of all counts. Runs
    one query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SOLD, {"location": location_id, "since": now - _LOOK_BACK, "now": now})
        rows = cursor.fetchall()
    shortest: dict[int, tuple[bool, int, int]] = {}
    for staff_member_id, minutes, price_minor, times, all_times in rows:
        is_rare = not times or times < _POPULAR * float(all_times)
        ranked = (is_rare, minutes, price_minor)
        shortest[staff_member_id] = min(ranked, shortest.get(staff_member_id, ranked))
    return {staff_id: Filler(minutes, price_minor) for staff_id, (_, minutes, price_minor) in shortest.items()}
