"""Stripe events: kept first, worked on later, and never believed: each says only what to ask about again."""

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

# A person who has just paid, or left a card, waits for what these say.
AWAITED_TYPES = frozenset({"payment_intent.succeeded", "payment_intent.processing", "setup_intent.succeeded"})
ID_LENGTH = 64
TEXT_LENGTH = 200
LARGEST_NUMBER = 2**63
_TEXTS = ("id", "object", "status", "currency", "payment_intent", "charge", "reason")
_OUR_KEYS = ("payment", "setup", "refund", "bill")


class MalformedNotice(ValueError):
    """What was sent has not the shape of a notice."""


@transaction.atomic
def keep_notice(event: Mapping[str, Any], *, now: datetime) -> bool:
    """Keep a verified notice and publish that there is one; False when it is known already.

    ``event`` is the provider's object with id, type and data.object.

    :raises MalformedNotice: when one of them is missing or no text that can be kept.
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
    """Work on a kept notice: read what it speaks of again at the provider and write down what is true there.

    Outside any transaction.

    :raises ProviderFailed: when the provider does not answer; the outbox tries again.
    """
    event = StripeEvent.objects.get(pk=event_pk)
    if event.handled_at is not None:
        return
    outcome = _refusal(event, now) or _worked_on(event, now)
    StripeEvent.objects.filter(pk=event.pk).update(handled_at=now, outcome=outcome[:120])


def read_at_once(event: Mapping[str, Any], *, now: datetime) -> None:
    """Read a kept notice that a paying person waits for in this process, and let what was paid for stand.

    A best effort with a short time-out: what fails here is left to the workers, who find it in the outbox. Other
    notices are left to them anyway. Outside any transaction.
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
    except Exception:  # whatever it is: the notice is kept, and Stripe must hear that
        logger.exception("a notice could not be read at once; a worker will read it")


def tell_at_once(*, subject_ref: str, now: datetime) -> None:
    """Tell in this process, instead of by a worker, that the money or the card of a subject is there. Outside any
    transaction.
    """
    paid = Payment.objects.filter(subject_ref=subject_ref, method=Method.STRIPE, status=PaymentStatus.SUCCEEDED)
    for pk in paid.values_list("pk", flat=True):
        outbox.run_now("payment.succeeded", f"payment:{pk}", now=now)
    for card in SavedCard.objects.filter(subject_ref=subject_ref):
        outbox.run_now("card.saved", f"card:{card.pk}:{card.payment_method_id}", now=now)


def _refusal(event: StripeEvent, now: datetime) -> str:
    """Say why a notice must not have an effect: it is of another account, or of the other mode."""
    if not event.account and event.is_live == gateway.expects_live_events():
        return ""
    logger.error("stripe event %s is of another account or mode", event.pk)
    details = {"event_id": event.event_id, "type": event.type}
    # Once a day is enough: an address entered in the wrong place gets every notice there is.
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
    # By the id of the notice: our own row may not know it yet, when the notice came before our commit.
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
    """The key of a row in the metadata; None when it names nothing of ours."""
    metadata = event.payload["data"]["object"].get("metadata") or {}
    try:
        return uuid.UUID(str(metadata.get(name, "")))
    except ValueError:
        return None


def _kept(event: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a notice: enough to find the object again, and nothing of the person who paid."""
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
    """Whether it is a text that the database takes: no zero byte, no half of a character."""
    return isinstance(value, str) and "\x00" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
