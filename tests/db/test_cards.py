"""Saved cards: one for each booking; a card that is not kept is detached at Stripe."""

from typing import Any

import pytest

from accounts.models import Consent
from devservers.stripe import Stripe
from payments.enums import Purpose, SetupStatus
from payments.errors import AlreadyPaid
from payments.models import Bill, CardSetup, Payment, SavedCard
from payments.operations import cards, detach_cards_due, start_card_setup, sync_card_setup
from payments.operations.cards import call_off_setup, forget_card_after
from payments.queries import saved_card
from payments.stripe import client, gateway
from tests import money
from tests.factories import NOW
from tests.money import SUBJECT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("payments_alone")]


def start(bill: Bill) -> CardSetup:
    setup = start_card_setup(bill_id=bill.pk, subject_ref=SUBJECT, cap_minor=8000, now=NOW).setup
    setup.refresh_from_db()
    return setup


def left(setup: CardSetup, stripe: Stripe) -> str:
    """The customer leaves a card, and we hear of it. Its id at Stripe."""
    stripe.control.set_up(str(setup.setup_intent_id))
    sync_card_setup(setup_id=setup.pk, now=NOW)
    return gateway.retrieve_setup(str(setup.setup_intent_id)).means.id


def is_at_stripe(payment_method_id: str) -> bool:
    """Whether Stripe still keeps a card for its owner."""
    found = client.client().v1.payment_methods.retrieve(payment_method_id)
    return found.customer is not None


def test_card_that_takes_the_place_of_another_has_that_forgotten(stripe: Stripe) -> None:
    """A set-up that we had given up succeeds after all, in an old tab."""
    bill = money.bill()
    money.consent()
    first = start(bill)
    CardSetup.objects.filter(pk=first.pk).update(status=SetupStatus.CANCELLED)
    second = start(bill)
    old = left(second, stripe)

    new = left(first, stripe)
    money.deliver()

    assert SavedCard.objects.get().payment_method_id == new != old
    assert (is_at_stripe(old), is_at_stripe(new)) == (False, True)


def test_card_of_a_second_payment_has_that_of_the_first_forgotten(stripe: Stripe) -> None:
    bill = money.bill()
    money.consent()
    money.paid(bill, stripe, saves_card=True, cap_minor=8000)
    old = SavedCard.objects.get().payment_method_id

    money.paid(bill, stripe, purpose=Purpose.BALANCE, saves_card=True, cap_minor=8000)
    money.deliver()

    assert is_at_stripe(old) is False
    assert is_at_stripe(SavedCard.objects.get().payment_method_id)


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_card_without_a_consent_is_forgotten(stripe: Stripe, is_withdrawn: bool) -> None:
    bill = money.bill()
    if is_withdrawn:
        money.consent()
        Consent.objects.update(withdrawn_at=NOW)

    card = left(start(bill), stripe)
    money.deliver()

    assert not SavedCard.objects.exists()
    assert is_at_stripe(card) is False


def test_card_kept_again_before_it_was_forgotten_stays(stripe: Stripe) -> None:
    bill = money.bill()
    card = left(start(bill), stripe)
    money.consent()
    cards.keep_card(bill.pk, SUBJECT, gateway.Means(id=card), cap_minor=8000, now=NOW)

    money.deliver()

    assert is_at_stripe(card)


def test_new_card_that_comes_while_the_old_one_is_forgotten_stays(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = money.bill()
    money.consent()
    setup = start(bill)
    left(setup, stripe)
    forget_card_after(subject_ref=SUBJECT, at=NOW)
    forget = gateway.detach

    def another_comes(payment_method_id: str) -> None:
        monkeypatch.setattr(gateway, "detach", forget)
        forget(payment_method_id)
        cards.keep_card(bill.pk, SUBJECT, gateway.Means(id="pm_new"), cap_minor=8000, now=NOW)

    monkeypatch.setattr(gateway, "detach", another_comes)

    detach_cards_due(now=NOW)

    assert list(SavedCard.objects.values_list("payment_method_id", "detached_at")) == [("pm_new", None)]


def test_card_kept_while_another_payment_is_disputed_is_not_charged(stripe: Stripe) -> None:
    """Whoever freezes the cards of a bill does not see one that is just being written."""
    bill = money.bill()
    money.consent()
    payment = money.paid(bill, stripe)
    left(start(bill), stripe)
    assert saved_card(SUBJECT)

    Payment.objects.filter(pk=payment.pk).update(is_disputed=True)

    assert SavedCard.objects.get().is_frozen is False
    assert saved_card(SUBJECT) is None


def test_second_tab_that_asks_when_the_card_of_the_first_has_just_come_is_told_so(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its look for a set-up and its own row, the other one's begins and ends."""
    bill = money.bill()
    money.consent()
    written = CardSetup.save

    def after_another(setup: CardSetup, **values: Any) -> None:
        monkeypatch.setattr(CardSetup, "save", written)
        cards.keep_card(bill.pk, SUBJECT, gateway.Means(id="pm_first"), cap_minor=8000, now=NOW)
        written(setup, **values)

    monkeypatch.setattr(CardSetup, "save", after_another)

    with pytest.raises(AlreadyPaid):
        start(bill)

    assert not CardSetup.objects.exists()


def test_call_off_that_meets_the_preparing_of_a_card_setup_reaches_it(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads a row without an intent; before it writes, the row has one."""
    bill = money.bill()
    setup = CardSetup.objects.create(bill=bill, subject_ref=SUBJECT, cap_minor=8000, created_at=NOW)
    advance = cards.advance

    def prepared_first(row: CardSetup, to: str, **values: Any) -> bool:
        monkeypatch.setattr(cards, "advance", advance)
        start(bill)
        return advance(row, to, **values)

    monkeypatch.setattr(cards, "advance", prepared_first)

    assert call_off_setup(setup_id=setup.pk, now=NOW) == SetupStatus.CANCELLED

    setup.refresh_from_db()
    assert gateway.retrieve_setup(str(setup.setup_intent_id)).status == SetupStatus.CANCELLED
