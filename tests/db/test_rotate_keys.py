"""Every encrypted value gets the new key, beside writers and after an interruption."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from pytest_django import Settings

from accounts.models import Customer
from bookings.models import Booking, BookingEvent
from bookings.operations.cancel import cancel_booking
from core import rotation
from core.fields import EncryptedTextField, encrypt_column
from core.models import OutboxMessage
from core.rotation import EncryptedColumn, encrypted_columns, examine, rotate
from devservers import application
from tests import factories
from tests.concurrency.racing import race
from tests.db.test_at_rest import ENCRYPTED
from tests.factories import NOW
from tests.journeys import DESK, booked

PHONE = "+4915155501827"


@pytest.fixture
def new_key(settings: Settings) -> str:
    return application.new_key()


def customers(count: int, first: int = 0) -> list[Customer]:
    return [Customer.objects.create(name=f"Casey {number}", phone=f"{PHONE}{number}") for number in range(first, count)]


def cancel(booking: Booking) -> None:
    cancel_booking(
        booking_id=booking.pk,
        expected_fee_minor=0,
        expected_sequence=booking.ical_sequence,
        actor=DESK,
        reason="Has the flu",
        now=NOW,
    )


def column(of: str = "accounts_customer.phone") -> EncryptedColumn:
    return next(each for each in encrypted_columns() if str(each) == of)


def rotated(**options: Any) -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def put_first(settings: Settings, key: str) -> None:
    settings.FIELD_KEYS = [key, *settings.FIELD_KEYS]


@pytest.mark.django_db
def test_all_encrypted_fields_and_all_documents_are_covered() -> None:
    from django.apps import apps

    found = {str(each) for each in encrypted_columns()}
    fields = {field for model in apps.get_models() for field in model._meta.local_concrete_fields}
    encrypted = {f for f in fields if isinstance(f, EncryptedTextField)}

    assert {str(field) for field in encrypted} == ENCRYPTED
    assert {f"{field.model._meta.db_table}.{field.column}" for field in encrypted} <= found
    assert {f"{f.model._meta.db_table}.{f.column}" for f in fields if isinstance(f, models.JSONField)} <= found


@pytest.mark.django_db
def test_values_get_the_new_key_and_the_old_one_can_go(settings: Settings, new_key: str) -> None:
    booking = booked(factories.studio())
    cancel(booking)
    put_first(settings, new_key)

    out = rotated()

    assert "accounts_customer.phone: 1 values, 1 encrypted anew, 0 with an older key" in out
    settings.FIELD_KEYS = [new_key]
    booking.refresh_from_db()
    assert booking.contact_phone == PHONE
    assert booking.customer
    assert booking.customer.phone == PHONE
    assert "Has the flu" in set(BookingEvent.objects.values_list("reason", flat=True))
    assert "0 were encrypted anew" in rotated()


@pytest.mark.django_db
def test_a_document_keeps_everything_but_its_encrypted_texts(settings: Settings, new_key: str) -> None:
    secret = EncryptedTextField().get_prep_value("JBSWY3DPEHPK3PXP")
    document = {"secret": secret, "codes": [secret, "gAAAA-no-token"], "sum": 12345678901234567890, "name": 'A "B" ü'}
    row = OutboxMessage.objects.create(topic="t", route="r", key="k", payload=document, due_at=NOW)
    put_first(settings, new_key)

    assert rotate(column("core_outboxmessage.payload")).renewed == 1

    row.refresh_from_db()
    settings.FIELD_KEYS = [new_key]
    read = EncryptedTextField().from_db_value
    assert [read(text, None, None) for text in (row.payload["secret"], row.payload["codes"][0])] == [
        "JBSWY3DPEHPK3PXP"
    ] * 2
    assert row.payload | {"secret": "", "codes": []} == document | {"secret": "", "codes": []}
    assert row.payload["codes"][1] == "gAAAA-no-token"


@pytest.mark.django_db
def test_check_tells_what_is_left_and_changes_nothing(settings: Settings, new_key: str) -> None:
    customers(3)
    assert "All 3 values have the first key" in rotated(check=True)
    put_first(settings, new_key)
    customers(4, first=3)

    with pytest.raises(CommandError, match="3 of 4 values have an older key"):
        rotated(check=True)
    assert examine(column()).old == 3


@pytest.mark.django_db
def test_a_value_without_its_key_stays_and_is_named(settings: Settings, new_key: str) -> None:
    customers(2)
    lost = settings.FIELD_KEYS[0]
    settings.FIELD_KEYS = [new_key]
    customers(3, first=2)

    with pytest.raises(CommandError, match="2 values fit no key"):
        rotated()

    settings.FIELD_KEYS = [new_key, lost]
    assert {each.phone for each in Customer.objects.all()} == {f"{PHONE}{number}" for number in range(3)}


@pytest.mark.django_db(transaction=True)
def test_after_an_interruption_it_goes_on(settings: Settings, new_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second batch never happens; what the first one did stays."""
    customers(5)
    put_first(settings, new_key)
    batches = rotation._batches

    def cut_off(*given: Any) -> Iterator[Any]:
        yield next(batches(*given))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(rotation, "_batches", cut_off)
        rotate(column(), batch=2)
    assert examine(column()).old == 3

    counts = rotate(column(), batch=2)

    assert (counts.rows, counts.old, counts.renewed, counts.left) == (5, 3, 3, 0)
    settings.FIELD_KEYS = [new_key]
    assert {each.phone for each in Customer.objects.all()} == {f"{PHONE}{number}" for number in range(5)}


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_changed_keeps_the_change(settings: Settings, new_key: str) -> None:
    """The command reads a row, another process changes it, and the command writes: the change stays."""
    [customer] = customers(1)
    put_first(settings, new_key)
    [rows] = rotation._batches(column(), 10)
    stale = rotation._stale(column(), rows, rotation.Counts())
    customer.phone = "+4930901820"
    customer.save()

    assert rotation._replace(column(), stale) == 0

    customer.refresh_from_db()
    assert customer.phone == "+4930901820"


