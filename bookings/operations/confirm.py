"""Confirming a held booking: contact, what is owed, consent and messages.

If the terms ask for a payment or a card first, or the business answers each request, the time is kept until then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from accounts.contact.contact import Contact
from accounts.contact.mailboxes import normalised_email
from accounts.contact.same_phones import phone_end_hash, phone_hash
from accounts.models import Customer
from accounts.operations import current_customer, customer_of_contact, record_consent
from bookings.booked import quote_of
from bookings.enums import CHANGEABLE, BookingChannel, BookingStatus, MoneyEvent
from bookings.errors import AlreadyThatTime, CannotBookOnline, NoWaiverReason, StalePage
from bookings.lifecycle import Actor, record_money, transition
from bookings.messages import money
from bookings.models import Booking, BookingLine, UnprovenBooking
from bookings.operations._agreement import agree, ask_for_payment, asked, forget_hold_link, link_until
from bookings.operations._customer_checks import Standing, lines_and_standing
from bookings.operations._link_proof import LinkProof, as_invited, link_proof
from bookings.operations._lock import locked_booking, require_live_hold
from bookings.operations._transaction import booking_transaction
from bookings.operations.unproven import Traces, may_stand_unproven, remember_unproven, traces_of
from bookings.refs import subject_ref
from bookings.rules.prepayment import Demand, payment_demand
from bookings.rules.terms import Terms
from payments.stripe import gateway
from services.enums import PaymentMode

CONSENT_PURPOSE = "booking"
# A mail that asks for money at once would arrive while most customers are just paying. For a short hold, half of it is
# used instead, so that the mail arrives while the time is still kept.
UNPAID_AFTER = timedelta(minutes=10)
# Time for the mail to arrive and for the customer to find it.
MAILBOX_HOLD = timedelta(minutes=30)
# Channels without staff, where a visitor can type any address.
_ON_THE_WEBSITE = frozenset({BookingChannel.WEB, BookingChannel.WIDGET})


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page showed when the customer agreed: the total, the ids of the extras and the number of people."""

    total_minor: int
    add_on_ids: tuple[int, ...]
    party_size: int

    @classmethod
    def of(cls, booking: Booking, lines: Iterable[BookingLine]) -> Self:
        add_on_ids = tuple(extra["id"] for line in lines for extra in line.add_ons)
        return cls(booking.total_minor, add_on_ids, booking.party_size)


class Asks(StrEnum):
    """What staff ask of a customer before a booking is confirmed."""

    NOTHING = "nothing"  # everything is paid at the visit
    CARD = "card"  # a card is kept, nothing is charged now
    RULES = "rules"  # what the terms ask of every customer


@dataclass(frozen=True, slots=True)
class ByStaff:
    """What staff choose when they book for a customer.

    ``customer_id`` is the known customer whom they chose, ``language`` the language of the messages; if empty, those of
    the hold count. ``waiver`` is why less is asked than the terms ask. Without ``tells_customer`` the customer gets no
    confirmation; a payment link that the customer needs is sent in any case.
    """

    customer_id: int | None = None
    language: str = ""
    asks: Asks = Asks.NOTHING
    waiver: str = ""
    tells_customer: bool = True


