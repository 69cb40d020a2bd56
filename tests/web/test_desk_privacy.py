"""Requests about personal data at the desk: who may do what, downloads, erasing, and how long data is kept."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.customer_record import By
from accounts.enums import Reading
from accounts.models import AccessLog, Customer
from core import clock
from privacy.enums import CaseKind, CaseState, CaseStep
from privacy.models import PrivacyCase, Retention
from privacy.operations.cases import open_case
from privacy.operations.export import SECTIONS, export_customer
from privacy.operations.keep import FIELDS
from privacy.readable import LABELS
from staff.enums import Role
from tests.desk import at_desk
from tests.factories import NOW
from tests.journeys import booked
from tests.money import deliver
from tests.needles import WORDS, Planted, plant, tables_with
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db

SAM = By(None, "Sam")
PAST = NOW.replace(year=2025)


@pytest.fixture
def planted() -> Planted:
    """A customer whose visits are over by any real clock."""
    return plant(PAST)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def note(client: Client, customer: Customer, kind: CaseKind = CaseKind.ERASURE, **changes: Any) -> PrivacyCase:
    """Note a request on the page that the customer's page leads to."""
    page = client.get(f"/desk/customers/{customer.reference}/")
    assert f"/desk/privacy/cases/new?customer={customer.reference}" in page.content.decode()
    values = {"kind": kind, "asked_on": clock.now().date().isoformat(), "note": "By e-mail", **changes}
    response = client.post(f"/desk/privacy/cases/new?customer={customer.reference}", values)
    assert response.status_code == 303
    return PrivacyCase.objects.get(customer=customer, kind=kind, closed_at=None)


# --- cases ------------------------------------------------------------------------------------------------------------


def test_a_request_is_noted_with_its_due_date_and_once(client: Client, planted: Planted) -> None:
    at_desk(client, Role.MANAGER)
    case = note(client, planted.customer)
    again = client.post(
        f"/desk/privacy/cases/new?customer={planted.customer.reference}",
        {"kind": "erasure", "asked_on": clock.now().date().isoformat(), "note": "Again"},
    )

    assert again["Location"] == f"/desk/privacy/cases/{case.reference}/"
    assert PrivacyCase.objects.count() == 1
    page = text(client.get("/desk/privacy/cases/"))
    assert planted.customer.name in page
    assert "Answer by" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"note": ""}, "Say how you know"),
        ({"asked_on": "2031-01-01"}, "Choose today"),
        ({"kind": ""}, "Please fill this in."),
    ],
)
def test_a_request_without_what_is_needed_is_not_noted(
    client: Client, planted: Planted, changes: dict[str, str], words: str
) -> None:
    at_desk(client, Role.MANAGER)
    values = {"kind": "access", "asked_on": clock.now().date().isoformat(), "note": "By e-mail", **changes}

    response = client.post(f"/desk/privacy/cases/new?customer={planted.customer.reference}", values)

    assert response.status_code == 422
    assert words in text(response)
    assert not PrivacyCase.objects.exists()


def test_the_json_has_everything_and_its_download_is_written_down(client: Client, planted: Planted) -> None:
    at_desk(client, Role.MANAGER)
    case = note(client, planted.customer, CaseKind.ACCESS)

    response = client.post(f"/desk/privacy/cases/{case.reference}/export", {"format": "json"})

    assert response["Content-Disposition"] == f'attachment; filename="data-{case.reference}.json"'
    assert "no-store" in response["Cache-Control"]
    assert json.loads(response.content)["contact"]["name"] == planted.customer.name
    assert case.events.last().step == CaseStep.EXPORTED  # type: ignore[union-attr]
    assert AccessLog.objects.filter(reference=planted.customer.reference).latest("pk").act == Reading.EXPORTED
    # By POST alone, so that no link, prefetch or reload gives data out.
    assert client.get(f"/desk/privacy/cases/{case.reference}/export").status_code == 405


