"""Encrypted columns: unreadable in the database, readable with any key of FIELD_KEYS, an error without one."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import Settings

from accounts.models import Customer
from core.fields import decrypted, encrypt_column
from devservers import application

pytestmark = pytest.mark.django_db
PHONE = "+4915155501827"


def customer(**values: str) -> Customer:
    return Customer.objects.create(
        **{"name": "Casey", "email": "c@example.com", "email_normalised": "c@example.com", "phone": PHONE, **values}
    )


def at_rest() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_customer")
        return str(cursor.fetchone()[0])


def test_text_is_unreadable_at_rest_and_readable_here() -> None:
    made = customer()

    assert PHONE not in at_rest()
    assert at_rest().startswith("gAAAA")
    made.refresh_from_db()
    assert made.phone == PHONE


def test_equal_texts_do_not_look_equal() -> None:
    customer()
    first = at_rest()
    Customer.objects.update(phone=PHONE)

    assert at_rest() != first


def test_empty_stays_empty() -> None:
    made = customer(phone="")

    assert at_rest() == ""
    made.refresh_from_db()
    assert made.phone == ""


def test_older_keys_still_read_and_the_first_writes(settings: Settings) -> None:
    made = customer()
    old, new = settings.FIELD_KEYS[0], application.new_key()
    settings.FIELD_KEYS = [new, old]

    made.refresh_from_db()
    assert made.phone == PHONE

    made.save()
    settings.FIELD_KEYS = [new]
    made.refresh_from_db()
    assert made.phone == PHONE


def test_without_its_key_it_says_so(settings: Settings) -> None:
    made = customer()
    settings.FIELD_KEYS = [application.new_key()]

    with pytest.raises(ImproperlyConfigured, match="not in FIELD_KEYS"):
        made.refresh_from_db()


def test_a_column_of_plain_text_is_encrypted_once() -> None:
    first, second, empty = (
        customer(email_normalised="1"),
        customer(email_normalised="2"),
        customer(email_normalised="3"),
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_customer SET phone = 'plain' WHERE id = %s", [first.pk])
        cursor.execute("UPDATE accounts_customer SET phone = '' WHERE id = %s", [empty.pk])

    encrypt_column(connection, "accounts_customer", "phone", batch=2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_customer ORDER BY id")
        stored = [row[0] for row in cursor.fetchall()]
    encrypt_column(connection, "accounts_customer", "phone", batch=2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_customer ORDER BY id")
        again = [row[0] for row in cursor.fetchall()]

    assert [decrypted(each) if each else each for each in stored] == ["plain", PHONE, ""]
    assert again == stored
    second.refresh_from_db()
    assert second.phone == PHONE
