"""The second step of signing in: nothing of a client is seen without it, and what an attacker would try."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.http import HttpResponse
from django.test import Client

from accounts import sign_in as limits_of_sign_in
from accounts.models import User
from accounts.second_factor import new_recovery_codes, second_factors_of
from core import clock
from notifications.operations import send_due
from staff.enums import Role
from tests import factories, money
from tests.factories import Studio
from tests.signing_in import SECRET, code_of, sign_in_staff
from tests.web.conftest import StoppedClock

PASSWORD = "a long password"
SIGN_IN, SECOND_STEP, SET_UP = "/desk/sign-in", "/desk/sign-in/second-step", "/desk/account/set-up"
CLOSED = [
    "/desk/",
    "/desk/customers/",
    "/desk/customers/customers.csv",
    "/desk/changes",
    "/admin/",
    "/admin/bookings/booking/",
]


@pytest.fixture
def make_staff(studio: Studio) -> Callable[..., User]:
    def make(email: str, role: Role = Role.MANAGER, **values: Any) -> User:
        user = factories.desk_user(role, studio.location, email=email, name="Leyla Demir", **values)
        user.set_password(PASSWORD)
        user.save()
        return user

    return make


@pytest.fixture
def leyla(make_staff: Callable[..., User]) -> User:
    """A manager with an app, who may open the admin as well."""
    user = make_staff("leyla@studio.example", is_staff=True, is_superuser=True)
    TOTP.activate(user, SECRET)
    return user


@pytest.fixture
def newcomer(make_staff: Callable[..., User]) -> User:
    """A manager without a second factor."""
    return make_staff("new@studio.example", is_staff=True, is_superuser=True)


def type_password(client: Client, email: str = "leyla@studio.example", **more: str) -> HttpResponse:
    return client.post(SIGN_IN, {"login": email, "password": PASSWORD, **more})


def type_code(client: Client, code: str = "", kind: str = "app") -> HttpResponse:
    return client.post(SECOND_STEP, {"code": code or code_of(), "kind": kind})


def set_up_app(client: Client, **more: str) -> HttpResponse:
    secret = client.get(SET_UP).context["app"].secret.replace(" ", "")
    return client.post(SET_UP, {"code": code_of(secret), **more})


def is_in(client: Client) -> bool:
    return client.get("/desk/").status_code == 200


@pytest.mark.parametrize("path", CLOSED)
def test_a_right_password_alone_opens_nothing(client: Client, leyla: User, path: str) -> None:
    type_password(client)

    assert client.get(path)["Location"].startswith(f"{SIGN_IN}?next=")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_a_second_step_are_led_to_set_one_up(
    client: Client, newcomer: User, path: str, method: str
) -> None:
    type_password(client, newcomer.email)

    assert getattr(client, method)(path)["Location"].startswith(f"{SET_UP}?next=")


def test_setting_up_an_app_opens_the_desk_and_shows_recovery_codes_once(client: Client, newcomer: User) -> None:
    type_password(client, newcomer.email)
    page = set_up_app(client, next="/desk/?on=2027-01-05")

    assert page.status_code == 200
    assert len(page.context["codes"]) == 10
    assert 'href="/desk/?on=2027-01-05"' in page.content.decode()
    assert is_in(client)
    assert page.context["codes"][0] not in client.get("/desk/account/set-up").content.decode()


def test_a_wrong_first_code_stores_nothing_and_keeps_the_secret(client: Client, newcomer: User) -> None:
    type_password(client, newcomer.email)
    before = client.get(SET_UP).context["app"].secret

    page = client.post(SET_UP, {"code": "000000"})

    assert (page.status_code, page.context["app"].secret) == (422, before)
    assert not second_factors_of(newcomer)


def test_a_secret_waits_encrypted_in_the_session(client: Client, newcomer: User) -> None:
    type_password(client, newcomer.email)
    secret = client.get(SET_UP).context["app"].secret.replace(" ", "")

    assert secret not in json.dumps(dict(client.session.items()))


def test_the_way_on_after_setting_up_never_leaves_the_site(client: Client, newcomer: User) -> None:
    type_password(client, newcomer.email)
    page = set_up_app(client, next="https://evil.example/")

    assert "evil.example" not in page.content.decode()


def test_a_password_does_not_add_a_second_step_to_an_account_that_has_one(client: Client, newcomer: User) -> None:
    """Two browsers know the password; the one that sets up first ends the chance of the other."""
    thief = Client()
    for each in (client, thief):
        type_password(each, newcomer.email)
    secret = thief.get(SET_UP).context["app"].secret.replace(" ", "")
    set_up_app(client)

    answer = thief.post(SET_UP, {"code": code_of(secret)})

    assert answer["Location"].startswith(SIGN_IN)
    assert "_auth_user_id" not in thief.session
    assert Authenticator.objects.filter(type="totp").count() == 1


def test_a_half_done_set_up_ends_after_a_quarter_of_an_hour(
    client: Client, newcomer: User, stopped: StoppedClock
) -> None:
    type_password(client, newcomer.email)
    stopped.pass_minutes(16)

    assert client.get(SET_UP)["Location"].startswith(SIGN_IN)


def test_the_key_of_the_session_changes_with_each_step(client: Client, leyla: User) -> None:
    """Whoever planted a cookie before knows none of the keys that open something."""
    client.get(SIGN_IN)
    session = client.session
    session["planted"] = True
    session.save()
    keys = [session.session_key]
    type_password(client)
    keys.append(client.session.session_key)
    type_code(client)
    keys.append(client.session.session_key)

    assert len(set(keys)) == 3
    thief = Client()
    for key in keys[:2]:
        thief.cookies["session"] = key
        assert not is_in(thief)
        assert thief.get(SECOND_STEP)["Location"] == SIGN_IN


def test_the_key_of_the_session_changes_when_a_second_step_is_set_up(client: Client, newcomer: User) -> None:
    type_password(client, newcomer.email)
    key = client.session.session_key
    set_up_app(client)

    assert client.session.session_key != key
    thief = Client()
    thief.cookies["session"] = key
    assert not is_in(thief)


def test_a_code_signs_in_once(client: Client, leyla: User) -> None:
    """Read over the shoulder, it is of no use in another browser."""
    thief = Client()
    for each in (client, thief):
        type_password(each)
    code = code_of()
    type_code(client, code)

    answer = type_code(thief, code)

    assert answer.status_code == 422
    assert "already used" in answer.content.decode()
    assert (is_in(client), is_in(thief)) == (True, False)


def test_a_code_that_was_over_says_so(client: Client, leyla: User) -> None:
    type_password(client)

    assert "already over" in type_code(client, code_of(steps=-3)).content.decode()


def test_a_recovery_code_signs_in_once(client: Client, leyla: User) -> None:
    [code, *_] = new_recovery_codes(leyla, now=clock.now())
    type_password(client)
    type_code(client, code, "recovery")
    again = Client()
    type_password(again)

    answer = type_code(again, code, "recovery")

    assert (is_in(client), answer.status_code) == (True, 422)
    assert "recovery code is not right" in answer.content.decode()


def test_guessing_codes_ends_at_the_limit_of_the_account(leyla: User) -> None:
    """Each guess from another address, each after the right password."""
    answers = []
    for number in range(7):
        guesser = Client(REMOTE_ADDR=f"203.0.113.{number}")
        type_password(guesser)
        answers.append("Too many tries" in type_code(guesser, "000000").content.decode())
    other = Client(REMOTE_ADDR="198.51.100.1")
    type_password(other)

    assert answers == [False] * 5 + [True] * 2
    assert type_code(other).status_code == 422


def test_owners_are_told_when_guessing_codes_is_stopped(
    leyla: User, make_staff: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_of_sign_in, "CODES_PER_DAY", 3)
    make_staff("olivia@studio.example", Role.OWNER)
    for number in range(4):
        guesser = Client(REMOTE_ADDR=f"203.0.113.{number}")
        type_password(guesser)
        type_code(guesser, "000000")
    money.deliver(now=clock.now())
    send_due(now=clock.now(), limit=10)

    [told] = mail.outbox
    assert (told.to, told.subject) == (["olivia@studio.example"], "Wrong sign-in codes for leyla@studio.example")
    assert "knows the password" in told.body


def test_a_browser_is_known_only_after_both_steps(client: Client, leyla: User) -> None:
    type_password(client)
    assert "device" not in client.cookies
    type_code(client)
    assert "device" in client.cookies


def test_whoever_is_switched_off_between_the_steps_stays_out(client: Client, leyla: User) -> None:
    type_password(client)
    User.objects.filter(pk=leyla.pk).update(is_active=False)

    assert type_code(client).status_code == 422
    assert not is_in(client)


def test_whoever_is_switched_off_is_out_with_the_next_request(client: Client, leyla: User) -> None:
    type_password(client)
    type_code(client)
    User.objects.filter(pk=leyla.pk).update(is_active=False)

    assert client.get("/desk/")["Location"].startswith(SIGN_IN)


def test_an_owner_lets_in_a_colleague_who_has_lost_the_phone(
    client: Client, leyla: User, make_staff: Callable[..., User]
) -> None:
    """The colleague is signed out everywhere; the owner's own second step stays."""
    type_password(client)
    type_code(client)
    olivia = make_staff("olivia@studio.example", Role.OWNER, is_staff=True, is_superuser=True)
    TOTP.activate(olivia, SECRET)
    owner = Client()
    sign_in_staff(owner, olivia)

    owner.post(
        "/admin/accounts/user/", {"action": "reset_second_step", "_selected_action": [leyla.pk, olivia.pk]}, follow=True
    )

    assert not is_in(client)
    assert not second_factors_of(leyla)
    assert second_factors_of(olivia)
    type_password(client)
    assert client.get("/desk/")["Location"].startswith(SET_UP)


