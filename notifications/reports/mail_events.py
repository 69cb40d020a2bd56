"""Reads a mail provider's events (bounces, complaints, deliveries) by django-anymail, for any provider it knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from anymail.exceptions import AnymailWebhookValidationFailure
from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from core.inputs import without_nul


class Forged(Exception):
    """The request does not carry the secret, or this site has not set up a provider that sends events."""


@dataclass(frozen=True, slots=True)
class MailEvent:
    """One event with django-anymail's type: ``delivered``, ``bounced``, ``complained``, ``unsubscribed`` …"""

    event_type: str
    event_id: str
    message_id: str
    recipient: str
    reject_reason: str


def mail_events_in(request: HttpRequest) -> Sequence[MailEvent]:
    """Return the events of a request; none when its body cannot be read.

    :raises Forged: when the request does not carry MAIL_EVENTS_SECRET, or its signature is wrong.
    """
    if not settings.MAIL_EVENTS_WEBHOOK or not settings.MAIL_EVENTS_SECRET:
        raise Forged
    view = import_string(settings.MAIL_EVENTS_WEBHOOK)()
    try:
        view.run_validators(request)
        found = view.parse_events(request)
    except AnymailWebhookValidationFailure:
        raise Forged from None
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return []
    return [
        MailEvent(
            event_type=_text(event.event_type),
            event_id=_text(event.event_id),
            message_id=_text(event.message_id),
            recipient=_text(event.recipient),
            reject_reason=_text(event.reject_reason),
        )
        for event in found
    ]


def _text(value: object) -> str:
    return without_nul(str(value or ""))
