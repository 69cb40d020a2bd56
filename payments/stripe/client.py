"""The Stripe client: time-outs, a circuit breaker, and Stripe's errors as ours. Refuses to run inside a transaction.

The only module that imports the Stripe library. After Stripe did not answer, calls fail at once for some seconds.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings
from django.db import connection

from core.breaker import Breaker
from payments.errors import ProviderFailed, ProviderRefused, UnknownToProvider

logger = logging.getLogger(__name__)

# Connect and read. The customer waits for a payment to start, and a thread of the web process waits too.
TIMEOUT_SECONDS = (2.0, 6.0)
# For calls of the web process that a worker repeats if Stripe does not answer at once.
SHORT_TIMEOUT_SECONDS = (1.0, 2.0)
PAGE = 100

breaker = Breaker(pause_seconds=10.0)
_is_short = ContextVar("short", default=False)


@contextmanager
def answering_soon() -> Iterator[None]:
    """Use the short time-outs inside: a web request makes calls that a worker can repeat later."""
    token = _is_short.set(True)
    try:
        yield
    finally:
        _is_short.reset(token)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Guard one call to Stripe. ``what`` names the call in the logs.

    :raises RuntimeError: inside a transaction, which a slow answer would hold open.
    :raises ProviderFailed: if Stripe does not answer, fails itself, or did not answer a moment ago.
    :raises ProviderRefused: if Stripe refuses the request, as ``UnknownToProvider`` if it does not know the object.
    """
    blocks = connection.atomic_blocks
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise RuntimeError("The payment provider must not be asked inside a transaction.")
    if breaker.is_open():
        raise ProviderFailed("not asked: it did not answer a moment ago")
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        if isinstance(error, stripe.APIConnectionError):
            breaker.trip()
        logger.warning("stripe: %s failed: %s", what, type(error).__name__)
        raise ProviderFailed(type(error).__name__) from error
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        if error.http_status == 429 or error.code == "lock_timeout":
            raise ProviderFailed(str(error.code)) from error
        code = getattr(error, "decline_code", None) or error.code or "refused"
        if error.code == "authentication_required":
            code = error.code
        logger.info("stripe: %s refused: %s", what, code)
        refused = UnknownToProvider if error.http_status == 404 else ProviderRefused
        raise refused(str(code)[:60]) from error
    except stripe.IdempotencyError as error:
        logger.error("stripe: %s: a key was used for something else", what)
        raise ProviderFailed("idempotency_key_reused", answered=True) from error
    except stripe.StripeError as error:
        # Stripe stores its 5xx answers under the idempotency key. Wrong API keys and missing permissions end here too;
        # the owner has to correct them.
        logger.warning("stripe: %s failed: %s %s", what, type(error).__name__, error.http_status)
        is_busy = error.http_status == 409
        raise ProviderFailed(type(error).__name__, answered=not is_busy and (error.http_status or 0) >= 500) from error


def client() -> stripe.StripeClient:
    """Return the library's client for this site's account, with the time-outs that apply here."""
    timeout = SHORT_TIMEOUT_SECONDS if _is_short.get() else TIMEOUT_SECONDS
    return _made_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, timeout)


def keyed(idempotency_key: str) -> Any:
    """Options of a request that Stripe carries out once per key; a repetition gets the same answer."""
    return {"idempotency_key": idempotency_key}


def pages(read: Any, params: Mapping[str, Any]) -> Iterator[Any]:
    """Every object of a Stripe list, read page by page."""
    after: dict[str, Any] = {}
    while True:
        with asking("list"):
            page = read({**params, **after, "limit": PAGE})
        yield from page.data
        if not page.has_more or not page.data:
            return
        after = {"starting_after": page.data[-1].id}


def is_signed(text: str, signature: str, secret: str) -> bool:
    """Whether ``signature`` is a signature of exactly this text with ``secret``, at most five minutes old."""
    # The library can compare only ASCII.
    if not signature.isascii():
        return False
    try:
        stripe.WebhookSignature.verify_header(text, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
    except (ValueError, stripe.SignatureVerificationError):
        return False
    return True


@lru_cache(maxsize=4)
def _made_client(secret_key: str, api_base: str, timeout: tuple[float, float]) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": api_base},
        http_client=stripe.RequestsClient(timeout=timeout),
        # The outbox and the customer retry with the same keys. A retry here would only make them wait longer.
        max_network_retries=0,
    )
