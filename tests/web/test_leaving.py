"""A staff member leaves with visits ahead: the page shows these first; links, mails and calendar entries then end."""

from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bookings.links import LinkRole
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from bookings.rules.moving import UNDO_TIME
from core.outbox import drain
from core.references import spoken
from notifications.operations import send_due
from services.models import Location, Resource, Service
from staff.enums import Role
from staff.models import StaffMember
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, booked
from tests.signing_in import sign_in_staff
from tests.web.conftest import agreed, link, slot
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db
STAFF = LinkRole.STAFF


@pytest.fixture
def owner(studio: Studio) -> Client:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    return client


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return booked(studio, staff_member_id=studio.staff[0].pk)


def form_of(owner: Client, row: Any) -> tuple[str, dict[str, Any]]:
    name = f"{row._meta.app_label}_{row._meta.model_name}"
    url = reverse(f"admin:{name}_change", args=[row.pk])
    return url, typed(owner.get(url).content.decode(), f"{row._meta.model_name}_form")


def switch_off(owner: Client, row: Any, **more: str) -> str:
    url, values = form_of(owner, row)
    values.pop("is_active")
    return owner.post(url, values | more, follow=True).content.decode()


def invites_to(address: str, *, now: datetime = NOW) -> list[str]:
    mail.outbox.clear()
    send_due(now=now, limit=50)
    found = []
    for sent in mail.outbox:
        message: EmailMessage = sent.message()  # type: ignore[assignment]
        if sent.to != [address]:
            continue
        parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        found += [part.get_payload(decode=True).decode().replace("\r\n ", "") for part in parts[:1]]  # type: ignore[union-attr]
    return found


def test_a_leaver_s_link_opens_nothing_and_cancels_nothing(client: Client, studio: Studio, booking: Booking) -> None:
    assert client.get(link(booking, "", STAFF)).status_code == 200
    StaffMember.objects.filter(pk=studio.staff[0].pk).update(is_active=False)

    answers = [client.get(link(booking, page, STAFF)).status_code for page in ("", "move", "cancel")]
    posted = client.post(link(booking, "cancel", STAFF), agreed(booking, reason="Bye"))

    booking.refresh_from_db()
    assert answers == [404, 404, 404]
    assert (posted.status_code, booking.status) == (404, "confirmed")
    assert client.get(link(booking)).status_code == 200


def test_a_switched_off_sign_in_ends_the_links_of_its_person(client: Client, studio: Studio, booking: Booking) -> None:
    user = factories.desk_user(Role.THERAPIST, of=booking)
    assert client.get(link(booking, "", STAFF)).status_code == 200

    User.objects.filter(pk=user.pk).update(is_active=False)

    assert client.get(link(booking, "", STAFF)).status_code == 404


def test_a_switched_off_person_sees_no_bookings_at_the_desk(studio: Studio, booking: Booking) -> None:
    user = factories.desk_user(Role.THERAPIST, of=booking)
    client = Client()
    sign_in_staff(client, user)
    page = reverse("desk_booking", args=[booking.reference])
    assert client.get(page).status_code == 200

    StaffMember.objects.filter(pk=studio.staff[0].pk).update(is_active=False)

    assert client.get(page).status_code == 404


def test_switching_a_person_off_shows_the_visits_ahead_first(owner: Client, studio: Studio, booking: Booking) -> None:
    html = switch_off(owner, studio.staff[0])

    assert "Nothing is saved yet. These visits ahead need what you switch off (1 in all):" in html
    assert spoken(booking.reference) in html
    assert StaffMember.objects.get(pk=studio.staff[0].pk).is_active


def test_once_insisted_the_link_is_dead_and_the_calendar_is_told(
    client: Client, owner: Client, studio: Studio, booking: Booking
) -> None:
    leaver = studio.staff[0]
    old_link = link(booking, "", STAFF)
    [asked] = invites_to(leaver.email)

    switch_off(owner, leaver, _keep_bookings="on")
    drain(now=NOW)
    [taken_out] = invites_to(leaver.email)
    StaffMember.objects.filter(pk=leaver.pk).update(is_active=True)

    assert "METHOD:REQUEST" in asked
    assert "METHOD:CANCEL" in taken_out
    assert "SEQUENCE:1" in taken_out
    assert "http" not in taken_out
    assert "is no longer your booking" in str(mail.outbox[0].body)
    assert client.get(old_link).status_code == 404  # also when the person comes back


def test_a_leaver_hears_no_more_of_bookings(owner: Client, studio: Studio, booking: Booking) -> None:
    leaver = studio.staff[0]
    invites_to(leaver.email)
    switch_off(owner, leaver, _keep_bookings="on")
    drain(now=NOW)
    invites_to(leaver.email)

    reschedule_booking(
        booking_id=booking.pk, start_minute=studio.minute(14), staff_member_id=studio.staff[1].pk,
        expected_sequence=0, expected_fee_minor=0, actor=DESK, now=NOW,
    )  # fmt: skip

    assert invites_to(leaver.email, now=NOW + UNDO_TIME) == []


