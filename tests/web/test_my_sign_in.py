"""Customers sign in by a code that goes to their mailbox."""

import re
import socket
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.contact.contact import Contact
from accounts.customer_sign_in import CODES_PER_HOUR
from accounts.models import Customer, CustomerSession, SignInCode, User
from accounts.retention import forget_ended_sessions
from bookings.models import Booking, UnprovenBooking
from core import limits
from notifications.models import Notification
from notifications.operations import send_due
from staff.enums import Role
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked
from tests.needles import tables_with
from tests.signing_in import sign_in_customer
from tests.web.conftest import StoppedClock

pytestmark = pytest.mark.django_db
SIGN_IN, CODE, MY = reverse("my_sign_in"), reverse("my_code"), reverse("my_bookings")
EMAIL = "jana@example.com"


def asks(client: Client, email: str = EMAIL, **more: str) -> HttpResponse:
    return client.post(SIGN_IN, {"email": email, **more})


def mailed(stopped: StoppedClock, email: str = EMAIL) -> str:
    """The newest code in the mailbox."""
    while send_due(now=stopped.now(), limit=50):
        pass
    mails = [each for each in mail.outbox if each.to == [email] and "Your code" in each.body]
    found = re.search(r"(\d{3}) (\d{3})", mails[-1].body)
    assert found
    return "".join(found.groups())


def types(client: Client, code: str) -> HttpResponse:
    return client.post(CODE, {"code": code})


