"""Reads of proposals, and of the services and locations that a user may propose changes for."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from bookings.models import Booking
from dashboard.permissions import Act, Rights, bookings_visible_to, location_ids_with
from services.enums import ProposalKind
from services.models import CancellationPolicy, Location, ProposedChange, ResourceType, Service
from services.proposed_values import variant_of
from staff.models import Qualification, StaffMember

MOST_LISTED = 50


def proposals_visible_to(rights: Rights) -> QuerySet[ProposedChange]:
    """Return the proposals about the user's locations, whoever made them; all of them for a role held everywhere."""
    places = location_ids_with(rights, Act.PROPOSE)
    proposals = ProposedChange.objects.select_related("service", "location")
    if places is None:
        return proposals
    there = Q(location__in=places) | Q(service__in=Service.objects.filter(locations__in=places))
    for place in places:
        there |= Q(kind=ProposalKind.NEW_SERVICE, after__locations__contains=[place])
    return proposals.filter(there)


def services_of(rights: Rights) -> QuerySet[Service]:
    """Return the services that the user may propose changes for, in the order of the catalogue. Two queries."""
    services = Service.objects.exclude(visibility=Service.Visibility.ARCHIVED)
    places = location_ids_with(rights, Act.PROPOSE)
    if places is not None:
        services = services.filter(pk__in=Service.objects.filter(locations__in=places).values("pk"))
    ordered = services.order_by("category__position", "category__name", "position", "name")
    return ordered.select_related("category__cancellation_policy").prefetch_related("variants")


def people_of(rights: Rights) -> QuerySet[StaffMember]:
    """Return the staff members who can be named in the proposal of a new service."""
    people = StaffMember.objects.filter(is_active=True)
    places = location_ids_with(rights, Act.PROPOSE)
    return people if places is None else people.filter(working_hours__location__in=places).distinct()


def resource_types() -> list[tuple[int, str]]:
    return list(ResourceType.objects.order_by("name", "pk").values_list("pk", "name"))


def waiting_about(subject: Service | Location, proposals: QuerySet[ProposedChange]) -> list[ProposedChange]:
    """Return the proposals that wait about the same service or location, the oldest first."""
    about = Q(service=subject) if isinstance(subject, Service) else Q(location=subject)
    return list(proposals.filter(about, decision="").order_by("pk")[:MOST_LISTED])


def own_prices_kept(proposal: ProposedChange) -> list[tuple[int, str]]:
    """Return (length id, first name) of staff members whose own price or length a proposal leaves as it is."""
    fields = {"price_minor": Q(price_minor__isnull=False), "work_minutes": Q(work_minutes__isnull=False)}
    kept = Q(pk__in=[])
    for key in proposal.after:
        length = variant_of(key)
        if length and length[1] in fields:
            kept |= Q(variant_id=length[0]) & fields[length[1]]
    active = Qualification.objects.filter(kept, staff_member__is_active=True)
    return list(active.order_by("staff_member__position").values_list("variant_id", "staff_member__short_name"))


def bookings_by_id(rights: Rights, ids: Iterable[int]) -> list[Booking]:
    """Return these bookings as far as the user sees them, the soonest first."""
    found = bookings_visible_to(rights).filter(pk__in=list(ids)).order_by("starts_at", "pk")
    return list(found.select_related("location").prefetch_related("lines__staff_member"))


def policy_names() -> dict[int, str]:
    return dict(CancellationPolicy.objects.values_list("pk", "name"))


def policies_with_steps(ids: Iterable[int]) -> list[CancellationPolicy]:
    return list(CancellationPolicy.objects.filter(pk__in=list(ids)).prefetch_related("tiers"))
