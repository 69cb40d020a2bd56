"""Two records of one person become one, and nothing of either is lost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accounts.customer_merge import CannotMerge, Flags, Obstacle, merge_stamp
from accounts.customer_record import By, CustomerChanged, set_customer_trust, tag_customer, write_note
from accounts.models import ChannelChoice, Consent, Customer, CustomerEvent, QuietHours, User
from accounts.operations import (
    agree_to_marketing,
    choose_channels,
    customer_of_contact,
    set_quiet_hours,
    withdraw_marketing,
)
from bookings.errors import CannotBookOnline
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.confirm import ByStaff
from bookings.operations.hold_link import send_hold_link
from bookings.operations.merge_customers import merge_customers
from bookings.operations.message_choices import register_device
from bookings.operations.proven_customer import link_proven_customer
from bookings.operations.session_notes import save_session_note
from notifications.delivery.sending import OPEN
from notifications.devices import Keys
from notifications.enums import Channel
from notifications.models import Notification, PushSubscription
from payments.models import Bill
from privacy.enums import CaseKind
from privacy.models import ErasedCustomer, PrivacyCase
from privacy.operations import cases
from privacy.operations.erase import erase_customer
from privacy.operations.export import export_customer
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import DESK, JANA, booked, confirm, hold

pytestmark = pytest.mark.django_db

# A point of the curve P-256 and a secret of 16 bytes, as a browser sends them.
KEYS = Keys(
    "BC3Y7yFbuXfcJcAT9ovU9ZH36ZdMHmXuCR6DIO7GP5v3pE-LUdV05nGUbTmOJ3VC8Ch4JAdy7FvBVpG3yjGjkng", "tBHItJI5svbpez7KI4CCXg"
)
MIA = By(None, "Mia Berg")
WORK = replace(JANA, name="Jana Weber-Klein", email="jana@work.example", phone="+4930901820")


@pytest.fixture
def place() -> Studio:
    return factories.studio()


@pytest.fixture
def kept(place: Studio) -> Customer:
    return of(booked(place, 10))


@pytest.fixture
def other(place: Studio) -> Customer:
    return of(booked(place, 12, contact=WORK))


def open_messages(person_ref: str) -> int:
    return Notification.objects.filter(recipient_ref=person_ref, status__in=OPEN).count()


def of(booking: Booking) -> Customer:
    assert booking.customer
    return booking.customer


def merge(kept: Customer, other: Customer, **changes: Any) -> Customer:
    kept.refresh_from_db()
    other.refresh_from_db()
    given = {"seen": merge_stamp(kept, other), "reason": "She said so", "by": MIA, "now": NOW, **changes}
    made = merge_customers(kept_id=kept.pk, other_id=other.pk, **given)
    kept.refresh_from_db()
    other.refresh_from_db()
    return made


def test_everything_of_the_other_record_moves(kept: Customer, other: Customer) -> None:
    booking = Booking.objects.get(customer=other)
    write_note(customer_id=other.pk, text="Likes it warm", by=MIA, now=NOW)
    tag_customer(customer_id=kept.pk, tag="VIP")
    tag_customer(customer_id=other.pk, tag="vip")
    tag_customer(customer_id=other.pk, tag="back")
    save_session_note(booking_id=booking.pk, text="Left shoulder", expected_version=0, actor=DESK, now=NOW)
    consents, waiting = Consent.objects.count(), open_messages(f"customer:{other.pk}")
    assert waiting

    merge(kept, other)

    assert Booking.objects.filter(customer=kept).count() == 2
    assert Bill.objects.filter(customer=kept).count() == 2
    assert Consent.objects.filter(customer=kept).count() == consents
    assert [note.text for note in kept.staff_notes.all()] == ["Likes it warm"]
    assert kept.tags == ["VIP", "back"]
    assert open_messages(f"customer:{other.pk}") == 0
    assert Notification.objects.filter(recipient_ref=f"customer:{kept.pk}").count() >= waiting
    assert (kept.name, kept.email) == (JANA.name, JANA.email)
    booking.refresh_from_db()
    assert booking.contact_email == WORK.email
    assert booking.session_note.text == "Left shoulder"


def test_both_histories_have_the_merge(kept: Customer, other: Customer) -> None:
    set_customer_trust(
        customer_id=other.pk,
        is_blocked=False,
        is_prepayment_exempt=True,
        was_blocked=False,
        was_prepayment_exempt=False,
        reason="A regular",
        by=MIA,
        now=NOW,
    )
    merge(kept, other)

    events = CustomerEvent.objects.filter(customer=kept).order_by("pk")
    assert [(event.kind, event.reason, event.actor_name) for event in events] == [
        ("trust", "A regular", "Mia Berg"),
        ("merged", "She said so", "Mia Berg"),
    ]
    [merged] = CustomerEvent.objects.filter(customer=other)
    assert merged.details == {"kept": kept.reference, "merged": other.reference, "bookings": 1}


def test_merging_again_changes_nothing(kept: Customer, other: Customer) -> None:
    merge(kept, other)
    events = CustomerEvent.objects.count()

    assert merge(kept, other).pk == kept.pk
    assert merge(other, kept).pk == kept.pk
    assert CustomerEvent.objects.count() == events


def test_a_chain_leads_to_the_last_record(place: Studio, kept: Customer, other: Customer) -> None:
    third = of(booked(place, 14, contact=replace(JANA, name="J. Weber", email="j@example.com", phone="+4930901821")))
    merge(other, third)

    merge(kept, other)

    third.refresh_from_db()
    assert (third.merged_into, other.merged_into) == (kept, kept)
    assert Booking.objects.filter(customer=kept).count() == 3


@pytest.mark.parametrize(
    ("one", "two", "merged"),
    [
        (Flags(False, True), Flags(False, True), Flags(False, True)),
        (Flags(False, True), Flags(False, False), Flags(False, False)),
        (Flags(True, False), Flags(False, False), Flags(True, False)),
        (Flags(False, False), Flags(True, True), Flags(True, False)),
    ],
)
def test_the_stricter_flags_win(kept: Customer, other: Customer, one: Flags, two: Flags, merged: Flags) -> None:
    for customer, flags in ((kept, one), (other, two)):
        trust(customer, flags)

    merge(kept, other)

    assert Flags(kept.is_blocked, kept.is_prepayment_exempt) == merged


def trust(customer: Customer, flags: Flags) -> None:
    customer.refresh_from_db()
    set_customer_trust(
        customer_id=customer.pk,
        is_blocked=flags.is_blocked,
        is_prepayment_exempt=flags.is_prepayment_exempt,
        was_blocked=customer.is_blocked,
        was_prepayment_exempt=customer.is_prepayment_exempt,
        reason="So",
        by=MIA,
        now=NOW,
    )


def test_flags_that_were_chosen_win(kept: Customer, other: Customer) -> None:
    trust(other, Flags(is_blocked=True, is_prepayment_exempt=False))

    merge(kept, other, chosen=Flags(is_blocked=False, is_prepayment_exempt=True))

    assert (kept.is_blocked, kept.is_prepayment_exempt, other.is_blocked) == (False, True, False)


def test_a_blocked_customer_stays_blocked_under_both_addresses(place: Studio, kept: Customer, other: Customer) -> None:
    trust(kept, Flags(is_blocked=True, is_prepayment_exempt=False))
    merge(kept, other)

    for number, contact in enumerate((JANA, WORK)):
        with pytest.raises(CannotBookOnline):
            confirm(hold(place, 14 + number).booking, contact=contact, has_proven_email=True)

    trust(kept, Flags(is_blocked=False, is_prepayment_exempt=False))
    assert confirm(hold(place, 16).booking, contact=WORK, has_proven_email=True).customer == kept


def test_a_booking_with_the_old_contact_finds_the_customer(place: Studio, kept: Customer, other: Customer) -> None:
    merge(kept, other)

    assert of(booked(place, 14, contact=WORK)) == kept
    assert of(booked(place, 15, contact=JANA)) == kept
    assert Customer.objects.count() == 2


def test_the_old_mailbox_proves_the_customer(place: Studio, kept: Customer, other: Customer) -> None:
    """Also when the name is written in another way: the booking stays with its customer."""
    link_proven_customer(booking_id=Booking.objects.get(customer=other).pk, now=NOW)
    merge(kept, other)

    again = booked(place, 14, contact=WORK)
    link_proven_customer(booking_id=again.pk, now=NOW + timedelta(hours=1))

    again.refresh_from_db()
    assert of(again) == kept


def test_one_mailbox_of_two_records_belongs_to_the_kept_one(place: Studio, other: Customer) -> None:
    """A guest gave another one's address first; the record that stays owns it then."""
    guest = of(booked(place, 14, contact=replace(WORK, name="Jana Klein")))
    assert guest.email_normalised is None

    merge(guest, other)

    assert (guest.email_normalised, other.email_normalised) == (WORK.email, None)
    assert of(booked(place, 15, contact=WORK)) == guest


