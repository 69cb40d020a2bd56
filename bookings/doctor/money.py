"""Invariants of the money that bookings ask for, receive and keep.

Reads only; reports ids and amounts, no personal data.
"""

from datetime import timedelta
from functools import partial

from bookings.enums import AGREED, FEE_OWING
from bookings.money_events import HAS_PAYMENT
from core.doctor import Check, sql_check
from core.reads import sql_values

# Outbox handlers run every few seconds, and failed ones are retried.
SETTLE_LIMIT = timedelta(minutes=15)
_query = partial(sql_check, ago={"settled": SETTLE_LIMIT})

# Sums of a booking's bill lines: what was sold, fees by kind, and everything but fees for moves.
_OWED = """
LEFT JOIN LATERAL (
    SELECT sum(gross_minor) FILTER (WHERE kind IN ('service', 'add_on', 'reduction')) AS sold,
        sum(tax_minor) FILTER (WHERE kind IN ('service', 'add_on', 'reduction')) AS tax,
        sum(gross_minor) FILTER (WHERE kind = 'cancellation_fee') AS cancel_fee,
        sum(gross_minor) FILTER (WHERE kind = 'no_show_fee') AS no_show_fee,
        sum(gross_minor) FILTER (WHERE kind = 'waiver') AS waiver,
        sum(gross_minor) FILTER (WHERE kind <> 'change_fee') AS owed,
        sum(gross_minor) AS total
    FROM payments_billline WHERE bill_id = b.bill_id AND subject_ref = 'booking:' || b.id
) l ON true
"""

bills_unlike_bookings = _query(f"""
SELECT format('booking %%s (%%s) has total %%s, fee %%s; its bill says %%s for services, %%s in all', b.id, b.status,
    b.total_minor, coalesce(b.cancellation_fee_minor, l.no_show_fee, 0), coalesce(l.sold, 0), coalesce(l.owed, 0))
FROM bookings_booking b
{_OWED}
LEFT JOIN payments_bill bill ON bill.id = b.bill_id
WHERE (b.confirmed_at IS NOT NULL OR b.bill_id IS NOT NULL OR b.status = 'pending_payment') AND (
    bill.id IS NULL OR bill.currency <> b.currency
    OR (coalesce(l.sold, 0), coalesce(l.tax, 0)) <> (b.total_minor, b.tax_minor)
    OR coalesce(l.owed, 0) <> CASE b.status
        WHEN 'cancelled' THEN coalesce(b.cancellation_fee_minor, -1) + coalesce(l.waiver, 0)
        WHEN 'no_show' THEN coalesce(l.no_show_fee, 0) + coalesce(l.waiver, 0)
        WHEN 'expired' THEN 0
        ELSE b.total_minor END)
""")  # noqa: S608 (constants of this file)

fees_beyond_the_price = _query(f"""
SELECT format('booking %%s has a fee of %%s of a price of %%s, waived %%s', b.id,
    coalesce(l.cancel_fee, 0) + coalesce(l.no_show_fee, 0), b.total_minor, -coalesce(l.waiver, 0))
FROM bookings_booking b
{_OWED}
WHERE l.cancel_fee > b.total_minor OR l.no_show_fee > b.total_minor
    OR coalesce(l.cancel_fee, 0) + coalesce(l.no_show_fee, 0) + coalesce(l.waiver, 0) < 0
""")  # noqa: S608 (constants of this file)

# Sums of a booking's money: what was received, what is refunded or being refunded, what of it is kept as fees and for
# moves, and the time of the last payment or refund.
_MOVED = """
JOIN LATERAL (
    SELECT coalesce(sum(p.amount_minor), 0) AS paid, coalesce(sum(r.back), 0) AS back, max(p.succeeded_at) AS last,
        coalesce(sum(p.amount_minor - coalesce(r.back, 0)) FILTER (WHERE p.purpose = 'fee'), 0) AS fees,
        coalesce(sum(p.amount_minor - coalesce(r.back, 0)) FILTER (WHERE p.purpose = 'move'), 0) AS moves
    FROM payments_payment p
    LEFT JOIN LATERAL (
        SELECT sum(amount_minor) AS back FROM payments_refund
        WHERE payment_id = p.id AND status NOT IN ('failed', 'cancelled', 'declined')
    ) r ON true
    WHERE p.subject_ref = 'booking:' || b.id AND p.status = 'succeeded'
) m ON true
"""
_ALERTED = "EXISTS (SELECT FROM payments_moneyalert a WHERE a.subject_ref = 'booking:' || b.id)"

money_without_a_booking = _query("""
SELECT format('payment %%s of %%s belongs to no booking, and nobody was told', p.id, p.subject_ref)
FROM payments_payment p
LEFT JOIN bookings_booking b ON p.subject_ref = 'booking:' || b.id AND b.bill_id = p.bill_id
WHERE p.status = 'succeeded' AND p.subject_ref LIKE 'booking:%%' AND b.id IS NULL AND p.succeeded_at < %(settled)s
    AND NOT EXISTS (SELECT FROM payments_moneyalert a WHERE a.payment_id = p.id)
""")

