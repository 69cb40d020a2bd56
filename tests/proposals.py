"""Steps that tests of proposals take: propose and decide with the values that a page would have shown."""

from datetime import datetime
from typing import Any

from accounts.models import User
from bookings.enums import ActorKind, BookingChannel
from bookings.lifecycle import Actor
from bookings.operations.proposals import approve_change, propose_change, propose_service, seen_of
from services.models import Location, OpeningHours, ProposedChange, Service
from services.proposed_values import Values, of_hours, of_service, stamp, variant_key
from staff.enums import Role
from tests import factories
from tests.factories import NOW, Studio


def actor_of(user: User) -> Actor:
    return Actor(ActorKind.STAFF, BookingChannel.DESK, user_id=user.pk, name=user.name)


def values_of(subject: Service | Location) -> Values:
    if isinstance(subject, Location):
        return of_hours(OpeningHours.objects.filter(location=subject))
    return of_service(Service.objects.get(pk=subject.pk))


def stamps_of(subject: Service | Location) -> dict[str, str]:
    return {key: stamp(value) for key, value in values_of(subject).items()}


def propose(subject: Service | Location, by: User | None = None, **changes: Any) -> ProposedChange:
    """Propose ``changes`` as a manager who has just opened the page. Dots in keys are given as two underscores."""
    wanted = {key.replace("__", "."): value for key, value in changes.items()}
    return propose_change(
        subject=subject,
        values={**values_of(subject), **wanted},
        seen=stamps_of(subject),
        note="",
        actor=actor_of(by or factories.desk_user(Role.MANAGER)),
        now=NOW,
    )


def propose_price(studio: Studio, price_minor: int, by: User | None = None) -> ProposedChange:
    key = variant_key(studio.variant.pk, "price_minor")
    return propose(studio.variant.service, by, **{key.replace(".", "__"): price_minor})


def new_service(studio: Studio, **changes: Any) -> dict[str, Any]:
    """The values of a new service that can be booked."""
    return {
        "name": "Foot massage",
        "category": studio.variant.service.category_id,
        "summary": "",
        "description": "",
        "lengths": [[30, 4000], [60, 7000]],
        "buffer_before_minutes": 0,
        "buffer_after_minutes": 10,
        "cancellation_policy": None,
        "locations": [studio.location.pk],
        "staff": [studio.staff[0].pk],
        "resource_types": [],
        **changes,
    }


def propose_new(studio: Studio, **changes: Any) -> ProposedChange:
    manager = factories.desk_user(Role.MANAGER)
    return propose_service(values=new_service(studio, **changes), note="", actor=actor_of(manager), now=NOW)


def approve(proposal: ProposedChange, by: User | None = None, **changes: Any) -> ProposedChange:
    """Approve as an owner who has just opened the page."""
    at: datetime = changes.pop("now", NOW)
    given = {"seen": seen_of(proposal), "accepts_news": False, "accepted_bookings": (), "reason": ""}
    actor = actor_of(by or factories.desk_user(Role.OWNER))
    return approve_change(proposal_id=proposal.pk, actor=actor, now=at, **{**given, **changes})
