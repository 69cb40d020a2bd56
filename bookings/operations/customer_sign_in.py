"""A customer signs in by a code that is sent to their mailbox. Who has no record yet gets one."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.contact.names import name_key
from accounts.customer_merge import CannotMerge, merge_stamp
from accounts.customer_record import By, CustomerChanged
from accounts.customer_sign_in import customer_of_mailbox
from accounts.models import Customer
from accounts.sign_in_code import CodeAnswer, check_code, new_code
from bookings.enums import BookingStatus
from bookings.errors import Busy
from bookings.messages.sign_in_codes import KIND, announce_code
from bookings.models import UnprovenBooking
from bookings.operations.merge_customers import merge_customers
from notifications.queries import mails_to


class Checked(NamedTuple):
    """``customer`` is set for a right code."""

    answer: CodeAnswer
    customer: Customer | None = None


@transaction.atomic
def send_code(*, email: str, replaced: str, language: str, now: datetime) -> str:
    """Send a new code to the mailbox and return the secret for the cookie of the browser that asked.

    It does the same for known and unknown addresses. ``replaced`` is the secret of an earlier code of this browser,
    which does not count any more.
    """
    code, token = new_code(replaced=replaced, now=now)
    owner = Customer.objects.filter(email_normalised=normalised_email(email)).only("pk").first()
    announce_code(code, email=email, customer_id=owner.pk if owner else None, language=language, now=now)
    return token


def enter_code(*, token: str, typed: str, email: str, language: str, now: datetime) -> Checked:
    """Check a code, and return the customer of its mailbox: their earlier bookings as a guest belong to them now.

    :raises SignInRefused: when the code is right, and the address still opens no account.
    """
    answer = check_code(token, typed, now=now)
    if answer is not CodeAnswer.RIGHT:
        return Checked(answer)
    return Checked(answer, claim_mailbox(email=email, language=language, now=now))


def claim_mailbox(*, email: str, language: str, now: datetime) -> Customer:
    """Return the customer who has proven this mailbox, with what they booked as a guest under the same name.

    A record with the same mailbox and another name stays as it is: it may be another person.

    :raises SignInRefused: when the address opens no account.
    """
    own = customer_of_mailbox(email=email, language=language, now=now)
    # So that erasing the customer finds the mails with the codes of before the record.
    mails_to(email).filter(kind=KIND, recipient_ref="").update(recipient_ref=f"customer:{own.pk}")
    if own.email_proven_at == now:
        # As for the first use of a mailed link: later proofs cover one booking each.
        of_own = UnprovenBooking.objects.filter(booking__customer=own)
        of_own.exclude(booking__status=BookingStatus.HELD).delete()
    for other_id in _guest_records(own):
        _take_over(own.pk, other_id, now)
    return Customer.objects.select_related("user").get(pk=own.pk)


def _guest_records(own: Customer) -> list[int]:
    """Return the records with the same mailbox and name that have no user."""
    given = Customer.objects.annotate(mailbox=Lower("email")).filter(
        mailbox__in=same_mailbox(normalised_email(own.email)), user=None, erased_at=None, merged_into=None
    )
    return [each.pk for each in given.exclude(pk=own.pk).order_by("pk") if name_key(each.name) == name_key(own.name)]


def _take_over(own_id: int, other_id: int, now: datetime) -> None:
    """Merge a guest's record into the one of the customer who signed in. What cannot be merged stays with staff."""
    own, other = Customer.objects.get(pk=own_id), Customer.objects.get(pk=other_id)
    reason = gettext("The customer signed in with the e-mail address of both.")
    try:
        merge_customers(
            kept_id=own_id,
            other_id=other_id,
            seen=merge_stamp(own, other),
            reason=reason,
            by=By(None, own.name),
            now=now,
        )
    except (CannotMerge, CustomerChanged, Busy):
        return
