"""Admin of the catalogue: categories, services, variants and extras."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
)

from core.admin import GuardedInline, ModelAdmin, TabularInline, display
from core.asking import AskingAdmin
from core.drawings import PICTURES
from core.formats import minutes_text, money_text
from services.admin.asking import ask_about_bookings, ask_about_values, is_switched_off, read_anew
from services.admin.inputs import TRANSLATIONS, TRANSLATIONS_HELP, Priced, business_currency, typed_in
from services.admin.settings_history import SettingsAdmin
from services.models import (
    AddOn,
    Category,
    Location,
    Resource,
    ResourceRequirement,
    Service,
    ServiceVariant,
)
from services.money_forms import ServiceForm
from services.queries import usual_tax_basis_points


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    is_booked = True
    list_display = ("name", "how_many", "cancellation_policy", "position")
    list_select_related = ("cancellation_policy",)
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    labels = {"slug": _("name in addresses")}
    help_texts = {"translations": TRANSLATIONS_HELP}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(count=Count("services")).order_by("position", "name")

    @display(description=_("services"), ordering="count")
    def how_many(self, obj: Any) -> int:
        return int(obj.count)


class VariantInline(Priced, GuardedInline):
    model = ServiceVariant
    related = ("service",)
    fields = (
        "name",
        "work_minutes",
        "processing_minutes",
        "finish_minutes",
        "price_minor",
        "position",
        "is_active",
    )
    length_fields = ("work_minutes", "processing_minutes", "finish_minutes")
    money_fields = ("price_minor",)
    labels = {
        "work_minutes": _("work"),
        "processing_minutes": _("then wait"),
        "finish_minutes": _("then finish"),
        "price_minor": _("price"),
        "is_active": _("offered"),
    }
    verbose_name = _("length and price")
    verbose_name_plural = _("lengths and prices")
    hide_title = False  # the title line holds the link to the translations
    show_change_link = True


class AddOnInline(Priced, TabularInline):
    model = AddOn
    fields = ("name", "price_minor", "extra_minutes", "is_paid_at_visit", "position", "is_active")
    length_fields = ("extra_minutes",)
    money_fields = ("price_minor",)
    labels = {
        "price_minor": _("price"),
        "extra_minutes": _("takes longer by"),
        "is_paid_at_visit": _("paid at the visit"),
        "is_active": _("offered"),
    }
    verbose_name = _("extra")
    verbose_name_plural = _("extras")


class RequirementInline(TabularInline):
    model = ResourceRequirement
    related = ("resource_type",)
    labels = {"resource_type": _("needs"), "quantity": _("how many")}
    verbose_name = _("room or device")
    verbose_name_plural = _("rooms and devices it needs")


def _missing_rooms() -> Any:
    """Requirements of a service that a location cannot meet.

    The location is the outer query, and the service is the query around that.
    """
    there = Resource.objects.filter(
        resource_type=OuterRef("resource_type"), location=OuterRef(OuterRef("pk")), is_active=True
    )
    counted = there.order_by().values("resource_type").annotate(count=Count("pk")).values("count")
    needed = ResourceRequirement.objects.filter(service=OuterRef(OuterRef("pk")))
    return needed.annotate(there=Coalesce(Subquery(counted), 0)).filter(quantity__gt=F("there"))


@admin.register(Service)
class ServiceAdmin(SettingsAdmin):
    recorded_fields = ("visibility", "tax_basis_points", "payment_mode", "deposit_kind", "deposit_value")
    is_booked = True
    form = ServiceForm
    list_display = ("name", "category", "lengths", "is_shown", "delivery", "position")
    list_filter = ("category", "visibility", "delivery", "locations")
    list_select_related = ("category",)
    search_fields = ("name", "summary", "category__name")
    ordering = ("category__position", "position", "name")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("category",)
    fieldsets = (
        (
            None,
            {
                "fields": [
                    ("name", "slug"),
                    ("category", "visibility"),
                    "summary",
                    "description",
                    "preparation",
                    ("icon", "picture"),
                    "position",
                ]
            },
        ),
        (
            _("Where and how"),
            {
                "classes": ["tab"],
                "fields": [
                    "delivery",
                    "locations",
                    "needs_staff",
                    ("buffer_before_minutes", "buffer_after_minutes"),
                    ("max_party_size", "daily_limit"),
                ],
            },
        ),
        (
            _("Rules and tax"),
            {
                "classes": ["tab"],
                "fields": [
                    "tax_basis_points",
                    ("booking_policy", "needs_answer"),
                    "cancellation_policy",
                    "payment_mode",
                    ("deposit_kind", "deposit_value"),
                ],
            },
        ),
        TRANSLATIONS,
    )
    length_fields = ("buffer_before_minutes", "buffer_after_minutes")
    percent_fields = ("tax_basis_points",)
    labels = {
        "slug": _("name in addresses"),
        "needs_staff": _("needs a therapist"),
        "buffer_before_minutes": _("free time before"),
        "buffer_after_minutes": _("free time after"),
        "max_party_size": _("people at most"),
        "tax_basis_points": _("tax in percent"),
        "booking_policy": _("booking rules"),
        "cancellation_policy": _("cancellation rules"),
        "payment_mode": _("asked when booking"),
        "deposit_kind": _("own deposit"),
        "icon": _("drawing"),
    }
    help_texts = {
        "translations": TRANSLATIONS_HELP,
        "booking_policy": _("Empty: those of the business."),
        "cancellation_policy": _("Empty: those of the category, else of the business."),
        "payment_mode": _("Empty: as the cancellation rules say."),
        "deposit_kind": _("Empty: as the cancellation rules say."),
    }
    inlines = (VariantInline, AddOnInline, RequirementInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        variants = Prefetch("variants", ServiceVariant.objects.filter(is_active=True))
        performed = ServiceVariant.objects.filter(
            service=OuterRef("pk"), is_active=True, qualifications__staff_member__is_active=True
        )
        hours = Q(qualifications__staff_member__working_hours__isnull=False) | Q(
            qualifications__staff_member__exceptions__start_minute__isnull=False
        )
        places = Location.objects.filter(services=OuterRef("pk"), is_active=True)
        return (
            super()
            .get_queryset(request)
            .prefetch_related(variants)
            .annotate(
                is_performed=Exists(performed),
                has_hours=Exists(performed.filter(hours)),
                has_place=Exists(places),
                has_rooms=Exists(places.filter(~Exists(_missing_rooms()))),
            )
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Give a new service the tax rate that most services have."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"tax_basis_points": usual_tax_basis_points(), **initial}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return typed_in(super().get_form(request, obj, change, **kwargs), request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self.currency = business_currency(request)
        return super().changelist_view(request, extra_context)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "icon":
            choices = [("", "—"), *((name, name) for name in PICTURES)]
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=choices)
        if db_field.name == "locations":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Service, form: Any, change: bool) -> None:
        own = read_anew(form, str(_("Own deposit")), "deposit_kind", "deposit_value") if change else None
        ask_about_values([own] if own else [], insists=self.insists(request))
        super().save_model(request, obj, form, change)
        if "visibility" in form.changed_data and obj.visibility == Service.Visibility.ARCHIVED:
            self._ask_about([obj], request)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        self._ask_about([row for row, names in formset.changed_objects if is_switched_off(row, names)], request)

    def _ask_about(self, things: Sequence[Any], request: HttpRequest) -> None:
        ask_about_bookings(things, insists=self.insists(request))

    @display(description=_("lengths and prices"))
    def lengths(self, obj: Service) -> str:
        return " · ".join(
            f"{minutes_text(variant.duration_minutes)} {money_text(variant.price_minor, self.currency, short=True)}"
            for variant in obj.variants.all()
        )

    @display(
        description=_("shown"), ordering="visibility", label={"public": "success", "hidden": "warning", "archived": ""}
    )
    def is_shown(self, obj: Any) -> tuple[str, str]:
        """The service's visibility to customers or, if a public service cannot be booked, what is missing."""
        if obj.visibility == Service.Visibility.PUBLIC:
            if not obj.variants.all():
                return "hidden", str(_("not bookable: no length and price"))
            if obj.needs_staff and not obj.is_performed:
                return "hidden", str(_("not bookable: no therapist offers it"))
            if not obj.has_place:
                return "hidden", str(_("not bookable: no location"))
            if not obj.has_rooms:
                return "hidden", str(_("not bookable: no location has the rooms and devices it needs"))
            if obj.needs_staff and not obj.has_hours:
                return "hidden", str(_("not bookable: no therapist who offers it has working hours"))
        return obj.visibility, str(_("public") if obj.visibility == "public" else obj.visibility)


@admin.register(ServiceVariant)
class ServiceVariantAdmin(Priced, AskingAdmin):
    """Lengths and prices. The service's page links to it, and the admin of staff members searches it."""

    is_booked = True
    list_display = ("__str__", "work_minutes", "is_active")
    list_select_related = ("service",)
    list_filter = ("service", "is_active")
    search_fields = ("service__name", "name")
    autocomplete_fields = ("service",)
    length_fields = ("work_minutes", "processing_minutes", "finish_minutes")
    money_fields = ("price_minor",)
    labels = {**VariantInline.labels}
    help_texts = {"translations": TRANSLATIONS_HELP}
    ordering = ("service__name", "position")

    def save_model(self, request: HttpRequest, obj: ServiceVariant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if is_switched_off(obj, form.changed_data):
            ask_about_bookings([obj], insists=self.insists(request))