def test_the_document_to_read_has_everything_too(client: Client, planted: Planted) -> None:
    at_desk(client, Role.MANAGER)
    case = note(client, planted.customer, CaseKind.ACCESS)

    response = client.post(f"/desk/privacy/cases/{case.reference}/export", {"format": "html"})

    html = response.content.decode().lower()
    assert {word for word in WORDS if word not in html} == {"deviceneedle"}
    assert "<script" not in html
    assert "email_confirmed_at" not in html


def test_every_key_of_the_export_has_words(client: Client, planted: Planted) -> None:
    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for each in value.values() for key in keys(each)}
        return {key for each in value for key in keys(each)} if isinstance(value, list) else set()

    data = export_customer(customer_id=planted.customer.pk, now=clock.now())
    # Names of channels are said as they are.
    known = {*LABELS, "push", "email", "sms", "whatsapp"}
    assert {key for name in SECTIONS for key in keys({name: data[name]})} - known == set()


def test_a_request_for_access_is_closed_when_the_customer_has_the_data(client: Client, planted: Planted) -> None:
    at_desk(client, Role.MANAGER)
    case = note(client, planted.customer, CaseKind.ACCESS)

    client.post(f"/desk/privacy/cases/{case.reference}/close")

    case.refresh_from_db()
    assert case.state == CaseState.DONE
    page = text(client.get("/desk/privacy/cases/"))
    assert "Every request is answered" in page


def test_an_owner_erases_and_the_page_of_the_customer_says_so(client: Client, planted: Planted) -> None:
    at_desk(client, Role.OWNER)
    case = note(client, planted.customer)
    path = f"/desk/privacy/cases/{case.reference}/erase"
    form = typed(client.get(path).content.decode().split('<form class="card"')[1])

    first, second = client.post(path, form), client.post(path, form)
    deliver(now=clock.now())

    assert (first.status_code, second.status_code) == (303, 303)
    assert tables_with() == {}
    page = client.get(f"/desk/customers/{planted.customer.reference}/")
    assert page.status_code == 200
    assert "This customer is erased" in text(page)
    assert "The data is erased" in text(client.get(f"/desk/privacy/cases/{case.reference}/"))
    assert "Erased customer" in text(client.get(f"/desk/bookings/{planted.visit.reference}/"))
    assert client.get(path).status_code == 404
    assert client.get(f"/desk/privacy/cases/new?customer={planted.customer.reference}").status_code == 404


def test_a_manager_is_told_that_an_owner_approves(client: Client, planted: Planted) -> None:
    at_desk(client, Role.MANAGER)
    case = note(client, planted.customer)

    page = text(client.get(f"/desk/privacy/cases/{case.reference}/"))

    assert "An owner approves the erasure" in page
    assert "Erase this customer" not in page
    assert client.post(f"/desk/privacy/cases/{case.reference}/erase").status_code == 404


def test_what_stands_in_the_way_is_listed_with_its_bookings(client: Client, planted: Planted) -> None:
    at_desk(client, Role.OWNER)
    ahead = booked(planted.place)
    case = open_case(
        customer_id=ahead.customer_id or 0,
        kind=CaseKind.ERASURE,
        note="By phone",
        asked_on=NOW.date(),
        by=SAM,
        now=clock.now(),
    )

    page = client.get(f"/desk/privacy/cases/{case.reference}/erase")
    refused = client.post(f"/desk/privacy/cases/{case.reference}/erase")

    assert "Still to come" in text(page)
    assert f"/desk/bookings/{ahead.reference}/" in page.content.decode()
    assert "Erase for good" not in text(page)
    assert refused.status_code == 422
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


def test_a_request_is_declined_with_a_reason(client: Client, planted: Planted) -> None:
    at_desk(client, Role.MANAGER)
    case = note(client, planted.customer)
    path = f"/desk/privacy/cases/{case.reference}/decline"

    assert client.post(path, {"decision": ""}).status_code == 422
    assert client.post(path, {"decision": "We could not tell who asked."}).status_code == 303

    assert "We could not tell who asked." in text(client.get(f"/desk/privacy/cases/{case.reference}/"))
    assert client.get(path).status_code == 404


