"""Which messages a customer gets: channels, quiet hours, news. The link in the e-mail opens it without signing in."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.queries import MessageChoices
from accounts.queries import message_choices as choices_of
from bookings.links import LinkRole
from bookings.operations.message_choices import Chosen, choose_messages, stop_all_but_needed
from notifications.addresses import address_hash
from notifications.channel_types import CHANNELS, AddressKind
from notifications.devices import push_key
from notifications.enums import Channel
from notifications.unsubscribing import is_unsubscribed
from services.models import Business
from storefront.message_forms import ChoicesForm
from storefront.tokens import token_page
from storefront.views._booking_page import Opened, open_for_customer


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def message_choices(request: HttpRequest, token: str) -> HttpResponse:
    """Show and save the choices. Only POST changes them, for all bookings of this mailbox."""
    opened = open_for_customer(request, token)
    if opened.role is LinkRole.GUEST:
        return _only_by_mail(request)
    if not opened.proves_mailbox:
        raise Http404
    if request.method != "POST":
        return _page(request, opened, _form(opened))
    if "stop" in request.POST:
        stop_all_but_needed(booking_id=opened.booking.pk, now=opened.now)
        return _done(request, opened, gettext("From now on you get only what is needed."))
    form = _form(opened, request)
    if not form.is_valid():
        return _page(request, opened, form, status=422)
    chosen = Chosen(
        channels=form.wanted,
        quiet_hours=form.quiet_hours,
        wants_news=form.cleaned_data["news"],
        consent_text=consent_text(opened.business),
    )
    choose_messages(booking_id=opened.booking.pk, chosen=chosen, now=opened.now)
    return _done(request, opened, gettext("Your choice is kept."))


def _only_by_mail(request: HttpRequest) -> HttpResponse:
    """Say why the link of the confirmation page does not open the choices: it proves no mailbox."""
    context = {
        "title": gettext("Your messages open from your e-mail only"),
        "text": gettext(
            "They hold for every appointment booked with your address. Please open the confirmation that we sent you"
            " and choose “Your messages” there."
        ),
    }
    return render(request, "storefront/closed.html", context, status=403)


def consent_text(business: Business) -> str:
    """Return the words next to the checkbox, which are recorded with the choice."""
    name = business.text("name")
    return gettext("%(name)s may send me news and offers and ask how a visit was. I can end this at any time.") % {
        "name": name
    }


def _form(opened: Opened, request: HttpRequest | None = None) -> ChoicesForm:
    booking = opened.booking
    return choices_form(
        request, customer_id=booking.customer_id, email=booking.contact_email, has_phone=bool(booking.contact_phone)
    )


def choices_form(request: HttpRequest | None, *, customer_id: int | None, email: str, has_phone: bool) -> ChoicesForm:
    """Return the form with the customer's choices so far and the channels of this site that could reach them."""
    found = choices_of(f"customer:{customer_id}", customer_id)
    has_ended = found.wants_news and bool(email) and is_unsubscribed(pseudonym=address_hash(Channel.EMAIL, email))
    choices = MessageChoices(found.channels, found.quiet, wants_news=found.wants_news and not has_ended)
    channels = [
        channel
        for channel, known in CHANNELS.items()
        if known.is_configured() and (has_phone or known.address is not AddressKind.PHONE)
    ]
    return ChoicesForm(request.POST if request else None, channels=channels, choices=choices)


def _page(request: HttpRequest, opened: Opened, form: ChoicesForm, *, status: int = 200) -> HttpResponse:
    context = {
        "token": opened.token,
        "back_url": reverse("manage", args=[opened.token]),
        "back_label": gettext("Your appointment"),
        "email": opened.booking.contact_email,
        "form": form,
        "consent_text": consent_text(opened.business),
        "push_key": push_key(),
    }
    return render(request, "storefront/message_choices.html", context, status=status)


def _done(request: HttpRequest, opened: Opened, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    response = redirect("message_choices", opened.token)
    response.status_code = 303
    return response
