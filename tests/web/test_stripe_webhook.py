"""The address where Stripe tells us something: only what it signed is kept, and it is answered at once."""

import json
import time

import pytest
from django.test import Client

from core.models import OutboxMessage
from devservers.stripe import Stripe
from payments.models import StripeEvent
from tests import money

pytestmark = pytest.mark.django_db

URL = "/stripe/webhook"
EVENT = money.notice("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"})


def test_signed_notice_is_kept_and_published(client: Client, stripe: Stripe) -> None:
    response = client.post(URL, **money.sent(EVENT, stripe.webhook_secret))

    assert response.status_code == 200
    assert StripeEvent.objects.get().object_id == "pi_1"
    assert OutboxMessage.objects.get().topic == "stripe.event"


def test_notice_sent_again_is_answered_and_kept_once(client: Client, stripe: Stripe) -> None:
    answers = [client.post(URL, **money.sent(EVENT, stripe.webhook_secret)).status_code for _ in range(10)]

    assert answers == [200] * 10
    assert StripeEvent.objects.count() == OutboxMessage.objects.count() == 1


BODY = json.dumps(EVENT).encode()


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        money.signed(BODY, "whsec_of_somebody_else"),
        money.signed(BODY + b" ", "THE SECRET"),
        money.signed(b"\xef\xbb\xbf" + BODY, "THE SECRET"),
        money.signed(BODY, "THE SECRET", at=time.time() - 600),
        money.signed(BODY, "THE SECRET").replace("v1=", "v0="),
    ],
    ids=["none", "nonsense", "other secret", "other body", "byte order mark", "old", "other scheme"],
)
def test_forged_notice_is_refused_and_leaves_nothing(
    client: Client, stripe: Stripe, settings: pytest.FixtureRequest, signature: str
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["THE SECRET"]  # type: ignore[attr-defined]

    response = client.post(URL, BODY, content_type="application/json", headers={"Stripe-Signature": signature})

    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


def test_both_secrets_are_good_while_one_replaces_the_other(
    client: Client, stripe: Stripe, settings: pytest.FixtureRequest
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]  # type: ignore[attr-defined]

    for secret in ("whsec_new", "whsec_old"):
        assert client.post(URL, **money.sent(EVENT, secret)).status_code == 200


def test_one_good_signature_among_several_is_enough(client: Client, stripe: Stripe) -> None:
    sent = money.sent(EVENT, stripe.webhook_secret)
    sent["headers"]["Stripe-Signature"] += ",v1=0000"

    assert client.post(URL, **sent).status_code == 200


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"{}", b'{"id": "evt_1"}', b"\xff\xfe", b"null"])
def test_signed_nonsense_is_refused(client: Client, stripe: Stripe, body: bytes) -> None:
    headers = {"Stripe-Signature": money.signed(body, stripe.webhook_secret)}

    response = client.post(URL, body, content_type="application/json", headers=headers)

    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


def test_two_megabytes_are_refused(client: Client, stripe: Stripe) -> None:
    event = {**EVENT, "filler": "x" * 2_000_000}

    assert client.post(URL, **money.sent(event, stripe.webhook_secret)).status_code == 413
    assert not StripeEvent.objects.exists()


def test_looking_is_not_possible(client: Client) -> None:
    assert client.get(URL).status_code == 405


def test_without_a_secret_nothing_is_believed(client: Client, settings: pytest.FixtureRequest) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = []  # type: ignore[attr-defined]

    assert client.post(URL, **money.sent(EVENT, "")).status_code == 400


def test_a_notice_takes_few_statements(
    client: Client, stripe: Stripe, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        client.post(URL, **money.sent(EVENT, stripe.webhook_secret))
