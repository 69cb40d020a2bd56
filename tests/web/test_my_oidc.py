"""Customers sign in by OpenID Connect, against a provider that runs here."""

import copy
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Customer, CustomerSession, User
from tests import oidc_provider
from tests.factories import Studio
from tests.journeys import booked
from tests.oidc_provider import CLIENT_ID, SECRET, Provider
from tests.web.test_my_sign_in import EMAIL, MY, SIGN_IN

pytestmark = pytest.mark.django_db
BEGIN, BACK = (reverse(f"openid_connect_{name}", args=["sso"]) for name in ("login", "callback"))


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        settings.OIDC_ISSUER, settings.OIDC_NAME = provider.issuer, "Linden ID"
        providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
        providers["openid_connect"]["APPS"][0] |= {
            "client_id": CLIENT_ID,
            "secret": SECRET,
            "settings": {"server_url": provider.issuer, "fetch_userinfo": False},
        }
        settings.SOCIALACCOUNT_PROVIDERS = providers
        yield provider


def goes_there(client: Client, provider: Provider, **more: str) -> dict[str, str]:
    """Follow the button, and return what the provider is asked."""
    answer = client.get(BEGIN, more)
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{provider.issuer}/authorize?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}
    provider.challenge = asked["code_challenge"]
    return asked


def comes_back(client: Client, provider: Provider, *, code: str = "right", **more: str) -> HttpResponse:
    asked = goes_there(client, provider, **more)
    return client.get(BACK, {"code": code, "state": asked["state"]})


def is_refused(client: Client, answer: HttpResponse) -> bool:
    is_out = client.get(MY).status_code == 302 and not CustomerSession.objects.exists()
    return (answer.status_code, answer["Location"]) == (303, SIGN_IN) and is_out


def test_a_proven_mailbox_signs_in(client: Client, studio: Studio, provider: Provider) -> None:
    booking = booked(studio)
    provider.claims = {"email": EMAIL, "email_verified": True}
    assert "With Linden ID" in client.get(SIGN_IN).content.decode()

    answer = comes_back(client, provider, next="/my/security/")

    assert (answer.status_code, answer["Location"]) == (303, "/my/security/")
    assert client.get(MY).status_code == 200
    customer = Customer.objects.get()
    assert (customer, customer.user) == (booking.customer, User.objects.get())
    assert not SocialAccount.objects.exists()
    assert not SocialToken.objects.exists()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "claims",
    [
        {"email": EMAIL},
        {"email": EMAIL, "email_verified": False},
        {"email": EMAIL, "email_verified": "false"},
        {"email_verified": True},
        {"email": EMAIL, "email_verified": True, "aud": "another site"},
        {"email": EMAIL, "email_verified": True, "iss": "https://evil.example"},
        {"email": EMAIL, "email_verified": True, "exp": 1},
    ],
)
def test_anything_less_does_not(client: Client, studio: Studio, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims

    assert is_refused(client, comes_back(client, provider))
    assert not User.objects.exists()


def test_the_answer_belongs_to_the_browser_that_asked(client: Client, studio: Studio, provider: Provider) -> None:
    provider.claims = {"email": EMAIL, "email_verified": True}
    state = goes_there(client, provider)["state"]

    victim = Client()
    assert is_refused(victim, victim.get(BACK, {"code": "right", "state": state}))
    assert client.get(BACK, {"code": "right", "state": state})["Location"] == MY
    CustomerSession.objects.all().delete()
    assert is_refused(client, client.get(BACK, {"code": "right", "state": state}))


def test_no_and_wrong_answers_lead_back(client: Client, studio: Studio, provider: Provider) -> None:
    asked = goes_there(client, provider)
    assert asked["redirect_uri"] == f"http://testserver{BACK}"
    assert is_refused(client, client.get(BACK, {"error": "access_denied", "state": asked["state"]}))
    assert "That did not work" in client.get(SIGN_IN).content.decode()
    assert is_refused(client, comes_back(client, provider, code="wrong"))
    assert is_refused(client, client.get(BACK))


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example"])
def test_it_leads_on_to_this_site_alone(client: Client, studio: Studio, provider: Provider, next_page: str) -> None:
    provider.claims = {"email": EMAIL, "email_verified": True}

    assert comes_back(client, provider, next=next_page)["Location"] == MY


def test_parameters_of_the_address_change_nothing(client: Client, studio: Studio, provider: Provider) -> None:
    more = {"auth_params": "redirect_uri=https://evil.example", "scope": "all", "process": "connect"}
    asked = goes_there(client, provider, **more)

    assert (asked["redirect_uri"], set(asked["scope"].split())) == (f"http://testserver{BACK}", {"openid", "email"})


def test_without_the_provider_people_use_a_code(client: Client, studio: Studio, settings: Any) -> None:
    assert client.get(BEGIN).status_code == 404
    assert "With " + settings.OIDC_NAME not in client.get(SIGN_IN).content.decode()
    with oidc_provider.running() as gone:
        pass
    settings.OIDC_ISSUER = gone.issuer
    providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    providers["openid_connect"]["APPS"][0]["settings"]["server_url"] = gone.issuer
    settings.SOCIALACCOUNT_PROVIDERS = providers

    assert is_refused(client, client.get(BEGIN))
    assert client.get(reverse("openid_connect_login", args=["other"])).status_code == 404
