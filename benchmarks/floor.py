"""The floors that our figures are divided by: the least that PostgreSQL must do for the same answer."""

from datetime import date, timedelta

# Every start of the month at which any therapist is free for an hour, in one statement.
# MATERIALIZED keeps the planner from computing the free time again for each start.
MONTH_ANY = """
WITH days AS MATERIALIZED (
    SELECT d FROM generate_series({first}::timestamp, {last}::timestamp - interval '1 day', interval '1 day') d
), hours AS MATERIALIZED (
    SELECT sm.resource_id, range_agg(tstzrange(
        (d + make_interval(mins => w.start_minute)) AT TIME ZONE l.time_zone,
        (d + make_interval(mins => w.end_minute)) AT TIME ZONE l.time_zone)) AS working
    FROM staff_qualification q
    JOIN staff_staffmember sm ON sm.id = q.staff_member_id AND sm.is_active
    JOIN staff_workinghours w ON w.staff_member_id = sm.id
    JOIN services_location l ON l.id = w.location_id
    JOIN days ON extract(isodow FROM d) - 1 = w.weekday
    WHERE q.variant_id = {variant}
    GROUP BY sm.resource_id
), taken AS MATERIALIZED (
    SELECT resource_id, range_agg(busy) AS busy FROM bookings_allocation
    WHERE resource_id IN (SELECT resource_id FROM hours)
        AND busy && tstzrange({first}::timestamptz - interval '1 day', {last}::timestamptz + interval '1 day')
    GROUP BY resource_id
), free AS MATERIALIZED (
    SELECT unnest(h.working - coalesce(t.busy, '{{}}'::tstzmultirange)) AS span
    FROM hours h LEFT JOIN taken t USING (resource_id)
)
SELECT DISTINCT start FROM free, generate_series(
    to_timestamp(ceil(extract(epoch FROM lower(span)) / 900) * 900), upper(span) - interval '60 min', interval '15 min'
) start
ORDER BY start
"""


def month_from(today: date) -> tuple[date, date]:
    """The asked month: 31 days from the day after tomorrow, end excluded."""
    first = today + timedelta(days=2)
    return first, first + timedelta(days=31)
