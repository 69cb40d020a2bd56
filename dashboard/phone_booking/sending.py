"""Sending the link of a held time to the caller, who finishes the booking, and taking it back at the desk."""

from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext

from accounts.contact.contact import Contact
from bookings.errors import HoldExpired, HoldOver
from bookings.models import Booking
from bookings.operations.hold_link import send_hold_link
from core.errors import DomainError
from dashboard.phone_booking import link_presenter, presenter
from dashboard.phone_booking.draft import NEW, Draft, caller_form_of, language_of
from dashboard.phone_booking.forms import CallerForm
from dashboard.phone_booking.holding import keep_longer, take_over, with_live_hold
from dashboard.phone_booking.link_presenter import LinkWay
from dashboard.phone_booking.page import booked_before, booking_page, leave_for, see_booked_before
from notifications.delivery.fanout import configured_text_channels
from notifications.enums import Channel
from notifications.text_refusal import text_refusal


def send_link(draft: Draft, way: str) -> HttpResponse:
    """Send the caller a link that finishes the booking, and lead to the held time in the calendar."""
    channel = _channel(way)
    draft, held = with_live_hold(draft)
    if held is None or channel is None:
        return booking_page(draft)
    draft, contact = _contact(draft, channel)
    if contact is None:
        return booking_page(keep_longer(draft, held))
    if draft.data.get("shown") != presenter.shown(held):
        return booking_page(replace(draft, problem=presenter.changed_text(held), status=409))
    try:
        sent = send_hold_link(
            booking_id=held.pk,
            contact=contact,
            channel=channel,
            customer_id=draft.caller.customer.pk if draft.caller else None,
            language=language_of(draft),
            actor=draft.desk.actor,
            now=draft.desk.now,
        )
    except (HoldExpired, HoldOver) as over:
        return booking_page(replace(draft, held=None, problem=over.sentence, status=over.status))
    except DomainError as error:
        return booking_page(replace(draft, problem=error.sentence, status=error.status))
    messages.success(draft.request, link_presenter.sent_text(sent, now=draft.desk.now))
    return leave_for(draft, link_presenter.panel_url(sent))


def sent_before(draft: Draft, linked: Booking) -> HttpResponse:
    """Answer a form that has sent its link already: it was sent twice, or after going back."""
    text = gettext("The link for this time was sent already, to %(name)s. Nothing was sent again.")
    messages.info(draft.request, text % {"name": linked.contact_name})
    return leave_for(draft, link_presenter.panel_url(linked))


def finish_here(draft: Draft) -> HttpResponse:
    """Open the booking of a link in the form, as far as it is typed. The customer's link ends."""
    draft = take_over(draft)
    # The customer may have booked while the button was pressed.
    if draft.held is None and (booked := booked_before(draft)):
        return see_booked_before(draft, booked)
    return booking_page(draft)


def _channel(way: str) -> Channel | None:
    if way == LinkWay.EMAIL:
        return Channel.EMAIL
    texts = configured_text_channels()
    return texts[0] if way == LinkWay.TEXT and texts else None


def _contact(draft: Draft, channel: Channel) -> tuple[Draft, Contact | None]:
    """Return what the page of the link may show: what staff typed; of a known customer the name and this address.

    None if a field is invalid, or if the customer cannot be reached by this channel.
    """
    if draft.caller is None:
        return _typed(draft, channel)
    customer = draft.caller.customer
    email, phone = (customer.email, "") if channel is Channel.EMAIL else ("", customer.phone)
    if error := _unreachable(channel, email, phone):
        return replace(draft, send_error=error), None
    return draft, Contact(name=customer.name, email=email, phone=phone, note="")


def _typed(draft: Draft, channel: Channel) -> tuple[Draft, Contact | None]:
    form: CallerForm = caller_form_of(draft, draft.data)
    draft = replace(draft, caller_key=NEW, caller_form=form)
    if not form.is_valid():
        return draft, None
    typed = form.cleaned_data
    if error := _unreachable(channel, typed["email"], typed["phone"]):
        form.add_error("email" if channel is Channel.EMAIL else "phone", error)
        return draft, None
    return draft, Contact(name=typed["name"], email=typed["email"], phone=typed["phone"], note="")


def _unreachable(channel: Channel, email: str, phone: str) -> str:
    """Return why the link cannot go by this channel; empty if it can."""
    if channel is Channel.EMAIL:
        return "" if email else gettext("Type an e-mail address, or send the link by text.")
    if not phone:
        return gettext("Type a phone number, or send the link by e-mail.")
    if text_refusal(phone, settings.SMS_COUNTRIES):
        return gettext("This number gets no texts. Send the link by e-mail.")
    return ""
