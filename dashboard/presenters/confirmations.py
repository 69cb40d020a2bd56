"""The texts of confirming pages: what will happen, to which customer, and the sum on the button."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from bookings.booked import local, zone_of
from bookings.models import Booking, HelpMessage
from bookings.queries.money import BookingMoney
from bookings.queries.payables import Payable, PayKind
from bookings.rules.settlement import Paid, settlement
from bookings.wording import visit
from core import formats
from core.zones import city
from dashboard.forms import CancelForm
from dashboard.presenters.day import what_and_who
from dashboard.presenters.money import means_text
from payments.brands import brand_name
from payments.enums import COUNTING_REFUNDS, Method, PaymentStatus, RefundStatus
from payments.models import Payment, Refund


@dataclass(frozen=True, slots=True)
class Ask:
    """``text`` says what will happen. ``named`` is the sum on the button in the form's format. ``other`` is a second
    button as (value of the field "answer", label); ``value`` is that of the first button.
    """

    title: str
    text: str
    button: str
    named: str = ""
    is_bad: bool = False
    value: str = ""
    other: tuple[str, str] | None = None
    # The label of the button with %s for the sum that the user types; empty for a form without a sum.
    pattern: str = ""
    # What the button sends and says for each choice that js/cancel.js knows, as JSON; empty for a form without choices.
    choices: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation with the customer."""

    who: str
    at: str
    text: str
    is_ours: bool


def stamp_of(booking: Booking, money: BookingMoney) -> str:
    """Return the facts of a booking that a confirming page depends on. If they change, the page is stale."""
    balance = money.balance
    waiting = sum(refund.amount_minor for refund in waiting_refunds(money))
    sums = (balance.owed_minor, balance.paid_minor, balance.refunded_minor, balance.returned_minor, waiting)
    return f"{booking.status}.{booking.ical_sequence}.{'.'.join(map(str, sums))}"


def booking_facts(booking: Booking, *, names_zone: bool) -> tuple[str, str]:
    """Return the customer's name, and the time and service, with the zone of the times if ``names_zone``."""
    name = formats.isolated(booking.contact_name) or gettext("No name given")
    who = f"{name} · {formats.reference_text(booking.reference)}"
    when = visit.when_text(booking)
    if names_zone:
        when = gettext("%(when)s (%(city)s time)") % {"when": when, "city": city(zone_of(booking))}
    return who, f"{when} · {what_and_who(booking)}"


def sum_of(amount_minor: int, booking: Booking) -> str:
    return visit.money(amount_minor, booking)


def take(booking: Booking, money: BookingMoney, amount_minor: int) -> Ask:
    return Ask(
        gettext("Record a payment"),
        gettext("%(sum)s is open. What you write down counts as paid at once, and the customer gets a receipt.")
        % {"sum": sum_of(money.balance.open_minor, booking)},
        gettext("Record %(sum)s") % {"sum": sum_of(amount_minor, booking)},
        named=str(amount_minor),
        pattern=gettext("Record %(sum)s") % {"sum": "%s"},
    )


def refund(booking: Booking, payment: Payment, amount_minor: int) -> Ask:
    if payment.method == Method.STRIPE:
        text = gettext("It goes back the way it came: to %(means)s. Banks take up to ten days.")
        text = text % {"means": means_text(payment)}
    else:
        text = gettext("It goes back the way it came (%(means)s): you hand it over now.")
        text = text % {"means": means_text(payment)}
    return Ask(
        gettext("Refund"),
        text,
        gettext("Refund %(sum)s") % {"sum": sum_of(amount_minor, booking)},
        named=f"{payment.pk}:{amount_minor}",
        is_bad=True,
        pattern=gettext("Refund %(sum)s") % {"sum": "%s"},
    )


def discount(booking: Booking, amount_minor: int) -> Ask:
    text = gettext("The price is %(sum)s. What was paid beyond the lower price goes back, and the customer is told.")
    return Ask(
        gettext("Lower the price"),
        text % {"sum": sum_of(booking.total_minor, booking)},
        gettext("Lower by %(sum)s") % {"sum": sum_of(amount_minor, booking)}
        if amount_minor
        else gettext("Lower the price"),
        named=str(amount_minor or ""),
        pattern=gettext("Lower by %(sum)s") % {"sum": "%s"},
    )


def approve(booking: Booking, refund: Refund) -> Ask:
    total = sum_of(refund.amount_minor, booking)
    text = gettext("It goes back the way it came: to %(means)s. The customer is told at once.")
    if refund.method != Method.STRIPE:
        text = gettext("It goes back the way it came (%(means)s): you hand it over afterwards. The customer is told.")
    return Ask(
        gettext("Approve the refund"),
        text % {"means": means_text(refund.payment)},
        gettext("Approve %(sum)s") % {"sum": total},
    )


