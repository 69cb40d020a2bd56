"""Resources whose time bookings take: staff members, rooms, devices."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.texts import TranslatedTexts
from services.enums import ResourceKind
from services.models.business import Location


class ResourceType(TranslatedTexts):
    """A type of room or device that services need, such as a treatment room or a laser."""

    name = models.CharField(max_length=80)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Resource(models.Model):
    """A staff member, a room or a device whose time bookings take. Staff members have no type and no location."""

    kind = models.CharField(max_length=10, choices=ResourceKind.choices)
    name = models.CharField(max_length=80)
    resource_type = models.ForeignKey(
        ResourceType, null=True, blank=True, on_delete=models.PROTECT, related_name="resources"
    )
    location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.PROTECT, related_name="resources")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind=ResourceKind.PERSON, resource_type__isnull=True, location__isnull=True)
                | Q(
                    kind__in=[ResourceKind.ROOM, ResourceKind.EQUIPMENT],
                    resource_type__isnull=False,
                    location__isnull=False,
                ),
                name="services_resource_kind",
            )
        ]

    def __str__(self) -> str:
        return self.name
