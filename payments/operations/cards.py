"""Saved cards: collect a card that the customer agrees to be charged for fees, keep its ids, and detach it again."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import Consent
from core.crash import crash_point
from core.inserts import insert_unless_known
from core.outbox import publish
from payments.enums import AlertKind, SetupStatus
from payments.errors import (
    AlreadyPaid,
    NoOnlinePayment,
    PaymentUnavailable,
    ProviderFailed,
    ProviderRefused,
    UnknownToProvider,
)
from payments.lifecycle import advance
from payments.models import Bill, CardSetup, Payment, SavedCard
from payments.operations.alerts import raise_alert
from payments.stripe import gateway

logger = logging.getLogger(__name__)

CARD_CONSENT = "card_on_file"
_WAITING = (SetupStatus.CREATED, SetupStatus.OPEN, SetupStatus.PROCESSING)


@dataclass(frozen=True, slots=True)
class StartedSetup:
    setup: CardSetup
    client_secret: str


def start_card_setup(*, bill_id: int, subject_ref: str, cap_minor: int, now: datetime) -> StartedSetup:
    """Start to collect a card for fees up to ``cap_minor``. Calls Stripe, so it must run outside any transaction.

    A second request for the same subject returns the same setup. The caller must have recorded the customer's consent
    (purpose ``card_on_file``, with the exact words shown) before; without it the card is not kept.

    :raises AlreadyPaid: if the card is saved already or Stripe is still checking it.
    :raises PaymentUnavailable: if Stripe does not answer, or refuses or cancels the setup.
    :raises NoOnlinePayment: if Stripe is not configured.
    """
    if not gateway.is_configured():
        raise NoOnlinePayment
    try:
        setup, found = _asked_for(bill_id, subject_ref, cap_minor, now)
    except (ProviderFailed, ProviderRefused) as failure:
        raise PaymentUnavailable from failure
    status = apply_setup(setup_id=setup.pk, found=found, now=now)
    if status in {SetupStatus.SUCCEEDED, SetupStatus.PROCESSING}:
        raise AlreadyPaid
    if status == SetupStatus.CANCELLED:
        raise PaymentUnavailable
    return StartedSetup(setup, found.client_secret)


def sync_card_setup(*, setup_id: int, now: datetime) -> SetupStatus:
    """Fetch a card setup from Stripe, store its status and return it. Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    setup = CardSetup.objects.get(pk=setup_id)
    if setup.setup_intent_id is None:
        return SetupStatus(setup.status)
    return _apply_news(setup, gateway.retrieve_setup, now)


def call_off_setup(*, setup_id: int, now: datetime) -> SetupStatus:
    """Cancel a card setup at Stripe, then store and return its status. Runs outside any transaction."""
    setup = CardSetup.objects.get(pk=setup_id)
    if setup.status not in _WAITING:
        return SetupStatus(setup.status)
    if setup.setup_intent_id is None and not advance(setup, SetupStatus.CANCELLED, checked_at=now):
        setup.refresh_from_db()
    if setup.status not in _WAITING or setup.setup_intent_id is None:
        return SetupStatus(setup.status)
    return _apply_news(setup, gateway.cancel_setup, now)


@transaction.atomic
def apply_setup(*, setup_id: int, found: gateway.Setup, now: datetime) -> SetupStatus:
    """Store the state of a card setup as Stripe reports it. If it has succeeded, keep the card with its consent."""
    setup = CardSetup.objects.select_for_update(no_key=True).get(pk=setup_id)
    if not advance(setup, found.status, checked_at=now, setup_intent_id=found.id):
        CardSetup.objects.filter(pk=setup.pk).update(checked_at=now)
        return SetupStatus(setup.status)
    if setup.status == SetupStatus.SUCCEEDED:
        keep_card(setup.bill_id, setup.subject_ref, found.means, cap_minor=setup.cap_minor, now=now)
    return SetupStatus(setup.status)


def keep_card(bill_id: int, subject_ref: str, means: gateway.Means, *, cap_minor: int, now: datetime) -> None:
    """Save a card for the fees of one subject, in the current transaction. Publishes ``card.saved``.

    If the consent is missing or withdrawn, the card is not kept and an alert is raised. While a payment of the bill is
    disputed, the card is frozen. A card that is not kept, or that this one replaces, is detached at Stripe: for each
    of them ``card.unwanted`` is published.
    """
    consent = Consent.objects.filter(subject_ref=subject_ref, purpose=CARD_CONSENT).order_by("-id").first()
    if consent is None or consent.withdrawn_at is not None:
        logger.error("a card of %s was not kept: there is no consent", subject_ref)
        raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=f"card:{means.id}", subject_ref=subject_ref, now=now)
        _publish_unwanted(means.id, now)
        return
    bill = Bill.objects.get(pk=bill_id)
    values: dict[str, Any] = {
        "bill": bill,
        "consent": consent,
        "payment_method_id": means.id,
        "brand": means.brand or means.type,
        "last4": means.last4,
        "exp_month": means.exp_month,
        "exp_year": means.exp_year,
        "currency": bill.currency,
        "cap_minor": cap_minor,
        "is_frozen": Payment.objects.filter(bill=bill, is_disputed=True).exists(),
        "created_at": now,
        "detached_at": None,
    }
    card = SavedCard(subject_ref=subject_ref, **values)
    if not insert_unless_known(card, unique=("subject_ref",)):
        card = SavedCard.objects.select_for_update(no_key=True).get(subject_ref=subject_ref)
        if card.detached_at is None and card.payment_method_id != means.id:
            _publish_unwanted(card.payment_method_id, now)
        SavedCard.objects.filter(pk=card.pk).update(**values)
    publish("card.saved", f"card:{card.pk}:{means.id}", {"saved_card_id": card.pk, "subject_ref": subject_ref}, now=now)


