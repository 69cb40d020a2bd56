"""Session cookies that open the admin, as the web process checks them before it receives an upload."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts import sessions
from accounts.models import User
from accounts.sessions import may_open_admin
from core import clock
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def open_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing old connections would end the transaction of the test, as in requests of Django's test client."""
    monkeypatch.setattr(sessions, "close_old_connections", lambda: None)


def environ_of(client: Client) -> dict[str, Any]:
    return {"HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


@pytest.mark.parametrize(("is_staff", "is_active"), [(True, True), (False, True), (True, False)])
def test_only_who_may_open_the_admin_counts(client: Client, is_staff: bool, is_active: bool) -> None:
    user = User.objects.create_user("olivia@studio.example", "pass", is_staff=is_staff)
    sign_in_staff(client, user)
    User.objects.filter(pk=user.pk).update(is_active=is_active)

    assert may_open_admin(environ_of(client), now=clock.now()) == (is_staff and is_active)


def test_a_password_alone_is_not_enough(client: Client) -> None:
    client.force_login(User.objects.create_user("olivia@studio.example", "pass", is_staff=True))

    assert not may_open_admin(environ_of(client), now=clock.now())


def test_an_ended_session_counts_no_more(client: Client) -> None:
    user = User.objects.create_user("olivia@studio.example", "pass", is_staff=True)
    sign_in_staff(client, user)
    old = environ_of(client)
    assert may_open_admin(old, now=clock.now())
    user.set_password("another")
    user.save()

    assert not may_open_admin(old, now=clock.now())


@pytest.mark.parametrize(
    "cookie", ["", "session=", "session=made-up-by-a-stranger", 'session="aaaaaaaaaa\\000"', "other=1"]
)
def test_a_cookie_that_names_no_session_is_of_no_user(cookie: str) -> None:
    assert not may_open_admin({"HTTP_COOKIE": cookie}, now=clock.now())
