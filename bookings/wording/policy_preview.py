"""Preview of a policy's sentences for the owner who edits it. The admin of the catalogue reaches it by a route."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, override

from bookings.rules.fees import FeeFacts, deposit_taken
from bookings.rules.prepayment import payment_demand
from bookings.rules.terms import terms_of
from bookings.wording import payments, policies
from bookings.wording.policies import PolicyFacts
from core import money
from services.values import CancellationPolicyValues

# 80.00 of most currencies, 8,000 of those without decimals.
EXAMPLE_UNITS = 80
# Far enough ahead that no step of most policies has passed.
_AHEAD = timedelta(days=7)


def policy_preview(
    policy: CancellationPolicyValues,
    *,
    business_name: str,
    currency: str,
    language: str,
    zone: ZoneInfo,
    has_stripe: bool,
    now: datetime,
) -> list[str]:
    """Return the sentences of ``policy`` for an example appointment of about €80.00, booked now, as plain text.

    The first sentence describes the example.
    """
    terms = terms_of(policy)
    total = EXAMPLE_UNITS * int(10 ** max(2, money.exponent(currency)))
    ahead = max([_AHEAD, *(timedelta(minutes=tier.until_minutes, days=2) for tier in terms.tiers)])
    starts_at = (now + ahead).astimezone(zone).replace(hour=14, minute=0, second=0, microsecond=0)
    asked = payment_demand(terms, total_minor=total, at_visit_minor=0, currency=currency, has_stripe=has_stripe)
    deposit = deposit_taken(terms, payment_mode=asked.mode, due_now_minor=asked.due_now_minor, total_minor=total)
    fees = FeeFacts(terms=terms, starts_at=starts_at, total_minor=total, currency=currency, deposit_minor=deposit)
    facts = PolicyFacts(fees=fees, zone=zone, language=language, now=now, paid_minor=asked.due_now_minor)
    with override(language):
        example = gettext("Example: %(total)s on %(start)s.") % {
            "total": money.formatted(total, currency, language),
            "start": policies.moment_words(starts_at, zone),
        }
    sentences = [
        example,
        payments.demand_sentence(asked, currency=currency, language=language),
        policies.plain_policy_sentence(facts),
        payments.card_consent(facts, asked, business_name=business_name),
    ]
    return [sentence for sentence in sentences if sentence]
