"""The stand-in for Stripe misbehaves as tests ask, and keeps no card numbers."""

import concurrent.futures
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import stripe as library

from devservers import stripe
from tests import servers, webhook_sink

RETURN_URL = "https://openhours.example/back"
VISA = {"payment_method": "pm_card_visa", "return_url": RETURN_URL}


@pytest.fixture(scope="module")
def server():
    server = stripe.start(servers.new_folder("stripe-edge") / "stripe", "http://localhost:1")
    yield server
    server.stop()


@pytest.fixture
def control(server):
    server.control.reset()
    server.control.set_webhook("")
    return server.control


@pytest.fixture
def client(server, control):
    addresses = {"api": server.url}
    return library.StripeClient(server.secret_key, base_addresses=addresses, max_network_retries=0)


@pytest.fixture
def sink(control):
    with webhook_sink.running() as sink:
        control.set_webhook(sink.url)
        yield sink


def intent(client, key=None, **more):
    options = {"idempotency_key": key} if key else {}
    return client.v1.payment_intents.create({"amount": 5000, "currency": "eur", **more}, options)


def paid(client, **more):
    return client.v1.payment_intents.confirm(intent(client, **more).id, VISA)


def wait_until(holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def types(received):
    return [json.loads(each.body)["type"] for each in received]


def from_browser(server, path, fields, key=None):
    """What the script in the browser sends: the status and the body."""
    request = urllib.request.Request(
        f"{server.url}{path}",
        data=urllib.parse.urlencode(fields).encode(),
        headers={"Authorization": f"Bearer {key or server.publishable_key}", "Origin": "http://localhost:1"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def card_fields(secret, number, year="2034"):
    card = {"number": number, "exp_month": "12", "exp_year": year, "cvc": "123"}
    fields = {f"payment_method_data[card][{name}]": value for name, value in card.items()}
    return {"client_secret": secret, "payment_method_data[type]": "card", "return_url": RETURN_URL} | fields


# --- faults ---


@pytest.mark.parametrize(
    ("kind", "raised", "code"),
    [("429", library.RateLimitError, "rate_limit"), ("lock_timeout", library.RateLimitError, "lock_timeout")],
)
def test_request_when_refused_at_the_door_can_be_repeated_with_its_key(client, control, kind, raised, code):
    control.fail("POST /v1/payment_intents", kind)

    with pytest.raises(raised) as refusal:
        intent(client, "key")

    assert refusal.value.error.code == code
    assert intent(client, "key").status == "requires_payment_method"


@pytest.mark.parametrize(("kind", "made"), [("500", 0), ("500_after", 1)])
def test_500_when_answered_is_answered_again_with_the_same_key(client, control, kind, made):
    control.fail("POST /v1/payment_intents", kind)

    for _ in range(2):
        with pytest.raises(library.APIError) as refusal:
            intent(client, "key")
        assert refusal.value.http_status == 500

    assert len(client.v1.payment_intents.list().data) == made
    assert intent(client, "another key").id


@pytest.mark.parametrize(("kind", "made"), [("reset_before", 0), ("reset_after", 1)])
def test_connection_when_broken_leaves_the_sender_in_doubt(client, control, kind, made):
    control.fail("POST /v1/payment_intents", kind)

    with pytest.raises(library.APIConnectionError):
        intent(client, "key")

    assert len(client.v1.payment_intents.list().data) == made
    assert intent(client, "key").id
    assert len(client.v1.payment_intents.list().data) == 1


def test_key_when_in_use_is_refused_until_the_first_is_done(client, control):
    control.fail("POST /v1/payment_intents", "hang_before", seconds=60)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(intent, client, "key")
        wait_until(lambda: control.requests("POST", "/v1/payment_intents"))
        with pytest.raises(library.StripeError) as refusal:
            intent(client, "key")
        control.calm()
        done = first.result(30)

    assert (refusal.value.http_status, refusal.value.error.code) == (409, "idempotency_key_in_use")
    assert intent(client, "key").id == done.id


def test_answer_when_it_hangs_comes_after_the_work_is_done(client, control):
    control.fail("POST /v1/payment_intents", "hang_after", seconds=60)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(intent, client)
        wait_until(lambda: client.v1.payment_intents.list().data)
        assert not asked.done()
        control.calm()
        made = asked.result(30)

    assert [each.id for each in client.v1.payment_intents.list().data] == [made.id]


def test_request_that_hangs_when_all_is_forgotten_does_nothing_any_more(client, control):
    control.fail("POST /v1/payment_intents", "hang_before", seconds=60)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(intent, client)
        wait_until(lambda: control.requests("POST", "/v1/payment_intents"))
        control.reset()
        with pytest.raises(library.APIConnectionError):
            asked.result(30)

    assert client.v1.payment_intents.list().data == []


def test_validation_when_it_fails_is_not_kept_under_the_key(client):
    with pytest.raises(library.InvalidRequestError):
        intent(client, "key", colour="blue")

    assert intent(client, "key").id


def test_version_when_not_ours_and_key_when_unknown_are_refused(client, server):
    with pytest.raises(library.InvalidRequestError, match="version"):
        client.v1.payment_intents.list({}, {"stripe_version": "2020-08-27"})
    stranger = library.StripeClient("sk_test_other", base_addresses={"api": server.url})
    with pytest.raises(library.AuthenticationError):
        stranger.v1.payment_intents.list()


def test_requests_when_asked_for_say_what_was_sent(client, control):
    intent(client, "key", metadata={"payment": "7"})

    (seen,) = control.requests("POST")

    assert seen["path"] == "/v1/payment_intents"
    assert seen["params"] == {"amount": "5000", "currency": "eur", "metadata": {"payment": "7"}}
    assert (seen["idempotency_key"], seen["api_version"]) == ("key", library.api_version)


# --- outcomes without a browser ---


@pytest.mark.parametrize(
    ("outcome", "status", "told"),
    [
        ("succeeded", "succeeded", "payment_intent.succeeded"),
        ("processing", "processing", "payment_intent.processing"),
        ("requires_action", "requires_action", "payment_intent.requires_action"),
        ("insufficient_funds", "requires_payment_method", "payment_intent.payment_failed"),
    ],
)
def test_payment_when_told_its_end_has_it_and_says_so(client, control, outcome, status, told):
    made = intent(client)

    control.pay(made.id, outcome)

    assert client.v1.payment_intents.retrieve(made.id).status == status
    assert [each.data.object.status for each in client.v1.events.list({"type": told}).data] == [status]


def test_payment_when_processing_can_still_end_either_way(client, control):
    good, bad = intent(client), intent(client)
    control.pay(good.id, "processing")
    control.pay(bad.id, "processing")

    assert control.pay(good.id)["status"] == "succeeded"
    assert control.pay(bad.id, "generic_decline")["status"] == "requires_payment_method"


def test_setup_when_told_its_end_has_it(client, control):
    customer = client.v1.customers.create({}).id
    good, bad = (client.v1.setup_intents.create({"customer": customer}) for _ in range(2))

    assert control.set_up(good.id)["status"] == "succeeded"
    assert control.set_up(bad.id, "expired_card")["last_setup_error"]["code"] == "expired_card"
    told = {each.type for each in client.v1.events.list({"limit": 20}).data}
    assert {"setup_intent.created", "setup_intent.succeeded", "setup_intent.setup_failed"} <= told


def test_card_when_set_up_for_later_is_not_asked_for_its_owner(client, control):
    customer = client.v1.customers.create({}).id
    card = "pm_card_authenticationRequiredOnSetup"
    method = client.v1.payment_methods.attach(card, {"customer": customer}).id
    later = {"customer": customer, "payment_method": method, "off_session": True, "confirm": True}
    with pytest.raises(library.CardError) as refusal:
        intent(client, **later, return_url=RETURN_URL)
    setup = client.v1.setup_intents.create({"customer": customer, "payment_method": method})
    assert client.v1.setup_intents.confirm(setup.id, {"return_url": RETURN_URL}).status == "requires_action"

    control.set_up(setup.id)

    assert refusal.value.code == "authentication_required"
    assert intent(client, **later, return_url=RETURN_URL).status == "succeeded"


def test_refund_when_pending_ends_later_and_gives_the_amount_free_when_it_fails(client, control):
    done = paid(client)
    control.next_refunds("pending", "pending")
    first, second = (client.v1.refunds.create({"payment_intent": done.id, "amount": 2500}) for _ in range(2))

    assert (first.status, second.status) == ("pending", "pending")
    assert control.settle_refund(first.id, "succeeded")["status"] == "succeeded"
    assert control.settle_refund(second.id, "failed")["failure_reason"]

    assert client.v1.refunds.create({"payment_intent": done.id}).amount == 2500
    told = [each.type for each in client.v1.events.list({"types": ["refund.updated", "refund.failed"]}).data]
    assert sorted(told) == ["refund.failed", "refund.updated", "refund.updated"]


def test_refund_when_made_outside_is_seen_by_us(client, control):
    done = paid(client)

    control.refund_outside(done.id, 1000)

    assert [each.amount for each in client.v1.refunds.list({"payment_intent": done.id}).data] == [1000]
    assert client.v1.charges.retrieve(done.latest_charge).amount_refunded == 1000


def test_dispute_when_open_stops_refunds_and_is_told(client, control):
    done = paid(client)

    dispute = control.open_dispute(done.id)
    with pytest.raises(library.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": done.id})
    control.close_dispute(dispute["id"], won=False)

    assert refusal.value.code == "charge_disputed"
    assert client.v1.disputes.retrieve(dispute["id"]).status == "lost"
    told = client.v1.events.list({"types": ["charge.dispute.created", "charge.dispute.closed"]}).data
    assert sorted(each.type for each in told) == ["charge.dispute.closed", "charge.dispute.created"]


# --- deliveries ---


def test_event_when_not_taken_is_tried_again_signed_anew(client, sink, server):
    sink.statuses[:] = [500]

    intent(client)
    first, second = sink.wait_for(2)

    assert first.body == second.body
    for each in (first, second):
        library.Webhook.construct_event(each.body, each.signature, server.webhook_secret)


def test_events_when_planned_come_twice_or_not_at_all(client, control, sink):
    control.plan_events("payment_intent.created", drop=True)
    control.plan_events("payment_intent.succeeded", copies=3)

    paid(client)
    control.wait_until_delivered()

    assert sorted(types(sink.received)) == ["charge.succeeded", *["payment_intent.succeeded"] * 3]


def test_events_when_held_come_in_the_order_asked_for(client, control, sink):
    control.plan_events(hold=True)
    paid(client)
    assert sink.received == []

    assert control.release_events("reversed") == 3
    control.wait_until_delivered()

    assert types(sink.received) == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]


@pytest.mark.parametrize("plan", [{"forged": True}, {"signed_at": 1_700_000_000}])
def test_event_when_forged_or_old_is_not_believed(client, control, sink, server, plan):
    control.plan_events(**plan)

    intent(client)
    (received,) = sink.wait_for(1)

    with pytest.raises(library.SignatureVerificationError):
        library.Webhook.construct_event(received.body, received.signature, server.webhook_secret)


def test_event_when_sent_again_is_the_same(client, control, sink):
    intent(client)
    (received,) = sink.wait_for(1)

    control.resend_event(json.loads(received.body)["id"])

    first, second = sink.wait_for(2)
    assert first.body == second.body


# --- the browser ---


def test_card_when_typed_pays_and_is_kept_nowhere(client, control, server):
    made = intent(client)

    status, body = from_browser(
        server, f"/v1/payment_intents/{made.id}/confirm", card_fields(made.client_secret, "4242424242424242")
    )

    assert (status, body["status"]) == (200, "succeeded")
    assert "customer" not in body
    (asked,) = control.requests("POST", f"/v1/payment_intents/{made.id}")
    assert asked["params"]["payment_method_data"] == {"type": "card"}
    assert "4242424242424242" not in server.log.read_text() + json.dumps(control.requests())


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("4242424242424241", "incorrect_number"),
        ("4111111111111111", "card_declined"),
        ("4000000000000002", "card_declined"),
        ("4000000000000069", "expired_card"),
    ],
)
def test_card_when_refused_says_why_and_leaves_the_payment_open(client, server, number, code):
    made = intent(client)

    status, body = from_browser(
        server, f"/v1/payment_intents/{made.id}/confirm", card_fields(made.client_secret, number)
    )

    assert (status, body["error"]["code"]) == (402, code)
    assert client.v1.payment_intents.retrieve(made.id).status == "requires_payment_method"


def test_publishable_key_when_without_the_secret_of_the_intent_sees_nothing(client, server):
    made = intent(client)
    path = f"/v1/payment_intents/{made.id}/confirm"

    assert from_browser(server, path, card_fields("pi_x_secret_y", "4242424242424242"))[0] == 400
    assert from_browser(server, "/v1/refunds", {"payment_intent": made.id})[0] == 401
    assert client.v1.payment_intents.retrieve(made.id).status == "requires_payment_method"


def test_pages_when_from_elsewhere_are_not_let_in(server):
    def allowed(origin):
        request = urllib.request.Request(f"{server.url}/endive/stripe.js", headers={"Origin": origin})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed("http://localhost:1") == "http://localhost:1"
    assert allowed("https://stranger.example") is None


# --- starting again ---


def test_payments_when_kept_are_there_after_a_restart_and_else_are_404(tmp_path):
    server = stripe.start(tmp_path / "stripe", "http://localhost:1", keep=True)
    try:
        client = library.StripeClient(server.secret_key, base_addresses={"api": server.url}, max_network_retries=0)
        done = paid(client)

        server.restart()

        assert client.v1.payment_intents.retrieve(done.id).status == "succeeded"
        assert client.v1.refunds.create({"payment_intent": done.id}).amount == 5000
        server.control.reset()
        with pytest.raises(library.InvalidRequestError) as refusal:
            client.v1.refunds.create({"payment_intent": done.id})
        assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    finally:
        server.stop()
