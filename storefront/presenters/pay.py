"""The paying page as text: what is due and why, how long the time stays held, and the texts of each state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from bookings.booked import zone_of
from bookings.enums import BookingStatus
from bookings.models import Booking, HelpMessage
from bookings.queries.money import BookingMoney
from bookings.queries.payables import Payable, PayKind
from bookings.rules.prepayment import Demand
from bookings.wording import appointment, visit
from bookings.wording.visit import MoneyLine
from bookings.wording.zones import shown_moment, shown_time, zone_note
from core.formats import countdown_text
from payments.enums import LIVE_PAYMENTS, Purpose
from payments.stripe.amounts import stripe_amount
from services.enums import Delivery
from services.models import Business
from storefront.presenters import money as money_presenter
from storefront.presenters.checkout import Countdown, Summary


class Shows(StrEnum):
    """The state of the page."""

    READY = "ready"  # the customer can pay, or leave a card
    CHECKING = "checking"  # the bank is checking the payment, or Stripe was not asked since the time to pay ended
    DONE = "done"  # nothing is due here
    OVER = "over"  # the hold expired before any payment
    CLOSED = "closed"  # something is due, but the customer cannot pay it online


@dataclass(frozen=True, slots=True)
class PayState:
    """What the page polls. ``expects`` identifies what is due, so that the page notices a change. ``looked_ms`` is the
    time at which Stripe was last asked.
    """

    shows: Shows
    expects: str
    until: str
    expires_ms: int
    looked_ms: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class PayPage:
    """``lead`` says why the payment is due. ``consent`` is what the customer agrees to when the card is kept."""

    title: str
    lead: str
    sum: str
    button: str
    note: str
    consent: str
    is_card: bool
    expected_minor: int
    stripe_minor: int
    saves_card: bool
    without_script: str


@dataclass(frozen=True, slots=True)
class HelpRow:
    """One message between the customer and the front desk."""

    is_own: bool
    who: str
    text: str


def state(
    booking: Booking,
    money: BookingMoney,
    due: Payable | None,
    *,
    held_until: datetime | None,
    now: datetime,
    visitor_zone: ZoneInfo | None = None,
) -> PayState:
    """Return the state at ``now``. ``held_until`` is the end of the time that awaits this payment; None for none."""
    return PayState(
        shows=_shows(booking, money, due, held_until, now),
        expects=f"{due.kind}.{due.purpose}.{due.amount_minor}" if due else "",
        until=shown_time(held_until, zone_of(booking), visitor_zone) if held_until else "",
        expires_ms=_milliseconds(held_until),
        looked_ms=max((_milliseconds(each.checked_at) for each in money.attempts), default=0),
        now_ms=_milliseconds(now),
    )


def page(
    booking: Booking,
    business: Business,
    due: Payable,
    demand: Demand,
    *,
    now: datetime,
    moves_to: datetime | None = None,
    visitor_zone: ZoneInfo | None = None,
) -> PayPage:
    """``moves_to`` is the new time of a move whose fee is due."""
    amount = visit.money(due.amount_minor, booking)
    is_card = due.kind is PayKind.CARD
    return PayPage(
        title=gettext("Your card") if is_card else gettext("Payment"),
        lead=_lead(booking, due, moves_to, visitor_zone),
        sum=amount,
        button=gettext("Save this card") if is_card else gettext("Pay %(sum)s") % {"sum": amount},
        note=gettext("Nothing is charged now.") if is_card else gettext("Your bank may ask you to confirm it."),
        consent=money_presenter.card_terms(booking, business, demand, now=now) if due.saves_card else "",
        is_card=is_card,
        expected_minor=due.amount_minor,
        stripe_minor=0 if is_card else stripe_amount(due.amount_minor, booking.currency),
        saves_card=due.saves_card,
        without_script=_without_script(booking, due, amount),
    )


def summary(
    booking: Booking,
    business: Business,
    money: BookingMoney,
    due: Payable | None,
    policy: SafeString,
    *,
    moves_to: datetime | None = None,
    visitor_zone: ZoneInfo | None = None,
) -> Summary:
    """Return the summary card of the step before, with the current sums."""
    when = _moved_text(booking, moves_to, visitor_zone) if moves_to else visit.span_text(booking)
    elsewhere = "" if moves_to else zone_note(booking.starts_at, zone_of(booking), visitor_zone)
    who = " · ".join(filter(None, (when, elsewhere, *visit.staff_names(booking))))
    return Summary(
        what=visit.what_text(booking),
        facts=(who, visit.where_text(booking, business)),
        lines=tuple(money_presenter.ledger(booking, money) if money.payments else visit.price_lines(booking)),
        extras=(),
        band=tuple(_band(booking, money, due)),
        policy=policy,
        total_minor=booking.total_minor,
    )


def countdown(
    booking: Booking,
    *,
    starts_at: datetime,
    begun_at: datetime,
    ends_at: datetime,
    now: datetime,
    visitor_zone: ZoneInfo | None = None,
) -> Countdown:
    """Return how long the time is held for this payment."""
    left = max(0, round((ends_at - now).total_seconds()))
    when = shown_moment(starts_at, zone_of(booking), visitor_zone)
    return Countdown(
        lead=format_html("<b>{}</b>", when),
        when=when,
        expires_ms=int(ends_at.timestamp() * 1000),
        now_ms=int(now.timestamp() * 1000),
        digits=countdown_text(left),
        seconds_left=left,
        seconds_in_all=max(1, round((ends_at - begun_at).total_seconds())),
        until=shown_time(ends_at, zone_of(booking), visitor_zone),
        place=booking.location.text("name") if booking.delivery == Delivery.LOCATION else "",
    )


def problems() -> list[tuple[str, str]]:
    """Return (code, message) for each failure that js/pay.js knows. The page shows what is still true below it."""
    return [
        ("other", gettext("The payment did not go through.")),
        ("declined", gettext("The bank declined this card.")),
        ("funds", gettext("The bank says that there is not enough money on this card.")),
        ("expired", gettext("This card has expired.")),
        ("code", gettext("The security code of the card is not right.")),
        ("proof", gettext("Your bank could not confirm that it is you, or the confirmation was left.")),
        ("unreachable", gettext("The payment service cannot be reached right now.")),
    ]


def help_rows(messages: Sequence[HelpMessage], business: Business) -> list[HelpRow]:
    desk = business.text("name")
    return [
        HelpRow(each.is_from_customer, gettext("You") if each.is_from_customer else each.author_name or desk, each.text)
        for each in messages
    ]


def _moved_text(booking: Booking, moves_to: datetime, visitor_zone: ZoneInfo | None) -> str:
    words = {"after": shown_moment(moves_to, zone_of(booking), visitor_zone), "before": visit.when_text(booking)}
    return gettext("%(after)s instead of %(before)s") % words


def _milliseconds(moment: datetime | None) -> int:
    """Return milliseconds since 1970, as JavaScript counts; 0 for None."""
    return int(moment.timestamp() * 1000) if moment else 0


def _shows(
    booking: Booking, money: BookingMoney, due: Payable | None, held_until: datetime | None, now: datetime
) -> Shows:
    if money.is_being_checked:
        return Shows.CHECKING
    if booking.status == BookingStatus.EXPIRED or (
        booking.status == BookingStatus.PENDING_PAYMENT and held_until is not None and held_until <= now
    ):
        # A payment at the last moment is being matched with the time. The page is neither over nor done.
        is_open = money.balance.net_paid_minor or _is_unknown(booking, money)
        return Shows.CHECKING if is_open else Shows.OVER
    if booking.status == BookingStatus.PENDING_PAYMENT:
        if money.balance.net_paid_minor >= booking.due_now_minor > 0 or (not booking.due_now_minor and money.card):
            return Shows.CHECKING
        return Shows.READY if due else Shows.CLOSED
    return Shows.READY if due else Shows.DONE


def _is_unknown(booking: Booking, money: BookingMoney) -> bool:
    """Return whether the customer began a payment about which Stripe was not asked since the time to pay ended."""
    ended_at = booking.hold_expires_at
    begun = (each for each in money.attempts if each.status in LIVE_PAYMENTS and each.intent_id and each.checked_at)
    return ended_at is not None and any(each.checked_at < ended_at for each in begun if each.checked_at)


def _lead(booking: Booking, due: Payable, moves_to: datetime | None, visitor_zone: ZoneInfo | None) -> str:
    if due.kind is PayKind.CARD:
        return gettext("Your time is booked once we have a card. It is charged only if you cancel late or do not come.")
    if due.purpose == Purpose.MOVE and moves_to:
        text = gettext("Your appointment moves to %(when)s once this is paid. Until then the old time stays yours.")
        return text % {"when": shown_moment(moves_to, zone_of(booking), visitor_zone)}
    if due.purpose == Purpose.FEE:
        return gettext("A fee is open for your appointment on %(when)s.") % {"when": visit.when_text(booking)}
    if booking.status == BookingStatus.PENDING_PAYMENT:
        return gettext("Your time is booked as soon as this is paid.")
    return gettext("What is left to pay for your appointment on %(when)s.") % {"when": visit.when_text(booking)}


def _without_script(booking: Booking, due: Payable, amount: str) -> str:
    if due.kind is PayKind.CARD:
        return gettext("We keep your time only with a card. You can also give it to us by phone.")
    if booking.status == BookingStatus.PENDING_PAYMENT:
        return gettext(
            "%(sum)s has to be paid before your time is booked. You can also pay by phone or at the front desk while"
            " the time is held."
        ) % {"sum": amount}
    if appointment.is_met(booking):
        return gettext("%(sum)s is open. You can also pay by phone or at the visit.") % {"sum": amount}
    return gettext("%(sum)s is open. You can also pay by phone.") % {"sum": amount}


def _band(booking: Booking, money: BookingMoney, due: Payable | None) -> list[MoneyLine]:
    if due is None:
        return []
    amount = visit.money(due.amount_minor, booking)
    rest = money.balance.open_minor - due.amount_minor
    if due.kind is PayKind.CARD:
        lines = [MoneyLine(gettext("Nothing now · card on file"), visit.money(0, booking), "now")]
    elif due.purpose == Purpose.MOVE:
        return [MoneyLine(gettext("Fee for moving"), amount, "now")]
    elif due.purpose == Purpose.FEE:
        return [MoneyLine(gettext("Fee"), amount, "now")]
    else:
        is_deposit = due.purpose == Purpose.BOOKING and rest > 0
        lines = [MoneyLine(gettext("Deposit now") if is_deposit else gettext("Pay now"), amount, "now")]
    if rest > 0:
        label = visit.later_label(booking) if due.kind is PayKind.CARD else visit.rest_label(booking)
        lines.append(MoneyLine(label, visit.money(rest, booking)))
    return lines