@booking_transaction
def confirm_booking(
    *,
    booking_id: int,
    contact: Contact,
    consent_text: str,
    actor: Actor,
    now: datetime,
    asks_payment: bool | None = None,
    seen: Seen | None = None,
    has_proven_email: bool = False,
    accepts_second: bool = False,
    visitor_zone: ZoneInfo | None = None,
    by_staff: ByStaff | None = None,
    signed_in_id: int | None = None,
) -> Booking:
    """Take a live hold on to what the terms ask: CONFIRMED, PENDING_PAYMENT or REQUESTED.

    A second call returns the same booking. PENDING_PAYMENT: a payment or a card comes first. REQUESTED: the business
    has to answer. Opens the bill with the copied prices unless it is a request, stores the exact words of the consent,
    and writes the messages.

    The booking is linked to the customer record of this contact, or to a new one. A guest who gives the address of a
    known customer with another name or number gets a new record until they act from the mailbox.

    ``asks_payment``: whether to ask for the payment of the terms. None: customers are asked, staff are not.

    ``has_proven_email``: the browser was opened by a link that was sent to the address alone. If the owner of that
    address is exempt from paying in advance, no payment is asked for.

    On the website the customer has to prove the mailbox first in three cases: too many bookings are unproven, the
    business blocks this customer, or missed visits decide what is paid. Then the time is held for half an hour, a link
    is mailed, and the returned booking is still HELD. With ``has_proven_email`` this step is skipped. The mail comes
    before the page shows anything that only the owner of the mailbox may learn. A customer to whom staff sent the link
    of this hold has proven enough, unless the business blocks the address that they give.

    ``accepts_second``: the customer knows of their other booking at the same time.

    ``visitor_zone``: the zone of the customer's browser; mails show its clock next to that of the location.

    ``seen``: what ``consent_text`` refers to; without it the customer agrees to what the hold says now.

    ``by_staff``: what staff chose when they booked for a customer; it wins over ``asks_payment``.

    ``signed_in_id``: the customer who is signed in. The booking is theirs, whatever contact they give for it; their
    rules about payment and blocks apply. Their own proven address counts as proven, another one does not. A hold for
    which staff chose another customer stays with that one.

    Locks: the booking, then the pseudonyms by which unproven bookings are counted.

    :raises AlreadyThatTime: when this browser has booked another visit at that time with the same address.
    :raises TooManyUnproven: when this mailbox has received too many confirmation mails already.
    :raises HoldExpired: when the hold has run out, even if its time is still free.
    :raises HoldOver: when the booking is no longer a hold.
    :raises StalePage: when the hold is no longer what the page showed (``data["total_minor"]``).
    :raises CannotBookOnline: when the business takes no online bookings from this customer.
    :raises NoWaiverReason: when staff ask for less than the terms do and do not say why.
    """
    booking = locked_booking(booking_id)
    # A repeated call finds the booking confirmed already.
    if booking.status in CHANGEABLE:
        return booking
    require_live_hold(booking, now)
    proof = LinkProof() if by_staff else link_proof(booking, contact)
    has_proven_email = has_proven_email or proof.has_proven_email
    signed_in = _signed_in(booking, signed_in_id)
    if signed_in is not None:
        booking.customer_id = signed_in.pk
        has_proven_email = has_proven_email or _owns_mailbox(signed_in, contact.email)
    # The browser that booked knows the zone better than the one that opens the mailed link.
    booking.visitor_zone = booking.visitor_zone or _zone_name(visitor_zone)
    if by_staff is not None:
        chosen = current_customer(by_staff.customer_id) if by_staff.customer_id else None
        booking.customer_id = chosen.pk if chosen else booking.customer_id
        booking.language = by_staff.language or booking.language
    lines, standing = lines_and_standing(
        booking,
        email=contact.email,
        phone=contact.phone,
        actor=actor,
        is_known_by_email=actor.is_business or has_proven_email or proof.is_known or signed_in is not None,
        now=now,
        own_email=signed_in.email if signed_in else "",
    )
    if proof.is_invited and not has_proven_email:
        standing = as_invited(standing, booking, contact)
    if seen is not None and seen != Seen.of(booking, lines):
        raise StalePage(total_minor=booking.total_minor)
    asks = _asks(by_staff, actor, asks_payment)
    demand = _demand(booking, lines, standing, asks)
    is_on_website = actor.channel in _ON_THE_WEBSITE
    if is_on_website and not accepts_second and standing.has_visit_then:
        raise AlreadyThatTime
    if is_on_website and not has_proven_email:
        traces = traces_of(booking, email=contact.email, phone=contact.phone)
        may_stand = proof.is_invited or may_stand_unproven(booking, traces, now)
        if _asks_mailbox(booking, lines, standing, demand, may_stand=may_stand):
            return _ask_mailbox(booking, contact, traces, now)
        if not proof.is_invited:
            remember_unproven(booking, traces, now=now)
    if standing.is_blocked:
        raise CannotBookOnline
    if has_proven_email:
        UnprovenBooking.objects.filter(booking=booking).delete()
    values = {
        **_contact_values(booking, contact, has_proven_email=has_proven_email, now=now),
        **asked(demand),
        "visitor_zone": booking.visitor_zone,
        "language": booking.language,
    }
    if by_staff is not None:
        values |= _waived(booking, lines, standing, demand, by_staff, actor, now)
    if standing.needs_answer and not actor.is_business:
        _request(booking, standing, values, actor, now)
    elif demand.needs_stripe:
        _ask(booking, lines, standing, values, actor, now, is_invited=proof.is_invited)
    else:
        tells_customer = by_staff is None or by_staff.tells_customer
        agree(booking, lines, actor=actor, now=now, values=values, tells_customer=tells_customer)
    record_consent(
        customer_id=booking.customer_id,
        subject_ref=subject_ref(booking),
        purpose=CONSENT_PURPOSE,
        text=consent_text,
        now=now,
    )
    return booking


