"""Sessions and the rights of their users, and cookies that open the admin, which are checked before an upload."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts import sessions
from accounts.models import User
from accounts.sessions import may_open_admin
from core import clock
from core.session_store import SessionStore
from dashboard.permissions import Rights, rights_of
from staff.enums import Role
from staff.models import Access, StaffMember
from tests.factories import desk_user, location, studio
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


def test_a_stored_session_is_read_until_it_expires(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    stored = SessionStore()
    stored["colour"] = "green"
    stored.save()

    with django_assert_num_queries(1):
        assert SessionStore(stored.session_key)["colour"] == "green"
    Session.objects.update(expire_date=clock.now())
    expired = SessionStore(stored.session_key)
    assert (expired.get("colour"), expired.session_key) == (None, None)


def test_rights_and_the_own_hours_of_a_therapist_are_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    place, other = studio(), location(slug="other")
    user = desk_user(Role.FRONT_DESK, place.location)
    Access.objects.create(user=user, role=Role.MANAGER, location=other)
    Access.objects.create(user=user, role=Role.THERAPIST)
    member = place.staff[0]
    StaffMember.objects.filter(pk=member.pk).update(user=user)

    with django_assert_num_queries(1):
        rights = rights_of(user)
    assert rights == Rights(
        {place.location.pk: {Role.FRONT_DESK}, other.pk: {Role.MANAGER}, None: {Role.THERAPIST}}, member.pk
    )

    StaffMember.objects.filter(pk=member.pk).update(is_active=False)
    assert rights_of(user).staff_member_id is None


def test_a_staff_member_without_that_role_has_no_own_hours_and_a_user_without_roles_no_rights() -> None:
    place, user = studio(), desk_user(Role.OWNER)
    StaffMember.objects.filter(pk=place.staff[0].pk).update(user=user)

    assert rights_of(user) == Rights({None: {Role.OWNER}}, None)
    Access.objects.all().delete()
    assert rights_of(user) is None
