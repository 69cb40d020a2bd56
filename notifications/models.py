"""Messages, the business's own texts and rules for them, and what providers and customers report.

Subjects are references.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from notifications.enums import (
    Channel,
    InboundOutcome,
    NotificationStatus,
    Purpose,
    RecipientRole,
    SuppressionReason,
)


class Notification(models.Model):
    """One message to one person by one channel.

    It is written with the change that causes it, then claimed, sent and marked.

    ``key`` makes a second enqueue harmless. ``version`` is the state of the subject that the message is about;
    ``details`` holds what cannot be read later. ``body`` keeps the text that was sent, with links masked.
    ``message_id`` is fixed at the first try, so that recipients recognise a repeat. ``text_hash`` finds a text message
    again at a provider that has no idempotency key. ``address`` identifies the recipient within a channel: an e-mail
    address, the pseudonym of a phone number (the number is in ``phone``, encrypted), or the reference of a person with
    devices. ``lost_claims`` counts the latest tries whose worker never came back, so that a message that crashes
    workers is not tried for ever.
    """

    kind = models.CharField(max_length=40)
    subject_ref = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=0)
    recipient_role = models.CharField(max_length=10, choices=RecipientRole.choices)
    recipient_ref = models.CharField(max_length=40, blank=True, help_text="E.g. staff:3; empty for a guest.")
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    address = models.CharField(max_length=254)
    phone = EncryptedTextField(blank=True)
    language = models.CharField(max_length=10)
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.SERVICE)
    can_wait = models.BooleanField(default=False, help_text=_("May be put off to the end of the person's quiet hours."))
    key = models.CharField(max_length=160, unique=True)
    details = models.JSONField(default=dict, blank=True, help_text="Ids and instants only, nothing personal.")
    status = models.CharField(max_length=20, choices=NotificationStatus.choices, default=NotificationStatus.QUEUED)
    not_before = models.DateTimeField()
    next_try_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text=_("From then on it makes no sense any more."))
    attempts = models.PositiveIntegerField(default=0)
    lost_claims = models.PositiveSmallIntegerField(default=0)
    claim_id = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    text_hash = models.CharField(max_length=64, blank=True)
    provider_ref = models.CharField(max_length=100, blank=True, help_text=_("What the provider calls it."))
    sms_parts = models.PositiveSmallIntegerField(default=0, help_text=_("How many SMS it took and cost."))
    fallback_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="fallbacks")
    subject = models.CharField(max_length=250, blank=True)
    # The sent text may contain an address or answer a private question, so it is encrypted like the columns it repeats.
    body = EncryptedTextField(blank=True)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(status__in=["queued", "sending", "temporary-failure"]),
                name="notifications_open",
            ),
            models.Index(fields=["subject_ref", "id"], name="notifications_subject"),
            models.Index(fields=["provider_ref"], condition=~Q(provider_ref=""), name="notifications_provider_ref"),
            models.Index(Lower("address"), "sent_at", condition=Q(channel="email"), name="notifications_mails_to"),
            models.Index(fields=["channel", "sent_at"], condition=~Q(channel="email"), name="notifications_texts_sent"),
            models.Index(Coalesce("sent_at", "not_before"), "id", name="notifications_in_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient_role}"


class MessageText(models.Model):
    """The business's own text of one message in one channel and language. Without one the template files are used.

    A text may name the variables of the subject as ``{{ name }}``; nothing in it is evaluated. ``subject`` is for
    e-mail and web push. The template id is for WhatsApp, where the business's first message must be an approved
    template.
    """

    kind = models.CharField(max_length=40)
    recipient_role = models.CharField(max_length=10, choices=RecipientRole.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=250, blank=True)
    body = models.TextField(blank=True, max_length=5000)
    whatsapp_template_sid = models.CharField(max_length=64, blank=True)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["kind", "recipient_role", "channel", "language"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "recipient_role", "channel", "language"], name="notifications_messagetext_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient_role} ({self.channel}, {self.language})"


class MessageRule(models.Model):
    """Whether an event sends a message to a role by a channel. Without a row the default in ``rules`` holds.

    ``offset_minutes`` is the distance from the visit: before its start (reminders) or after its end (review requests).
    """

    kind = models.CharField(max_length=40)
    recipient_role = models.CharField(max_length=10, choices=RecipientRole.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    offset_minutes = models.PositiveIntegerField(null=True, blank=True)
    is_on = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["kind", "recipient_role", "channel", "offset_minutes"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "recipient_role", "channel", "offset_minutes"],
                nulls_distinct=False,
                name="notifications_messagerule_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient_role} ({self.channel}): {'on' if self.is_on else 'off'}"


class Suppression(models.Model):
    """An address that gets no more messages by a channel. It is stored as a pseudonym (``addresses.address_hash``)."""

    channel = models.CharField(max_length=10, choices=Channel.choices)
    address_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=14, choices=SuppressionReason.choices)
    since = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["-since"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "address_hash"], name="notifications_suppression_once")
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.reason}"


class PushSubscription(models.Model):
    """One device of one person, registered for web push. ``person_ref`` is customer:3 or staff:3."""

    person_ref = models.CharField(max_length=40)
    endpoint = models.CharField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["person_ref"], name="notifications_push_person")]

    def __str__(self) -> str:
        return self.person_ref


class InboundMessage(models.Model):
    """A text message that a customer sent to the business.

    Keywords are obeyed at once. The words of any other text are kept, encrypted, for the front desk, as long as
    messages are kept.
    """

    provider_ref = models.CharField(max_length=100, unique=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    address_hash = models.CharField(max_length=64)
    keyword = models.CharField(max_length=20, blank=True)
    outcome = models.CharField(max_length=10, choices=InboundOutcome.choices, default=InboundOutcome.WAITING)
    sender = EncryptedTextField(blank=True, help_text="The number, where the words are kept.")
    body = EncryptedTextField(blank=True)
    is_for_desk = models.BooleanField(default=False)
    handled_at = models.DateTimeField(null=True, blank=True)
    handled_by = models.CharField(max_length=120, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-received_at"]
        indexes: ClassVar = [
            models.Index(fields=["channel", "address_hash", "received_at"], name="notifications_inbound_from"),
            models.Index(
                fields=["received_at"],
                condition=Q(is_for_desk=True, handled_at=None),
                name="notifications_inbound_desk",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.keyword or '–'}"


class ProviderEvent(models.Model):
    """A provider's report about one of our messages. Each is stored once, and processed after it is stored."""

    key = models.CharField(max_length=200, unique=True)
    provider_ref = models.CharField(max_length=100, blank=True)
    told_notification_id = models.BigIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    event = models.CharField(max_length=30)
    code = models.CharField(max_length=20, blank=True)
    address_hash = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.channel}: {self.event}"
