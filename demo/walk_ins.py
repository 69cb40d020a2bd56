"""Two people who wait in the demo's studio without a booking."""

from datetime import datetime, timedelta

from accounts.models import User
from bookings.models import WalkIn
from demo.setup import Studio
from demo.studio import BERLIN

# Minutes since they came, name, phone, service, and the staff member whom they ask for.
WAITING = (
    (14, "Dana Novak", "+4915155501853", "deep-tissue-massage", ""),
    (5, "Emil Brandauer", "", "hot-stone-massage", "ana"),
)


def write_walk_ins(studio: Studio, *, now: datetime) -> None:
    """Put them on the queue in Berlin, as the front desk did."""
    desk = User.objects.get(email="leyla@linden.example")
    WalkIn.objects.bulk_create(
        WalkIn(
            location=studio.places[BERLIN],
            variant=studio.services[service].variants.all()[0],
            staff_member=studio.staff.get(wished),
            name=name,
            phone=phone,
            joined_at=now - timedelta(minutes=minutes),
            added_by=desk,
            added_by_name=desk.name,
        )
        for minutes, name, phone, service, wished in WAITING
    )
