"""Proposed changes of the catalogue and of opening hours. The catalogue itself changes when an owner approves."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from services.enums import Decision, ProposalKind
from services.models.business import Location
from services.models.catalogue import Service


class ProposedChange(models.Model):
    """New values for a service or for the opening hours of a location, or a new service, until an owner decides.

    ``before`` and ``after`` map the same keys to values; ``services.proposed_values`` describes them. ``before`` is
    empty for a new service. ``replaced`` holds the values that an approval replaced. ``names`` holds what ids in keys
    and values were called, so that a decided proposal stays readable. Database grants forbid to rewrite or delete what
    was proposed.
    """

    kind = models.CharField(max_length=12, choices=ProposalKind.choices)
    # Empty when the service or location was deleted. An approved new service is linked as well.
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.SET_NULL, related_name="proposals")
    location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.SET_NULL, related_name="proposals")
    subject_name = models.CharField(max_length=80)
    shape_version = models.PositiveSmallIntegerField(default=1)
    currency = models.CharField(max_length=3)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict)
    names = models.JSONField(default=dict, blank=True)
    note = models.CharField(max_length=300, blank=True)
    proposed_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    proposed_by_name = models.CharField(max_length=120)
    proposed_at = models.DateTimeField()
    decision = models.CharField(_("decision"), max_length=10, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_by_name = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    replaced = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["proposed_at"], condition=Q(decision=""), name="services_proposedchange_open"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True) | (~Q(decision="") & Q(decided_at__isnull=False)),
                name="services_proposedchange_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject_name}"

    @property
    def is_waiting(self) -> bool:
        return not self.decision
