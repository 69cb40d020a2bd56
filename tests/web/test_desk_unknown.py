"""A record that one may not see answers like one that does not exist: the same page, after the same statements."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AccessLog
from bookings.models import Booking
from dashboard.urls import urlpatterns
from staff.enums import Role
from tests.desk import DeskClient, at_desk
from tests.factories import Studio
from tests.journeys import JANA, booked

pytestmark = pytest.mark.django_db

NO_BOOKING, NO_CUSTOMER = "ZZZZZZ", "ZZZZZZZZZZ"
BEN = replace(JANA, name="Ben Adler", email="ben@example.com", phone="+4915155501999")
OTHERS = {"note_id": 1, "number": "2027-000001"}


@pytest.fixture
def other(studio: Studio) -> Booking:
    """A visit with a colleague of Ana's."""
    return booked(studio, 10, staff_member_id=studio.staff[0].pk)


@pytest.fixture
def ana(client: Client, studio: Studio, other: Booking) -> DeskClient:
    """A therapist with a visit of her own."""
    mine = booked(studio, 14, staff_member_id=studio.staff[1].pk, contact=BEN)
    return at_desk(client, Role.THERAPIST, of=mine)


def addresses(reference: str, customer_reference: str) -> Iterator[tuple[str, str]]:
    """Every address of the desk with a booking or a customer in its path, and its name."""
    named = {"reference": reference, "customer_reference": customer_reference, **OTHERS}
    for pattern in urlpatterns:
        parts = set(pattern.pattern.converters)
        if parts & {"reference", "customer_reference"}:
            yield str(pattern.name), reverse(str(pattern.name), kwargs={part: named[part] for part in parts})


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_colleagues_record_answers_like_none(ana: DeskClient, other: Booking, method: str) -> None:
    assert other.customer
    real = dict(addresses(other.reference, other.customer.reference))
    unknown = dict(addresses(NO_BOOKING, NO_CUSTOMER))
    differing, refused = set(), 0
    for name, path in real.items():
        answers = [answer_of(ana, each, method) for each in (path, unknown[name])]
        if answers[0] != answers[1]:
            differing.add(name)
        refused += answers[0][0] == 404

    assert differing == set()
    assert refused > 30
    logged = AccessLog.objects.filter(act="refused")
    assert logged.filter(reference=other.reference).count() == logged.filter(reference=NO_BOOKING).count() > 20


def answer_of(desk: DeskClient, path: str, method: str) -> tuple[int, str, dict[str, str], list[str]]:
    """Status, text without the reference, headers, and the kind of each statement: these take the time."""
    with CaptureQueriesContext(connection) as queries:
        response = getattr(desk.client, method)(path)
    text = re.sub(r"[0-9A-Z]{6,10}", "…", response.content.decode())
    kinds = [query["sql"][:40] for query in queries]
    return response.status_code, text, {key: value for key, value in response.items() if key != "X-Request-Id"}, kinds
