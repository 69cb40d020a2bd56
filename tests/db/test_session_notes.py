"""Session notes and follow-ups: nothing typed is lost or overwritten in silence, and all of it is encrypted."""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from bookings.errors import CannotWriteNote, NoteChanged
from bookings.models import Booking, FollowUp, SessionNote
from bookings.operations.cancel import cancel_booking
from bookings.operations.session_notes import (
    FOLLOW_UPS_OPEN,
    add_follow_up,
    finish_follow_up,
    save_session_note,
)
from tests import factories, journeys
from tests.factories import NOW, Studio
from tests.journeys import DESK


@pytest.fixture
def studio(db: None) -> Studio:
    return factories.studio()


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return journeys.booked(studio, 10)


def save(booking: Booking, text: str, version: int = 0) -> SessionNote:
    return save_session_note(booking_id=booking.pk, text=text, expected_version=version, actor=DESK, now=NOW)


def follow_up(booking: Booking, text: str = "Call", **changes: Any) -> FollowUp:
    values = {"text": text, "due_on": date(2027, 1, 12), **changes}
    return add_follow_up(booking_id=booking.pk, actor=DESK, now=NOW, **values)


def test_a_note_is_kept_encrypted_with_its_author(booking: Booking) -> None:
    note = save(booking, "Shoulders tight on the right")

    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM bookings_sessionnote")
        assert "Shoulders" not in cursor.fetchone()[0]
    assert (note.version, note.author_name, note.updated_at) == (1, "Sam", NOW)
    assert SessionNote.objects.get().text == "Shoulders tight on the right"


def test_an_old_page_overwrites_nothing_and_gets_the_newer_text(booking: Booking) -> None:
    save(booking, "Mine")

    with pytest.raises(NoteChanged) as refused:
        save(booking, "Theirs", 0)

    assert refused.value.data == {"text": "Mine", "version": 1, "author_name": "Sam"}
    assert save(booking, "Both", 1).version == 2


def test_the_same_text_again_is_saved_once_whatever_the_page_had(booking: Booking) -> None:
    save(booking, "Once")

    assert save(booking, "Once", 0).version == 1
    assert save(booking, "  Once  ", 1).version == 1


def test_an_empty_first_note_is_no_note_and_a_note_can_be_emptied(booking: Booking) -> None:
    save(booking, "  ")
    assert not SessionNote.objects.exists()

    save(booking, "Wrong customer")
    assert save(booking, "", 1).text == ""


def test_a_cancelled_booking_takes_no_notes(booking: Booking) -> None:
    cancel_booking(booking_id=booking.pk, expected_fee_minor=0, expected_sequence=0, actor=DESK, now=NOW)

    with pytest.raises(CannotWriteNote):
        save(booking, "Too late")
    with pytest.raises(CannotWriteNote):
        follow_up(booking)


def test_follow_ups_are_written_once_bounded_and_done_once(booking: Booking) -> None:
    first = follow_up(booking)
    assert follow_up(booking).pk == first.pk
    for number in range(FOLLOW_UPS_OPEN - 1):
        follow_up(booking, f"Call {number}")
    with pytest.raises(CannotWriteNote):
        follow_up(booking, "One more")

    finish_follow_up(booking_id=booking.pk, follow_up_id=first.pk, now=NOW)
    finish_follow_up(booking_id=booking.pk, follow_up_id=first.pk, now=booking.ends_at)

    first.refresh_from_db()
    assert first.done_at == NOW


def test_a_follow_up_is_done_by_its_own_booking_only(booking: Booking, studio: Studio) -> None:
    other = journeys.booked(studio, 14)
    mine = follow_up(booking)

    finish_follow_up(booking_id=other.pk, follow_up_id=mine.pk, now=NOW)

    mine.refresh_from_db()
    assert mine.done_at is None
