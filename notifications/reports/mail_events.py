"""Reads what a mail provider reports (bounces, complaints, deliveries), whichever provider it is, by django-anymail."""

from collections.abc import Sequence
from dataclasses import dataclass

from anymail.exceptions import AnymailWebhookValidationFailure
from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from core.inputs import without_nul


class Forged(Exception):
    """Whoever sent this does not know the secret, or no provider is set up that could."""


@dataclass(frozen=True, slots=True)
class MailEvent:
    """One event as django-anymail names it: ``delivered``, ``bounced``, ``complained``, ``unsubscribed`` …"""

    event_type: str
    event_id: str
    message_id: str
    recipient: str
    reject_reason: str


def mail_events_in(request: HttpRequest) -> Sequence[MailEvent]:
    """Return the events of a report; none when it cannot be read.

    :raises Forged: when the report does not carry MAIL_EVENTS_SECRET, or its signature is wrong.
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
