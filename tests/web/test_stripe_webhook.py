"""The Stripe webhook: it stores only events that Stripe signed, and answers at once."""

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


HOSTILE = {
    "id is a number": {**EVENT, "id": 5},
    "id is a list": {**EVENT, "id": ["evt_1"]},
    "id without end": {**EVENT, "id": "evt_" + "1" * 300},
    "id with a zero byte": {**EVENT, "id": "evt_\x001"},
    "half a character": {**EVENT, "id": "evt_\ud800"},
    "type is an object": {**EVENT, "type": {}},
    "type with a zero byte": {**EVENT, "type": "refund.\x00"},
    "account is an object": {**EVENT, "account": {"id": "acct_1"}},
    "object is missing": {**EVENT, "data": {}},
    "object is a list": {**EVENT, "data": {"object": []}},
    "object is a text": {**EVENT, "data": {"object": "pi_1"}},
    "object id is a number": {**EVENT, "data": {"object": {"id": 1}}},
    "object id with a zero byte": {**EVENT, "data": {"object": {"id": "pi_\x00"}}},
}


@pytest.mark.parametrize("event", HOSTILE.values(), ids=HOSTILE)
def test_signed_notice_of_a_wrong_shape_is_refused(client: Client, stripe: Stripe, event: dict[str, object]) -> None:
    assert client.post(URL, **money.sent(event, stripe.webhook_secret)).status_code == 400
    assert not StripeEvent.objects.exists()


UNUSUAL = {
    "metadata is a list": {"metadata": ["payment"]},
    "metadata is deep": {"metadata": {"payment": {"a": [{}]}, "note": "\x00"}},
    "payment is expanded": {"payment_intent": {"id": "pi_2", "client_secret": "of nobody"}},
    "texts hold a zero byte": {"status": "\x00", "reason": "\ud800", "currency": "\x00"},
    "sums are no numbers": {"amount": [1], "currency": 7},
    "a sum has no end": {"amount": 10**400},
    "object has no id": {"id": None},
}


@pytest.mark.parametrize("found", UNUSUAL.values(), ids=UNUSUAL)
def test_signed_notice_of_an_unusual_object_is_kept_and_worked_on(
    client: Client, stripe: Stripe, found: dict[str, object]
) -> None:
    event = money.notice("refund.updated", {"id": "re_1", "object": "refund", **found})

    assert client.post(URL, **money.sent(event, stripe.webhook_secret)).status_code == 200
    money.deliver()
    assert StripeEvent.objects.get().outcome == "no such payment here"


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"id": NaN}', b'{"id": 1e999}', b'{"id": ' + b"9" * 10_000 + b"}"],
    ids=["deep", "no number", "no end", "long number"],
)
def test_body_that_is_no_json_of_anybody_is_refused(client: Client, stripe: Stripe, body: bytes) -> None:
    for signature in ("t=1,v1=0", money.signed(body, stripe.webhook_secret)):
        response = client.post(URL, body, content_type="application/json", headers={"Stripe-Signature": signature})
        assert response.status_code == 400


@pytest.mark.parametrize("signature", ["t=1,v1=\xe9", "t", ",", "t=\xb2,v1=0", "=,=", f"t={'9' * 5000},v1=0"])
def test_signature_of_a_wrong_shape_is_refused(client: Client, stripe: Stripe, signature: str) -> None:
    signature = signature.replace("t=1,", f"t={int(time.time())},")

    response = client.post(URL, BODY, content_type="application/json", headers={"Stripe-Signature": signature})

    assert response.status_code == 400


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
    plain = money.notice("charge.succeeded", {"id": "ch_1", "object": "charge"}, event_id="evt_2")

    with django_assert_max_num_queries(6):  # type: ignore[operator]
        client.post(URL, **money.sent(plain, stripe.webhook_secret))
    # It is read at once, because a person waits for it.
    with django_assert_max_num_queries(18):  # type: ignore[operator]
        client.post(URL, **money.sent(EVENT, stripe.webhook_secret))
