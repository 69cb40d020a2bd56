"""One message to one person by one channel. Knows its subject by reference only."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from notifications.enums import Channel, NotificationStatus, RecipientRole


class Notification(models.Model):
    """A message in its own queue: written with the change that causes it, claimed, sent, marked.

    ``key`` makes enqueueing twice harmless. ``version`` is the state of the subject it speaks of, ``details`` what
    cannot be read again later. ``body`` keeps what was sent, links masked. ``message_id`` is fixed at the first try, so
    that a repeat is recognised as one.
    """

    kind = models.CharField(max_length=40)
    subject_ref = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=0)
    recipient_role = models.CharField(max_length=10, choices=RecipientRole.choices)
    recipient_ref = models.CharField(max_length=40, blank=True, help_text="E.g. staff:3; empty for a guest.")
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    address = models.CharField(max_length=254)
    language = models.CharField(max_length=10)
    key = models.CharField(max_length=160, unique=True)
    details = models.JSONField(default=dict, blank=True, help_text="Ids and instants only, nothing personal.")
    status = models.CharField(max_length=20, choices=NotificationStatus.choices, default=NotificationStatus.QUEUED)
    not_before = models.DateTimeField()
    next_try_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    claim_id = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=250, blank=True)
    body = models.TextField(blank=True)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
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
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient_role}"
