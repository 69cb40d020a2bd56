"""Money on the pages of a booking: the ledger, both sums of cancelling, refunds, fees, what waits, and receipts."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.booked import fee_facts
from bookings.enums import BookingStatus
from bookings.links import LinkRole
from bookings.models import Booking, MoveProposal
from bookings.operations.cancel import cancel_booking
from bookings.operations.hold import expire_holds
from bookings.operations.no_show import mark_no_show
from bookings.operations.request_answer import answer_request
from bookings.operations.settle import settle_card, settle_payment
from bookings.rules.fees import cancellation_fee
from payments.enums import PaymentStatus, Purpose, RefundStatus
from payments.models import Refund
from payments.operations.receipts import draw_receipt, issue_receipt
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, arrived, booked, card_kept, hold, paid_studio, waiting
from tests.money import deliver
from tests.web.conftest import StoppedClock, agreed, details, link, slot

pytestmark = pytest.mark.django_db
DAY = 1440


@pytest.fixture(autouse=True)
def online(settings: Any, stopped: StoppedClock) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_page", "pk_test_page"


def with_deposit(studio: Studio | None = None, **policy: Any) -> Booking:
    """On the third day at ten, with 16.00 of 80.00 paid by Visa."""
    booking = waiting(studio or paid_studio(**policy))
    settle_payment(payment_id=arrived(booking, 1600).pk, now=NOW)
    booking.refresh_from_db()
    return booking


def page(client: Client, booking: Booking, name: str = "") -> str:
    return client.get(link(booking, name)).content.decode()


def ledger(client: Client, booking: Booking) -> list[tuple[str, str]]:
    return [(line.label, line.sum) for line in client.get(link(booking)).context["ledger"]]


# --- before paying ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "policy", "words"),
    [
        ("deposit", {}, ("Deposit now", "€16.00", "Rest at the visit", "€64.00", "Continue to payment · €16.00")),
        ("full", {}, ("Pay now", "€80.00", "Continue to payment · €80.00")),
        (
            "card",
            {"no_show_fee_kind": "all"},
            ("Nothing now · card on file", "€0.00", "To pay at the visit", "Continue to your card"),
        ),
        ("venue", {}, ("To pay at the visit", "€80.00", "Book Thu 7 Jan, 10:00")),
    ],
)
def test_summary_says_what_is_due_now_and_the_button_what_happens(
    client: Client, mode: str, policy: dict[str, Any], words: tuple[str, ...]
) -> None:
    studio = paid_studio(mode, **policy)
    held = hold(studio, start_minute=studio.minute(10, days=3))

    summary = client.get(details(held)).content.decode()

    for each in words:
        assert each in summary, each


def test_extra_that_is_paid_at_the_visit_is_marked_and_leaves_the_deposit(client: Client) -> None:
    studio = paid_studio()
    later = studio.variant.service.add_ons.create(name="Foot bath", price_minor=700, is_paid_at_visit=True)
    now = studio.variant.service.add_ons.create(name="Light therapy", price_minor=1000, is_paid_at_visit=False)
    held = hold(studio, add_on_ids=[later.pk, now.pk])

    context = client.get(details(held)).context["summary"]

    assert [(line.label, line.note) for line in context.lines][:3] == [
        ("Deep tissue massage, 60 min", ""),
        ("Foot bath", "paid at the visit"),
        ("Light therapy", ""),
    ]
    assert [(line.label, line.sum) for line in context.band] == [
        # The deposit of the service, and the whole of the extra that is paid when booking.
        ("Pay now", "€26.00"),
        ("Rest at the visit", "€71.00"),
    ]


def test_request_is_asked_for_and_not_booked(client: Client) -> None:
    studio = paid_studio(service={"needs_answer": True})
    held = hold(studio)

    summary = client.get(details(held)).content.decode()

    assert "Ask for Tue 5 Jan, 10:00" in summary
    assert "We answer by e-mail." in summary


# --- another time before it is paid -----------------------------------------------------------------------------------

# With these no move of a booking that stands is free, and none is possible online.
NO_MOVES: list[dict[str, Any]] = [
    {"free_move_count": 0, "over_limit": "fee", "change_fee_minor": 1000},
    {"free_move_count": 0, "over_limit": "blocked"},
    {"tiers": [(0, "all", 0)]},
]


@pytest.mark.parametrize("policy", NO_MOVES)
def test_another_time_is_chosen_before_paying_whatever_moving_costs_later(
    client: Client, policy: dict[str, Any]
) -> None:
    studio = paid_studio("full", **policy)
    booking = waiting(studio)
    offered = page(client, booking)

    asked = client.get(link(booking, "move"), {"slot": slot(studio, 15, days=3)}).content.decode()
    response = client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 15, days=3)))

    assert "Until it is paid you can choose another time." in offered
    assert "See all times" in offered
    assert "at least as much after a move" not in asked
    assert (response.status_code, response["Location"]) == (303, link(booking))
    before, name = booking.hold_expires_at, booking.contact_name
    booking.refresh_from_db()
    assert (booking.status, booking.starts_at) == (BookingStatus.PENDING_PAYMENT, studio.at(15, days=3))
    assert (booking.customer_move_count, booking.hold_expires_at, booking.contact_name) == (0, before, name)
    assert "Continue to payment" in page(client, booking) or "Pay €80.00" in page(client, booking)


def test_what_ran_out_before_it_was_paid_is_booked_again_with_the_same_details(
    client: Client, stopped: StoppedClock
) -> None:
    booking = waiting(paid_studio())
    stopped.pass_minutes(11)
    ran_out = page(client, booking)
    expire_holds(now=stopped.now())
    expired = page(client, booking)

    over = client.get(link(booking, "pay"), follow=True).content.decode()
    again = client.post(f"/pay/{booking.reference}/again").content.decode()

    assert f'href="{link(booking, "pay")}"' in ran_out
    assert f'href="{link(booking, "pay")}"' in expired
    assert "Your details are kept." in over
    assert 'value="jana@example.com"' in again


# --- what stands ------------------------------------------------------------------------------------------------------


def test_paid_deposit_stands_on_both_pages_with_the_card_and_the_rest(client: Client) -> None:
    booking = with_deposit()

    for name in ("", "confirmed"):
        text = page(client, booking, name)
        for words in ("Deposit paid Mon 4 Jan", "Visa ending 4242", "−€16.00", "To pay at the visit", "€64.00"):
            assert words in text, (name, words)
    assert "Pay €64.00 now" in page(client, booking)


def test_both_sums_of_cancelling_are_the_real_ones(client: Client, stopped: StoppedClock) -> None:
    booking = with_deposit(is_fee_capped_at_deposit=True, tiers=[(1440, "none", 0), (0, "percent", 5000)])

    early = page(client, booking)
    stopped.pass_minutes(2.5 * DAY)
    late = page(client, booking)

    for words in (
        "<b>€16.00 back</b>",
        "<b>€0 back</b>",
        "Cancel and get €16.00 back",
        "goes back to your Visa ending",
    ):
        assert words in early, words
    assert "Cancel without a refund" in late


def test_fee_beyond_what_was_paid_is_told_as_what_is_left(client: Client, stopped: StoppedClock) -> None:
    booking = with_deposit(tiers=[(1440, "none", 0), (0, "percent", 5000)])
    stopped.pass_minutes(2.5 * DAY)

    assert "Cancel for €24.00" in page(client, booking)
    assert [(line.label, line.sum) for line in client.get(link(booking, "cancel")).context["cancel"].lines] == [
        ("Cancelling now costs", "€40.00"),
        ("Kept from what you paid", "−€16.00"),
        ("Left to pay", "€24.00"),
    ]


def test_kept_card_is_named_and_what_it_would_be_charged(client: Client, stopped: StoppedClock) -> None:
    booking = waiting(paid_studio("card", no_show_fee_kind="all", tiers=[(1440, "none", 0), (0, "percent", 5000)]))
    settle_card(saved_card_id=card_kept(booking).pk, now=NOW)
    stopped.pass_minutes(2.5 * DAY)

    text = page(client, booking)

    assert "Visa ending 4242 is kept for fees, €80.00 at most." in text
    assert "€40.00 is charged to your Visa ending 4242." in text


@pytest.mark.parametrize("minutes", [0, 2.5 * DAY])
def test_page_and_operation_settle_alike(client: Client, stopped: StoppedClock, minutes: float) -> None:
    booking = with_deposit(tiers=[(1440, "none", 0), (0, "percent", 5000)])
    stopped.pass_minutes(minutes)
    shown = client.get(link(booking, "cancel")).context["cancel"]

    assert shown.fee_minor == cancellation_fee(fee_facts(booking), stopped.now())
    assert client.post(link(booking, "cancel"), agreed(booking, shown.fee_minor)).status_code == 303

    refunded = sum(Refund.objects.values_list("amount_minor", flat=True))
    assert refunded == (1600 if minutes == 0 else 0)
    assert ("You get back", "€16.00") in [(line.label, line.sum) for line in shown.lines] or not refunded


def test_fee_paid_for_a_move_is_not_promised_back(client: Client) -> None:
    policy = {"free_move_count": 0, "over_limit": "fee", "change_fee_minor": 1000, "payment_mode": "venue"}
    studio = paid_studio("venue", **policy)
    booking = waiting(studio)
    moved = client.post(link(booking, "move"), agreed(booking, 1000, slot=slot(studio, 15, days=3)))
    settle_payment(payment_id=arrived(booking, 1000, purpose=Purpose.MOVE).pk, now=NOW)

    text = page(client, booking)

    assert (moved.status_code, moved["Location"]) == (303, f"/pay/{booking.reference}/")
    assert "Thu 7 Jan, 15:00" in text
    assert "<b>Free</b>" in text
    assert "€10.00 back" not in text
    assert ("Fee for moving the booking", "€10.00") in ledger(client, booking)


def test_move_with_a_fee_leads_to_paying_and_says_so_before(client: Client) -> None:
    studio = paid_studio("venue", free_move_count=0, over_limit="fee", change_fee_minor=1000)
    booking = waiting(studio)

    asked = client.get(link(booking, "move"), {"slot": slot(studio, 15, days=3)}).content.decode()
    client.post(link(booking, "move"), agreed(booking, 1000, slot=slot(studio, 15, days=3)))
    paying = client.get(f"/pay/{booking.reference}/").content.decode()

    assert "Continue to payment · €10.00" in asked
    assert "Your appointment moves to Thu 7 Jan, 15:00 once this is paid." in paying
    assert "Thu 7 Jan, 15:00</strong> in Kreuzberg is held for you" in paying
    assert "Thu 7 Jan, 15:00 instead of Thu 7 Jan, 10:00" in paying
    assert "Free to cancel until" not in paying


def test_paying_for_a_move_tells_both_clocks_to_a_visitor_elsewhere(client: Client) -> None:
    studio = paid_studio("venue", free_move_count=0, over_limit="fee", change_fee_minor=1000)
    booking = waiting(studio)
    client.cookies["zone"] = "Europe/Lisbon"
    client.post(link(booking, "move"), agreed(booking, 1000, slot=slot(studio, 15, days=3)))

    paying = client.get(f"/pay/{booking.reference}/").content.decode()
    manage = page(client, booking)

    there = "Thu 7 Jan, 15:00 (Berlin time, 14:00 in Lisbon)"
    assert f"Your appointment moves to {there} once this is paid." in paying
    assert f"{there} instead of Thu 7 Jan, 10:00" in paying
    assert f"<strong>{there}</strong> is kept for you until" in manage
    assert "<strong>07:10 (Berlin time, 06:10 in Lisbon)</strong>" in manage


def test_time_kept_for_a_move_is_told_with_its_end_and_paying_is_the_main_thing(
    client: Client, stopped: StoppedClock
) -> None:
    studio = paid_studio("venue", free_move_count=0, over_limit="fee", change_fee_minor=1000)
    booking = waiting(studio)
    client.post(link(booking, "move"), agreed(booking, 1000, slot=slot(studio, 15, days=3)))

    text = page(client, booking)
    stopped.pass_minutes(11)
    later = page(client, booking)

    assert "<strong>Thu 7 Jan, 15:00</strong> is kept for you until <strong>07:10</strong>." in text
    assert "Thu 7 Jan, 10:00" in text
    assert "Pay €10.00 to move" in text
    assert text.count("button-main") == 1
    assert "is kept for you" not in later
    assert "Pay €10.00 to move" not in later


def test_the_old_time_can_be_kept_after_all(client: Client) -> None:
    studio = paid_studio("venue", free_move_count=0, over_limit="fee", change_fee_minor=1000)
    booking = waiting(studio)
    client.post(link(booking, "move"), agreed(booking, 1000, slot=slot(studio, 15, days=3)))
    offered = page(client, booking)

    stranger = client.post(link(booking, "stay", role=LinkRole.STAFF))
    response = client.post(link(booking, "stay"))

    assert f'action="{link(booking, "stay")}"' in offered
    assert "Keep the old time" in offered
    assert (stranger.status_code, response.status_code) == (404, 303)
    assert "is kept for you" not in page(client, booking)
    assert "Keep the old time" not in page(client, booking)
    assert not MoveProposal.objects.exists()
    booking.refresh_from_db()
    assert booking.starts_at == studio.at(10, days=3)


# --- what moves back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RefundStatus.QUEUED, "approved, on its way, 5–10 business days"),
        (RefundStatus.PENDING, "approved, on its way, 5–10 business days"),
        (RefundStatus.SUCCEEDED, "done on Mon 4 Jan"),
        (RefundStatus.FAILED, "the bank sent it back; we will contact you"),
    ],
)
def test_refund_says_how_far_it_is(client: Client, status: RefundStatus, words: str) -> None:
    booking = with_deposit()
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )
    Refund.objects.update(status=status, done_at=NOW if status == RefundStatus.SUCCEEDED else None)

    text = page(client, booking)

    assert f"Refund of €16.00 to Visa ending 4242: {words}." in text
    assert "You cancelled this appointment. There is nothing to pay." in text
    assert "A refund of €16.00 was approved" in text


def test_ledger_of_a_cancelled_booking_adds_up_to_nothing(client: Client) -> None:
    booking = with_deposit()
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )

    assert ledger(client, booking) == [
        ("Deposit paid Mon 4 Jan", "−€16.00"),
        ("Refund to Visa ending 4242", "€16.00"),
        ("Nothing left to pay", "€0.00"),
    ]


def test_kept_deposit_is_a_fee_that_is_paid(client: Client, stopped: StoppedClock) -> None:
    booking = with_deposit(is_fee_capped_at_deposit=True, tiers=[(1440, "none", 0), (0, "percent", 5000)])
    stopped.pass_minutes(2.5 * DAY)
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=1600,
        actor=LINK,
        now=stopped.now(),
    )

    assert "The fee of €16.00 is paid." in page(client, booking)
    assert ledger(client, booking) == [
        ("Cancellation fee", "€16.00"),
        ("Deposit paid Mon 4 Jan", "−€16.00"),
        ("Nothing left to pay", "€0.00"),
    ]


def test_money_that_came_too_late_is_told_and_shown_on_its_way_back(client: Client, stopped: StoppedClock) -> None:
    studio = paid_studio()
    booking = waiting(studio)
    stopped.pass_minutes(11)
    expire_holds(now=stopped.now())
    hold(studio, start_minute=studio.minute(10, days=3), now=stopped.now())
    settle_payment(payment_id=arrived(booking, 1600, now=stopped.now()).pk, now=stopped.now())

    text = page(client, booking)

    assert "Your payment came when the time was already gone." in text
    assert "Refund of €16.00 to Visa ending 4242" in text
    assert "Change of plans" not in text


# --- what waits -------------------------------------------------------------------------------------------------------


def test_unpaid_booking_says_until_when_and_has_paying_as_the_main_thing(client: Client) -> None:
    booking = waiting(paid_studio())

    text = page(client, booking)

    assert "Waiting for payment until <strong>07:10</strong>." in text
    assert "Pay €16.00" in text
    assert "Nothing is agreed yet, so cancelling is free." in text
    assert text.count("button-main") == 1


def test_unpaid_booking_that_ran_out_says_so_and_offers_to_book_again(client: Client, stopped: StoppedClock) -> None:
    booking = waiting(paid_studio())
    stopped.pass_minutes(11)
    before_the_sweep = page(client, booking)
    expire_holds(now=stopped.now())

    text = page(client, booking)

    assert "has run out" in before_the_sweep
    assert "The time ran out before anything was agreed." in text
    assert "Book again" in text
    assert "The time ran out</span>" in text


def test_request_says_when_it_is_answered_and_what_the_answer_was(client: Client, stopped: StoppedClock) -> None:
    studio = paid_studio(service={"needs_answer": True})
    asked = waiting(studio, days=3)
    declined = waiting(studio, days=4)
    answer_request(booking_id=declined.pk, accept=False, reason="Marek is away", actor=DESK, now=NOW)

    assert "We answer by <strong>Tue 5 Jan, 07:00</strong> at the latest." in page(client, asked)
    assert "could not take this appointment. There is nothing to pay." in page(client, declined)
    assert "declined: Marek is away" in page(client, declined)


def test_fee_for_not_coming_is_announced_before_it_is_charged(client: Client, stopped: StoppedClock) -> None:
    booking = with_deposit(no_show_fee_kind="percent", no_show_fee_value=5000)
    card_kept(booking)
    stopped.pass_minutes(3 * DAY + 4 * 60)
    mark_no_show(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        actor=DESK,
        now=stopped.now(),
        reason="Nobody came",
    )

    assert "You were missed at this appointment." in page(client, booking)
    assert "A fee of €40.00 becomes due on Fri 8 Jan, 11:00." in page(client, booking)
    assert ledger(client, booking)[0] == ("Fee for a missed visit", "€40.00")


def test_fee_for_not_coming_without_a_card_can_be_paid(client: Client, stopped: StoppedClock) -> None:
    booking = with_deposit(no_show_fee_kind="percent", no_show_fee_value=5000)
    stopped.pass_minutes(3 * DAY + 4 * 60)
    mark_no_show(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        actor=DESK,
        now=stopped.now(),
        reason="Nobody came",
    )

    assert "A fee of €24.00 is open." in page(client, booking)
    assert "Pay €24.00 now" in page(client, booking)


def test_fee_too_small_to_be_paid_online_says_so(client: Client, stopped: StoppedClock) -> None:
    booking = with_deposit(no_show_fee_kind="fixed", no_show_fee_value=1630)
    stopped.pass_minutes(3 * DAY + 4 * 60)
    mark_no_show(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        actor=DESK,
        now=stopped.now(),
        reason="Nobody came",
    )

    text = page(client, booking)

    assert "A fee of €0.30 is open. It cannot be paid online: please pay it at the front desk." in text
    assert "Pay €0.30" not in text


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_receipt_is_a_page_and_a_pdf_of_its_own_booking(client: Client) -> None:
    studio = paid_studio()
    booking, other = with_deposit(studio), booked(studio, start_minute=studio.minute(12, days=3))
    receipt = issue_receipt(payment_id=booking.bill.payments.get().pk, now=NOW)
    assert receipt
    draw_receipt(receipt_id=receipt.pk, now=NOW)

    shown = client.get(link(booking, f"receipt/{receipt.number}"))
    pdf = client.get(link(booking, f"receipt/{receipt.number}.pdf", LinkRole.GUEST))

    assert "€16.00 paid" in shown.content.decode()
    assert receipt.number in shown.content.decode()
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert "Receipt for €16.00" in page(client, booking)
    for path in (f"receipt/{receipt.number}", f"receipt/{receipt.number}.pdf"):
        assert client.get(link(other, path)).status_code == 404
        assert client.get(link(booking, path, LinkRole.STAFF)).status_code == 404
    assert client.get(link(booking, "receipt/2027-999999")).status_code == 404


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payment_count", [1, 3])
@pytest.mark.parametrize(("name", "query_count"), [("", 21), ("confirmed", 13)])
def test_pages_ask_the_database_the_same_however_many_payments(
    client: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
    payment_count: int,
    name: str,
    query_count: int,
) -> None:
    booking = with_deposit()
    for _ in range(payment_count - 1):
        arrived(booking, 100, purpose=Purpose.BALANCE, status=PaymentStatus.SUCCEEDED)
    deliver()

    with django_assert_num_queries(query_count):
        client.get(link(booking, name))
