"""What the browser asks of the stand-in: the script, and confirming an intent with the card a person typed."""

import hmac
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from devservers.stripe_cards import CARDS, DECLINES, is_number
from devservers.stripe_ledger import Ledger
from devservers.stripe_params import Parameters, Refused, bad
from devservers.stripe_things import Thing

SCRIPT = Path(__file__).with_name("stripe_assets") / "stripe.js"
ALLOWED = {"client_secret", "payment_method", "payment_method_data", "return_url", "setup_future_usage", "expand"}
SHOWN = (
    "id", "object", "amount", "automatic_payment_methods", "canceled_at", "cancellation_reason", "capture_method",
    "client_secret", "confirmation_method", "created", "currency", "description", "last_payment_error",
    "last_setup_error", "livemode", "next_action", "payment_method", "payment_method_types", "processing",
    "receipt_email", "setup_future_usage", "shipping", "status", "usage",
)  # fmt: skip


@dataclass(frozen=True)
class Keys:
    secret: str
    publishable: str


def key_of(request: web.Request) -> str:
    """The API key of a request, however it is sent."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return b64decode(value).decode(errors="replace").partition(":")[0] if kind == "Basic" else value


def is_from_browser(keys: Keys, request: web.Request) -> bool:
    return key_of(request) == keys.publishable


def admit(ledger: Ledger, request: web.Request, given: Parameters) -> None:
    """A publishable key may look at and confirm one intent, with that intent's secret.

    :raises Refused: for anything else.
    """
    _, _, kind, *rest = request.path.split("/")
    is_allowed = (request.method, rest[1:]) in (("GET", []), ("POST", ["confirm"])) and rest
    if kind not in ("payment_intents", "setup_intents") or not is_allowed:
        message = "This API call cannot be made with a publishable API key. Please use a secret API key."
        raise Refused(401, message, code="secret_key_required", is_stored=False)
    if unknown := sorted(given.keys() - ALLOWED):
        raise bad(f"Received unknown parameter: {unknown[0]}", unknown[0], "parameter_unknown")
    _check_secret(ledger.find(rest[0], "intent"), given)


def without_card(given: Parameters) -> Parameters:
    """The parameters as they may be kept: without what was typed into the card form."""
    if isinstance(data := given.get("payment_method_data"), dict):
        return given | {"payment_method_data": {key: value for key, value in data.items() if key != "card"}}
    return given


def add_routes(app: web.Application, ledger: Ledger, keys: Keys, save: Callable[[], None]) -> None:
    async def script(request: web.Request) -> web.Response:
        return web.Response(
            text=SCRIPT.read_text(), content_type="text/javascript", headers={"Cache-Control": "no-cache"}
        )

    async def authenticate(request: web.Request) -> web.Response:
        """The end of the 3-D Secure dialog."""
        given = await request.json()
        try:
            if not is_from_browser(keys, request):
                raise Refused(401, "Invalid API Key provided.")
            async with ledger.changing:
                thing = ledger.find(given["id"])
                _check_secret(thing, given)
                is_payment = thing["object"] == "payment_intent"
                end = ledger.authenticate_intent if is_payment else ledger.authenticate_setup
                await end(thing["id"], passes=given["passes"] is True)
        except Refused as refused:
            return web.json_response({"error": refused.error}, status=refused.status)
        finally:
            save()
        return web.json_response(shown(thing))

    app.router.add_get("/endive/stripe.js", script)
    app.router.add_post("/endive/authenticate", authenticate)


async def with_card(ledger: Ledger, given: Parameters) -> Parameters:
    """The parameters with a payment method made of the typed card.

    :raises Refused: as Stripe refuses a card whose number or date cannot be right.
    """
    rest = {key: value for key, value in given.items() if key not in ("payment_method_data", "client_secret")}
    data = given.get("payment_method_data")
    if data is None:
        return rest
    card = data.get("card") if isinstance(data, dict) else None
    if not isinstance(card, dict) or data.get("type") != "card":
        raise bad("This stand-in takes cards only.", "payment_method_data")
    number = str(card.get("number", "")).replace(" ", "")
    if not is_number(number):
        raise _wrong("Your card number is incorrect.", "incorrect_number", "number")
    if number not in CARDS:
        code, message = DECLINES["test_mode_live_card"]
        raise Refused(402, message, kind="card_error", code=code, more={"decline_code": "test_mode_live_card"})
    month, year = str(card.get("exp_month", "")), str(card.get("exp_year", ""))
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        raise _wrong("Your card's expiration month is invalid.", "invalid_expiry_month", "exp_month")
    if not (year.isdecimal() and 2000 <= int(year) < 2100):
        raise _wrong("Your card's expiration year is invalid.", "invalid_expiry_year", "exp_year")
    billing = data.get("billing_details")
    method = await ledger.card(number, month=int(month), year=int(year), billing=billing)
    return rest | {"payment_method": method["id"]}


def shown(thing: Thing) -> Thing:
    """An intent as a publishable key may see it."""
    return {key: value for key, value in thing.items() if key in SHOWN}


def shown_error(error: Thing) -> Thing:
    """An error as a publishable key may see it."""
    return {key: shown(value) if key.endswith("_intent") else value for key, value in error.items()}


def _wrong(message: str, code: str, param: str) -> Refused:
    return Refused(402, message, kind="card_error", code=code, param=param)


def _check_secret(thing: Thing, given: dict[str, Any]) -> None:
    if not hmac.compare_digest(str(given.get("client_secret")), thing.get("client_secret", "")):
        raise bad("The client_secret provided does not match the client_secret of this object.", "client_secret")
