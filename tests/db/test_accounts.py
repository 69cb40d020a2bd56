"""Customers: when two contacts are the same person, what proof of a mailbox changes, and the exact text of consents."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.contact.same_phones import phone_end_hash
from accounts.models import Consent, Customer
from accounts.operations import customer_of_contact, prove_customer_email, record_consent
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def guest(email: str = "casey@example.com", *, has_proven_email: bool = False, **values: str) -> Customer:
    given = {"name": "Casey Low", "phone": "+4915155501827", "language": "en", **values}
    return customer_of_contact(**given, email=email, has_proven_email=has_proven_email, now=NOW)


def proof(email: str = "casey@example.com", *, of: Customer | None = None, **values: Any) -> Customer:
    given = {"name": "Casey Low", "phone": "+4915155501827", "language": "en", "now": NOW, **values}
    return prove_customer_email(customer_id=of.pk if of else None, email=email, **given)


def test_first_guest_of_an_address_becomes_a_customer_in_one_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        made = guest("Casey@Example.com")

    assert len(queries) == 1
    stored = Customer.objects.get()
    assert stored == made
    assert (stored.name, stored.email, stored.email_normalised) == (
        "Casey Low",
        "Casey@Example.com",
        "casey@example.com",
    )
    assert (stored.phone, stored.created_at, stored.email_proven_at) == ("+4915155501827", NOW, None)
    assert len(stored.reference) == 10


def test_phone_rests_encrypted_and_is_found_by_its_last_digits() -> None:
    guest()

    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_customer")
        assert "5550" not in cursor.fetchone()[0]
    assert Customer.objects.get().phone_end_hash == phone_end_hash("+4915155501827")


@pytest.mark.parametrize(
    "again",
    [
        {"name": "casey  LOW"},
        {"name": "Low, Cäsey"},
        {"email": "CASEY@example.com"},
        {"phone": "+49 151 55501827"},
    ],
)
def test_the_same_mailbox_name_and_number_are_the_same_customer_and_change_nothing(again: dict[str, str]) -> None:
    first = guest()

    assert guest(**again, language="de") == first
    stored = Customer.objects.get()
    assert (stored.name, stored.email, stored.phone, stored.language) == (
        "Casey Low",
        "casey@example.com",
        "+4915155501827",
        "en",
    )


@pytest.mark.parametrize("other", [{"name": "Mallory Low"}, {"phone": "+4915155509999"}, {"phone": ""}])
def test_another_name_or_number_with_a_known_mailbox_is_another_customer(other: dict[str, str]) -> None:
    first = guest()

    second, third = guest(**other), guest(**other)

    assert second == third != first
    assert (second.email, second.email_normalised) == ("casey@example.com", None)
    first.refresh_from_db()
    assert (first.name, first.phone, first.email_normalised) == ("Casey Low", "+4915155501827", "casey@example.com")


def test_from_a_proven_mailbox_the_same_name_may_have_another_number() -> None:
    first = guest()

    assert guest(phone="+4915155509999", has_proven_email=True) == first
    assert guest(name="Mallory", phone="+4915155509999", has_proven_email=True) != first


def test_without_an_address_the_same_name_and_number_are_the_same_customer() -> None:
    first = guest("")

    assert guest("") == first
    assert guest("", name="Robin") != first
    assert guest("", phone="+4915155509999") != first
    assert first.email_normalised is None


def test_a_name_alone_is_a_new_customer_each_time() -> None:
    assert guest("", phone="") != guest("", phone="")


def test_the_first_proof_makes_the_own_record_answer_for_the_mailbox_and_leaves_the_other_one() -> None:
    first = guest(name="Mallory")
    own = guest()

    proven = proof(of=own)

    assert proven == own
    own.refresh_from_db()
    first.refresh_from_db()
    assert (own.email_normalised, own.email_proven_at) == ("casey@example.com", NOW)
    assert (first.name, first.email_normalised, first.email_proven_at) == ("Mallory", None, None)


def test_a_proof_keeps_what_the_desk_has_corrected() -> None:
    own = guest()
    Customer.objects.filter(pk=own.pk).update(name="Casey Low-Kaya")

    proof(of=own)

    own.refresh_from_db()
    assert (own.name, own.email_proven_at) == ("Casey Low-Kaya", NOW)


def test_a_proof_under_the_same_name_leads_to_the_record_of_the_mailbox() -> None:
    first = proof(of=guest())
    own = guest(phone="+4915155509999")

    assert proof(of=own, now=NOW + timedelta(days=1)) == first
    first.refresh_from_db()
    assert (first.phone, first.email_proven_at) == ("+4915155501827", NOW)


def test_two_people_who_share_a_mailbox_stay_two_and_both_have_proven_it() -> None:
    first = proof(of=guest())
    own = guest(name="Robin Low")

    assert proof(of=own) == own
    own.refresh_from_db()
    first.refresh_from_db()
    assert (own.email_normalised, own.email_proven_at) == (None, NOW)
    assert (first.name, first.email_normalised) == ("Casey Low", "casey@example.com")


def test_an_old_link_proves_nothing_of_the_address_that_the_desk_has_written_since() -> None:
    own = guest()
    Customer.objects.filter(pk=own.pk).update(email="new@example.com", email_normalised="new@example.com")

    assert proof(of=own) == own
    own.refresh_from_db()
    assert own.email_proven_at is None


def test_consents_with_equal_words_have_an_equal_version() -> None:
    for subject, text in (("booking:1", "I agree."), ("booking:2", "I agree."), ("booking:3", "I agree!")):
        record_consent(customer_id=None, subject_ref=subject, purpose="terms", text=text, now=NOW)

    one, two, other = Consent.objects.order_by("id")
    assert (one.text, one.given_at, one.withdrawn_at) == ("I agree.", NOW, None)
    assert one.text_version == two.text_version != other.text_version
