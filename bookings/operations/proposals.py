"""Proposals: a manager proposes a change of the catalogue or of opening hours, and an owner decides.

Customers see the catalogue, which changes only when an owner approves, so until then they see the old values. Bookings
that exist keep their own copies of price, length, buffers and policy.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from bookings.errors import NothingProposed, ProposalDecided, ProposalOutdated, ProposalUnfit
from bookings.lifecycle import Actor
from bookings.messages import proposals as messages
from bookings.operations import _proposed_values as catalogue
from bookings.operations._transaction import booking_transaction
from services.enums import Decision, ProposalKind
from services.models import Location, ProposedChange, Service
from services.proposed_values import SHAPE_VERSION, changed, moved_on, stamp
from services.queries import current_values, the_business


@booking_transaction
def propose_change(
    *,
    subject: Service | Location,
    values: Mapping[str, Any],
    seen: Mapping[str, str],
    note: str,
    actor: Actor,
    now: datetime,
) -> ProposedChange:
    """Propose ``values`` for a service or for the opening hours of a location, and tell the owners.

    ``seen`` holds the stamps of the values that the form showed. What the author left as it was is not proposed. Locks
    the service, or the location's resources.

    :raises ProposalOutdated: when another user changed one of the proposed values meanwhile (``data["keys"]``).
    :raises NothingProposed: when nothing differs from the catalogue.
    :raises ProposalUnfit: when the catalogue would refuse the values, as its sentence says.
    """
    name = subject.name
    current = catalogue.locked_values(subject)
    wanted = {key: value for key, value in values.items() if stamp(value) != seen.get(key, stamp(current.get(key)))}
    if outdated := [key for key in wanted if key in seen and seen[key] != stamp(current.get(key))]:
        raise ProposalOutdated(keys=outdated)
    after = changed(current, wanted)
    if not after:
        raise NothingProposed
    catalogue.check(subject, current, after)
    is_service = isinstance(subject, Service)
    return _propose(
        kind=ProposalKind.SERVICE if is_service else ProposalKind.HOURS,
        service_id=subject.pk if is_service else None,
        location_id=None if is_service else subject.pk,
        subject_name=name,
        before={key: current[key] for key in after},
        after=after,
        note=note,
        actor=actor,
        now=now,
    )


@booking_transaction
def propose_service(*, values: Mapping[str, Any], note: str, actor: Actor, now: datetime) -> ProposedChange:
    """Propose a new service, and tell the owners.

    :raises ProposalUnfit: when the catalogue would refuse the values, as its sentence says.
    """
    catalogue.check_new(values)
    return _propose(
        kind=ProposalKind.NEW_SERVICE,
        subject_name=str(values["name"]),
        before={},
        after=dict(values),
        note=note,
        actor=actor,
        now=now,
    )


@booking_transaction
def approve_change(
    *,
    proposal_id: int,
    seen: str,
    accepts_news: bool,
    accepted_bookings: Collection[int],
    reason: str,
    actor: Actor,
    now: datetime,
) -> ProposedChange:
    """Apply a proposal to the catalogue, once, and tell its author. From now on customers see the new values.

    ``seen`` is the ``stamp`` of the current values that the page showed. ``accepts_news``: the owner approves although
    these differ from those at the time of proposing. ``accepted_bookings`` are the bookings that the owner accepts to
    lie outside new hours; they stay as they are. Locks: the proposal, the service, or the location's resources.

    :raises ProposalDecided: when it was decided already.
    :raises ProposalOutdated: when the catalogue is not what the page showed, or changed since the proposal and
        ``accepts_news`` is False.
    :raises BookingsOutside: when further bookings ahead would lie outside the new hours.
    :raises ProposalUnfit: when the catalogue cannot take the values, as its sentence says.
    """
    proposal = _locked(proposal_id)
    subject = _subject_of(proposal)
    current = catalogue.locked_values(subject) if subject else {}
    replaced = {key: current.get(key) for key in proposal.before}
    if stamp(replaced) != seen or (moved_on(proposal.before, current) and not accepts_news):
        raise ProposalOutdated
    match subject:
        case Service():
            catalogue.change_service(subject, proposal.after)
        case Location():
            catalogue.change_hours(subject, current, proposal.after, accepted=accepted_bookings, now=now)
        case None:
            proposal.service = catalogue.add_service(proposal.after, proposal.names)
    proposal.replaced = replaced
    return _decide(proposal, Decision.APPROVED, reason=reason, actor=actor, now=now)


@booking_transaction
def reject_change(*, proposal_id: int, reason: str, actor: Actor, now: datetime) -> ProposedChange:
    """Reject a proposal and tell its author why. Nothing changes for customers. Locks the proposal.

    :raises ProposalDecided: when it was decided already.
    """
    return _decide(_locked(proposal_id), Decision.REJECTED, reason=reason, actor=actor, now=now)


@booking_transaction
def withdraw_change(*, proposal_id: int, actor: Actor, now: datetime) -> ProposedChange:
    """Withdraw a proposal on behalf of its author. Locks the proposal.

    :raises ProposalDecided: when it was decided already.
    """
    return _decide(_locked(proposal_id), Decision.WITHDRAWN, reason="", actor=actor, now=now)


def seen_of(proposal: ProposedChange) -> str:
    """Return the ``seen`` of ``approve_change`` for a page that shows the catalogue as it is now. Two queries."""
    current = current_values([proposal])[proposal.pk] or {}
    return stamp({key: current.get(key) for key in proposal.before})


def _propose(
    *,
    kind: ProposalKind,
    subject_name: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    note: str,
    actor: Actor,
    now: datetime,
    service_id: int | None = None,
    location_id: int | None = None,
) -> ProposedChange:
    proposal = ProposedChange.objects.create(
        kind=kind,
        service_id=service_id,
        location_id=location_id,
        subject_name=subject_name,
        shape_version=SHAPE_VERSION,
        currency=the_business().currency,
        before=dict(before),
        after=dict(after),
        names=catalogue.names_in(before, after),
        note=note,
        proposed_by_id=actor.user_id,
        proposed_by_name=actor.name[:120],
        proposed_at=now,
    )
    messages.announce_proposed(proposal, now=now)
    return proposal


def _locked(proposal_id: int) -> ProposedChange:
    proposal = ProposedChange.objects.select_for_update().get(pk=proposal_id)
    if proposal.decision:
        raise ProposalDecided
    return proposal


def _subject_of(proposal: ProposedChange) -> Service | Location | None:
    """Return what an approval changes; None for a new service.

    :raises ProposalUnfit: when it is gone, or the proposal no longer means what its author meant.
    """
    if proposal.shape_version != SHAPE_VERSION or proposal.currency != the_business().currency:
        raise ProposalUnfit(
            gettext("Since this was proposed, the currency or the settings changed. Please have it proposed again.")
        )
    match proposal.kind:
        case ProposalKind.NEW_SERVICE:
            return None
        case ProposalKind.SERVICE:
            service = proposal.service
            if service is None or service.visibility == Service.Visibility.ARCHIVED:
                raise ProposalUnfit(gettext("This service was deleted or archived. Please reject the proposal."))
            return service
        case _:
            place = proposal.location
            if place is None or not place.is_active:
                raise ProposalUnfit(gettext("This location was deleted or switched off. Please reject the proposal."))
            return place


def _decide(
    proposal: ProposedChange, decision: Decision, *, reason: str, actor: Actor, now: datetime
) -> ProposedChange:
    proposal.decision = decision
    proposal.reason = reason
    proposal.decided_by_id = actor.user_id
    proposal.decided_by_name = actor.name[:120]
    proposal.decided_at = now
    # The application's database role may change no other column of this table.
    proposal.save(
        update_fields=["decision", "reason", "decided_by", "decided_by_name", "decided_at", "service", "replaced"]
    )
    messages.announce_decided(proposal, now=now)
    return proposal
