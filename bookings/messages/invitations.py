"""The e-mail that invites a future colleague. A worker computes the link in it when it writes the e-mail."""

from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language

from bookings.messages.contexts import brand_colours
from bookings.refs import number_of
from notifications.enums import RecipientRole
from notifications.operations import enqueue
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from services.queries import the_business
from staff.models import Invitation
from staff.team import LASTS, invitation_url, inviter_still_may, is_open

INVITATION = "invitation"


@transaction.atomic
def announce_invitation(*, invitation_id: int, now: datetime) -> None:
    """Send the invitation to its address. Nothing if it is over."""
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    if invitation is None or not is_open(invitation, now=now):
        return
    subject = f"invitation:{invitation.pk}"
    request = MessageRequest(
        kind=INVITATION,
        subject_ref=subject,
        version=1,
        recipient_role=RecipientRole.STAFF,
        recipient_ref=subject,
        address=invitation.email,
        language=settings.LANGUAGE_CODE,
        key=subject,
        expires_at=invitation.expires_at,
    )
    enqueue([request], now=now)


def invitation_context(request: ContextRequest) -> MessageContext | None:
    """Build the mail of subject ``invitation:<id>``. None when it was withdrawn, accepted, or is over."""
    invitation = Invitation.objects.select_related("inviter").filter(pk=number_of(request.subject_ref)).first()
    if invitation is None or not is_open(invitation, now=request.now) or not inviter_still_may(invitation):
        return None
    business = the_business()
    link = invitation_url(invitation)
    variables = {
        "business": business.text("name"),
        "business_email": business.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "business_url": settings.SITE_URL,
        "brand": brand_colours(business.brand_colour),
        "language": get_language(),
        "place": None,
        "account": invitation.email,
        "name": invitation.name,
        "inviter": invitation.inviter_name,
        "days": LASTS.days,
        "invitation_url": link,
    }
    return MessageContext(
        template=f"{INVITATION}_staff",
        variables=variables,
        link=link,
        sender_name=business.text("name"),
        reply_to=business.email,
    )
