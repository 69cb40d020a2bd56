"""The text of one message in one channel: edit it, preview it on a real booking, send oneself a test."""

from dataclasses import dataclass
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.contrib import messages as notes
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods

from accounts.contact.phones import phone_region, phone_text
from bookings.messages.catalogue import draft
from bookings.messages.samples import sample, send_test
from bookings.messages.types import MessageType
from bookings.models import Booking
from core.errors import DomainError
from dashboard.door import Desk
from dashboard.message_forms import TextForm, TryForm
from dashboard.permissions import Act, may
from dashboard.presenters.messages import length_text, parts_text
from dashboard.queries import booking_for_samples
from dashboard.views.messages import known_type
from dashboard.views.pages import desk_page, show
from notifications.addresses import TEXT_CHANNELS
from notifications.delivery.fanout import configured_text_channels
from notifications.enums import Channel
from notifications.models import MessageText
from notifications.wording.editing import keep_text, own_text, restore_default
from notifications.wording.rendering import Rendered, rendered
from notifications.wording.sms_length import sms_length
from notifications.wording.template_language import Variable, variables_in
from services.queries import the_business


@dataclass(frozen=True, slots=True)
class Words:
    """The message that the page shows, with its channel and language."""

    of: MessageType
    channel: Channel
    language: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        return self.of.variables

    @property
    def known(self) -> frozenset[str]:
        return frozenset(variable.name for variable in self.variables)

    @property
    def key(self) -> dict[str, str]:
        return {"kind": self.of.kind, "role": self.of.role, "channel": self.channel, "language": self.language}

    def address(self, name: str = "desk_message_text") -> str:
        """Return the page of this text. The language is a query parameter where there are several."""
        path = reverse(name, args=[self.of.kind, self.of.role, self.channel])
        return f"{path}?language={self.language}" if len(settings.LANGUAGES) > 1 else path


@dataclass(frozen=True, slots=True)
class Typed:
    """A text that is not saved yet."""

    subject: str
    body: str


@csp_update({"frame-src": [SELF]})
@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def text(request: HttpRequest, desk: Desk, kind: str, role: str, channel: str) -> HttpResponse:
    """Show the text with its preview. The owner saves a custom text, restores the default, or sends a test."""
    words = _words(request, kind, role, channel)
    own = own_text(**words.key)
    if request.method != "POST":
        return _page(request, desk, words, own, _form(words, own))
    match request.POST.get("act"):
        case "restore":
            restore_default(**words.key)
            return _done(request, words, gettext("The default text is used again."))
        case "test":
            return _test(request, desk, words, own)
    form = TextForm(request.POST, channel=words.channel, known=words.known)
    if not form.is_valid():
        return _page(request, desk, words, own, form, status=422)
    keep_text(
        **words.key,
        subject=form.cleaned_data.get("subject", ""),
        body=form.cleaned_data["body"],
        template_sid=form.cleaned_data.get("template_sid", ""),
        known=words.known,
        user_id=desk.user.pk,
        now=desk.now,
    )
    return _done(request, words, gettext("Saved. It is sent from now on."))


@xframe_options_sameorigin
@csp({"default-src": ["'none'"], "style-src": [UNSAFE_INLINE], "img-src": ["data:"], "frame-ancestors": [SELF]})
@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def preview(request: HttpRequest, desk: Desk, kind: str, role: str, channel: str) -> HttpResponse:
    """Render the message as a page of its own for the preview frame: the saved text, or by POST the typed one."""
    words = _words(request, kind, role, channel)
    own: MessageText | Typed | None = own_text(**words.key)
    if request.method == "POST":
        form = TextForm(request.POST, channel=words.channel, known=words.known)
        if not form.is_valid():
            problems = [error for errors in form.errors.values() for error in errors]
            return render(request, "notifications/_preview.html", {"problems": problems})
        own = Typed(form.cleaned_data.get("subject", ""), form.cleaned_data["body"])
    return HttpResponse(_shown(request, desk, words, own))


def _shown(request: HttpRequest, desk: Desk, words: Words, own: MessageText | Typed | None) -> str:
    """Return the e-mail as HTML, or a preview of the text as a phone shows it."""
    booking = booking_for_samples(desk.rights)
    with translation.override(words.language):
        context = sample(booking, words.of.kind, words.of.role, words.channel, now=desk.now) if booking else None
        if context is None:
            return render_to_string("notifications/_preview.html", {}, request)
        made: Rendered = rendered(context, words.channel, own)
    if words.channel is Channel.EMAIL:
        return made.html
    shown = {
        "subject": made.subject if words.channel is Channel.PUSH else "",
        "text": made.text,
        "length": length_text(made.text) if words.channel is Channel.SMS else "",
    }
    return render_to_string("notifications/_preview.html", shown, request)


