"""Builds the outgoing message of a queue row from the context of its subject, in the recipient's language."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.module_loading import import_string

from notifications.addresses import TEXT_CHANNELS
from notifications.channels.outgoing import Device, Outgoing
from notifications.channels.twilio_errors import refusal
from notifications.enums import Channel, Purpose, RecipientRole
from notifications.models import MessageText, Notification, PushSubscription
from notifications.queries import may_write_freely
from notifications.requests import ContextRequest, MessageContext
from notifications.unsubscribing import unsubscribe_url
from notifications.wording.rendering import rendered
from notifications.wording.template_language import variables_in

NEEDS_TEMPLATE = 63016
# WhatsApp refuses a template with an empty value.
NOTHING = "–"

_TextKey = tuple[str, str, str, str]


class OwnTexts:
    """The business's own texts (MessageText), read at most once in a batch and only when a message is rendered."""

    def __init__(self) -> None:
        self._texts: Mapping[_TextKey, MessageText] | None = None

    def of(self, row: Notification) -> MessageText | None:
        if self._texts is None:
            self._texts = {
                (text.kind, text.recipient_role, text.channel, text.language): text
                for text in MessageText.objects.all()
            }
        return self._texts.get((row.kind, row.recipient_role, row.channel, row.language))


def context_of(row: Notification, now: datetime) -> MessageContext | None:
    """Get the context of the message from the route of its subject; None when the message is no longer wanted."""
    route = settings.NOTIFICATION_CONTEXTS[row.subject_ref.partition(":")[0]]
    request = ContextRequest(
        subject_ref=row.subject_ref,
        kind=row.kind,
        version=row.version,
        recipient_role=RecipientRole(row.recipient_role),
        recipient_ref=row.recipient_ref,
        details=row.details,
        now=now,
        channel=row.channel,
    )
    with translation.override(row.language):
        context: MessageContext | None = import_string(route)(request)
    return context


def outgoing(row: Notification, context: MessageContext, own: MessageText | None, now: datetime) -> Outgoing:
    """Render a message for its channel.

    :raises PermanentFailure: when WhatsApp takes only an approved template, and the business has none.
    :raises TemplateDoesNotExist: when there is no text for the message.
    """
    context = _with_a_way_out(row, context)
    with translation.override(row.language):
        words = rendered(context, row.channel, own)
    is_whatsapp = row.channel == Channel.WHATSAPP
    template_sid = _template_sid(row, own, now) if is_whatsapp else ""
    return Outgoing(
        to=row.phone if row.channel in TEXT_CHANNELS else row.address,
        language=row.language,
        words=words,
        context=context,
        message_id=row.message_id,
        due_at=row.not_before,
        expires_at=row.expires_at,
        status_url=_status_url(row) if row.channel in TEXT_CHANNELS else "",
        devices=_devices(row.address) if row.channel == Channel.PUSH else (),
        template_sid=template_sid,
        template_values=_template_values(own, context) if own is not None and template_sid else (),
    )


def _with_a_way_out(row: Notification, context: MessageContext) -> MessageContext:
    """Add an unsubscribe link to marketing e-mail when its context has none."""
    if row.purpose != Purpose.MARKETING or row.channel != Channel.EMAIL:
        return context
    url = context.unsubscribe_url or unsubscribe_url(row.address)
    return replace(context, unsubscribe_url=url, variables={**context.variables, "unsubscribe_url": url})


def _template_sid(row: Notification, own: MessageText | None, now: datetime) -> str:
    if may_write_freely(row.address, now):
        return ""
    if own is None or not own.whatsapp_template_sid:
        raise refusal(NEEDS_TEMPLATE)
    return own.whatsapp_template_sid


def _template_values(own: MessageText, context: MessageContext) -> list[str]:
    """Return the values in the order in which the text names them: approved templates number their variables."""
    return [context.words.get(name) or NOTHING for name in variables_in(own.body)]


def _status_url(row: Notification) -> str:
    """Name the row by its own id, so that a report finds it even when the provider's answer to our request was lost."""
    return f"{settings.SITE_URL}{reverse('twilio_status')}?message={row.pk}"


def _devices(person_ref: str) -> Sequence[Device]:
    rows = PushSubscription.objects.filter(person_ref=person_ref)
    return [Device(row.pk, row.endpoint, row.p256dh, row.auth) for row in rows]
