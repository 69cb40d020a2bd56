"""Web push: the service worker of the site, and the registration of a browser for the owner of a mailbox."""

from functools import lru_cache

from django import forms
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.http import require_POST, require_safe

from bookings.operations.message_choices import register_device
from core.inputs import read_json
from notifications.devices import Keys, UnknownPushService
from storefront.tokens import token_page
from storefront.views._booking_page import open_by_mail

_BASE64 = r"^[A-Za-z0-9_-]+=*$"


class DeviceForm(forms.Form):
    """The PushSubscription of a browser, from its JSON."""

    endpoint = forms.CharField(max_length=1000)
    p256dh = forms.RegexField(_BASE64, max_length=120)
    auth = forms.RegexField(_BASE64, max_length=60)


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Serve the script from the root, because a service worker controls only addresses below its own."""
    response = HttpResponse(_worker_script(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@token_page
@require_POST
def push(request: HttpRequest, token: str) -> HttpResponse:
    """Register the sending browser. The page's script calls this after the customer has allowed notifications."""
    opened = open_by_mail(request, token)
    form = DeviceForm(_sent(request))
    if not form.is_valid():
        return HttpResponseBadRequest()
    device = form.cleaned_data
    try:
        register_device(
            booking_id=opened.booking.pk,
            endpoint=device["endpoint"],
            keys=Keys(device["p256dh"], device["auth"]),
            now=opened.now,
        )
    except UnknownPushService as error:
        return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


def _sent(request: HttpRequest) -> dict[str, str]:
    try:
        sent = read_json(request.body)
        keys = sent["keys"]
        return {"endpoint": str(sent["endpoint"]), "p256dh": str(keys["p256dh"]), "auth": str(keys["auth"])}
    except (ValueError, KeyError, TypeError):
        return {}


@lru_cache(maxsize=1)
def _worker_script() -> bytes:
    with open(str(finders.find("js/sw.js")), "rb") as script:
        return script.read()
