"""Calls to Stripe that take and return our values; ``payments.stripe.client`` sends them and turns errors into ours.

Every function that calls Stripe may raise ``ProviderFailed`` or ``ProviderRefused`` (see ``client.asking``) and must
run outside any transaction. Requests follow the API version of the installed library. Metadata holds our keys and no
personal data. Amounts are our minor units; ``payments.stripe.amounts`` converts them where Stripe counts differently.
"""

import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from core.inputs import read_json
from payments.enums import PaymentStatus, RefundStatus, SetupStatus
from payments.errors import ProviderRefused
from payments.stripe.amounts import from_stripe_amount, stripe_amount
from payments.stripe.client import asking, client, is_signed, keyed, pages

logger = logging.getLogger(__name__)

# Payment methods that take days to succeed. A time cannot be held that long, so the page never offers them.
DELAYED_METHODS = [
    "acss_debit",
    "au_becs_debit",
    "bacs_debit",
    "boleto",
    "customer_balance",
    "konbini",
    "multibanco",
    "nz_bank_account",
    "oxxo",
    "payto",
    "sepa_debit",
    "sofort",
    "us_bank_account",
]

_INTENT = {
    "requires_payment_method": PaymentStatus.OPEN,
    "requires_confirmation": PaymentStatus.OPEN,
    "requires_action": PaymentStatus.OPEN,
    "requires_capture": PaymentStatus.PROCESSING,
    "processing": PaymentStatus.PROCESSING,
    "succeeded": PaymentStatus.SUCCEEDED,
    "canceled": PaymentStatus.CANCELLED,
}
_SETUP = {
    "requires_payment_method": SetupStatus.OPEN,
    "requires_confirmation": SetupStatus.OPEN,
    "requires_action": SetupStatus.OPEN,
    "processing": SetupStatus.PROCESSING,
    "succeeded": SetupStatus.SUCCEEDED,
    "canceled": SetupStatus.CANCELLED,
}
REFUND_STATUSES = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.REQUIRES_ACTION,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    # A refund cancelled at Stripe: the customer did not get the money.
    "canceled": RefundStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class Means:
    """The payment method of a payment: its type and, for a card, the details that may be shown."""

    id: str = ""
    type: str = ""
    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment as Stripe has it. ``key`` is our row's; empty if another system made it in the same account.

    Amounts of another system that our minor unit cannot express are rounded down.
    """

    id: str
    status: PaymentStatus
    is_unconfirmed: bool
    amount_minor: int
    received_minor: int
    currency: str
    client_secret: str
    means: Means
    failure_code: str
    key: str


@dataclass(frozen=True, slots=True)
class Setup:
    id: str
    status: SetupStatus
    client_secret: str
    means: Means
    key: str


@dataclass(frozen=True, slots=True)
class RefundState:
    id: str
    status: RefundStatus
    amount_minor: int
    currency: str
    intent_id: str
    failure_code: str
    key: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that the customer disputes at the bank. ``status`` is Stripe's word."""

    id: str
    status: str
    reason: str
    amount_minor: int

    @property
    def is_won(self) -> bool:
        """Whether the business keeps the money. An inquiry that is closed counts as won."""
        return self.status in {"won", "warning_closed"}

    @property
    def is_lost(self) -> bool:
        return self.status == "lost"

    @property
    def is_open(self) -> bool:
        return not self.is_won and not self.is_lost


def is_configured() -> bool:
    """Whether customers can pay online: both Stripe keys are set."""
    return bool(settings.STRIPE_SECRET_KEY and settings.STRIPE_PUBLISHABLE_KEY)


def expects_live_events() -> bool:
    return "_live_" in settings.STRIPE_SECRET_KEY


# --- customers and saved cards ----------------------------------------------------------------------------------------


def create_customer(*, bill_key: str) -> str:
    """Create a Stripe customer for one bill and return its id. Stripe gets our key only, no name and no address."""
    params: Any = {"metadata": {"bill": bill_key}}
    with asking("create customer"):
        made = client().v1.customers.create(params, keyed(f"customer:{bill_key}"))
        return str(made.id)


