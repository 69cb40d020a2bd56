"""Customers: guests reveal and change nothing, proof of a mailbox does; consents keep the exact words."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.contact.same_phones import phone_end_hash
from accounts.models import Consent, Customer
from accounts.operations import customer_for_guest, prove_customer_email, record_consent
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def guest(email: str = "casey@example.com", **values: str) -> Customer | None:
    return customer_for_guest(
        **{"name": "Casey", "phone": "+4915155501827", "language": "en", **values}, email=email, now=NOW
    )


def test_first_guest_of_an_address_becomes_a_customer() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        made = guest("Casey@Example.com")

    assert made is not None
    assert len(queries) == 1
    stored = Customer.objects.get()
    assert stored == made
    assert (stored.name, stored.email, stored.email_normalised) == ("Casey", "Casey@Example.com", "casey@example.com")
    assert (stored.phone, stored.created_at, stored.email_proven_at) == ("+4915155501827", NOW, None)


def test_phone_rests_encrypted() -> None:
    guest()

    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_customer")
        assert "5550" not in cursor.fetchone()[0]


@pytest.mark.parametrize("email", ["casey@example.com", "CASEY@example.com"])
def test_second_guest_of_an_address_gets_none_and_changes_nothing(email: str) -> None:
    first = guest()

    assert guest(email, name="Mallory", phone="+4915155509999") is None
    stored = Customer.objects.get()
    assert (stored.pk, stored.name, stored.phone) == (first.pk if first else 0, "Casey", "+4915155501827")


def test_first_proof_of_a_mailbox_replaces_what_anybody_could_have_typed() -> None:
    guest(name="Mallory")

    proven = prove_customer_email(
        email="casey@example.com", name="Casey", phone="+4915155501828", language="de", now=NOW
    )

    proven.refresh_from_db()
    assert (proven.name, proven.phone, proven.language) == ("Casey", "+4915155501828", "de")
    assert proven.email_proven_at == NOW
    assert proven.phone_end_hash == phone_end_hash("1828")


def test_later_proofs_change_nothing() -> None:
    first = prove_customer_email(email="casey@example.com", name="Casey", phone="", language="de", now=NOW)
    again = prove_customer_email(
        email="Casey@example.com", name="Someone", phone="1", language="en", now=NOW + timedelta(days=1)
    )

    again.refresh_from_db()
    assert again.pk == first.pk
    assert (again.name, again.language, again.email_proven_at) == ("Casey", "de", NOW)


def test_consents_with_equal_words_have_an_equal_version() -> None:
    for subject, text in (("booking:1", "I agree."), ("booking:2", "I agree."), ("booking:3", "I agree!")):
        record_consent(customer_id=None, subject_ref=subject, purpose="terms", text=text, now=NOW)

    one, two, other = Consent.objects.order_by("id")
    assert (one.text, one.given_at, one.withdrawn_at) == ("I agree.", NOW, None)
    assert one.text_version == two.text_version != other.text_version
