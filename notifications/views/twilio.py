"""Webhooks of Twilio: check the signature, store the report, answer at once. A handler applies it later."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core import clock
from core.inputs import without_nul
from notifications.channels.twilio_signature import is_signed
from notifications.enums import Channel
from notifications.reports import inbound

EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
_WHATSAPP = "whatsapp:"

View = Callable[[HttpRequest], HttpResponse]


def from_twilio(view: View) -> View:
    """Accept only requests that Twilio signed with this site's token.

    The signature covers the public URL that Twilio called, so it also holds behind a proxy.
    """

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        signature = request.headers.get("X-Twilio-Signature", "")
        if not is_signed(request.get_full_path(), request.POST, signature):
            return HttpResponseForbidden()
        return view(request)

    return checked


@from_twilio
def twilio_status(request: HttpRequest) -> HttpResponse:
    """Store a delivery status of a text message. The query holds our id of the message, as set in its status URL."""
    told = request.GET.get("message", "")
    inbound.store_report(
        provider_ref=_field(request, "MessageSid"),
        notification_id=int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None,
        channel=_channel(_field(request, "To")),
        event=_field(request, "MessageStatus"),
        code=_field(request, "ErrorCode"),
        now=clock.now(),
    )
    return HttpResponse(status=204)


@from_twilio
def twilio_inbound(request: HttpRequest) -> HttpResponse:
    """Store a customer's text. The answer is empty: Twilio itself confirms STOP where the law requires it."""
    sender = _field(request, "From")
    channel = _channel(sender)
    inbound.store_text(
        provider_ref=_field(request, "MessageSid"),
        channel=channel,
        sender=sender,
        text=_field(request, "Body"),
        opt_out=_field(request, "OptOutType"),
        now=clock.now(),
    )
    return HttpResponse(EMPTY_TWIML, content_type="text/xml")


def _field(request: HttpRequest, name: str) -> str:
    return without_nul(request.POST.get(name, ""))


def _channel(address: str) -> Channel:
    return Channel.WHATSAPP if address.startswith(_WHATSAPP) else Channel.SMS
