"""Stripe events: stored first, handled later. An event only says which object to read from Stripe again."""

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from core import outbox
from core.inserts import insert_unless_known
from core.outbox import publish
from payments.enums import AlertKind, Method, PaymentStatus
from payments.models import CardSetup, Payment, SavedCard, StripeEvent
from payments.operations import cards, declines, disputes, paying, refunding
from payments.operations.alerts import raise_alert
from payments.stripe import gateway
from payments.stripe.client import answering_soon

logger = logging.getLogger(__name__)

# The customer who has just paid or saved a card waits for these events.
AWAITED_TYPES = frozenset({"payment_intent.succeeded", "payment_intent.processing", "setup_intent.succeeded"})
ID_LENGTH = 64
TEXT_LENGTH = 200
LARGEST_NUMBER = 2**63
_TEXTS = ("id", "object", "status", "currency", "payment_intent", "charge", "reason")
_OUR_KEYS = ("payment", "setup", "refund", "bill")


class MalformedNotice(ValueError):
    """The body does not have the shape of a Stripe event."""


@transaction.atomic
def keep_notice(event: Mapping[str, Any], *, now: datetime) -> bool:
    """Store a verified Stripe event and publish ``stripe.event``. Return False if the event is stored already.

    :param event: Stripe's event object with id, type and data.object.
    :raises MalformedNotice: if one of them is missing or has a wrong type or length.
    """
    data = event.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise MalformedNotice("data.object")
    row = StripeEvent(
        event_id=_word(event, "id", ID_LENGTH),
        type=_word(event, "type", 80),
        object_id=_word(found, "id", 255, is_needed=False)[:ID_LENGTH],
        account=_word(event, "account", ID_LENGTH, is_needed=False),
        is_live=event.get("livemode") is True,
        payload=_kept(event, found),
        received_at=now,
    )
    if not insert_unless_known(row, unique=("event_id",)):
        return False
    publish("stripe.event", f"event:{row.event_id}", {"event": row.pk}, now=now)
    return True


def read_notice(*, event_pk: int, now: datetime) -> None:
    """Handle a stored event: read its object from Stripe again and store the current state.

    Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer. The outbox tries again.
    """
    event = StripeEvent.objects.get(pk=event_pk)
    if event.handled_at is not None:
        return
    outcome = _refusal(event, now) or _worked_on(event, now)
    StripeEvent.objects.filter(pk=event.pk).update(handled_at=now, outcome=outcome[:120])


def read_at_once(event: Mapping[str, Any], *, now: datetime) -> None:
    """Handle an event that a customer waits for in this process, and confirm the booking that was paid for.

    Uses a short time-out and never raises. Workers repeat what fails here, because the messages stay in the outbox.
    Does nothing for other types of events. Runs outside any transaction.
    """
    if event["type"] not in AWAITED_TYPES:
        return
    try:
        with answering_soon():
            outbox.run_now("stripe.event", f"event:{event['id']}", now=now)
        object_id = event["data"]["object"].get("id")
        payments = Payment.objects.filter(intent_id=object_id).values_list("subject_ref")
        setups = CardSetup.objects.filter(setup_intent_id=object_id).values_list("subject_ref")
        for (subject_ref,) in payments.union(setups):
            tell_at_once(subject_ref=subject_ref, now=now)
    except Exception:  # any error: the event is stored, so Stripe must get a 200
        logger.exception("a notice could not be read at once; a worker will read it")


def tell_at_once(*, subject_ref: str, now: datetime) -> None:
    """Run the outbox messages about successful payments and saved cards of a subject in this process, not in a worker.

    Runs outside any transaction.
    """
    paid = Payment.objects.filter(subject_ref=subject_ref, method=Method.STRIPE, status=PaymentStatus.SUCCEEDED)
    for pk in paid.values_list("pk", flat=True):
        outbox.run_now("payment.succeeded", f"payment:{pk}", now=now)
    for card in SavedCard.objects.filter(subject_ref=subject_ref):
        outbox.run_now("card.saved", f"card:{card.pk}:{card.payment_method_id}", now=now)


def _refusal(event: StripeEvent, now: datetime) -> str:
    """Raise an alert and return an outcome if an event is from another account or mode (live, test). Else return ""."""
    if not event.account and event.is_live == gateway.expects_live_events():
        return ""
    logger.error("stripe event %s is of another account or mode", event.pk)
    details = {"event_id": event.event_id, "type": event.type}
    # One alert a day is enough: a webhook address entered in the wrong account receives all of its events.
    key = f"{event.account}:{event.is_live}:{event.received_at:%Y-%m-%d}"
    raise_alert(kind=AlertKind.WRONG_ACCOUNT, key=key, details=details, now=now)
    return "of another account or mode: no effect"


