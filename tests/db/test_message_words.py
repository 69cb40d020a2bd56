"""Each message has texts: files that render for each channel, and variables that the business may name."""

from pathlib import Path

import pytest

from bookings.messages.catalogue import message_type
from bookings.messages.contexts import customer_context, staff_context
from bookings.messages.visits import notification_context
from bookings.models import Booking
from notifications.enums import RecipientRole
from notifications.requests import ContextRequest, MessageContext
from services.models import Business
from tests import factories
from tests.db.test_announcements import booked
from tests.factories import NOW, Studio

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "notifications"
CUSTOMER_KINDS = ("confirmed", "moved", "reassigned", "length", "cancelled", "reminder", "review_request", "follow_up")
STAFF_KINDS = ("confirmed", "moved", "reassigned", "length", "cancelled", "released")


@pytest.fixture
def studio() -> Studio:
    studio = factories.studio()
    place = studio.location
    place.address, place.arrival_hint = "Lindenstraße 14, 10969 Berlin", "Ring “Linden”."
    place.save()
    studio.business.phone, studio.business.review_url = "+49 30 1234567", "https://reviews.example/linden"
    studio.business.save()
    return studio


@pytest.fixture
def booking(studio: Studio) -> Booking:
    made = booked(
        studio,
        party_size=2,
        cancellation_fee_minor=4000,
        terms={"tiers": [[1440, "none", 0], [0, "percent", 5000]]},
    )
    made.lines.update(preparation="Eat lightly.")
    return made


def context(booking: Booking, studio: Studio, kind: str, role: str) -> MessageContext:
    details = {"previous_starts_at": studio.at(10).isoformat()}
    business = Business.objects.get()
    if role == "customer":
        return customer_context(booking, business, kind=kind, details=details, now=NOW)
    return staff_context(booking, business, studio.staff[0], kind=kind, details=details, now=NOW)


@pytest.mark.parametrize(
    ("kind", "role"), [(kind, "customer") for kind in CUSTOMER_KINDS] + [(kind, "staff") for kind in STAFF_KINDS]
)
def test_each_variable_of_a_message_says_something(booking: Booking, studio: Studio, kind: str, role: str) -> None:
    booking.events.create(
        kind="status",
        from_status="confirmed",
        to_status="cancelled",
        actor_kind="customer",
        channel="link",
        details={"kept_minor": 4000},
        at=NOW,
    )
    words = context(booking, studio, kind, role).words

    of = message_type(kind, role)
    assert of
    assert [variable.name for variable in of.variables if not words.get(variable.name)] == []
    assert all(isinstance(word, str) for word in words.values())


def test_the_therapist_has_no_words_about_the_customer_but_the_first_name(booking: Booking, studio: Studio) -> None:
    words = context(booking, studio, "confirmed", "staff").words

    assert words["customer"] == "Jana"
    assert not [word for word in words.values() if "Weber" in word or "jana@" in word]


def test_who_no_longer_has_the_booking_gets_no_link_in_words(booking: Booking, studio: Studio) -> None:
    assert not [word for word in context(booking, studio, "released", "staff").words.values() if "/b/" in word]


def test_the_facts_are_there_as_lines(booking: Booking, studio: Studio) -> None:
    assert context(booking, studio, "confirmed", "customer").words["appointment"].splitlines() == [
        "Tue 5 Jan 2027, 14:30, until 15:30 (Berlin time)",
        "Deep tissue massage, 60 min",
        f"with {studio.staff[0].name} for 2 people",
        "Kreuzberg, Lindenstraße 14, 10969 Berlin",
        "Reference K7M 4PX",
    ]


def test_what_changes_no_calendar_carries_no_entry(booking: Booking, studio: Studio) -> None:
    calendars = {kind: context(booking, studio, kind, "customer").calendar is not None for kind in CUSTOMER_KINDS}

    assert {kind for kind, has_one in calendars.items() if has_one} == {
        "confirmed",
        "moved",
        "reassigned",
        "length",
        "cancelled",
    }


def test_each_message_has_files_for_a_mail_and_what_concerns_times_for_a_text() -> None:
    """Without a text of its own a message says its subject and its link."""
    folders = [path for path in FOLDER.iterdir() if path.is_dir()]
    short = {f"{kind}_customer" for kind in CUSTOMER_KINDS} | {f"{kind}_staff" for kind in (*STAFF_KINDS, "agenda")}

    assert len(folders) >= 14
    for folder in folders:
        names = {path.name for path in folder.iterdir()}
        assert {"subject.txt", "body.txt", "body.html"} <= names, folder.name
        assert "sms.txt" in names or folder.name not in short, folder.name


def test_nobody_is_asked_for_a_review_that_has_no_place(booking: Booking, studio: Studio) -> None:
    request = ContextRequest(
        subject_ref=f"booking:{booking.pk}",
        kind="review_request",
        version=0,
        recipient_role=RecipientRole.CUSTOMER,
        recipient_ref="",
        details={"offset_minutes": 180},
        now=booking.ends_at,
    )
    assert notification_context(request) is not None
    Business.objects.update(review_url="")

    assert notification_context(request) is None
