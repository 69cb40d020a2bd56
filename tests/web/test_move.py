"""Moving by link: the calendar, the step that says from when to when and for how much, and every refusal."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.links import LinkRole
from bookings.models import Booking, BookingEvent
from bookings.rules.terms import Terms
from services.enums import OverLimit
from tests import factories
from tests.factories import Studio
from tests.journeys import booked, claims
from tests.web.conftest import StoppedClock, agreed, link, slot

pytestmark = pytest.mark.django_db


def test_page_offers_times_around_the_own_one_and_marks_days(client: Client, studio: Studio) -> None:
    booking = booked(studio, staff_member_id=studio.staff[0].pk)
    booked(studio, 12, staff_member_id=studio.staff[0].pk)

    page = client.get(link(booking, "move") + "?day=2027-01-05").content.decode()

    assert f"?slot={slot(studio, 10, 45)}" in page
    assert f"?slot={slot(studio, 10)}" not in page
    assert f"?slot={slot(studio, 12)}" not in page
    assert "Now Tue 5 Jan, 10:00 · Deep tissue massage, 60 min" in page
    assert "Times are Berlin time." in page
    assert 'class="calendar"' in page


def test_a_chosen_day_shows_its_times(client: Client, studio: Studio) -> None:
    booking = booked(studio)

    page = client.get(link(booking, "move") + "?day=2027-01-07").content.decode()

    assert "Thursday 7 January" in page
    assert f"?slot={slot(studio, 9, days=3)}" in page


def test_on_a_sunday_evening_the_last_of_the_five_weeks_is_known_as_well(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    """The week that is over is not shown, so the calendar reaches a week further."""
    booking = booked(studio, now=stopped.at, start_minute=studio.minute(10, days=20))
    stopped.pass_minutes((6 * 24 + 15) * 60)

    page = client.get(link(booking, "move")).content.decode()

    assert page.count('class="date date-free') == 5 * 7


def test_step_says_from_when_to_when_and_what_it_costs(client: Client, studio: Studio) -> None:
    booking = booked(studio)

    page = client.get(link(booking, "move") + f"?slot={slot(studio, 15)}").content.decode()

    for words in ("<s>Tue 5 Jan, 10:00</s>", "Tue 5 Jan, 15:00", "This move costs", "Nothing", "Keep Tue 5 Jan, 10:00"):
        assert words in page, words
    assert page.count("button-main") == 1
    assert Booking.objects.get().starts_at == booking.starts_at


def test_post_moves_time_alone(client: Client, studio: Studio) -> None:
    booking = booked(studio, staff_member_id=studio.staff[0].pk)

    response = client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15)))

    moved = Booking.objects.get()
    assert (response.status_code, response["Location"]) == (303, link(booking))
    assert (moved.starts_at, moved.total_minor, moved.reference) == (studio.at(15), 8000, booking.reference)
    assert moved.lines.get().staff_member == studio.staff[0]
    page = client.get(link(booking)).content.decode()
    assert "You moved it from Tue 5 Jan, 10:00 to Tue 5 Jan, 15:00" in page


def test_the_page_says_that_it_was_moved_and_that_a_mail_follows(client: Client, studio: Studio) -> None:
    booking = booked(studio)

    moved = client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15)))
    page = client.get(moved["Location"]).content.decode()

    assert "Moved to Tue 5 Jan, 15:00. An e-mail is on its way." in page
    assert "An e-mail is on its way." not in client.get(moved["Location"]).content.decode()


def test_forms_of_others_cannot_move(stranger: Client, studio: Studio) -> None:
    booking = booked(studio)

    assert stranger.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15))).status_code == 403
    assert Booking.objects.get().starts_at == booking.starts_at


def test_pressing_twice_moves_once(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    sent = agreed(booking, slot=slot(studio, 15))

    answers = [client.post(link(booking, "move"), sent).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert BookingEvent.objects.filter(kind="moved").count() == 1


def test_old_link_and_old_page_act_on_the_booking_as_it_is_now(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    old_page = agreed(booking)
    client.post(link(booking, "move"), {**old_page, "slot": slot(studio, 15)})

    response = client.post(link(booking, "move"), {**old_page, "slot": slot(studio, 12)})

    assert response.status_code == 409
    assert "<s>Tue 5 Jan, 15:00</s>" in response.content.decode()
    assert 'name="expected_sequence" value="1"' in response.content.decode()
    assert Booking.objects.get().starts_at == studio.at(15)


def test_taken_time_keeps_the_old_one_and_names_the_nearest(client: Client, studio: Studio) -> None:
    marek = studio.staff[0].pk
    booking = booked(studio, staff_member_id=marek)
    booked(studio, 15, staff_member_id=marek)
    before = claims()

    answers = [
        client.get(link(booking, "move") + f"?slot={slot(studio, 15)}"),
        client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15))),
    ]

    for response in answers:
        page = response.content.decode()
        assert response.status_code == 409
        assert "Your appointment stays as it is." in page
        assert [each.time for each in response.context["alternatives"]] == ["13:45", "14:00", "16:00"]
    assert claims() == before


@pytest.mark.parametrize("hours", [(10, -1), (3, 1), (10, 90)])
def test_time_that_is_not_offered_is_refused(client: Client, studio: Studio, hours: tuple[int, int]) -> None:
    booking = booked(studio)
    hour, days = hours

    response = client.post(link(booking, "move"), agreed(booking, slot=slot(studio, hour, days=days)))

    assert response.status_code == 409
    assert Booking.objects.get().starts_at == booking.starts_at


@pytest.mark.parametrize("value", ["", "x", "1", "9.9", "9999999999.1", "1.99999999999999999", "1.-5", "\x00"])
def test_what_is_no_time_is_refused(client: Client, studio: Studio, value: str) -> None:
    booking = booked(studio)

    response = client.post(link(booking, "move"), agreed(booking, slot=value))

    assert response.status_code == 409
    assert Booking.objects.get().starts_at == booking.starts_at


def test_time_at_another_place_is_refused(client: Client, studio: Studio) -> None:
    other = factories.location()
    studio.variant.service.locations.add(other)
    booking = booked(studio)

    response = client.post(link(booking, "move"), agreed(booking, slot=f"{other.pk}.{studio.minute(15)}"))

    assert response.status_code == 409
    assert Booking.objects.get().location == studio.location


def test_move_beyond_the_free_ones_names_its_price_first(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    terms = Terms(free_move_count=0, over_limit=OverLimit.FEE, change_fee_minor=500)
    Booking.objects.update(terms=terms.to_json())

    page = client.get(link(booking, "move") + f"?slot={slot(studio, 15)}").content.decode()
    refused = client.post(link(booking, "move"), agreed(booking, 0, slot=slot(studio, 15)))
    moved = client.post(link(booking, "move"), agreed(booking, 500, slot=slot(studio, 15)))

    assert 'name="expected_fee" value="500"' in page
    assert "€5.00" in page
    assert (refused.status_code, moved.status_code) == (409, 303)
    ledger = client.get(link(booking)).context["ledger"]
    assert [line.sum for line in ledger] == ["€80.00", "€5.00", "€85.00"]


def test_past_the_limit_of_moves_it_says_so(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    Booking.objects.update(terms=Terms(free_move_count=0).to_json())

    response = client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15)))

    assert response.status_code == 422
    assert "It was moved as often as that is possible online." in response.content.decode()
    assert Booking.objects.get().starts_at == booking.starts_at


def test_too_late_to_move_says_until_when_it_was_possible(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    stopped.pass_minutes(600)

    response = client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15)))

    assert response.status_code == 422
    assert "It could be moved online until Mon 4 Jan, 10:00." in response.content.decode()


def test_booking_with_anyone_says_when_somebody_else_will_come(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    performer = booking.lines.get().staff_member_id
    booked(studio, 15, staff_member_id=performer)

    other = client.get(link(booking, "move") + f"?slot={slot(studio, 15)}").content.decode()
    same = client.get(link(booking, "move") + f"?slot={slot(studio, 12)}").content.decode()

    assert "Another staff member will see you at that time: <b>" in other
    assert "Another staff member will see you" not in same


def test_service_that_is_no_longer_shown_can_still_be_moved(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    studio.variant.service.visibility = "hidden"
    studio.variant.service.save()

    assert f"?slot={slot(studio, 15)}" in client.get(link(booking, "move")).content.decode()
    assert client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15))).status_code == 303


@pytest.mark.parametrize("role", [LinkRole.CUSTOMER, LinkRole.GUEST, LinkRole.STAFF])
def test_looking_ten_times_changes_nothing(client: Client, studio: Studio, role: LinkRole) -> None:
    booking = booked(studio)
    before = Booking.objects.values().get()

    for _ in range(10):
        for page in ("move", "cancel", f"move?slot={slot(studio, 15)}"):
            for method in (client.get, client.head):
                assert method(link(booking, page, role), headers={"purpose": "prefetch"}).status_code == 200

    assert Booking.objects.values().get() == before


@pytest.mark.parametrize("staff_count", [1, 5])
def test_queries_do_not_grow_with_staff_or_bookings(
    client: Client, studio: Studio, django_assert_num_queries: DjangoAssertNumQueries, staff_count: int
) -> None:
    for _ in range(staff_count):
        factories.staff_member(studio.variant, at=studio.location)
    booking, *_ = [booked(studio, 9 + number) for number in range(staff_count)]

    with django_assert_num_queries(11):
        client.get(link(booking, "move"))
