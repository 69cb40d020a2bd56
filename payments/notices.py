"""Notices of the provider: kept first, worked on later, and never believed: each says only what to ask about again."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from core.inserts import insert_unless_known
from core.outbox import publish
from payments import gateway
from payments.enums import AlertKind
from payments.models import CardSetup, Payment, SavedCard, StripeEvent
from payments.operations import cards, paying, refunding
from payments.operations.alerts import raise_alert

logger = logging.getLogger(__name__)


@transaction.atomic
def keep_notice(event: Mapping[str, Any], *, now: datetime) -> bool:
    """Keep a verified notice and publish that there is one; False when it is known already.

    ``event`` is the provider's object with id, type and data.object.
    """
    found = event.get("data", {}).get("object", {})
    row = StripeEvent(
        event_id=str(event["id"])[:64],
        type=str(event.get("type", ""))[:80],
        object_id=str(found.get("id", ""))[:64],
        account=str(event.get("account") or "")[:64],
        is_live=bool(event.get("livemode")),
        payload=_kept(event),
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


def _refusal(event: StripeEvent, now: datetime) -> str:
    """Say why a notice must not have an effect: it is of another account, or of the other mode."""
    if not event.account and event.is_live == gateway.expects_live_events():
        return ""
    logger.error("stripe event %s is of another account or mode", event.pk)
    details = {"event_id": event.event_id, "type": event.type}
    raise_alert(kind=AlertKind.WRONG_ACCOUNT, key=event.event_id, details=details, now=now)
    return "of another account or mode: no effect"


def _worked_on(event: StripeEvent, now: datetime) -> str:
    family = event.type.partition(".")[0]
    if event.type.startswith("charge.dispute."):
        return _disputed(event, now)
    match family:
        case "payment_intent":
            return _payment(event, now)
        case "setup_intent":
            return _setup(event, now)
        case "refund":
            return _refund(event, now)
        case "charge" if event.type.startswith(("charge.refund", "charge.refunded")):
            return _refund(event, now)
    return "not used"


def _payment(event: StripeEvent, now: datetime) -> str:
    found = event.payload["data"]["object"]
    payment = _payment_of(event.object_id, (found.get("metadata") or {}).get("payment", ""))
    if payment is None:
        if event.type == "payment_intent.succeeded":
            details = {"intent_id": event.object_id, "event_id": event.event_id}
            raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=event.object_id, details=details, now=now)
        return "no such payment here"
    # By the id of the notice: our own row may not know it yet, when the notice came before our commit.
    status = paying.apply_intent(payment_id=payment.pk, intent=gateway.retrieve_intent(event.object_id), now=now)
    return f"payment {payment.pk} is {status}"


def _setup(event: StripeEvent, now: datetime) -> str:
    found = event.payload["data"]["object"]
    key = (found.get("metadata") or {}).get("setup", "")
    setup = CardSetup.objects.filter(setup_intent_id=event.object_id).first() or _by_key(CardSetup, key)
    if setup is None:
        return "no such card setup here"
    status = cards.apply_setup(setup_id=setup.pk, found=gateway.retrieve_setup(event.object_id), now=now)
    return f"card setup {setup.pk} is {status}"


def _refund(event: StripeEvent, now: datetime) -> str:
    found = event.payload["data"]["object"]
    payment = _payment_of(str(found.get("payment_intent") or ""), "")
    if payment is None:
        return "no such payment here"
    news = refunding.sync_refunds(payment_id=payment.pk, now=now)
    return f"payment {payment.pk}: {news} refunds changed"


@transaction.atomic
def _disputed(event: StripeEvent, now: datetime) -> str:
    """The customer's bank takes the money back for now: no further fees, and a person has to answer."""
    found = event.payload["data"]["object"]
    payment = _payment_of(str(found.get("payment_intent") or ""), "")
    if payment is None:
        return "no such payment here"
    Payment.objects.filter(pk=payment.pk).update(is_disputed=True)
    SavedCard.objects.filter(bill_id=payment.bill_id).update(is_frozen=True)
    details = {
        "dispute_id": event.object_id,
        "status": str(found.get("status", "")),
        "reason": str(found.get("reason", "")),
        "amount": found.get("amount", 0),
    }
    raise_alert(
        kind=AlertKind.DISPUTE, key=f"{event.object_id}:{event.type}", payment=payment, details=details, now=now
    )
    return f"payment {payment.pk} is disputed"


def _payment_of(intent_id: str, key: str) -> Payment | None:
    found = Payment.objects.filter(intent_id=intent_id).first() if intent_id else None
    return found or _by_key(Payment, key)


def _by_key(model: Any, key: str) -> Any:
    """The row that a key in the provider's metadata names; None when it names nothing of ours."""
    try:
        return model.objects.filter(key=key).first() if key else None
    except (ValueError, TypeError):
        return None
    except Exception as error:
        if type(error).__name__ == "ValidationError":
            return None
        raise


def _kept(event: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a notice: enough to find the object again, and nothing of the person who paid."""
    found = event.get("data", {}).get("object", {})
    wanted = ("id", "object", "status", "amount", "currency", "payment_intent", "charge", "metadata", "reason")
    return {
        "id": event.get("id"),
        "type": event.get("type"),
        "api_version": event.get("api_version"),
        "created": event.get("created"),
        "data": {"object": {name: found[name] for name in wanted if name in found}},
    }
