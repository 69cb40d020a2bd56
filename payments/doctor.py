"""Checks of ``manage.py doctor`` for payments. They only read, and report ids and amounts, no personal data."""

from datetime import timedelta
from functools import partial

from core.doctor import Check, sql_check
from payments.enums import COUNTING_REFUNDS

# Workers look for due work every few seconds; the outbox retries for about half a day.
LATE = timedelta(minutes=15)
# The task ``look_after_payments`` takes over within the hour what the outbox gave up. Cards are detached hourly.
VERY_LATE, CARDS_LATE = timedelta(hours=2), timedelta(days=1)
_query = partial(
    sql_check,
    ago={"late": LATE, "very_late": VERY_LATE, "cards_late": CARDS_LATE},
    values={"counting": sorted(COUNTING_REFUNDS)},
)

refunded_too_much = _query("""
SELECT format('payment %%s brought %%s and %%s went back', p.id, p.amount_minor, sum(r.amount_minor))
FROM payments_payment p JOIN payments_refund r ON r.payment_id = p.id
WHERE r.status = ANY(%(counting)s)
GROUP BY p.id
HAVING sum(r.amount_minor) > p.amount_minor OR bool_or(r.currency <> p.currency) OR p.status <> 'succeeded'
""")

other_currency = _query("""
SELECT format('payment %%s is not in the currency of bill %%s', p.id, b.id)
FROM payments_payment p JOIN payments_bill b ON b.id = p.bill_id WHERE p.currency <> b.currency
""")

success_without_source = _query("""
SELECT format('payment %%s was paid online and has no intent', id)
FROM payments_payment WHERE method = 'stripe' AND status = 'succeeded' AND intent_id IS NULL
""")

charged_beyond_consent = _query("""
SELECT format('%%s was charged %%s, consented were %%s', charged.subject_ref, charged.sum, coalesce(c.cap_minor, 0))
FROM (
    SELECT p.subject_ref, sum(p.amount_minor) AS sum, min(p.created_at) AS first_at
    FROM payments_payment p WHERE p.is_off_session AND p.status = 'succeeded' GROUP BY p.subject_ref
) charged
LEFT JOIN payments_savedcard c ON c.subject_ref = charged.subject_ref
WHERE c.id IS NULL OR charged.sum > c.cap_minor OR NOT EXISTS (
    SELECT FROM accounts_consent k
    WHERE k.subject_ref = charged.subject_ref AND k.purpose = 'card_on_file' AND k.given_at <= charged.first_at
)
""")

paid_twice = _query("""
SELECT format('%%s was paid %%s times for %%s, together %%s, owed were %%s', paid.subject_ref, paid.count, paid.purpose,
    paid.kept, owed.sum)
FROM (
    SELECT p.subject_ref, p.purpose, count(*) AS count, max(p.succeeded_at) AS last_at,
        sum(p.amount_minor) - sum(coalesce(back.sum, 0)) AS kept
    FROM payments_payment p
    LEFT JOIN LATERAL (
        SELECT sum(r.amount_minor) AS sum FROM payments_refund r
        WHERE r.payment_id = p.id AND r.status = ANY(%(counting)s)
    ) back ON true
    WHERE p.status = 'succeeded' AND p.purpose IN ('booking', 'fee', 'move')
    GROUP BY p.subject_ref, p.purpose HAVING count(*) > 1
) paid
JOIN LATERAL (
    SELECT coalesce(sum(l.gross_minor), 0) AS sum FROM payments_billline l WHERE l.subject_ref = paid.subject_ref
) owed ON owed.sum < paid.kept
-- What is too much is given back by a task; a refund that failed leaves it, and is listed for a person.
WHERE paid.last_at < %(late)s
    AND paid.kept - owed.sum > (SELECT coalesce(sum(r.amount_minor), 0)
        FROM payments_moneyalert a JOIN payments_refund r ON r.id = a.refund_id
        WHERE a.subject_ref = paid.subject_ref AND a.kind = 'refund_failed' AND a.resolved_at IS NULL)
""")

notices_unread = _query("""
SELECT format('notice %%s (%%s) waits since %%s', id, type, received_at)
FROM payments_stripeevent WHERE handled_at IS NULL AND received_at < %(late)s
""")