def lower(booking: Booking, refund: Refund, amount_minor: int) -> Ask:
    words = {"asked": sum_of(refund.amount_minor, booking), "sum": sum_of(amount_minor, booking)}
    return Ask(
        gettext("Refund less"),
        gettext(
            "By the rules that the customer agreed to, %(asked)s goes back. What you keep is written down as a fee with"
            " your reason, and the customer is told both."
        )
        % words,
        gettext("Refund %(sum)s of %(asked)s") % words if amount_minor else gettext("Refund less"),
        named=str(amount_minor or ""),
        is_bad=True,
        pattern=gettext("Refund %(sum)s of %(asked)s") % {**words, "sum": "%s"},
    )


def decline(booking: Booking, refund: Refund) -> Ask:
    words = {"asked": sum_of(refund.amount_minor, booking)}
    return Ask(
        gettext("Decline the refund"),
        gettext(
            "By the rules that the customer agreed to, %(asked)s goes back. Declined, all of it is kept as a fee with"
            " your reason, and the customer is told both."
        )
        % words,
        gettext("Keep %(asked)s") % words,
        is_bad=True,
    )


def hand_back(booking: Booking, refund: Refund) -> Ask:
    total = sum_of(refund.amount_minor, booking)
    return Ask(
        gettext("Hand %(sum)s back") % {"sum": total},
        gettext("Hand the money over first, then write down how. The customer gets a receipt."),
        gettext("%(sum)s handed back") % {"sum": total},
    )


def waive(booking: Booking, left_minor: int, amount_minor: int) -> Ask:
    return Ask(
        gettext("Waive the fee"),
        gettext("The fee is %(sum)s. What was paid of the waived part goes back.")
        % {"sum": sum_of(left_minor, booking)},
        gettext("Waive %(sum)s") % {"sum": sum_of(amount_minor, booking)},
        named=str(amount_minor),
        pattern=gettext("Waive %(sum)s") % {"sum": "%s"},
    )


def charge(booking: Booking, money: BookingMoney, amount_minor: int) -> Ask:
    card = f"{brand_name(money.card.brand)} {money.card.last4}".strip() if money.card else ""
    total = sum_of(amount_minor, booking)
    return Ask(
        gettext("Charge the card on file"),
        gettext("The customer agreed to this when booking. %(card)s is charged now, and the customer is told.")
        % {"card": card},
        gettext("Charge %(sum)s to %(card)s") % {"sum": total, "card": card},
        is_bad=True,
    )


def stand(booking: Booking) -> Ask:
    due = sum_of(booking.due_now_minor, booking)
    text = gettext(
        "%(sum)s was asked for in advance. The booking then stands without it; the price is due at the visit."
    )
    if not booking.due_now_minor:
        text = gettext("A card was asked for in advance. The booking then stands without one.")
    return Ask(gettext("Confirm without payment"), text % {"sum": due}, gettext("Confirm without payment"))


def link(booking: Booking, due: Payable) -> Ask:
    words = {"sum": sum_of(due.amount_minor, booking), "email": booking.contact_email}
    text = gettext("An e-mail with a link to pay %(sum)s goes to %(email)s.") % words
    if due.kind is PayKind.CARD:
        text = gettext("An e-mail with a link to leave a card goes to %(email)s.") % words
    if due.until:
        text = f"{text} {gettext('The time is kept for it for a day, or until the shortest notice.')}"
    return Ask(gettext("Send a link to pay"), text, gettext("Send the link"))


def missed(booking: Booking, fee_minor: int, waiver_hours: int) -> Ask:
    text = gettext("The customer is told. This costs the customer nothing.")
    if fee_minor:
        text = gettext(
            "The customer is told. By the rules of this booking it costs up to %(sum)s. You can waive that for"
            " %(hours)d hours; only then is it kept or charged."
        ) % {"sum": sum_of(fee_minor, booking), "hours": waiver_hours}
    return Ask(gettext("Mark as no-show?"), text, gettext("Mark as no-show"), is_bad=True)


def came(booking: Booking) -> Ask:
    return Ask(
        gettext("Undo the no-show?"),
        gettext("The booking is as it was before: the fee is gone, a fee that was paid goes back, the price is owed."),
        gettext("Undo no-show"),
    )


def cancel(booking: Booking, money: BookingMoney, *, who: str, fee_minor: int, fee_of_call_minor: int) -> Ask:
    """``who`` is empty until the user chooses. ``fee_minor`` is the fee of the form as it is; ``fee_of_call_minor`` is
    what the rules charge for the moment of the call.
    """
    ours, theirs = CancelForm.BUSINESS, CancelForm.CUSTOMER
    choices = {
        "business": (CancelForm.name_of(ours, 0), _cancel_button(booking, money, ours, 0)),
        "free": (CancelForm.name_of(theirs, 0), _cancel_button(booking, money, theirs, 0)),
        "fee": (
            CancelForm.name_of(theirs, fee_of_call_minor),
            _cancel_button(booking, money, theirs, fee_of_call_minor),
        ),
        "unknown": ("", gettext("Look up the fee")),
        "nobody": ("", gettext("Cancel this booking")),
    }
    return Ask(
        gettext("Cancel this booking"),
        gettext("The time is free at once, and everyone involved gets an e-mail.")
        if booking.contact_email
        else gettext("The time is free at once. The customer gave no e-mail address: please tell them yourself."),
        _cancel_button(booking, money, who, fee_minor) if who else gettext("Cancel this booking"),
        named=CancelForm.name_of(who, fee_minor) if who else "",
        is_bad=True,
        choices=json.dumps(choices),
    )


