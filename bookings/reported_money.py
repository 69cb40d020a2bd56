"""Money of a booking that Stripe has reported and that the booking does not know of yet.

The proof lies in our own database: a notice that no worker has read, a payment that the bank is checking, or one that
succeeded and is not in the booking's history. Whoever decides whether a time is free asks this first.
"""

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from bookings.models import Booking
from bookings.money_events import HAS_PAYMENT

# ``{booking_id}`` is the id of the booking that a payment ``p`` is for.
_IS_REPORTED = (
    """(
        p.status = 'processing'
        OR p.status IN ('created', 'open') AND EXISTS (
            SELECT 1 FROM payments_stripeevent n WHERE n.handled_at IS NULL AND n.object_id = p.intent_id
                AND n.type IN ('payment_intent.succeeded', 'payment_intent.processing'))
        OR p.status = 'succeeded' AND NOT """  # noqa: S608 (our own text)
    + HAS_PAYMENT.format(booking_id="{booking_id}", payment_id="p.id")
    + ")"
)
# ``{booking}`` is the alias of a row of bookings_booking.
HAS_REPORTED_MONEY = f"""
EXISTS (
    SELECT 1 FROM payments_payment p WHERE p.subject_ref = 'booking:' || {{booking}}.id
        AND {_IS_REPORTED.format(booking_id="{booking}.id")}
    UNION ALL
    SELECT 1 FROM payments_cardsetup s
    JOIN payments_stripeevent n ON n.object_id = s.setup_intent_id AND n.handled_at IS NULL
        AND n.type = 'setup_intent.succeeded'
    WHERE s.subject_ref = 'booking:' || {{booking}}.id AND s.status NOT IN ('succeeded', 'cancelled')
)
"""  # noqa: S608 (our own text)
# ``{proposal}`` is the alias of a row of bookings_moveproposal: whether its fee came in, or is being checked.
HAS_REPORTED_FEE = f"""
EXISTS (
    SELECT 1 FROM payments_payment p
    WHERE p.subject_ref = 'booking:' || {{proposal}}.booking_id AND p.purpose = 'move'
        AND {_IS_REPORTED.format(booking_id="{proposal}.booking_id")}
)
"""  # noqa: S608 (our own text)
# A time to pay that is over, unless it is paid: then it is kept until the booking knows.
HAS_RUN_OUT = (
    "{booking}.hold_expires_at <= {now} AND NOT ({booking}.status = 'pending_payment' AND " + HAS_REPORTED_MONEY + ")"
)


def has_reported_money(booking: Booking) -> bool:
    """Whether money came in, or is being checked, that the booking has yet to be told of. One statement."""
    sql = f"SELECT {HAS_REPORTED_MONEY.format(booking='b')} FROM bookings_booking b WHERE b.id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [booking.pk])
        row = cursor.fetchone()
    return bool(row and row[0])


def reported_money() -> RawSQL:
    """The same as a condition on a query of bookings."""
    return RawSQL(HAS_REPORTED_MONEY.format(booking="bookings_booking"), [], BooleanField())  # noqa: S611


def reported_fee() -> RawSQL:
    """The same for the fee of a move, as a condition on a query of proposed moves."""
    return RawSQL(HAS_REPORTED_FEE.format(proposal="bookings_moveproposal"), [], BooleanField())  # noqa: S611
