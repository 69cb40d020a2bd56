"""Erasing a customer: no trace in any table, figures intact, nothing while something is unfinished."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import Consent, Customer, CustomerTag, User
from bookings.enums import BookingStatus
from bookings.links import LinkRole, manage_token
from bookings.models import Booking, BookingEvent
from bookings.operations.cancel import cancel_booking
from core import doctor
from notifications.enums import Channel
from notifications.models import InboundMessage, Notification, Suppression
from notifications.reports.inbound import store_text
from payments.enums import AlertKind
from payments.models import BillLine, Payment, Receipt, ReceiptDocument
from payments.operations import draw_missing_receipts
from payments.operations.alerts import raise_alert
from privacy.enums import Hindrance
from privacy.errors import CannotErase
from privacy.models import ErasedCustomer, Retention
from privacy.operations.erase import erase_again, erase_customer
from staff.enums import Role
from tests import factories
from tests.factories import NOW
from tests.journeys import DESK, JANA, booked, completed
from tests.needles import WORDS, ZELDA, Planted, plant, tables_with
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db


def erased(planted: Planted) -> Customer:
    erase_customer(customer_id=planted.customer.pk, now=planted.over_at)
    planted.customer.refresh_from_db()
    return planted.customer


def test_every_word_is_found_before_and_none_after() -> None:
    planted = plant()
    LogEntry.objects.create(
        user=factories.desk_user(Role.OWNER),
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(planted.customer.pk),
        object_repr=str(planted.customer),
        action_flag=CHANGE,
    )
    assert set().union(*tables_with().values()) == set(WORDS)

    erased(planted)

    assert tables_with() == {}


def test_hashes_that_find_the_person_are_gone() -> None:
    planted = plant()
    customer = erased(planted)

    assert (customer.email_normalised, customer.phone_hash, customer.phone_end_hash) == (None, "", "")
    bookings = Booking.objects.filter(customer=customer)
    pseudonyms = bookings.values_list("phone_hash", "phone_end_hash", "visitor_hash", "address_hash", "hold_token_hash")
    assert set(pseudonyms) == {("", "", "", "", None)}
    assert not InboundMessage.objects.exists()


def test_figures_and_history_stay() -> None:
    planted = plant()
    before = (
        list(Booking.objects.order_by("pk").values_list("reference", "status", "starts_at", "total_minor", "bill_id")),
        list(BillLine.objects.order_by("pk").values_list("text", "gross_minor")),
        list(Payment.objects.order_by("pk").values_list("amount_minor", "status", "succeeded_at")),
        list(Receipt.objects.order_by("pk").values_list("number", "contents__lines", "contents__movements")),
        list(BookingEvent.objects.order_by("pk").values_list("kind", "to_status", "at", "details")),
    )

    erased(planted)

    after = (
        list(Booking.objects.order_by("pk").values_list("reference", "status", "starts_at", "total_minor", "bill_id")),
        list(BillLine.objects.order_by("pk").values_list("text", "gross_minor")),
        list(Payment.objects.order_by("pk").values_list("amount_minor", "status", "succeeded_at")),
        list(Receipt.objects.order_by("pk").values_list("number", "contents__lines", "contents__movements")),
        list(BookingEvent.objects.order_by("pk").values_list("kind", "to_status", "at", "details")),
    )
    assert before == after
    # Visits as old as the test's clock break other invariants, such as overdue messages.
    broken = [each.check.code for each in doctor.examine(now=planted.over_at) if each.violations]
    assert not {"I9", "I12", "I13", "I14", "I18", "I34"} & set(broken)


def test_proof_of_consent_stays_without_a_name() -> None:
    customer = erased(plant())

    consents = Consent.objects.filter(customer=customer)
    assert {each.purpose for each in consents} >= {"marketing"}
    assert all(each.text and each.given_at for each in consents)


def test_links_that_were_sent_open_nothing() -> None:
    planted = plant()
    token = manage_token(planted.visit, LinkRole.CUSTOMER)

    erased(planted)

    assert Client().get(f"/b/{token}/").status_code == 404


def test_second_time_changes_nothing() -> None:
    customer = erased(plant())
    first = customer.erased_at

    erase_customer(customer_id=customer.pk, now=NOW + timedelta(days=30))

    customer.refresh_from_db()
    assert customer.erased_at == first


def test_others_keep_their_data_and_shared_tags_stay() -> None:
    place = factories.studio()
    other = booked(place, contact=JANA, start_minute=place.minute(14, days=4))
    Customer.objects.filter(pk=other.customer_id).update(tags=["regular"])
    CustomerTag.objects.create(name="regular")
    planted = plant(place=place)
    messages = Notification.objects.filter(subject_ref=f"booking:{other.pk}").count()
    Customer.objects.filter(pk=planted.customer.pk).update(tags=["regular", "tagneedle"])

    erased(planted)

    other.refresh_from_db()
    assert (other.contact_name, other.customer.name) == (JANA.name, JANA.name)
    assert Notification.objects.filter(subject_ref=f"booking:{other.pk}").count() == messages > 0
    assert list(CustomerTag.objects.values_list("name", flat=True)) == ["regular"]


def test_texts_from_a_number_that_another_customer_has_stay() -> None:
    planted = plant()
    Customer.objects.create(name="Bo", phone=ZELDA.phone, created_at=NOW)

    erased(planted)

    assert InboundMessage.objects.get().body == "Textneedle, I am late"


def test_stop_goes_on_to_hold() -> None:
    planted = plant()
    store_text(provider_ref="SM9", channel=Channel.SMS, sender=ZELDA.phone, text="STOP", opt_out="", now=NOW)

    erased(planted)

    assert Suppression.objects.filter(reason="stop").count() == 2
    assert InboundMessage.objects.get().keyword


def test_customers_own_account_is_deleted_with_its_sessions(client: Client) -> None:
    planted = plant()
    user = User.objects.create_user("zelda.quintarelli@needle.example", "secret-secret", name="Zelda Quintarelli")
    Customer.objects.filter(pk=planted.customer.pk).update(user=user)
    sign_in_staff(client, user)

    erased(planted)

    assert tables_with() == {}
    assert not User.objects.filter(pk=user.pk).exists()


def test_account_of_staff_stays_and_is_only_unlinked() -> None:
    planted = plant()
    user = factories.desk_user(Role.FRONT_DESK)
    Customer.objects.filter(pk=planted.customer.pk).update(user=user)

    customer = erased(planted)

    assert customer.user_id is None
    assert User.objects.filter(pk=user.pk).exists()


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_receipt_is_drawn_again_without_the_name() -> None:
    planted = plant()
    assert ReceiptDocument.objects.exists()

    erased(planted)
    assert not ReceiptDocument.objects.exists()
    draw_missing_receipts(now=planted.over_at)

    assert ReceiptDocument.objects.get().pdf
    assert Receipt.objects.get().contents["customer_name"] == ""


def test_names_on_receipts_stay_where_the_law_asks_for_it() -> None:
    planted = plant()
    Retention.objects.create(pk=1, receipt_name_years=10)

    erased(planted)

    assert tables_with() == {"payments_receipt": {"zelda", "quintarelli"}}
    assert ReceiptDocument.objects.exists()


# --- what stands in the way -------------------------------------------------------------------------------------------


def refusal(customer_id: int | None, **at: Any) -> dict[Hindrance, list[int]]:
    """Return what stands in the way, and make sure that nothing was changed."""
    before = Customer.objects.values().get(pk=customer_id)
    with pytest.raises(CannotErase) as error:
        erase_customer(customer_id=customer_id or 0, now=at.get("now", NOW))
    assert Customer.objects.values().get(pk=customer_id) == before
    assert not ErasedCustomer.objects.exists()
    found: dict[Hindrance, list[int]] = error.value.data["found"]
    return found


def test_a_booking_ahead_stands_in_the_way_until_it_is_cancelled() -> None:
    booking = booked(factories.studio())
    assert refusal(booking.customer_id) == {Hindrance.AHEAD: [booking.pk], Hindrance.BALANCE: [booking.pk]}

    cancel_booking(booking_id=booking.pk, expected_fee_minor=0, expected_sequence=0, actor=DESK, now=NOW)
    erase_customer(customer_id=booking.customer_id or 0, now=NOW)

    assert Booking.objects.get().status == BookingStatus.CANCELLED


def test_an_open_balance_stands_in_the_way() -> None:
    booking = completed(booked(factories.studio()))

    assert refusal(booking.customer_id, now=booking.ends_at) == {Hindrance.BALANCE: [booking.pk]}


def test_a_dispute_and_an_open_alert_stand_in_the_way() -> None:
    planted = plant()
    payment = Payment.objects.get()
    Payment.objects.update(is_disputed=True)
    raise_alert(kind=AlertKind.DISPUTE, key="d", payment=payment, details={}, now=NOW)

    found = refusal(planted.customer.pk, now=planted.over_at)

    assert found == {Hindrance.DISPUTE: [planted.visit.pk], Hindrance.ALERT: [planted.visit.pk]}


# --- after a restored backup ------------------------------------------------------------------------------------------


def test_what_a_restored_backup_brings_back_is_erased_again() -> None:
    planted = plant()
    default_storage.save(f"erased/{planted.customer.reference}", ContentFile(b""))
    assert not ErasedCustomer.objects.exists()

    assert erase_again(now=planted.over_at) == 1

    assert tables_with() == {}
    assert ErasedCustomer.objects.get().done_at == planted.over_at
    assert erase_again(now=planted.over_at) == 0


def test_what_cannot_be_erased_again_yet_waits_for_the_next_night(caplog: pytest.LogCaptureFixture) -> None:
    booking = booked(factories.studio())
    customer = Customer.objects.get(pk=booking.customer_id)
    ErasedCustomer.objects.create(customer_reference=customer.reference, asked_at=NOW)

    assert erase_again(now=NOW) == 0

    assert JANA.name not in caplog.text
    assert "cannot be erased again yet" in caplog.text