def _cancel_button(booking: Booking, money: BookingMoney, who: str, fee_minor: int) -> str:
    back = _goes_back(booking, money, who, fee_minor)
    words = {"fee": sum_of(fee_minor, booking), "back": sum_of(back, booking)}
    if fee_minor and back:
        return gettext("Cancel for a fee of %(fee)s, %(back)s goes back") % words
    if fee_minor:
        return gettext("Cancel for a fee of %(fee)s") % words
    return gettext("Cancel, %(back)s goes back") % words if back else gettext("Cancel free of charge")


def cancel_notes(booking: Booking, money: BookingMoney, fee_minor: int) -> list[str]:
    """Return what each choice costs or refunds at this moment."""
    back = _goes_back(booking, money, CancelForm.BUSINESS, 0)
    ours = gettext("If you call it off: nothing is owed.")
    if back:
        ours = gettext("If you call it off: all of %(sum)s goes back.") % {"sum": sum_of(back, booking)}
    theirs = gettext("If the customer calls it off now: free of charge.")
    if fee_minor:
        theirs = gettext("If the customer calls it off now: a fee of %(fee)s.") % {"fee": sum_of(fee_minor, booking)}
    if back := _goes_back(booking, money, CancelForm.CUSTOMER, fee_minor):
        theirs += " " + gettext("%(sum)s goes back.") % {"sum": sum_of(back, booking)}
    return [theirs, ours]


def _goes_back(booking: Booking, money: BookingMoney, who: str, fee_minor: int) -> int:
    """Return the refund in minor units: all of it when the business cancels, else what the fee leaves."""
    net_minor = money.paid.net_minor if who == CancelForm.CUSTOMER else max(0, money.balance.net_paid_minor)
    return settlement(fee_minor, Paid(net_minor), currency=booking.currency).refund_minor


def request(booking: Booking) -> Ask:
    until = formats.moment_text(local(booking.hold_expires_at, booking)) if booking.hold_expires_at else ""
    return Ask(
        gettext("Answer the request"),
        gettext(
            "The time is held until %(moment)s. With a yes the booking stands, or waits for what is due in advance."
        )
        % {"moment": until},
        gettext("Accept"),
        value="accept",
        other=("decline", gettext("Decline")),
    )


def reply(booking: Booking, *, is_waiting: bool) -> Ask:
    return Ask(
        (gettext("Answer %(name)s") if is_waiting else gettext("Message to %(name)s"))
        % {"name": formats.isolated(booking.contact_name) or gettext("the customer")},
        "",
        gettext("Send the answer") if is_waiting else gettext("Send the message"),
        value="send",
        other=("read", gettext("No answer needed")) if is_waiting else None,
    )


def trust(booking: Booking) -> Ask:
    return Ask(
        gettext("This customer"),
        gettext("It counts from the next booking on, for anyone who uses this e-mail address or phone number."),
        gettext("Save"),
    )


def conversation(messages: Sequence[HelpMessage], booking: Booking) -> list[Said]:
    return [
        Said(
            who=booking.contact_name if message.is_from_customer else message.author_name,
            at=formats.moment_text(local(message.created_at, booking)),
            text=message.text,
            is_ours=not message.is_from_customer,
        )
        for message in messages
    ]


def left_of_payments(money: BookingMoney) -> dict[int, int]:
    """Return the refundable rest of each payment by its id, newest first; fully refunded payments are left out."""
    left = {}
    for payment in reversed(money.attempts):
        gone = sum(refund.amount_minor for refund in payment.refunds.all() if refund.status in COUNTING_REFUNDS)
        if payment.status == PaymentStatus.SUCCEEDED and payment.amount_minor > gone:
            left[payment.pk] = payment.amount_minor - gone
    return left


def waiting_refunds(money: BookingMoney) -> list[Refund]:
    """Return the refunds that await approval, oldest first, each with its payment."""
    waiting = []
    for payment in money.attempts:
        for refund in payment.refunds.all():
            if refund.status == RefundStatus.AWAITING_APPROVAL:
                refund.payment = payment
                waiting.append(refund)
    return sorted(waiting, key=lambda refund: refund.pk)


def payment_text(payment: Payment, left_minor: int, booking: Booking) -> str:
    """Return text such as "Visa 4242, 12 Nov, 20:14: €16.00 left"."""
    at: datetime = payment.succeeded_at or payment.created_at
    return gettext("%(means)s, %(moment)s: %(sum)s left") % {
        "means": means_text(payment).capitalize() if not payment.card_last4 else means_text(payment),
        "moment": formats.moment_text(local(at, booking)),
        "sum": sum_of(left_minor, booking),
    }
