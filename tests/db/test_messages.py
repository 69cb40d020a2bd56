"""What the mails about a booking say, and when they are no longer wanted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import icalendar
import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from bookings.enums import BookingStatus
from bookings.links import LinkRole, manage_url
from bookings.messages import money, visits
from bookings.models import Booking, HelpMessage
from notifications.models import Notification
from notifications.operations import send_due
from tests import factories
from tests.db.test_announcements import booked
from tests.factories import NOW, Studio

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Studio:
    studio = factories.studio(staff=2)
    place = studio.location
    place.address, place.arrival_hint = "Lindenstraße 14, 10969 Berlin", "Ring “Linden”, first floor."
    place.save()
    studio.business.email, studio.business.phone = "hello@linden.example", "+49 30 1234567"
    studio.business.save()
    return studio


def sent(now: datetime = NOW) -> list[EmailMultiAlternatives]:
    """Send what is due and return it, oldest first."""
    mail.outbox.clear()
    send_due(now=now, limit=20)
    return mail.outbox  # type: ignore[return-value]


def to_customer(now: datetime = NOW) -> EmailMultiAlternatives:
    [message] = [message for message in sent(now) if message.to == ["jana@example.com"]]
    return message


def html(message: EmailMultiAlternatives) -> str:
    return str(next(part.content for part in message.alternatives if part.mimetype == "text/html"))


def invite(message: EmailMultiAlternatives) -> icalendar.Event:
    """The entry inside the mail, after checking that the attached file is the same."""
    part = next(part for part in message.alternatives if part.mimetype.startswith("text/calendar"))
    [attached] = message.attachments
    assert attached[2] == "application/ics"
    assert attached[1] == str(part.content).encode()
    calendar = icalendar.Calendar.from_ical(str(part.content))
    assert part.mimetype == f"text/calendar; method={calendar['method']}"
    return calendar.walk("VEVENT")[0]  # type: ignore[return-value]


def change(booking: Booking, **values: Any) -> None:
    Booking.objects.filter(pk=booking.pk).update(**values)
    booking.refresh_from_db()


def cancel(booking: Booking, **values: Any) -> None:
    change(booking, **{"status": BookingStatus.CANCELLED, "ical_sequence": booking.ical_sequence + 1, **values})
    visits.announce_cancelled(booking, now=NOW)


def test_the_confirmation_says_all_that_was_agreed(studio: Studio) -> None:
    booking = booked(studio, total_minor=8800, tax_minor=1405)
    booking.lines.update(
        add_ons=[{"id": 1, "name": "hot towel wrap", "price_minor": 800, "extra_minutes": 10}],
        phases=[["work", 70]],
        preparation="Eat lightly.",
    )
    visits.announce_confirmed(booking, now=NOW)

    message = to_customer()

    assert message.subject == "You are booked: Tue 5 Jan, 14:30"
    assert message.from_email.startswith("Linden Studio <")
    assert message.reply_to == ["hello@linden.example"]
    for words in (
        "Jana",
        "Tue 5 Jan",
        "14:30",
        "until 15:30",
        "Berlin time",
        "Deep tissue massage, 60 min",
        "with hot towel wrap",
        studio.staff[0].name,
        "Kreuzberg",
        "Lindenstraße 14, 10969 Berlin",
        "Ring “Linden”, first floor.",
        "K7M 4PX",
        "€88.00",
        "€14.05",
        "Eat lightly.",
        "+49 30 1234567",
        manage_url(booking, LinkRole.CUSTOMER),
    ):
        assert words in message.body
        assert words in html(message)


def test_the_policy_is_told_with_its_exact_minute(studio: Studio) -> None:
    booking = booked(studio, terms={"tiers": [[1440, "none", 0], [0, "percent", 5000]]})
    visits.announce_confirmed(booking, now=NOW)

    message = to_customer()

    assert "Free to cancel until Mon 4 Jan, 14:30" in message.body
    assert "<strong>Mon 4 Jan, 14:30</strong>" in html(message)


def test_times_are_those_of_the_location(studio: Studio) -> None:
    studio.location.time_zone = "America/New_York"
    studio.location.save()
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)

    body = to_customer().body

    assert f"{studio.at(14, 30):%H:%M}" == "14:30"
    assert "14:30, until 15:30 (New York time)" in body


@pytest.mark.parametrize(("hour", "words"), [(0, "02:30 CEST"), (1, "02:30 CET")])
def test_in_the_repeated_hour_the_clock_is_named(studio: Studio, hour: int, words: str) -> None:
    starts_at = datetime(2027, 10, 31, hour, 30, tzinfo=UTC)
    booking = booked(studio)
    change(booking, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=60))
    booking.lines.update(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=60))
    visits.announce_confirmed(booking, now=NOW)

    body = to_customer().body

    assert "02:30" in body
    assert words in body


def test_the_therapist_learns_first_name_service_and_time_and_no_more(studio: Studio) -> None:
    booking = booked(studio, contact_phone="+4915112345678", customer_note="I have a bad knee.")
    visits.announce_confirmed(booking, now=NOW)

    [message] = [message for message in sent() if message.to == [studio.staff[0].email]]

    everything = message.message().as_string() + message.body + html(message) + str(invite(message))
    assert "Jana" in everything
    assert "Deep tissue massage, 60 min" in message.body
    assert "14:30" in message.body
    for page in ("", "move", "cancel"):
        assert manage_url(booking, LinkRole.STAFF, page=page) in message.body
        assert manage_url(booking, LinkRole.STAFF, page=page) in html(message)
    for secret in ("Weber", "jana@example.com", "15112345678", "knee", manage_url(booking, LinkRole.CUSTOMER)):
        assert secret not in everything


@pytest.mark.parametrize(
    ("delivery", "words", "not_theirs"),
    [
        ("online", "You have no meeting link yet: send the customer one.", "We send you the link."),
        ("phone", "You call the customer.", "We call you at the agreed time."),
        ("customer", "At the customer's address", "At your address"),
    ],
)
def test_the_therapist_reads_where_it_is_from_their_side(
    studio: Studio, delivery: str, words: str, not_theirs: str
) -> None:
    visits.announce_confirmed(booked(studio, delivery=delivery), now=NOW)

    mails = {message.to[0]: message for message in sent()}
    theirs, customers = mails.pop(studio.staff[0].email), mails["jana@example.com"]

    for text in (theirs.body, unescape(html(theirs)), str(invite(theirs)["location"])):
        assert words in text
        assert not_theirs not in text
    assert words not in customers.body
    assert not_theirs in customers.body


def test_no_link_is_promised_for_a_cancelled_online_visit(studio: Studio) -> None:
    booking = booked(studio, delivery="online")
    cancel(booking)

    mails = {message.to[0]: message for message in sent()}

    assert mails.keys() == {"jana@example.com", studio.staff[0].email}
    for message in mails.values():
        everything = message.body + unescape(html(message)) + str(invite(message))
        assert "Online" in everything
        assert "link yet" not in everything
        assert "We send you the link" not in everything


def test_each_change_updates_the_same_entry_and_the_cancellation_takes_it_back(studio: Studio) -> None:
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    first = {message.to[0]: invite(message) for message in sent()}
    later = booking.starts_at + timedelta(hours=1)
    change(booking, starts_at=later, ends_at=later + timedelta(minutes=60), ical_sequence=1)
    booking.lines.update(starts_at=later, ends_at=later + timedelta(minutes=60))
    visits.announce_moved(booking, previous_starts_at=later - timedelta(hours=1), now=NOW)
    second = {message.to[0]: invite(message) for message in sent()}
    cancel(booking)
    third = {message.to[0]: invite(message) for message in sent()}

    assert first.keys() == second.keys() == third.keys() == {"jana@example.com", studio.staff[0].email}
    for address, entry in first.items():
        assert entry["uid"] == second[address]["uid"] == third[address]["uid"]
        assert [each[address]["sequence"] for each in (first, second, third)] == [0, 1, 2]
        assert [each[address]["status"] for each in (first, second, third)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
        assert str(entry["attendee"]) == f"mailto:{address}"
        assert second[address]["dtstart"].dt == later
    assert len({entry["uid"] for entry in first.values()}) == 2
    assert manage_url(booking, LinkRole.CUSTOMER) in first["jana@example.com"]["description"]


def test_a_move_names_the_time_before(studio: Studio) -> None:
    booking = booked(studio, ical_sequence=1)
    visits.announce_moved(booking, previous_starts_at=studio.at(10, 15), now=NOW)

    message = to_customer()

    assert message.subject == "Moved to Tue 5 Jan, 14:30"
    assert "Before: Tue 5 Jan, 10:15\nNow: Tue 5 Jan, 14:30, until 15:30 (Berlin time)" in message.body
    assert "<s>Tue 5 Jan, 10:15</s>" in html(message)


def test_a_therapist_who_lost_a_moved_booking_forgets_the_old_time(studio: Studio) -> None:
    booking = booked(studio, ical_sequence=1)
    booking.lines.update(staff_member=studio.staff[1])
    visits.announce_moved(
        booking, previous_starts_at=studio.at(10, 15), previous_staff_ids=[studio.staff[0].pk], now=NOW
    )

    [message] = [message for message in sent() if message.to == [studio.staff[0].email]]

    assert message.subject == "No longer yours: Tue 5 Jan, 10:15, Jana"
    assert invite(message)["status"] == "CANCELLED"
    assert invite(message)["dtstart"].dt == studio.at(10, 15)
    assert manage_url(booking, LinkRole.STAFF) not in message.message().as_string()


@pytest.mark.parametrize(
    ("fee_minor", "by", "words"),
    [
        (4000, "customer", ["You cancelled it.", "A fee of €40.00 is due"]),
        (0, "customer", ["You cancelled it.", "Nothing is due."]),
        (None, "staff", ["We had to cancel it. We are sorry.", "Nothing is due."]),
    ],
)
def test_a_cancellation_says_who_and_what_it_costs(
    studio: Studio, fee_minor: int | None, by: str, words: list[str]
) -> None:
    booking = booked(studio)
    cancel(booking, cancelled_by=by, cancellation_fee_minor=fee_minor)

    message = to_customer()

    assert all(part in message.body for part in words)
    assert f"/s/{studio.variant.service.slug}/" in message.body


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7|add:7 }}{% load x %}",
    "%s {0.__class__}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_people_type_is_shown_and_never_evaluated(studio: Studio, name: str) -> None:
    shown = name.replace(" ", "_")  # only the first word is used to greet
    booking = booked(studio, contact_name=shown)
    visits.announce_confirmed(booking, now=NOW)

    message = to_customer()

    assert f"You are booked, {shown}." in message.body
    assert "<script>alert" not in html(message)
    assert "<img" not in html(message)
    assert "14" not in html(message).split("</h1>")[0].split("<h1")[1].split(">", 1)[1]


def test_a_line_break_in_a_name_adds_no_header(studio: Studio) -> None:
    booking = booked(studio, contact_name="Jana\r\nBcc:evil@example.com")
    visits.announce_confirmed(booking, now=NOW)

    for message in sent():
        assert "Bcc" not in message.message()
        assert "\n" not in message.subject


def test_a_business_name_with_a_line_break_adds_no_header(studio: Studio) -> None:
    type(studio.business).objects.update(name="Linden\r\nBcc: evil@example.com")
    visits.announce_confirmed(booked(studio), now=NOW)

    assert [("Bcc" in message.message(), len(message.recipients())) for message in sent()] == [(False, 1)] * 2


def outdated(booking: Booking, studio: Studio) -> dict[str, Callable[[], object]]:
    """Ways in which the world goes on between the change and the mail about it."""
    return {
        "cancelled": lambda: change(booking, status=BookingStatus.CANCELLED),
        "declined": lambda: change(booking, status=BookingStatus.DECLINED),
        "over": lambda: change(booking, starts_at=NOW - timedelta(hours=2), ends_at=NOW - timedelta(hours=1)),
    }


@pytest.mark.parametrize("what", ["cancelled", "declined", "over"])
@pytest.mark.parametrize("kind", ["confirmed", "moved", "reassigned"])
def test_a_message_that_is_no_longer_true_is_dropped(studio: Studio, kind: str, what: str) -> None:
    booking = booked(studio)
    {
        "confirmed": lambda: visits.announce_confirmed(booking, now=NOW),
        "moved": lambda: visits.announce_moved(booking, previous_starts_at=NOW, now=NOW),
        "reassigned": lambda: visits.announce_reassigned(booking, previous_staff_ids=[], now=NOW),
    }[kind]()

    outdated(booking, studio)[what]()

    assert sent() == []
    assert set(Notification.objects.exclude(kind="reminder").values_list("status", flat=True)) == {"cancelled"}


def test_a_cancellation_is_told_although_nothing_was_told_before(studio: Studio) -> None:
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    cancel(booking)

    assert [message.subject[:10] for message in sent()] == ["Cancelled:", "Cancelled:"]


def test_only_the_newest_of_several_changes_is_told(studio: Studio) -> None:
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    for sequence in (1, 2):
        change(booking, ical_sequence=sequence)
        visits.announce_moved(booking, previous_starts_at=studio.at(9 + sequence), now=NOW)

    assert [(message.to[0], message.subject[:5]) for message in sent()] == [
        ("jana@example.com", "Moved"),
        (studio.staff[0].email, "Moved"),
    ]
    assert list(Notification.objects.filter(status="sent").values_list("version", flat=True)) == [2, 2]


def test_a_change_that_tells_somebody_else_does_not_silence_this_one(studio: Studio) -> None:
    booking = booked(studio)
    keeper, old = studio.staff
    line = booking.lines.get()
    line.pk, line.position, line.staff_member = None, 1, old
    line.save()
    visits.announce_confirmed(booking, now=NOW)
    new = factories.staff_member(studio.variant, name="Ana Kos")
    change(booking, ical_sequence=1)
    booking.lines.filter(position=1).update(staff_member=new)
    visits.announce_reassigned(booking, previous_staff_ids=[keeper.pk, old.pk], now=NOW)

    told = {message.to[0]: message.subject.split(":")[0] for message in sent()}

    assert told == {
        "jana@example.com": "A change to your appointment on Tue 5 Jan, 14",
        keeper.email: "New booking",
        new.email: "Now with you",
        old.email: "No longer yours",
    }


def test_a_therapist_who_got_the_booking_back_is_not_told_to_forget_it(studio: Studio) -> None:
    booking = booked(studio, ical_sequence=1)
    old, new = studio.staff
    booking.lines.update(staff_member=new)
    visits.announce_reassigned(booking, previous_staff_ids=[old.pk], now=NOW)
    change(booking, ical_sequence=2)
    booking.lines.update(staff_member=old)
    visits.announce_reassigned(booking, previous_staff_ids=[new.pk], now=NOW)

    told = {message.to[0]: message.subject.split(":")[0] for message in sent()}

    assert told[old.email] == "Now with you"
    assert told[new.email] == "No longer yours"


def test_a_therapist_who_lost_a_booking_is_told_so_although_it_was_cancelled_right_after(studio: Studio) -> None:
    booking = booked(studio, ical_sequence=1)
    old, new = studio.staff
    booking.lines.update(staff_member=new)
    visits.announce_reassigned(booking, previous_staff_ids=[old.pk], now=NOW)
    cancel(booking)

    told = {message.to[0]: message.subject.split(":")[0] for message in sent()}

    assert told == {
        old.email: "No longer yours",
        new.email: "Cancelled",
        "jana@example.com": "Cancelled",
    }


def test_a_cancellation_does_not_take_back_the_answer_to_a_question(studio: Studio) -> None:
    booking = booked(studio)
    answer = HelpMessage.objects.create(
        booking=booking, is_from_customer=False, text="Yes, that card works.", created_at=NOW
    )
    money.announce_help_answer(booking, help_message_id=answer.pk, now=NOW)
    cancel(booking)

    assert "Yes, that card works." in "".join(message.body for message in sent())


def test_the_kept_words_have_no_link_that_works(studio: Studio) -> None:
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    sent()

    for row in Notification.objects.filter(kind="confirmed"):
        assert "/b/…/" in row.body
        assert "K7M4PXc" not in row.body
        assert "K7M4PXs" not in row.body


def test_a_business_without_an_address_of_its_own_writes_from_the_sites(studio: Studio, settings: Settings) -> None:
    studio.business.email = ""
    studio.business.save()
    settings.DEFAULT_FROM_EMAIL = "Openhours <bookings@openhours.example>"
    visits.announce_confirmed(booked(studio), now=NOW)

    message = to_customer()

    assert message.reply_to == []
    assert str(invite(message)["organizer"]) == "mailto:bookings@openhours.example"


def test_making_a_mail_takes_the_same_few_statements_for_one_line_and_for_three(
    studio: Studio, django_assert_max_num_queries: Any
) -> None:
    booking = booked(studio)
    line = booking.lines.get()
    for position in (1, 2):
        line.pk, line.position = None, position
        line.save()
    visits.announce_confirmed(booking, now=NOW)

    # Two mails: claim (4), booking, lines, business, person, still ours, mark; and one look that finds nothing more.
    with django_assert_max_num_queries(23):
        assert len(sent()) == 2