def test_the_proof_of_one_mailbox_stays(place: Studio, other: Customer) -> None:
    link_proven_customer(booking_id=Booking.objects.get(customer=other).pk, now=NOW)
    guest = of(booked(place, 14, contact=replace(WORK, name="Jana Klein")))

    merge(guest, other)

    assert guest.email_proven_at == NOW


def test_two_proven_mailboxes_need_a_choice(kept: Customer, other: Customer) -> None:
    for customer in (kept, other):
        link_proven_customer(booking_id=Booking.objects.get(customer=customer).pk, now=NOW)

    with pytest.raises(CannotMerge) as refused:
        merge(kept, other)
    assert refused.value.data == {"obstacle": Obstacle.MAILBOXES}
    assert Booking.objects.filter(customer=other).exists()

    merge(kept, other, gives_up_mailbox=True)
    assert (kept.email, kept.email_proven_at) == (JANA.email, NOW)


def test_two_sign_ins_are_refused_and_one_moves(kept: Customer, other: Customer) -> None:
    users = [User.objects.create(email=f"{name}@example.com") for name in ("jana", "klein")]
    Customer.objects.filter(pk=kept.pk).update(user=users[0])
    Customer.objects.filter(pk=other.pk).update(user=users[1])
    with pytest.raises(CannotMerge) as refused:
        merge(kept, other)
    assert refused.value.data == {"obstacle": Obstacle.SIGN_INS}

    Customer.objects.filter(pk=kept.pk).update(user=None)
    merge(kept, other)

    assert (kept.user, other.user) == (users[1], None)


