"""What customers read while their refund awaits approval: before they cancel, on the page, in the e-mails."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from bookings.messages.visits import notification_context
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.refund_decision import decide_refund
from bookings.operations.settle import settle_payment
from notifications.enums import RecipientRole
from notifications.models import Notification
from notifications.operations import send_due
from notifications.requests import ContextRequest, MessageContext
from payments.models import Refund
from services.models import Business
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, arrived, booked, paid_studio
from tests.web.conftest import StoppedClock, agreed, link

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(settings: Any, stopped: StoppedClock) -> Studio:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_page", "pk_test_page"
    place = paid_studio("full")
    Business.objects.update(refunds_need_approval=True)
    return place


@pytest.fixture
def booking(place: Studio) -> Booking:
    """Paid with 80.00 by Visa; cancelling is free for two days more."""
    booking = booked(place, start_minute=place.minute(10, days=4))
    settle_payment(payment_id=arrived(booking, 8000).pk, now=NOW)
    booking.refresh_from_db()
    send_due(now=NOW, limit=50)
    mail.outbox.clear()
    return booking


def cancel(booking: Booking, actor: Any = LINK) -> Refund:
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=actor, now=NOW
    )
    booking.refresh_from_db()
    return Refund.objects.get()


def decide(booking: Booking, amount_minor: int, reason: str = "", *, hours: int = 1) -> None:
    decide_refund(
        booking_id=booking.pk,
        refund_id=Refund.objects.get().pk,
        expected_minor=8000,
        amount_minor=amount_minor,
        reason=reason,
        actor=DESK,
        now=NOW + timedelta(hours=hours),
    )


def text(client: Client, booking: Booking, name: str = "") -> str:
    return " ".join(client.get(link(booking, name)).content.decode().split())


def ledger(client: Client, booking: Booking) -> list[tuple[str, str, str]]:
    return [(line.label, line.sum, line.note) for line in client.get(link(booking)).context["ledger"]]


def mails() -> list[Any]:
    send_due(now=NOW + timedelta(hours=1), limit=50)
    return [each for each in mail.outbox if each.to == ["jana@example.com"]]


def told(message: Notification) -> MessageContext:
    context = notification_context(
        ContextRequest(
            kind=message.kind,
            subject_ref=message.subject_ref,
            version=message.version,
            recipient_role=RecipientRole(message.recipient_role),
            recipient_ref=message.recipient_ref,
            details=message.details,
            now=NOW,
        )
    )
    assert context is not None
    return context


@pytest.mark.parametrize("name", ["", "cancel"])
def test_before_the_click_it_is_said_that_the_refund_is_checked(client: Client, booking: Booking, name: str) -> None:
    shown = text(client, booking, name)

    assert "We check the refund of €80.00 first and write to you within 48 hours." in shown
    assert "ask for €80.00 back" in shown
    assert "get €80.00 back" not in shown


@pytest.mark.parametrize("name", ["", "cancel"])
def test_without_the_switch_nothing_is_said_of_a_check(client: Client, booking: Booking, name: str) -> None:
    Business.objects.update(refunds_need_approval=False)

    shown = text(client, booking, name)

    assert "check the refund" not in shown
    assert "get €80.00 back" in shown


def test_a_click_on_the_page_makes_a_refund_that_waits(client: Client, booking: Booking) -> None:
    client.post(link(booking, "cancel"), agreed(booking, 0))

    assert Refund.objects.get().status == "awaiting_approval"
    assert "Refund of €80.00 to Visa ending 4242: being checked. You hear from us by Wed 6 Jan, 07:00." in text(
        client, booking
    )


def test_while_it_waits_the_page_asks_for_nothing(client: Client, booking: Booking, stopped: StoppedClock) -> None:
    cancel(booking)

    shown = text(client, booking)

    assert "A refund of €80.00 is being checked" in shown
    assert ledger(client, booking)[1:] == [
        ("Refund to Visa ending 4242", "€80.00", "being checked"),
        ("Nothing left to pay", "€0.00", ""),
    ]
    stopped.at = NOW + timedelta(hours=48, seconds=1)
    late = text(client, booking)
    assert "You hear from us by" not in late
    assert "We are late with our answer and are sorry." in late


def test_the_mail_about_cancelling_says_until_when(booking: Booking) -> None:
    cancel(booking)

    [sent] = mails()

    words = "Your refund of €80.00 is being checked. You hear from us by Wed 6 Jan, 07:00."
    assert told(Notification.objects.get(kind="cancelled", recipient_role="customer")).words["money"] == words
    assert words in sent.body
    assert words in " ".join(str(sent.alternatives[0][0]).split())
    assert "goes back" not in sent.body


def test_the_business_cancels_and_nothing_is_said_of_a_check(booking: Booking) -> None:
    cancel(booking, DESK)

    [sent] = mails()

    assert "€80.00 goes back to your Visa ending 4242" in sent.body
    assert "checked" not in sent.body


def test_approved_the_customer_is_told_as_ever(client: Client, booking: Booking) -> None:
    cancel(booking)
    decide(booking, 8000)

    [_, sent] = mails()

    assert sent.subject == "You get €80.00 back"
    assert "approved, on its way" in text(client, booking)


def test_less_is_told_with_the_sums_and_the_reason(client: Client, booking: Booking) -> None:
    cancel(booking)
    decide(booking, 5000, "The room was prepared <by then>.")

    [_, sent] = mails()

    assert sent.subject == "You get €50.00 back, not €80.00"
    for part in (
        "You cancelled, and €80.00 waited for our check. We keep €30.00 of it.",
        "The reason: The room was prepared <by then>.",
        "€50.00 goes back to your Visa ending 4242",
        "If you disagree, reply to this e-mail.",
    ):
        assert part in sent.body
    assert "&lt;by then&gt;" in str(sent.alternatives[0][0])
    shown = text(client, booking)
    assert "It was lowered from €80.00. The reason: The room was prepared &lt;by then&gt;." in shown
    assert "less than by the rules: The room was prepared" in shown
    assert ledger(client, booking) == [
        ("Kept of the refund: The room was prepared <by then>.", "€30.00", ""),
        ("Paid Mon 4 Jan", "−€80.00", "Visa ending 4242"),
        ("Refund to Visa ending 4242", "€50.00", "approved, on its way, 5–10 business days"),
        ("Nothing left to pay", "€0.00", ""),
    ]


def test_a_no_is_told_with_the_sum_and_the_reason(client: Client, booking: Booking) -> None:
    cancel(booking)
    decide(booking, 0, "Third time this month.")

    [_, sent] = mails()

    assert sent.subject == "Your refund of €80.00 was declined"
    assert "We keep it, so nothing goes back. The reason: Third time this month." in sent.body
    assert "goes back to your" not in sent.body
    shown = text(client, booking)
    assert "Refund of €80.00 to Visa ending 4242: declined. The reason: Third time this month." in shown
    assert ledger(client, booking) == [
        ("Kept of the refund: Third time this month.", "€80.00", ""),
        ("Paid Mon 4 Jan", "−€80.00", "Visa ending 4242"),
        ("Nothing left to pay", "€0.00", ""),
    ]


def test_the_mail_about_less_has_words_for_own_texts(booking: Booking) -> None:
    cancel(booking)
    decide(booking, 5000, "The room was prepared.")
    context = told(Notification.objects.get(kind="refund_lowered"))

    words = {name: context.words[name] for name in ("amount", "asked", "kept", "reason")}
    assert words == {"amount": "€50.00", "asked": "€80.00", "kept": "€30.00", "reason": "The room was prepared."}
