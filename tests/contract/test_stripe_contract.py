"""What Stripe's documentation promises and our payments rely on."""

import json
import secrets
import time

import pytest
import stripe

from tests import webhook_sink

RETURN_URL = "https://openhours.example/back"
VISA = {"payment_method": "pm_card_visa", "return_url": RETURN_URL}


def intent(client, amount=5000, **more):
    given = {"amount": amount, "currency": "eur", "automatic_payment_methods": {"enabled": True}, **more}
    return client.v1.payment_intents.create(given)


def paid(client, amount=5000, **more):
    return client.v1.payment_intents.confirm(intent(client, amount, **more).id, VISA)


def customer_with_card(client, card="pm_card_visa"):
    customer = client.v1.customers.create({"email": "casey@example.com", "name": "Casey"})
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    return customer.id, method.id


# --- life of a payment ---


def test_intent_when_created_waits_for_a_card_and_keeps_what_it_was_given(client):
    made = intent(client, metadata={"payment": "17"}, description="Visit", setup_future_usage="off_session")

    assert made.status == "requires_payment_method"
    assert made.client_secret.startswith(f"{made.id}_secret_")
    assert (made.amount, made.currency, made.amount_received) == (5000, "eur", 0)
    assert made.metadata.to_dict() == {"payment": "17"}
    assert (made.description, made.setup_future_usage) == ("Visit", "off_session")
    assert made.automatic_payment_methods.enabled is True
    assert made.livemode is False


def test_intent_when_confirmed_with_a_good_card_succeeds(client):
    done = paid(client)

    assert (done.status, done.amount_received) == ("succeeded", 5000)
    charge = client.v1.charges.retrieve(done.latest_charge)
    assert (charge.status, charge.amount, charge.payment_intent) == ("succeeded", 5000, done.id)
    assert charge.payment_method_details.card.last4 == "4242"


def test_intent_when_asked_to_expand_has_the_objects(client):
    done = paid(client)

    whole = client.v1.payment_intents.retrieve(done.id, {"expand": ["latest_charge", "payment_method"]})

    assert whole.latest_charge.amount_refunded == 0
    assert whole.payment_method.card.brand == "visa"


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_intent_when_the_card_is_declined_says_why_and_can_be_paid_with_another(client, card, decline_code):
    made = intent(client)

    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.confirm(made.id, {"payment_method": card, "return_url": RETURN_URL})

    error = refusal.value.error
    assert (refusal.value.http_status, error.type, error.code) == (402, "card_error", "card_declined")
    assert error.decline_code == decline_code
    assert error.payment_intent.id == made.id
    now = client.v1.payment_intents.retrieve(made.id)
    assert (now.status, now.payment_method) == ("requires_payment_method", None)
    assert now.last_payment_error.decline_code == decline_code
    assert client.v1.payment_intents.confirm(made.id, VISA).status == "succeeded"


def test_intent_when_succeeded_cannot_be_cancelled_or_paid_again(client):
    done = paid(client)

    with pytest.raises(stripe.InvalidRequestError) as cancelling:
        client.v1.payment_intents.cancel(done.id)
    with pytest.raises(stripe.InvalidRequestError) as paying:
        client.v1.payment_intents.confirm(done.id, VISA)

    assert cancelling.value.code == paying.value.code == "payment_intent_unexpected_state"
    assert client.v1.payment_intents.retrieve(done.id).status == "succeeded"


def test_intent_when_cancelled_cannot_be_paid(client):
    made = intent(client)

    cancelled = client.v1.payment_intents.cancel(made.id, {"cancellation_reason": "abandoned"})

    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.confirm(made.id, VISA)
    assert refusal.value.code == "payment_intent_unexpected_state"


def test_intent_when_unknown_is_404(client):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.retrieve("pi_there_is_none")

    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"amount": 10, "currency": "eur"}, "amount_too_small"),
        ({"amount": 100_000_000, "currency": "eur"}, "amount_too_large"),
        ({"amount": 5000, "currency": "eur", "colour": "blue"}, "parameter_unknown"),
        ({"amount": "50.5", "currency": "eur"}, "parameter_invalid_integer"),
        ({"currency": "eur"}, "parameter_missing"),
    ],
)
def test_intent_when_asked_for_wrongly_is_refused(client, given, code):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.create(given)

    assert (refusal.value.http_status, refusal.value.code) == (400, code)


def test_intent_when_confirmed_without_a_way_back_is_refused(client):
    made = intent(client)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})

    assert "return_url" in str(refusal.value)


def test_intents_when_listed_are_those_of_the_customer_since_then(client):
    customer, _ = customer_with_card(client)
    since = int(time.time()) - 60
    first, second = intent(client, customer=customer), intent(client, customer=customer)

    listed = client.v1.payment_intents.list({"customer": customer, "created": {"gte": since}})
    page = client.v1.payment_intents.list({"customer": customer, "limit": 1})
    rest = client.v1.payment_intents.list({"customer": customer, "limit": 1, "starting_after": page.data[0].id})

    assert {each.id for each in listed.data} == {first.id, second.id}
    assert page.has_more
    assert {page.data[0].id, rest.data[0].id} == {first.id, second.id}
    later = {"customer": customer, "created": {"gte": int(time.time()) + 3600}}
    assert client.v1.payment_intents.list(later).data == []


# --- keys of requests ---


