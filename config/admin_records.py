"""Which records of customers the pages of Django's admin show, for the access log (``config.reading``).

A model of the admin with personal data of customers has a ``Shown`` here, or a reason in ``NOT_LOGGED``.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase

from accounts.enums import RecordKind
from bookings.models import Booking
from bookings.refs import booking_id_of
from dashboard.door import Noted

_KEY = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A model of the admin: what its detail page shows, what its list shows, and the reference of a row's customer or
    booking, None for a row about no customer.
    """

    record: RecordKind
    listed: RecordKind
    reference_of: Callable[[Any], str | None]


def _of_subject(ref: str) -> str | None:
    """Return the reference of the booking that a reference such as ``booking:17`` names. One query."""
    found = Booking.objects.filter(pk=booking_id_of(ref) or 0).order_by()
    return found.values_list("reference", flat=True).first()


def _customer(row: Any) -> str | None:
    return row.customer.reference if row.customer else None


def _booking(row: Any) -> str | None:
    return str(row.booking.reference)


def _subject(row: Any) -> str | None:
    return _of_subject(row.subject_ref)


def _bill(row: Any) -> str | None:
    """Return the reference of the first booking on a bill. Two queries."""
    line = row.lines.order_by("pk").first()
    return _of_subject(line.subject_ref) if line else None


_MONEY = Shown(RecordKind.BOOKING, RecordKind.PAYMENTS, _subject)
_PART = Shown(RecordKind.BOOKING, RecordKind.BOOKINGS, _booking)
SHOWN: Mapping[str, Shown] = {
    "accounts.Customer": Shown(RecordKind.CUSTOMER, RecordKind.CUSTOMERS, lambda row: row.reference),
    "accounts.Consent": Shown(RecordKind.CUSTOMER, RecordKind.CUSTOMERS, _customer),
    "bookings.Booking": Shown(RecordKind.BOOKING, RecordKind.BOOKINGS, lambda row: row.reference),
    "bookings.BookingLine": _PART,
    "bookings.BookingEvent": _PART,
    "bookings.MoveProposal": _PART,
    "payments.Bill": Shown(RecordKind.BOOKING, RecordKind.PAYMENTS, _bill),
    "payments.BillLine": _MONEY,
    "payments.Payment": _MONEY,
    "payments.SavedCard": _MONEY,
    "payments.MoneyAlert": _MONEY,
    "payments.Refund": Shown(RecordKind.BOOKING, RecordKind.PAYMENTS, lambda row: _of_subject(row.payment.subject_ref)),
    "payments.Receipt": Shown(RecordKind.RECEIPT, RecordKind.PAYMENTS, _subject),
    "notifications.Notification": Shown(RecordKind.MESSAGES, RecordKind.SENT, _subject),
}
NOT_LOGGED: Mapping[str, str] = {
    "accounts.User": "the admin lists who signs in; the record of a customer is accounts.Customer",
    "core.OutboxMessage": "ids and errors without names",
    "admin.LogEntry": "users see what they changed themselves",
}


def noted_before(request: HttpRequest) -> list[Noted]:
    """Return the record that a detail page of the admin is about to show, change or delete. One query, or two.

    A row that does not exist is noted by what was asked for.
    """
    match = request.resolver_match
    key = next((str(value) for name, value in match.kwargs.items() if name.endswith("_id")), "") if match else ""
    model = _model_of(match.url_name or "") if match else None
    shown = SHOWN.get(model._meta.label) if model else None
    if model is None or shown is None or not key:
        return []
    row = model._default_manager.filter(pk=key).first() if _KEY.fullmatch(key) else None
    reference = shown.reference_of(row) if row else key
    return [Noted(shown.record, reference)] if reference else []


def noted_after(request: HttpRequest, response: HttpResponseBase) -> list[Noted]:
    """Return the list that a page of the admin has shown, with the number of results; also while a user searches for a
    row to choose. No query.
    """
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    if name == "autocomplete":
        return _noted_choices(request, response)
    model = _model_of(name)
    shown = SHOWN.get(model._meta.label) if model else None
    changelist = (getattr(response, "context_data", None) or {}).get("cl")
    if shown is None or changelist is None:
        return []
    return [Noted(shown.listed, count=changelist.result_count)]


def _noted_choices(request: HttpRequest, response: HttpResponseBase) -> list[Noted]:
    """Return what a list to choose from has shown. The admin has checked the names in the address."""
    if response.status_code != 200:
        return []
    try:
        source = apps.get_model(request.GET.get("app_label", ""), request.GET.get("model_name", ""))
        model: Any = source._meta.get_field(request.GET.get("field_name", "")).related_model
    except (LookupError, ValueError, FieldDoesNotExist):
        return []
    shown = SHOWN.get(model._meta.label) if model else None
    found = json.loads(getattr(response, "content", b"{}"))
    return [Noted(shown.listed, count=len(found.get("results", ())))] if shown else []


def _model_of(name: str) -> type[Model] | None:
    """Return the model of an address of the admin, such as ``accounts_customer_change``; None for other pages."""
    parts = name.split("_", 2)
    if len(parts) < 3:
        return None
    try:
        return apps.get_model(parts[0], parts[1])
    except LookupError:
        return None