def test_an_erased_record_and_the_record_itself_are_refused(kept: Customer, other: Customer) -> None:
    Customer.objects.filter(pk=other.pk).update(erased_at=NOW)
    for first, second, obstacle in ((kept, other, Obstacle.ERASED), (kept, kept, Obstacle.SAME)):
        with pytest.raises(CannotMerge) as refused:
            merge(first, second)
        assert refused.value.data == {"obstacle": obstacle}


def test_a_record_that_changed_since_the_preview_is_not_merged(kept: Customer, other: Customer) -> None:
    stamp = merge_stamp(kept, other)
    tag_customer(customer_id=other.pk, tag="VIP")

    with pytest.raises(CustomerChanged):
        merge(kept, other, seen=stamp)
    assert other.merged_into is None


def test_a_channel_that_is_off_in_one_record_stays_off(kept: Customer, other: Customer) -> None:
    refs = [f"customer:{each.pk}" for each in (kept, other)]
    choose_channels(person_ref=refs[0], wanted={"sms": True, "email": False}, now=NOW)
    choose_channels(person_ref=refs[1], wanted={"sms": False, "email": True, "push": True}, now=NOW)
    set_quiet_hours(person_ref=refs[1], start_minute=1320, end_minute=420, time_zone="Europe/Berlin")

    merge(kept, other)

    assert dict(ChannelChoice.objects.values_list("channel", "is_on")) == {"sms": False, "email": False, "push": True}
    assert set(ChannelChoice.objects.values_list("person_ref", flat=True)) == {refs[0]}
    assert [each.person_ref for each in QuietHours.objects.all()] == [refs[0]]


def test_devices_move(kept: Customer, other: Customer) -> None:
    booking = Booking.objects.get(customer=other)
    register_device(booking_id=booking.pk, endpoint="https://fcm.googleapis.com/1", keys=KEYS, now=NOW)

    merge(kept, other)

    assert [each.person_ref for each in PushSubscription.objects.all()] == [f"customer:{kept.pk}"]


@pytest.mark.parametrize("who_says_no", ["kept", "other"])
def test_news_once_declined_stay_declined(kept: Customer, other: Customer, who_says_no: str) -> None:
    no, yes = (kept, other) if who_says_no == "kept" else (other, kept)
    for each in (no, yes):
        agree_to_marketing(customer_id=each.pk, subject_ref="booking:1", text="News", now=NOW)
    withdraw_marketing(customer_id=no.pk, now=NOW)

    merge(kept, other)

    assert not Consent.objects.filter(customer=kept, purpose="marketing", withdrawn_at=None).exists()


