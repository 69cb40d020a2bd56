"""One's own account: password, second steps, recovery codes and open sessions, each only of the user themselves."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.retention import forget_ended_sessions
from accounts.second_factor import add_passkey, change_password, new_recovery_codes, reset_second_factor
from core import clock
from notifications.operations import send_due
from staff.enums import Role
from tests import factories, money
from tests.factories import NOW, Studio
from tests.signing_in import SECRET, code_of
from tests.web.conftest import StoppedClock

PASSWORD, NEW = "a long password", "four quiet words here"
ACCOUNT = "/desk/account/"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605 Version/18.5 Mobile/15E148 Safari/604.1"


@pytest.fixture
def leyla(studio: Studio) -> User:
    user = factories.desk_user(Role.FRONT_DESK, studio.location, email="leyla@studio.example", name="Leyla Demir")
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, SECRET)
    new_recovery_codes(user, now=clock.now())
    return user


@pytest.fixture
def desk(client: Client, leyla: User) -> Client:
    return sign_in(client, leyla)


@pytest.fixture
def phone(desk: Client, leyla: User, stopped: StoppedClock) -> Client:
    """A second browser of the same user, half a minute later, because a code counts once."""
    stopped.pass_minutes(0.5)
    return sign_in(Client(headers={"User-Agent": PHONE}, REMOTE_ADDR="2001:db8:1:2::7"), leyla)


def sign_in(client: Client, user: User) -> Client:
    client.post("/desk/sign-in", {"login": user.email, "password": PASSWORD})
    client.post("/desk/sign-in/second-step", {"code": code_of(), "kind": "app"})
    return client


def is_in(client: Client) -> bool:
    return client.get("/desk/").status_code == 200


def page(client: Client) -> str:
    return client.get(ACCOUNT).content.decode()


def change(client: Client, old: str = PASSWORD, new: str = NEW, again: str = NEW) -> HttpResponse:
    return client.post("/desk/account/password", {"old_password": old, "new_password1": new, "new_password2": again})


def mails() -> list[tuple[str, str]]:
    money.deliver(now=clock.now())
    send_due(now=clock.now(), limit=20)
    return [(message.to[0], message.subject) for message in mail.outbox]


# --- the password -------------------------------------------------------------------------------------------------


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(desk: Client, phone: Client, leyla: User) -> None:
    key = desk.session.session_key
    answer = change(desk)

    assert (answer.status_code, answer["Location"]) == (303, ACCOUNT)
    assert (is_in(desk), is_in(phone)) == (True, False)
    assert desk.session.session_key != key
    assert Session.objects.count() == 1
    leyla.refresh_from_db()
    assert leyla.check_password(NEW)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"old": "wrong"}, "not your password"),
        ({"again": "something else"}, "match"),
        ({"new": "12345", "again": "12345"}, "too short"),
        ({"new": "password", "again": "password"}, "too common"),
        ({"new": "leyla@studio", "again": "leyla@studio"}, "too similar"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    desk: Client, leyla: User, changes: dict[str, str], said: str
) -> None:
    answer = change(desk, **changes)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    leyla.refresh_from_db()
    assert leyla.check_password(PASSWORD)


def test_guessing_the_own_password_ends_at_the_limit(desk: Client, settings: object) -> None:
    settings.SIGN_INS_PER_MINUTE = 2
    answers = ["Too many tries" in change(desk, old=f"guess {n}").content.decode() for n in range(4)]

    assert answers == [False, False, True, True]


def test_the_admin_changes_the_own_password_on_the_same_page(desk: Client, leyla: User) -> None:
    User.objects.filter(pk=leyla.pk).update(is_staff=True)

    assert desk.get("/admin/password_change/")["Location"] == "/desk/account/password"


# --- second steps -------------------------------------------------------------------------------------------------


def test_the_only_second_step_cannot_be_removed(desk: Client, leyla: User) -> None:
    app = Authenticator.objects.get(user=leyla, type="totp")
    assert "Remove" not in page(desk)

    answer = desk.post(f"{ACCOUNT}second-steps/{app.pk}/remove", follow=True)

    assert "your only second step" in answer.content.decode()
    assert Authenticator.objects.filter(pk=app.pk).exists()


def test_one_of_two_second_steps_can_be_removed(desk: Client, leyla: User) -> None:
    app = Authenticator.objects.get(user=leyla, type="totp")
    add_passkey(leyla, {}, "Firefox on Windows", is_first=False, now=clock.now())
    assert "Passkey: Firefox on Windows" in page(desk)

    desk.post(f"{ACCOUNT}second-steps/{app.pk}/remove")

    assert not Authenticator.objects.filter(pk=app.pk).exists()


def test_the_second_step_of_somebody_else_is_out_of_reach(desk: Client, leyla: User) -> None:
    other = User.objects.create_user("other@studio.example")
    TOTP.activate(other, SECRET)
    theirs = Authenticator.objects.get(user=other)

    desk.post(f"{ACCOUNT}second-steps/{theirs.pk}/remove")

    assert Authenticator.objects.filter(pk=theirs.pk).exists()


def test_a_new_phone_replaces_the_old_one(desk: Client, leyla: User, stopped: StoppedClock) -> None:
    shown = desk.get(f"{ACCOUNT}set-up?next={ACCOUNT}")
    secret = shown.context["app"].secret.replace(" ", "")

    answer = desk.post(f"{ACCOUNT}set-up", {"code": code_of(secret), "next": ACCOUNT})

    assert "stops working" in shown.content.decode()
    assert answer["Location"] == ACCOUNT
    stopped.pass_minutes(1)
    other = Client()
    other.post("/desk/sign-in", {"login": leyla.email, "password": PASSWORD})
    assert other.post("/desk/sign-in/second-step", {"code": code_of(), "kind": "app"}).status_code == 422
    assert other.post("/desk/sign-in/second-step", {"code": code_of(secret), "kind": "app"}).status_code == 302


def test_new_recovery_codes_are_shown_once(desk: Client, leyla: User) -> None:
    codes = desk.post(f"{ACCOUNT}recovery-codes", {"next": ACCOUNT}).context["codes"]

    assert len(codes) == 10
    assert codes[0] not in page(desk)
    assert "10 of 10 left" in page(desk)


@pytest.mark.parametrize("path", ["set-up", "recovery-codes", "second-steps/1/remove"])
def test_what_weakens_the_sign_in_asks_again(desk: Client, stopped: StoppedClock, path: str) -> None:
    stopped.pass_minutes(11)

    assert desk.post(f"{ACCOUNT}{path}")["Location"].startswith(f"{ACCOUNT}confirm?next=")


# --- open sessions ------------------------------------------------------------------------------------------------


def test_the_page_lists_where_the_user_is_signed_in(desk: Client, phone: Client, stopped: StoppedClock) -> None:
    stopped.pass_minutes(12)
    assert is_in(desk)
    html = page(desk)

    assert re.search(r"This browser · Active now · 127\.0\.0\.1", html)
    assert "Safari on iPhone" in html
    assert "Active 12 min ago · 2001:db8:1:2::7" in html


def test_another_browser_is_signed_out_from_here(desk: Client, phone: Client, leyla: User) -> None:
    [path] = re.findall(r"/desk/account/sessions/\d+/end", page(desk))
    desk.post(path)

    assert (is_in(desk), is_in(phone)) == (True, False)


def test_all_other_browsers_are_signed_out_at_once(desk: Client, phone: Client) -> None:
    desk.post(f"{ACCOUNT}sessions/end")

    assert (is_in(desk), is_in(phone)) == (True, False)


def test_nobody_ends_the_session_of_somebody_else(desk: Client, studio: Studio) -> None:
    other = factories.desk_user(Role.MANAGER, studio.location, email="jonas@studio.example")
    other.set_password(PASSWORD)
    other.save()
    TOTP.activate(other, SECRET)
    jonas = sign_in(Client(), other)
    theirs = UserSession.objects.get(user=other)

    desk.post(f"{ACCOUNT}sessions/{theirs.pk}/end")
    desk.post(f"{ACCOUNT}sessions/end")

    assert is_in(jonas)


def test_a_session_that_has_run_out_is_not_listed(desk: Client, phone: Client, stopped: StoppedClock) -> None:
    stopped.pass_minutes(20)
    is_in(desk)
    stopped.pass_minutes(20)
    assert is_in(desk)

    assert "iPhone" not in page(desk)


def test_what_is_kept_about_a_session_goes_with_it(desk: Client, phone: Client) -> None:
    assert forget_ended_sessions(now=NOW) == 0
    Session.objects.filter(pk=phone.session.session_key).delete()

    assert forget_ended_sessions(now=NOW) == 1


def test_the_page_takes_as_many_queries_with_more_sessions(
    desk: Client, leyla: User, django_assert_num_queries: DjangoAssertNumQueries, stopped: StoppedClock
) -> None:
    desk.get(ACCOUNT)
    with django_assert_num_queries(5):
        desk.get(ACCOUNT)
    for _ in range(2):
        stopped.pass_minutes(0.5)
        sign_in(Client(), leyla)
    desk.get(ACCOUNT)
    with django_assert_num_queries(5):
        desk.get(ACCOUNT)


# --- e-mails ------------------------------------------------------------------------------------------------------


def test_the_user_hears_of_every_change(leyla: User) -> None:
    money.deliver(now=clock.now())
    mail.outbox.clear()
    add_passkey(leyla, {}, "Key", is_first=False, now=clock.now())
    change_password(leyla, NEW, now=clock.now())
    reset_second_factor(leyla, now=clock.now())

    told = mails()
    assert {to for to, _ in told} == {"leyla@studio.example"}
    assert {"A second step was added to your sign-in", "Your password was changed", "Your second step was reset"} <= {
        subject for _, subject in told
    }
    assert all("change your password now" in message.body for message in mail.outbox)


def test_the_user_hears_of_a_used_recovery_code(leyla: User) -> None:
    [code, *_] = new_recovery_codes(leyla, now=clock.now())
    client = Client()
    client.post("/desk/sign-in", {"login": leyla.email, "password": PASSWORD})
    client.post("/desk/sign-in/second-step", {"code": code, "kind": "recovery"})

    assert ("leyla@studio.example", "A recovery code was used to sign in") in mails()