def signs_in(client: Client, stopped: StoppedClock, email: str = EMAIL, **more: str) -> HttpResponse:
    assert asks(client, email, **more).status_code == 303
    return types(client, mailed(stopped, email))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_a_customer_signs_in_and_out(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = booked(studio)

    answer = signs_in(client, stopped)
    assert (answer.status_code, answer["Location"]) == (303, MY)
    page = client.get(MY).content.decode()
    assert "Signed in as" in page
    assert EMAIL in page
    customer = Customer.objects.get()
    assert customer.user
    assert (customer.user.email, customer.email_proven_at) == (EMAIL, NOW)
    assert not customer.user.has_usable_password()
    assert customer == booking.customer

    client.post(reverse("my_sign_out"))
    assert client.get(MY)["Location"] == f"{SIGN_IN}?next={MY}"
    assert not CustomerSession.objects.exists()


def test_who_has_no_record_gets_one(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    signs_in(client, stopped, "New.Guest@Example.com")

    customer = Customer.objects.get()
    assert (customer.email, customer.email_normalised) == ("New.Guest@Example.com", "new.guest@example.com")
    assert customer.user == User.objects.get()


def test_known_and_unknown_addresses_look_alike(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booked(studio)
    User.objects.create_user("off@example.com", is_active=False)

    def page(email: str) -> tuple[int, str, int]:
        with CaptureQueriesContext(connection) as queries:
            answer = asks(client, email)
        text = client.get(CODE).content.decode().replace(email, "")
        return answer.status_code, re.sub(r'value="[^"]*"', "", text), len(queries)

    known = page(EMAIL)
    assert page("nobody@example.com") == known
    assert page("off@example.com") == known


def test_a_code_is_nowhere_in_the_database(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    asks(client)
    code = mailed(stopped)

    assert tables_with([code, f"{code[:3]} {code[3:]}"]) == {}
    row = Notification.objects.get()
    assert (row.status, row.body) == ("sent", "")


def test_a_code_works_once_for_ten_minutes_in_its_browser(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    asks(client)
    first = mailed(stopped)
    stopped.pass_minutes(10)
    assert "does not work any more" in types(client, first).content.decode()

    asks(client)
    second = mailed(stopped)
    asks(client)
    third = mailed(stopped)
    assert second == third or types(client, second).status_code == 422
    other = Client()
    asks(other)
    assert types(other, third).status_code == 422
    cookies = dict(client.cookies)
    assert types(client, f" {third[:3]} {third[3:]} ").status_code == 303

    client.cookies.clear()
    client.cookies.update(cookies)
    assert types(client, third).status_code == 422


def test_five_wrong_codes_end_it(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    asks(client)
    code = mailed(stopped)
    said = [types(client, wrong(code)).content.decode() for _ in range(5)]

    assert ["not right" in each for each in said] == [True] * 4 + [False]
    assert types(client, code).status_code == 422
    assert not CustomerSession.objects.exists()


def test_tries_of_strangers_use_up_nothing_of_the_customer(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    asks(client)
    code = mailed(stopped)
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    asks(stranger)
    for _ in range(5):
        types(stranger, wrong(code))

    assert types(client, code).status_code == 303


def test_a_mailbox_gets_few_codes_and_a_known_browser_still_does(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    signs_in(client, stopped)
    client.post(reverse("my_sign_out"))
    answers = [asks(Client(REMOTE_ADDR=f"203.0.113.{n}")).status_code for n in range(CODES_PER_HOUR + 1)]

    assert answers[-3:] == [303, 422, 422]
    assert asks(client).status_code == 303


def test_one_browser_and_one_address_get_few_codes(client: Client, studio: Studio, settings: Any) -> None:
    settings.SIGN_IN_CODES_PER_ADDRESS = 12
    answers = [asks(client, f"a{n}@example.com").status_code for n in range(11)]
    assert answers == [303] * 10 + [422]

    answers = [asks(Client(), f"b{n}@example.com").status_code for n in range(3)]
    assert answers == [303, 303, 422]


def test_customers_sign_in_while_redis_hangs(
    client: Client, studio: Studio, stopped: StoppedClock, settings: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.REDIS_URL = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        limits._breaker.reset()
        limits._client.cache_clear()

        assert signs_in(client, stopped).status_code == 303
        assert types(Client(), "123456").status_code == 302
    limits._client.cache_clear()


def test_the_key_is_new_at_each_sign_in(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    client.cookies["customer"] = "chosen-by-a-thief"
    signs_in(client, stopped)
    first = client.cookies["customer"].value
    assert first != "chosen-by-a-thief"
    cookie = client.cookies["customer"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 90 * 24 * 3600)

    sign_in_customer(client, Customer.objects.get())
    thief = Client()
    thief.cookies["customer"] = "chosen-by-a-thief"
    assert thief.get(MY).status_code == 302


@pytest.mark.parametrize(
    ("next_page", "goes_to"),
    [("/my/security/", "/my/security/"), ("https://evil.example/", MY), ("//evil.example/", MY), ("", MY)],
)
def test_it_leads_on_to_pages_of_this_site_alone(
    client: Client, studio: Studio, stopped: StoppedClock, next_page: str, goes_to: str
) -> None:
    assert signs_in(client, stopped, next=next_page)["Location"] == goes_to


def test_a_session_slides_for_90_days(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    signs_in(client, stopped)
    stopped.pass_minutes(89 * 24 * 60)
    answer = client.get(MY)
    assert answer.status_code == 200
    assert answer.cookies["customer"]["max-age"] == 90 * 24 * 3600
    stopped.pass_minutes(89 * 24 * 60)
    assert client.get(MY).status_code == 200
    stopped.pass_minutes(90 * 24 * 60 + 1)
    assert client.get(MY).status_code == 302


def test_a_customer_ends_other_sessions_and_nobody_elses(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booked(studio)
    phone, stranger = Client(), Client()
    for browser in (client, phone):
        signs_in(browser, stopped)
    signs_in(stranger, stopped, "other@example.com")
    here, there, of_stranger = CustomerSession.objects.order_by("pk")

    client.post(reverse("my_session_end", args=[of_stranger.pk]))
    client.post(reverse("my_session_end", args=[here.pk]))
    assert CustomerSession.objects.count() == 3
    assert client.get(reverse("my_security")).content.decode().count("Unknown device") == 3
    client.post(reverse("my_session_end", args=[there.pk]))
    assert phone.get(MY).status_code == 302
    signs_in(phone, stopped)
    client.post(reverse("my_sessions_end"))
    assert [each.get(MY).status_code for each in (client, phone, stranger)] == [200, 302, 200]


def test_staff_who_sign_in_as_customers_get_no_page_of_the_desk(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    owner = factories.desk_user(Role.OWNER, email="olivia@studio.example", is_staff=True, is_superuser=True)
    signs_in(client, stopped, owner.email)

    assert client.get(MY).status_code == 200
    assert Customer.objects.get().user == owner
    for path in ("/desk/", "/desk/account/", "/desk/account/set-up", "/desk/account/confirm", "/admin/"):
        assert client.get(path)["Location"].startswith("/desk/sign-in"), path
    assert client.get(MY).status_code == 200


def test_a_user_who_is_switched_off_stays_out(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    signs_in(client, stopped)
    User.objects.update(is_active=False)

    assert client.get(MY).status_code == 302
    assert "cannot sign in" in signs_in(Client(), stopped).content.decode()


def test_guest_bookings_under_the_same_name_belong_to_the_customer(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    first = booked(studio, 9)
    same = booked(
        studio, 11, contact=Contact(name="weber, Jana", email="JANA@example.com", phone="+4915155500000", note="")
    )
    partner = booked(studio, 13, contact=Contact(name="Tom Weber", email=EMAIL, phone="+4915155500001", note=""))
    assert len({first.customer_id, same.customer_id, partner.customer_id}) == 3
    assert UnprovenBooking.objects.count() == 3

    signs_in(client, stopped)

    customer = Customer.objects.get(user__isnull=False)
    assert set(Booking.objects.filter(customer=customer)) == {first, same}
    assert customer.phone == JANA.phone
    assert Customer.objects.get(bookings=partner).merged_into is None


def test_blocked_erased_and_merged_records(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = booked(studio)
    kept = Customer.objects.create(name="Jana Weber", email="new@example.com", email_normalised="new@example.com")
    Customer.objects.filter(pk=booking.customer_id).update(merged_into=kept, is_blocked=True)
    Customer.objects.filter(pk=kept.pk).update(is_blocked=True)

    assert "cannot sign in" in signs_in(client, stopped).content.decode()
    assert signs_in(client, stopped, "new@example.com").status_code == 303
    assert Customer.objects.get(user__isnull=False) == kept

    kept.refresh_from_db()
    Customer.objects.filter(pk=kept.pk).update(email="", email_normalised=None, user=None, erased_at=NOW)
    assert client.get(MY).status_code == 302
    signs_in(Client(), stopped, "new@example.com")
    assert Customer.objects.get(user__isnull=False) != kept


def test_a_page_of_customers_costs_one_query_to_know_them(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    signs_in(client, stopped)
    stopped.pass_minutes(1)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("my_confirm"))
    assert len([each for each in queries if "accounts_" in each["sql"]]) == 1

    with CaptureQueriesContext(connection) as queries:
        Client().get("/")
    assert not [each for each in queries if "accounts_customer" in each["sql"]]


def test_the_codes_are_deleted_a_day_later(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    signs_in(client, stopped)
    asks(Client(), "b@example.com")
    assert forget_ended_sessions(now=NOW + timedelta(days=1)) == 0
    assert forget_ended_sessions(now=NOW + timedelta(days=2)) == 1
    assert not SignInCode.objects.exists()
    assert forget_ended_sessions(now=NOW + timedelta(days=91)) == 1
