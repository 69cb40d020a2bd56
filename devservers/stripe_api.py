"""The API itself: who may ask, what goes wrong on purpose, and one answer per idempotency key."""

import asyncio
import contextlib
import fnmatch
import json
import re
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from devservers import stripe_browser, stripe_params
from devservers.stripe_events import API_VERSION, Events
from devservers.stripe_ledger import Ledger
from devservers.stripe_params import ENDPOINTS, Parameters, Refused, bad
from devservers.stripe_things import Thing

REQUESTS_KEPT = 20_000
LOCK_TIMEOUT = (
    "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. "
    "If you see this error intermittently, retry the request. If you see this error frequently and are making multiple "
    "concurrent requests to a single object, make your requests serially or at a lower rate."
)
RATE_LIMIT = "Too many requests hit the API too quickly."
DECLINED = {"code": "card_declined", "decline_code": "generic_decline", "message": "Your card was declined."}
FAULTS = {
    "429": (429, {"type": "invalid_request_error", "code": "rate_limit", "message": RATE_LIMIT}),
    "lock_timeout": (429, {"type": "invalid_request_error", "code": "lock_timeout", "message": LOCK_TIMEOUT}),
    "500": (500, {"type": "api_error", "message": "An unknown error occurred"}),
    "402": (402, {"type": "card_error", **DECLINED}),
}
ONLY_AT_THE_DOOR = ("429", "lock_timeout")
"""Faults that come before anything begins, so that Stripe keeps nothing under the idempotency key."""

Kept = tuple[int, Thing]


@dataclass
class Fault:
    """What goes wrong with requests whose "METHOD path" fits `pattern` (with `*`), for the next `times` of them.

    kind: 429, lock_timeout, 500, 402 (instead of the work), hang_before, hang_after (`seconds` before or after the
    work is done, or until a test says that all is calm), reset_before, reset_after (the connection breaks), 500_after
    (the work is done and 500 is said).
    """

    pattern: str
    kind: str
    times: int = 1
    seconds: float = 0