def detach(payment_method_id: str) -> None:
    """Detach a saved card. Does nothing if Stripe has detached it already."""
    try:
        with asking("detach"):
            client().v1.payment_methods.detach(payment_method_id)
    except ProviderRefused as refused:
        logger.info("payment method is gone already: %s", refused.code)


# --- payments ---------------------------------------------------------------------------------------------------------


def create_intent(
    *, key: str, serial: int, amount_minor: int, currency: str, customer_id: str = "", saves_card: bool = False
) -> Intent:
    """Create an intent that the customer confirms on the page. The same key and serial return the same intent."""
    params: dict[str, Any] = {
        "amount": stripe_amount(amount_minor, currency),
        "currency": currency.lower(),
        "excluded_payment_method_types": DELAYED_METHODS,
        "metadata": {"payment": key},
    }
    if customer_id:
        params["customer"] = customer_id
    if saves_card:
        params["setup_future_usage"] = "off_session"
    return _create_intent(params, key, serial)


def create_charge(
    *, key: str, serial: int, amount_minor: int, currency: str, customer_id: str, payment_method_id: str
) -> Intent:
    """Create an intent for a saved card without confirming it, so that an accidental second intent takes no money."""
    params: dict[str, Any] = {
        "amount": stripe_amount(amount_minor, currency),
        "currency": currency.lower(),
        "customer": customer_id,
        "payment_method": payment_method_id,
        # The customer is away, so no redirect is possible. Without this Stripe requires a return address.
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "excluded_payment_method_types": DELAYED_METHODS,
        "metadata": {"payment": key},
    }
    return _create_intent(params, key, serial)


def confirm_charge(intent_id: str, *, key: str, serial: int) -> Intent:
    """Confirm a prepared charge while the customer is away. An intent succeeds at most once.

    :raises ProviderRefused: if the bank declines or requires the customer (``authentication_required``).
    """
    params: Any = {"off_session": True, "expand": ["payment_method"]}
    with asking("confirm charge"):
        return _intent(client().v1.payment_intents.confirm(intent_id, params, keyed(f"confirm:{key}:{serial}")))


def retrieve_intent(intent_id: str) -> Intent:
    params: Any = {"expand": ["payment_method"]}
    with asking("retrieve intent"):
        return _intent(client().v1.payment_intents.retrieve(intent_id, params))


def cancel_intent(intent_id: str) -> Intent:
    """Cancel an intent and return it as it is then: it may have succeeded just before."""
    try:
        with asking("cancel intent"):
            return _intent(client().v1.payment_intents.cancel(intent_id))
    except ProviderRefused:
        return retrieve_intent(intent_id)


def intents_since(since: datetime) -> Iterator[Intent]:
    """Every intent of the account created since then, newest first."""
    params = {"created": {"gte": int(since.timestamp())}}
    yield from map(_intent, pages(client().v1.payment_intents.list, params))


# --- cards without a payment ------------------------------------------------------------------------------------------


def create_setup(*, key: str, customer_id: str) -> Setup:
    params: Any = {
        "customer": customer_id,
        "usage": "off_session",
        "excluded_payment_method_types": DELAYED_METHODS,
        "metadata": {"setup": key},
    }
    with asking("create setup"):
        return _setup(client().v1.setup_intents.create(params, keyed(f"setup:{key}")))


def retrieve_setup(setup_intent_id: str) -> Setup:
    params: Any = {"expand": ["payment_method"]}
    with asking("retrieve setup"):
        return _setup(client().v1.setup_intents.retrieve(setup_intent_id, params))


def cancel_setup(setup_intent_id: str) -> Setup:
    try:
        with asking("cancel setup"):
            return _setup(client().v1.setup_intents.cancel(setup_intent_id))
    except ProviderRefused:
        return retrieve_setup(setup_intent_id)


# --- refunds ----------------------------------------------------------------------------------------------------------


def create_refund(*, key: str, serial: int, intent_id: str, amount_minor: int, currency: str) -> RefundState:
    """Refund an amount of a payment to its payment method.

    :raises ProviderRefused: if less than this is left, or Stripe cannot refund the payment.
    """
    params: Any = {
        "payment_intent": intent_id,
        "amount": stripe_amount(amount_minor, currency),
        "metadata": {"refund": key},
    }
    with asking("create refund"):
        return _refund(client().v1.refunds.create(params, keyed(f"refund:{key}:{serial}")))


