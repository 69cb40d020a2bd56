"""The mails about proposals: to the owners when a change is proposed, to its author when an owner decides."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

from accounts.models import User
from bookings.messages.contexts import brand_colours
from bookings.refs import number_of
from notifications.enums import RecipientRole
from notifications.operations import enqueue
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from services.enums import Decision
from services.models import ProposedChange
from services.queries import the_business
from staff.enums import Role

PROPOSED, DECIDED = "change_proposed", "change_decided"
# A mail that could not go for so long is no news any more; the desk lists the proposal.
_KEPT = timedelta(days=3)


def announce_proposed(proposal: ProposedChange, *, now: datetime) -> None:
    """Tell every owner of the whole business but the author that a proposal waits."""
    owners = User.objects.filter(is_active=True, accesses__role=Role.OWNER, accesses__location=None).exclude(
        pk=proposal.proposed_by_id or 0
    )
    _announce(PROPOSED, proposal, owners.distinct().order_by("pk"), now)


def announce_decided(proposal: ProposedChange, *, now: datetime) -> None:
    """Tell the author what an owner decided; nothing when the author decided or withdrew it."""
    if proposal.decided_by_id == proposal.proposed_by_id:
        return
    _announce(DECIDED, proposal, User.objects.filter(pk=proposal.proposed_by_id or 0, is_active=True), now)


def proposal_context(request: ContextRequest) -> MessageContext | None:
    """Build the mail of subject ``proposal:<id>``. None when it was decided before the mail about it was sent."""
    proposal = ProposedChange.objects.filter(pk=number_of(request.subject_ref)).first()
    if proposal is None or (request.kind == PROPOSED) != proposal.is_waiting:
        return None
    business = the_business()
    link = f"{settings.SITE_URL}{reverse('desk_proposal', args=[proposal.pk])}"
    variables = {
        "business": business.text("name"),
        "business_email": business.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "business_url": settings.SITE_URL,
        "brand": brand_colours(business.brand_colour),
        "language": get_language(),
        "place": None,
        "what": proposal.subject_name,
        "kind": proposal.kind,
        "author": proposal.proposed_by_name,
        "note": proposal.note,
        "owner": proposal.decided_by_name,
        "is_approved": proposal.decision == Decision.APPROVED,
        "reason": proposal.reason,
        "proposal_url": link,
    }
    return MessageContext(
        template=f"{request.kind}_staff",
        variables=variables,
        link=link,
        sender_name=business.text("name"),
        reply_to=business.email,
    )


def _announce(kind: str, proposal: ProposedChange, users: Iterable[User], now: datetime) -> None:
    subject = f"proposal:{proposal.pk}"
    enqueue(
        [
            MessageRequest(
                kind=kind,
                subject_ref=subject,
                version=1,
                recipient_role=RecipientRole.STAFF,
                recipient_ref=f"user:{user.pk}",
                address=user.email,
                language=settings.LANGUAGE_CODE,
                key=f"{subject}:{kind}:{user.pk}",
                expires_at=now + _KEPT,
            )
            for user in users
        ],
        now=now,
    )
