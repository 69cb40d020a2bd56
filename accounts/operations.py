"""Operations on customers, their consents and their choices about messages."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Lower

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.contact.names import name_key
from accounts.contact.same_phones import phone_hash
from accounts.models import ChannelChoice, Consent, Customer, QuietHours
from core.inserts import insert_rows, insert_unless_known
from core.locks import one_at_a_time
from core.reads import read_rows

# Purpose of the consent to news and offers.
MARKETING_CONSENT = "marketing"


def customer_of_contact(
    *, name: str, email: str, phone: str, language: str, now: datetime, has_proven_email: bool = False
) -> Customer:
    """Return the customer with this contact, or create one. An existing record is not changed.

    A record is the same person if mailbox, name and phone number are equal; without an e-mail address, if name and
    number are equal; with ``has_proven_email``, if mailbox and name are equal. Any weaker match could be two people, so
    each gets a record. Locks the mailbox (or without one the number), unless the mailbox is new.
    """
    mailbox = normalised_email(email) if email else None
    number = phone_hash(phone)
    made = Customer(name=name, email=email, email_normalised=mailbox, phone=phone, language=language, created_at=now)
    if mailbox and insert_unless_known(made, unique=("email_normalised",)):
        return made
    if mailbox or number:
        lock_contact(mailbox or number)
        known = _records_with(mailbox=mailbox, number=number)
        if same := next(
            (
                each
                for each in known
                if name_key(each.name) == name_key(name) and (has_proven_email or each.phone_hash == number)
            ),
            None,
        ):
            return current_customer(same.pk)
    made.email_normalised = None
    insert_rows(made)
    return made


def current_customer(customer_id: int) -> Customer:
    """Return a customer, or the record into which it was merged, for a row that is about to refer to it.

    A merge waits for this transaction to end, or this one for the merge, so that no row is left behind.

    :raises Customer.DoesNotExist: when there is none.
    """
    rows = read_rows(Customer, "WHERE id = %s FOR KEY SHARE", [customer_id])
    if not rows:
        raise Customer.DoesNotExist
    return current_customer(rows[0].merged_into_id) if rows[0].merged_into_id else rows[0]


@transaction.atomic
def prove_customer_email(
    *, customer_id: int | None, name: str, email: str, phone: str, language: str, now: datetime
) -> Customer:
    """Return the customer who has just acted from this mailbox; the caller links the booking to it.

    ``customer_id`` is the booking's record so far; the other arguments are its contact. The first proof gives the
    mailbox to that record, because until then anyone could have typed the address. A mailbox that was proven before
    stays with its record: a booking under the same name moves to that record, one under another name keeps its own.

    Locks the mailbox, then the customer's row.
    """
    mailbox = normalised_email(email)
    lock_contact(mailbox)
    if customer_id is None:
        own = customer_of_contact(
            name=name, email=email, phone=phone, language=language, now=now, has_proven_email=True
        )
        customer_id = own.pk
    own = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    # The caller holds the booking's row, which a merge needs: the record is a current one.
    if not own.email or normalised_email(own.email) != mailbox:
        # The front desk has changed the address since the booking was made.
        return own
    first = Customer.objects.filter(email_normalised=mailbox).exclude(pk=own.pk).first()
    is_of_own = first is not None and first.merged_into_id == own.pk
    if first is not None and first.email_proven_at is not None and name_key(first.name) == name_key(own.name):
        return own if is_of_own else current_customer(first.pk)
    if own.email_proven_at is None:
        if first is None or first.email_proven_at is None or is_of_own:
            Customer.objects.filter(email_normalised=mailbox).exclude(pk=own.pk).update(email_normalised=None)
            own.email_normalised = mailbox
        own.email_proven_at = now
        own.save(update_fields=["email_normalised", "email_proven_at"])
    return own


def lock_contact(value: str) -> None:
    """Serialise the creation of customers with the same mailbox or phone number."""
    one_at_a_time(f"customer:{value}")


def _records_with(*, mailbox: str | None, number: str) -> QuerySet[Customer]:
    """Return the customers with a mailbox or, without one, with a phone number; the owner of the mailbox first."""
    found = Customer.objects.filter(erased_at=None).order_by(F("email_normalised").asc(nulls_last=True), "pk")
    if mailbox is None:
        return found.filter(phone_hash=number)
    return found.annotate(mailbox=Lower("email")).filter(mailbox__in=same_mailbox(mailbox))


def record_consent(*, customer_id: int | None, subject_ref: str, purpose: str, text: str, now: datetime) -> Consent:
    """Store a consent with the exact text that was shown. Equal texts have the same version."""
    consent = Consent(
        customer_id=customer_id,
        subject_ref=subject_ref,
        purpose=purpose,
        text=text,
        text_version=hashlib.sha256(text.encode()).hexdigest()[:16],
        given_at=now,
    )
    insert_rows(consent)
    return consent


@transaction.atomic
def choose_channels(*, person_ref: str, wanted: Mapping[str, bool], now: datetime) -> None:
    """Store by which channels a person wants messages. Channels that ``wanted`` does not name stay as they are."""
    for channel, is_on in wanted.items():
        ChannelChoice.objects.update_or_create(
            person_ref=person_ref, channel=channel, defaults={"is_on": is_on, "updated_at": now}
        )


def set_quiet_hours(*, person_ref: str, start_minute: int, end_minute: int, time_zone: str) -> None:
    """Store a person's quiet hours in minutes from local midnight; equal minutes delete them."""
    if start_minute == end_minute:
        QuietHours.objects.filter(person_ref=person_ref).delete()
        return
    hours = {"start_minute": start_minute, "end_minute": end_minute, "time_zone": time_zone}
    QuietHours.objects.update_or_create(person_ref=person_ref, defaults=hours)


@transaction.atomic
def agree_to_marketing(*, customer_id: int, subject_ref: str, text: str, now: datetime) -> None:
    """Record a customer's consent to news, with the text that was shown. Nothing changes if there is a valid consent.

    Locks the customer's row, so that a double click stores one consent.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    if not _marketing_consents(customer_id).exists():
        record_consent(customer_id=customer_id, subject_ref=subject_ref, purpose=MARKETING_CONSENT, text=text, now=now)


def withdraw_marketing(*, customer_id: int, now: datetime) -> None:
    """Withdraw all consents of a customer to news. The rows stay as evidence."""
    _marketing_consents(customer_id).update(withdrawn_at=now)


def _marketing_consents(customer_id: int) -> QuerySet[Consent]:
    return Consent.objects.filter(customer_id=customer_id, purpose=MARKETING_CONSENT, withdrawn_at=None)
