"""The mail to owners about unusual reading, and its sentence, which the desk shows as well."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language, gettext

from accounts.models import User
from bookings.messages.contexts import brand_colours
from bookings.refs import number_of
from core import formats
from notifications.enums import RecipientRole
from notifications.operations import enqueue
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from privacy.enums import UnusualReading
from privacy.models import ReadingAlert
from services.queries import the_business
from staff.enums import Role

UNUSUAL = "unusual_reading"
# A mail that could not go for so long is no news any more; the desk lists the alert.
_KEPT = timedelta(days=3)


@transaction.atomic
def announce_unusual_reading(*, alert_id: int, now: datetime) -> None:
    """Write to every owner of the whole business, once for each alert. Also to an owner whom the alert is about."""
    owners = User.objects.filter(is_active=True, accesses__role=Role.OWNER, accesses__location=None)
    subject = f"reading:{alert_id}"
    requests = [
        MessageRequest(
            kind=UNUSUAL,
            subject_ref=subject,
            version=1,
            recipient_role=RecipientRole.STAFF,
            recipient_ref=f"user:{owner.pk}",
            address=owner.email,
            language=settings.LANGUAGE_CODE,
            key=f"{subject}:{UNUSUAL}:{owner.pk}",
            expires_at=now + _KEPT,
        )
        for owner in owners.distinct().order_by("pk")
    ]
    enqueue(requests, now=now)


def reading_context(request: ContextRequest) -> MessageContext | None:
    """Build the mail of subject ``reading:<id>``. None when an owner has settled the alert before it was sent."""
    alert = ReadingAlert.objects.filter(pk=number_of(request.subject_ref), settled_at=None).first()
    if alert is None:
        return None
    business = the_business()
    link = f"{settings.SITE_URL}{reverse('desk_access_alerts')}"
    variables = {
        "business": business.text("name"),
        "business_email": business.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "business_url": settings.SITE_URL,
        "brand": brand_colours(business.brand_colour),
        "language": get_language(),
        "place": None,
        "name": alert.user_name,
        "sentence": alert_text(alert),
        "day": formats.full_day_text(alert.on),
        "alerts_url": link,
    }
    return MessageContext(
        template=f"{UNUSUAL}_staff",
        variables=variables,
        link=link,
        sender_name=business.text("name"),
        reply_to=business.email,
    )


def alert_text(alert: ReadingAlert) -> str:
    """Return a sentence such as "Mia Berg opened 73 records within an hour."."""
    words = {
        UnusualReading.MANY: gettext("%(name)s opened %(count)s records within an hour."),
        UnusualReading.NIGHT: gettext("%(name)s opened %(count)s records at night, outside the opening hours."),
        UnusualReading.REFUSED: gettext("%(name)s tried to open %(count)s records that they may not see."),
    }[UnusualReading(alert.rule)]
    return words % {"name": alert.user_name, "count": formats.number_text(alert.count)}


def log_url(alert: ReadingAlert) -> str:
    """Return the address of the access log with the readings of the alert's user from its day to the next one."""
    days = {"from": alert.on.isoformat(), "until": (alert.on + timedelta(days=1)).isoformat()}
    return f"{reverse('desk_access')}?{urlencode({'who': alert.user_id or '', **days})}"