def _signed_in(booking: Booking, customer_id: int | None) -> Customer | None:
    """Return the signed-in customer to whom the booking goes; None without one, and for a hold of another customer."""
    customer = current_customer(customer_id) if customer_id else None
    return customer if customer is not None and booking.customer_id in {None, customer.pk} else None


def _owns_mailbox(customer: Customer, email: str) -> bool:
    if not email or not customer.email or customer.email_proven_at is None:
        return False
    return normalised_email(customer.email) == normalised_email(email)


def demands_at_desk(
    booking: Booking, *, customer_id: int | None, email: str, phone: str, actor: Actor, now: datetime
) -> dict[Asks, Demand]:
    """Return what each choice of staff asks of this customer for a hold; two choices may ask the same.

    Runs one query.
    """
    booking.customer_id = customer_id
    lines, standing = lines_and_standing(
        booking, email=email, phone=phone, actor=actor, is_known_by_email=True, now=now
    )
    return {asks: _demand(booking, lines, standing, asks) for asks in Asks}


def _asks(by_staff: ByStaff | None, actor: Actor, asks_payment: bool | None) -> Asks:
    if by_staff is not None:
        return by_staff.asks
    is_asked = not actor.is_business if asks_payment is None else asks_payment
    return Asks.RULES if is_asked else Asks.NOTHING


def _demand(booking: Booking, lines: list[BookingLine], standing: Standing, asks: Asks) -> Demand:
    priced = quote_of(booking, lines)
    is_card = asks is Asks.CARD and gateway.is_configured()
    return payment_demand(
        Terms.from_json(booking.terms),
        total_minor=booking.total_minor,
        at_visit_minor=priced.at_visit_minor,
        at_booking_minor=0 if is_card else priced.at_booking_minor,
        currency=booking.currency,
        has_stripe=gateway.is_configured(),
        is_exempt=standing.is_exempt and not is_card,
        must_prepay=standing.must_prepay,
        by_staff=asks is Asks.NOTHING,
        asked_mode=PaymentMode.CARD if is_card else None,
    )