def refunds_of(intent_id: str) -> list[RefundState]:
    return [_refund(each) for each in pages(client().v1.refunds.list, {"payment_intent": intent_id})]


def refunds_since(since: datetime) -> Iterator[RefundState]:
    params = {"created": {"gte": int(since.timestamp())}}
    yield from map(_refund, pages(client().v1.refunds.list, params))


# --- disputes ---------------------------------------------------------------------------------------------------------


def disputes_of(intent_id: str) -> list[Dispute]:
    return [_dispute(each) for each in pages(client().v1.disputes.list, {"payment_intent": intent_id})]


# --- events -----------------------------------------------------------------------------------------------------------


def verified_event(body: bytes, signature: str) -> Mapping[str, Any] | None:
    """Return the event in ``body`` if one of our secrets signed exactly these bytes within five minutes, else None."""
    try:
        text = body.decode()
        if not any(is_signed(text, signature, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
            return None
        event = read_json(text)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


# --- inside -----------------------------------------------------------------------------------------------------------


def _create_intent(params: dict[str, Any], key: str, serial: int) -> Intent:
    sent: Any = params
    with asking("create intent"):
        return _intent(client().v1.payment_intents.create(sent, keyed(f"payment:{key}:{serial}")))


def _value(found: Any, name: str) -> Any:
    return getattr(found, name, None) if found is not None else None


def _key(found: Any, name: str) -> str:
    """Our key in the metadata; "" if it is no UUID, as another system in the same account may use the same name."""
    metadata = _value(found, "metadata")
    try:
        return str(uuid.UUID(str(metadata.to_dict().get(name, "")))) if metadata is not None else ""
    except ValueError:
        return ""


def _minor(amount: int, currency: str) -> int:
    try:
        return from_stripe_amount(amount, currency)
    except ValueError:
        return from_stripe_amount(amount - amount % 100, currency)


def _means(found: Any) -> Means:
    if found is None or isinstance(found, str):
        return Means(id=found or "")
    card = _value(found, "card")
    return Means(
        id=str(found.id),
        type=str(_value(found, "type") or ""),
        brand=str(_value(card, "brand") or ""),
        last4=str(_value(card, "last4") or ""),
        exp_month=_value(card, "exp_month"),
        exp_year=_value(card, "exp_year"),
    )


def _failure(error: Any) -> str:
    return str(_value(error, "decline_code") or _value(error, "code") or "")[:60]


def _intent(found: Any) -> Intent:
    currency = str(found.currency).upper()
    return Intent(
        id=str(found.id),
        status=_INTENT.get(str(found.status), PaymentStatus.PROCESSING),
        is_unconfirmed=found.status == "requires_confirmation",
        amount_minor=_minor(found.amount, currency),
        received_minor=_minor(_value(found, "amount_received") or 0, currency),
        currency=currency,
        client_secret=str(_value(found, "client_secret") or ""),
        means=_means(_value(found, "payment_method")),
        failure_code=_failure(_value(found, "last_payment_error")),
        key=_key(found, "payment"),
    )


def _setup(found: Any) -> Setup:
    return Setup(
        id=str(found.id),
        status=_SETUP.get(str(found.status), SetupStatus.PROCESSING),
        client_secret=str(_value(found, "client_secret") or ""),
        means=_means(_value(found, "payment_method")),
        key=_key(found, "setup"),
    )


def _refund(found: Any) -> RefundState:
    currency = str(found.currency).upper()
    return RefundState(
        id=str(found.id),
        status=REFUND_STATUSES.get(str(_value(found, "status")), RefundStatus.PENDING),
        amount_minor=_minor(found.amount, currency),
        currency=currency,
        intent_id=str(_value(found, "payment_intent") or ""),
        failure_code=str(_value(found, "failure_reason") or "")[:60],
        key=_key(found, "refund"),
    )


def _dispute(found: Any) -> Dispute:
    return Dispute(
        id=str(found.id),
        status=str(found.status),
        reason=str(_value(found, "reason") or "")[:60],
        amount_minor=_minor(found.amount, str(found.currency).upper()),
    )