def test_switching_a_sign_in_off_shows_the_visits_of_its_person_first(
    owner: Client, studio: Studio, booking: Booking
) -> None:
    user = factories.desk_user(Role.THERAPIST, of=booking)

    html = switch_off(owner, user)

    assert "These visits ahead are with this person (1 in all):" in html
    assert spoken(booking.reference) in html
    user.refresh_from_db()
    assert user.is_active

    switch_off(owner, user, _keep_bookings="on")
    before = booking.staff_link_version
    drain(now=NOW)
    booking.refresh_from_db()
    user.refresh_from_db()
    assert (user.is_active, booking.staff_link_version) == (False, before + 1)


def test_switching_a_room_a_place_or_a_service_off_shows_the_visits_ahead(owner: Client, studio: Studio) -> None:
    kind = factories.resource_type()
    room = factories.room(studio.location, kind)
    factories.requirement(studio.variant.service, kind)
    booking = booked(studio)

    for row in (room, studio.location):
        html = switch_off(owner, row)
        assert spoken(booking.reference) in html, row
    url, values = form_of(owner, studio.variant.service)
    archived = owner.post(url, values | {"visibility": "archived"}, follow=True).content.decode()
    values.pop("variants-0-is_active")
    not_offered = owner.post(url, values, follow=True).content.decode()

    assert spoken(booking.reference) in archived
    assert spoken(booking.reference) in not_offered
    assert Resource.objects.get(pk=room.pk).is_active
    assert Location.objects.get().is_active
    assert Service.objects.get().visibility == "public"
    assert studio.variant.__class__.objects.get().is_active


def test_who_loses_a_booking_gets_no_link_and_the_time_it_had(studio: Studio, booking: Booking) -> None:
    first, second = studio.staff
    assert len(invites_to(first.email)) == 1

    reschedule_booking(
        booking_id=booking.pk, start_minute=studio.minute(14), staff_member_id=second.pk,
        expected_sequence=0, expected_fee_minor=0, actor=DESK, now=NOW,
    )  # fmt: skip
    [entry] = invites_to(first.email, now=NOW + UNDO_TIME)
    [sent] = [each for each in mail.outbox if each.to == [first.email]]

    assert "METHOD:CANCEL" in entry
    assert "http" not in entry
    assert "DTSTART:20270105T090000Z" in entry
    assert "10:00" in entry
    assert "14:00" not in entry
    assert "Before:" not in str(sent.body)
    assert "14:00" not in str(sent.body)


def test_a_cancelled_booking_leaves_no_link_in_the_staff_calendar(studio: Studio, booking: Booking) -> None:
    invites_to(studio.staff[0].email)
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=LINK,
        now=NOW,
        reason="",
    )

    [entry] = invites_to(studio.staff[0].email)

    assert "METHOD:CANCEL" in entry
    assert "http" not in entry


# --- moving a visit whose person or place is gone -----------------------------------------------------------------


def test_who_chose_somebody_who_left_may_move_to_anybody_else_by_name(
    client: Client, studio: Studio, booking: Booking
) -> None:
    other = studio.staff[1]
    StaffMember.objects.filter(pk=studio.staff[0].pk).update(is_active=False)

    times = client.get(link(booking, "move")).content.decode()
    asked = client.get(link(booking, f"move?slot={slot(studio, 14)}")).content.decode()
    form = agreed(booking, slot=slot(studio, 14), performer=str(other.pk))
    response = client.post(link(booking, "move"), form)

    assert "Marek no longer takes appointments here." in times
    assert f"?slot={slot(studio, 14)}" in times
    assert "Another staff member will see you at that time: <b>Ana Silva</b>." in asked
    assert "Marek Nowak" not in asked
    assert f'name="performer" value="{other.pk}"' in asked
    assert response.status_code == 303
    assert booking.lines.get().staff_member == other


def test_whoever_the_page_named_is_not_replaced_without_a_word(
    client: Client, studio: Studio, booking: Booking
) -> None:
    third = factories.staff_member(studio.variant, at=studio.location)
    StaffMember.objects.filter(pk=studio.staff[0].pk).update(is_active=False)
    booked(studio, start_minute=studio.minute(14), staff_member_id=third.pk)

    form = agreed(booking, slot=slot(studio, 14), performer=str(third.pk))
    response = client.post(link(booking, "move"), form)

    assert response.status_code == 409
    assert booking.lines.get().staff_member == studio.staff[0]


def test_a_customer_cannot_name_another_person_while_theirs_is_here(
    client: Client, studio: Studio, booking: Booking
) -> None:
    form = agreed(booking, slot=slot(studio, 14), performer=str(studio.staff[1].pk))

    client.post(link(booking, "move"), form)

    assert booking.lines.get().staff_member == studio.staff[0]


def test_moving_at_a_closed_place_says_whom_to_ask(client: Client, studio: Studio, booking: Booking) -> None:
    Location.objects.update(is_active=False)

    html = client.get(link(booking, "move")).content.decode()

    assert "This place takes no appointments any more" in html
    assert "Look at later weeks" not in html
