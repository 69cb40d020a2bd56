"""What Stripe keeps, by id; customers and their cards.

localstripe gives the ids; the states it lacks are kept here. Amounts are in the currency's smallest unit as Stripe
counts it, times are seconds since 1970 in UTC.
"""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable
from typing import Any

from devservers import stripe_cards
from devservers.stripe_cards import CARDS, DECLINES, IDS, Card
from devservers.stripe_params import Parameters, Refused, bad

Thing = dict[str, Any]
Post = Callable[[str, dict[str, Any]], Awaitable[Thing]]
Emit = Callable[[str, Thing], None]

NAMES = {
    "cus": "customer", "pi": "payment_intent", "seti": "setup_intent", "re": "refund", "pm": "payment_method",
    "ch": "charge", "du": "dispute", "evt": "event",
}  # fmt: skip


class Things:
    """Everything kept, oldest first. One change at a time: callers hold `changing`."""

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
            raise card_error(refusal.decline)
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

    # --- keeping ---

    def _keep(self, kind: str, theirs: Thing, given: Parameters, **fields: Any) -> Thing:
        thing: Thing = {"id": theirs["id"], "object": kind, "created": now(), "livemode": False}
        thing |= {"metadata": _merged({}, given.get("metadata"))} | fields
        self.things[thing["id"]] = thing
        return thing

    def _change(self, thing: Thing, given: Parameters) -> None:
        for key, value in given.items():
            if key == "metadata":
                thing[key] = {} if value == "" else _merged(thing[key], value)
            elif key in thing:
                thing[key] = None if value == "" else value


def card_error(decline: str) -> Refused:
    code, message = DECLINES[decline]
    more = {"decline_code": decline} if code in ("card_declined", "authentication_required") else {}
    return Refused(402, message, kind="card_error", code=code, more=more)


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


def now() -> int:
    return int(time.time())
