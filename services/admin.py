"""Admin of the business, its places and its catalogue."""

from collections.abc import Callable, Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminColorInputWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
)

from core import clock
from core.admin import (
    GuardedInline,
    HumanInputs,
    ModelAdmin,
    ReadOnlyAdmin,
    TabularInline,
    bookings_ahead,
    display,
    sentence,
    typed_options,
)
from core.asking import AskFirst, AskingAdmin
from core.drawings import PICTURES
from core.formats import minutes_text, money_text
from core.forms import MoneyField, length_text, percent_text
from core.money import major
from services.enums import FeeKind, ResourceKind
from services.forms import HoursForm, SpecialDaysFormSet, WeeklyHoursFormSet
from services.models import (
    AddOn,
    BookingPolicy,
    Business,
    CancellationPolicy,
    CancellationTier,
    Category,
    Closure,
    Location,
    OpeningHours,
    Resource,
    ResourceRequirement,
    ResourceType,
    Service,
    ServiceVariant,
    SettingsChange,
)
from services.money_forms import PolicyForm, ServiceForm, TierForm, TierFormSet
from services.readings import Reading, as_table, in_another_currency, with_tax_mode
from services.schedule_admin import ScheduleAdmin, ask_about
from services.settings_admin import SettingsAdmin
from services.values import POLICY_FIELDS, policy_values
from services.zone_admin import change_zone_first

HOURS_LABELS = {"start_minute": _("from"), "end_minute": _("until"), "on": _("date")}
TRANSLATIONS: Any = (_("Other languages"), {"classes": ["tab"], "fields": ["translations"]})
TRANSLATIONS_HELP = _(
    'Texts by language, such as {"de": {"name": "Massage", "summary": "…"}}. Missing ones show as above.'
)


def business_currency(request: HttpRequest) -> str:
    """The currency prices are typed in, asked once per request."""
    if not hasattr(request, "business_currency"):
        currency = Business.objects.values_list("currency", flat=True).first()
        request.business_currency = currency or "EUR"  # type: ignore[attr-defined]
    return str(request.business_currency)  # type: ignore[attr-defined]


class Priced(HumanInputs):
    """Prices typed with the decimals of the business's currency."""

    money_fields: Sequence[str] = ()

    def _human_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        if db_field.name not in self.money_fields:
            return super()._human_field(db_field, request, **kwargs)
        currency = business_currency(request)
        options = typed_options(db_field, kwargs, placeholder=str(major(4500, currency)))
        return MoneyField(currency=currency, **{**options, "label": f"{options['label']} ({currency})"})


# --- rules --------------------------------------------------------------------------------------------------------


@admin.register(BookingPolicy)
class BookingPolicyAdmin(ModelAdmin):
    list_display = ("name", "notice", "horizon_days", "grid", "hold")
    search_fields = ("name",)
    length_fields = ("slot_interval_minutes", "hold_minutes")
    window_fields = ("lead_minutes",)
    labels = {
        "lead_minutes": _("minimum notice"),
        "slot_interval_minutes": _("a start every"),
        "hold_minutes": _("hold a picked time for"),
    }

    @display(description=_("minimum notice"), ordering="lead_minutes")
    def notice(self, obj: BookingPolicy) -> str:
        return length_text(obj.lead_minutes)

    @display(description=_("a start every"), ordering="slot_interval_minutes")
    def grid(self, obj: BookingPolicy) -> str:
        return length_text(obj.slot_interval_minutes)

    @display(description=_("holds for"), ordering="hold_minutes")
    def hold(self, obj: BookingPolicy) -> str:
        return length_text(obj.hold_minutes)


def _typed_in(form: type[Any], request: HttpRequest) -> type[Any]:
    """The form made for this request, its amounts in the business's currency."""
    form.currency = business_currency(request)
    return form


class TierInline(TabularInline):
    model = CancellationTier
    form = TierForm
    formset = TierFormSet
    window_fields = ("until_minutes_before",)
    labels = {"until_minutes_before": _("until … before the start"), "fee_kind": _("cancelling costs")}
    verbose_name = _("step")
    verbose_name_plural = _(
        "steps: the first one whose time has not passed applies; after the last the whole price is due"
    )

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        _typed_in(formset.form, request)
        return formset


