"""Payment intents and setup intents, from the first wish to the end."""

import copy
import secrets

from devservers.stripe_cards import DECLINES, Card
from devservers.stripe_params import Parameters, Refused, bad, check_amount
from devservers.stripe_refunds import Refunds
from devservers.stripe_things import Thing, card_error, now

OPEN = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
KEPT_WORDS = (
    "description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix",
    "excluded_payment_method_types", "shipping", "payment_method_options", "on_behalf_of",
)  # fmt: skip
AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


class Ledger(Refunds):
    """Everything kept and all its changes."""

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
        intent |= {"status": "canceled", "canceled_at": now(), "next_action": None}
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
        refused = card_error(decline)
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
        refused = card_error(decline) if decline else Refused(400, AUTHENTICATION_FAILED)
        error = refused.error if decline else _authentication_error("setup_intent")
        setup |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
        setup["last_setup_error"] = error | {"payment_method": copy.deepcopy(method)}
        self._emit("setup_intent.setup_failed", setup)
        refused.error |= setup["last_setup_error"] | {"setup_intent": copy.deepcopy(setup)}
        return refused

    def _unexpected(self, intent: Thing, message: str) -> Refused:
        kind = intent["object"]
        said = message if message.startswith("You") else f"This {kind.replace('_', ' ')} {message}"
        return Refused(400, said, code=f"{kind}_unexpected_state", more={kind: copy.deepcopy(intent)})


def _asks_for_authentication(card: Card, off_session: bool, is_set_up: bool) -> bool:
    if card.authentication in ("", "always"):
        return card.authentication == "always"
    return not (off_session and (card.authentication == "set_up" or is_set_up))


def _authentication_error(kind: str = "payment_intent") -> Thing:
    code = f"{kind}_authentication_failure"
    return {"type": "invalid_request_error", "code": code, "message": AUTHENTICATION_FAILED}
