"""Links that finish a booking, as text: the offer in the form, and the panel of a time that waits for its customer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from django.utils.translation import gettext

from bookings.booked import first_line, local, zone_of
from bookings.enums import BookingStatus
from bookings.links import hold_token
from bookings.models import Booking
from bookings.operations.hold_link import SENDINGS
from bookings.rules.hold_links import link_kept_until
from bookings.wording import visit
from core import formats
from core.references import new_token
from dashboard.phone_booking.callers import Caller
from dashboard.phone_booking.draft import FINISH, NEW
from dashboard.presenters.booking import Card, card_of, day_link
from dashboard.presenters.message_log import sent_of
from dashboard.visits import Visits
from notifications.delivery.fanout import configured_text_channels
from notifications.enums import Channel, NotificationStatus
from notifications.models import Notification


class LinkWay(StrEnum):
    """How a link goes: as a button of the form sends it."""

    TEXT = "text"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class LinkOffer:
    """The way out of typing everything: a button for each way a link can go, or why none can."""

    text: str
    ways: Sequence[tuple[LinkWay, str]] = ()


@dataclass(frozen=True, slots=True)
class SentLink:
    """What became of the latest message with the link. ``trouble`` says why it did not arrive, and what to do."""

    words: str
    icon_name: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class LinkPanel:
    """A time that waits for its customer. The clock is as components/_countdown_left.html takes it.

    ``finish`` are the hidden fields that open the booking in the form. ``again`` is empty when the link was sent the
    most times. Each key counts once.
    """

    card: Card
    until: str
    digits: str
    expires_ms: int
    now_ms: int
    seconds_left: int
    seconds_in_all: int
    sent: SentLink | None
    first_name: str
    finish: Sequence[tuple[str, str]]
    again: str
    again_key: str
    free_key: str


def link_offer(held: Booking, caller: Caller | None, *, minutes: int, now: datetime) -> LinkOffer:
    until = link_kept_until(held.starts_at, minutes=minutes, now=now)
    if until is None:
        return LinkOffer(gettext("This visit begins too soon to send a link."))
    ways = _ways(caller)
    if not ways:
        return LinkOffer(gettext("There is no way to send a link: no e-mail address, and no number that gets texts."))
    text = gettext("The customer gets a link and fills in the rest. The time stays held until %(until)s.")
    return LinkOffer(text % {"until": until_text(until, held, now)}, ways)


def _ways(caller: Caller | None) -> list[tuple[LinkWay, str]]:
    """Return the ways to reach a known customer, or anyone whose contact is typed."""
    has_texts = bool(configured_text_channels())
    found = []
    if has_texts and (caller is None or caller.customer.phone):
        found.append((LinkWay.TEXT, gettext("Send a link by text")))
    if caller is None or caller.customer.email:
        label = gettext("Send a link by e-mail") if has_texts else gettext("Send a link")
        found.append((LinkWay.EMAIL, label))
    return found


def until_text(until: datetime, booking: Booking, now: datetime) -> str:
    """Return the end of a link on the clock of the place: "15:40", or with its day if that is not today."""
    ends = local(until, booking)
    return formats.time_text(ends) if ends.date() == local(now, booking).date() else formats.moment_text(ends)


def sent_text(booking: Booking, *, now: datetime) -> str:
    """Return the message after sending a link."""
    values = {
        "name": booking.contact_name,
        "when": visit.when_text(booking),
        "until": until_text(booking.hold_expires_at or now, booking, now),
    }
    return gettext("The link is on its way to %(name)s. %(when)s is held until %(until)s.") % values


def panel_url(booking: Booking) -> str:
    """Return the calendar with the panel of a booking or of a time that waits for its customer."""
    url, _ = day_link(booking)
    return f"{url}&{urlencode({'b': booking.reference})}"


def link_panel(booking: Booking, visits: Visits, sent: Notification | None, *, now: datetime) -> LinkPanel:
    """``sent`` is the latest message with the link."""
    link, ends = booking.hold_link, booking.hold_expires_at or now
    left = max(0, round((ends - now).total_seconds()))
    return LinkPanel(
        card=replace(card_of(booking, visits, now=now), label=gettext("Link sent")),
        until=until_text(ends, booking, now),
        digits=formats.countdown_text(left),
        expires_ms=int(ends.timestamp() * 1000),
        now_ms=int(now.timestamp() * 1000),
        seconds_left=left,
        seconds_in_all=max(1, round((ends - booking.created_at).total_seconds())),
        sent=_sent_link(booking, sent) if sent else None,
        first_name=booking.contact_name.partition(" ")[0],
        finish=_finish_fields(booking),
        again="" if link.sent_count >= SENDINGS else gettext("Send the link again"),
        again_key=new_token(),
        free_key=new_token(),
    )


def _sent_link(booking: Booking, sent: Notification) -> SentLink:
    """Return, for example, "By e-mail · sent 10:55 · Leyla Demir"."""
    way = gettext("By e-mail") if sent.channel == Channel.EMAIL else gettext("By text")
    told = sent_of(sent, None, zone=zone_of(booking), may_resend=False)
    words = " · ".join(filter(None, (way, _state(booking, sent), booking.hold_link.sent_by_name)))
    return SentLink(words, told.icon_name, " ".join(filter(None, (told.why, told.advice))))


def _state(booking: Booking, sent: Notification) -> str:
    match sent.status:
        case NotificationStatus.SENT | NotificationStatus.DELIVERED:
            at = formats.time_text(local(sent.sent_at or sent.created_at, booking))
            return gettext("sent %(time)s") % {"time": at}
        case NotificationStatus.QUEUED | NotificationStatus.SENDING:
            return gettext("on its way")
        case NotificationStatus.TEMPORARY_FAILURE:
            return gettext("not sent yet, is tried again")
        case _:
            return gettext("did not arrive")


def _finish_fields(booking: Booking) -> list[tuple[str, str]]:
    """Return what the form of a phone booking has to know to go on with this booking."""
    line = first_line(booking)
    fields = [
        ("do", FINISH),
        ("request_key", new_token()),
        ("held", hold_token(booking)),
        ("at", booking.location.slug),
        ("service", line.variant.service.slug),
        ("variant", str(line.variant_id)),
        *(("extra", str(extra["id"])) for extra in line.add_ons),
        ("who", line.staff_member.slug if line.staff_member and not booking.is_any_staff else ""),
        ("on", local(booking.starts_at, booking).date().isoformat()),
        ("party_size", str(booking.party_size)),
    ]
    if booking.customer:
        return [*fields, ("customer", booking.customer.reference)]
    typed = (("name", booking.contact_name), ("phone", booking.contact_phone), ("email", booking.contact_email))
    return [*fields, ("customer", NEW), *typed]


def changed_text(booking: Booking) -> str:
    """Say what has become of a time while its panel was open."""
    values = {"name": booking.contact_name}
    match booking.status:
        case BookingStatus.EXPIRED:
            return gettext("This time is free again already. Nothing was changed.")
        case BookingStatus.PENDING_PAYMENT:
            return gettext("%(name)s is paying for it now, so the time stays taken. Nothing was changed.") % values
        case _:
            return gettext("%(name)s has booked it meanwhile. Nothing was changed.") % values
