"""What the settings keep no longer goes overnight: to the second, in batches, and again after a worker died."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry

from accounts.customer_record import By
from accounts.models import Customer
from bookings.models import Booking, BookingEvent, FollowUp, SessionNote
from notifications.models import Notification
from notifications.retention import delete_old_messages
from payments.models import Bill, Payment, Receipt
from privacy import queries
from privacy.enums import CaseKind
from privacy.errors import SettingsChanged
from privacy.models import ErasedCustomer, Retention
from privacy.operations import keep
from privacy.operations.cases import open_case
from privacy.operations.keep import FIELDS, delete_what_is_due, set_retention
from privacy.rules import months_before
from staff.enums import Role
from tests import factories
from tests.factories import NOW
from tests.journeys import booked, completed
from tests.needles import Planted, plant, tables_with

pytestmark = pytest.mark.django_db

BY = By(None, "Olivia")
SECOND = timedelta(seconds=1)


def keeping(**values: Any) -> Retention:
    """Set how long data is kept; what is not named is kept for ever."""
    nothing: dict[str, Any] = {**dict.fromkeys(FIELDS), "receipt_name_years": 0}
    seen = {name: getattr(queries.retention(), name) for name in FIELDS}
    return set_retention(values={**nothing, **values}, seen=seen, by=BY, now=NOW)


def months_after(moment: datetime, months: int) -> datetime:
    """The first moment at which something that ended at ``moment`` is that many months old."""
    found = moment
    while months_before(found, months) < moment:
        found += timedelta(days=1)
    return found


def test_without_settings_everything_stays() -> None:
    plant()

    assert sum(delete_what_is_due(now=NOW + timedelta(days=7000)).values()) == 0


def test_a_visit_is_anonymised_after_its_months_to_the_second_and_leaves_its_customer() -> None:
    planted = plant()
    keeping(bookings_months=24)
    due = months_after(planted.visit.ends_at, 24)

    assert delete_what_is_due(now=due)["bookings_months"] == 0
    assert queries.due_counts(queries.retention(), due + SECOND)["bookings_months"] == 1
    assert delete_what_is_due(now=due + SECOND)["bookings_months"] == 1
    assert delete_what_is_due(now=due + SECOND)["bookings_months"] == 0

    planted.visit.refresh_from_db()
    planted.cancelled.refresh_from_db()
    assert (planted.visit.customer_id, planted.visit.contact_name) == (None, "")
    assert planted.visit.anonymised_at == due + SECOND
    assert planted.cancelled.customer_id == planted.customer.pk
    assert Customer.objects.get().name == planted.customer.name
    assert Bill.objects.get(bookings=planted.visit).customer_id is None
    assert Payment.objects.filter(subject_ref=f"booking:{planted.visit.pk}").exists()
    assert set(tables_with(["sessionneedle", "followneedle", "paidneedle", "parkingneedle"])) == set()


def test_then_the_contact_goes_too_once_no_booking_is_left() -> None:
    planted = plant()
    keeping(bookings_months=24, contact_months=12)

    counts = delete_what_is_due(now=planted.over_at + timedelta(days=900))

    assert (counts["bookings_months"], counts["contact_months"]) == (2, 1)
    # The texts stay as long as messages are kept; the customer's own pseudonyms are gone with the bookings.
    assert set(tables_with()) <= {"notifications_inboundmessage"}
    assert ErasedCustomer.objects.get().customer_reference == planted.customer.reference


def test_notes_and_answers_have_times_of_their_own() -> None:
    planted = plant()
    keeping(notes_months=6, answers_months=3)
    later = planted.over_at

    counts = delete_what_is_due(now=months_after(later, 4))
    assert (counts["answers_months"], counts["notes_months"]) == (2, 0)
    assert set(Booking.objects.values_list("customer_note", flat=True)) == {""}
    assert SessionNote.objects.exists()

    assert delete_what_is_due(now=months_after(later, 7))["notes_months"] == 1
    assert not SessionNote.objects.exists()
    assert not FollowUp.objects.exists()
    assert Booking.objects.get(pk=planted.visit.pk).contact_name == planted.customer.name


def test_messages_follow_the_months_of_the_desk() -> None:
    planted = plant()
    keeping(messages_months=3)
    later = months_after(planted.over_at, 3) + timedelta(days=1)
    Notification.objects.filter(status="queued").update(status="cancelled")
    count = queries.due_counts(queries.retention(), later)["messages_months"]

    assert delete_old_messages(now=later) == count > 0
    assert not Notification.objects.filter(sent_at__isnull=False).exists()


def test_logs_lose_words_and_the_admins_log_its_rows() -> None:
    planted = plant()
    LogEntry.objects.create(
        user=factories.desk_user(Role.OWNER), object_repr="x", action_flag=CHANGE, action_time=NOW, object_id="1"
    )
    LogEntry.objects.update(action_time=NOW)
    keeping(logs_months=12)

    assert delete_what_is_due(now=months_after(NOW, 12) + SECOND)["logs_months"] >= 3

    assert not LogEntry.objects.exists()
    # The e-mails say it too, and stay as long as messages are kept.
    assert set(tables_with(["cancelneedle", "trustneedle"])) <= {"notifications_notification"}
    assert BookingEvent.objects.filter(booking=planted.visit).exists()


def test_names_on_receipts_go_when_their_years_are_over() -> None:
    planted = plant()
    keeping(bookings_months=1, receipt_name_years=10)
    delete_what_is_due(now=planted.over_at + timedelta(days=60))
    assert Receipt.objects.get().contents["customer_name"] == planted.customer.name

    after = months_after(Receipt.objects.get().issued_at, 120) + SECOND
    assert delete_what_is_due(now=after)["receipt_name_years"] == 1

    assert Receipt.objects.get().contents["customer_name"] == ""
    assert delete_what_is_due(now=after)["receipt_name_years"] == 0


@pytest.mark.parametrize("reason", ["blocked", "case", "booking"])
def test_a_contact_that_is_still_needed_stays(reason: str) -> None:
    later = NOW + timedelta(days=60)
    keeping(contact_months=1)
    if reason == "booking":
        booked(factories.studio())
    else:
        customer = Customer.objects.create(name="Bo", created_at=NOW, is_blocked=reason == "blocked")
    if reason == "case":
        open_case(customer_id=customer.pk, kind=CaseKind.ACCESS, note="", asked_on=later.date(), by=BY, now=later)

    assert delete_what_is_due(now=later)["contact_months"] == 0


def test_an_unfinished_refund_keeps_a_booking_but_an_open_balance_does_not() -> None:
    place = factories.studio()
    unpaid = completed(booked(place, hour=14))
    disputed = plant(place=place)
    Payment.objects.update(is_disputed=True)
    keeping(bookings_months=1)

    delete_what_is_due(now=NOW + timedelta(days=90))

    unpaid.refresh_from_db()
    disputed.visit.refresh_from_db()
    assert unpaid.anonymised_at is not None
    assert disputed.visit.anonymised_at is None


def test_many_go_in_batches_and_a_second_run_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "BATCH", 2)
    for number in range(5):
        Customer.objects.create(name=f"Bo {number}", created_at=NOW)
    keeping(contact_months=1)

    assert delete_what_is_due(now=NOW + timedelta(days=60))["contact_months"] == 5
    assert delete_what_is_due(now=NOW + timedelta(days=60))["contact_months"] == 0


def test_preview_counts_what_the_night_deletes_under_settings_that_are_not_saved() -> None:
    planted: Planted = plant()
    wanted = Retention(pk=1, bookings_months=1, answers_months=1, notes_months=1)
    counts = queries.due_counts(wanted, planted.over_at + timedelta(days=60))

    assert {name: count for name, count in counts.items() if count} == {
        "bookings_months": 2,
        "answers_months": 2,
        "notes_months": 1,
    }
    assert not Retention.objects.exists()


def test_a_change_by_another_owner_is_not_overwritten() -> None:
    keeping(bookings_months=24)
    seen: dict[str, int | None] = {**dict.fromkeys(FIELDS), "receipt_name_years": 0}

    with pytest.raises(SettingsChanged):
        set_retention(values={**seen, "bookings_months": 1}, seen=seen, by=BY, now=NOW)

    assert queries.retention().bookings_months == 24
