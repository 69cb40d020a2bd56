"""The mail that warns owners when a day's limit of wrong passwords for a user was reached."""

from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language

from accounts.models import User
from bookings.messages.contexts import brand_colours
from bookings.refs import number_of
from notifications.enums import RecipientRole
from notifications.operations import enqueue
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from services.models import Business
from staff.enums import Role

KIND = "sign_in_guessed"
# Later the mail would speak of a day that is over.
_KEPT = timedelta(days=1)


@transaction.atomic
def announce_guessing(*, user_id: int, count: int, now: datetime) -> None:
    """Warn every owner, once a day for each user, of the number of wrong passwords that were entered."""
    subject = f"user:{user_id}"
    owners = User.objects.filter(is_active=True, accesses__role=Role.OWNER).distinct().order_by("pk")
    requests = [
        MessageRequest(
            kind=KIND,
            subject_ref=subject,
            version=now.date().toordinal(),
            recipient_role=RecipientRole.STAFF,
            recipient_ref=f"user:{owner.pk}",
            address=owner.email,
            language=settings.LANGUAGE_CODE,
            key=f"{subject}:{KIND}:{now.date().isoformat()}:{owner.pk}",
            details={"count": count},
            expires_at=now + _KEPT,
        )
        for owner in owners
    ]
    enqueue(requests, now=now)


def guessing_context(request: ContextRequest) -> MessageContext | None:
    """Build the mail of subject ``user:<id>``. None when the user was deactivated or deleted."""
    user = User.objects.filter(pk=number_of(request.subject_ref), is_active=True).first()
    if user is None:
        return None
    business = Business.objects.get()
    variables = {
        "business": business.text("name"),
        "business_email": business.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "business_url": settings.SITE_URL,
        "brand": brand_colours(business.brand_colour),
        "language": get_language(),
        "place": None,
        "account": user.email,
        "name": user.name or user.email,
        "count": int(request.details["count"]),
    }
    return MessageContext(
        template=f"{KIND}_staff",
        variables=variables,
        link=f"{settings.SITE_URL}/desk/",
        sender_name=business.text("name"),
        reply_to=business.email,
    )
