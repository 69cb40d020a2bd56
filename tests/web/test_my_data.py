"""A signed-in customer's details, messages, and what is kept about them."""

import json
import re
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Reading, RecordKind
from accounts.models import AccessLog, ChannelChoice, Consent, Customer, CustomerEvent
from accounts.operations import agree_to_marketing, prove_customer_email
from bookings.models import Booking
from core.personal_data import DataKind, declarations
from privacy.enums import CaseKind, CaseState, CaseStep
from privacy.models import PrivacyCase, Retention
from tests.factories import NOW, Studio
from tests.journeys import booked
from tests.pages import squeezed
from tests.signing_in import sign_in_customer
from tests.web.test_my_bookings import OTHER

pytestmark = pytest.mark.django_db

PAGES = ("/my/details/", "/my/messages/", "/my/privacy/", "/my/privacy/erase/")


@pytest.fixture
def jana(client: Client, studio: Studio) -> Customer:
    """Jana, signed in, with a booking tomorrow."""
    booking = booked(studio)
    customer = prove_customer_email(
        customer_id=booking.customer_id,
        name="Jana Weber",
        email="jana@example.com",
        phone="+4915155501827",
        language="en",
        now=NOW,
    )
    sign_in_customer(client, customer)
    return customer


def text(response: HttpResponse) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    return squeezed(response.content.decode())


