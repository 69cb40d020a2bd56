"""The stand-in's script in a browser, on a page with the strict content security policy of the site."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe as library
from playwright.sync_api import Browser, Page, expect

from devservers import stripe
from devservers.ports import free_port
from devservers.stripe import Stripe
from tests import browser, servers

PAGE = '<!doctype html><html lang="en"><title>Pay</title><main id="card"></main><script src="{script}"></script></html>'
MAKE_FORM = """options => {
  window.stripe = Stripe(options.key);
  window.form = stripe.elements(options.elements);
  window.changes = [];
  const element = form.create("payment");
  element.on("change", change => changes.push(change.complete));
  return new Promise(resolve => { element.on("ready", () => resolve(true)); element.mount("#card"); });
}"""
PAY = """async ({secret, way, redirect}) => {
  const checked = await form.submit();
  if (checked.error) return checked;
  return stripe[way]({elements: form, clientSecret: secret, redirect,
                      confirmParams: {return_url: location.href + "back"}});
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[Stripe]:
    """The stand-in, and at its `site_url` a page as the site would send it."""
    port = free_port()
    server = stripe.start(servers.new_folder("stripe-script") / "stripe", f"http://localhost:{port}")
    origin = f"http://localhost:{server.port}"
    policy = f"default-src 'self'; script-src 'self' {origin}; connect-src 'self' {origin}; style-src 'self'"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(PAGE.format(script=server.environment()["STRIPE_JS_URL"]).encode())

        def log_message(self, *words: object) -> None:
            pass

    pages = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=pages.serve_forever, daemon=True)
    thread.start()
    yield server
    pages.shutdown()
    pages.server_close()
    thread.join(5)
    server.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # The scope is the module, because Django refuses the database in a thread with Playwright's event loop.
    with browser.launched() as launched:
        yield launched


@pytest.fixture
def page(chromium: Browser, site) -> Iterator[Page]:
    said = []
    page = chromium.new_page()
    page.on("console", lambda message: said.append(message.text) if "402" not in message.text else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site.site_url + "/")
    yield page
    page.close()
    assert [line for line in said if "favicon" not in line] == []


@pytest.fixture
def client(site):
    return library.StripeClient(site.secret_key, base_addresses={"api": site.url}, max_network_retries=0)


def show_form(page, site, **elements):
    options = {"mode": "payment", "amount": 5000, "currency": "eur", **elements}
    page.evaluate(MAKE_FORM, {"key": site.publishable_key, "elements": options})


def type_card(page, number):
    page.get_by_label("Card number").press_sequentially(number)
    page.get_by_label("Expiry").press_sequentially("1234")
    page.get_by_label("CVC").press_sequentially("123")


def begin(page, secret, way="confirmPayment", redirect="if_required"):
    """Start paying without waiting for its end, which `ended` returns."""
    arguments = {"secret": secret, "way": way, "redirect": redirect}
    page.evaluate(f"given => {{ window.ending = ({PAY})(given); }}", arguments)


def ended(page):
    return page.evaluate("() => window.ending")


def intent(client, **more):
    return client.v1.payment_intents.create({"amount": 5000, "currency": "eur", **more})


def test_form_when_filled_in_pays(page, site, client):
    made = intent(client)
    show_form(page, site)
    type_card(page, "4242424242424242")

    begin(page, made.client_secret)

    assert ended(page)["paymentIntent"]["status"] == "succeeded"
    assert page.get_by_label("Card number").input_value() == "4242 4242 4242 4242"
    assert page.get_by_label("Expiry").input_value() == "12 / 34"
    assert page.evaluate("() => changes.at(-1)") is True
    assert client.v1.payment_intents.retrieve(made.id).status == "succeeded"


def test_form_when_not_complete_says_so_at_the_field_and_asks_nobody(page, site, client):
    made = intent(client)
    show_form(page, site)
    page.get_by_label("Card number").press_sequentially("4242")

    begin(page, made.client_secret)

    assert ended(page)["error"]["code"] == "incomplete_number"
    expect(page.get_by_text("Your card number is incomplete.")).to_be_visible()
    expect(page.get_by_label("Card number")).to_be_focused()
    assert client.v1.payment_intents.retrieve(made.id).status == "requires_payment_method"


