"""The Stripe webhook.

An event is stored first. If a customer waits for it, this process handles it at once when Stripe answers quickly.
Workers handle all other events.
"""

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core import clock
from payments.stripe import gateway
from payments.stripe_events import MalformedNotice, keep_notice, read_at_once

logger = logging.getLogger(__name__)

LARGEST_BODY = 512 * 1024


# Stripe calls this view. The signature proves the sender, as Django's CSRF token does for forms.
@csrf_exempt
@never_cache
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Store a Stripe event and answer 200 after the commit.

    Answers 400 if the signature over the raw body or the shape of the event is wrong, 413 if the body is too large.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return HttpResponse(status=413)
    body = request.body
    event = gateway.verified_event(body, request.headers.get("Stripe-Signature", ""))
    if event is None:
        logger.warning("a notice with a wrong signature was refused")
        return HttpResponse(status=400)
    now = clock.now()
    try:
        is_new = keep_notice(event, now=now)
    except MalformedNotice:
        logger.warning("a signed notice of a wrong shape was refused")
        return HttpResponse(status=400)
    if is_new:
        read_at_once(event, now=now)
    return HttpResponse(status=200)
