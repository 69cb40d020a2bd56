"""Events and their delivery: signed when sent, tried again until taken, and disturbed as a test asks."""

import asyncio
import copy
import fnmatch
import hashlib
import hmac
import json
import random
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

import aiohttp
from stripe._api_version import _ApiVersion

API_VERSION = _ApiVersion.CURRENT
RETRY_SECONDS = (1, 3, 10, 30, 60)
KEPT = 20_000

Order = Literal["kept", "reversed", "shuffled"]


@dataclass
class Plan:
    """What happens to deliveries of events whose type fits `events` (with `*`), for the next `times` of them."""

    events: str = "*"
    drop: bool = False
    copies: int = 1
    delay_seconds: float = 0
    hold: bool = False
    signed_at: int | None = None
    """Seconds since 1970 that the signature says, instead of now."""
    forged: bool = False
    """Signed with a secret that is not ours."""
    times: int | None = None


@dataclass
class Delivery:
    """One attempt to deliver. `status` is what was answered, or None when nobody answered."""

    event_id: str
    type: str
    attempt: int
    status: int | None
    at: float


class Events:
    """All events, and the one endpoint they go to."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.plans: list[Plan] = []
        self.deliveries: list[Delivery] = []
        self._secret = secret
        self._held: list[tuple[dict[str, Any], Plan]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._client: aiohttp.ClientSession | None = None

    def new(self, kind: str, thing: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        """Make an event of what a thing is like now, and begin to deliver it."""
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "data": {"object": copy.deepcopy(thing)},
            "livemode": False,
            "pending_webhooks": 1 if self.url else 0,
            "request": request,
            "type": kind,
        }
        self.deliver(event)
        return event

    def deliver(self, event: dict[str, Any]) -> None:
        if not self.url:
            return
        plan = self._plan_for(event["type"])
        if plan.hold:
            self._held.append((event, plan))
        elif not plan.drop:
            self._start(event, plan)

    def release(self, order: Order, seed: int) -> int:
        """Send what was held back; returns how many."""
        held, self._held = self._held, []
        if order == "reversed":
            held.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(held)  # noqa: S311 - an order for tests, not a secret
        self._keep_task(self._one_after_the_other(held))
        return len(held)

    def state(self) -> dict[str, Any]:
        sent = [asdict(delivery) for delivery in self.deliveries]
        return {"deliveries": sent, "held": len(self._held), "sending": len(self._sending)}

    async def reset(self) -> None:
        """Forget plans and deliveries, and stop trying."""
        self.plans, self.deliveries, self._held = [], [], []
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def close(self) -> None:
        await self.reset()
        if self._client:
            await self._client.close()

    def _plan_for(self, kind: str) -> Plan:
        for plan in self.plans:
            if fnmatch.fnmatchcase(kind, plan.events) and plan.times != 0:
                plan.times = None if plan.times is None else plan.times - 1
                return plan
        return Plan()

    def _start(self, event: dict[str, Any], plan: Plan) -> None:
        for _ in range(plan.copies):
            self._keep_task(self._send_until_taken(event, plan))

    def _keep_task(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _one_after_the_other(self, held: list[tuple[dict[str, Any], Plan]]) -> None:
        for event, plan in held:
            for _ in range(plan.copies):
                if not await self._send(event, plan, 1):
                    self._keep_task(self._send_until_taken(event, plan, first=2))

    async def _send_until_taken(self, event: dict[str, Any], plan: Plan, first: int = 1) -> None:
        await asyncio.sleep(plan.delay_seconds)
        waits = (0, *RETRY_SECONDS)
        for attempt in range(first, len(waits) + 1):
            await asyncio.sleep(waits[attempt - 1])
            if await self._send(event, plan, attempt):
                return

    async def _send(self, event: dict[str, Any], plan: Plan, attempt: int) -> bool:
        body = json.dumps(event, indent=2).encode()
        status = None
        try:
            client = self._client = self._client or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
            async with client.post(self.url, data=body, headers=self._headers(body, plan)) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        self.deliveries.append(Delivery(event["id"], event["type"], attempt, status, time.time()))
        del self.deliveries[:-KEPT]
        return status is not None and 200 <= status < 300

    def _headers(self, body: bytes, plan: Plan) -> dict[str, str]:
        at = int(time.time()) if plan.signed_at is None else plan.signed_at
        secret = f"whsec_{secrets.token_hex(16)}" if plan.forged else self._secret
        signature = hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": f"t={at},v1={signature}",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