def _worked_on(event: StripeEvent, now: datetime) -> str:
    family = event.type.partition(".")[0]
    if event.type.startswith("charge.dispute."):
        return _dispute(event, now)
    match family:
        case "payment_intent":
            return _payment(event, now)
        case "setup_intent":
            return _setup(event, now)
        case "refund":
            return _refund(event, now)
        case "charge" if event.type.startswith("charge.refund"):
            return _refund(event, now)
    return "not used"


def _payment(event: StripeEvent, now: datetime) -> str:
    payment = _payment_of(event.object_id, _our_key(event, "payment"))
    if payment is None:
        if event.type == "payment_intent.succeeded":
            details = {"intent_id": event.object_id, "event_id": event.event_id}
            raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=event.object_id, details=details, now=now)
        return "no such payment here"
    # Read by the event's intent id: our row may not have it yet, if the event arrived before our commit.
    status = paying.apply_intent(payment_id=payment.pk, intent=gateway.retrieve_intent(event.object_id), now=now)
    if event.type == "payment_intent.payment_failed" and not payment.is_off_session:
        declines.count_decline(event_id=event.event_id, subject_ref=payment.subject_ref, now=now)
    return f"payment {payment.pk} is {status}"


def _setup(event: StripeEvent, now: datetime) -> str:
    setup = CardSetup.objects.filter(setup_intent_id=event.object_id).first()
    if setup is None and (key := _our_key(event, "setup")):
        setup = CardSetup.objects.filter(key=key).first()
    if setup is None:
        return "no such card setup here"
    status = cards.apply_setup(setup_id=setup.pk, found=gateway.retrieve_setup(event.object_id), now=now)
    if event.type == "setup_intent.setup_failed":
        declines.count_decline(event_id=event.event_id, subject_ref=setup.subject_ref, now=now)
    return f"card setup {setup.pk} is {status}"


def _refund(event: StripeEvent, now: datetime) -> str:
    found = event.payload["data"]["object"]
    payment = _payment_of(found.get("payment_intent", ""))
    if payment is None:
        return "no such payment here"
    news = refunding.sync_refunds(payment_id=payment.pk, now=now)
    return f"payment {payment.pk}: {news} refunds changed"


def _dispute(event: StripeEvent, now: datetime) -> str:
    found = event.payload["data"]["object"]
    payment = _payment_of(found.get("payment_intent", ""))
    if payment is None:
        return "no such payment here"
    disputes.sync_disputes(payment_id=payment.pk, now=now)
    return f"disputes of payment {payment.pk} read"


def _payment_of(intent_id: str, key: uuid.UUID | None = None) -> Payment | None:
    found = Payment.objects.filter(intent_id=intent_id).first() if intent_id else None
    if found is None and key is not None:
        found = Payment.objects.filter(key=key).first()
    return found


def _our_key(event: StripeEvent, name: str) -> uuid.UUID | None:
    """The key of our row in the object's metadata; None if there is no valid one."""
    metadata = event.payload["data"]["object"].get("metadata") or {}
    try:
        return uuid.UUID(str(metadata.get(name, "")))
    except ValueError:
        return None


def _kept(event: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an event that is stored: enough to find the object again, and no personal data of the customer."""
    metadata = found.get("metadata")
    theirs = metadata if isinstance(metadata, dict) else {}
    return {
        "id": event["id"],
        "type": event["type"],
        **_texts(event, ("api_version",)),
        **_number(event, "created"),
        "data": {
            "object": {**_texts(found, _TEXTS), **_number(found, "amount"), "metadata": _texts(theirs, _OUR_KEYS)}
        },
    }


def _word(found: Mapping[str, Any], name: str, longest: int, *, is_needed: bool = True) -> str:
    value = found.get(name)
    if value is None and not is_needed:
        return ""
    if not _is_text(value) or not value or len(value) > longest:
        raise MalformedNotice(name)
    return str(value)


def _texts(found: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: found[name][:TEXT_LENGTH] for name in names if _is_text(found.get(name))}


def _number(found: Mapping[str, Any], name: str) -> dict[str, int]:
    value = found.get(name)
    return {name: value} if isinstance(value, int) and abs(value) < LARGEST_NUMBER else {}


def _is_text(value: Any) -> bool:
    """Whether PostgreSQL can store the value as text: a string without NUL and without surrogates."""
    return isinstance(value, str) and "\x00" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