def test_card_when_declined_says_why_and_another_can_be_tried(page, site, client):
    made = intent(client)
    show_form(page, site)
    type_card(page, "4000000000009995")
    begin(page, made.client_secret)

    error = ended(page)["error"]

    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    assert error["payment_intent"]["id"] == made.id
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    begin(page, made.client_secret)
    assert ended(page)["paymentIntent"]["status"] == "succeeded"


def test_3d_secure_when_authorised_pays(page, site, client):
    made = intent(client)
    show_form(page, site)
    type_card(page, "4000002500003155")
    begin(page, made.client_secret)
    expect(page.get_by_text("€50.00")).to_be_visible()
    assert client.v1.payment_intents.retrieve(made.id).status == "requires_action"

    page.get_by_role("button", name="Authorise").click()

    assert ended(page)["paymentIntent"]["status"] == "succeeded"


@pytest.mark.parametrize("way_out", ["Fail", "Escape"])
def test_3d_secure_when_failed_or_left_leaves_the_payment_open(page, site, client, way_out):
    made = intent(client)
    show_form(page, site)
    type_card(page, "4000002500003155")
    begin(page, made.client_secret)
    expect(page.get_by_role("dialog")).to_be_visible()

    if way_out == "Fail":
        page.get_by_role("button", name="Fail").click()
    else:
        page.keyboard.press("Escape")

    error = ended(page)["error"]
    assert error["code"] == "payment_intent_authentication_failure"
    assert error["payment_intent"]["status"] == "requires_payment_method"
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_3d_secure_when_the_page_is_closed_waits_and_can_be_gone_on_with(page, site, client):
    made = intent(client)
    show_form(page, site)
    type_card(page, "4000002500003155")
    begin(page, made.client_secret)
    expect(page.get_by_role("dialog")).to_be_visible()

    page.reload()

    assert client.v1.payment_intents.retrieve(made.id).status == "requires_action"
    again = "given => { window.ending = Stripe(given.key).handleNextAction({clientSecret: given.secret}); }"
    page.evaluate(again, {"key": site.publishable_key, "secret": made.client_secret})
    page.get_by_role("button", name="Authorise").click()
    assert ended(page)["paymentIntent"]["status"] == "succeeded"


def test_payment_when_it_always_redirects_comes_back_with_its_intent(page, site, client):
    made = intent(client)
    show_form(page, site)
    type_card(page, "4242424242424242")

    begin(page, made.client_secret, redirect="always")

    page.wait_for_url("**/back?*")
    assert f"payment_intent={made.id}" in page.url
    assert "redirect_status=succeeded" in page.url


def test_form_when_made_for_another_amount_does_not_pay(page, site, client):
    made = intent(client)
    show_form(page, site, amount=4000)
    type_card(page, "4242424242424242")

    begin(page, made.client_secret)

    assert "amount" in ended(page)["error"]["message"]
    assert client.v1.payment_intents.retrieve(made.id).status == "requires_payment_method"


def test_card_when_kept_for_later_belongs_to_the_customer(page, site, client):
    customer = client.v1.customers.create({"email": "casey@example.com"})
    made = client.v1.setup_intents.create({"customer": customer.id, "usage": "off_session"})
    page.evaluate(
        MAKE_FORM, {"key": site.publishable_key, "elements": {"mode": "setup", "currency": "eur", "appearance": {}}}
    )
    type_card(page, "4000002500003155")

    begin(page, made.client_secret, way="confirmSetup")
    page.get_by_role("button", name="Authorise").click()

    assert ended(page)["setupIntent"]["status"] == "succeeded"
    method = client.v1.setup_intents.retrieve(made.id).payment_method
    assert client.v1.payment_methods.retrieve(method).customer == customer.id


def test_form_when_dark_follows_the_appearance(page, site):
    show_form(page, site, appearance={"theme": "night", "variables": {"colorBackground": "rgb(1, 2, 3)"}})

    expect(page.get_by_label("Card number")).to_have_css("background-color", "rgb(1, 2, 3)")
