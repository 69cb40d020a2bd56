"""Named reads of the catalogue's rules: the business, and which policy binds a service."""

from django.db.models import BigAutoField, F, Subquery
from django.db.models.functions import Coalesce

from services.enums import FeeKind, OverLimit
from services.models import BookingPolicy, Business, CancellationPolicy, Service
from services.values import CancellationPolicyValues, TierValues

_POLICY_FIELDS = (
    "reschedule_until_minutes",
    "free_move_count",
    "over_limit",
    "change_fee_minor",
    "grace_minutes",
    "grace_min_lead_minutes",
)
_ID = BigAutoField()
_TIER_FIELDS = ("tiers__until_minutes_before", "tiers__fee_kind", "tiers__fee_value")


def business() -> Business:
    """Return the one business, its booking policy loaded with it. One query.

    :raises Business.DoesNotExist: before anything was set up.
    """
    return Business.objects.select_related("booking_policy").get()


def cancellation_policy_for(service: Service | int) -> CancellationPolicyValues | None:
    """Return the cancellation policy of a service (or of its id): its own, else its category's, else the business's.

    None where none is set: cancelling is free until the start. One query.
    """
    service_id = service if isinstance(service, int) else service.pk
    firm = Subquery(Business.objects.values("cancellation_policy_id")[:1])
    chosen = Service.objects.filter(pk=service_id).values(
        chosen=Coalesce("cancellation_policy_id", "category__cancellation_policy_id", firm, output_field=_ID)
    )
    rows = list(
        CancellationPolicy.objects.filter(pk=Subquery(chosen))
        .order_by(F("tiers__until_minutes_before").desc(nulls_last=True))
        .values(*_POLICY_FIELDS, *_TIER_FIELDS)
    )
    if not rows:
        return None
    return CancellationPolicyValues(
        **{field: rows[0][field] for field in _POLICY_FIELDS if field != "over_limit"},
        over_limit=OverLimit(rows[0]["over_limit"]),
        tiers=tuple(
            TierValues(until, FeeKind(kind), value)
            for until, kind, value in ([row[field] for field in _TIER_FIELDS] for row in rows)
            if until is not None
        ),
    )


def booking_policy_for(service: Service | int) -> BookingPolicy:
    """Return the booking policy of a service (or of its id): its own, else the business's. One query.

    :raises BookingPolicy.DoesNotExist: when there is no such service, or no business yet.
    """
    service_id = service if isinstance(service, int) else service.pk
    firm = Subquery(Business.objects.values("booking_policy_id")[:1])
    chosen = Service.objects.filter(pk=service_id).values(chosen=Coalesce("booking_policy_id", firm, output_field=_ID))
    return BookingPolicy.objects.get(pk=Subquery(chosen))
