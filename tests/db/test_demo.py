"""The demo: plausible and reproducible data that meets every invariant; it never changes a database with other data."""

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils.translation import override

from accounts.models import User
from bookings.enums import BookingStatus
from bookings.models import Booking, BookingLine
from bookings.queries.dependents import stranded_bookings
from bookings.queries.walk_ins import expected_in, queue_at
from core.doctor import examine
from demo.management.commands import demo
from notifications.models import Notification
from services.models import Business, Category, Location, Resource, Service
from staff.models import Access, StaffMember
from tests.factories import NOW, business

pytestmark = pytest.mark.django_db


def filled() -> None:
    demo.fill(now=NOW, password="a long password")


def said(*arguments: Any) -> str:
    output = StringIO()
    call_command("demo", *arguments, stdout=output)
    return output.getvalue()


def test_the_studio_has_what_the_demo_shows() -> None:
    filled()

    assert (Category.objects.count(), Service.objects.count(), StaffMember.objects.count()) == (4, 12, 8)
    assert len(set(Location.objects.values_list("time_zone", flat=True))) == 2
    assert Service.objects.filter(visibility="hidden").count() == 1
    assert Service.objects.filter(needs_staff=False).count() == 1
    assert max(len(name) for name in StaffMember.objects.values_list("name", flat=True)) == 40
    assert sorted(Access.objects.values_list("role", flat=True)) == ["front_desk", "manager", "owner", "therapist"]
    assert list(User.objects.filter(is_staff=True).values_list("email", flat=True)) == ["olivia@linden.example"]
    with override("de"):
        massage, facial = Service.objects.get(slug="deep-tissue-massage"), Service.objects.get(slug="sound-bath")
        assert (massage.text("name"), facial.text("name")) == ("Tiefengewebsmassage", "Sound bath")


def test_every_booking_keeps_every_rule() -> None:
    filled()

    assert [finding for finding in examine(now=NOW) if finding.violations] == []
    assert stranded_bookings(list(Resource.objects.values_list("pk", flat=True)), now=NOW) == []


def test_two_people_wait_without_a_booking() -> None:
    filled()
    berlin = Location.objects.get(slug="kreuzberg")

    waiting = queue_at(berlin, NOW)

    assert [each.name for each in waiting] == ["Dana Novak", "Emil Brandauer"]
    assert expected_in(berlin, waiting, NOW)[0]


def test_the_weeks_are_full_enough_and_mixed() -> None:
    filled()
    statuses = Counter(Booking.objects.values_list("status", flat=True))

    assert 800 < Booking.objects.count() < 1500
    assert min(statuses[status] for status in (BookingStatus.CANCELLED, BookingStatus.NO_SHOW)) > 5
    assert not Booking.objects.filter(status=BookingStatus.CONFIRMED, ends_at__lte=NOW).exists()
    assert not Booking.objects.filter(status=BookingStatus.COMPLETED, ends_at__gt=NOW).exists()
    assert BookingLine.objects.filter(service_name="Scar and joint therapy", starts_at__gt=NOW).count() >= 15
    assert Notification.objects.count() == 0


def test_the_same_moment_gives_the_same_studio() -> None:
    seen = []

    for _ in range(2):
        with transaction.atomic():
            filled()
            rows = Booking.objects.order_by("reference").values_list("reference", "starts_at", "status", "contact_name")
            seen.append(list(rows))
            transaction.set_rollback(True)

    assert seen[0] == seen[1]


def test_a_second_run_tells_the_sign_ins_and_changes_nothing() -> None:
    first = said()
    count = Booking.objects.count()

    assert said() == first
    assert "Owner       olivia@linden.example" in first
    assert demo.PASSWORD in first
    assert Booking.objects.count() == count


def test_a_real_business_is_left_alone() -> None:
    business()

    assert said() == ""
    with pytest.raises(CommandError):
        said("--reset")
    assert (Business.objects.count(), User.objects.count()) == (1, 0)


def test_a_database_with_people_is_left_alone() -> None:
    User.objects.create_superuser("real@example.com", "a long password")

    with pytest.raises(CommandError):
        said()

    assert Business.objects.count() == 0


def test_the_known_password_is_for_this_machine_only(settings: Any) -> None:
    settings.SITE_URL = "https://book.example.com"

    told = said()

    assert demo.PASSWORD not in told
    assert not User.objects.get(email="olivia@linden.example").check_password(demo.PASSWORD)
    with pytest.raises(CommandError):
        said("--reset")
