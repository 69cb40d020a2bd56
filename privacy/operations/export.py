"""Collect everything that is known about a customer, in a shape that machines can read (Art. 15 and 20 GDPR)."""

from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings

from accounts.models import Customer
from core.personal_data import DataKind, declarations, iso
from privacy.errors import Erased
from privacy.person import person_of
from services.queries import the_business

FORMAT, VERSION = "openhours-customer", 1
SECTIONS = (
    *("contact", "account", "consents", "message_choices", "bookings", "payments", "saved_cards", "messages"),
    *("texts_received", "notes", "readings", "requests"),
)


def export_customer(*, customer_id: int, now: datetime) -> dict[str, Any]:
    """Return the data of a customer as JSON types, section by section; ``why`` explains each kind of data.

    The keys are part of a stable format: new ones may be added, a change of a known one raises ``VERSION``. A fixed
    number of queries, whatever the number of bookings.

    :raises Erased: when the customer has been erased.
    """
    customer = Customer.objects.get(pk=customer_id)
    if customer.erased_at is not None:
        raise Erased
    person = person_of(customer)
    sections: dict[str, Any] = {}
    for path in settings.PERSONAL_DATA:
        exported = getattr(import_module(path), "exported", None)
        for name, section in (exported(person) if exported else {}).items():
            known = sections.get(name)
            # Several apps may have a part of a section.
            sections[name] = {**known, **section} if isinstance(known, dict) else section
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": iso(now),
        "business": the_business().name,
        **{name: sections[name] for name in SECTIONS},
        "why": _reasons(),
    }


def _reasons() -> list[dict[str, str]]:
    """Say what is kept and why, in the active language."""
    return [
        {"what": str(held.what), "why": str(held.why), "kind": str(held.kind.label)}
        for held in declarations()
        if held.kind is not DataKind.STAFF
    ]
