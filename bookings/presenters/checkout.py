"""The details page: what is held, for how long, what it costs, and what may be added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from bookings import appointment, policy_texts
from bookings.models import Booking
from bookings.policies import Terms
from bookings.presenters import visit
from bookings.presenters.visit import MoneyLine
from core import formats
from services.models import AddOn, Business


@dataclass(frozen=True, slots=True)
class Countdown:
    """Inputs of components/countdown.html and hold_strip.html."""

    lead: SafeString
    when: str
    expires_ms: int
    now_ms: int
    digits: str
    seconds_left: int
    seconds_in_all: int
    until: str


@dataclass(frozen=True, slots=True)
class Extra:
    """Something that can still be added, in words: what it is, and what it adds in money and minutes."""

    id: int
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Summary:
    what: str
    facts: tuple[str, ...]
    lines: tuple[MoneyLine, ...]
    extras: tuple[Extra, ...]
    at_visit: str
    policy: SafeString
    total_minor: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """A free time near the one that is gone; ``slot`` is what its button sends."""

    slot: str
    day: str
    time: str


def countdown(booking: Booking, now: datetime) -> Countdown:
    """How long the time is still held. The bar's whole length is from picking the time to the end of the hold."""
    ends = booking.hold_expires_at or now
    left = max(0, round((ends - now).total_seconds()))
    name = visit.staff_short_name(booking)
    held = gettext("With %(name)s in %(place)s") if name else gettext("In %(place)s")
    who = held % {"name": name, "place": booking.location.text("name")}
    return Countdown(
        lead=format_html("<b>{}</b><br><small>{}</small>", visit.when_text(booking), who),
        when=visit.when_text(booking),
        expires_ms=int(ends.timestamp() * 1000),
        now_ms=int(now.timestamp() * 1000),
        digits=f"{left // 60}:{left % 60:02d}",
        seconds_left=left,
        seconds_in_all=max(1, round((ends - booking.created_at).total_seconds())),
        until=formats.time_text(appointment.local(ends, booking)),
    )


def summary(booking: Booking, business: Business, offered: Sequence[AddOn]) -> Summary:
    """What is being bought. ``offered`` are the extras of the service; those not chosen yet can be added."""
    chosen = {add_on["id"] for line in booking.lines.all() for add_on in line.add_ons}
    who = " · ".join([visit.span_text(booking), *visit.staff_names(booking)])
    return Summary(
        what=visit.what_text(booking),
        facts=(who, visit.where_text(booking, business)),
        lines=tuple(visit.price_lines(booking)),
        extras=tuple(_extra(booking, add_on) for add_on in offered if add_on.pk not in chosen),
        at_visit=visit.money(booking.total_minor, booking),
        policy=policy_texts.policy_sentence(
            Terms.from_json(booking.terms),
            starts_at=booking.starts_at,
            zone=appointment.zone(booking),
            language=get_language() or booking.language,
            currency=booking.currency,
            total_minor=booking.total_minor,
        ),
        total_minor=booking.total_minor,
    )


def consent_text(booking: Booking) -> str:
    """The exact words beside the button, the rule they speak of included; kept with the booking."""
    rule = policy_texts.plain_policy_sentence(
        Terms.from_json(booking.terms),
        starts_at=booking.starts_at,
        zone=appointment.zone(booking),
        language=get_language() or booking.language,
        currency=booking.currency,
        total_minor=booking.total_minor,
    )
    return f"{consent_words()} {rule}"


def consent_words() -> str:
    first = gettext("By booking you accept the cancellation rule in the summary.")
    return f"{first} {gettext('We use your details for this appointment only.')}"


def price_changed(booking: Booking) -> str:
    """What to say when the page showed another total than the one that holds now."""
    sentence = gettext("The total is now %(total)s. Nothing was booked; please check the summary and book again.")
    return sentence % {"total": visit.money(booking.total_minor, booking)}


def alternatives(booking: Booking, nearest: Sequence[tuple[int, int]], now: datetime) -> list[Alternative]:
    """Buttons for free starts given as (location id, epoch minute), on the clock of the booking's location."""
    zone = appointment.zone(booking)
    today = now.astimezone(zone).date()
    found = []
    for location_id, minute in nearest:
        starts = datetime.fromtimestamp(minute * 60, tz=zone)
        day = formats.near_day_text(starts.date(), today)
        found.append(Alternative(f"{location_id}.{minute}", day, formats.time_text(starts)))
    return found


def _extra(booking: Booking, add_on: AddOn) -> Extra:
    price = visit.money(add_on.price_minor, booking)
    minutes = formats.minutes_text(add_on.extra_minutes)
    return Extra(add_on.pk, add_on.text("name"), f"+{minutes} · {price}" if add_on.extra_minutes else price)
