"""Webhook of the mail provider named in EMAIL_URL: checks the secret, stores bounces and complaints, answers."""

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core import clock
from notifications.reports import inbound
from notifications.reports.mail_events import Forged, mail_events_in


@csrf_exempt
@require_POST
def mail_events(request: HttpRequest) -> HttpResponse:
    try:
        events = mail_events_in(request)
    except Forged:
        return HttpResponseForbidden()
    for event in events:
        inbound.store_mail_event(event, now=clock.now())
    return HttpResponse(status=204)
