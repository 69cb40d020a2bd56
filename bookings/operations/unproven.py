"""Limits how many website bookings may stand without proof that the customer owns the mailbox.

Visitors can type any address. Without a limit one browser could fill the calendar, and fill a stranger's mailbox with
our mails. Above the limit a booking is confirmed by a mailed link, which proves the mailbox.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.contact.mailboxes import normalised_email
from bookings.enums import WAITING
from bookings.models import Booking
from core.locks import one_at_a_time
from core.reads import sql_values
from core.references import keyed_hash


@dataclass(frozen=True, slots=True)
class Traces:
    """Pseudonyms by which unproven bookings are counted, and the mailbox itself; an empty one counts nothing."""

    email_normalised: str
    email: str
    phone: str
    visitor: str
    address: str


def traces_of(booking: Booking, *, email: str, phone: str) -> Traces:
    digits = "".join(character for character in phone if character.isdigit())
    normalised = normalised_email(email) if email else ""
    return Traces(
        email_normalised=normalised,
        email=_pseudonym("email", normalised),
        phone=_pseudonym("phone", digits),
        visitor=booking.visitor_hash,
        address=booking.address_hash,
    )


def may_stand_unproven(booking: Booking, traces: Traces, now: datetime) -> bool:
    """Return whether one more booking may stand for this mailbox, phone, visitor and network address.

    A mailbox that its owner has acted from before gets the larger UNPROVEN_BOOKINGS_OF_KNOWN. Locks the four names in a
    fixed order until the end of the transaction, so that two bookings at once are counted one after the other.
    """
    named = {
        "unproven-email": traces.email,
        "unproven-phone": traces.phone,
        "unproven-visitor": traces.visitor,
        "unproven-address": traces.address,
    }
    one_at_a_time(*(f"{name}:{trace}" for name, trace in named.items() if trace))
    email, phone, visitor, address, is_known = _counts(booking, traces, now)
    known: int = settings.UNPROVEN_BOOKINGS_OF_KNOWN if is_known else 0
    return (
        email < max(known, settings.UNPROVEN_BOOKINGS_PER_EMAIL)
        and phone < max(known, settings.UNPROVEN_BOOKINGS_PER_PHONE)
        and visitor < max(known, settings.UNPROVEN_BOOKINGS_PER_VISITOR)
        and address < settings.UNPROVEN_BOOKINGS_PER_ADDRESS
    )


_REMEMBER = """
INSERT INTO bookings_unprovenbooking
    (booking_id, email_hash, phone_hash, visitor_hash, address_hash, asked_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (booking_id) DO UPDATE SET email_hash = excluded.email_hash, phone_hash = excluded.phone_hash,
    visitor_hash = excluded.visitor_hash, address_hash = excluded.address_hash, asked_at = excluded.asked_at
"""


def remember_unproven(booking: Booking, traces: Traces, *, asked_at: datetime | None = None, now: datetime) -> None:
    """Count a booking until its mailbox is proven, it is paid, or it is over. Safe to repeat."""
    of = (traces.email, traces.phone, traces.visitor, traces.address)
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [booking.pk, *of, asked_at, now])


# Values come through a row of their own: with plain parameters PostgreSQL would plan the statement anew each time.
_COUNTS = f"""
WITH asked AS MATERIALIZED (
    SELECT %s::bigint AS booking_id, %s::text AS email, %s::text AS phone, %s::text AS visitor, %s::text AS address,
        %s::timestamptz AS now, %s::text AS email_normalised
), live AS (
    SELECT u.* FROM asked
    JOIN bookings_unprovenbooking u ON u.booking_id <> asked.booking_id AND (
        u.email_hash = asked.email AND u.email_hash <> '' OR u.phone_hash = asked.phone AND u.phone_hash <> ''
        OR u.visitor_hash = asked.visitor AND u.visitor_hash <> ''
        OR u.address_hash = asked.address AND u.address_hash <> '')
    JOIN bookings_booking b ON b.id = u.booking_id AND b.ends_at > asked.now
        AND (b.status = 'confirmed' OR b.status IN {sql_values(WAITING)} AND b.hold_expires_at > asked.now)
    WHERE NOT EXISTS (SELECT 1 FROM payments_payment p WHERE p.bill_id = b.bill_id AND p.status = 'succeeded')
)
SELECT
    (SELECT count(*) FROM live WHERE live.email_hash = asked.email AND asked.email <> ''),
    (SELECT count(*) FROM live WHERE live.phone_hash = asked.phone AND asked.phone <> ''),
    (SELECT count(*) FROM live WHERE live.visitor_hash = asked.visitor AND asked.visitor <> ''),
    (SELECT count(*) FROM live WHERE live.address_hash = asked.address AND asked.address <> ''),
    EXISTS (SELECT 1 FROM accounts_customer k
        WHERE k.email_normalised = asked.email_normalised AND k.email_proven_at IS NOT NULL)
FROM asked
"""  # noqa: S608 (our own text)


def _counts(booking: Booking, traces: Traces, now: datetime) -> tuple[int, int, int, int, bool]:
    values: list[Any] = [
        booking.pk,
        traces.email,
        traces.phone,
        traces.visitor,
        traces.address,
        now,
        traces.email_normalised,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, values)
        email, phone, visitor, address, is_known = cursor.fetchone()
    return email, phone, visitor, address, is_known


def _pseudonym(kind: str, value: str) -> str:
    return keyed_hash(settings.LINK_KEY, f"unproven-{kind}:{value}") if value else ""
