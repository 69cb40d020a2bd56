"""Session notes and follow-ups of the demo's therapists."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random

from bookings.enums import BookingStatus
from bookings.models import Booking, BookingLine, FollowUp, SessionNote

NOTED_PERCENT = 70
FOLLOWED_UP_PERCENT = 6
TEXTS = (
    "Shoulders tight on the right, trapezius eased well. Wanted more time on the neck.",
    "Lower back first, medium pressure. Slept badly this week. Warm towel was welcome.",
    "Calves after a long run, slow work. No deep pressure on the left knee.",
    "Skin dry after the holidays. Mild peel only, no reaction. Suggested the richer cream.",
    "First visit: asked for quiet, no music. Light pressure everywhere.",
    "Jaw and neck. Much looser than last time. Keep the same order next visit.",
    "Hot stones a little cooler than usual. Fell asleep, woke up refreshed.",
)
FOLLOW_UPS = ("Send the neck exercises", "Ask how the knee is", "Offer the same hour in four weeks")


def write_notes(lines: Iterable[BookingLine], *, now: datetime, random: Random) -> None:
    """Write session notes of completed visits and some follow-ups. ``lines`` have their booking and staff member."""
    done = [line for line in lines if line.booking.status == BookingStatus.COMPLETED and line.staff_member]
    noted = [line for line in done if random.randrange(100) < NOTED_PERCENT]
    SessionNote.objects.bulk_create(
        SessionNote(
            booking=line.booking,
            text=random.choice(TEXTS),
            version=1,
            author_name=_author(line),
            updated_at=line.ends_at,
        )
        for line in noted
    )
    FollowUp.objects.bulk_create(_follow_ups(noted, now, random))


def _follow_ups(lines: Sequence[BookingLine], now: datetime, random: Random) -> Iterable[FollowUp]:
    for line in lines:
        booking: Booking = line.booking
        if now - booking.ends_at < timedelta(days=5) and random.randrange(100) < FOLLOWED_UP_PERCENT:
            yield FollowUp(
                booking=booking,
                text=random.choice(FOLLOW_UPS),
                due_on=(now + timedelta(days=random.randrange(3))).date(),
                author_name=_author(line),
                created_at=booking.ends_at,
            )


def _author(line: BookingLine) -> str:
    return line.staff_member.name if line.staff_member else ""
