"""Money that Stripe has reported and that is not in the booking's history yet.

The proof is in our own database: an event that no worker has handled, a payment that the bank is checking, or a
succeeded payment without a row in the history. Code that decides whether a time is free checks this first.
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
# ``{proposal}`` is the alias of a row of bookings_moveproposal. True if its fee was paid or is being checked.
HAS_REPORTED_FEE = f"""
EXISTS (
    SELECT 1 FROM payments_payment p
    WHERE p.subject_ref = 'booking:' || {{proposal}}.booking_id AND p.purpose = 'move'
        AND {_IS_REPORTED.format(booking_id="{proposal}.booking_id")}
)
"""  # noqa: S608 (our own text)
# The time to pay is over and no money is reported. With reported money the time is kept until the booking has it.
HAS_RUN_OUT = (
    "{booking}.hold_expires_at <= {now} AND NOT ({booking}.status = 'pending_payment' AND " + HAS_REPORTED_MONEY + ")"
)


def has_reported_money(booking: Booking) -> bool:
    """Return whether money was paid, or is being checked, that the booking's history does not have yet.

    Runs one statement.
    """
    sql = f"SELECT {HAS_REPORTED_MONEY.format(booking='b')} FROM bookings_booking b WHERE b.id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [booking.pk])
        row = cursor.fetchone()
    return bool(row and row[0])


def reported_money() -> RawSQL:
    """Return the condition of ``has_reported_money`` for a query of bookings."""
    return RawSQL(HAS_REPORTED_MONEY.format(booking="bookings_booking"), [], BooleanField())  # noqa: S611


def reported_fee() -> RawSQL:
    """Return the same condition on the fee of a move, for a query of proposed moves."""
    return RawSQL(HAS_REPORTED_FEE.format(proposal="bookings_moveproposal"), [], BooleanField())  # noqa: S611
