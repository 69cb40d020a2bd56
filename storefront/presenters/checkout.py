"""The details page as text: the held time, its countdown, the price, and extras to add."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.contact.phones import phone_text
from bookings import booked
from bookings.booked import quote_of
from bookings.models import Booking, HoldLink
from bookings.rules.prepayment import Demand, payment_demand
from bookings.rules.terms import Terms
from bookings.wording import appointment, policies, visit
from bookings.wording.visit import MoneyLine
from bookings.wording.zones import shown_moment, shown_time, zone_note
from core import formats
from services.enums import Delivery
from services.models import AddOn, Business
from storefront.forms import ContactForm
from storefront.presenters import money
from storefront.presenters.picker import held_where


@dataclass(frozen=True, slots=True)
class Countdown:
    """Context of components/countdown.html and hold_strip.html."""

    lead: SafeString
    when: str
    expires_ms: int
    now_ms: int
    digits: str
    seconds_left: int
    seconds_in_all: int
    until: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra that the customer can add, as text: its name, and the money and minutes it adds."""

    id: int
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Summary:
    what: str
    facts: tuple[str, ...]
    lines: tuple[MoneyLine, ...]
    extras: tuple[Extra, ...]
    band: tuple[MoneyLine, ...]
    policy: SafeString
    total_minor: int
    read_at: int = 0
    due_minor: int = 0
    next_step: str = ""
    button: str = ""
    preparations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownContact:
    """What a signed-in customer need not type again."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """A free time near the expired one. ``slot`` is the value that its button sends."""

    slot: str
    day: str
    time: str


def countdown(booking: Booking, now: datetime, visitor_zone: ZoneInfo | None = None) -> Countdown:
    """Return the time left of a hold. The full bar runs from choosing the time to the end of the hold."""
    ends = booking.hold_expires_at or now
    left = max(0, round((ends - now).total_seconds()))
    name = visit.staff_short_name(booking)
    place = booking.location.text("name") if booking.delivery == Delivery.LOCATION else ""
    who = held_where(Delivery(booking.delivery), name, place)
    zone = booked.zone_of(booking)
    when = shown_moment(booking.starts_at, zone, visitor_zone)
    return Countdown(
        lead=format_html("<b>{}</b><br><small>{}</small>", when, who[:1].upper() + who[1:]),
        when=when,
        expires_ms=int(ends.timestamp() * 1000),
        now_ms=int(now.timestamp() * 1000),
        digits=formats.countdown_text(left),
        seconds_left=left,
        seconds_in_all=max(1, round((ends - booking.created_at).total_seconds())),
        until=shown_time(ends, zone, visitor_zone),
        place=place,
    )


def invitation(booking: Booking) -> HoldLink | None:
    """Return the link that staff sent for this hold, if they did."""
    link: HoldLink | None = getattr(booking, "hold_link", None)
    return link


def invited_contact(booking: Booking) -> dict[str, str]:
    """Return what staff typed for the link of this hold; the page shows no more of the customer than that."""
    if invitation(booking) is None:
        return {}
    return {"name": booking.contact_name, "email": booking.contact_email, "phone": booking.contact_phone}


def invited_text(booking: Booking, business: Business, now: datetime, visitor_zone: ZoneInfo | None) -> str:
    """Return, for example, "Linden Studio holds this time for you until 15:40. Fill in the rest to book it."."""
    zone, ends = booked.zone_of(booking), booking.hold_expires_at or now
    is_today = ends.astimezone(zone).date() == now.astimezone(zone).date()
    until = shown_time(ends, zone, visitor_zone) if is_today else shown_moment(ends, zone, visitor_zone)
    values = {"business": formats.isolated(business.text("name")), "until": until}
    return gettext("%(business)s holds this time for you until %(until)s. Fill in the rest to book it.") % values


def known_contact(form: ContactForm) -> KnownContact | None:
    """Return the contact of a signed-in customer as one line; None where a field is missing or has an error."""
    values = [str(form[name].value() or "") for name in ("name", "email", "phone")]
    if not all(values) or any(form.has_error(name) for name in ("name", "email", "phone")):
        return None
    name, email, phone = values
    return KnownContact(name, email, phone_text(phone) if phone.startswith("+") else phone)


def demand(booking: Booking, *, has_stripe: bool) -> Demand:
    """Return the payment that this booking asks of the customer, as far as known before the contact details."""
    priced = quote_of(booking, booking.lines.all())
    return payment_demand(
        Terms.from_json(booking.terms),
        total_minor=booking.total_minor,
        at_visit_minor=priced.at_visit_minor,
        at_booking_minor=priced.at_booking_minor,
        currency=booking.currency,
        has_stripe=has_stripe,
    )


def summary(
    booking: Booking,
    business: Business,
    offered: Sequence[AddOn],
    asked: Demand,
    *,
    is_request: bool,
    now: datetime,
    visitor_zone: ZoneInfo | None = None,
) -> Summary:
    """Return the booking with its price and what is due. ``offered`` are the extras of the service; the customer can
    add those not chosen yet. ``is_request``: the business has to accept the booking first.
    """
    chosen = {add_on["id"] for line in booking.lines.all() for add_on in line.add_ons}
    zone = booked.zone_of(booking)
    elsewhere = zone_note(booking.starts_at, zone, visitor_zone)
    who = " · ".join(filter(None, (visit.span_text(booking), elsewhere, *visit.staff_names(booking))))
    return Summary(
        what=visit.what_text(booking),
        facts=(who, visit.where_text(booking, business)),
        lines=tuple(visit.price_lines(booking, marks_at_visit=asked.due_now_minor > 0)),
        extras=tuple(_extra(booking, add_on) for add_on in offered if add_on.pk not in chosen),
        band=tuple(money.demand_lines(booking, asked)),
        policy=policies.policy_sentence(policies.policy_facts(booking, asked=asked, now=now)),
        preparations=tuple(appointment.preparations(booking)),
        read_at=int(now.timestamp()),
        total_minor=booking.total_minor,
        due_minor=asked.due_now_minor,
        next_step=_next_step(asked, is_request=is_request),
        button=_button(booking, asked, is_request=is_request),
    )


def asked_by_mail(booking: Booking) -> dict[str, str]:
    """Return the texts of the page that asks the customer to open the link in the e-mail."""
    until = booking.hold_expires_at or booking.starts_at
    return {
        "email": booking.contact_email,
        "when": visit.when_text(booking),
        "until": formats.time_text(booked.local(until, booking)),
    }


def consent_text(booking: Booking, asked: Demand, now: datetime) -> str:
    """Return the exact words next to the button, with the rule they refer to. The booking stores them."""
    return f"{consent_words()} {_rule(booking, asked, now)}"


def is_rule_as_read(booking: Booking, asked: Demand, *, read_at: datetime, now: datetime) -> bool:
    """Return whether the rule reads the same as when the page was written, apart from its digits (passing moments)."""
    then, today = (re.sub(r"\d", "", _rule(booking, asked, at)) for at in (read_at, now))
    return then == today


def rule_changed() -> str:
    """Return the message for a customer whose page showed a rule that has changed."""
    return gettext(
        "A deadline of the cancellation rule has passed meanwhile. Nothing was booked; please read it again."
    )


def _rule(booking: Booking, asked: Demand, now: datetime) -> str:
    return policies.plain_policy_sentence(policies.policy_facts(booking, asked=asked, now=now))


def consent_words() -> str:
    first = gettext("By booking you accept the rules in the summary.")
    return f"{first} {gettext('We use your details for this appointment only.')}"


def price_changed(booking: Booking) -> str:
    """Return the message for a customer whose page showed another total than the current one."""
    sentence = gettext("The total is now %(total)s. Nothing was booked; please check the summary and book again.")
    return sentence % {"total": visit.money(booking.total_minor, booking)}


def alternatives(booking: Booking, nearest: Sequence[tuple[int, int]], now: datetime) -> list[Alternative]:
    """Return buttons for free starts given as (location id, epoch minute), on the clock of the booking's location."""
    zone = booked.zone_of(booking)
    today = now.astimezone(zone).date()
    found = []
    for location_id, minute in nearest:
        starts = datetime.fromtimestamp(minute * 60, tz=zone)
        day = formats.near_day_text(starts.date(), today)
        found.append(Alternative(f"{location_id}.{minute}", day, formats.time_text(starts)))
    return found


def _button(booking: Booking, asked: Demand, *, is_request: bool) -> str:
    if is_request:
        return gettext("Ask for %(when)s") % {"when": visit.when_text(booking)}
    if asked.due_now_minor:
        return gettext("Continue to payment · %(sum)s") % {"sum": visit.money(asked.due_now_minor, booking)}
    if asked.saves_card:
        return gettext("Continue to your card")
    return gettext("Book %(when)s") % {"when": visit.when_text(booking)}


def _next_step(asked: Demand, *, is_request: bool) -> str:
    if is_request:
        return gettext("We answer by e-mail. Until then the time is kept for you, and nothing is paid.")
    if asked.due_now_minor:
        return gettext("Next step: card, Apple Pay or Google Pay.")
    return gettext("Next step: your card. Nothing is charged now.") if asked.saves_card else ""


def _extra(booking: Booking, add_on: AddOn) -> Extra:
    price = visit.money(add_on.price_minor, booking)
    minutes = formats.minutes_text(add_on.extra_minutes)
    return Extra(add_on.pk, add_on.text("name"), f"+{minutes} · {price}" if add_on.extra_minutes else price)
