"""A link that staff send for a held time: what it keeps, what it proves, what ends it, and who is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from accounts.contact.contact import Contact
from accounts.models import Customer, User
from bookings import retention
from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.errors import HoldExpired, HoldOver, LinkSentOften, NoLinkForBlocked, TooManyLinks, TooSoonForLink
from bookings.lifecycle import Actor
from bookings.links import hold_token
from bookings.models import Booking, HoldLink
from bookings.operations import hold_link
from bookings.operations.hold import expire_holds, hold_slot, release_hold
from bookings.operations.hold_link import (
    free_linked_time,
    resend_hold_link,
    send_hold_link,
    settle_ended_link,
)
from bookings.operations.settle import settle_payment
from core.minutes import minute_of
from notifications.enums import Channel
from notifications.models import Notification
from notifications.operations import send_due
from services.models import Business, Service
from staff.enums import Role
from tests import factories
from tests.factories import NOW, Studio, studio
from tests.journeys import DESK, GUEST, JANA, arrived, booked, confirm, hold, paid_studio

pytestmark = pytest.mark.django_db

SOFIA = Contact(name="Sofia Kaya", email="sofia@example.com", phone="+4915155501828", note="")
TWO_HOURS = timedelta(hours=2)


@pytest.fixture
def place() -> Studio:
    return studio()


@pytest.fixture
def texts(settings: Any) -> None:
    """The site can send SMS."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_SMS_FROM = "AC1", "t", "+4915735987654"


def linked(
    place: Studio,
    hour: int = 10,
    *,
    contact: Contact = SOFIA,
    channel: Channel = Channel.EMAIL,
    customer: Customer | None = None,
    actor: Actor = DESK,
    **changes: Any,
) -> Booking:
    """A time that staff hold, with the link sent."""
    held = hold(place, hour, actor=actor, visitor_hash="desk-form", **changes)
    return send_hold_link(
        booking_id=held.booking.pk,
        contact=contact,
        channel=channel,
        customer_id=customer.pk if customer else None,
        language="en",
        actor=actor,
        now=NOW,
    )


def kinds(booking: Booking) -> list[tuple[str, str]]:
    rows = Notification.objects.filter(subject_ref=f"booking:{booking.pk}").order_by("pk")
    return list(rows.values_list("kind", "channel"))


def test_the_link_keeps_the_time_and_carries_what_staff_typed(place: Studio) -> None:
    booking = linked(place)

    booking.refresh_from_db()
    assert (booking.status, booking.hold_expires_at) == (BookingStatus.HELD, NOW + TWO_HOURS)
    assert (booking.contact_name, booking.contact_email) == ("Sofia Kaya", "sofia@example.com")
    assert (booking.visitor_hash, booking.customer, booking.channel) == ("", None, BookingChannel.DESK)
    assert kinds(booking) == [("hold_link", "email")]
    event = booking.events.last()
    assert event is not None
    assert (event.kind, event.actor_name, event.details) == ("hold_link", "Sam", {"channel": "email"})


def test_the_mail_leads_to_the_page_of_the_hold_and_names_its_end(place: Studio) -> None:
    booking = linked(place)

    send_due(now=NOW, limit=50)

    [sent] = mail.outbox
    assert sent.subject == "Finish your booking: Tue 5 Jan, 10:00"
    assert f"/h/{hold_token(booking)}/" in str(sent.body)
    assert "We hold this time for you until Mon 4 Jan, 09:00. After that it is free again." in str(sent.body)
    assert f"/b/{booking.reference}" not in str(sent.body)


def test_the_text_goes_by_sms_alone(place: Studio, texts: None) -> None:
    booking = linked(place, channel=Channel.SMS)

    assert kinds(booking) == [("hold_link", "sms")]


def test_a_second_call_sends_nothing(place: Studio) -> None:
    booking = linked(place)

    again = send_hold_link(
        booking_id=booking.pk,
        contact=replace(SOFIA, name="Other"),
        channel=Channel.EMAIL,
        customer_id=None,
        language="en",
        actor=DESK,
        now=NOW + timedelta(minutes=1),
    )

    assert again.contact_name == "Sofia Kaya"
    assert kinds(booking) == [("hold_link", "email")]


def test_the_link_ends_half_an_hour_before_the_visit(place: Studio) -> None:
    today = place.at(9, days=0)

    booking = linked(place, start_minute=minute_of(today))

    assert booking.hold_expires_at == today - timedelta(minutes=30)


def test_a_visit_that_begins_too_soon_gets_no_link(place: Studio) -> None:
    now = place.at(8, 25, days=0)
    held = hold(place, actor=DESK, start_minute=minute_of(place.at(9, days=0)), now=now).booking

    with pytest.raises(TooSoonForLink):
        send_hold_link(
            booking_id=held.pk,
            contact=SOFIA,
            channel=Channel.EMAIL,
            customer_id=None,
            language="en",
            actor=DESK,
            now=now,
        )

    held.refresh_from_db()
    assert (held.contact_name, kinds(held)) == ("", [])