class Edge:
    """All that the program remembers."""

    def __init__(self, upstream: str, keys: stripe_browser.Keys, events: Events, folder: Path | None) -> None:
        self.keys = keys
        self.events = events
        self.ledger = Ledger(self._post, self._emit)
        self.faults: list[Fault] = []
        self.requests: list[Thing] = []
        self.answers: dict[str, tuple[str, Kept]] = {}
        """Idempotency key: what was asked, and what was answered first."""
        self.running: set[str] = set()
        self._hanging: set[asyncio.Future[None]] = set()
        self.cause: Thing = {"id": None, "idempotency_key": None}
        self._upstream = upstream
        self._client: aiohttp.ClientSession | None = None
        self._file = folder / "things.json" if folder else None
        if self._file and self._file.exists():
            kept = json.loads(self._file.read_text())
            self.ledger.things, self.ledger.numbers = kept["things"], kept["numbers"]
            self.ledger.set_up = set(kept["set_up"])

    async def close(self) -> None:
        await self.events.close()
        if self._client:
            await self._client.close()

    # --- the API ---

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request to /v1: noted, disturbed, answered once per idempotency key."""
        id_ = f"req_{secrets.token_hex(7)}"
        given: Parameters = {}
        key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
        replayed = False
        try:
            given = await _given(request)
            self._note(request, given, key)
            kind = self._fault(request, ("429", "lock_timeout", "reset_before"))
            await self._disturb(request, kind)
            self._admit(request, given)
            status, body, replayed = await self._once(request, given, key, id_)
        except Refused as refused:
            status, body = refused.status, {"error": refused.error}
        await self._disturb(request, self._fault(request, ("hang_after", "reset_after")))
        if "error" in body:
            body = {"error": body["error"] | {"request_log_url": f"https://dashboard.stripe.com/test/logs/{id_}"}}
        headers = {"Request-Id": id_, "Stripe-Version": API_VERSION} | ({"Idempotency-Key": key} if key else {})
        headers |= {"Idempotent-Replayed": "true"} if replayed else {}
        return web.json_response(body, status=status, headers=headers)

    async def _once(self, request: web.Request, given: Parameters, key: str, id_: str) -> tuple[int, Thing, bool]:
        asked = f"{request.method} {request.path} {json.dumps(stripe_browser.without_card(given), sort_keys=True)}"
        if not key:
            return (*await self._work(request, given, id_, key), False)
        if key in self.running:
            raise Refused(
                409,
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key}",
                code="idempotency_key_in_use",
                is_stored=False,
            )
        if key in self.answers:
            first, (status, body) = self.answers[key]
            if first != asked:
                raise Refused(
                    400,
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                    f"Try using a key other than '{key}' if you meant to execute a different request.",
                    kind="idempotency_error",
                )
            return status, body, True
        self.running.add(key)
        try:
            status, body = await self._work(request, given, id_, key)
            self.answers[key] = (asked, (status, body))
            return status, body, False
        finally:
            self.running.discard(key)

    async def _work(self, request: web.Request, given: Parameters, id_: str, key: str) -> Kept:
        """
        :raises Refused: when nothing of it is to be kept under the key.
        """
        endpoint, thing_id = _endpoint(request)
        if fault := self._fault(request, ("500", "402")):
            return FAULTS[fault][0], {"error": dict(FAULTS[fault][1])}
        await self._disturb(request, self._fault(request, ("hang_before",)))
        from_browser = stripe_browser.is_from_browser(self.keys, request)
        try:
            typed = dict(given) if from_browser else stripe_params.check(endpoint, given)
            expand = typed.pop("expand", [])
            async with self.ledger.changing:
                self.cause = {"id": id_, "idempotency_key": key or None}
                if from_browser:
                    typed = await stripe_browser.with_card(self.ledger, typed)
                body = self.ledger.expanded(await self._handle(endpoint, thing_id, typed), expand)
        except Refused as refused:
            if from_browser:
                refused.error = stripe_browser.shown_error(refused.error)
            if not refused.is_stored:
                raise
            return refused.status, {"error": refused.error}
        finally:
            if request.method == "POST":
                self.save()
        if self._fault(request, ("500_after",)):
            return 500, {"error": dict(FAULTS["500"][1])}
        return 200, stripe_browser.shown(body) if from_browser else body

    async def _handle(self, endpoint: str, id_: str, given: Parameters) -> Thing:
        ledger = self.ledger
        changes: dict[str, Callable[[], Awaitable[Thing]]] = {
            "POST customers": lambda: ledger.create_customer(given),
            "POST customers/{id}": lambda: ledger.update_customer(id_, given),
            "POST payment_intents": lambda: ledger.create_intent(given),
            "POST payment_intents/{id}": lambda: ledger.update_intent(id_, given),
            "POST payment_intents/{id}/confirm": lambda: ledger.confirm_intent(id_, given),
            "POST payment_intents/{id}/cancel": lambda: ledger.cancel_intent(id_, given),
            "POST setup_intents": lambda: ledger.create_setup(given),
            "POST setup_intents/{id}/confirm": lambda: ledger.confirm_setup(id_, given),
            "POST setup_intents/{id}/cancel": lambda: ledger.cancel_setup(id_, given),
            "POST refunds": lambda: ledger.create_refund(given),
            "POST payment_methods/{id}/attach": lambda: ledger.attach(id_, given),
            "POST payment_methods/{id}/detach": lambda: ledger.detach(id_),
            "GET payment_methods/{id}": lambda: ledger.method(id_),
        }
        if endpoint in changes:
            return await changes[endpoint]()
        if id_:
            return ledger.find(id_)
        return ledger.page(endpoint.removeprefix("GET ").removesuffix("s"), given)

    def _admit(self, request: web.Request, given: Parameters) -> None:
        """
        :raises Refused: for a wrong key or version.
        """
        version = request.headers.get("Stripe-Version", API_VERSION)
        if version != API_VERSION:
            raise bad(f"Invalid Stripe API version: {version}. This stand-in speaks {API_VERSION}.")
        if stripe_browser.is_from_browser(self.keys, request):
            stripe_browser.admit(self.ledger, request, given)
        elif stripe_browser.key_of(request) != self.keys.secret:
            raise Refused(401, "Invalid API Key provided.", is_stored=False)

    # --- faults ---

    def _fault(self, request: web.Request, kinds: tuple[str, ...]) -> str:
        """The kind of a fault that is due, counted off; for hanging, with its seconds."""
        name = f"{request.method} {request.path}"
        for fault in self.faults:
            if fault.kind in kinds and fault.times > 0 and fnmatch.fnmatchcase(name, fault.pattern):
                fault.times -= 1
                return f"{fault.kind}:{fault.seconds}" if fault.kind.startswith("hang") else fault.kind
        return ""

    async def _disturb(self, request: web.Request, kind: str) -> None:
        if kind.startswith("hang"):
            await self._hang(float(kind.partition(":")[2]))
        elif kind.startswith("reset"):
            _reset(request)
        elif kind in ONLY_AT_THE_DOOR:
            status, error = FAULTS[kind]
            refused = Refused(status, error["message"], is_stored=False)
            refused.error = dict(error)
            raise refused

    async def _hang(self, seconds: float) -> None:
        end = asyncio.get_running_loop().create_future()
        self._hanging.add(end)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(end, seconds)
        finally:
            self._hanging.discard(end)

    def calm(self) -> None:
        """Nothing goes wrong any more, and what hangs goes on."""
        self.faults, self.ledger.refund_outcomes = [], []
        for end in self._hanging:
            if not end.done():
                end.set_result(None)

    def break_off(self) -> None:
        """End what hangs, so that it does nothing in the next test."""
        for end in self._hanging:
            end.cancel()

    # --- keeping ---

    def save(self) -> None:
        """Write everything to the folder, if there is one."""
        if self._file:
            ledger = self.ledger
            kept = {"things": ledger.things, "numbers": ledger.numbers, "set_up": sorted(ledger.set_up)}
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps(kept))
            partial.replace(self._file)

    def _note(self, request: web.Request, given: Parameters, key: str) -> None:
        seen = stripe_browser.without_card(given)
        version = request.headers.get("Stripe-Version")
        note = {"method": request.method, "path": request.path, "params": seen, "idempotency_key": key or None}
        self.requests.append(note | {"api_version": version, "at": time.time()})
        del self.requests[:-REQUESTS_KEPT]

    def _emit(self, kind: str, thing: Thing) -> None:
        event = self.events.new(kind, thing, self.cause)
        self.ledger.things[event["id"]] = event

    async def _post(self, path: str, data: Thing) -> Thing:
        """Ask localstripe, which was never told of anything it would refuse.

        :raises Refused: with 500 when it refuses all the same, for instance what it has forgotten.
        """
        client = self._client = self._client or aiohttp.ClientSession()
        headers = {"Authorization": "Bearer sk_test_upstream"}
        async with client.post(f"{self._upstream}/v1/{path}", json=data, headers=headers) as answer:
            body: Thing = await answer.json()
            if answer.status == 404:
                raise Refused(404, f"No such object: '{path}'", code="resource_missing", is_stored=False)
            if answer.status >= 400:
                raise Refused(500, f"localstripe refused {path}: {body}", kind="api_error")
            return body


async def _given(request: web.Request) -> Parameters:
    """What the request says, in its address or as a form.

    :raises Refused: when it is no form.
    """
    if request.method != "POST":
        return stripe_params.tree(request.query.items())
    form = await request.post()
    return stripe_params.tree((name, value) for name, value in form.items() if isinstance(value, str))


def _endpoint(request: web.Request) -> tuple[str, str]:
    """The name of the endpoint and the id in its path.

    :raises Refused: when Stripe or this stand-in has none like it.
    """
    match = re.fullmatch(r"/v1/(\w+)(?:/(\w+))?(/\w+)?", request.path)
    if match:
        kind, id_, action = match.groups()
        name = f"{request.method} {kind}{'/{id}' if id_ else ''}{action or ''}"
        if name in ENDPOINTS:
            return name, id_ or ""
    message = f"Unrecognized request URL ({request.method}: {request.path})."
    raise Refused(404, message, is_stored=False)


def _reset(request: web.Request) -> None:
    """Break the connection off, so that the other side cannot know what became of its request."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    raise asyncio.CancelledError
