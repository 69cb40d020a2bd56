"""Who customers are, what is known of them, and what they agreed to."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.contact.mailboxes import normalised_email
from accounts.models import ChannelChoice, Consent, Customer, QuietHours
from core.inserts import insert_rows, insert_unless_known

# Purpose of the consent to be told news and offers.
MARKETING_CONSENT = "marketing"


def customer_for_guest(*, name: str, email: str, phone: str, language: str, now: datetime) -> Customer | None:
    """Make an unproven customer for a guest whose address nobody has; None if somebody has it.

    A guest only claims an address, so what is known about its owner is neither shown nor changed nor linked. One
    statement, harmless when two guests come at once.
    """
    customer = Customer(
        name=name,
        email=email,
        email_normalised=normalised_email(email),
        phone=phone,
        language=language,
        created_at=now,
    )
    return customer if insert_unless_known(customer, unique=("email_normalised",)) else None


@transaction.atomic
def prove_customer_email(*, email: str, name: str, phone: str, language: str, now: datetime) -> Customer:
    """Return the customer of a mailbox from which somebody just acted; the caller links the booking to it.

    The first proof also replaces name, phone and language, because until then anybody could have typed them. Locks the
    customer's row.
    """
    normalised = normalised_email(email)
    customer_for_guest(name=name, email=email, phone=phone, language=language, now=now)
    customer = Customer.objects.select_for_update(no_key=True).get(email_normalised=normalised)
    if customer.email_proven_at is None:
        customer.name, customer.phone, customer.language, customer.email_proven_at = name, phone, language, now
        customer.save(update_fields=["name", "phone", "phone_hash", "phone_end_hash", "language", "email_proven_at"])
    return customer


def record_consent(*, customer_id: int | None, subject_ref: str, purpose: str, text: str, now: datetime) -> Consent:
    """Write down an agreement with the exact words that were shown. The version names equal words."""
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
    """Keep by which channels a person wants messages. Channels not named stay as they are."""
    for channel, is_on in wanted.items():
        ChannelChoice.objects.update_or_create(
            person_ref=person_ref, channel=channel, defaults={"is_on": is_on, "updated_at": now}
        )


def set_quiet_hours(*, person_ref: str, start_minute: int, end_minute: int, time_zone: str) -> None:
    """Keep when a person wants no messages that can wait: minutes from local midnight, equal ones for never."""
    if start_minute == end_minute:
        QuietHours.objects.filter(person_ref=person_ref).delete()
        return
    hours = {"start_minute": start_minute, "end_minute": end_minute, "time_zone": time_zone}
    QuietHours.objects.update_or_create(person_ref=person_ref, defaults=hours)


@transaction.atomic
def agree_to_marketing(*, customer_id: int, subject_ref: str, text: str, now: datetime) -> None:
    """Record that a customer asked for news, in the words that were shown; nothing when they did so before.

    Locks the customer's row, so that two presses make one record.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    if not _marketing_consents(customer_id).exists():
        record_consent(customer_id=customer_id, subject_ref=subject_ref, purpose=MARKETING_CONSENT, text=text, now=now)


def withdraw_marketing(*, customer_id: int, now: datetime) -> None:
    """End every agreement of a customer to be told news. What was agreed stays written down."""
    _marketing_consents(customer_id).update(withdrawn_at=now)


def _marketing_consents(customer_id: int) -> QuerySet[Consent]:
    return Consent.objects.filter(customer_id=customer_id, purpose=MARKETING_CONSENT, withdrawn_at=None)
