"""Admin of resource types, rooms and devices."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import ModelAdmin, display
from services.admin.inputs import TRANSLATIONS_HELP
from services.admin.schedule import ScheduleAdmin
from services.enums import ResourceKind
from services.models import Resource, ResourceType


@admin.register(ResourceType)
class ResourceTypeAdmin(ModelAdmin):
    is_booked = True
    list_display = ("name", "how_many")
    search_fields = ("name",)
    help_texts = {"translations": TRANSLATIONS_HELP}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(count=Count("resources")).order_by("name")

    @display(description=_("how many"), ordering="count")
    def how_many(self, obj: Any) -> int:
        return int(obj.count)


@admin.register(Resource)
class ResourceAdmin(ScheduleAdmin):
    """Rooms and devices. Staff members are resources too; the admin of staff members creates and edits those."""

    list_display = ("name", "kind", "resource_type", "location", "is_active")
    list_filter = ("location", "resource_type", "is_active")
    list_select_related = ("resource_type", "location")
    search_fields = ("name",)
    labels = {"resource_type": _("what it is")}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(kind=ResourceKind.PERSON)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            kwargs["choices"] = [choice for choice in ResourceKind.choices if choice[0] != ResourceKind.PERSON]
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in {"resource_type", "location"}:
            field.required = True
        return field

    def resource_ids(self, obj: Resource) -> Collection[int]:
        return {obj.pk}
