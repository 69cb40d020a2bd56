"""Operations on a customer's record: add, edit, tag, write notes, set trust. A customer edits the own one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.contact.mailboxes import normalised_email
from accounts.models import Customer, CustomerEvent, CustomerNote, CustomerTag
from core.errors import Conflict, Refused
from core.inserts import insert_missing, insert_unless_known

CONTACT_FIELDS = ("name", "email", "phone", "language")
MOST_TAGS = 10


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a change, as the history stores it: a staff member, or the customer, without a name."""

    user_id: int | None
    name: str


class CustomerChanged(Conflict):
    """Another staff member changed the record since the page was shown. ``data["fields"]`` names the changed fields."""

    code = "customer_changed"


class TooManyTags(Refused):
    code = "too_many_tags"


def contact_stamps(customer: Customer) -> dict[str, str]:
    """Return a short digest of each contact field.

    A page sends them back, so that ``edit_customer`` detects other changes.
    """
    return {name: stamp_of(str(getattr(customer, name))) for name in CONTACT_FIELDS}


def stamp_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def locked_customer(customer_id: int) -> Customer:
    """Read a customer and lock the row; the record that took it over, if it was merged into another one.

    A merge needs the row alone, so from here on the customer is not merged before the transaction ends.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    return locked_customer(customer.merged_into_id) if customer.merged_into_id else customer


@transaction.atomic
def add_customer(*, name: str, email: str, phone: str, language: str, by: By, now: datetime) -> Customer:
    """Create a customer's record by hand. The record owns its mailbox unless another record does."""
    customer = Customer(name=name, email=email, phone=phone, language=language, created_at=now)
    customer.email_normalised = normalised_email(email) if email else None
    if not customer.email_normalised or not insert_unless_known(customer, unique=("email_normalised",)):
        customer.email_normalised = None
        customer.save()
    record_event(customer, CustomerEvent.Kind.ADDED, by, now)
    return customer


@transaction.atomic
def edit_customer(
    *, customer_id: int, seen: Mapping[str, str], values: Mapping[str, str], by: By, now: datetime
) -> Customer:
    """Change name, e-mail, phone and language. A new mailbox counts as not proven. Locks the customer's row.

    ``seen`` are the ``contact_stamps`` of the page on which staff made the change.

    :raises CustomerChanged: when a field has changed since then; nothing is saved.
    """
    customer = locked_customer(customer_id)
    stamps = contact_stamps(customer)
    if since := [name for name in CONTACT_FIELDS if stamps[name] != seen.get(name)]:
        raise CustomerChanged(_("Someone else changed this customer meanwhile. Nothing is saved yet."), fields=since)
    changed = [name for name in CONTACT_FIELDS if getattr(customer, name) != values[name]]
    if not changed:
        return customer
    mailbox = normalised_email(values["email"]) if values["email"] else None
    if "email" in changed and mailbox != (normalised_email(customer.email) if customer.email else None):
        is_taken = Customer.objects.filter(email_normalised=mailbox).exclude(pk=customer.pk).exists()
        customer.email_normalised = None if is_taken else mailbox
        customer.email_proven_at = None
    for name in changed:
        setattr(customer, name, values[name])
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError:
        # A booking has made the owner of the mailbox since it was looked for.
        customer.email_normalised = None
        customer.save()
    record_event(customer, CustomerEvent.Kind.CONTACT, by, now, details={"fields": changed})
    return customer


@transaction.atomic
def tag_customer(*, customer_id: int, tag: str) -> Customer:
    """Add a tag to a customer; harmless when repeated. Locks the customer's row.

    :raises TooManyTags: when the customer has ``MOST_TAGS`` tags already.
    """
    customer = locked_customer(customer_id)
    if tag.casefold() in {each.casefold() for each in customer.tags}:
        return customer
    if len(customer.tags) >= MOST_TAGS:
        raise TooManyTags(_("A customer can have ten tags. Remove one first."))
    # All customers share the first spelling of a tag.
    known = CustomerTag.objects.filter(name__iexact=tag).values_list("name", flat=True).first()
    if known is None:
        insert_missing(CustomerTag(name=tag), unique=("name",))
    customer.tags = [*customer.tags, known or tag]
    customer.save(update_fields=["tags"])
    return customer


@transaction.atomic
def untag_customer(*, customer_id: int, tag: str) -> None:
    """Remove a tag from a customer, and delete the tag when no customer has it. Locks the customer's row."""
    customer = locked_customer(customer_id)
    customer.tags = [each for each in customer.tags if each != tag]
    customer.save(update_fields=["tags"])
    if not Customer.objects.filter(tags__contains=[tag]).exists():
        CustomerTag.objects.filter(name=tag).delete()


@transaction.atomic
def write_note(*, customer_id: int, text: str, by: By, now: datetime) -> CustomerNote:
    return CustomerNote.objects.create(
        customer=locked_customer(customer_id), text=text, author_id=by.user_id, author_name=by.name, created_at=now
    )


def rewrite_note(*, note: CustomerNote, text: str, now: datetime) -> None:
    note.text, note.edited_at = text, now
    note.save(update_fields=["text", "edited_at"])


@transaction.atomic
def set_customer_trust(
    *,
    customer_id: int,
    is_blocked: bool,
    is_prepayment_exempt: bool,
    was_blocked: bool,
    was_prepayment_exempt: bool,
    reason: str,
    by: By,
    now: datetime,
) -> Customer:
    """Set whether a customer may book online, and whether they never pay in advance. Locks the customer's row.

    ``was_blocked`` and ``was_prepayment_exempt`` are what the page showed before staff changed it.

    :raises CustomerChanged: when one of them has changed since then; nothing is saved.
    """
    customer = locked_customer(customer_id)
    seen = {"is_blocked": was_blocked, "is_prepayment_exempt": was_prepayment_exempt}
    if since := [name for name, value in seen.items() if getattr(customer, name) != value]:
        raise CustomerChanged(_("Someone else changed this customer meanwhile. Nothing is saved yet."), fields=since)
    customer.is_blocked, customer.is_prepayment_exempt = is_blocked, is_prepayment_exempt
    customer.save(update_fields=["is_blocked", "is_prepayment_exempt"])
    # Their addresses and numbers are those of the same person.
    customer.merged_records.update(is_blocked=is_blocked)
    details = {"is_blocked": is_blocked, "is_prepayment_exempt": is_prepayment_exempt}
    record_event(customer, CustomerEvent.Kind.TRUST, by, now, reason=reason, details=details)
    return customer


def record_event(
    customer: Customer,
    kind: CustomerEvent.Kind,
    by: By,
    now: datetime,
    *,
    reason: str = "",
    details: Mapping[str, object] | None = None,
) -> None:
    CustomerEvent.objects.create(
        customer=customer,
        kind=kind,
        details=dict(details or {}),
        reason=reason,
        actor_id=by.user_id,
        actor_name=by.name,
        at=now,
    )
