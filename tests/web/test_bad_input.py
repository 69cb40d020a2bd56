"""What must not get in: each gets a clear answer, writes nothing, and is never a server error."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bookings.enums import BookingStatus
from bookings.models import Booking
from tests import factories
from tests.factories import Studio
from tests.journeys import booked, hold
from tests.web.conftest import details, filled, link

pytestmark = pytest.mark.django_db

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "{% load static %}",
    "%s {0.__class__} %(x)s",
]


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Please tell us your name."),
        ("name", "   ", "Please tell us your name."),
        ("name", "\u200b\u202e", "Please tell us your name."),
        ("name", "x" * 10_000, "9,880 characters too long; 120 is the most we can keep."),
        ("name", "Ja\x00na", "has signs in it that cannot be shown"),
        ("name", "Jana\r\nBcc: x@y.example", "has signs in it that cannot be shown"),
        ("email", "", "Please give an e-mail address"),
        ("email", "a@b", "The end of the address is missing"),
        ("email", "jana@example.com\r\nBcc: x@y.example", "line break or another hidden sign"),
        ("email", "a@b.example,d@e.example", "one address only"),
        ("email", "x" * 320, "longer than any mailbox"),
        ("phone", "", "Please give a phone number"),
        ("phone", "123", "There is no such number."),
        ("phone", "+1;ext=", "in digits only"),
        ("phone", "0900 1234567", "cannot call this kind of number"),
        ("note", "x" * 10_000, "9,000 characters too long; 1,000 is the most we can keep."),
        ("note", "a\x00b", "has signs in it that cannot be shown"),
    ],
)
def test_field_that_cannot_be_kept_is_named(
    client: Client, studio: Studio, field: str, typed: str, sentence: str
) -> None:
    held = hold(studio)

    response = client.post(details(held), filled(held, **{field: typed}))

    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert f'id="id_{field}-error"' in page
    assert Booking.objects.get().status == BookingStatus.HELD


@pytest.mark.parametrize("typed", HOSTILE)
def test_markup_in_name_and_note_is_shown_as_typed(client: Client, studio: Studio, typed: str) -> None:
    held = hold(studio)

    shown = client.post(details(held), filled(held, name=typed, note=typed), follow=True)

    booking = Booking.objects.get()
    assert (booking.contact_name, booking.customer_note) == (typed, typed)
    assert shown.status_code == 200
    assert typed not in shown.content.decode() or "<" not in typed
    assert "49" not in shown.content.decode().split("You are booked, ")[1][:20]


def test_letters_of_every_kind_are_kept(client: Client, studio: Studio) -> None:
    held = hold(studio)

    client.post(
        details(held), filled(held, name="김서연 𠮷 👩\u200d🌾 Z\u0335\u0336\u0337\u0338\u0339\u033a", note="دست راست")
    )

    booking = Booking.objects.get()
    assert (booking.contact_name, booking.customer_note) == (
        "김서연 𠮷 👩\u200d🌾 Z\u0335\u0336\u0337\u0338",
        "دست راست",
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("name=" + "x" * 2_000_000, "application/x-www-form-urlencoded"),
        ("&".join(f"f{number}=1" for number in range(5_000)), "application/x-www-form-urlencoded"),
        ("name=x", "multipart/form-data"),
        ("name=x", "multipart/form-data; boundary="),
        ("name=%FF%FE", "application/x-www-form-urlencoded; charset=no-such-charset"),
        ('{"a":' * 50_000, "application/json"),
    ],
)
def test_bodies_that_are_no_form_of_ours_are_refused(
    client: Client, studio: Studio, body: str, content_type: str
) -> None:
    held = hold(studio)

    response = client.generic("POST", details(held), body, content_type=content_type)

    assert 400 <= response.status_code < 500
    assert Booking.objects.get().status == BookingStatus.HELD


def test_bytes_that_are_no_text_do_no_harm(client: Client, studio: Studio) -> None:
    held = hold(studio)
    body = "name=%FF%FE&email=jana%40example.com&phone=015155501827&expected_total=8000"

    response = client.post(details(held), body, content_type="application/x-www-form-urlencoded")

    assert response.status_code in {303, 422}


def test_file_in_place_of_a_name_is_refused(client: Client, studio: Studio) -> None:
    held = hold(studio)

    response = client.post(details(held), filled(held) | {"name": SimpleUploadedFile("name.txt", b"Jana")})

    assert response.status_code == 400


@pytest.mark.parametrize("value", ["0", "-1", "abc", "99999999999999999999", "1.5", "1; DROP TABLE", "\x00"])
def test_extra_that_is_none_of_the_service_is_refused(client: Client, studio: Studio, value: str) -> None:
    held = hold(studio)
    factories.add_on(factories.service(studio.location).service)

    for field in ("add", "remove"):
        response = client.post(details(held, "extras"), {**filled(held), field: value})

        assert response.status_code == 422
        assert "This extra does not belong to the service." in response.content.decode()
        assert 'value="Jana Weber"' in response.content.decode()


def test_extra_of_another_service_is_refused(client: Client, studio: Studio) -> None:
    other = factories.add_on(factories.service(studio.location).service)
    held = hold(studio)

    response = client.post(details(held, "extras"), {"add": other.pk})

    assert response.status_code == 422
    assert Booking.objects.get().total_minor == 8000


@pytest.mark.parametrize(
    "query",
    [
        "?page=-1",
        "?day=2027-02-30",
        "?day=9999-12-31",
        "?day=0001-01-01",
        "?day=NaN",
        "?from=10000-01-01",
        "?next=//evil.example",
        "?next=javascript:alert(1)",
        "?day=" + "9" * 8000,
        "?slot=" + "9" * 100,
    ],
)
def test_odd_queries_show_the_page_as_ever(client: Client, studio: Studio, query: str) -> None:
    held = hold(studio, 15)
    booking = booked(studio)

    for path in (details(held), link(booking), link(booking, "move"), link(booking, "cancel")):
        response = client.get(path + query)

        assert response.status_code in {200, 302}
        assert "evil" not in response.get("Location", "")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options"])
def test_other_methods_change_nothing(client: Client, studio: Studio, method: str) -> None:
    held = hold(studio, 15)
    booking = booked(studio)

    for path in (
        details(held),
        details(held, "extras"),
        details(held, "again"),
        details(held, "release"),
        link(booking),
        link(booking, "confirmed"),
        link(booking, "move"),
        link(booking, "cancel"),
        link(booking, "calendar.ics"),
    ):
        assert getattr(client, method)(path).status_code == 405

    assert list(Booking.objects.order_by("pk").values_list("status", flat=True)) == ["held", "confirmed"]


def test_foreign_host_is_refused(client: Client, studio: Studio) -> None:
    held = hold(studio)

    assert client.get(details(held), headers={"host": "evil.example"}).status_code == 400
    response = client.post(details(held), filled(held), headers={"x-forwarded-host": "evil.example"})
    assert response["Location"].startswith("/b/")


@pytest.mark.parametrize(
    "address",
    ["/?q=%00", "/s/x%00/", "/desk/?q=a%00b", "/admin/bookings/booking/?status=%00", "/desk/payments/?until=%00"],
)
def test_nul_in_an_address_is_refused(client: Client, studio: Studio, address: str) -> None:
    assert client.get(address).status_code == 400


@pytest.mark.parametrize("path", ["/s/{}/hold", "/desk/sign-in", "/admin/login/", "/twilio/inbound", "/b/x/cancel"])
def test_a_file_is_taken_by_no_public_page(client: Client, studio: Studio, path: str) -> None:
    file = SimpleUploadedFile("a.txt", b"x" * 1000)

    assert Client(enforce_csrf_checks=True).post(path.format(studio.variant.service.slug), {"f": file}).status_code in (
        400,
        403,
    )
    assert client.post("/desk/sign-in", {"login": "a@example.com", "password": "x", "f": file}).status_code == 400
