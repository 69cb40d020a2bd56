"""Mails about sign-ins: to owners when guessing was stopped, and to a user whose password or second step changed."""

from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.customer_sign_in import is_of_staff
from accounts.models import Customer, User
from accounts.second_factor import SignInChange
from bookings.messages.contexts import brand_colours
from bookings.refs import number_of
from notifications.enums import Channel, RecipientRole
from notifications.operations import enqueue
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from services.models import Business
from staff.enums import Role

GUESSED, CHANGED = "sign_in_guessed", "sign_in_changed"
# Later the mail would speak of a day that is over.
_KEPT = timedelta(days=1)
_HEADINGS = {
    SignInChange.ADDED: _("A second step was added to your sign-in"),
    SignInChange.REMOVED: _("A second step was removed from your sign-in"),
    SignInChange.RESET: _("Your second step was reset"),
    SignInChange.NEW_CODES: _("You have new recovery codes"),
    SignInChange.CODE_USED: _("A recovery code was used to sign in"),
    SignInChange.PASSWORD: _("Your password was changed"),
}
_HEADINGS_OF_CUSTOMERS = {
    SignInChange.ADDED: _("A passkey was added to your sign-in"),
    SignInChange.REMOVED: _("A passkey was removed from your sign-in"),
    SignInChange.PASSWORD: _("Your password was changed"),
    SignInChange.NO_PASSWORD: _("Your password was removed"),
}


@transaction.atomic
def announce_guessing(*, user_id: int, count: int, is_of_codes: bool, now: datetime) -> None:
    """Warn every owner, once a day for each user, of the number of wrong passwords, or codes, that were entered."""
    name = f"{GUESSED}:codes" if is_of_codes else GUESSED
    owners = User.objects.filter(is_active=True, accesses__role=Role.OWNER).distinct().order_by("pk")
    requests = [
        _request(
            GUESSED,
            user_id,
            to=owner,
            key=f"{name}:{now.date().isoformat()}:{owner.pk}",
            details={"count": count, "is_of_codes": is_of_codes},
            now=now,
        )
        for owner in owners
    ]
    enqueue(requests, now=now)


@transaction.atomic
def announce_sign_in_change(*, user_id: int, change: str, key: str, now: datetime) -> None:
    """Tell a user what changed about their sign-in (``SignInChange``), in case it was not their doing."""
    user = User.objects.select_related("customer").filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    request = _request(CHANGED, user_id, to=user, key=key, details={"change": change}, now=now)
    customer: Customer | None = getattr(user, "customer", None)
    if customer is not None and not is_of_staff(user):
        request = replace(
            request,
            recipient_role=RecipientRole.CUSTOMER,
            recipient_ref=f"customer:{customer.pk}",
            channel=Channel.EMAIL,
            language=customer.language,
        )
    enqueue([request], now=now)


def sign_in_context(request: ContextRequest) -> MessageContext | None:
    """Build a mail of subject ``user:<id>``. None when the user was deactivated or deleted."""
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
        **request.details,
        **(_change_texts(request, user) if request.kind == CHANGED else {}),
    }
    is_customer = request.recipient_role == RecipientRole.CUSTOMER
    return MessageContext(
        template=f"{request.kind}_{request.recipient_role}",
        variables=variables,
        link=f"{settings.SITE_URL}{reverse('my_security') if is_customer else '/desk/'}",
        sender_name=business.text("name"),
        reply_to=business.email,
    )


def _change_texts(request: ContextRequest, user: User) -> dict[str, str]:
    change = SignInChange(request.details["change"])
    is_customer = request.recipient_role == RecipientRole.CUSTOMER
    if change is SignInChange.RESET:
        lead = gettext(
            "An owner did it. You are signed out everywhere, and set up a new second step after your password."
        )
    else:
        lead = gettext("It was done with the account %(email)s. If it was you, there is nothing to do.")
    headings = _HEADINGS_OF_CUSTOMERS if is_customer else _HEADINGS
    return {"heading": str(headings[change]), "lead": lead % {"email": user.email}}


def _request(kind: str, user_id: int, *, to: User, key: str, details: dict[str, Any], now: datetime) -> MessageRequest:
    subject = f"user:{user_id}"
    return MessageRequest(
        kind=kind,
        subject_ref=subject,
        version=now.date().toordinal(),
        recipient_role=RecipientRole.STAFF,
        recipient_ref=f"user:{to.pk}",
        address=to.email,
        language=settings.LANGUAGE_CODE,
        key=f"{subject}:{key}",
        details=details,
        expires_at=now + _KEPT,
    )