def _words(request: HttpRequest, kind: str, role: str, channel: str) -> Words:
    language = request.GET.get("language", settings.LANGUAGE_CODE)
    if channel not in Channel.values or language not in dict(settings.LANGUAGES):
        raise Http404
    return Words(known_type(kind, role), Channel(channel), language)


def _form(words: Words, own: MessageText | None) -> TextForm:
    with translation.override(words.language):
        begun = draft(words.of, words.channel)
    initial: dict[str, Any] = {"subject": begun.subject, "body": begun.body}
    if own:
        initial = {"subject": own.subject, "body": own.body, "template_sid": own.whatsapp_template_sid}
    return TextForm(channel=words.channel, known=words.known, initial=initial)


def _page(
    request: HttpRequest,
    desk: Desk,
    words: Words,
    own: MessageText | None,
    form: TextForm,
    *,
    trial: TryForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    is_whatsapp, is_text = words.channel is Channel.WHATSAPP, words.channel in TEXT_CHANNELS
    booking = booking_for_samples(desk.rights)
    may_edit = may(desk.rights, Act.EDIT_MESSAGES)
    is_set_up = not is_text or words.channel in configured_text_channels()
    context = {
        "of": words.of,
        "channel": words.channel.label,
        "is_email": words.channel is Channel.EMAIL,
        "is_whatsapp": is_whatsapp,
        "numbered": variables_in(own.body) if own and is_whatsapp else [],
        "own": own,
        "form": form,
        "variables": words.variables,
        "address": words.address(),
        "preview_url": words.address("desk_message_preview"),
        "languages": [
            (label, Words(words.of, words.channel, code).address(), code == words.language)
            for code, label in settings.LANGUAGES
        ],
        "may_edit": may_edit,
        "is_set_up": is_set_up,
        "may_try": may_edit and booking is not None and words.channel is not Channel.PUSH,
        "trial": trial or (TryForm(region=_region(booking)) if is_text and booking else None),
        "cost": _cost_text(booking, desk, words, own) if booking and words.channel is Channel.SMS else "",
        "problem": problem,
        "test_email": desk.user.email,
    }
    return show(request, desk, "dashboard/message_text.html", context, current="messages", status=status)


def _test(request: HttpRequest, desk: Desk, words: Words, own: MessageText | None) -> HttpResponse:
    """Send a test of the saved text to the user's own mailbox, or to a typed number where Twilio is set up."""
    booking = booking_for_samples(desk.rights)
    is_text = words.channel in TEXT_CHANNELS
    if booking is None or words.channel not in {Channel.EMAIL, *configured_text_channels()}:
        raise Http404
    trial = TryForm(request.POST, region=_region(booking)) if is_text else None
    if trial is not None and not trial.is_valid():
        return _page(request, desk, words, own, _form(words, own), trial=trial, status=422)
    to = str(trial.cleaned_data["phone"]) if trial else desk.user.email
    try:
        send_test(
            booking,
            words.of,
            channel=words.channel,
            language=words.language,
            to=to,
            asked_by=desk.user.pk,
            now=desk.now,
        )
    except DomainError as error:
        problem = str(error.sentence)
        return _page(request, desk, words, own, _form(words, own), trial=trial, problem=problem, status=error.status)
    sentence = gettext(
        "A test of the saved text is on its way to %(address)s. The message log shows what becomes of it."
    )
    return _done(request, words, sentence % {"address": phone_text(to) if is_text else to})


def _region(booking: Booking | None) -> str | None:
    """Return the country of numbers typed without a country code: the one of the business."""
    place = booking.location if booking else None
    return phone_region(the_business().phone, place.phone, time_zone=place.time_zone) if place else None


def _cost_text(booking: Booking, desk: Desk, words: Words, own: MessageText | None) -> str:
    """Say how many SMS a test of the saved text takes; empty where this booking cannot fill the message."""
    with translation.override(words.language):
        context = sample(booking, words.of.kind, words.of.role, words.channel, now=desk.now)
        text = rendered(context, words.channel, own).text if context else ""
    parts = sms_length(text).parts
    return gettext("It takes %(parts)s.") % {"parts": parts_text(parts)} if parts else ""


def _done(request: HttpRequest, words: Words, sentence: str) -> HttpResponse:
    notes.success(request, sentence)
    response = redirect(words.address())
    response.status_code = 303
    return response
