"""Personal data in messages: what was sent and received, to whom, and who wants no more."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.personal_data import DataKind, Erasing, Held, Person, iso
from notifications.enums import InboundOutcome, RecipientRole, SuppressionReason
from notifications.models import InboundMessage, Notification, ProviderEvent, PushSubscription, Suppression

# The recipient's own decision. An address that only bounced may be forgotten.
_CHOSEN = (SuppressionReason.STOP, SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED)


def _notifications(person: Person) -> QuerySet[Notification]:
    about = Q(subject_ref__in=person.refs) | Q(recipient_ref__in=person.person_refs)
    return Notification.objects.filter(about)


def _reports(person: Person) -> QuerySet[ProviderEvent]:
    sent = _notifications(person).exclude(provider_ref="").values("provider_ref")
    return ProviderEvent.objects.filter(Q(address_hash__in=person.pseudonyms) | Q(provider_ref__in=sent))


def _texts(person: Person) -> QuerySet[InboundMessage]:
    return InboundMessage.objects.filter(address_hash__in=person.pseudonyms)


HELD = (
    Held(
        model="notifications.ProviderEvent",
        columns=("address_hash",),
        what=_("Pseudonym of an address in a provider's report"),
        why=_("To see whether a message arrived"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.DELETE,
        rows=_reports,
        note=_("The messages in the export say whether they arrived."),
    ),
    Held(
        model="notifications.Notification",
        columns=("address", "phone", "subject", "body", "error", "text_hash"),
        what=_("Messages about a customer's bookings, to the customer and to staff, with address and words"),
        why=_("To send each message once, and to see what the customer was told"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.DELETE,
        rows=_notifications,
        export="messages",
    ),
    Held(
        model="notifications.InboundMessage",
        columns=("address_hash",),
        what=_("Pseudonym of the number of a text message"),
        why=_("To find the bookings of its sender"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.DELETE,
        rows=lambda person: _texts(person).filter(outcome__in=(InboundOutcome.IGNORED, InboundOutcome.WAITING)),
        note=_("The number is in the export. Of STOP and START only the pseudonym stays, so that they go on to hold."),
    ),
    Held(
        model="notifications.InboundMessage",
        columns=("sender", "body"),
        what=_("Text messages from customers"),
        why=_("So that the front desk can answer"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.BLANK,
        rows=_texts,
        values={"is_for_desk": False},
        export="messages",
    ),
    Held(
        model="notifications.PushSubscription",
        columns=("person_ref", "endpoint", "p256dh", "auth"),
        what=_("Devices that get notifications"),
        why=_("To reach a customer who asked for it"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.DELETE,
        rows=lambda person: PushSubscription.objects.filter(person_ref__in=person.person_refs),
        export="message_choices",
    ),
    Held(
        model="notifications.Suppression",
        columns=("address_hash", "detail"),
        what=_("Pseudonyms of addresses that get no more messages"),
        why=_("To write no more to somebody who said STOP, unsubscribed or complained"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.DELETE,
        rows=lambda person: Suppression.objects.filter(address_hash__in=person.pseudonyms).exclude(reason__in=_CHOSEN),
        export="message_choices",
        note=_(
            "What the person asked for goes on to hold, so its pseudonym stays. It names nobody without the site's key."
        ),
    ),
    Held(
        model="notifications.InboundMessage",
        columns=("handled_by",),
        what=_("Staff member who dealt with a text message"),
        why=_("To ask them about it"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    "notifications.Notification": (
        *("kind", "subject_ref", "recipient_ref", "language", "key", "details", "message_id", "provider_ref"),
    ),
    "notifications.MessageText": ("kind", "language", "subject", "body", "whatsapp_template_sid"),
    "notifications.MessageRule": ("kind",),
    "notifications.InboundMessage": ("provider_ref", "keyword"),
    "notifications.ProviderEvent": ("key", "provider_ref", "event", "code"),
}


def exported(person: Person) -> dict[str, Any]:
    """Return the messages to the customer with their words, their own texts, and what they chose.

    Messages to staff about the customer repeat the bookings and are left out.
    """
    sent = _notifications(person).filter(recipient_role=RecipientRole.CUSTOMER).order_by("pk")
    stopped = Suppression.objects.filter(address_hash__in=person.pseudonyms).order_by("since", "pk")
    devices = PushSubscription.objects.filter(person_ref__in=person.person_refs).order_by("pk")
    return {
        "messages": [
            {
                "direction": "sent",
                "at": iso(each.sent_at or each.created_at),
                "about": each.subject_ref,
                "kind": each.kind,
                "channel": str(each.channel),
                "to": each.phone or each.address,
                "subject": each.subject,
                "text": each.body,
                "status": str(each.status),
            }
            for each in sent
        ],
        "texts_received": [
            {
                "at": iso(each.received_at),
                "channel": str(each.channel),
                "from": each.sender,
                "keyword": each.keyword,
                "text": each.body,
            }
            for each in _texts(person).order_by("received_at", "pk")
        ],
        "message_choices": {
            "no_more_messages": [
                {"channel": str(each.channel), "reason": str(each.reason), "since": iso(each.since)} for each in stopped
            ],
            "devices": [
                {"service": urlsplit(each.endpoint).hostname, "since": iso(each.created_at)} for each in devices
            ],
        },
    }
