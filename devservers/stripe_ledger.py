"""What Stripe knows and how it changes: customers, cards, intents, charges, refunds and disputes.

localstripe gives the ids and moves the money; the states it lacks are kept here. One change at a time: callers hold
`changing`. Amounts are in the currency's smallest unit as Stripe counts it, times are seconds since 1970 in UTC.
"""

import asyncio
import copy
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from devservers import stripe_cards
from devservers.stripe_cards import CARDS, DECLINES, IDS, Card
from devservers.stripe_params import Parameters, Refused, bad, check_amount

Thing = dict[str, Any]
Post = Callable[[str, dict[str, Any]], Awaitable[Thing]]
Emit = Callable[[str, Thing], None]

NAMES = {
    "cus": "customer", "pi": "payment_intent", "seti": "setup_intent", "re": "refund", "pm": "payment_method",
    "ch": "charge", "du": "dispute", "evt": "event",
}  # fmt: skip
OPEN = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
KEPT_WORDS = (
    "description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix",
    "excluded_payment_method_types", "shipping", "payment_method_options", "on_behalf_of",
)  # fmt: skip
AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


class Ledger:
    """Everything kept, by id, oldest first."""

    def __init__(self, post: Post, emit: Emit) -> None:
        self.changing = asyncio.Lock()
        self.things: dict[str, Thing] = {}
        self.numbers: dict[str, str] = {}
        """Payment method and the number of the test card it stands for."""
        self.set_up: set[str] = set()
        self.refund_outcomes: list[str] = []
        """What becomes of the next refunds: "pending", "failed"; "succeeded" when the list is empty."""
        self._post = post
        self._emit = emit

    # --- looking ---

    def find(self, id_: str, param: str = "id") -> Thing:
        """
        :raises Refused: with 404 when there is nothing with this id.
        """
        if id_ not in self.things:
            name = NAMES.get(id_.partition("_")[0], "resource")
            raise Refused(404, f"No such {name}: '{id_}'", code="resource_missing", param=param, is_stored=False)
        return self.things[id_]

    def page(self, kind: str, given: Parameters) -> Thing:
        """Newest first, filtered and cut into pages as Stripe does."""
        found = [thing for thing in reversed(self.things.values()) if thing["object"] == kind and _fits(thing, given)]
        limit = given.get("limit", 10)
        if not 1 <= limit <= 100:
            raise bad("Invalid limit: it has to be from 1 to 100.", "limit", "parameter_invalid_integer")
        ids = [thing["id"] for thing in found]
        if after := given.get("starting_after"):
            self.find(after, "starting_after")
            found = found[ids.index(after) + 1 :] if after in ids else []
        elif before := given.get("ending_before"):
            self.find(before, "ending_before")
            found = found[: ids.index(before)][-limit:] if before in ids else []
        return {"object": "list", "url": f"/v1/{kind}s", "data": found[:limit], "has_more": len(found) > limit}

    def expanded(self, thing: Thing, paths: list[str]) -> Thing:
        """A copy with the objects instead of the ids that `paths` name."""
        whole = copy.deepcopy(thing)
        for path in paths:
            self._expand(whole, path.split("."), path)
        return whole

    def _expand(self, place: Any, parts: list[str], path: str) -> None:
        if isinstance(place, list):
            for each in place:
                self._expand(each, parts, path)
        elif parts and place is not None:
            if not isinstance(place, dict) or parts[0] not in place:
                raise bad(f"This property cannot be expanded ({path}).", "expand[0]")
            if isinstance(id_ := place[parts[0]], str):
                if id_ not in self.things:
                    raise bad(f"This property cannot be expanded ({path}).", "expand[0]")
                place[parts[0]] = copy.deepcopy(self.things[id_])
            self._expand(place[parts[0]], parts[1:], path)

    # --- customers and cards ---

    async def create_customer(self, given: Parameters) -> Thing:
        theirs = await self._post("customers", {})
        words = ("address", "description", "email", "name", "phone", "shipping")
        customer = self._keep("customer", theirs, given, **{word: given.get(word) or None for word in words})
        customer |= {"balance": 0, "currency": None, "default_source": None, "delinquent": False, "discount": None}
        customer |= {"preferred_locales": given.get("preferred_locales", []), "tax_exempt": "none"}
        customer["invoice_settings"] = {"default_payment_method": None} | given.get("invoice_settings", {})
        self._emit("customer.created", customer)
        return customer

    async def update_customer(self, id_: str, given: Parameters) -> Thing:
        customer = self.find(id_)
        self._change(customer, given)
        self._emit("customer.updated", customer)
        return customer

    async def card(self, number: str, *, month: int = 12, year: int = 2034, billing: Parameters | None = None) -> Thing:
        """A new payment method for a test card."""
        # localstripe takes Visa numbers only; which card it is, is our affair.
        details = {"number": "4242424242424242", "exp_month": month, "exp_year": year, "cvc": "123"}
        theirs = await self._post("payment_methods", {"type": "card", "card": details})
        empty = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
        method = self._keep("payment_method", theirs, {}, type="card", customer=None, allow_redisplay="unspecified")
        method["billing_details"] = empty | (billing or {})
        method["card"] = stripe_cards.shown(CARDS[number], month=month, year=year)
        self.numbers[method["id"]] = number
        return method

    async def method(self, id_: str, param: str = "payment_method") -> Thing:
        """A payment method by its id; Stripe's test ids make a new one each time."""
        return await self.card(IDS[id_]) if id_ in IDS else self.find(id_, param)

    async def attach(self, id_: str, given: Parameters) -> Thing:
        method = await self.method(id_)
        if (refusal := self._card(method)).decline and not refusal.can_be_saved:
            raise _card_error(refusal.decline)
        await self._attach(method, self.find(given["customer"], "customer")["id"])
        return method

    async def detach(self, id_: str) -> Thing:
        method = self.find(id_)
        if not method["customer"]:
            raise Refused(
                400, "The payment method you provided is not attached to a customer so detachment is impossible."
            )
        await self._post(f"payment_methods/{id_}/detach", {})
        method["customer"] = None
        self._emit("payment_method.detached", method)
        return method

    async def _attach(self, method: Thing, customer: str | None) -> None:
        if customer and method["customer"] != customer:
            await self._post(f"payment_methods/{method['id']}/attach", {"customer": customer})
            method["customer"] = customer
            self._emit("payment_method.attached", method)

    def _card(self, method: Thing) -> Card:
        return CARDS[self.numbers[method["id"]]]

    # --- payment intents ---

    async def create_intent(self, given: Parameters) -> Thing:
        check_amount(given["amount"], given["currency"])
        if given.get("off_session") and not given.get("confirm"):
            raise bad("off_session can only be passed when confirm=true.", "off_session")
        if given.get("capture_method") == "manual":
            raise bad("This stand-in does not hold money for later.", "capture_method")
        customer = self.find(given["customer"], "customer")["id"] if given.get("customer") else None
        automatic = given.get("automatic_payment_methods") or {"enabled": True}
        method = await self.method(given["payment_method"]) if given.get("payment_method") else None
        theirs = await self._post(
            "payment_intents",
            {"amount": given["amount"], "currency": given["currency"]} | ({"customer": customer} if customer else {}),
        )
        intent = self._keep("payment_intent", theirs, given, **{word: given.get(word) for word in KEPT_WORDS})
        intent |= {"amount": given["amount"], "currency": given["currency"], "customer": customer}
        intent |= {"amount_received": 0, "amount_capturable": 0, "canceled_at": None, "cancellation_reason": None}
        intent |= {"automatic_payment_methods": {"allow_redirects": "always"} | automatic}
        intent |= {"capture_method": "automatic_async", "confirmation_method": "automatic", "last_payment_error": None}
        intent |= {"client_secret": f"{intent['id']}_secret_{secrets.token_urlsafe(18)}", "latest_charge": None}
        intent |= {"next_action": None, "payment_method": method["id"] if method else None, "processing": None}
        intent["payment_method_types"] = ["card"]
        intent["status"] = "requires_confirmation" if method else "requires_payment_method"
        self._emit("payment_intent.created", intent)
        if given.get("confirm"):
            confirming = ("off_session", "return_url")
            await self.confirm_intent(intent["id"], {key: given[key] for key in confirming if key in given})
        return intent

    async def update_intent(self, id_: str, given: Parameters) -> Thing:
        intent = self.find(id_)
        if intent["status"] in ("succeeded", "canceled", "processing") and given.keys() - {"metadata", "description"}:
            raise self._unexpected(intent, f"cannot be updated because it has a status of {intent['status']}.")
        asked = {"amount": intent["amount"], "currency": intent["currency"]} | given
        check_amount(asked["amount"], asked["currency"])
        if given.get("customer"):
            self.find(given["customer"], "customer")
        if given.get("payment_method"):
            given["payment_method"] = (await self.method(given["payment_method"]))["id"]
            intent["status"] = "requires_confirmation"
        if asked["amount"] != intent["amount"]:
            await self._post(f"payment_intents/{id_}", {"amount": asked["amount"]})
        self._change(intent, given)
        return intent

    async def confirm_intent(self, id_: str, given: Parameters) -> Thing:
        """Charge the card.

        :raises Refused: with 402 when the card says no; what changed stays changed.
        """
        intent = self.find(id_)
        if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise self._unexpected(intent, f"could not be confirmed because it has a status of {intent['status']}.")
        named = given.get("payment_method") or intent["payment_method"]
        if not named:
            raise self._unexpected(intent, "cannot be confirmed because it is missing a payment method.")
        redirects = intent["automatic_payment_methods"]
        if redirects["enabled"] and redirects["allow_redirects"] == "always" and not given.get("return_url"):
            raise bad(
                "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
                "these might redirect your customer off of your page, you must provide a `return_url`.",
                "return_url",
            )
        method = await self.method(named)
        if method["customer"] and method["customer"] != intent["customer"]:
            raise bad("The provided PaymentMethod belongs to another customer.", "payment_method")
        if not method["customer"] and self._was_charged(method["id"]):
            raise bad(
                "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or "
                "was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you "
                "must attach it to a Customer first.",
                "payment_method",
            )
        self._change(intent, {word: given[word] for word in KEPT_WORDS if word in given})
        intent |= {"payment_method": method["id"], "next_action": None}
        if _asks_for_authentication(self._card(method), bool(given.get("off_session")), method["id"] in self.set_up):
            if given.get("off_session"):
                raise self._decline(intent, method, "authentication_required")
            intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}}
            self._emit("payment_intent.requires_action", intent)
            return intent
        return await self._charge(intent, method)

    async def authenticate_intent(self, id_: str, *, passes: bool) -> Thing:
        """End the 3-D Secure step that the intent waits in."""
        intent = self.find(id_)
        if intent["status"] != "requires_action":
            raise self._unexpected(intent, "waits for no authentication.")
        method = self.find(intent["payment_method"])
        intent["next_action"] = None
        if passes:
            return await self._charge(intent, method)
        self._fail(intent, method, _authentication_error())
        return intent

    async def settle_intent(self, id_: str, outcome: str) -> Thing:
        """What a test says becomes of an intent: succeeded, processing, or a decline code."""
        intent = self.find(id_)
        if intent["status"] in ("succeeded", "canceled"):
            raise self._unexpected(intent, f"has a status of {intent['status']}.")
        method = (
            self.find(intent["payment_method"]) if intent["payment_method"] else await self.card("4242424242424242")
        )
        intent |= {"payment_method": method["id"], "next_action": None}
        if outcome == "processing":
            intent |= {"status": "processing"}
            self._emit("payment_intent.processing", intent)
        elif outcome == "requires_action":
            intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}}
            self._emit("payment_intent.requires_action", intent)
        elif outcome == "succeeded":
            await self._succeed(intent, method)
        elif outcome in DECLINES:
            self._decline(intent, method, outcome)
        else:
            raise bad(f"No such outcome: {outcome}", "outcome")
        return intent

    async def cancel_intent(self, id_: str, given: Parameters) -> Thing:
        intent = self.find(id_)
        if intent["status"] not in (*OPEN, "processing"):
            raise self._unexpected(
                intent,
                f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
                f"PaymentIntent with one of the following statuses may be canceled: {', '.join(OPEN)}, processing.",
            )
        await self._post(f"payment_intents/{id_}/cancel", {})
        intent |= {"status": "canceled", "canceled_at": _now(), "next_action": None}
        intent["cancellation_reason"] = given.get("cancellation_reason")
        self._emit("payment_intent.canceled", intent)
        return intent

    async def _charge(self, intent: Thing, method: Thing) -> Thing:
        if decline := self._card(method).decline:
            raise self._decline(intent, method, decline)
        return await self._succeed(intent, method)

    async def _succeed(self, intent: Thing, method: Thing) -> Thing:
        await self._post(f"payment_intents/{intent['id']}", {"payment_method": method["id"]})
        theirs = await self._post(f"payment_intents/{intent['id']}/confirm", {})
        charge = self._charge_of(intent, method, theirs["latest_charge"]["id"])
        charge |= {
            "balance_transaction": theirs["latest_charge"]["balance_transaction"],
            "paid": True,
            "captured": True,
        }
        charge |= {"amount_captured": intent["amount"], "status": "succeeded"}
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
        if intent["setup_future_usage"]:
            await self._attach(method, intent["customer"])
            self.set_up.add(method["id"])
        self._emit("charge.succeeded", charge)
        self._emit("payment_intent.succeeded", intent)
        if self._card(method).is_disputed:
            self.open_dispute(charge["id"], "fraudulent")
        return intent

    def _was_charged(self, method_id: str) -> bool:
        charges = (thing for thing in self.things.values() if thing["object"] == "charge" and thing["paid"])
        return any(charge["payment_method"] == method_id for charge in charges)

    def _decline(self, intent: Thing, method: Thing, decline: str) -> Refused:
        """Write the failure down and return what the caller is told."""
        refused = _card_error(decline)
        charge = self._charge_of(intent, method, f"ch_{secrets.token_hex(9)}")
        charge |= {"failure_code": refused.error["code"], "failure_message": refused.error["message"]}
        self._emit("charge.failed", charge)
        self._fail(intent, method, refused.error | {"charge": charge["id"]})
        error = intent["last_payment_error"]
        refused.error |= error | {"payment_intent": copy.deepcopy(intent)}
        return refused

    def _fail(self, intent: Thing, method: Thing, error: Thing) -> None:
        intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
        intent["last_payment_error"] = error | {"payment_method": copy.deepcopy(method)}
        self._emit("payment_intent.payment_failed", intent)

    def _charge_of(self, intent: Thing, method: Thing, id_: str) -> Thing:
        """A charge that has failed until the caller says otherwise."""
        charge = self._keep("charge", {"id": id_}, {"metadata": intent["metadata"]}, payment_intent=intent["id"])
        copied = ("amount", "currency", "customer", "description", "receipt_email", "statement_descriptor_suffix")
        charge |= {key: intent[key] for key in copied} | {"payment_method": method["id"], "status": "failed"}
        charge |= {"amount_captured": 0, "amount_refunded": 0, "captured": False, "paid": False, "refunded": False}
        charge |= {"balance_transaction": None, "disputed": False, "failure_code": None, "failure_message": None}
        charge |= {"billing_details": method["billing_details"], "receipt_number": None, "receipt_url": None}
        charge["payment_method_details"] = {"type": "card", "card": method["card"]}
        intent["latest_charge"] = charge["id"]
        return charge

    # --- setup intents ---

    async def create_setup(self, given: Parameters) -> Thing:
        customer = self.find(given["customer"], "customer")["id"] if given.get("customer") else None
        method = await self.method(given["payment_method"]) if given.get("payment_method") else None
        theirs = await self._post("setup_intents", {"customer": customer} if customer else {})
        setup = self._keep("setup_intent", theirs, given, customer=customer, description=given.get("description"))
        setup |= {"automatic_payment_methods": given.get("automatic_payment_methods") or {"enabled": True}}
        setup |= {"client_secret": f"{setup['id']}_secret_{secrets.token_urlsafe(18)}", "last_setup_error": None}
        setup |= {"cancellation_reason": None, "latest_attempt": None, "mandate": None, "next_action": None}
        setup |= {"payment_method": method["id"] if method else None, "payment_method_types": ["card"]}
        setup |= {"excluded_payment_method_types": given.get("excluded_payment_method_types")}
        setup |= {"usage": given.get("usage", "off_session")}
        setup["status"] = "requires_confirmation" if method else "requires_payment_method"
        self._emit("setup_intent.created", setup)
        if given.get("confirm"):
            await self.confirm_setup(setup["id"], {})
        return setup

    async def confirm_setup(self, id_: str, given: Parameters) -> Thing:
        setup = self.find(id_)
        if setup["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise self._unexpected(setup, f"could not be confirmed because it has a status of {setup['status']}.")
        named = given.get("payment_method") or setup["payment_method"]
        if not named:
            raise self._unexpected(setup, "cannot be confirmed because it is missing a payment method.")
        method = await self.method(named)
        card = self._card(method)
        setup |= {"payment_method": method["id"], "next_action": None}
        if card.decline and not card.can_be_saved:
            raise self._fail_setup(setup, method, card.decline)
        if card.authentication in ("always", "unless_set_up"):
            setup |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}}
            self._emit("setup_intent.requires_action", setup)
            return setup
        return await self._complete_setup(setup, method)

    async def authenticate_setup(self, id_: str, *, passes: bool) -> Thing:
        setup = self.find(id_)
        if setup["status"] != "requires_action":
            raise self._unexpected(setup, "waits for no authentication.")
        method = self.find(setup["payment_method"])
        if passes:
            return await self._complete_setup(setup, method)
        self._fail_setup(setup, method, "")
        return setup

    async def settle_setup(self, id_: str, outcome: str) -> Thing:
        """What a test says becomes of a setup intent: succeeded, or a decline code."""
        setup = self.find(id_)
        if setup["status"] in ("succeeded", "canceled"):
            raise self._unexpected(setup, f"has a status of {setup['status']}.")
        method = self.find(setup["payment_method"]) if setup["payment_method"] else await self.card("4242424242424242")
        if outcome == "succeeded":
            return await self._complete_setup(setup, method)
        if outcome not in DECLINES:
            raise bad(f"No such outcome: {outcome}", "outcome")
        self._fail_setup(setup, method, outcome)
        return setup

    async def cancel_setup(self, id_: str, given: Parameters) -> Thing:
        setup = self.find(id_)
        if setup["status"] not in OPEN:
            raise self._unexpected(
                setup, f"You cannot cancel this SetupIntent because it has a status of {setup['status']}."
            )
        await self._post(f"setup_intents/{id_}/cancel", {})
        setup |= {"status": "canceled", "next_action": None, "cancellation_reason": given.get("cancellation_reason")}
        self._emit("setup_intent.canceled", setup)
        return setup

    async def _complete_setup(self, setup: Thing, method: Thing) -> Thing:
        await self._post(f"setup_intents/{setup['id']}/confirm", {"payment_method": method["id"]})
        await self._attach(method, setup["customer"])
        self.set_up.add(method["id"])
        setup |= {"status": "succeeded", "payment_method": method["id"], "next_action": None, "last_setup_error": None}
        self._emit("setup_intent.succeeded", setup)
        return setup

    def _fail_setup(self, setup: Thing, method: Thing, decline: str) -> Refused:
        refused = _card_error(decline) if decline else Refused(400, AUTHENTICATION_FAILED)
        error = refused.error if decline else _authentication_error("setup_intent")
        setup |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
        setup["last_setup_error"] = error | {"payment_method": copy.deepcopy(method)}
        self._emit("setup_intent.setup_failed", setup)
        refused.error |= setup["last_setup_error"] | {"setup_intent": copy.deepcopy(setup)}
        return refused

    # --- refunds and disputes ---

    async def create_refund(self, given: Parameters) -> Thing:
        """Give money back, at most what was charged."""
        charge = self._refundable(given)
        left = charge["amount"] - charge["amount_refunded"]
        amount = given.get("amount", left)
        if not left:
            raise Refused(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if charge["disputed"]:
            raise Refused(
                400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        if amount < 1:
            raise bad("Invalid positive integer", "amount", "parameter_invalid_integer")
        if amount > left:
            whole = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
            raise Refused(400, f"Refund amount ({amount}) is greater than {whole} ({left})", param="amount")
        theirs = await self._post("refunds", {"charge": charge["id"], "amount": amount})
        refund = self._keep("refund", theirs, given, amount=amount, charge=charge["id"], currency=charge["currency"])
        refund |= {"payment_intent": charge["payment_intent"], "reason": given.get("reason"), "receipt_number": None}
        refund["balance_transaction"] = theirs["balance_transaction"]
        refund["destination_details"] = {"type": "card", "card": {"type": "refund", "reference_status": "pending"}}
        planned = self._card(self.find(charge["payment_method"])).refund
        outcome = self.refund_outcomes.pop(0) if self.refund_outcomes else "pending" if planned == "pending" else ""
        refund["status"] = "pending" if outcome == "pending" else "succeeded"
        self._count_refund(charge, amount)
        self._emit("refund.created", refund)
        self._emit("charge.refunded", charge)
        if outcome == "failed" or planned == "fails":
            self.settle_refund(refund["id"], "failed")
        return refund

    def settle_refund(self, id_: str, outcome: str) -> Thing:
        """What becomes of a refund later: succeeded or failed. A failed one brings the money back to us."""
        refund = self.find(id_)
        if refund["status"] == "failed" or outcome not in ("succeeded", "failed"):
            raise Refused(400, f"A refund that is {refund['status']} cannot become {outcome}.")
        refund["status"] = outcome
        if outcome == "failed":
            refund["failure_reason"] = "expired_or_canceled_card"
            self._count_refund(self.find(refund["charge"]), -refund["amount"])
            self._emit("refund.failed", refund)
        self._emit("refund.updated", refund)
        return refund

    def open_dispute(self, charge_id: str, reason: str) -> Thing:
        charge = self.find(charge_id)
        dispute = self._keep("dispute", {"id": f"du_{secrets.token_hex(9)}"}, {}, charge=charge_id, reason=reason)
        dispute |= {key: charge[key] for key in ("amount", "currency", "payment_intent")} | {"status": "needs_response"}
        dispute |= {"balance_transactions": [], "is_charge_refundable": False, "evidence": {}}
        charge["disputed"] = True
        self._emit("charge.dispute.created", dispute)
        return dispute

    def close_dispute(self, id_: str, *, won: bool) -> Thing:
        dispute = self.find(id_)
        dispute["status"] = "won" if won else "lost"
        self._emit("charge.dispute.closed", dispute)
        return dispute

    def _refundable(self, given: Parameters) -> Thing:
        if bool(given.get("charge")) == bool(given.get("payment_intent")):
            raise bad("One of these parameters has to be given, and one only: charge, payment_intent.", "charge")
        if given.get("charge"):
            charge: Thing | None = self.find(given["charge"], "charge")
        else:
            intent = self.find(given["payment_intent"], "payment_intent")
            charge = self.things.get(intent["latest_charge"] or "")
        if charge is None or charge["status"] != "succeeded":
            source = given.get("payment_intent") or given["charge"]
            raise Refused(400, f"This PaymentIntent ({source}) does not have a successful charge to refund.")
        return charge

    def _count_refund(self, charge: Thing, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]

    # --- keeping ---

    def _keep(self, kind: str, theirs: Thing, given: Parameters, **fields: Any) -> Thing:
        thing: Thing = {"id": theirs["id"], "object": kind, "created": _now(), "livemode": False}
        thing |= {"metadata": _merged({}, given.get("metadata"))} | fields
        self.things[thing["id"]] = thing
        return thing

    def _change(self, thing: Thing, given: Parameters) -> None:
        for key, value in given.items():
            if key == "metadata":
                thing[key] = {} if value == "" else _merged(thing[key], value)
            elif key in thing:
                thing[key] = None if value == "" else value

    def _unexpected(self, intent: Thing, message: str) -> Refused:
        kind = intent["object"]
        said = message if message.startswith("You") else f"This {kind.replace('_', ' ')} {message}"
        return Refused(400, said, code=f"{kind}_unexpected_state", more={kind: copy.deepcopy(intent)})


def _asks_for_authentication(card: Card, off_session: bool, is_set_up: bool) -> bool:
    if card.authentication in ("", "always"):
        return card.authentication == "always"
    return not (off_session and (card.authentication == "set_up" or is_set_up))


def _card_error(decline: str) -> Refused:
    code, message = DECLINES[decline]
    more = {"decline_code": decline} if code in ("card_declined", "authentication_required") else {}
    return Refused(402, message, kind="card_error", code=code, more=more)


def _authentication_error(kind: str = "payment_intent") -> Thing:
    code = f"{kind}_authentication_failure"
    return {"type": "invalid_request_error", "code": code, "message": AUTHENTICATION_FAILED}


def _fits(thing: Thing, given: Parameters) -> bool:
    for key in ("customer", "payment_intent", "charge", "payment_method"):
        if key in given and thing.get(key) != given[key]:
            return False
    if (kind := given.get("type")) and thing["type"] != kind and thing["object"] in ("event", "payment_method"):
        return False
    if "types" in given and thing["type"] not in given["types"]:
        return False
    created = given.get("created", {})
    bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
    tests = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    return all(tests[name](thing["created"], bound) for name, bound in bounds.items())


def _merged(old: dict[str, str], new: Any) -> dict[str, str]:
    return {key: value for key, value in {**old, **(new or {})}.items() if value != ""}


def _now() -> int:
    return int(time.time())