@pytest.mark.django_db(transaction=True)
def test_a_locked_row_is_left_and_taken_later(settings: Settings, new_key: str) -> None:
    first, _ = customers(2)
    put_first(settings, new_key)
    left: list[int] = []

    def hold() -> None:
        with transaction.atomic():
            Customer.objects.select_for_update().get(pk=first.pk)
            [counts] = race([lambda: rotate(column(), pause_seconds=0)])
            left.append(counts.left)

    hold()

    assert left == [1]
    assert rotate(column()).renewed == 1


@pytest.mark.django_db(transaction=True)
def test_writers_and_two_runs_at_once_lose_nothing(settings: Settings, new_key: str) -> None:
    made = customers(20)
    put_first(settings, new_key)

    def write(number: int) -> None:
        for each in made[number::4]:
            each.phone = f"+49309018{each.pk}"
            each.save(update_fields=["phone", "phone_hash"])

    outcomes = race(
        [
            *(lambda number=number: write(number) for number in range(3)),  # type: ignore[misc]
            lambda: rotate(column(), batch=3, pause_seconds=0.05),
            lambda: rotate(column(), batch=3, pause_seconds=0.05),
        ]
    )

    assert not [each for each in outcomes if isinstance(each, Exception)]
    rotate(column())
    settings.FIELD_KEYS = [new_key]
    expected = {
        each.pk: f"{PHONE}{number}" if number % 4 == 3 else f"+49309018{each.pk}" for number, each in enumerate(made)
    }
    assert dict(Customer.objects.values_list("pk", "phone")) == expected


@pytest.mark.django_db
def test_only_the_owner_can_change_history(settings: Settings, new_key: str) -> None:
    call_command("grants", stdout=StringIO())
    booking = booked(factories.studio())
    cancel(booking)
    put_first(settings, new_key)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE openhours_app")
    with pytest.raises(CommandError, match="Only the owner"), transaction.atomic():
        rotated()
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


@pytest.mark.django_db
def test_what_a_migration_encrypts_has_the_first_key(settings: Settings, new_key: str) -> None:
    customers(1)
    put_first(settings, new_key)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_customer SET phone = '+4930901820'")

    encrypt_column(connection, "accounts_customer", "phone")

    assert examine(column()).old == 0
