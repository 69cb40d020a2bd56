"""The password and the passkeys of customers, and the mails about them."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts import customer_secrets
from accounts.models import Customer, CustomerSession, User
from core.outbox import drain
from staff.enums import Role
from tests import factories
from tests.factories import Studio
from tests.signing_in import sign_in_customer
from tests.web.conftest import StoppedClock
from tests.web.test_my_sign_in import EMAIL, MY, mailed, signs_in, types

pytestmark = pytest.mark.django_db
SECURITY, PASSWORD, CONFIRM = reverse("my_security"), reverse("my_password"), reverse("my_confirm")
WITH_PASSWORD, WITH_PASSKEY = reverse("my_password_sign_in"), reverse("my_passkey_sign_in")
NEW = "three quiet otters"


@pytest.fixture
def jana(client: Client, studio: Studio, stopped: StoppedClock) -> Customer:
    signs_in(client, stopped)
    return Customer.objects.get()


def sets(client: Client, password: str = NEW) -> HttpResponse:
    return client.post(PASSWORD, {"new_password1": password, "new_password2": password})


def signs_in_with(client: Client, password: str, email: str = EMAIL, **more: str) -> HttpResponse:
    return client.post(WITH_PASSWORD, {"email": email, "password": password, **more})


def subjects_to(stopped: StoppedClock, email: str = EMAIL) -> list[str]:
    while drain(now=stopped.now()):
        pass
    mailed(stopped, email)
    return [each.subject for each in mail.outbox if each.to == [email] and "code" not in each.subject]


def test_a_password_signs_in_and_is_announced(client: Client, jana: Customer, stopped: StoppedClock) -> None:
    phone = Client()
    signs_in(phone, stopped)
    assert sets(client)["Location"] == SECURITY
    assert [client.get(MY).status_code, phone.get(MY).status_code] == [200, 302]
    assert subjects_to(stopped) == ["Your password was changed"]

    answer = signs_in_with(phone, NEW, next=SECURITY)
    assert (answer.status_code, answer["Location"]) == (303, SECURITY)
    # Mails of one instant may leave in any order.
    stopped.pass_minutes(1)
    client.post(PASSWORD, {"remove": "1"})
    assert signs_in_with(Client(), NEW).status_code == 422
    assert subjects_to(stopped)[-1] == "Your password was removed"


@pytest.mark.parametrize("password", ["short", "password", ""])
def test_a_bad_password_is_refused(client: Client, jana: Customer, password: str) -> None:
    assert sets(client, password).status_code == 422
    assert not User.objects.get().has_usable_password()


def test_changing_how_to_sign_in_takes_a_code_of_the_last_minutes(
    client: Client, jana: Customer, stopped: StoppedClock
) -> None:
    stopped.pass_minutes(11)
    for path in (PASSWORD, reverse("my_passkey_new")):
        assert client.get(path)["Location"] == f"{CONFIRM}?next={path}"
    assert sets(client)["Location"] == f"{CONFIRM}?next={SECURITY}"
    assert not User.objects.get().has_usable_password()

    assert client.post(CONFIRM, {"next": PASSWORD})["Location"] == reverse("my_code")
    assert types(client, mailed(stopped))["Location"] == PASSWORD
    assert sets(client)["Location"] == SECURITY
    assert CustomerSession.objects.count() == 1


def test_every_refusal_of_a_password_says_the_same(client: Client, jana: Customer, stopped: StoppedClock) -> None:
    sets(client)
    owner = factories.desk_user(Role.OWNER, email="olivia@studio.example")
    owner.set_password(NEW)
    owner.save()
    sign_in_customer(Client(), Customer.objects.create(name="Olivia", email=owner.email))
    signs_in(Client(), stopped, "without@example.com")

    def said(email: str, password: str) -> str:
        answer = signs_in_with(Client(), password, email)
        assert answer.status_code == 422
        return answer.content.decode().partition('<form class="card"')[2].partition("field")[0].partition("value=")[0]

    wrong = {said(EMAIL, "wrong"), said("nobody@example.com", NEW), said("without@example.com", NEW)}
    assert wrong == {said(owner.email, NEW)}


def test_guessing_a_password_ends(client: Client, jana: Customer, settings: Any) -> None:
    settings.SIGN_INS_PER_MINUTE = 3
    sets(client)
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    assert [signs_in_with(stranger, "x").status_code for _ in range(3)] == [422] * 3

    assert "Too many tries" in signs_in_with(stranger, NEW).content.decode()
    # The browser that signed in before has tries of its own.
    client.post(reverse("my_sign_out"))
    assert signs_in_with(client, NEW).status_code == 303


def test_a_mailbox_alone_gives_staff_neither_password_nor_passkey(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    owner = factories.desk_user(Role.OWNER, email="olivia@studio.example")
    signs_in(client, stopped, owner.email)

    assert "You work here" in client.get(SECURITY).content.decode()
    assert sets(client)["Location"] == SECURITY
    assert client.post(reverse("my_passkey_new"), {"credential": "{}"})["Location"] == SECURITY
    owner.refresh_from_db()
    assert not owner.check_password(NEW)
    assert not Authenticator.objects.exists()


class Unlocked:
    """What the library says of a passkey that was unlocked, or not."""

    def __init__(self, is_unlocked: bool) -> None:
        self.is_user_verified = lambda: is_unlocked
        self.response = self
        self.authenticator_data = self


def test_a_passkey_is_stored_named_announced_and_removed(
    client: Client, jana: Customer, stopped: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_secrets, "parse_registration_response", lambda credential: None)
    monkeypatch.setattr(customer_secrets, "complete_registration", lambda credential: Unlocked(True))
    client.get(reverse("my_passkey_new"))
    sent = {"credential": json.dumps({"id": "a"})}
    client.post(reverse("my_passkey_new"), sent, headers={"User-Agent": "Firefox/1 (Windows)"})

    row = Authenticator.objects.get()
    assert (row.type, row.wrap().name, row.user) == ("webauthn", "Firefox on Windows", jana.user)
    assert "Passkey: Firefox on Windows" in client.get(SECURITY).content.decode()
    client.post(reverse("my_passkey_remove", args=[row.pk]))
    assert subjects_to(stopped) == ["A passkey was added to your sign-in", "A passkey was removed from your sign-in"]
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("is_unlocked", [True, False])
def test_a_passkey_signs_in_only_unlocked(
    client: Client, jana: Customer, monkeypatch: pytest.MonkeyPatch, is_unlocked: bool
) -> None:
    monkeypatch.setattr(customer_secrets, "parse_authentication_response", lambda credential: Unlocked(is_unlocked))
    monkeypatch.setattr(customer_secrets, "extract_user_from_response", lambda credential: jana.user)
    monkeypatch.setattr(customer_secrets, "complete_authentication", lambda user, credential: None)
    phone = Client()
    phone.get(WITH_PASSKEY)

    assert phone.post(WITH_PASSKEY, {"credential": "{}"}).status_code == (303 if is_unlocked else 422)
    assert phone.get(MY).status_code == (200 if is_unlocked else 302)


@pytest.mark.parametrize("credential", ["", "no json", "{}", "[]", '{"response": {"userHandle": "MQ"}}', "null"])
def test_a_forged_passkey_is_refused(client: Client, jana: Customer, credential: str) -> None:
    client.get(reverse("my_passkey_new"))
    client.post(reverse("my_passkey_new"), {"credential": credential})
    assert not Authenticator.objects.exists()

    phone = Client()
    phone.get(WITH_PASSKEY)
    assert phone.post(WITH_PASSKEY, {"credential": credential}).status_code == 422


def test_nobody_removes_the_passkey_of_another(client: Client, jana: Customer, stopped: StoppedClock) -> None:
    assert jana.user
    webauthn.WebAuthn.add(jana.user, "Phone", {})
    stranger = Client()
    signs_in(stranger, stopped, "other@example.com")
    stranger.post(reverse("my_passkey_remove", args=[Authenticator.objects.get().pk]))

    assert Authenticator.objects.count() == 1