def customer_of(bill_id: int) -> str:
    """Return the Stripe customer id of a bill; create the Stripe customer if there is none.

    Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    bill = Bill.objects.get(pk=bill_id)
    if bill.stripe_customer_id:
        return bill.stripe_customer_id
    key = f"bill-{bill.pk}-{int(bill.created_at.timestamp())}"
    try:
        made = gateway.create_customer(bill_key=key)
    except ProviderFailed as failure:
        if not failure.answered:
            raise
        # Stripe keeps the failure under this key for a day. An unused Stripe customer does no harm.
        made = gateway.create_customer(bill_key=f"{key}-{uuid.uuid4().hex}")
    Bill.objects.filter(pk=bill.pk, stripe_customer_id="").update(stripe_customer_id=made)
    # The first concurrent request wins: a card can be charged only for the Stripe customer it is attached to.
    return str(Bill.objects.values_list("stripe_customer_id", flat=True).get(pk=bill.pk))


def forget_card_after(*, subject_ref: str, at: datetime) -> None:
    """Set the time from which the saved card of a subject is no longer needed."""
    SavedCard.objects.filter(subject_ref=subject_ref, detached_at=None).update(detach_after=at)


def detach_cards_due(*, now: datetime, limit: int = 50) -> int:
    """Detach up to ``limit`` cards at Stripe whose ``detach_after`` has passed, and return how many.

    Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    due = SavedCard.objects.filter(detached_at=None, detach_after__lte=now).order_by("detach_after")[:limit]
    for card in due:
        gateway.detach(card.payment_method_id)
        # Another card may have replaced this one in the row meanwhile. That one stays.
        SavedCard.objects.filter(pk=card.pk, payment_method_id=card.payment_method_id).update(detached_at=now)
    return len(due)


def forget_unwanted(*, payment_method_id: str) -> None:
    """Detach a card at Stripe unless a subject has it saved. Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    if not SavedCard.objects.filter(payment_method_id=payment_method_id, detached_at=None).exists():
        gateway.detach(payment_method_id)


def _asked_for(bill_id: int, subject_ref: str, cap_minor: int, now: datetime) -> tuple[CardSetup, gateway.Setup]:
    setup = _waiting(bill_id, subject_ref, cap_minor, now)
    if setup.setup_intent_id is not None:
        if found := _news(setup, gateway.retrieve_setup, now):
            return setup, found
        setup = _waiting(bill_id, subject_ref, cap_minor, now)
    return setup, _prepared(setup, now)


def _waiting(bill_id: int, subject_ref: str, cap_minor: int, now: datetime) -> CardSetup:
    """Return the open card setup of a subject, or create one. Its cap is the one the customer agreed to last."""
    found = CardSetup.objects.filter(subject_ref=subject_ref, status__in=_WAITING)
    if setup := found.first():
        if setup.cap_minor != cap_minor:
            found.filter(pk=setup.pk).update(cap_minor=cap_minor)
        return setup
    setup = CardSetup(bill_id=bill_id, subject_ref=subject_ref, cap_minor=cap_minor, created_at=now)
    try:
        with transaction.atomic():
            setup.save(force_insert=True)
            # Checked after the insert, which the unique constraint blocks while another setup is open: if that
            # setup has just saved a card, this query sees it.
            if SavedCard.objects.filter(subject_ref=subject_ref, detached_at=None).exists():
                raise AlreadyPaid
    except IntegrityError as error:
        if (setup := found.first()) is None:
            raise PaymentUnavailable from error
    return setup


def _publish_unwanted(payment_method_id: str, now: datetime) -> None:
    if payment_method_id:
        payload = {"payment_method_id": payment_method_id}
        publish("card.unwanted", f"card:{payment_method_id}", payload, now=now)


def _prepared(setup: CardSetup, now: datetime) -> gateway.Setup:
    try:
        found = gateway.create_setup(key=str(setup.key), customer_id=customer_of(setup.bill_id))
    except ProviderFailed as failure:
        if failure.answered:
            # Stripe keeps the failure under this key, so the next try needs another row. If Stripe created a setup
            # all the same, its secret was never given out.
            advance(setup, SetupStatus.CANCELLED, checked_at=now)
        raise
    crash_point("setup-answer-received")
    return found


def _apply_news(setup: CardSetup, ask: Callable[[str], gateway.Setup], now: datetime) -> SetupStatus:
    """Call ``ask`` with the setup's Stripe id, store the answer and return the status."""
    found = _news(setup, ask, now)
    return apply_setup(setup_id=setup.pk, found=found, now=now) if found else SetupStatus(setup.status)


def _news(setup: CardSetup, ask: Callable[[str], gateway.Setup], now: datetime) -> gateway.Setup | None:
    """Return a card setup as Stripe has it. If Stripe does not know it, cancel our row and return None."""
    try:
        return ask(str(setup.setup_intent_id))
    except UnknownToProvider:
        logger.error("the provider does not know card setup %s", setup.pk)
        advance(setup, SetupStatus.CANCELLED, checked_at=now)
        return None
