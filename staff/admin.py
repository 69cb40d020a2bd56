"""Admin of staff members with their services, hours and absences, and of access roles."""

from collections.abc import Collection
from datetime import date, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.operations import set_quiet_hours
from core import clock
from core.admin import ModelAdmin, TabularInline, display
from core.formats import full_day_text
from core.outbox import publish
from core.row_times import row_local, row_moment, with_zone
from services.admin.inputs import HOURS_LABELS, TRANSLATIONS, TRANSLATIONS_HELP, Priced
from services.admin.schedule import ScheduleAdmin
from services.enums import ResourceKind
from services.models import Resource, ServiceVariant
from staff.forms import (
    HoursForm,
    SpecialDaysFormSet,
    StaffMemberForm,
    StaffTimeOffFormSet,
    TimeOffForm,
    WorkingHoursFormSet,
)
from staff.models import Access, Qualification, StaffMember, TimeOff, WorkingHours, WorkingHoursException
from staff.queries import zone_of_resource

# Weeks are counted from this day (see staff.models.WorkingHours).
FIRST_MONDAY = date(1970, 1, 5)
TIME_OFF_FIELDS = ("first_on", "start_minute", "last_on", "end_minute", "status", "reason")


class QualificationInline(Priced, TabularInline):
    model = Qualification
    related = ("staff_member", "variant__service")
    fields = ("variant", "price_minor", "work_minutes")
    money_fields = ("price_minor",)
    length_fields = ("work_minutes",)
    labels = {"variant": _("service"), "price_minor": _("own price"), "work_minutes": _("own length")}
    help_texts = {"price_minor": _("Empty: as the service."), "work_minutes": _("Empty: as the service.")}
    verbose_name = _("service")
    verbose_name_plural = _("services performed")
    tab = True

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "variant":
            variants = ServiceVariant.objects.select_related("service")
            kwargs["queryset"] = variants.order_by("service__position", "service__name", "position")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class WorkingHoursInline(TabularInline):
    model = WorkingHours
    related = ("staff_member",)
    form = HoursForm
    formset = WorkingHoursFormSet
    fields = (
        "location",
        "weekday",
        "start_minute",
        "end_minute",
        "cycle_weeks",
        "cycle_week",
        "valid_from",
        "valid_until",
    )
    clock_fields = ("start_minute", "end_minute")
    labels = {**HOURS_LABELS, "cycle_weeks": _("how often"), "cycle_week": _("which week")}
    tab = True

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "cycle_week":
            weeks = (timezone.localdate(clock.now()) - FIRST_MONDAY).days // 7
            kwargs["help_text"] = _("This week is a second week.") if weeks % 2 else _("This week is a first week.")
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class ExceptionInline(TabularInline):
    model = WorkingHoursException
    related = ("staff_member",)
    form = HoursForm
    formset = SpecialDaysFormSet
    fields = ("on", "location", "start_minute", "end_minute")
    clock_fields = ("start_minute", "end_minute")
    labels = HOURS_LABELS
    verbose_name = _("special day")
    verbose_name_plural = _("special days")
    tab = True


class TimeOffInline(TabularInline):
    """Absences belong to the staff member's resource, so the resource is the parent of this inline."""

    model = TimeOff
    related = ("resource",)
    form = TimeOffForm
    formset = StaffTimeOffFormSet
    fields = TIME_OFF_FIELDS
    verbose_name_plural = _("time off")
    tab = True

    def __init__(self, parent_model: Any, admin_site: Any) -> None:
        super().__init__(Resource, admin_site)


@admin.register(StaffMember)
class StaffMemberAdmin(ScheduleAdmin):
    list_display = ("name", "email", "how_many", "user", "position", "is_active")
    list_filter = ("is_active", "working_hours__location")
    list_select_related = ("user",)
    search_fields = ("name", "short_name", "email")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("user",)
    fieldsets = (
        (
            None,
            {
                "fields": [
                    ("name", "short_name"),
                    ("email", "slug"),
                    "bio",
                    ("spoken_languages", "picture"),
                    ("user", "language"),
                    ("meeting_url", "daily_limit"),
                    ("quiet_from", "quiet_until"),
                    ("position", "is_active"),
                ]
            },
        ),
        TRANSLATIONS,
    )
    form = StaffMemberForm
    labels = {"slug": _("name in addresses"), "user": _("signs in as")}
    help_texts = {"translations": TRANSLATIONS_HELP}
    inlines = (QualificationInline, WorkingHoursInline, ExceptionInline, TimeOffInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(count=Count("qualifications", distinct=True)).order_by("position")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "language":
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=settings.LANGUAGES)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: StaffMember, form: Any, change: bool) -> None:
        """Save the staff member together with their resource, which has the same name and whose time is theirs."""
        if change:
            Resource.objects.filter(pk=obj.resource_id).exclude(name=obj.name).update(name=obj.name)
        else:
            obj.resource = Resource.objects.create(kind=ResourceKind.PERSON, name=obj.name)
        super().save_model(request, obj, form, change)
        if change and not obj.works_here and {"is_active", "user"} & set(form.changed_data):
            left_at = clock.now()
            publish("staff.left", f"staff:{obj.pk}:{left_at.isoformat()}", {"pk": obj.pk}, now=left_at)
        start_minute, end_minute = form.quiet_hours
        set_quiet_hours(
            person_ref=f"staff:{obj.pk}",
            start_minute=start_minute,
            end_minute=end_minute,
            time_zone=zone_of_resource(obj.resource).key,
        )

    def resource_ids(self, obj: StaffMember) -> Collection[int]:
        return {obj.resource_id}

    @display(description=_("services"), ordering="count")
    def how_many(self, obj: Any) -> int:
        return int(obj.count)


@admin.register(TimeOff)
class TimeOffAdmin(ScheduleAdmin):
    """Absences of all resources, including requests."""

    is_booked = False

    form = TimeOffForm
    list_display = ("resource", "begins", "ends", "status", "reason")
    list_filter = ("status",)
    list_select_related = ("resource__location",)
    search_fields = ("resource__name", "reason")
    fields = ("resource", *TIME_OFF_FIELDS)
    labels = {"resource": _("who or what")}
    ordering = ("-during",)

    def resource_ids(self, obj: TimeOff) -> Collection[int]:
        return {obj.resource_id}

    @display(description=_("from"), ordering="during")
    def begins(self, obj: TimeOff) -> str:
        return _first(obj)

    @display(description=_("until"))
    def ends(self, obj: TimeOff) -> str:
        return _last(obj)


def _first(row: TimeOff) -> str:
    """Format the start as staff type it: a start at midnight is only a day."""
    begins = row_local(row, row.during.lower)
    return with_zone(row, full_day_text(begins.date())) if begins.time() == time() else row_moment(row, begins)


def _last(row: TimeOff) -> str:
    """Format the end as staff type it: an end at midnight is the day before."""
    ends = row_local(row, row.during.upper)
    if ends.time() != time():
        return row_moment(row, ends)
    return with_zone(row, full_day_text(ends.date() - timedelta(days=1)))


@admin.register(Access)
class AccessAdmin(ModelAdmin):
    list_display = ("user", "role", "location")
    list_filter = ("role", "location")
    list_select_related = ("user", "location")
    search_fields = ("user__email", "user__name")
    autocomplete_fields = ("user",)
    help_texts = {"location": _("Empty: everywhere.")}
