"""What a cancellation or a move gives back or costs: its sum, button, lines and sentence."""

from datetime import datetime

from django.utils.translation import get_language, gettext

from bookings.booked import fee_facts
from bookings.models import Booking
from bookings.queries.money import BookingMoney
from bookings.rules.settlement import CancelQuote, Settlement, cancel_quote
from bookings.wording import payments, visit
from bookings.wording.visit import MoneyLine
from core import formats
from storefront.presenters import money as money_presenter


def quote(booking: Booking, money: BookingMoney, *, now: datetime) -> CancelQuote:
    """Return what the customer gets back or pays when cancelling at ``now``, and what the next deadline changes."""
    return cancel_quote(fee_facts(booking), money.paid, now)


def sum_text(settled: Settlement, booking: Booking) -> str:
    """Return the one sum of a cancellation: "€16.00 back", "€0 back", "€24.00 to pay" or "Free"."""
    more = settled.charge_minor + settled.open_minor
    if more:
        text = gettext("%(sum)s to pay") if settled.keep_minor else gettext("%(sum)s fee")
        return text % {"sum": visit.money(more, booking)}
    if settled.refund_minor:
        return gettext("%(sum)s back") % {"sum": visit.money(settled.refund_minor, booking)}
    if settled.keep_minor:
        return gettext("%(sum)s back") % {"sum": formats.money_text(0, booking.currency, short=True)}
    return gettext("Free")


def button(settled: Settlement, booking: Booking, *, is_checked: bool, again: bool = False) -> str:
    """Return the label of the button that cancels. ``again``: on the page that confirms. ``is_checked``: staff approve
    refunds before they are paid.
    """
    more = settled.charge_minor + settled.open_minor
    if more:
        text = gettext("Cancel it for %(sum)s") if again else gettext("Cancel for %(sum)s")
        return text % {"sum": visit.money(more, booking)}
    if settled.refund_minor:
        text = gettext("Cancel it and get %(sum)s back") if again else gettext("Cancel and get %(sum)s back")
        if is_checked:
            text = (
                gettext("Cancel it and ask for %(sum)s back") if again else gettext("Cancel and ask for %(sum)s back")
            )
        return text % {"sum": visit.money(settled.refund_minor, booking)}
    if settled.keep_minor:
        return gettext("Cancel it without a refund") if again else gettext("Cancel without a refund")
    return gettext("Cancel it, free of charge") if again else gettext("Cancel free of charge")


def lines(settled: Settlement, booking: Booking, *, is_checked: bool) -> list[MoneyLine]:
    """Return both sides of cancelling now: the fee and how it is paid, and the refund."""
    if not settled.fee_minor and not settled.refund_minor:
        return [MoneyLine(gettext("Cancelling now costs"), gettext("Nothing"), "now")]
    fee = visit.money(settled.fee_minor, booking) if settled.fee_minor else gettext("Nothing")
    lines = [MoneyLine(gettext("Cancelling now costs"), fee)]
    if settled.keep_minor:
        lines.append(MoneyLine(gettext("Kept from what you paid"), visit.money(-settled.keep_minor, booking)))
    if settled.charge_minor:
        lines.append(MoneyLine(gettext("Charged to your card"), visit.money(settled.charge_minor, booking), "now"))
    if settled.open_minor:
        lines.append(MoneyLine(gettext("Left to pay"), visit.money(settled.open_minor, booking), "now"))
    if settled.refund_minor or not (settled.charge_minor or settled.open_minor):
        is_later = is_checked and settled.refund_minor
        label = gettext("Back after our check") if is_later else gettext("You get back")
        lines.append(MoneyLine(label, visit.money(settled.refund_minor, booking), "now"))
    return lines


def sentence(settled: Settlement, booking: Booking, money: BookingMoney, *, is_checked: bool) -> str:
    """Return where the sums of a cancellation go or come from; empty when no money moves."""
    if settled.refund_minor and is_checked:
        language = get_language() or booking.language
        return payments.check_sentence(settled.refund_minor, currency=booking.currency, language=language)
    if settled.refund_minor:
        brand, last4 = payments.only_card((each.card_brand, each.card_last4) for each in money.payments)
        return payments.refund_sentence(
            settled.refund_minor,
            currency=booking.currency,
            language=get_language() or booking.language,
            card_brand=brand,
            card_last4=last4,
        )
    sentences = []
    if settled.charge_minor and money.card:
        sentences.append(
            gettext("%(sum)s is charged to your %(card)s.")
            % {
                "sum": visit.money(settled.charge_minor, booking),
                "card": money_presenter.card_text(money.card.brand, money.card.last4) or gettext("card"),
            }
        )
    if settled.open_minor:
        sentences.append(gettext("%(sum)s stays open.") % {"sum": visit.money(settled.open_minor, booking)})
    return " ".join(sentences)
