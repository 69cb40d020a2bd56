"""The mail with the code that signs a customer in. Its subject is ``sign_in:<id of the code>``."""

from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

from accounts.models import SignInCode
from accounts.sign_in_code import digits_of
from bookings.messages.contexts import brand_colours
from bookings.refs import number_of
from notifications.enums import Channel, RecipientRole
from notifications.operations import enqueue
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from services.models import Business

KIND = "sign_in_code"


def code_ref(code_id: int) -> str:
    return f"sign_in:{code_id}"


def announce_code(code: SignInCode, *, email: str, customer_id: int | None, language: str, now: datetime) -> None:
    """Send a code to the mailbox. It is dropped when it would arrive too late."""
    subject = code_ref(code.pk)
    request = MessageRequest(
        kind=KIND,
        subject_ref=subject,
        version=0,
        recipient_role=RecipientRole.CUSTOMER,
        recipient_ref=f"customer:{customer_id}" if customer_id else "",
        channel=Channel.EMAIL,
        address=email,
        language=language,
        key=f"{subject}:{KIND}",
        expires_at=code.expires_at,
    )
    enqueue([request], now=now)


def code_context(request: ContextRequest) -> MessageContext | None:
    """Build the mail of subject ``sign_in:<id>``. None when the code is used, replaced or over."""
    code = SignInCode.objects.filter(pk=number_of(request.subject_ref), expires_at__gt=request.now).first()
    business = Business.objects.first()
    if code is None or business is None:
        return None
    digits = digits_of(code)
    variables = {
        "business": business.text("name"),
        "business_email": business.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "business_url": settings.SITE_URL,
        "brand": brand_colours(business.brand_colour),
        "language": get_language(),
        "place": None,
        "code": f"{digits[:3]} {digits[3:]}",
    }
    return MessageContext(
        template=f"{KIND}_customer",
        variables=variables,
        link=f"{settings.SITE_URL}{reverse('my_bookings')}",
        is_secret=True,
        sender_name=business.text("name"),
        reply_to=business.email,
    )
