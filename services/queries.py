"""Reads of the business, of the policies that apply to a service, and of what proposals would change."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigAutoField, Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from core.reads import read_joined
from services import proposed_values
from services.enums import ProposalKind
from services.models import (
    BookingPolicy,
    Business,
    CancellationPolicy,
    CancellationTier,
    Category,
    Location,
    ProposedChange,
    Service,
)
from services.proposed_values import Values
from services.values import POLICY_FIELDS, CancellationPolicyValues, PaymentOverride, overridden, policy_values

# The id of the policy that applies to a service, in SQL: its own, else its category's, else the business's. The
# statement has to name the tables s, c and b. The functions below do the same with querysets.
BOOKING_POLICY_ID = "coalesce(s.booking_policy_id, b.booking_policy_id)"
CANCELLATION_POLICY_ID = "coalesce(s.cancellation_policy_id, c.cancellation_policy_id, b.cancellation_policy_id)"

_ID = BigAutoField()
_OF_BUSINESS = Subquery(Business.objects.values("booking_policy_id")[:1])
_OVERRIDES = tuple(PaymentOverride.__slots__)
_TIER = JSONObject(until="until_minutes_before", kind="fee_kind", value="fee_value")


def the_business() -> Business:
    """Return the business with its booking policy. One query.

    :raises Business.DoesNotExist: when the business is not set up yet.
    """
    return Business.objects.select_related("booking_policy").get()


def business_if_set_up() -> Business | None:
    """Return the business; None when it is not set up yet. One query."""
    return next(iter(read_joined(Business, ("booking_policy",), "ORDER BY services_business.id LIMIT 1", [])), None)


def zone_of_business() -> ZoneInfo:
    """Return the zone of the first location that is open, for moments that belong to no location. One query."""
    zones = Location.objects.order_by("-is_active", "position", "name").values_list("time_zone", flat=True)
    return ZoneInfo(zones.first() or settings.TIME_ZONE)


def booking_policy_of(service: Service, business: Business) -> BookingPolicy:
    """Return the booking policy that applies to a service: its own, else the business's. Load both before."""
    return service.booking_policy or business.booking_policy


def booking_policies(services: QuerySet[Service]) -> QuerySet[BookingPolicy]:
    """Return the booking policies that apply to these services, each once."""
    chosen = services.order_by().values(chosen=Coalesce("booking_policy_id", _OF_BUSINESS, output_field=_ID))
    return BookingPolicy.objects.filter(pk__in=chosen)


def cancellation_policy_for(service: Service | int) -> CancellationPolicyValues | None:
    """Return the cancellation policy that applies to a service (or its id), with the service's own payment rules.

    The policy is the service's own, else its category's, else the business's. None if none is set: cancelling is then
    free until the start, and the customer pays at the visit. One query.
    """
    service_id = service if isinstance(service, int) else service.pk
    of_business = Subquery(Business.objects.values("cancellation_policy_id")[:1])
    policy = CancellationPolicy.objects.filter(pk=OuterRef("chosen"))
    tiers = CancellationTier.objects.filter(policy_id=OuterRef("chosen"))
    row = (
        Service.objects.filter(pk=service_id)
        .annotate(
            chosen=Coalesce("cancellation_policy_id", "category__cancellation_policy_id", of_business, output_field=_ID)
        )
        .annotate(policy=Subquery(policy.values(columns=JSONObject(**{name: name for name in POLICY_FIELDS}))))
        .annotate(tiers=ArraySubquery(tiers.order_by("-until_minutes_before").values(columns=_TIER)))
        .values("policy", "tiers", *_OVERRIDES)
        .first()
    )
    if row is None:
        return None
    found = (
        policy_values(row["policy"], [(tier["until"], tier["kind"], tier["value"]) for tier in row["tiers"]])
        if row["policy"]
        else None
    )
    return overridden(found, PaymentOverride(**{name: row[name] for name in _OVERRIDES}))


def effective_policy(policy: CancellationPolicy | None, category: Category | None) -> CancellationPolicy | None:
    """Return a service's cancellation policy: its own, else its category's, else the business's. One query at most."""
    chosen = policy or (category.cancellation_policy if category else None)
    if chosen is not None:
        return chosen
    business = business_if_set_up()
    return business.cancellation_policy if business else None


def usual_tax_basis_points() -> int:
    """Return the tax rate that most services have. One query."""
    rates = Service.objects.order_by().values_list("tax_basis_points").annotate(count=Count("pk"))
    usual = rates.order_by("-count", "-tax_basis_points").first()
    return usual[0] if usual else 0


def current_values(proposals: Iterable[ProposedChange]) -> dict[int, Values | None]:
    """Return what the catalogue says now about each proposal, by its id; None where its subject was deleted.

    A new service has no values yet. Four queries at most.
    """
    waiting = list(proposals)
    service_ids = {each.service_id for each in waiting if each.kind == ProposalKind.SERVICE and each.service_id}
    location_ids = {each.location_id for each in waiting if each.kind == ProposalKind.HOURS and each.location_id}
    services = Service.objects.filter(pk__in=service_ids).prefetch_related("variants")
    places = Location.objects.filter(pk__in=location_ids).prefetch_related("opening_hours")
    of_services = {each.pk: proposed_values.of_service(each) for each in services}
    of_places = {each.pk: proposed_values.of_hours(each.opening_hours.all()) for each in places}
    found: dict[int, Values | None] = {}
    for each in waiting:
        match each.kind:
            case ProposalKind.SERVICE:
                found[each.pk] = of_services.get(each.service_id or 0)
            case ProposalKind.HOURS:
                found[each.pk] = of_places.get(each.location_id or 0)
            case _:
                found[each.pk] = {}
    return found
