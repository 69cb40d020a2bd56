"""People and roles at the desk: the list, an invitation from the form to the first sign-in, roles, and leaving."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.second_factor import code_at, step_at
from core import clock
from notifications.operations import send_due
from staff.enums import Role
from staff.models import Invitation, StaffMember
from staff.team import Grant, grants_of, invitation_url
from tests import factories
from tests.factories import NOW, Studio
from tests.money import deliver
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db
TEAM, INVITE = reverse("desk_team"), reverse("desk_team_invite")
MARA, WORDS = "mara@studio.example", "four quiet green chairs"


@pytest.fixture
def olivia(studio: Studio, client: Client) -> User:
    user = factories.desk_user(Role.OWNER, name="Olivia Brandt")
    sign_in_staff(client, user)
    return user


def page(user: User) -> str:
    return reverse("desk_team_member", args=[user.pk])


def test_from_the_invitation_to_the_desk(client: Client, olivia: User, studio: Studio, mailoutbox: Any) -> None:
    factories.location(name="Alfama")
    form = {"email": MARA, "name": "Mara", "front_desk": [str(studio.location.pk), "all"], "auditor": ["all"]}
    shown = client.post(INVITE, form, follow=True).content.decode()
    assert f"on its way to {MARA}" in shown
    deliver(now=NOW)
    send_due(now=NOW, limit=10)
    (link,) = re.findall(r"/desk/invitation/\S+", mailoutbox[0].body)

    mara = Client()
    assert "Olivia Brandt invites you" in mara.get(link).content.decode()
    assert mara.post(link, {"name": "Mara Lind", "password": "short"}).status_code == 422
    response = mara.post(link, {"name": "Mara Lind", "password": WORDS})
    assert response["Location"] == reverse("desk_set_up")

    user = User.objects.get(email=MARA)
    assert grants_of(user) == {Grant(Role.FRONT_DESK), Grant(Role.AUDITOR)}
    assert mara.get(reverse("desk"))["Location"].startswith(reverse("desk_set_up"))
    set_up = mara.get(reverse("desk_set_up"))
    secret = set_up.context["app"].secret.replace(" ", "")
    mara.post(reverse("desk_set_up"), {"code": code_at(secret, step_at(clock.now()))})
    assert mara.get(reverse("desk")).status_code == 200

    used = Client().get(link)
    assert (used.status_code, "was accepted" in used.content.decode()) == (410, True)


def test_an_invitation_needs_an_address_and_a_role(client: Client, olivia: User) -> None:
    shown = client.post(INVITE, {"email": "mara"})

    assert shown.status_code == 422
    assert "Enter a valid email address" in shown.content.decode()
    assert "Choose at least one role" in client.post(INVITE, {"email": MARA}).content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("value", ["999999", "x", "-1", "٣"])
def test_a_location_that_does_not_exist_is_refused(client: Client, olivia: User, value: str) -> None:
    factories.location(name="Alfama")
    assert client.post(INVITE, {"email": MARA, "manager": [value]}).status_code == 422


def test_only_a_superuser_opens_the_settings_to_others(client: Client, olivia: User) -> None:
    client.post(INVITE, {"email": MARA, "owner": ["all"], "opens_admin": "on"})
    assert not Invitation.objects.get().opens_admin

    User.objects.filter(pk=olivia.pk).update(is_superuser=True)
    client.post(INVITE, {"email": MARA, "owner": ["all"], "opens_admin": "on"})
    assert Invitation.objects.latest("pk").opens_admin


def test_a_known_user_proves_it_with_the_own_password(client: Client, olivia: User) -> None:
    mara = User.objects.create_user(MARA, WORDS, name="Mara")
    client.post(INVITE, {"email": MARA, "auditor": ["all"]})
    link = invitation_link()

    assert "This is not your password" in Client().post(link, {"password": "another one"}).content.decode()
    assert grants_of(mara) == frozenset()
    Client().post(link, {"password": WORDS})
    assert grants_of(mara) == {Grant(Role.AUDITOR)}


def test_guessing_the_password_of_a_known_user_is_limited(client: Client, olivia: User) -> None:
    User.objects.create_user(MARA, WORDS, name="Mara")
    client.post(INVITE, {"email": MARA, "auditor": ["all"]})
    link, stranger = invitation_link(), Client()
    for _ in range(10):
        stranger.post(link, {"password": "a guess"})

    assert "Too many tries" in stranger.post(link, {"password": WORDS}).content.decode()


def test_a_user_who_was_switched_off_cannot_come_back_by_an_invitation(client: Client, olivia: User) -> None:
    User.objects.create_user(MARA, WORDS, is_active=False)
    client.post(INVITE, {"email": MARA, "owner": ["all"]})

    assert Client().get(invitation_link()).status_code == 404


def test_a_withdrawn_invitation_says_so(client: Client, olivia: User) -> None:
    client.post(INVITE, {"email": MARA, "auditor": ["all"]})
    link = invitation_link()
    client.post(reverse("desk_team_withdraw", args=[Invitation.objects.get().pk]))

    shown = Client().post(link, {"name": "Mara", "password": WORDS})
    assert (shown.status_code, "is over" in shown.content.decode()) == (410, True)


def test_roles_are_changed_and_the_history_says_by_whom(client: Client, olivia: User, studio: Studio) -> None:
    mara = factories.desk_user(Role.FRONT_DESK, studio.location, email=MARA, name="Mara")
    profile = studio.staff[0]
    form = {"seen": seen(client, mara), "therapist": ["all"], "staff_member": str(profile.pk)}

    client.post(page(mara), form)

    assert grants_of(mara) == {Grant(Role.THERAPIST)}
    assert StaffMember.objects.get(user=mara) == profile
    shown = client.get(page(mara)).content.decode()
    assert "Roles changed: Therapist" in shown
    assert "Olivia Brandt" in shown


def test_the_second_of_two_owners_is_told_what_changed(client: Client, olivia: User, studio: Studio) -> None:
    mara = factories.desk_user(Role.FRONT_DESK, email=MARA)
    before = seen(client, mara)
    client.post(page(mara), {"seen": before, "manager": ["all"]})

    shown = client.post(page(mara), {"seen": before, "auditor": ["all"]})

    assert (shown.status_code, "changed these roles meanwhile" in shown.content.decode()) == (409, True)
    assert grants_of(mara) == {Grant(Role.MANAGER)}


def test_the_only_owner_keeps_the_role_and_the_sign_in(client: Client, olivia: User) -> None:
    shown = client.post(page(olivia), {"seen": seen(client, olivia), "auditor": ["all"]})
    off = client.post(reverse("desk_team_off", args=[olivia.pk]))

    assert [answer.status_code for answer in (shown, off)] == [422, 422]
    assert "only owner" in shown.content.decode()
    assert "only owner" in off.content.decode()


def test_an_open_invitation_of_somebody_who_leaves_is_named_and_ends(client: Client, olivia: User) -> None:
    oscar = factories.desk_user(Role.OWNER, email="oscar@studio.example")
    there = Client()
    sign_in_staff(there, oscar)
    there.post(INVITE, {"email": MARA, "owner": ["all"], "name": "Mara\r\nBcc: x"})
    assert Invitation.objects.get().name == "Mara Bcc: x"
    off = reverse("desk_team_off", args=[oscar.pk])
    assert MARA in client.get(off).content.decode()

    client.post(off)

    assert Client().get(invitation_link()).status_code == 410


def test_a_sign_in_is_switched_off_and_on(client: Client, olivia: User, studio: Studio) -> None:
    mara = factories.desk_user(Role.FRONT_DESK, email=MARA, name="Mara")
    there = Client()
    sign_in_staff(there, mara)
    assert there.get(reverse("desk")).status_code == 200
    off = reverse("desk_team_off", args=[mara.pk])
    assert "Switch off the sign-in of Mara?" in client.get(off).content.decode()

    client.post(off)
    assert there.get(reverse("desk")).status_code == 302
    client.post(reverse("desk_team_on", args=[mara.pk]))
    mara.refresh_from_db()
    assert mara.is_active


def test_customers_are_no_members(client: Client, olivia: User) -> None:
    guest = User.objects.create_user("guest@mail.example", WORDS)

    assert client.get(page(guest)).status_code == 404
    assert client.post(reverse("desk_team_off", args=[guest.pk])).status_code == 404


def test_the_list_needs_as_many_queries_for_fifty_as_for_one(client: Client, olivia: User, studio: Studio) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(TEAM).status_code == 200
        return len(captured)

    factories.desk_user(Role.FRONT_DESK, studio.location)
    count()
    few = count()
    for _ in range(50):
        factories.desk_user(Role.FRONT_DESK, studio.location)
    assert count() == few <= 14


def seen(client: Client, user: User) -> str:
    return str(client.get(page(user)).context["seen"])


def invitation_link() -> str:
    return invitation_url(Invitation.objects.latest("pk"))
