"""Erase a customer, and anonymise bookings. Sums, dates and services stay; nothing says any more whose they were."""

import logging
from collections.abc import Collection
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from accounts.models import Consent, Customer
from bookings.models import Booking
from bookings.refs import booking_ref
from core.crash import crash_point
from core.inserts import insert_missing
from core.personal_data import Held, Person, declarations, erase
from payments.models import Bill
from payments.privacy import RECEIPT_NAMES
from privacy.connection import erasing_connection
from privacy.enums import Hindrance
from privacy.errors import CannotErase
from privacy.hindrances import hindrances_of, may_be_anonymised
from privacy.models import ErasedCustomer
from privacy.person import person_of
from privacy.queries import retention

logger = logging.getLogger(__name__)

# One empty file for each erased customer, named by the random reference. The database may be restored from a backup
# that is older than the erasure; the files are not part of it.
ERASURE_LIST = "erased"


def erase_customer(*, customer_id: int, now: datetime) -> None:
    """Erase everything about a customer that the apps declare, records merged into theirs too, and anonymise bookings.

    One transaction, so a worker that dies has changed nothing and the next one starts again; an erased customer stays
    as it is. Locks the bookings by id, then the customer, on the connection of the role that may change history. Runs
    outside any transaction.

    :raises CannotErase: while a booking is ahead or money is not settled; nothing is changed.
    """
    using = erasing_connection()
    with transaction.atomic(using=using):
        bookings = Booking.objects.using(using).filter(customer_id=customer_id).order_by("pk")
        locked = {booking.pk for booking in bookings.select_for_update(of=("self",)).only("pk")}
        customer = Customer.objects.using(using).select_for_update(of=("self",)).get(pk=customer_id)
        records = Customer.objects.using(using).filter(Q(pk=customer_id) | Q(merged_into=customer_id))
        references = list(records.values_list("reference", flat=True))
        if customer.erased_at is None:
            own = Booking.objects.filter(customer_id=customer_id)
            found = hindrances_of(own, now=now)
            if new := set(own.values_list("pk", flat=True)) - locked:
                # Booked while the locks were waited for.
                found[Hindrance.AHEAD] = sorted({*found.get(Hindrance.AHEAD, []), *new})
            if found:
                raise CannotErase(found=found)
            for reference in references:
                _remember(reference, now)
            erase(_held(), person_of(customer), using=using)
            crash_point("erase-before-commit")
            bookings.update(anonymised_at=now)
            records.update(erased_at=now)
    crash_point("erase-after-commit")
    ErasedCustomer.objects.filter(customer_reference__in=references).update(done_at=now)
    logger.info("customer record %s is erased", customer_id)


def anonymise_bookings(booking_ids: Collection[int], *, now: datetime) -> int:
    """Remove the identity from bookings and their link to the customer; return how many were anonymised.

    Skips bookings that another transaction has locked or that something unfinished hinders, open balances excepted.
    """
    using = erasing_connection()
    with transaction.atomic(using=using):
        found = Booking.objects.using(using).filter(pk__in=booking_ids, anonymised_at=None).order_by("pk")
        locked = [row.pk for row in found.select_for_update(skip_locked=True, of=("self",)).only("pk")]
        ready = list(may_be_anonymised(Booking.objects.filter(pk__in=locked), now=now).values_list("pk", flat=True))
        refs = tuple(booking_ref(pk) for pk in ready)
        erase(_held(), Person(refs=refs), using=using)
        Booking.objects.using(using).filter(pk__in=ready).update(customer=None, anonymised_at=now)
        Consent.objects.using(using).filter(subject_ref__in=refs).update(customer=None)
        named = Booking.objects.using(using).filter(customer__isnull=False, bill__isnull=False).values("bill")
        bills = Bill.objects.using(using).filter(bookings__in=ready).exclude(pk__in=named)
        Bill.objects.using(using).filter(pk__in=list(bills.values_list("pk", flat=True))).update(customer=None)
        crash_point("anonymise-before-commit")
    return len(ready)


def erased_references() -> set[str]:
    """Return the references of all erased customers, from the table and from the files beside it."""
    try:
        _folders, files = default_storage.listdir(ERASURE_LIST)
    except OSError:
        files = []
    return {*files, *ErasedCustomer.objects.values_list("customer_reference", flat=True)}


def erase_again(*, now: datetime) -> int:
    """Erase the customers that a restored backup brought back, and those whose worker died; return how many.

    What cannot be erased yet stays for the next night, with a line in the log.
    """
    wanted = erased_references()
    back = Customer.objects.filter(reference__in=wanted, erased_at=None).order_by("pk")
    done = 0
    for customer in back:
        try:
            erase_customer(customer_id=customer.pk, now=now)
            done += 1
        except CannotErase as error:
            logger.warning(
                "customer record %s cannot be erased again yet: %s", customer.pk, sorted(error.data["found"])
            )
    return done


def _held() -> list[Held]:
    """Return what to erase. Names on receipts wait where the settings keep them longer."""
    keeps_names = bool(retention().receipt_name_years)
    return [each for each in declarations() if not (keeps_names and each in RECEIPT_NAMES)]


def _remember(reference: str, now: datetime) -> None:
    """Write down that this record is to be erased, before it is: a worker that dies is followed by the nightly job."""
    insert_missing(ErasedCustomer(customer_reference=reference, asked_at=now), unique=("customer_reference",))
    name = f"{ERASURE_LIST}/{reference}"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(b""))