def seen(client: Client) -> dict[str, str]:
    """The stamps that the form about the details sends along."""
    form = client.get("/my/details/").context["seen"]
    return dict(form)


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_want_a_signed_in_customer(client: Client, studio: Studio, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assert answer["Location"].startswith("/my/sign-in/")


def test_own_details_are_changed_and_the_change_is_written_down(client: Client, jana: Customer) -> None:
    form = {"name": "Jana Weber-Klein", "phone": "0151 55501828", "language": "en", **seen(client)}

    assert client.post("/my/details/", form)["Location"] == "/my/details/"

    jana.refresh_from_db()
    assert (jana.name, jana.phone, jana.language) == ("Jana Weber-Klein", "+4915155501828", "en")
    assert (jana.email, jana.email_proven_at) == ("jana@example.com", NOW)
    event = CustomerEvent.objects.get(customer=jana)
    assert event.details == {"fields": ["name", "phone"]}
    assert Booking.objects.get().contact_name == "Jana Weber"


def test_nothing_but_the_shown_fields_can_be_changed(client: Client, jana: Customer) -> None:
    form = {"name": "Jana Weber", "phone": "+4915155501827", "language": "en", **seen(client)}

    client.post("/my/details/", {**form, "email": "emil@example.com", "is_blocked": "on", "is_prepayment_exempt": "on"})

    jana.refresh_from_db()
    assert (jana.email, jana.is_blocked, jana.is_prepayment_exempt) == ("jana@example.com", False, False)


def test_details_that_the_desk_has_changed_are_not_overwritten(client: Client, jana: Customer) -> None:
    form = {"name": "Jana W.", "phone": "+4915155501827", "language": "en", **seen(client)}
    Customer.objects.filter(pk=jana.pk).update(name="Jana Weber-Klein")

    response = client.post("/my/details/", form)

    assert response.status_code == 409
    assert "We have changed your details meanwhile" in text(response)
    jana.refresh_from_db()
    assert jana.name == "Jana Weber-Klein"


def test_a_wrong_phone_number_is_said_at_the_field(client: Client, jana: Customer) -> None:
    response = client.post("/my/details/", {"name": "Jana", "phone": "12", "language": "en", **seen(client)})

    assert response.status_code == 422
    assert 'id="id_phone-error"' in response.content.decode()


def test_channels_are_chosen_for_all_bookings(client: Client, jana: Customer) -> None:
    form = {"email": "on", "is_quiet": "on", "quiet_from": "1320", "quiet_until": "420", "news": "on"}

    assert client.post("/my/messages/", form)["Location"] == "/my/messages/"

    assert ChannelChoice.objects.get(person_ref=f"customer:{jana.pk}", channel="email").is_on
    consent = Consent.objects.get(purpose="marketing")
    assert (consent.customer_id, consent.subject_ref) == (jana.pk, f"customer:{jana.pk}")
    client.post("/my/messages/", {"stop": "1"})
    assert set(ChannelChoice.objects.values_list("is_on", flat=True)) == {False}
    consent.refresh_from_db()
    assert consent.withdrawn_at is not None


def test_every_declared_kind_of_data_is_explained(client: Client, jana: Customer) -> None:
    Retention.objects.create(pk=1, bookings_months=36, answers_months=12, receipt_name_years=8)

    shown = text(client.get("/my/privacy/"))

    for held in declarations():
        if held.kind is not DataKind.STAFF:
            assert str(held.what) in shown
            assert str(held.why) in shown
    # The visit ends on 5 January 2027.
    assert "Sat 5 Jan 2030" in shown
    assert "Wed 5 Jan 2028" in shown
    assert "Your name on receipts goes after 8 years." in shown


def test_consents_are_shown_with_their_text_and_news_can_be_withdrawn(client: Client, jana: Customer) -> None:
    agree_to_marketing(customer_id=jana.pk, subject_ref=f"customer:{jana.pk}", text="News, please.", now=NOW)
    shown = text(client.get("/my/privacy/"))
    assert "News and offers" in shown
    assert "News, please." in shown
    assert "Terms of a booking" in shown

    assert client.post("/my/privacy/withdraw/").status_code == 303

    shown = text(client.get("/my/privacy/"))
    assert "Given Mon 4 Jan 2027, withdrawn Mon 4 Jan 2027" in shown
    assert "Withdraw" not in shown
    booking = Consent.objects.get(purpose="booking")
    assert booking.withdrawn_at is None


def test_who_looked_is_told_by_role_and_never_by_name(client: Client, studio: Studio, jana: Customer) -> None:
    other = booked(studio, 14, contact=OTHER)
    booking = Booking.objects.get(customer=jana)
    for reference, record, act, roles in (
        (jana.reference, RecordKind.CUSTOMER, Reading.VIEWED, "front_desk"),
        (booking.reference, RecordKind.BOOKING, Reading.CHANGED, "therapist"),
        (booking.reference, RecordKind.BOOKING, Reading.REFUSED, "auditor"),
        (other.reference, RecordKind.BOOKING, Reading.VIEWED, "owner"),
    ):
        AccessLog.objects.create(
            at=NOW, user_name="Leyla Demir", roles=roles, act=act, record=record, reference=reference
        )

    shown = text(client.get("/my/privacy/"))

    assert "Front desk" in shown
    assert "your details" in shown
    assert "Therapist" in shown
    assert "Leyla" not in shown
    assert "Auditor" not in shown
    assert other.reference not in shown


def test_everything_is_downloaded_and_the_download_is_written_down(client: Client, jana: Customer) -> None:
    written = client.post("/my/privacy/download/", {"format": "json"})
    read = client.post("/my/privacy/download/", {"format": "html"})

    assert json.loads(written.content)["contact"]["email"] == "jana@example.com"
    assert written["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert "jana@example.com" in read.content.decode()
    cases = PrivacyCase.objects.filter(customer=jana)
    assert [(each.kind, each.state) for each in cases] == [(CaseKind.ACCESS, CaseState.DONE)] * 2
    steps = cases[0].events.values_list("step", flat=True)
    assert list(steps) == [CaseStep.OPENED, CaseStep.EXPORTED, CaseStep.DONE]
    assert "signed in as jana@example.com" in cases[0].note


def test_downloads_are_limited_and_looking_downloads_nothing(client: Client, jana: Customer) -> None:
    assert client.get("/my/privacy/download/").status_code == 405
    answers = [client.post("/my/privacy/download/").status_code for _ in range(11)]

    assert answers == [200] * 10 + [429]


def test_erasure_is_asked_for_once_and_names_what_stays(client: Client, jana: Customer) -> None:
    shown = text(client.get("/my/privacy/erase/"))
    assert "payments and receipts, because tax law asks for them" in shown
    assert "A visit is still to come." in shown

    for _ in range(2):
        assert client.post("/my/privacy/erase/")["Location"] == "/my/privacy/#erase"

    case = PrivacyCase.objects.get(customer=jana)
    assert (case.kind, case.state) == (CaseKind.ERASURE, CaseState.OPEN)
    assert "You have asked us to erase your data. We answer by Thu 4 Feb 2027." in text(client.get("/my/privacy/"))
    assert client.get("/my/privacy/erase/").status_code == 303


@pytest.mark.parametrize("count", [1, 50])
def test_the_queries_of_the_pages_do_not_grow(
    client: Client, studio: Studio, django_assert_max_num_queries: DjangoAssertNumQueries, jana: Customer, count: int
) -> None:
    for number in range(count):
        booking = booked(studio, start_minute=studio.minute(9 + number % 8, days=2 + number))
        Booking.objects.filter(pk=booking.pk).update(customer=jana)
        AccessLog.objects.create(
            at=NOW, user_name="Leyla", roles="owner", act=Reading.VIEWED, record=RecordKind.BOOKING,
            reference=booking.reference,
        )  # fmt: skip
    for path in PAGES:
        client.get(path)
        with django_assert_max_num_queries(19):
            assert client.get(path).status_code == 200
