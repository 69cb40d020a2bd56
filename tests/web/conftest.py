"""What tests of pages share: a clock that stands still, a studio, a held time and a booked one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.test import Client

from bookings.enums import ActorKind, BookingChannel
from bookings.lifecycle import Actor
from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from bookings.operations.confirm import Contact, confirm_booking
from bookings.operations.hold import HeldSlot, hold_slot
from core import clock
from tests import factories
from tests.factories import Studio

GUEST = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)
JANA = Contact(name="Jana Weber", email="jana@example.com", phone="+4915155501827", note="Left shoulder")
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
    """The clock stands at six on a Monday morning in winter."""
    stopped = StoppedClock(factories.NOW)
    monkeypatch.setattr(clock, "now", stopped.now)
    return stopped


@pytest.fixture
def studio(db: None, stopped: StoppedClock) -> Studio:
    """Two therapists; free to cancel until a day before, then half the price."""
    firm = factories.business(
        phone="+49 30 901820",
        email="hello@studio.example",
        cancellation_policy=factories.cancellation_policy((1440, "none", 0), (0, "percent", 5000)),
    )
    place = factories.location(name="Kreuzberg", address="Lindenstraße 14", directions_url="https://map.example/linden")
    variant = factories.service(place, preparation="Eat lightly.")
    staff = [factories.staff_member(variant, at=place, name=name) for name in ("Marek Nowak", "Ana Silva")]
    return Studio(firm, place, variant, staff)


@pytest.fixture
def hold(studio: Studio, stopped: StoppedClock) -> Callable[..., HeldSlot]:
    """Hold a start, by default tomorrow at ten with the first therapist."""

    def held(hour: int = 10, minute: int = 0, *, days: int = 1, **values: object) -> HeldSlot:
        return hold_slot(
            **{
                "variant_id": studio.variant.pk,
                "location_id": studio.location.pk,
                "start_minute": studio.minute(hour, minute, days=days),
                "staff_member_id": studio.staff[0].pk if studio.staff else None,
                "actor": GUEST,
                "language": "en",
                "now": stopped.now(),
                **values,
            }
        )

    return held


@pytest.fixture
def book(hold: Callable[..., HeldSlot], stopped: StoppedClock) -> Callable[..., Booking]:
    """Book a start, by default in three days at ten with the first therapist."""

    def booked(hour: int = 10, minute: int = 0, *, days: int = 3, contact: Contact = JANA, **values: object) -> Booking:
        return confirm_booking(
            booking_id=hold(hour, minute, days=days, **values).booking.pk,
            contact=contact,
            consent_text="Agreed.",
            actor=GUEST,
            now=stopped.now(),
        )

    return booked


def link(booking: Booking, page: str = "", role: LinkRole = LinkRole.CUSTOMER) -> str:
    """The path of a page of this booking by its magic link."""
    return f"/b/{manage_token(booking, role)}/{page}"


@pytest.fixture
def stranger() -> Client:
    """A browser without cookies that checks forms as a real one must pass them."""
    return Client(enforce_csrf_checks=True)
