"""What tests of pages share: a clock that stands still, a studio with two therapists, and the paths of links."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.test import Client

from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from bookings.operations.hold import HeldSlot
from core import clock
from tests import factories, journeys
from tests.factories import Studio

TYPED = {"name": "Jana Weber", "email": "jana@example.com", "phone": "0151 55501827", "note": "Left shoulder"}


@dataclass
class StoppedClock:
    """The clock of the application, moved by hand."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def pass_minutes(self, minutes: float) -> None:
        self.at += timedelta(minutes=minutes)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    """The clock stands at ``factories.NOW``, seven on a Monday morning in Berlin."""
    stopped = StoppedClock(factories.NOW)
    monkeypatch.setattr(clock, "now", stopped.now)
    return stopped


@pytest.fixture
def studio(db: None, stopped: StoppedClock) -> Studio:
    """Two therapists; free to cancel until a day before the start, then for half the price; no grace."""
    terms = factories.cancellation_policy((1440, "none", 0), (0, "percent", 5000), grace_minutes=0)
    firm = factories.business(phone="+49 30 901820", email="hello@studio.example", cancellation_policy=terms)
    place = factories.location(
        name="Kreuzberg",
        slug="kreuzberg",
        address="Lindenstraße 14",
        directions_url="https://map.example/linden",
    )
    variant = factories.service(place, slug="massage", preparation="Eat lightly.")
    staff = [factories.staff_member(variant, at=place, name=name) for name in ("Marek Nowak", "Ana Silva")]
    return Studio(firm, place, variant, staff)


@pytest.fixture
def stranger() -> Client:
    """A browser without cookies, whose forms are checked as real ones are."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def hold(studio: Studio) -> Callable[..., HeldSlot]:
    """Hold a time tomorrow, with the first therapist unless told otherwise."""
    return partial(journeys.hold, studio, staff_member_id=studio.staff[0].pk)


def details(held: HeldSlot, page: str = "") -> str:
    """The path of the details page of a hold."""
    return f"/h/{held.token}/{page}"


def filled(held: HeldSlot, **changes: str) -> dict[str, str]:
    """The details form as the page would send it."""
    return {**TYPED, "expected_total": str(held.booking.total_minor), **changes}


def link(booking: Booking, page: str = "", role: LinkRole = LinkRole.CUSTOMER) -> str:
    """The path of a page of a booking by its magic link."""
    return f"/b/{manage_token(booking, role)}/{page}"


def agreed(booking: Booking, fee_minor: int = 0, **changes: str) -> dict[str, str]:
    """What a page that asks for confirmation sends along."""
    return {"expected_sequence": str(booking.ical_sequence), "expected_fee": str(fee_minor), **changes}


def slot(studio: Studio, hour: int, minute: int = 0, *, days: int = 1) -> str:
    """The value of a time button."""
    return f"{studio.location.pk}.{studio.minute(hour, minute, days=days)}"