@admin.register(CancellationPolicy)
class CancellationPolicyAdmin(Priced, SettingsAdmin):
    """Rules of money. A number that was a percentage and would become a sum, or the other way round, is shown first."""

    recorded_fields = (
        *("payment_mode", "deposit_kind", "deposit_value", "deposit_rule", "is_fee_capped_at_deposit"),
        *("change_fee_minor", "free_move_count", "over_limit", "no_show_fee_kind", "no_show_fee_value"),
    )
    form = PolicyForm
    list_display = ("name", "payment_mode", "steps", "moves")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ["name", "preview"]}),
        (
            _("When booking"),
            {
                "classes": ["tab"],
                "fields": [
                    "payment_mode",
                    ("deposit_kind", "deposit_value"),
                    "deposit_rule",
                    "is_fee_capped_at_deposit",
                    "saves_card",
                ],
            },
        ),
        (
            _("Cancelling and moving"),
            {
                "classes": ["tab"],
                "fields": [
                    ("grace_minutes", "grace_min_lead_minutes"),
                    "reschedule_until_minutes",
                    ("free_move_count", "over_limit", "change_fee_minor"),
                ],
            },
        ),
        (
            _("Not coming"),
            {
                "classes": ["tab"],
                "fields": [
                    ("no_show_fee_kind", "no_show_fee_value"),
                    "first_no_show_free_days",
                    "no_show_grace_minutes",
                    ("charges_fees_automatically", "waiver_hours"),
                ],
            },
        ),
    )
    readonly_fields = ("preview",)
    length_fields = ("no_show_grace_minutes",)
    window_fields = ("reschedule_until_minutes", "grace_minutes", "grace_min_lead_minutes")
    money_fields = ("change_fee_minor",)
    labels = {
        "reschedule_until_minutes": _("may be moved until … before the start"),
        "change_fee_minor": _("fee per further move"),
        "grace_minutes": _("free to cancel for … after booking"),
        "grace_min_lead_minutes": _("… unless it starts within"),
        "no_show_grace_minutes": _("may be noted … after the start"),
        "waiver_hours": _("hours in which a fee may still be waived"),
        "first_no_show_free_days": _("the first time in so many days is free"),
    }
    inlines = (TierInline,)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return _typed_in(super().get_form(request, obj, change, **kwargs), request)

    def save_model(self, request: HttpRequest, obj: CancellationPolicy, form: Any, change: bool) -> None:
        read = [
            reading
            for what, kind, value in (
                (_("Deposit"), "deposit_kind", "deposit_value"),
                (_("Fee for not coming"), "no_show_fee_kind", "no_show_fee_value"),
            )
            if change and (reading := _read_anew(form, str(what), kind, value))
        ]
        _ask_about_values(read, insists=self.insists(request))
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        steps = [each for each in formset.forms if each.instance.pk]
        found = (_read_anew(each, str(_("Cancelling costs")), "fee_kind", "fee_value") for each in steps)
        _ask_about_values([reading for reading in found if reading], insists=self.insists(request))
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        policy: CancellationPolicy = form.instance
        lost_steps = any(formset.deleted_objects for formset in formsets)
        if (not change or lost_steps) and not self.insists(request) and not policy.tiers.exists():
            intro = _("Nothing is saved yet. These rules have no step, so cancelling always costs the whole price:")
            lines = [format_html("{}", each) for each in _sentences(policy)]
            raise AskFirst(sentence(str(intro), lines), str(_("Save anyway. That is what I mean.")))

    @display(description=_("what customers read"))
    def preview(self, obj: CancellationPolicy) -> str:
        if obj._state.adding:
            return str(_("Save once to read it here."))
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in _sentences(obj)))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("tiers")

    @display(description=_("cancelling"))
    def steps(self, obj: CancellationPolicy) -> str:
        texts = [f"{length_text(tier.until_minutes_before)}: {_tier_text(tier)}" for tier in obj.tiers.all()]
        return " · ".join(texts) or str(_("free until the start"))

    @display(description=_("free moves"))
    def moves(self, obj: CancellationPolicy) -> str:
        return str(_("no limit")) if obj.free_move_count is None else str(obj.free_move_count)


def _read_anew(form: Any, what: str, kind_name: str, value_name: str) -> Reading | None:
    """How a value would be read whose kind changed from percent to sum or back while its number stayed."""
    old, new = str(form.initial.get(kind_name)), str(form.cleaned_data.get(kind_name))
    number = str(form.initial.get(value_name) or "")
    if old == new or {old, new} != {str(FeeKind.PERCENT), str(FeeKind.FIXED)} or value_name in form.changed_data:
        return None
    words = {str(FeeKind.PERCENT): f"{number} %", str(FeeKind.FIXED): f"{number} {form.currency}"}
    return Reading(what, words[old], words[new])


def _ask_about_values(read: list[Reading], *, insists: bool) -> None:
    if read and not insists:
        intro = _("Nothing is saved yet. The same number would be read like this.")
        insist = _("Save anyway. That is what I mean.")
        raise AskFirst(format_html("{}{}", intro, as_table(read)), str(insist))


def _is_switched_off(row: Any, changed: Sequence[str]) -> bool:
    return "is_active" in changed and not row.is_active


def _ask_about(things: Sequence[Any], *, insists: bool) -> None:
    """Show the visits ahead that were sold as one of these, unless whoever switches it off has seen them."""
    if things and not insists and (ahead := bookings_ahead(things)):
        raise ask_about(ahead, is_switched_off=True)


