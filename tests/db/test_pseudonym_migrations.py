"""Migrations of pseudonyms: rows stored under an old form of a mailbox or number are found under the new form."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from accounts.contact.same_phones import phone_end_hash
from accounts.models import Customer
from bookings.models import Booking
from core.references import keyed_hash
from notifications.addresses import address_hash
from notifications.models import InboundMessage, Notification, Suppression
from tests import factories, journeys
from tests.factories import NOW

pytestmark = pytest.mark.django_db

EDITOR = SimpleNamespace(connection=connection)
MAILBOXES = import_module("accounts.migrations.0006_mailboxes_by_the_rules_of_2008")
PSEUDONYMS = import_module("notifications.migrations.0006_one_pseudonym_for_each_person")


def customer(email: str, stored: str, **values: object) -> Customer:
    values = {"email_proven_at": NOW, **values}
    return Customer.objects.create(name="Rita", email=email, email_normalised=stored, **values)  # type: ignore[arg-type]


def old_hash(value: str) -> str:
    return keyed_hash(settings.LINK_KEY, value)


def mailboxes() -> dict[str, tuple[str, bool]]:
    MAILBOXES.normalise_again(apps, EDITOR)
    rows = Customer.objects.values_list("email", "email_normalised", "email_proven_at")
    return {email: (normalised, proven is not None) for email, normalised, proven in rows}


def test_a_mailbox_of_another_domain_is_no_longer_taken_for_it_and_has_to_be_proven_again() -> None:
    customer("rita@faß.example", "rita@fass.example")
    customer("jana@bücher.example", "jana@xn--bcher-kva.example")
    customer("Ana@Example.com", "ana@example.com")

    assert mailboxes() == {
        "rita@faß.example": ("rita@xn--fa-hia.example", False),
        "jana@bücher.example": ("jana@xn--bcher-kva.example", True),
        "Ana@Example.com": ("ana@example.com", True),
    }


def test_one_person_under_both_spellings_stays_blocked() -> None:
    old = customer("rita@faß.example", "rita@fass.example", is_blocked=True)
    same = customer("rita@xn--fa-hia.example", "rita@xn--fa-hia.example")

    found = mailboxes()

    assert found["rita@xn--fa-hia.example"] == ("rita@xn--fa-hia.example", True)
    assert found["rita@faß.example"][0] == f"same-as-{same.pk}.{old.pk}@invalid"
    assert Customer.objects.get(pk=same.pk).is_blocked


@pytest.mark.parametrize(
    ("stored", "reported"),
    [
        ("+525512345679", "+5215512345679"),
        ("+5531987654322", "+553187654322"),
        ("+541123456789", "+5491123456789"),
        ("+5491123456789", "+5491123456789"),
    ],
)
def test_a_stop_under_another_spelling_of_a_number_is_obeyed(stored: str, reported: str) -> None:
    customer("rita@example.com", "rita@example.com", phone=stored)
    old = old_hash(f"phone:{reported}")
    Suppression.objects.create(channel="sms", address_hash=old, reason="stop", since=NOW)
    Suppression.objects.create(channel="sms", address_hash=address_hash("sms", stored), reason="unreachable", since=NOW)
    InboundMessage.objects.create(provider_ref="SM1", channel="whatsapp", address_hash=old, received_at=NOW)
    text = Notification.objects.create(
        kind="reminder",
        subject_ref="booking:1",
        recipient_role="customer",
        channel="sms",
        address=old,
        phone=stored,
        language="en",
        key="k",
        not_before=NOW,
        next_try_at=NOW,
        created_at=NOW,
    )

    PSEUDONYMS.rename_pseudonyms(apps, EDITOR)

    new = address_hash("sms", stored)
    assert list(Suppression.objects.values_list("address_hash", "reason")) == [(new, "stop")]
    assert InboundMessage.objects.get().address_hash == new
    text.refresh_from_db()
    assert text.address == new


def test_who_unsubscribed_stays_so_but_a_bounce_of_another_domain_is_not_taken_over() -> None:
    for name in ("rita", "ana"):
        customer(f"{name}@faß.example", f"{name}@xn--fa-hia.example")
    for name, reason in (("rita", "unsubscribed"), ("ana", "bounced")):
        old = old_hash(f"email:{name}@fass.example")
        Suppression.objects.create(channel="email", address_hash=old, reason=reason, since=NOW)

    PSEUDONYMS.rename_pseudonyms(apps, EDITOR)

    assert Suppression.objects.get(address_hash=address_hash("email", "rita@faß.example")).reason == "unsubscribed"
    assert not Suppression.objects.filter(address_hash=address_hash("email", "ana@faß.example")).exists()
    assert Suppression.objects.filter(address_hash=address_hash("email", "ana@fass.example")).exists()


@pytest.mark.parametrize(
    "migration",
    ["accounts.migrations.0010_phone_ends_of_known_customers", "bookings.migrations.0016_phone_ends_of_known_bookings"],
)
def test_numbers_that_were_stored_before_are_found_by_their_last_four_digits(migration: str) -> None:
    booking = journeys.booked(factories.studio())
    model: Any = Booking if migration.startswith("bookings") else Customer
    model.objects.update(phone_end_hash="")

    import_module(migration).fill_phone_ends(apps, EDITOR)

    assert model.objects.get().phone_end_hash == phone_end_hash("1827")
    assert booking.contact_phone.endswith("1827")