money_not_settled = _query(f"""
SELECT format('payment %%s of booking %%s succeeded at %%s and was not settled', p.id, b.id, p.succeeded_at)
FROM payments_payment p
JOIN bookings_booking b ON p.subject_ref = 'booking:' || b.id AND b.bill_id = p.bill_id
WHERE p.status = 'succeeded' AND p.succeeded_at < %(settled)s
    AND NOT {HAS_PAYMENT.format(booking_id="b.id", payment_id="p.id")}
""")  # noqa: S608 (constants of ours)

# What is kept equals what a live booking or its fee owes; nothing is kept of a booking that was never confirmed. While
# a fee may still be waived no money moves. KWD and similar currencies: refunds are rounded to what Stripe can send.
kept_without_reason = _query(f"""
SELECT format('booking %%s (%%s) owes %%s, but %%s of %%s paid are kept', b.id, b.status, coalesce(l.total, 0),
    m.paid - m.back, m.paid)
FROM bookings_booking b
{_OWED}
{_MOVED}
WHERE m.paid > 0 AND m.last < %(settled)s AND b.fee_settles_at IS NULL
    AND m.paid - m.back > greatest(coalesce(l.total, 0), 0) AND NOT {_ALERTED}
""")  # noqa: S608 (constants of this file)

fees_without_a_fee = _query(f"""
SELECT format('booking %%s is %%s, and %%s paid as a fee are kept', b.id, b.status, m.fees)
FROM bookings_booking b
{_MOVED}
WHERE b.status NOT IN {sql_values(FEE_OWING)} AND m.fees > 0 AND m.last < %(settled)s AND NOT {_ALERTED}
""")  # noqa: S608 (constants of this file)

moves_not_made = _query(f"""
SELECT format('booking %%s keeps %%s paid for moves and owes %%s for them', b.id, m.moves, l.total - l.owed)
FROM bookings_booking b
{_OWED}
{_MOVED}
WHERE m.moves > coalesce(l.total - l.owed, 0) AND m.last < %(settled)s AND NOT {_ALERTED}
""")  # noqa: S608 (constants of this file)

confirmed_unpaid = _query(f"""
SELECT format('booking %%s is %%s, but of %%s due when booking only %%s was paid', b.id, b.status, b.due_now_minor,
    m.paid)
FROM bookings_booking b
{_MOVED}
WHERE b.status IN {sql_values(AGREED)} AND b.due_now_minor > 0
    AND NOT b.is_payment_waived AND m.paid < b.due_now_minor
""")  # noqa: S608 (constants of this file)

confirmed_without_card = _query(f"""
SELECT format('booking %%s is %%s, but no card was kept', b.id, b.status)
FROM bookings_booking b
WHERE b.status IN {sql_values(AGREED)} AND b.payment_mode = 'card'
    AND NOT b.is_payment_waived
    AND NOT EXISTS (SELECT FROM payments_savedcard c WHERE c.subject_ref = 'booking:' || b.id)
    AND b.total_minor > (SELECT coalesce(sum(p.amount_minor), 0) FROM payments_payment p
        WHERE p.subject_ref = 'booking:' || b.id AND p.status = 'succeeded')
""")  # noqa: S608 (constants of ours)

waiting_for_nothing = _query("""
SELECT format('booking %%s waits for a payment with bill %%s, until %%s, mode %%s, due %%s', id,
    coalesce(bill_id::text, 'none'), coalesce(hold_expires_at::text, 'never'), payment_mode, due_now_minor)
FROM bookings_booking
WHERE status = 'pending_payment' AND (
    bill_id IS NULL OR hold_expires_at IS NULL OR payment_mode NOT IN ('deposit', 'full', 'card')
    OR (payment_mode = 'card') <> (due_now_minor = 0) OR due_now_minor > total_minor)
""")

overdue_fees = _query("""
SELECT format('booking %%s (%%s) should have moved its money at %%s', id, status, fee_settles_at)
FROM bookings_booking WHERE fee_settles_at < %(settled)s OR (fee_settles_at IS NOT NULL AND status <> 'no_show')
""")

CHECKS = [
    Check("I12", "Money received belongs to a booking, or staff were alerted", money_without_a_booking),
    Check("I12", "Money that came was settled", money_not_settled),
    Check("I12", "No booking stands unpaid that had to be paid first", confirmed_unpaid),
    Check("I12", "No booking stands without the card that was asked for", confirmed_without_card),
    Check("I12", "What waits for a payment has a bill, an end and something due", waiting_for_nothing),
    Check("I14", "Every bill says what its bookings owe", bills_unlike_bookings),
    Check("I14", "No fee is more than the price", fees_beyond_the_price),
    Check("I14", "Nothing is kept beyond what is owed", kept_without_reason),
    Check("I14", "No fee is kept of a visit that has none", fees_without_a_fee),
    Check("I14", "Nothing is kept for a move that was not made", moves_not_made),
    Check("I14", "No fee waits longer than it may", overdue_fees),
]
