"""Admin of the business, its locations, and the settings history."""

from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
)

from core.admin import ReadOnlyAdmin, TabularInline
from core.asking import AskFirst
from services.admin.inputs import HOURS_LABELS, TRANSLATIONS, TRANSLATIONS_HELP
from services.admin.schedule import ScheduleAdmin
from services.admin.settings_history import SettingsAdmin
from services.admin.zone_change import change_zone_first
from services.forms import HoursForm, SpecialDaysFormSet, WeeklyHoursFormSet
from services.models import (
    Business,
    Closure,
    Location,
    OpeningHours,
    Resource,
    SettingsChange,
)
from services.queries import business_if_set_up
from services.readings import as_table, in_another_currency, with_tax_mode


@admin.register(Business)
class BusinessAdmin(SettingsAdmin):
    """The business. Its currency and tax mode decide what stored prices mean.

    Before one of them changes, the page shows prices as they read now and would read then. Nothing is converted.
    """

    recorded_fields = ("currency", "prices_include_tax", "cancellation_policy", "booking_policy", "is_booking_paused")

    fieldsets = (
        (None, {"fields": ["name", "tagline", "staff_word", "phone", "email", "review_url", "brand_colour"]}),
        (
            _("Money and language"),
            {
                "classes": ["tab"],
                "fields": ["currency", "prices_include_tax", "language", "tax_number", "legal_address"],
            },
        ),
        (
            _("Booking online"),
            {
                "classes": ["tab"],
                "fields": [
                    "booking_policy",
                    "cancellation_policy",
                    "daily_limit",
                    ("prepay_after_no_shows", "prepay_window_days"),
                    "trusted_after_visits",
                    "refunds_need_approval",
                    "hold_link_minutes",
                    "is_booking_paused",
                    "paused_message",
                ],
            },
        ),
        TRANSLATIONS,
    )
    labels = {
        "staff_word": _("what customers call your staff"),
        "is_booking_paused": _("booking online is paused"),
        "booking_policy": _("booking rules"),
        "cancellation_policy": _("cancellation rules"),
    }
    help_texts = {"translations": TRANSLATIONS_HELP}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and business_if_set_up() is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Business, form: Any, change: bool) -> None:
        obj.pk = 1
        if change and not self.insists(request):
            self._ask_about_prices(obj, form)
        super().save_model(request, obj, form, change)

    def _ask_about_prices(self, obj: Business, form: Any) -> None:
        old = form.initial
        if "currency" in form.changed_data and (read := in_another_currency(old["currency"], obj.currency)):
            intro = _("Nothing is saved yet. No price is converted: the same numbers would be read like this.")
            insist = _("Save anyway. I correct the prices that are wrong then. Bookings keep their currency.")
            raise AskFirst(format_html("{}{}", intro, as_table(read)), str(insist))
        if "prices_include_tax" in form.changed_data and (
            read := with_tax_mode(prices_include_tax=obj.prices_include_tax, currency=obj.currency)
        ):
            intro = _("Nothing is saved yet. New bookings would cost customers this, tax included.")
            insist = _("Save anyway. Bookings that are made keep their prices.")
            raise AskFirst(format_html("{}{}", intro, as_table(read)), str(insist))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the only business; there is no list."""
        business = business_if_set_up()
        if business is None or not self.has_view_or_change_permission(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(reverse("admin:services_business_change", args=[business.pk]))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "brand_colour":
            kwargs["widget"] = UnfoldAdminColorInputWidget()
        if db_field.name == "language":
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=settings.LANGUAGES)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class OpeningHoursInline(TabularInline):
    model = OpeningHours
    form = HoursForm
    formset = WeeklyHoursFormSet
    fields = ("weekday", "start_minute", "end_minute")
    clock_fields = ("start_minute", "end_minute")
    labels = HOURS_LABELS
    help_texts = {"end_minute": _("26:00 is 2 in the morning after.")}
    tab = True


class ClosureInline(TabularInline):
    model = Closure
    related = ("location",)
    form = HoursForm
    formset = SpecialDaysFormSet
    fields = ("on", "start_minute", "end_minute", "reason")
    clock_fields = ("start_minute", "end_minute")
    labels = HOURS_LABELS
    help_texts = {
        "start_minute": _("Empty: shut all day."),
        "reason": _("Customers read it on the website on that day, staff in the calendar."),
    }
    verbose_name = _("special day")
    verbose_name_plural = _("holidays and special days")
    tab = True


@admin.register(Location)
class LocationAdmin(ScheduleAdmin):
    list_display = ("name", "address", "time_zone", "phone", "position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "address")
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (
            None,
            {
                "fields": [
                    ("name", "slug"),
                    "address",
                    "arrival_hint",
                    "directions_url",
                    ("phone", "time_zone"),
                    ("position", "is_active"),
                ]
            },
        ),
        TRANSLATIONS,
    )
    labels = {"slug": _("name in addresses")}
    help_texts = {"translations": TRANSLATIONS_HELP}
    inlines = (OpeningHoursInline, ClosureInline)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "time_zone":
            zones = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
            kwargs["widget"] = UnfoldAdminSelect2Widget(choices=[(name, name) for name in [*zones, "UTC"]])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: bool) -> None:
        if change and "time_zone" in form.changed_data:
            change_zone_first(request, Location.objects.get(pk=obj.pk), ZoneInfo(obj.time_zone))
        super().save_model(request, obj, form, change)

    def resource_ids(self, obj: Location) -> Collection[int]:
        """The location's rooms and devices, and all staff members who work there."""
        people = Q(staff_member__working_hours__location=obj) | Q(staff_member__exceptions__location=obj)
        return set(Resource.objects.filter(Q(location=obj) | people).values_list("pk", flat=True))


@admin.register(SettingsChange)
class SettingsChangeAdmin(ReadOnlyAdmin):
    list_display = ("at", "subject_name", "field", "old", "new", "actor_name")
    list_filter = ("subject_type", "field")
    search_fields = ("subject_name",)
    fields = ("at", "subject_name", "field", "old", "new", "details", "actor_name")
    labels = {"at": _("when"), "subject_name": _("what"), "field": _("setting"), "old": _("before"), "new": _("now")}
