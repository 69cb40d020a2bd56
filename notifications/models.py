"""Messages, the business's own words and rules for them, and what the other side told us. Subjects are references."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
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
    """One message to one person by one channel: written with the change that causes it, claimed, sent, marked.

    ``key`` makes enqueueing twice harmless. ``version`` is the state of the subject it speaks of, ``details`` what
    cannot be read again later. ``body`` keeps what was sent, links masked. ``message_id`` is fixed at the first try, so
    that a repeat is recognised as one; ``text_hash`` finds a text again at a provider that takes no name from us.
    ``address`` tells recipients of a channel apart: an e-mail address, a pseudonym of a phone number (which is in
    ``phone``, encrypted), or the reference of a person with devices. ``lost_claims`` counts the last tries that never
    came back: what takes its process down must not be tried for ever.
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
    # What was sent may name an address or answer a private question, so it is kept like those: encrypted.
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
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient_role}"


class MessageText(models.Model):
    """The business's own words for one message in one channel and language; where there are none, the files are used.

    The words may name the variables of the subject as ``{{ name }}``; nothing in them is evaluated. A subject is for
    e-mail and web push, a template id for WhatsApp, whose first message must be one that WhatsApp has approved.
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
    """Whether an event is told to a role by a channel; without a row the default in ``rules`` holds.

    ``offset_minutes`` is for messages before (reminders) or after (review requests) a visit: how far from it.
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
    """An address that gets nothing more by a channel. It is kept as a pseudonym (``addresses.address_hash``)."""

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
    """One device of one person that takes web push. ``person_ref`` is customer:3 or staff:3."""

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
    """A text that a customer sent to us. Keywords are obeyed at once; of anything else the words are kept, encrypted,
    until the front desk has dealt with it and for as long as messages are kept.
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
    """What a provider told us about a message of ours, once each; stored first, looked at afterwards."""

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