def test_starting_again_forgets_the_password(client: Client, leyla: User) -> None:
    type_password(client)
    client.post("/desk/sign-out")

    assert client.get(SECOND_STEP)["Location"] == SIGN_IN


@pytest.mark.parametrize("path", [SIGN_IN, SECOND_STEP, SET_UP])
def test_every_form_takes_its_token(leyla: User, path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path, {"login": "x", "code": "1"}).status_code == 403


@pytest.mark.parametrize(
    "credential",
    [
        *("", "x", "null", "[]", "{}", "1", '"x"', '{"id": 1}', '{"id": "eA", "rawId": "eA", "response": {}}'),
        '{"id": "eA", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "eA"}}',
        json.dumps(
            {
                "id": "eA",
                "rawId": "eA",
                "type": "public-key",
                "response": {"clientDataJSON": "e30", "authenticatorData": "eA", "signature": "eA"},
            }
        ),
        json.dumps(
            {
                "id": "eA",
                "rawId": "eA",
                "type": "public-key",
                "response": {"clientDataJSON": "e30", "attestationObject": "oA"},
            }
        ),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_forged_passkey_is_refused(
    client: Client, leyla: User, newcomer: User, credential: str, is_new: bool
) -> None:
    type_password(client, newcomer.email if is_new else leyla.email)
    path = SET_UP if is_new else SECOND_STEP
    client.get(path)

    assert client.post(path, {"credential": credential}).status_code == 422
    assert not is_in(client)


def test_pages_of_the_sign_in_are_never_kept(client: Client, leyla: User, newcomer: User) -> None:
    assert "no-store" in client.get(SIGN_IN)["Cache-Control"]
    type_password(client)
    assert "no-store" in client.get(SECOND_STEP)["Cache-Control"]
    other = Client()
    type_password(other, newcomer.email)
    assert "no-store" in other.get(SET_UP)["Cache-Control"]
