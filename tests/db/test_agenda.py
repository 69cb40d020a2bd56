"""The mail in the morning: the day of one therapist in order, with the gaps, and nothing when there is nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import QuietHours
from bookings.enums import BookingStatus
from bookings.messages.agenda import Visit, agenda_context, visits_of, with_gaps
from bookings.models import Booking
from bookings.operations.agendas import enqueue_agendas
from notifications.enums import RecipientRole
from notifications.operations import send_due
from notifications.requests import ContextRequest
from notifications.wording.rendering import rendered
from services.models import Business
from staff.models import StaffMember
from tests import factories
from tests.db.test_announcements import booked
from tests.factories import NOW, Studio

pytestmark = pytest.mark.django_db

TUESDAY = date(2027, 1, 5)


@pytest.fixture
def studio() -> Studio:
    return factories.studio(staff=2)


def visit_at(studio: Studio, hour: int, reference: str, *, name: str = "Jana Weber", **values: object) -> Booking:
    starts_at = studio.at(hour)
    ends_at = starts_at + timedelta(minutes=60)
    return booked(studio, reference=reference, starts_at=starts_at, ends_at=ends_at, contact_name=name, **values)


def asked(person: StaffMember, now: datetime = NOW) -> ContextRequest:
    return ContextRequest(
        subject_ref=f"staff:{person.pk}",
        kind="agenda",
        version=0,
        recipient_role=RecipientRole.STAFF,
        recipient_ref=f"staff:{person.pk}",
        details={"on": TUESDAY.isoformat()},
        now=now,
    )


def test_visits_come_in_order_with_the_gaps_between_them(studio: Studio) -> None:
    visit_at(studio, 14, "K7M4PA", name="Tom Berg", customer_note="Left knee")
    visit_at(studio, 9, "K7M4PB")
    visit_at(studio, 10, "K7M4PC", name="Ida Holm", party_size=2)

    visits = visits_of(studio.staff[0], TUESDAY, Business.objects.get())

    assert [(visit.customer, f"{visit.starts_at:%H:%M}", visit.gap, visit.has_note) for visit in visits] == [
        ("Jana", "09:00", "", False),
        ("Ida", "10:00", "", False),
        ("Tom", "14:00", "3 h", True),
    ]
    assert visits[1].party == "for 2 people"


def test_only_what_is_expected_of_this_person_on_this_day_is_told(studio: Studio) -> None:
    visit_at(studio, 9, "K7M4PA", status=BookingStatus.CANCELLED)
    visit_at(studio, 10, "K7M4PB").lines.update(staff_member=studio.staff[1])
    other_day = visit_at(studio, 11, "K7M4PC")
    other_day.lines.update(starts_at=studio.at(11, days=2), ends_at=studio.at(12, days=2))

    assert visits_of(studio.staff[0], TUESDAY, Business.objects.get()) == []
    assert agenda_context(asked(studio.staff[0])) is None


def test_the_day_is_that_of_the_place(studio: Studio) -> None:
    studio.location.time_zone = "Pacific/Auckland"
    studio.location.save()
    booking = visit_at(studio, 9, "K7M4PA")  # 9:00 on Tuesday there is still Monday in UTC

    assert booking.starts_at.astimezone(UTC).date() == TUESDAY - timedelta(days=1)
    assert len(visits_of(studio.staff[0], TUESDAY, Business.objects.get())) == 1
    assert visits_of(studio.staff[0], TUESDAY - timedelta(days=1), Business.objects.get()) == []


def test_the_mail_names_first_names_and_no_more(studio: Studio) -> None:
    visit_at(studio, 9, "K7M4PA", contact_phone="+4915112345678", customer_note="Secret knee")
    context = agenda_context(asked(studio.staff[0]))
    assert context is not None

    words = rendered(context)

    assert words.subject == "Your day: Tue 5 Jan 2027, 1 visit"
    assert "09:00–10:00 Jana" in words.text
    assert "The customer left a note." in words.text
    for secret in ("Weber", "Secret", "+49", "jana@"):
        assert secret not in words.text + words.html
    assert context.words["visits"] == "09:00–10:00 · Jana · Deep tissue massage, 60 min · Kreuzberg"


def test_a_day_that_is_over_or_a_person_who_left_gets_no_mail(studio: Studio) -> None:
    visit_at(studio, 9, "K7M4PA")
    person = studio.staff[0]

    assert agenda_context(asked(person, studio.at(10))) is None
    person.is_active = False
    person.save()
    assert agenda_context(asked(person)) is None


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow(
    studio: Studio, count: int, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(count):
        visit_at(studio, 9 + number, f"K7M4P{number + 2}")

    with django_assert_num_queries(3):  # type: ignore[operator]
        assert agenda_context(asked(studio.staff[0])) is not None


def test_the_mail_waits_for_the_end_of_quiet_hours(studio: Studio) -> None:
    visit_at(studio, 14, "K7M4PA")
    person = f"staff:{studio.staff[0].pk}"
    QuietHours.objects.create(person_ref=person, start_minute=1320, end_minute=540, time_zone="Europe/Berlin")
    enqueue_agendas(now=studio.at(7))
    mail.outbox.clear()

    send_due(now=studio.at(8), limit=5)
    assert mail.outbox == []
    send_due(now=studio.at(9, 1), limit=5)
    assert len(mail.outbox) == 1


def test_gaps_are_measured_from_whatever_ends_last() -> None:
    starts = datetime(2026, 12, 1, 8, tzinfo=timezone.get_fixed_timezone(60))
    long = Visit(starts, starts + timedelta(hours=3), "Jana", "", "", "", has_note=False, manage_url="")
    inside = replace(long, starts_at=starts + timedelta(hours=1), ends_at=starts + timedelta(hours=2))
    after = replace(long, starts_at=starts + timedelta(hours=3, minutes=14), ends_at=starts + timedelta(hours=5))
    last = replace(long, starts_at=starts + timedelta(hours=5, minutes=15), ends_at=starts + timedelta(hours=6))

    gaps = list(with_gaps([long, inside, after, last]))

    assert [(visit.gap_minutes, visit.gap) for visit in gaps] == [(0, ""), (0, ""), (14, ""), (15, "15 min")]
