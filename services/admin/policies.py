"""Admin of booking policies and cancellation policies."""

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import ModelAdmin, TabularInline, display, sentence
from core.asking import AskFirst
from core.forms import length_text, percent_text
from services.admin.asking import ask_about_values, read_anew
from services.admin.inputs import Priced, typed_in
from services.admin.settings_history import SettingsAdmin
from services.enums import FeeKind
from services.models import (
    BookingPolicy,
    CancellationPolicy,
    CancellationTier,
    Location,
)
from services.money_forms import PolicyForm, TierForm, TierFormSet
from services.queries import business_if_set_up
from services.values import POLICY_FIELDS, policy_values


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
        typed_in(formset.form, request)
        return formset


@admin.register(CancellationPolicy)
class CancellationPolicyAdmin(Priced, SettingsAdmin):
    """Cancellation policies. If a number would change between percentage and amount, the page asks first."""

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
        return typed_in(super().get_form(request, obj, change, **kwargs), request)

    def save_model(self, request: HttpRequest, obj: CancellationPolicy, form: Any, change: bool) -> None:
        read = [
            reading
            for what, kind, value in (
                (_("Deposit"), "deposit_kind", "deposit_value"),
                (_("Fee for not coming"), "no_show_fee_kind", "no_show_fee_value"),
            )
            if change and (reading := read_anew(form, str(what), kind, value))
        ]
        ask_about_values(read, insists=self.insists(request))
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        steps = [each for each in formset.forms if each.instance.pk]
        found = (read_anew(each, str(_("Cancelling costs")), "fee_kind", "fee_value") for each in steps)
        ask_about_values([reading for reading in found if reading], insists=self.insists(request))
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


def _sentences(policy: CancellationPolicy) -> Sequence[str]:
    """The policy in the words that customers read, for an example booking, in the language of the page."""
    written: Callable[..., Sequence[str]] = import_string(settings.ADMIN_ROUTES["policy_preview"])
    business, place = business_if_set_up(), Location.objects.first()
    tiers = [(tier.until_minutes_before, tier.fee_kind, tier.fee_value) for tier in policy.tiers.all()]
    return written(
        policy_values({name: getattr(policy, name) for name in POLICY_FIELDS}, tiers),
        business_name=business.name if business else "",
        currency=business.currency if business else "EUR",
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
