"""The entries in our mails, taken by a real calendar server: asked, moved, called off, given to somebody else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from bookings.enums import BookingStatus
from bookings.messages import visits
from bookings.models import Booking
from notifications.operations import send_due
from tests import factories
from tests.calendar_server import Calendar, calendar_server, new_calendar
from tests.db.test_announcements import booked
from tests.factories import NOW, Studio

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with calendar_server(tmp_path_factory.mktemp("radicale")) as url:
        yield url


@pytest.fixture
def studio() -> Studio:
    return factories.studio(staff=2)


@pytest.fixture
def jana(server: str) -> Calendar:
    return new_calendar(server, f"jana{next(_numbers)}")


def invites() -> dict[str, bytes]:
    """Send what is due; the invite by the address of the mail, after checking that the mail's two copies are equal."""
    mail.outbox.clear()
    send_due(now=NOW, limit=20)
    found = {}
    for sent in mail.outbox:
        parts = [
            part for part in _message(sent).walk() if part.get_filename() or part.get_content_type() == "text/calendar"
        ]
        contents = {bytes(part.get_payload(decode=True)) for part in parts}  # type: ignore[arg-type]
        assert len(parts) == 2
        [content] = contents
        found[sent.to[0]] = content
    return found


def _message(sent: mail.EmailMessage) -> EmailMessage:
    return sent.message()  # type: ignore[return-value]


def change(booking: Booking, **values: object) -> None:
    values = {"ical_sequence": booking.ical_sequence + 1, **values}
    Booking.objects.filter(pk=booking.pk).update(**values)
    booking.refresh_from_db()


def move(booking: Booking, starts_at: datetime) -> None:
    before = booking.starts_at
    change(booking, starts_at=starts_at, ends_at=starts_at + HOUR)
    booking.lines.update(starts_at=starts_at, ends_at=starts_at + HOUR)
    visits.announce_moved(booking, previous_starts_at=before, now=NOW)


def at(booking: Booking) -> tuple[datetime, datetime]:
    return booking.starts_at, booking.ends_at


def test_one_entry_is_asked_moved_and_called_off(studio: Studio, jana: Calendar) -> None:
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    asked = invites()["jana@example.com"]
    old = at(booking)

    jana.take(asked)
    [entry] = jana.between(*old)
    assert entry["SUMMARY"] == f"Deep tissue massage, 60 min · {studio.business.name}"
    assert entry.start.astimezone(UTC) == booking.starts_at.astimezone(UTC)
    move(booking, studio.at(17))
    jana.take(invites()["jana@example.com"])
    jana.take(asked)  # an older mail that comes late changes nothing

    assert jana.between(*old) == []
    [moved] = jana.between(*at(booking))
    assert moved["UID"] == entry["UID"]
    change(booking, status=BookingStatus.CANCELLED)
    visits.announce_cancelled(booking, now=NOW)
    jana.take(invites()["jana@example.com"])
    assert jana.between(*at(booking)) == []


def test_who_loses_a_booking_loses_the_entry_and_the_other_gets_it(studio: Studio, server: str) -> None:
    old, new = studio.staff
    calendars = {person.email: new_calendar(server, f"staff{next(_numbers)}") for person in studio.staff}
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    calendars[old.email].take(invites()[old.email])
    assert len(calendars[old.email].between(*at(booking))) == 1

    change(booking)
    booking.lines.update(staff_member=new)
    visits.announce_reassigned(booking, previous_staff_ids=[old.pk], now=NOW)
    sent = invites()
    for email, calendar in calendars.items():
        calendar.take(sent[email])

    assert b"METHOD:CANCEL" in sent[old.email]
    assert calendars[old.email].between(*at(booking)) == []
    assert len(calendars[new.email].between(*at(booking))) == 1


def test_no_recipient_sees_the_address_of_another(studio: Studio) -> None:
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    addresses = {"jana@example.com", studio.staff[0].email}

    sent = invites()

    assert set(sent) == addresses
    for message in mail.outbox:
        [other] = addresses - {message.to[0]}
        assert other not in _message(message).as_string()
        assert other.encode() not in sent[message.to[0]]


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Europe/Berlin", datetime(2027, 3, 28, 1, 30)),  # noqa: DTZ001 (the zone is beside it)
        ("Europe/Berlin", datetime(2027, 10, 31, 2, 30, fold=1)),  # noqa: DTZ001
        ("America/New_York", datetime(2027, 11, 7, 1, 30)),  # noqa: DTZ001
        ("Pacific/Apia", datetime(2027, 6, 1, 23, 45)),  # noqa: DTZ001
    ],
)
def test_the_server_finds_it_at_the_right_instant_on_nights_when_clocks_change(
    studio: Studio, jana: Calendar, zone: str, local: datetime
) -> None:
    starts_at = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    studio.location.time_zone = zone
    studio.location.save()
    booking = booked(studio, starts_at=starts_at, ends_at=starts_at + HOUR)
    visits.announce_confirmed(booking, now=NOW)

    jana.take(invites()["jana@example.com"])

    assert len(jana.between(starts_at, starts_at + HOUR)) == 1
    assert jana.between(starts_at - HOUR, starts_at) == []
    assert jana.between(starts_at + HOUR, starts_at + 2 * HOUR) == []


@pytest.mark.parametrize(
    "name",
    [
        "Jana;ROLE=CHAIR:mailto",
        'Jana"Weber',
        "日本語のとても長い名前の人です" * 4,
        "Jana\r\nATTENDEE:mailto:evil@example.com",
        "Ünï ç👩‍👩‍👧 \u2028x",
    ],
)
def test_whatever_a_name_is_the_server_takes_one_entry(studio: Studio, jana: Calendar, name: str) -> None:
    booking = booked(studio, contact_name=name)
    booking.lines.update(service_name=name[:80])
    visits.announce_confirmed(booking, now=NOW)
    invite = invites()["jana@example.com"]

    jana.take(invite)

    [entry] = jana.between(*at(booking))
    assert str(entry["ATTENDEE"]) == "mailto:jana@example.com"
    assert max(len(row) for row in invite.split(b"\r\n")) <= 75
