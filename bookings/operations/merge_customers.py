"""Make one customer of two records that staff know to be the same person."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.customer_merge import (
    SENTENCES,
    CannotMerge,
    Flags,
    Obstacle,
    end_declined_news,
    flags_of,
    merge_stamp,
    obstacle_of,
    stricter,
    take_over,
)
from accounts.customer_record import By, CustomerChanged, record_event
from accounts.models import Customer, CustomerEvent
from bookings.errors import Busy
from bookings.models import Booking
from bookings.operations._transaction import booking_transaction
from notifications.operations import move_recipient

_ROUNDS = 5


class _Overtaken(Exception):
    """A booking was made for the merged record after its bookings were locked."""


def merge_customers(
    *,
    kept_id: int,
    other_id: int,
    seen: str,
    reason: str,
    by: By,
    now: datetime,
    gives_up_mailbox: bool = False,
    chosen: Flags | None = None,
) -> Customer:
    """Move bookings, bills, notes, consents, requests and choices of ``other`` to ``kept``, and let it lead there.

    The contact of ``kept`` stays. The contact of ``other`` still finds the customer who books with it. ``seen`` is the
    ``merge_stamp`` of the preview. ``chosen`` are flags chosen by a user who may trust customers; without it the
    stricter ones win. Bookings keep the contact they were made with.

    Merging again the same two records, in either direction, changes nothing and returns the record that was kept.

    Locks: the bookings of ``other`` in the order of their ids, then both customers, each alone.

    :raises CannotMerge: when something would be lost.
    :raises CustomerChanged: when a record has changed since the preview; nothing is saved.
    :raises Busy: when bookings of ``other`` are being made all the time.
    """
    for _round in range(_ROUNDS):
        try:
            return _merge(
                kept_id=kept_id,
                other_id=other_id,
                seen=seen,
                reason=reason,
                by=by,
                now=now,
                gives_up_mailbox=gives_up_mailbox,
                chosen=chosen,
            )
        except _Overtaken:
            continue
    raise Busy


@booking_transaction
def _merge(
    *,
    kept_id: int,
    other_id: int,
    seen: str,
    reason: str,
    by: By,
    now: datetime,
    gives_up_mailbox: bool,
    chosen: Flags | None,
) -> Customer:
    moving = set(_bookings_of(other_id).select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    rows = Customer.objects.select_for_update().filter(pk__in={kept_id, other_id}).order_by("pk")
    locked = {each.pk: each for each in rows}
    kept, other = locked[kept_id], locked[other_id]
    if same := _merged_before(kept, other):
        return same
    if obstacle := obstacle_of(kept, other, gives_up_mailbox=gives_up_mailbox):
        raise CannotMerge(SENTENCES[obstacle], obstacle=obstacle)
    if kept.merged_into_id or other.merged_into_id or merge_stamp(kept, other) != seen:
        raise CustomerChanged(_("Someone else changed one of the two meanwhile. Nothing is merged yet."), fields=[])
    if moving != set(_bookings_of(other_id).values_list("pk", flat=True)):
        raise _Overtaken
    flags = chosen or stricter(flags_of(kept), flags_of(other))
    end_declined_news(kept, other, now)
    _move_rows(other, kept)
    move_recipient(f"customer:{other.pk}", f"customer:{kept.pk}")
    take_over(kept, other, flags=flags, now=now)
    details = {"kept": kept.reference, "merged": other.reference, "bookings": len(moving)}
    for customer in (kept, other):
        record_event(customer, CustomerEvent.Kind.MERGED, by, now, reason=reason, details=details)
    return kept


def _move_rows(other: Customer, kept: Customer) -> None:
    """Let everything that refers to ``other`` refer to ``kept``, in whichever app it is.

    :raises CannotMerge: when both have something that a customer can have only once.
    """
    try:
        with transaction.atomic():
            for relation in Customer._meta.related_objects:
                if relation.related_model is not Customer:
                    rows = relation.related_model._default_manager.filter(**{relation.field.name: other})
                    rows.update(**{relation.field.name: kept})
    except IntegrityError as error:
        raise CannotMerge(SENTENCES[Obstacle.ONCE], obstacle=Obstacle.ONCE) from error


def _bookings_of(customer_id: int) -> QuerySet[Booking]:
    return Booking.objects.filter(customer_id=customer_id)


def _merged_before(kept: Customer, other: Customer) -> Customer | None:
    """Return the record that was kept, if the two are one customer already."""
    if other.merged_into_id == kept.pk:
        return kept
    if kept.merged_into_id == other.pk:
        return other
    return None
