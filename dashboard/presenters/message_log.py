"""The message log as text: the state of each message, and advice for those that failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.contact.phones import phone_text
from bookings.messages.samples import SUBJECT
from bookings.models import Booking
from core.formats import moment_text, number_text
from core.zones import city
from dashboard.lists.address import Asked
from dashboard.lists.pages import MOST_COUNTED, Found
from dashboard.lists.presenter import Link, ListFrame, address, frame_of
from dashboard.message_log import STATES, Line, kind_label, shown_at
from dashboard.presenters.messages import parts_text
from notifications.enums import Channel, NotificationStatus, RecipientRole
from notifications.models import Notification
from notifications.text_refusal import COUNTRY_CLOSED

_S = NotificationStatus
_TONES: Mapping[str, tuple[str, str]] = {
    _S.QUEUED: ("", "clock"),
    _S.SENDING: ("", "clock"),
    _S.SENT: ("ok", "check"),
    _S.DELIVERED: ("ok", "check"),
    _S.TEMPORARY_FAILURE: ("warn", "alert"),
    _S.PERMANENT_FAILURE: ("bad", "alert"),
    _S.TECHNICAL_FAILURE: ("bad", "alert"),
    _S.CANCELLED: ("", "close"),
}
# These cannot be resent: they are still to be sent, or were cancelled because they no longer apply.
_NOT_AGAIN = frozenset({_S.QUEUED, _S.SENDING, _S.CANCELLED})


@dataclass(frozen=True, slots=True)
class Sent:
    """One message in the log. ``again_url`` is empty where it cannot be resent."""

    at: str
    what: str
    to: str
    subject: str
    tone: str
    icon_name: str
    state: str
    why: str
    advice: str
    booking_url: str
    booking_name: str
    again_url: str


@dataclass(frozen=True, slots=True)
class Page:
    """``states`` narrow the list to messages that failed, or that are still to go."""

    rows: tuple[Sent, ...]
    list: ListFrame
    states: tuple[Link, ...]
    typed: str


def page_of(found: Found[Notification], rows: Sequence[Sent], asked: Asked[Line], *, may_export: bool) -> Page:
    url = reverse("desk_message_log")
    only = asked.value("only")
    return Page(
        rows=tuple(rows),
        list=frame_of(
            asked,
            found,
            url=url,
            count=_count(found.count),
            csv_url=reverse("desk_message_log_csv") if may_export else "",
        ),
        states=tuple(
            Link(str(label), address(url, asked.query(only=name)), only == name)
            for name, label in [("", gettext("All")), *((name, label) for name, label, _statuses in STATES)]
        ),
        typed=asked.value("q"),
    )


def sent_of(
    row: Notification,
    booking: Booking | None,
    *,
    zone: ZoneInfo,
    may_resend: bool,
    names_zone: bool = False,
    back: str = "",
) -> Sent:
    """``names_zone``: the rows of the page are in several time zones. ``back`` is the list that its booking leads
    back to.
    """
    tone, icon_name = _TONES[row.status]
    can_go_again = may_resend and booking is not None and row.status not in _NOT_AGAIN
    return Sent(
        at=_moment(shown_at(row), zone, names_zone=names_zone),
        what=_what(row),
        to=_to(row),
        subject=row.subject,
        tone=tone,
        icon_name=icon_name,
        state=_state(row, zone, names_zone=names_zone),
        why=row.error if row.status not in {_S.SENT, _S.DELIVERED} else "",
        advice=advice_text(row),
        booking_url=address(reverse("desk_booking", args=[booking.reference]), back) if booking else "",
        booking_name=booking.contact_name if booking else "",
        again_url=reverse("desk_message_again", args=[row.pk]) if can_go_again else "",
    )


def _count(count: int) -> str:
    if count > MOST_COUNTED:
        return gettext("More than %(count)s messages") % {"count": number_text(MOST_COUNTED)}
    return ngettext("%(count)d message", "%(count)d messages", count) % {"count": count}


def failed_text(count: int) -> str:
    """Return text such as "1 did not arrive"; empty when none failed."""
    words = ngettext("%(count)d did not arrive", "%(count)d did not arrive", count)
    return words % {"count": count} if count else ""


def _what(row: Notification) -> str:
    label = kind_label(row.kind, row.recipient_role)
    return gettext("Test: %(label)s") % {"label": label} if _is_test(row) else label


def _is_test(row: Notification) -> bool:
    return row.subject_ref.startswith(f"{SUBJECT}:")


def _to(row: Notification) -> str:
    """Return the channel, and enough of the address to tell recipients apart."""
    match row.channel:
        case Channel.EMAIL:
            address = row.address
        case Channel.PUSH:
            address = gettext("own devices")
        case _:
            address = phone_text(row.phone)
    parts = f" · {parts_text(row.sms_parts)}" if row.sms_parts else ""
    role = "" if row.recipient_role == RecipientRole.CUSTOMER else f", {row.get_recipient_role_display()}"
    return f"{row.get_channel_display()}: {address}{role}{parts}"


def _state(row: Notification, zone: ZoneInfo, *, names_zone: bool) -> str:
    if row.status == _S.TEMPORARY_FAILURE:
        return gettext("Tried again %(moment)s") % {"moment": _moment(row.next_try_at, zone, names_zone=names_zone)}
    if row.status == _S.QUEUED:
        return gettext("Goes %(moment)s") % {"moment": _moment(row.next_try_at, zone, names_zone=names_zone)}
    return str(row.get_status_display()).capitalize()


def _moment(moment: datetime, zone: ZoneInfo, *, names_zone: bool) -> str:
    text = moment_text(moment.astimezone(zone))
    return gettext("%(moment)s (%(city)s time)") % {"moment": text, "city": city(zone)} if names_zone else text


def advice_text(row: Notification) -> str:
    if row.status == _S.TECHNICAL_FAILURE and row.lost_claims:
        return gettext("It may have arrived. Call if it matters, tell your administrator, then send it again.")
    if row.status == _S.TECHNICAL_FAILURE:
        return gettext("This is a problem with the site. Tell your administrator, then send it again.")
    if row.status != _S.PERMANENT_FAILURE or _is_test(row):
        return ""
    if row.error.startswith(COUNTRY_CLOSED):
        return gettext(
            "The number may be right: this site sends no texts to its country. Ask your administrator to add"
            " the country to SMS_COUNTRIES."
        )
    match row.channel:
        case Channel.EMAIL:
            return gettext("Ask the customer for the right address, or call: this address does not work.")
        case Channel.PUSH:
            return gettext("The device no longer takes notifications. Nothing needs to be done if the e-mail arrived.")
        case _:
            return gettext("Check the number with the customer, or call: this one cannot be reached by a text.")
