"""Cancellation rules of a proposal in the sentences that customers read, for an example visit."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language

from bookings.wording.policy_preview import policy_preview
from dashboard.proposals import queries
from dashboard.proposals.presenter import Policies
from services.models import CancellationPolicy, ProposedChange
from services.proposed_values import Values
from services.queries import effective_policy, the_business
from services.values import POLICY_FIELDS, policy_values


def policies_of(proposal: ProposedChange, current: Values | None, *, zone: ZoneInfo, now: datetime) -> Policies:
    """Return the rules that a proposal names, with sentences while it waits. Later the rules may have changed."""
    names = queries.policy_names()
    key = "cancellation_policy"
    if key not in proposal.after or not proposal.is_waiting:
        return Policies(names)
    wanted = {proposal.after[key], (current or {}).get(key)}
    found: dict[int | None, CancellationPolicy] = {
        each.pk: each for each in queries.policies_with_steps(pk for pk in wanted if pk is not None)
    }
    if None in wanted and (common := effective_policy(None, proposal.service.category if proposal.service else None)):
        found[None] = common
    return Policies(names, {pk: _sentences(policy, zone, now) for pk, policy in found.items()})


def _sentences(policy: CancellationPolicy, zone: ZoneInfo, now: datetime) -> Sequence[str]:
    business = the_business()
    tiers = [(tier.until_minutes_before, tier.fee_kind, tier.fee_value) for tier in policy.tiers.all()]
    return policy_preview(
        policy_values({name: getattr(policy, name) for name in POLICY_FIELDS}, tiers),
        business_name=business.name,
        currency=business.currency,
        language=get_language() or "en",
        zone=zone,
        has_stripe=bool(settings.STRIPE_SECRET_KEY),
        now=now,
    )