def test_the_business_decides_how_long_a_link_keeps_a_time(place: Studio) -> None:
    Business.objects.update(hold_link_minutes=45)

    assert linked(place).hold_expires_at == NOW + timedelta(minutes=45)


@pytest.mark.parametrize("by", ["email", "phone", "record"])
def test_a_blocked_customer_gets_no_link(place: Studio, by: str) -> None:
    booked(place, 14, contact=SOFIA)
    Customer.objects.update(is_blocked=True)
    contact = {"email": replace(SOFIA, phone=""), "phone": replace(SOFIA, email=""), "record": JANA}[by]
    channel = Channel.SMS if by == "phone" else Channel.EMAIL

    with pytest.raises(NoLinkForBlocked):
        linked(place, contact=contact, channel=channel, customer=Customer.objects.get() if by == "record" else None)

    assert not HoldLink.objects.exists()


def test_one_user_cannot_send_links_without_end(place: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_link, "LINKS_PER_USER", 2)
    users = [factories.desk_user(Role.FRONT_DESK) for _ in range(2)]
    leyla, other = (Actor(ActorKind.STAFF, BookingChannel.DESK, user_id=user.pk, name=str(user)) for user in users)
    first = linked(place, 9, actor=leyla)
    linked(place, 10, actor=leyla)

    with pytest.raises(TooManyLinks):
        linked(place, 11, actor=leyla)
    linked(place, 12, actor=other)
    confirm(first, contact=SOFIA)

    linked(place, 13, actor=leyla)
    assert User.objects.count() == 2


# --- what ends it ---------------------------------------------------------------------------------------------------


def test_a_link_that_runs_out_frees_the_time_and_tells_the_customer(place: Studio) -> None:
    booking = linked(place)
    over = NOW + TWO_HOURS

    expire_holds(now=over)
    send_due(now=over, limit=50)

    booking.refresh_from_db()
    assert (booking.status, booking.allocations.count()) == (BookingStatus.EXPIRED, 0)
    assert HoldLink.objects.get().ended_at == over
    assert kinds(booking) == [("hold_link", "email"), ("hold_link_ended", "email")]
    [sent] = mail.outbox
    assert sent.subject == "Not booked: Tue 5 Jan, 10:00"
    assert "The time was not confirmed and is free again." in str(sent.body)
    assert "/s/" in str(sent.body)
    assert "Cancelled" not in str(sent.body)


def test_a_link_never_goes_out_after_it_ended(place: Studio) -> None:
    booking = linked(place)

    send_due(now=NOW + TWO_HOURS, limit=50)

    assert mail.outbox == []
    [link] = Notification.objects.filter(subject_ref=f"booking:{booking.pk}")
    assert link.status == "cancelled"


def test_a_visitor_who_takes_the_ended_time_ends_the_link(place: Studio) -> None:
    booking = linked(place, staff_member_id=place.staff[0].pk)

    hold(place, now=NOW + TWO_HOURS)

    booking.refresh_from_db()
    assert booking.status == BookingStatus.EXPIRED
    assert HoldLink.objects.get().ended_at == NOW + TWO_HOURS


def test_a_customer_who_gives_the_time_back_gets_no_message_and_staff_see_it(place: Studio) -> None:
    booking = linked(place)

    release_hold(booking_id=booking.pk, actor=GUEST, now=NOW)

    assert kinds(booking) == [("hold_link", "email")]
    assert HoldLink.objects.get().ended_at == NOW


def test_the_end_is_not_told_to_a_customer_who_has_booked_the_time_again(place: Studio, texts: None) -> None:
    """Also to one whom only the phone number tells apart."""
    contact = replace(SOFIA, email="")
    booking = linked(place, contact=contact, channel=Channel.SMS)
    over = NOW + TWO_HOURS
    expire_holds(now=over)
    held = hold(place, actor=DESK, now=over).booking
    confirm(held, contact=contact, actor=DESK, now=over)

    send_due(now=over, limit=50)

    ended = Notification.objects.get(subject_ref=f"booking:{booking.pk}", kind="hold_link_ended")
    assert ended.status == "cancelled"


@pytest.mark.parametrize("tells", [True, False])
def test_staff_free_the_time_and_decide_whether_the_customer_is_told(place: Studio, tells: bool) -> None:
    booking = linked(place)

    freed = free_linked_time(booking_id=booking.pk, tells_customer=tells, actor=DESK, now=NOW)

    assert freed.status == BookingStatus.EXPIRED
    assert ("hold_link_ended", "email") in kinds(booking) or not tells
    assert len(kinds(booking)) == 1 + tells
    assert HoldLink.objects.get().ended_at is None
    with pytest.raises(HoldExpired):
        free_linked_time(booking_id=booking.pk, tells_customer=tells, actor=DESK, now=NOW)


