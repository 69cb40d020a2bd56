"""What the business knows about a customer who books: trust, blocks and missed visits.

It is read in the same statement as the lines, so that confirming costs one query.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.contact.same_phones import phone_hash
from bookings.enums import EXPECTED, WAITING
from bookings.lifecycle import Actor
from bookings.models import Booking, BookingLine
from core.reads import read_rows_beside, sql_values
from services.queries import BOOKING_POLICY_ID


@dataclass(frozen=True, slots=True)
class Standing:
    """What the business knows about the customer, and the booking policy that applies.

    ``is_blocked``: the business takes no online bookings from this address or phone number. ``is_exempt``: the customer
    is never asked to pay in advance. ``must_prepay``: the customer missed too many visits, if the business counts them
    (``looks_at_no_shows``). ``has_visit_then``: the browser that holds the time has another visit at that time with the
    same mailbox. Minutes are those of the booking policy.
    """

    needs_answer: bool
    hold_minutes: int
    lead_minutes: int
    is_blocked: bool
    is_exempt: bool
    must_prepay: bool
    looks_at_no_shows: bool
    has_visit_then: bool


class _Facts(NamedTuple):
    """The columns of ``_FACTS``: the first three belong to one line, the others are the same for all lines."""

    needs_answer: bool
    hold_minutes: int
    lead_minutes: int
    has_blocked_email: bool
    has_blocked_phone: bool
    is_exempt: bool
    must_prepay: bool
    looks_at_no_shows: bool
    has_visit_then: bool


# Only visits of the same browser count: a person who types a stranger's address must not learn of the stranger's
# visits.
_FACTS = f"""
s.needs_answer, p.hold_minutes, p.lead_minutes,
EXISTS (SELECT 1 FROM accounts_customer x WHERE x.is_blocked AND lower(x.email) = ANY(asked.emails)),
EXISTS (SELECT 1 FROM accounts_customer x WHERE x.is_blocked AND x.phone_hash = asked.phone AND asked.phone <> ''),
coalesce(c.is_prepayment_exempt OR (
    SELECT count(*) FROM bookings_booking d WHERE d.customer_id = c.id AND d.status = 'completed'
) >= b.trusted_after_visits, false),
CASE WHEN b.prepay_after_no_shows IS NULL THEN false ELSE (
    SELECT count(*) FROM bookings_booking m
    WHERE m.status = 'no_show' AND lower(m.contact_email) = ANY(asked.emails)
        AND m.starts_at > asked.now - make_interval(days => b.prepay_window_days)
) >= b.prepay_after_no_shows END,
b.prepay_after_no_shows IS NOT NULL,
EXISTS (
    SELECT 1 FROM bookings_booking own
    JOIN bookings_booking o ON lower(o.contact_email) = ANY(asked.emails) AND o.id <> own.id
        AND o.visitor_hash = own.visitor_hash AND o.starts_at < own.ends_at AND o.ends_at > own.starts_at
        AND (o.status IN {sql_values(EXPECTED)}
             OR o.status IN {sql_values(WAITING)} AND o.hold_expires_at > asked.now)
    WHERE own.id = bookings_bookingline.booking_id AND own.visitor_hash <> ''
)
"""  # noqa: S608 (our own text)

# Staff identify a customer by the address alone, and so does a browser that has proven the address. A record that the
# booking is linked to counts without that only if its address is proven. OFFSET 0 keeps the values in a row of their
# own: with plain parameters PostgreSQL would plan the statement anew each time.
_FROM = f"""
CROSS JOIN LATERAL (
    SELECT %s::text AS email, %s::text AS phone, %s::text[] AS emails, %s::timestamptz AS now, %s::boolean AS by_email,
        %s::bigint AS customer_id OFFSET 0
) asked
JOIN services_servicevariant v ON v.id = bookings_bookingline.variant_id
JOIN services_service s ON s.id = v.service_id
CROSS JOIN services_business b
JOIN services_bookingpolicy p ON p.id = {BOOKING_POLICY_ID}
LEFT JOIN accounts_customer c ON c.id = coalesce(asked.customer_id, CASE WHEN asked.by_email THEN
        (SELECT coalesce(k.merged_into_id, k.id) FROM accounts_customer k WHERE k.email_normalised = asked.email) END)
    AND (asked.by_email OR c.email_proven_at IS NOT NULL)
WHERE bookings_bookingline.booking_id = %s
ORDER BY bookings_bookingline.position
"""  # noqa: S608 (our own text)


def lines_and_standing(
    booking: Booking,
    *,
    email: str,
    phone: str,
    actor: Actor,
    is_known_by_email: bool,
    now: datetime,
    own_email: str = "",
) -> tuple[list[BookingLine], Standing]:
    """Read the lines of a booking and what is known about the customer with this address and phone number.

    ``own_email`` is the address of a signed-in customer: blocks and missed visits under it count as well, whatever
    address they give for this booking. Runs one statement.
    """
    email = normalised_email(email) if email else ""
    mailboxes = same_mailbox(email) + (same_mailbox(normalised_email(own_email)) if own_email else [])
    rows = read_rows_beside(
        BookingLine,
        _FACTS,
        _FROM,
        [email, phone_hash(phone), mailboxes, now, is_known_by_email, booking.customer_id, booking.pk],
    )
    of_lines = [_Facts(*of_line) for _, of_line in rows]
    facts = of_lines[0]
    is_blocked = bool((email or own_email) and facts.has_blocked_email) or facts.has_blocked_phone
    standing = Standing(
        needs_answer=any(each.needs_answer for each in of_lines),
        hold_minutes=max(each.hold_minutes for each in of_lines),
        lead_minutes=max(each.lead_minutes for each in of_lines),
        is_blocked=is_blocked and not actor.is_business,
        is_exempt=facts.is_exempt,
        must_prepay=facts.must_prepay,
        looks_at_no_shows=facts.looks_at_no_shows,
        has_visit_then=facts.has_visit_then,
    )
    return [line for line, _ in rows], standing