def test_news_of_one_record_go_on(kept: Customer, other: Customer) -> None:
    agree_to_marketing(customer_id=other.pk, subject_ref="booking:1", text="News", now=NOW)

    merge(kept, other)

    assert Consent.objects.filter(customer=kept, purpose="marketing", withdrawn_at=None).count() == 1


def test_what_is_written_to_the_merged_record_reaches_the_kept_one(kept: Customer, other: Customer) -> None:
    merge(kept, other)

    write_note(customer_id=other.pk, text="Called", by=MIA, now=NOW)
    tag_customer(customer_id=other.pk, tag="late")

    kept.refresh_from_db()
    assert (kept.staff_notes.get().text, kept.tags) == ("Called", ["late"])


def test_the_desk_books_for_the_kept_record(place: Studio, kept: Customer, other: Customer) -> None:
    """The page of the phone booking was open when the records were merged."""
    merge(kept, other)
    booking = hold(place, 14, actor=DESK).booking
    confirm(booking, contact=WORK, actor=DESK, by_staff=ByStaff(customer_id=other.pk))

    booking.refresh_from_db()
    assert of(booking) == kept


def test_the_search_for_a_person_does_not_find_the_merged_record(kept: Customer, other: Customer) -> None:
    merge(kept, other)

    found = customer_of_contact(
        name=WORK.name, email=WORK.email, phone=WORK.phone, language="en", now=NOW, has_proven_email=True
    )
    assert found == kept


def test_every_relation_to_a_customer_moves(kept: Customer, other: Customer) -> None:
    """A new model that refers to customers moves as well, and nothing that does so is left at the merged record."""
    open_case(other)
    write_note(customer_id=other.pk, text="Called", by=MIA, now=NOW)

    merge(kept, other)

    left = {
        relation.related_model._meta.label: relation.related_model._default_manager.filter(
            **{relation.field.name: other}
        ).count()
        for relation in Customer._meta.related_objects
    }
    # Its own history says where it went.
    assert {label for label, count in left.items() if count} == {"accounts.CustomerEvent"}
    assert {"bookings.Booking", "payments.Bill", "accounts.CustomerNote", "privacy.PrivacyCase"} <= left.keys()


def open_case(customer: Customer) -> PrivacyCase:
    return cases.open_case(
        customer_id=customer.pk, kind=CaseKind.ACCESS, note="By phone", asked_on=NOW.date(), by=MIA, now=NOW
    )


def test_two_open_requests_are_refused(kept: Customer, other: Customer) -> None:
    for customer in (kept, other):
        open_case(customer)

    with pytest.raises(CannotMerge) as refused:
        merge(kept, other)

    assert refused.value.data == {"obstacle": Obstacle.ONCE}
    assert Booking.objects.filter(customer=other).exists()


def test_erasing_and_exporting_cover_the_merged_record(kept: Customer, other: Customer) -> None:
    merge(kept, other)
    later = NOW + timedelta(days=400)
    for booking in Booking.objects.all():
        cancel_booking(
            booking_id=booking.pk,
            expected_fee_minor=0,
            expected_sequence=booking.ical_sequence,
            actor=DESK,
            now=NOW,
        )

    exported = export_customer(customer_id=kept.pk, now=later)
    assert exported["contact"]["merged_records"] == [
        {"reference": other.reference, "name": WORK.name, "email": WORK.email, "phone": WORK.phone}
    ]

    erase_customer(customer_id=kept.pk, now=later)

    other.refresh_from_db()
    assert (other.name, other.email, other.email_normalised, other.phone, other.phone_hash) == ("", "", None, "", "")
    assert other.erased_at == later
    erased = ErasedCustomer.objects.filter(done_at=later).values_list("customer_reference", flat=True)
    assert set(erased) == {kept.reference, other.reference}


def test_a_link_to_a_held_time_is_for_the_kept_record(place: Studio, kept: Customer, other: Customer) -> None:
    merge(kept, other)
    sent = send_hold_link(
        booking_id=hold(place, 14, actor=DESK).booking.pk,
        contact=WORK,
        customer_id=other.pk,
        language="en",
        channel=Channel.EMAIL,
        actor=DESK,
        now=NOW,
    )

    assert of(sent) == kept
