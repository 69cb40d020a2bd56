"""How tests tell the stand-in for Stripe what to do, and ask what it saw.

control.pay(intent_id)                                     # as if the customer had paid in the browser
control.fail("POST /v1/refunds", "500", times=2)
control.plan_events("payment_intent.*", copies=3)
control.requests("POST", "/v1/refunds")
"""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Literal, cast

Thing = dict[str, Any]
FaultKind = Literal[
    "429", "lock_timeout", "500", "402", "hang_before", "hang_after", "reset_before", "reset_after", "500_after"
]
"""429 and lock_timeout: refused at the door, nothing is kept under the idempotency key. 500, 402: answered instead of
doing the work, and kept under the key. 500_after: the work is done and 500 is answered and kept. hang_…: before or
after the work, for `seconds` or until `calm`. reset_…: the connection breaks before or after the work."""


class ControlFailed(Exception):
    """The stand-in refused an order. The message says why."""


@dataclass(frozen=True)
class StripeControl:
    url: str
    secret_key: str

    # --- what customers and Stripe do ---

    def pay(self, intent_id: str, outcome: str = "succeeded") -> Thing:
        """Bring a payment intent to an end without a browser.

        :param outcome: succeeded, processing, requires_action, or a decline code such as insufficient_funds.
        """
        return cast(Thing, self._order("pay", id=intent_id, outcome=outcome))

    def set_up(self, setup_intent_id: str, outcome: str = "succeeded") -> Thing:
        """Bring a setup intent to an end: succeeded, or a decline code."""
        return cast(Thing, self._order("set_up", id=setup_intent_id, outcome=outcome))

    def refund_outside(self, payment_intent_id: str, amount: int | None = None) -> Thing:
        """A refund that somebody makes in Stripe's dashboard; the rest of the charge if `amount` is None."""
        more = {} if amount is None else {"amount": amount}
        return cast(Thing, self._order("refund", payment_intent=payment_intent_id, **more))

    def next_refunds(self, *outcomes: Literal["pending", "succeeded", "failed"]) -> None:
        """What becomes of the next refunds that are asked for, in order."""
        self._order("refund_outcomes", outcomes=outcomes)

    def settle_refund(self, refund_id: str, outcome: Literal["succeeded", "failed"]) -> Thing:
        """What a refund becomes later."""
        return cast(Thing, self._order("settle_refund", id=refund_id, outcome=outcome))

    def open_dispute(self, payment_intent_id: str, reason: str = "fraudulent") -> Thing:
        return cast(Thing, self._order("dispute", payment_intent=payment_intent_id, reason=reason))

    def close_dispute(self, dispute_id: str, *, won: bool) -> Thing:
        return cast(Thing, self._order("close_dispute", id=dispute_id, won=won))

    # --- what goes wrong ---

    def fail(self, pattern: str, kind: FaultKind, *, times: int = 1, seconds: float = 0) -> None:
        """Disturb the next requests whose "METHOD path" fits the pattern, such as "POST /v1/payment_intents*"."""
        self._order("fault", pattern=pattern, kind=kind, times=times, seconds=seconds)

    def calm(self) -> None:
        """From now on nothing goes wrong any more, and what hangs goes on; what happened stays."""
        self._order("calm")

    def plan_events(
        self,
        events: str = "*",
        *,
        drop: bool = False,
        copies: int = 1,
        delay_seconds: float = 0,
        hold: bool = False,
        signed_at: int | None = None,
        forged: bool = False,
        times: int | None = None,
    ) -> None:
        """What happens to deliveries of events whose type fits; the first plan that fits counts.

        :param hold: keep them back until `release_events`.
        :param signed_at: the signature's time, in seconds since 1970.
        :param forged: sign with a wrong secret.
        :param times: for so many events; all of them if None.
        """
        plan = {"drop": drop, "copies": copies, "delay_seconds": delay_seconds, "hold": hold}
        self._order("plan", events=events, signed_at=signed_at, forged=forged, times=times, **plan)

    def release_events(self, order: Literal["kept", "reversed", "shuffled"] = "kept", *, seed: int = 0) -> int:
        """Deliver what was held back, one after the other in this order; returns how many."""
        return int(self._order("release", order=order, seed=seed)["released"])

    def resend_event(self, event_id: str) -> None:
        """Deliver an event once more, as the button in Stripe's dashboard does."""
        self._order("resend", id=event_id)

    def set_webhook(self, url: str) -> None:
        """Where events go from now on; nowhere if empty."""
        self._order("webhook", url=url)

    def reset(self) -> None:
        """Forget everything: payments, keys of requests, faults, plans, deliveries."""
        self._order("reset")

    # --- what it saw ---

    def requests(self, method: str = "", path: str = "") -> list[Thing]:
        """Requests so far, oldest first: method, path, params, idempotency_key, api_version, at. No card data."""
        noted = cast(list[Thing], self._order("state")["requests"])
        return [each for each in noted if each["method"].startswith(method) and each["path"].startswith(path)]

    def deliveries(self, kind: str = "") -> list[Thing]:
        """Attempts to deliver so far: event_id, type, attempt, status (None without an answer), at."""
        return [each for each in self._order("state")["deliveries"] if each["type"].startswith(kind)]

    def wait_until_delivered(self, timeout: float = 15) -> None:
        """Wait until nothing is on its way.

        :raises TimeoutError: when something still is.
        """
        deadline = time.monotonic() + timeout
        while self._order("state")["sending"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"events are still on their way after {timeout} s: {self.deliveries()[-5:]}")
            time.sleep(0.05)

    def _order(self, name: str, **given: object) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_edge/{name}",
            data=json.dumps(given).encode(),
            headers={"Authorization": f"Bearer {self.secret_key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ControlFailed(error.read().decode()) from error