refunds_not_sent = _query("""
SELECT format('refund %%s is %%s since %%s', id, status, coalesce(decided_at, created_at))
FROM payments_refund
WHERE method = 'stripe' AND coalesce(decided_at, created_at) < %(late)s AND stripe_refund_id IS NULL
    AND status IN ('queued', 'submitted')
""")

charges_not_made = _query("""
SELECT format('payment %%s is to be charged to a saved card since %%s', id, created_at)
FROM payments_payment
WHERE is_off_session AND status IN ('created', 'open') AND failure_code = '' AND created_at < %(late)s
""")

not_called_off = _query("""
SELECT format('payment %%s should have been called off at %%s and can still be paid', id, called_off_at)
FROM payments_payment WHERE status IN ('created', 'open') AND called_off_at < %(very_late)s
""")

cards_not_forgotten = _query("""
SELECT format('saved card %%s should have been forgotten: kept since %%s, until %%s', id, created_at, detach_after)
FROM payments_savedcard WHERE detached_at IS NULL AND coalesce(detach_after, created_at) < %(cards_late)s
""")

failed_unlisted = _query("""
SELECT format('refund %%s failed and nobody was told', r.id)
FROM payments_refund r
WHERE r.status = 'failed' AND NOT EXISTS (SELECT FROM payments_moneyalert a WHERE a.refund_id = r.id)
""")

waiting_unlisted = _query("""
SELECT format('refund %%s waits for approval until %%s, and nobody was told', r.id, r.answer_by)
FROM payments_refund r
WHERE r.status = 'awaiting_approval' AND r.answer_by < %(late)s + interval '24 hours'
    AND NOT EXISTS (SELECT FROM payments_moneyalert a WHERE a.refund_id = r.id AND a.kind = 'refund_waits')
""")

sent_unapproved = _query("""
SELECT format('refund %%s was asked for as %%s, is %%s and nobody decided that', id, answer_by, status)
FROM payments_refund
WHERE answer_by IS NOT NULL AND decided_at IS NULL AND status NOT IN ('awaiting_approval', 'cancelled')
""")

numbers_left_out = _query("""
SELECT format('series %%s gave out %%s numbers and has %%s receipts', s.year, s.last_serial, count(r.id))
FROM payments_receiptseries s LEFT JOIN payments_receipt r ON r.number LIKE s.year || '-%%'
GROUP BY s.id HAVING count(r.id) <> s.last_serial
""")

card_numbers = _query("""
SELECT format('notice %%s holds something like a card number', id) FROM payments_stripeevent
WHERE payload::text ~ '(^|[^0-9a-zA-Z_])[3-6][0-9]{14,15}([^0-9a-zA-Z_]|$)' OR payload::text ~* '"(cvc|number)"'
UNION ALL
SELECT format('payment %%s holds something like a card number', id) FROM payments_payment
WHERE concat_ws(' ', note, card_last4, method_type) ~ '(^|[^0-9])[3-6][0-9]{14,15}([^0-9]|$)'
""")

CHECKS = [
    Check("I12", "Money that came in online has a source", success_without_source),
    Check("I13", "No more went back than came in", refunded_too_much),
    Check("I13", "Refunds that wait for approval are sent only once they are approved", sent_unapproved),
    Check("I13", "Money is in the currency of its bill", other_currency),
    Check("I14", "A failed refund is on the to-do list", failed_unlisted),
    Check("I14", "A refund that waits too long is on the to-do list", waiting_unlisted),
    Check("I15", "No charge is above what the customer agreed to", charged_beyond_consent),
    Check("I15", "Nothing was paid twice and kept", paid_twice),
    Check("I16", "Every refund was sent", refunds_not_sent),
    Check("I16", "Every fee was charged or refused", charges_not_made),
    Check("I16", "What was called off can be paid no more", not_called_off),
    Check("I17", "Cards are forgotten when their time is up", cards_not_forgotten),
    Check("I17", "No card numbers are kept", card_numbers),
    Check("I18", "No receipt number is missing", numbers_left_out),
    Check("I26", "Every notice was worked on", notices_unread),
]
