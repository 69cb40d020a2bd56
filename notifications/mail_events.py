"""Reads what a mail provider reports (bounces, complaints, deliveries), whichever provider it is, by django-anymail."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from anymail.exceptions import AnymailWebhookValidationFailure
from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string


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
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        return []
    return [
        MailEvent(
            event_type=str(event.event_type or ""),
            event_id=str(event.event_id or ""),
            message_id=str(event.message_id or ""),
            recipient=str(event.recipient or ""),
            reject_reason=str(event.reject_reason or ""),
        )
        for event in found
    ]
