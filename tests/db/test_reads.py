"""Reads of rows with their related rows, by SQL that is built once."""

import pytest
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking, BookingLine
from core.reads import read_joined, set_children
from tests.factories import studio
from tests.journeys import confirm, hold

pytestmark = pytest.mark.django_db


def test_joined_rows_are_known_without_another_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    booking = confirm(hold(studio()).booking)
    expected = Booking.objects.select_related("location", "customer", "unproven").get(pk=booking.pk)

    with django_assert_num_queries(1):
        links = ("location", "customer", "unproven")
        (found,) = read_joined(Booking, links, "WHERE bookings_booking.id = %s", [booking.pk])
        linked = (found.location, found.customer, found.unproven, found.unproven.booking)

    assert linked == (expected.location, expected.customer, expected.unproven, expected)
    assert (found.contact_phone, found.terms) == (expected.contact_phone, expected.terms)


def test_row_without_a_linked_one_knows_so(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    held = hold(studio()).booking

    with django_assert_num_queries(1):
        (found,) = read_joined(
            Booking, ("customer", "customer__user", "unproven"), "WHERE bookings_booking.id = %s", [held.pk]
        )
        assert found.customer is None
        assert not hasattr(found, "unproven")


def test_children_are_known_without_another_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    booking = hold(studio()).booking

    with django_assert_num_queries(1):
        lines = read_joined(BookingLine, ("variant", "variant__service"), "WHERE booking_id = %s", [booking.pk])
        set_children(booking, "lines", lines)
        assert [line.variant.service.name for line in booking.lines.all()] == ["Deep tissue massage"]
        assert booking.lines.all()[0].booking is booking