def _waived(
    booking: Booking,
    lines: list[BookingLine],
    standing: Standing,
    demand: Demand,
    by_staff: ByStaff,
    actor: Actor,
    now: datetime,
) -> dict[str, Any]:
    """Record that staff ask for less than the terms do, and why. Return the columns that store it."""
    by_rules = _demand(booking, lines, standing, Asks.RULES)
    if not by_rules.needs_stripe or demand == by_rules:
        return {}
    if not by_staff.waiver.strip():
        raise NoWaiverReason
    amount_minor = by_rules.due_now_minor - demand.due_now_minor
    waived = MoneyEvent.PAYMENT_WAIVED if amount_minor else MoneyEvent.CARD_WAIVED
    record_money(booking, waived, actor=actor, now=now, amount_minor=amount_minor or None, reason=by_staff.waiver)
    return {"is_payment_waived": not demand.needs_stripe}


def _asks_mailbox(
    booking: Booking, lines: list[BookingLine], standing: Standing, demand: Demand, *, may_stand: bool
) -> bool:
    """Return whether the customer must prove the mailbox before this booking is confirmed. A payment proves enough."""
    if standing.is_blocked:
        return True
    if standing.looks_at_no_shows and demand != _demand(
        booking, lines, replace(standing, must_prepay=not standing.must_prepay), Asks.RULES
    ):
        return True
    return not may_stand and not demand.needs_stripe


def _ask_mailbox(booking: Booking, contact: Contact, traces: Traces, now: datetime) -> Booking:
    """Extend the hold to half an hour from the first request, and mail a link that confirms it."""
    asked_before = UnprovenBooking.objects.filter(booking=booking).values_list("asked_at", flat=True).first()
    asked_at = asked_before or now
    for name, value in _typed_values(contact).items():
        setattr(booking, name, value)
    booking.hold_expires_at = max(booking.hold_expires_at or now, asked_at + MAILBOX_HOLD)
    booking.save()
    remember_unproven(booking, traces, asked_at=asked_at, now=now)
    money.announce_confirm_by_mail(booking, now=now)
    return booking


def _zone_name(zone: ZoneInfo | None) -> str:
    return zone.key if zone is not None and zone.key in available_timezones() else ""


def _typed_values(contact: Contact) -> dict[str, Any]:
    return {
        **contact.columns(),
        "phone_hash": phone_hash(contact.phone),
        "phone_end_hash": phone_end_hash(contact.phone),
    }


def _contact_values(booking: Booking, contact: Contact, *, has_proven_email: bool, now: datetime) -> dict[str, Any]:
    customer_id = booking.customer_id
    if customer_id is None and (contact.name or contact.email or contact.phone):
        customer_id = customer_of_contact(
            name=contact.name,
            email=contact.email,
            phone=contact.phone,
            language=booking.language,
            now=now,
            has_proven_email=has_proven_email,
        ).pk
    return {"customer_id": customer_id, **_typed_values(contact)}


def _request(booking: Booking, standing: Standing, values: dict[str, Any], actor: Actor, now: datetime) -> None:
    until = link_until(
        booking, lead_minutes=standing.lead_minutes, at_least=timedelta(minutes=standing.hold_minutes), now=now
    )
    transition(booking, BookingStatus.REQUESTED, actor=actor, now=now, values={**values, "hold_expires_at": until})
    forget_hold_link(booking)
    money.announce_requested(booking, now=now)


def _ask(
    booking: Booking,
    lines: list[BookingLine],
    standing: Standing,
    values: dict[str, Any],
    actor: Actor,
    now: datetime,
    *,
    is_invited: bool,
) -> None:
    """Ask for the payment. A customer on the website pays on the page; one booked by staff gets a link and a day.

    A customer whom staff sent a link to the hold was promised the time until the link ends.
    """
    hold = timedelta(minutes=standing.hold_minutes)
    if not actor.is_business:
        promised = booking.hold_expires_at if is_invited else None
        until, remind_at = max(now + hold, promised or now), now + min(UNPAID_AFTER, hold / 2)
    else:
        until, remind_at = link_until(booking, lead_minutes=standing.lead_minutes, at_least=hold, now=now), now
    ask_for_payment(booking, lines, until=until, remind_at=remind_at, actor=actor, now=now, values=values)