def test_a_manager_of_one_place_and_the_front_desk_find_nothing(client: Client, planted: Planted) -> None:
    for role, place in ((Role.MANAGER, planted.place.location), (Role.FRONT_DESK, None), (Role.AUDITOR, None)):
        at_desk(client, role, place)
        page = client.get(f"/desk/customers/{planted.customer.reference}/").content.decode()
        assert "/desk/privacy/" not in page
        assert client.get("/desk/privacy/cases/").status_code == 404


def test_a_case_that_is_due_is_a_to_do_and_counted(client: Client, planted: Planted) -> None:
    at_desk(client, Role.MANAGER)
    before = text(client.get("/desk/hands/"))
    open_case(
        customer_id=planted.customer.pk,
        kind=CaseKind.ACCESS,
        note="",
        asked_on=NOW.date().replace(year=2025, month=3),
        by=SAM,
        now=clock.now(),
    )

    after = text(client.get("/desk/hands/"))

    assert "Copy of data asked for" not in before
    assert "Copy of data asked for" in after
    assert "Was due" in after


def test_pages_take_the_same_queries_for_one_case_and_for_three(client: Client) -> None:
    at_desk(client, Role.OWNER)
    counts = []
    for number in range(3):
        customer = Customer.objects.create(name=f"Bo {number}", created_at=NOW)
        asked = {"kind": CaseKind.ACCESS, "note": "", "asked_on": NOW.date(), "by": SAM, "now": clock.now()}
        open_case(customer_id=customer.pk, **asked)
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/desk/privacy/cases/").status_code == 200
        counts.append(len(captured))

    assert len(set(counts)) == 1
    assert counts[0] <= 12


# --- how long data is kept --------------------------------------------------------------------------------------------


def values(**changes: str) -> dict[str, str]:
    return {**dict.fromkeys(FIELDS, ""), "receipt_name_years": "0", "seen_receipt_name_years": "0", **changes}


def test_settings_are_previewed_before_they_are_saved(client: Client, planted: Planted) -> None:
    at_desk(client, Role.OWNER)

    shown = client.post("/desk/privacy/", values(bookings_months="12"))
    assert "Not saved yet." in text(shown)
    assert "2 bookings" in text(shown)
    assert not Retention.objects.exists()
    form = typed(shown.content.decode().split('<form class="card"')[1].split("</form>")[0])
    saved = client.post("/desk/privacy/", form)

    assert saved.status_code == 303
    assert Retention.objects.get().bookings_months == 12
    assert Retention.objects.get().updated_by.startswith("Sam")


def test_what_was_changed_after_the_preview_is_previewed_again(client: Client, planted: Planted) -> None:
    at_desk(client, Role.OWNER)
    shown = client.post("/desk/privacy/", values(bookings_months="12"))
    form = typed(shown.content.decode().split('<form class="card"')[1].split("</form>")[0])

    again = client.post("/desk/privacy/", {**form, "bookings_months": "1"})

    assert "Not saved yet." in text(again)
    assert not Retention.objects.exists()


@pytest.mark.parametrize("months", ["0", "241", "10000", "-1", "x", "1.5"])
def test_months_out_of_bounds_are_refused_with_words(client: Client, studio: Any, months: str) -> None:
    at_desk(client, Role.OWNER)

    response = client.post("/desk/privacy/", values(notes_months=months))

    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    assert not Retention.objects.exists()


def test_settings_that_another_owner_changed_are_not_overwritten(client: Client, planted: Planted) -> None:
    at_desk(client, Role.OWNER)
    shown = client.post("/desk/privacy/", values(bookings_months="12"))
    form = typed(shown.content.decode().split('<form class="card"')[1].split("</form>")[0])
    Retention.objects.create(pk=1, bookings_months=60)

    response = client.post("/desk/privacy/", form)

    assert response.status_code == 409
    assert "Someone else changed these settings" in text(response)
    assert Retention.objects.get().bookings_months == 60


def test_what_is_kept_and_why_is_listed_for_owners_alone(client: Client, studio: Any) -> None:
    at_desk(client, Role.OWNER)
    page = text(client.get("/desk/privacy/"))
    at_desk(client, Role.MANAGER)

    assert "To prove the consent (Art. 7 GDPR)" in page
    assert client.get("/desk/privacy/").status_code == 404
