"""The outbox (effects that must follow a committed change) and the counts of rate limits. No domain terms."""

from typing import ClassVar

from django.db import models


class OutboxMessage(models.Model):
    """One effect to run for one route, written in the transaction of the change that causes it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed"
        DONE = "done"
        DEAD = "dead"

    route = models.CharField(max_length=120)
    topic = models.CharField(max_length=80)
    key = models.CharField(max_length=160)
    payload = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    # Claims in a row that expired without a result, because the process died.
    lost_claims = models.PositiveSmallIntegerField(default=0)
    claim_id = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["route", "key"], name="core_outboxmessage_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(status__in=["pending", "claimed"]),
                name="core_outbox_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic} → {self.route}"


class LimitCount(models.Model):
    """The count of a rate limit while Redis does not answer (``core.limits``)."""

    # The bucket and a pseudonym of the key that is counted.
    name = models.CharField(max_length=160, unique=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.count}"
