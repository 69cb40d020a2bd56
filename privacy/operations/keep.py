"""The nightly deletion of what is kept no longer, and the settings for it.

Each batch is committed, so a worker that dies has done a part and the next night goes on: what is deleted is not due
any more.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts.customer_record import By
from accounts.models import CustomerEvent
from bookings.models import BookingEvent
from bookings.refs import booking_ref
from core.crash import crash_point
from core.personal_data import DataKind, Person, declarations, erase
from core.retention import LONGEST_RUN_SECONDS
from payments.models import Receipt, ReceiptDocument
from payments.privacy import NO_CUSTOMER_NAME
from privacy import queries
from privacy.connection import erasing_connection
from privacy.errors import CannotErase, SettingsChanged
from privacy.models import Retention
from privacy.operations.erase import anonymise_bookings, erase_customer

Row = TypeVar("Row", bound=Model)

BATCH = 100
FIELDS = (
    *("bookings_months", "contact_months", "notes_months", "answers_months", "messages_months", "logs_months"),
    "receipt_name_years",
)


@transaction.atomic
def set_retention(*, values: dict[str, int | None], seen: dict[str, int | None], by: By, now: datetime) -> Retention:
    """Save how long data is kept. ``seen`` are the values that the page showed. Locks the row.

    :raises SettingsChanged: when another user has changed them since; nothing is saved.
    """
    Retention.objects.get_or_create(pk=1)
    kept = Retention.objects.select_for_update(no_key=True).get(pk=1)
    if {name: getattr(kept, name) for name in FIELDS} != seen:
        raise SettingsChanged
    for name in FIELDS:
        setattr(kept, name, values[name])
    kept.updated_at, kept.updated_by = now, by.name
    kept.save()
    return kept


def delete_what_is_due(*, now: datetime) -> dict[str, int]:
    """Delete, empty and anonymise what the settings keep no longer; return the numbers by setting.

    Runs outside any transaction. Each class takes a minute at most, the rest follows the next night.
    """
    kept = queries.retention()
    return {
        "bookings_months": _in_batches(queries.bookings_due(kept, now), lambda ids: anonymise_bookings(ids, now=now)),
        "notes_months": _in_batches(queries.notes_due(kept, now), lambda ids: _erase_kind(ids, DataKind.NOTES)),
        "answers_months": _in_batches(queries.answers_due(kept, now), lambda ids: _erase_kind(ids, DataKind.ANSWERS)),
        "contact_months": _in_batches(queries.contacts_due(kept, now), lambda ids: _erase_customers(ids, now)),
        "receipt_name_years": _in_batches(queries.receipts_due(kept, now), _remove_names),
        "logs_months": _delete_logs(kept, now),
    }


def _in_batches(rows: QuerySet[Any], run: Callable[[list[int]], int]) -> int:
    return sum(run(ids) for ids in _batches(rows))


def _batches(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """Yield the ids of the rows in their order, until they end or the time is up."""
    started, last = time.monotonic(), 0
    while time.monotonic() - started < LONGEST_RUN_SECONDS:
        ids = list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not ids:
            return
        yield ids
        crash_point("retention-after-batch")
        last = ids[-1]


def _erase_kind(booking_ids: list[int], kind: DataKind) -> int:
    using = erasing_connection()
    with transaction.atomic(using=using):
        refs = tuple(booking_ref(pk) for pk in booking_ids)
        erase(declarations(), Person(refs=refs), using=using, kinds={kind})
    return len(booking_ids)


def _erase_customers(customer_ids: list[int], now: datetime) -> int:
    erased = 0
    for customer_id in customer_ids:
        try:
            erase_customer(customer_id=customer_id, now=now)
            erased += 1
        except CannotErase:
            # They have booked meanwhile.
            continue
    return erased


def _remove_names(receipt_ids: list[int]) -> int:
    using = erasing_connection()
    with transaction.atomic(using=using):
        ReceiptDocument.objects.using(using).filter(receipt__in=receipt_ids).delete()
        Receipt.objects.using(using).filter(pk__in=receipt_ids).update(contents=NO_CUSTOMER_NAME)
    return len(receipt_ids)


def _delete_logs(kept: Retention, now: datetime) -> int:
    deleted = _in_batches(queries.log_rows_due(kept, now), lambda ids: _of(LogEntry, ids).delete()[0])
    emptied = _in_batches(queries.reasons_due(kept, now), lambda ids: _of(BookingEvent, ids).update(reason=""))
    trust = queries.trust_reasons_due(kept, now)
    return deleted + emptied + _in_batches(trust, lambda ids: _of(CustomerEvent, ids).update(reason=""))


def _of(model: type[Row], ids: list[int]) -> QuerySet[Row]:
    return model._default_manager.using(erasing_connection()).filter(pk__in=ids)