def test_request_when_repeated_with_its_key_gets_the_first_answer(client):
    key = {"idempotency_key": secrets.token_hex()}
    given = {"amount": 5000, "currency": "eur"}

    first = client.v1.payment_intents.create(given, key)
    second = client.v1.payment_intents.create(given, key)

    assert second.id == first.id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"


def test_request_when_its_key_comes_with_other_parameters_is_refused(client):
    key = {"idempotency_key": secrets.token_hex()}
    client.v1.payment_intents.create({"amount": 5000, "currency": "eur"}, key)

    with pytest.raises(stripe.IdempotencyError) as refusal:
        client.v1.payment_intents.create({"amount": 6000, "currency": "eur"}, key)

    assert refusal.value.http_status == 400


def test_request_when_declined_is_declined_again_with_its_key(client):
    key = {"idempotency_key": secrets.token_hex()}
    made = intent(client)
    given = {"payment_method": "pm_card_visa_chargeDeclined", "return_url": RETURN_URL}

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.confirm(made.id, given, key)


# --- later charges ---


def test_card_when_charged_while_nobody_is_there_pays(client):
    customer, method = customer_with_card(client)

    done = intent(
        client, customer=customer, payment_method=method, off_session=True, confirm=True, return_url=RETURN_URL
    )

    assert (done.status, done.payment_method) == ("succeeded", method)


def test_card_when_it_wants_its_owner_there_says_authentication_required(client):
    customer, method = customer_with_card(client, "pm_card_authenticationRequired")

    with pytest.raises(stripe.CardError) as refusal:
        intent(client, customer=customer, payment_method=method, off_session=True, confirm=True, return_url=RETURN_URL)

    error = refusal.value.error
    assert (refusal.value.http_status, error.code) == (402, "authentication_required")
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_intent.customer == customer
    assert error.payment_method.id == method
    assert client.v1.payment_intents.retrieve(error.payment_intent.id).status == "requires_payment_method"


def test_card_when_it_wants_its_owner_there_and_they_are_waits_for_them(client):
    waiting = client.v1.payment_intents.confirm(
        intent(client).id, {"payment_method": "pm_card_authenticationRequired", "return_url": RETURN_URL}
    )

    assert waiting.status == "requires_action"
    assert waiting.next_action is not None


def test_setup_when_confirmed_keeps_the_card_for_the_customer(client):
    customer = client.v1.customers.create({"email": "casey@example.com"})
    made = client.v1.setup_intents.create({"customer": customer.id, "usage": "off_session"})

    done = client.v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_visa", "return_url": RETURN_URL})

    assert (made.status, done.status) == ("requires_payment_method", "succeeded")
    method = client.v1.payment_methods.retrieve(done.payment_method)
    assert (method.customer, method.card.last4) == (customer.id, "4242")
    assert client.v1.payment_methods.detach(method.id).customer is None


def test_setup_when_cancelled_stays_cancelled(client):
    made = client.v1.setup_intents.create({"usage": "off_session"})

    assert client.v1.setup_intents.cancel(made.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.setup_intents.cancel(made.id)
    assert refusal.value.code == "setup_intent_unexpected_state"


# --- money back ---


def test_refunds_when_together_no_more_than_the_charge_are_made(client):
    done = paid(client)

    part = client.v1.refunds.create({"payment_intent": done.id, "amount": 2000, "metadata": {"refund": "3"}})
    with pytest.raises(stripe.InvalidRequestError) as too_much:
        client.v1.refunds.create({"payment_intent": done.id, "amount": 3001})
    rest = client.v1.refunds.create({"payment_intent": done.id})
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.refunds.create({"payment_intent": done.id, "amount": 1})

    assert (part.status, part.amount, part.metadata.to_dict()) == ("succeeded", 2000, {"refund": "3"})
    assert "greater than" in str(too_much.value)
    assert rest.amount == 3000
    assert again.value.code == "charge_already_refunded"
    listed = client.v1.refunds.list({"payment_intent": done.id})
    assert sorted(each.amount for each in listed.data) == [2000, 3000]
    charge = client.v1.charges.retrieve(done.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (5000, True)


def test_refund_when_nothing_was_paid_is_refused(client):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent(client).id})

    assert refusal.value.http_status == 400


# --- what Stripe tells ---


def test_webhook_when_delivered_is_signed_and_says_what_became_of_the_payment(client, control, stand_in):
    with webhook_sink.running() as sink:
        control.set_webhook(sink.url)
        done = paid(client)
        received = sink.wait_for(3)

    events = {
        event.type: event
        for event in (
            stripe.Webhook.construct_event(each.body, each.signature, stand_in.webhook_secret) for each in received
        )
    }
    assert set(events) == {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"}
    told = events["payment_intent.succeeded"]
    assert (told.data.object.id, told.data.object.status) == (done.id, "succeeded")
    assert (told.livemode, told.api_version) == (False, stripe.api_version)
    assert told.request.id == done.last_response.request_id
    listed = client.v1.events.list({"type": "payment_intent.succeeded"})
    assert [json.loads(json.dumps(each.data.object.to_dict()))["id"] for each in listed.data] == [done.id]


def test_webhook_when_the_secret_is_wrong_is_not_believed(client, control):
    with webhook_sink.running() as sink:
        control.set_webhook(sink.url)
        intent(client)
        (received,) = sink.wait_for(1)

    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(received.body, received.signature, "whsec_other")
