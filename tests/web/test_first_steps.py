"""An installation that is new, and rules that say what they mean before they are saved."""

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.forms import LengthField
from services.models import Business, CancellationPolicy
from staff.enums import Role
from staff.models import Access, WorkingHours
from tests import factories
from tests.signing_in import sign_in_staff
from tests.web.page_forms import typed, with_row

pytestmark = pytest.mark.django_db


def first_superuser(monkeypatch: pytest.MonkeyPatch, email: str = "frida@salon.example") -> str:
    said = StringIO()
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a-long-password-of-frida")
    monkeypatch.setenv("DJANGO_SUPERUSER_NAME", "Frida")
    call_command("createsuperuser", interactive=False, email=email, stdout=said)
    return said.getvalue()


def test_the_first_superuser_owns_a_business_that_can_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    said = first_superuser(monkeypatch)
    client = Client()
    sign_in_staff(client, User.objects.get())

    url = reverse("admin:services_business_change", args=[1])
    values = typed(client.get(url).content.decode(), "business_form")
    client.post(url, values | {"name": "Salon Frida"})

    assert "is the owner" in said
    assert Business.objects.get().name == "Salon Frida"
    assert client.get("/desk/").status_code == 200
    assert client.get("/").status_code == 200


def test_a_second_superuser_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first_superuser(monkeypatch)

    first_superuser(monkeypatch, "second@salon.example")

    assert [access.user.email for access in Access.objects.filter(role=Role.OWNER)] == ["frida@salon.example"]
    assert Business.objects.count() == 1


def test_rules_without_a_step_say_what_they_mean_first() -> None:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    factories.business()
    url = reverse("admin:services_cancellationpolicy_add")
    values: dict[str, Any] = typed(client.get(url).content.decode(), "cancellationpolicy_form") | {"name": "Strict"}

    html = client.post(url, values, follow=True).content.decode()
    with_step = with_row(values | {"name": "Kind"}, "tiers", until_minutes_before="12 hours", fee_kind="none")
    bare = with_row(values | {"name": "Bare"}, "tiers", until_minutes_before="12", fee_kind="none")
    refused = client.post(url, bare, follow=True).content.decode()
    client.post(url, with_step, follow=True)

    assert "Nothing is saved yet. These rules have no step" in html
    assert "Say which unit: 12 min, 12 h or 12 d." in refused
    assert [policy.name for policy in CancellationPolicy.objects.all()] == ["Kind"]
    assert CancellationPolicy.objects.get().tiers.get().until_minutes_before == 720


@pytest.mark.parametrize(
    ("text", "minutes"), [("12h", 720), ("12 hours", 720), ("90 min", 90), ("2 d", 2880), ("0", 0)]
)
def test_lengths_with_a_unit_are_read(text: str, minutes: int) -> None:
    assert LengthField(needs_unit=True).clean(text) == minutes


@pytest.mark.parametrize("text", ["12", "1 h 30"])
def test_lengths_without_a_unit_are_refused_where_it_matters(text: str) -> None:
    with pytest.raises(ValidationError):
        LengthField(needs_unit=True).clean(text)


def test_a_new_service_is_taxed_as_most_are_and_the_list_says_what_it_lacks() -> None:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    studio = factories.studio()
    factories.service(studio.location, name="Cupping", tax_basis_points=1900)
    bare = factories.service(studio.location, name="Reiki", tax_basis_points=700)
    bare.delete()

    form = typed(client.get(reverse("admin:services_service_add")).content.decode(), "service_form")
    html = client.get(reverse("admin:services_service_changelist")).content.decode()

    assert form["tax_basis_points"] == "19"
    assert html.count("not bookable: no therapist offers it") == 1
    assert html.count("not bookable: no length and price") == 1


def test_the_list_of_services_says_what_else_is_missing() -> None:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    studio = factories.studio()
    service, kind = studio.variant.service, factories.resource_type()

    def shown() -> str:
        html = client.get(reverse("admin:services_service_changelist")).content.decode()
        return html.split("not bookable: ")[1].split("<")[0].strip() if "not bookable" in html else ""

    assert shown() == ""
    WorkingHours.objects.all().delete()
    assert shown() == "no therapist who offers it has working hours"
    service.requirements.create(resource_type=kind, quantity=2)
    factories.room(studio.location, kind)
    assert shown() == "no location has the rooms and devices it needs"
    service.locations.clear()
    assert shown() == "no location"
