"""What people confide is encrypted in the database: every such column by name, and the raw rows after a booking."""

from dataclasses import replace

import pytest
from django.apps import apps
from django.db import connection

from bookings.operations.help import send_help
from core.fields import EncryptedTextField, decrypted
from tests import factories
from tests.factories import NOW
from tests.journeys import JANA, booked
from tests.money import deliver

ENCRYPTED = {
    "accounts.Customer.notes",
    "accounts.CustomerEvent.reason",
    "accounts.CustomerNote.text",
    "accounts.Customer.phone",
    "bookings.Booking.contact_phone",
    "bookings.Booking.customer_note",
    "bookings.Booking.visit_address",
    "bookings.BookingEvent.reason",
    "bookings.FollowUp.text",
    "bookings.HelpMessage.text",
    "bookings.SessionNote.text",
    "bookings.WalkIn.name",
    "bookings.WalkIn.email",
    "bookings.WalkIn.phone",
    "notifications.InboundMessage.body",
    "notifications.InboundMessage.sender",
    "notifications.Notification.body",
    "notifications.Notification.phone",
    "privacy.PrivacyCase.decision",
    "privacy.PrivacyCase.note",
}


def encrypted_fields() -> list[EncryptedTextField]:
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def test_columns_that_are_encrypted_are_these() -> None:
    assert sorted(str(field) for field in encrypted_fields()) == sorted(ENCRYPTED)


@pytest.mark.django_db
@pytest.mark.parametrize("field", encrypted_fields(), ids=str)
def test_value_reaches_the_database_encrypted(field: EncryptedTextField) -> None:
    stored = field.get_db_prep_save("Allergic to nuts", connection)

    assert "nuts" not in stored
    assert decrypted(stored) == "Allergic to nuts"


@pytest.mark.django_db
def test_no_row_of_any_table_shows_a_note_or_a_message() -> None:
    """Neither the columns meant for it nor history, outbox, messages or whatever else a booking writes."""
    booking = booked(factories.studio(), contact=replace(JANA, note="Allergic to nuts"))
    send_help(booking_id=booking.pk, text="My nuts allergy is back", now=NOW)
    deliver()

    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        showing = []
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" AS each WHERE each::text LIKE %s', ["%nuts%"])
            if cursor.fetchone() != (0,):
                showing.append(table)

    booking.refresh_from_db()
    assert booking.customer_note == "Allergic to nuts"
    assert showing == []