def _sentences(policy: CancellationPolicy) -> Sequence[str]:
    """The rules as customers read them of an example, in the language of the page."""
    written: Callable[..., Sequence[str]] = import_string(settings.ADMIN_ROUTES["policy_preview"])
    firm, place = Business.objects.first(), Location.objects.first()
    tiers = [(tier.until_minutes_before, tier.fee_kind, tier.fee_value) for tier in policy.tiers.all()]
    return written(
        policy_values({name: getattr(policy, name) for name in POLICY_FIELDS}, tiers),
        business_name=firm.name if firm else "",
        currency=firm.currency if firm else "EUR",
        language=get_language() or "en",
        zone=ZoneInfo(place.time_zone if place else "UTC"),
        has_stripe=bool(settings.STRIPE_SECRET_KEY),
        now=clock.now(),
    )


def _tier_text(tier: CancellationTier) -> str:
    if tier.fee_kind == FeeKind.PERCENT:
        return f"{percent_text(tier.fee_value)} %"
    if tier.fee_kind == FeeKind.FIXED:
        return str(tier.fee_value)
    return str(tier.get_fee_kind_display())


# --- the business and its places ----------------------------------------------------------------------------------


@admin.register(Business)
class BusinessAdmin(SettingsAdmin):
    """The firm. What stored prices mean depends on its currency and on how it counts tax, so a change of these is shown
    with old and new figures first, and nothing is converted.
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
        return super().has_add_permission(request) and not Business.objects.exists()

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
        """There is one, so its page is the list."""
        pk = Business.objects.values_list("pk", flat=True).first()
        if pk is None or not self.has_view_or_change_permission(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(reverse("admin:services_business_change", args=[pk]))

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
    help_texts = {"start_minute": _("Empty: shut all day.")}
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
        """Its rooms and devices, and everybody who works there."""
        people = Q(staff_member__working_hours__location=obj) | Q(staff_member__exceptions__location=obj)
        return set(Resource.objects.filter(Q(location=obj) | people).values_list("pk", flat=True))


# --- rooms and devices --------------------------------------------------------------------------------------------


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
    """Rooms and devices. People are resources too, made with their staff member and kept there."""

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


# --- the catalogue ------------------------------------------------------------------------------------------------


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
    hide_title = False  # its line has the link to the texts in other languages
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
    """What a service needs and a place (the outer query, inside that of the service) does not have enough of."""
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
        "needs_staff": _("somebody performs it"),
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
        """A new service is taxed as most are."""
        rates = Service.objects.values_list("tax_basis_points").annotate(count=Count("pk"))
        usual = rates.order_by("-count", "-tax_basis_points").first()
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {**({"tax_basis_points": usual[0]} if usual else {}), **initial}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return _typed_in(super().get_form(request, obj, change, **kwargs), request)

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
        own = _read_anew(form, str(_("Own deposit")), "deposit_kind", "deposit_value") if change else None
        _ask_about_values([own] if own else [], insists=self.insists(request))
        super().save_model(request, obj, form, change)
        if "visibility" in form.changed_data and obj.visibility == Service.Visibility.ARCHIVED:
            self._ask_about([obj], request)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        self._ask_about([row for row, names in formset.changed_objects if _is_switched_off(row, names)], request)

    def _ask_about(self, things: Sequence[Any], request: HttpRequest) -> None:
        _ask_about(things, insists=self.insists(request))

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
        """What customers see of it; where they cannot book it, what is missing."""
        if obj.visibility == Service.Visibility.PUBLIC:
            if not obj.variants.all():
                return "hidden", str(_("not bookable: no length and price"))
            if obj.needs_staff and not obj.is_performed:
                return "hidden", str(_("not bookable: nobody performs it"))
            if not obj.has_place:
                return "hidden", str(_("not bookable: no location"))
            if not obj.has_rooms:
                return "hidden", str(_("not bookable: no location has the rooms and devices it needs"))
            if obj.needs_staff and not obj.has_hours:
                return "hidden", str(_("not bookable: nobody who performs it has working hours"))
        return obj.visibility, str(_("public") if obj.visibility == "public" else obj.visibility)


@admin.register(ServiceVariant)
class ServiceVariantAdmin(Priced, AskingAdmin):
    """Reached from its service; searched when people are given their services."""

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
        if _is_switched_off(obj, form.changed_data):
            _ask_about([obj], insists=self.insists(request))


# --- history ------------------------------------------------------------------------------------------------------


@admin.register(SettingsChange)
class SettingsChangeAdmin(ReadOnlyAdmin):
    list_display = ("at", "subject_name", "field", "old", "new", "actor_name")
    list_filter = ("subject_type", "field")
    search_fields = ("subject_name",)
    fields = ("at", "subject_name", "field", "old", "new", "details", "actor_name")
    labels = {"at": _("when"), "subject_name": _("what"), "field": _("setting"), "old": _("before"), "new": _("now")}
