"""Which user and customer belong to a mailbox that was just proven, and the limits of asking for codes."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.models import Customer, User
from accounts.operations import lock_contact
from accounts.sign_in import sign_in_try
from core import limits
from core.errors import Refused
from core.inserts import insert_unless_known
from core.visitors import client_address, visitor_hash

CODES_PER_HOUR, CODES_PER_DAY = 5, 20
"""Codes that go to one mailbox. A browser that the account knows has a limit of its own."""
CODES_PER_VISITOR = 10
WRONG_CODES_PER_ADDRESS = 50
"""Wrong codes from one network address in a day."""
_HOUR, _DAY = 3600, 24 * 3600
_LONGEST_NAME = 120


class SignInRefused(Refused):
    """The address is proven, and still opens no account here."""

    code = "sign_in_refused"


def may_ask_for_code(request: HttpRequest, email: str, visitor: str) -> bool:
    """Count a code that this browser asks for, and return whether it may be sent. ``visitor`` is its id.

    The answer is the same for known and unknown addresses.
    """
    _address, mailbox = sign_in_try(request, normalised_email(email)).keys
    return (
        limits.within("mail-code-visitor", visitor_hash(visitor), limit=CODES_PER_VISITOR, seconds=_HOUR)
        and limits.within(
            "mail-code-address", client_address(request), limit=settings.SIGN_IN_CODES_PER_ADDRESS, seconds=_HOUR
        )
        and limits.within("mail-code-hour", mailbox, limit=CODES_PER_HOUR, seconds=_HOUR)
        and limits.within("mail-code-day", mailbox, limit=CODES_PER_DAY, seconds=_DAY)
    )


def may_type_code(request: HttpRequest) -> bool:
    """Return whether a code may be checked. Asking does not count."""
    return not limits.is_reached("mail-code-wrong", client_address(request), limit=WRONG_CODES_PER_ADDRESS)


def count_wrong_code(request: HttpRequest) -> None:
    limits.within("mail-code-wrong", client_address(request), limit=WRONG_CODES_PER_ADDRESS, seconds=_DAY)


@transaction.atomic
def customer_of_mailbox(*, email: str, language: str, now: datetime) -> Customer:
    """Return the customer who has just proven this mailbox, with a user to sign in with; both are made if missing.

    It is the record that owns the mailbox. The user is the record's own, else the one with this address, which may be
    an account of staff: signing in as a customer gives them no right at the desk. Locks the mailbox, then the
    customer's row.

    :raises SignInRefused: when the user is deactivated, or staff know another address as the customer's.
    """
    mailbox = normalised_email(email)
    lock_contact(mailbox)
    record = _record_of(email, mailbox)
    user = record.user if record else None
    if user is None:
        user, record = _user_with(mailbox, record)
    if user is not None and not user.is_active:
        raise _refusal()
    if user is None:
        user = User.objects.create_user(email)
    if record is None:
        record = Customer(name=email[:_LONGEST_NAME], email=email, language=language, created_at=now)
        record.email_normalised, record.email_proven_at, record.user = mailbox, now, user
        if insert_unless_known(record, unique=("email_normalised",)):
            return record
        # A guest has just booked with this address.
        record = _record_of(email, mailbox)
        assert record is not None  # noqa: S101 (for mypy; the mailbox has an owner)
    _follow(user, email)
    return _linked(record, user, mailbox, now)


def _record_of(email: str, mailbox: str) -> Customer | None:
    """Return the record that owns the mailbox, else the first guest who gave it. Locks its row."""
    rows = Customer.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    given = rows.filter(erased_at=None).annotate(mailbox=Lower("email")).filter(mailbox__in=same_mailbox(mailbox))
    first = given.order_by(F("email_normalised").asc(nulls_last=True), "pk").first()
    if first is None or first.merged_into_id is None:
        return first
    kept = rows.get(pk=first.merged_into_id)
    if kept.email and normalised_email(kept.email) != mailbox:
        # The merge made this an old address of the customer. Another person may have it by now.
        raise _refusal()
    if not kept.email:
        Customer.objects.filter(pk=first.pk).update(email_normalised=None)
        kept.email = email
        kept.save(update_fields=["email"])
    return kept


def _user_with(mailbox: str, record: Customer | None) -> tuple[User | None, Customer | None]:
    """Return the user with this address and the record to use: the user's own, if there is one."""
    user = User.objects.annotate(mailbox=Lower("email")).filter(mailbox__in=same_mailbox(mailbox)).first()
    own = Customer.objects.select_for_update(no_key=True).filter(user=user).first() if user else None
    if own is not None and normalised_email(own.email or "-") != mailbox:
        raise _refusal()
    return user, own or record


def _follow(user: User, email: str) -> None:
    """Let a customer's user sign in with the address of now, after staff have changed it on the record."""
    if normalised_email(user.email) == normalised_email(email):
        return
    if not User.objects.filter(email__iexact=email).exists() and not is_of_staff(user):
        user.email = email
        user.save(update_fields=["email"])


def is_of_staff(user: User) -> bool:
    """Return whether the user may open the desk or the admin, or has a place in the team. One query."""
    others = User.objects.filter(pk=user.pk, is_staff=False, is_superuser=False, accesses=None, staff_member=None)
    return not others.exists()


def _linked(record: Customer, user: User, mailbox: str, now: datetime) -> Customer:
    changed = []
    if record.user_id != user.pk:
        record.user = user
        changed.append("user")
    if record.email_normalised != mailbox:
        Customer.objects.filter(email_normalised=mailbox).exclude(pk=record.pk).update(email_normalised=None)
        record.email_normalised = mailbox
        changed.append("email_normalised")
    if record.email_proven_at is None:
        record.email_proven_at = now
        changed.append("email_proven_at")
    if changed:
        record.save(update_fields=changed)
    return record


def _refusal() -> SignInRefused:
    return SignInRefused(_("This address cannot sign in. Please use the address of your bookings, or call us."))
