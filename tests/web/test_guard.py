"""The access table is enforced before any view runs."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import User
from config import guard
from config.access import ROWS, DeskRow
from dashboard import permissions
from dashboard.permissions import ALLOWED, Act
from staff.enums import Role
from tests import factories
from tests.factories import Studio
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def without_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {name: row for name, row in ROWS.items() if name != "landing"}
    monkeypatch.setattr(guard, "ROWS", rows)


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert set(guard.names_of(get_resolver().url_patterns)) == set(ROWS)


@pytest.mark.usefixtures("without_row")
def test_an_address_without_a_row_fails_loudly_while_developing(client: Client) -> None:
    with pytest.raises(ImproperlyConfigured, match="landing"):
        client.get("/")


@pytest.mark.usefixtures("without_row")
def test_an_address_without_a_row_does_not_exist_outside(client: Client, settings: Any) -> None:
    settings.FAIL_WITHOUT_ROW = False

    assert client.get("/").status_code == 404


@pytest.mark.usefixtures("without_row")
def test_the_check_names_what_is_missing() -> None:
    assert [error.id for error in run_checks(tags=["urls"])] == ["access.E001"]


def test_the_check_names_a_right_that_no_role_has(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = {role: acts - {Act.TRUST} for role, acts in ALLOWED.items()}
    monkeypatch.setattr(permissions, "ALLOWED", allowed)

    [error] = run_checks(tags=["urls"])
    assert (error.id, "TRUST" in error.msg) == ("access.E003", True)


@pytest.fixture
def robots_at_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view without any check of its own, at an address that asks for a right of the desk."""
    monkeypatch.setattr(guard, "ROWS", {**ROWS, "robots": DeskRow(Act.SEE_PLACE)})


@pytest.mark.usefixtures("robots_at_desk")
@pytest.mark.parametrize(("role", "status"), [(Role.AUDITOR, 200), (Role.THERAPIST, 404)])
def test_the_right_of_a_row_is_asked_before_the_view(client: Client, studio: Studio, role: Role, status: int) -> None:
    sign_in_staff(client, factories.desk_user(role, studio.location))

    assert client.get("/robots.txt").status_code == status


@pytest.mark.usefixtures("robots_at_desk")
def test_visitors_go_to_the_sign_in_and_come_back(client: Client) -> None:
    response = client.get("/robots.txt")

    assert (response.status_code, response["Location"]) == (302, f"{reverse('account_login')}?next=/robots.txt")


@pytest.mark.usefixtures("robots_at_desk")
def test_users_without_a_role_are_told_so(client: Client) -> None:
    sign_in_staff(client, User.objects.create(email="new@studio.example"))

    assert client.get("/robots.txt").status_code == 403


def test_a_lost_database_is_503_while_rights_are_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*args: Any, **values: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(guard, "check_sign_in", lost)
    response = client.get("/desk/")

    assert (response.status_code, response["Retry-After"]) == (503, "5")
