"""Where the payment provider tells us something. It is kept first. What a paying person waits for is read at once, if
that is quick; a worker does the rest.
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


# Another server calls this, and its signature is the proof that Django's token is for forms.
@csrf_exempt
@never_cache
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Keep a notice of Stripe whose signature over the raw body is ours, and answer 200 after that is committed."""
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