def test_a_time_whose_customer_is_paying_cannot_be_freed(stripe: Any) -> None:
    booking = confirm(linked(paid_studio()), contact=SOFIA)

    with pytest.raises(HoldOver):
        free_linked_time(booking_id=booking.pk, tells_customer=True, actor=DESK, now=NOW)

    booking.refresh_from_db()
    assert (booking.status, booking.allocations.count()) == (BookingStatus.PENDING_PAYMENT, 1)


def test_who_has_to_pay_keeps_the_time_until_the_link_would_have_ended(stripe: Any) -> None:
    booking = confirm(linked(paid_studio()), contact=SOFIA)

    assert (booking.status, booking.hold_expires_at) == (BookingStatus.PENDING_PAYMENT, NOW + TWO_HOURS)


def test_a_booking_that_is_not_paid_in_time_is_told_to_both_sides_once(stripe: Any) -> None:
    booking = confirm(linked(paid_studio()), contact=SOFIA)

    expire_holds(now=NOW + TWO_HOURS)

    assert [kind for kind, _ in kinds(booking)] == ["hold_link", "payment_required", "hold_ended"]
    assert HoldLink.objects.get().ended_at == NOW + TWO_HOURS


def test_paying_forgets_the_link(stripe: Any) -> None:
    booking = confirm(linked(paid_studio()), contact=SOFIA)

    settle_payment(payment_id=arrived(booking, 1600).pk, now=NOW)

    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    assert not HoldLink.objects.exists()


def test_a_request_forgets_the_link(place: Studio) -> None:
    Service.objects.update(needs_answer=True)

    assert confirm(linked(place), contact=SOFIA).status == BookingStatus.REQUESTED
    assert not HoldLink.objects.exists()


def test_taking_the_time_back_at_the_desk_ends_the_link_without_a_word(place: Studio) -> None:
    booking = linked(place)

    held = hold_slot(
        variant_id=place.variant.pk,
        location_id=place.location.pk,
        start_minute=minute_of(booking.starts_at),
        staff_member_id=None,
        actor=DESK,
        language="en",
        visitor_hash="another form",
        replacing_token=hold_token(booking),
        now=NOW,
    )

    booking.refresh_from_db()
    assert (booking.status, held.booking.status) == (BookingStatus.EXPIRED, BookingStatus.HELD)
    assert kinds(booking) == [("hold_link", "email")]
    assert HoldLink.objects.get().ended_at is None


# --- again, and what is forgotten -------------------------------------------------------------------------------------


def test_the_link_is_sent_again_a_few_times_and_keeps_the_time_no_longer(place: Studio) -> None:
    booking = linked(place)
    later = NOW + timedelta(minutes=20)

    for _ in range(2):
        resend_hold_link(booking_id=booking.pk, actor=DESK, now=later)
    with pytest.raises(LinkSentOften):
        resend_hold_link(booking_id=booking.pk, actor=DESK, now=later)

    booking.refresh_from_db()
    assert kinds(booking) == [("hold_link", "email")] * 3
    assert booking.hold_expires_at == NOW + TWO_HOURS


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda booking: confirm(booking, contact=SOFIA), HoldOver),
        (lambda booking: release_hold(booking_id=booking.pk, actor=GUEST, now=NOW), HoldExpired),
    ],
    ids=["booked", "given back"],
)
def test_a_link_that_is_over_is_not_sent_again(
    place: Studio, change: Callable[[Booking], Any], refusal: type[Exception]
) -> None:
    booking = linked(place)
    change(booking)

    with pytest.raises(refusal):
        resend_hold_link(booking_id=booking.pk, actor=DESK, now=NOW)


def test_an_ended_link_is_settled_once_and_for_all(place: Studio) -> None:
    booking = linked(place)
    expire_holds(now=NOW + TWO_HOURS)

    for _ in range(2):
        settle_ended_link(booking_id=booking.pk)

    assert HoldLink.objects.get().ended_at is None


def test_links_that_are_over_are_forgotten_a_day_later(place: Studio) -> None:
    waiting, over = linked(place, 10), linked(place, 11)
    release_hold(booking_id=over.pk, actor=GUEST, now=NOW)

    retention.delete_hold_links(now=NOW + timedelta(hours=26))
    assert HoldLink.objects.count() == 2
    retention.delete_hold_links(now=NOW + timedelta(hours=27))

    assert HoldLink.objects.get().booking == waiting
