"""Admin of bookings, read-only. Changes to a booking are operations, each on a page that asks first."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter

from accounts.models import User
from bookings.admin_steps import STEPS, ReasonForm
from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.lifecycle import Actor
from bookings.models import Allocation, Booking, BookingEvent, BookingLine, GroupSession, MoveProposal
from core import clock
from core.admin import ReadOnlyAdmin, ReadOnlyInline, action, display
from core.errors import DomainError, Locked
from core.formats import full_day_text, money_text, time_text
from core.references import spoken
from core.row_times import row_moment, with_zone
from services.models import Location
from staff.hours import local_day

STATUS_COLOURS = {
    BookingStatus.CONFIRMED: "success",
    BookingStatus.STARTED: "info",
    BookingStatus.HELD: "warning",
    BookingStatus.REQUESTED: "warning",
    BookingStatus.PENDING_PAYMENT: "warning",
    BookingStatus.NO_SHOW: "danger",
    BookingStatus.CANCELLED: "danger",
}


class LineInline(ReadOnlyInline):
    model = BookingLine
    fields = readonly_fields = (
        "service_name",
        "variant_name",
        "staff_member",
        "starts_at",
        "ends_at",
        "price",
        "extras",
    )
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("booking", "staff_member")

    @display(description=_("price"))
    def price(self, obj: BookingLine) -> str:
        return money_text(obj.price_minor, obj.booking.currency)

    @display(description=_("extras"))
    def extras(self, obj: BookingLine) -> str:
        return ", ".join(extra["name"] for extra in obj.add_ons) or "–"


class EventInline(ReadOnlyInline):
    model = BookingEvent
    fields = readonly_fields = ("at", "kind", "from_status", "to_status", "who", "channel", "reason", "details")
    verbose_name_plural = _("history")
    show_change_link = False

    @display(description=_("who"))
    def who(self, obj: BookingEvent) -> str:
        return obj.actor_name or obj.get_actor_kind_display()


class AllocationInline(ReadOnlyInline):
    model = Allocation
    fk_name = "booking"
    fields = readonly_fields = ("resource", "begins", "ends")
    verbose_name_plural = _("taken time, buffers included")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("resource")

    @display(description=_("from"))
    def begins(self, obj: Allocation) -> str:
        return row_moment(obj, obj.busy.lower)

    @display(description=_("until"))
    def ends(self, obj: Allocation) -> str:
        return row_moment(obj, obj.busy.upper)


class WhenFilter(admin.SimpleListFilter):
    """Show bookings ahead, unless the user chooses the past or searches."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("today", _("today")), ("past", _("past")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        """Give the default choice a label of its own."""
        first, *others = super().choices(changelist)
        return [{**first, "display": _("ahead")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        now = clock.now()
        if self.value() == "today":
            return queryset.filter(_today_at_each_place(now))
        if self.value() == "past":
            return queryset.filter(ends_at__lt=now)
        if self.value() == "all" or request.GET.get("q"):
            return queryset
        return queryset.filter(ends_at__gte=now)


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin):
    list_display = ("shown_reference", "when", "what", "contact_name", "shown_status", "location", "total", "channel")
    list_filter = (WhenFilter, "status", "location", "channel", ("starts_at", RangeDateFilter))
    list_filter_submit = True
    list_select_related = ("location",)
    search_fields = ("reference", "contact_name", "contact_email")
    search_help_text = _("Reference, name or e-mail.")
    inlines = (LineInline, EventInline, AllocationInline)
    actions_detail = ("cancel_action", "resend_action", "renew_action")
    fieldsets = (
        (None, {"fields": [("shown_reference", "status"), ("when", "location"), ("is_any_staff", "party_size")]}),
        (
            _("Customer"),
            {
                "classes": ["tab"],
                "fields": [
                    "customer",
                    "contact_name",
                    "contact_email",
                    "contact_phone",
                    "customer_note",
                    "delivery",
                    "visit_address",
                    "meeting_url",
                    "language",
                ],
            },
        ),
        (
            _("Money"),
            {"classes": ["tab"], "fields": ["total", "tax", "prices_include_tax", "bill", "cancellation_fee", "terms"]},
        ),
        (
            _("Facts"),
            {
                "classes": ["tab"],
                "fields": [
                    "channel",
                    "created_at",
                    "confirmed_at",
                    "arrived_at",
                    "hold_expires_at",
                    "cancelled_at",
                    "cancelled_by",
                    "customer_move_count",
                    "ical_sequence",
                    "link_version",
                    "staff_link_version",
                    "updated_at",
                ],
            },
        ),
    )
    readonly_fields = ("shown_reference", "when", "total", "tax", "cancellation_fee")

    def get_queryset(self, request: HttpRequest) -> Any:
        lines = BookingLine.objects.select_related("staff_member")
        return super().get_queryset(request).prefetch_related(Prefetch("lines", lines))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Ahead: the soonest first. Past: the latest first."""
        looks_back = request.GET.get("when") in {"past", "all"} or "q" in request.GET
        return ("-starts_at", "-pk") if looks_back else ("starts_at", "pk")

    def get_urls(self) -> list[Any]:
        step = path(
            "<int:booking_id>/step/<str:name>/",
            self.admin_site.admin_view(self.step_view),
            name="bookings_booking_step",
        )
        return [step, *super().get_urls()]

    def step_view(self, request: HttpRequest, booking_id: int, name: str) -> HttpResponse:
        """GET shows the confirmation page, POST runs the operation.

        If the operation refuses, the page shows the refusal, and nothing has changed.
        """
        booking = get_object_or_404(self.get_queryset(request).select_related("location"), pk=booking_id)
        step = STEPS.get(name)
        if step is None or not self.may_act(request):
            return HttpResponseRedirect(_page_of(booking))
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                step.run(booking, _actor(request), form.cleaned_data["reason"], _shown_sequence(request))
            except Locked:
                raise
            except DomainError as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, str(step.done))
            return HttpResponseRedirect(_page_of(booking))
        context = {
            **self.admin_site.each_context(request),
            "title": step.title,
            "opts": self.opts,
            "booking": booking,
            "facts": (spoken(booking.reference), _when(booking), _what(booking), booking.contact_name),
            "step": step,
            "form": form,
            "back_url": _page_of(booking),
        }
        return TemplateResponse(request, "admin/bookings/step.html", context)

    def may_act(self, request: HttpRequest) -> bool:
        """Return whether the user may change bookings, which needs more than viewing them."""
        user = request.user
        return isinstance(user, User) and user.has_perm("bookings.change_booking")

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.may_act(request)

    @action(description=_("Cancel …"), url_path="cancel", icon="event_busy", permissions=["act"])
    def cancel_action(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return _to_step(object_id, "cancel")

    @action(description=_("Send confirmation again …"), url_path="resend", icon="forward_to_inbox", permissions=["act"])
    def resend_action(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return _to_step(object_id, "resend")

    @action(description=_("Renew links …"), url_path="renew", icon="link", permissions=["act"])
    def renew_action(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return _to_step(object_id, "renew")

    @display(description=_("reference"), ordering="reference")
    def shown_reference(self, obj: Booking) -> str:
        return spoken(obj.reference)

    @display(description=_("when"), ordering="starts_at")
    def when(self, obj: Booking) -> str:
        return _when(obj)

    @display(description=_("what"))
    def what(self, obj: Booking) -> str:
        return _what(obj)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, obj: Booking) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    @display(description=_("total"), ordering="total_minor")
    def total(self, obj: Booking) -> str:
        return money_text(obj.total_minor, obj.currency)

    @display(description=_("tax in it"))
    def tax(self, obj: Booking) -> str:
        return money_text(obj.tax_minor, obj.currency)

    @display(description=_("cancellation fee"))
    def cancellation_fee(self, obj: Booking) -> str:
        fee = obj.cancellation_fee_minor
        return "–" if fee is None else money_text(fee, obj.currency)


@admin.register(BookingLine)
class BookingLineAdmin(ReadOnlyAdmin):
    list_display = ("booking", "service_name", "variant_name", "staff_member", "starts_at", "ends_at")
    list_filter = ("staff_member",)
    list_select_related = ("booking", "staff_member")
    search_fields = ("booking__reference", "service_name")
    ordering = ("-starts_at",)


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    list_display = ("resource", "begins", "ends", "owner")
    list_filter = ("resource__location", "resource__kind")
    list_select_related = ("resource", "booking")
    search_fields = ("resource__name", "booking__reference")
    fields = ("resource", "busy", "booking", "group_session", "move_proposal")
    ordering = ("-low_minute",)

    @display(description=_("from"), ordering="low_minute")
    def begins(self, obj: Allocation) -> str:
        return row_moment(obj, obj.busy.lower)

    @display(description=_("until"), ordering="high_minute")
    def ends(self, obj: Allocation) -> str:
        return row_moment(obj, obj.busy.upper)

    @display(description=_("for"))
    def owner(self, obj: Allocation) -> str:
        if obj.booking is None:
            return "–"
        return format_html('<a href="{}">{}</a>', _page_of(obj.booking), spoken(obj.booking.reference))


@admin.register(BookingEvent)
class BookingEventAdmin(ReadOnlyAdmin):
    list_display = (
        "at",
        "booking",
        "kind",
        "from_status",
        "to_status",
        "actor_kind",
        "actor_name",
        "channel",
        "reason",
    )
    list_filter = ("kind", "to_status", "actor_kind", "channel")
    list_select_related = ("booking",)
    search_fields = ("booking__reference", "actor_name")
    ordering = ("-id",)


@admin.register(GroupSession)
class GroupSessionAdmin(ReadOnlyAdmin):
    list_display = ("variant", "location", "starts_at", "capacity")
    list_select_related = ("variant__service", "location")


@admin.register(MoveProposal)
class MoveProposalAdmin(ReadOnlyAdmin):
    list_display = ("booking", "starts_at", "expires_at")
    list_select_related = ("booking",)


def _shown_sequence(request: HttpRequest) -> int:
    """Return the number of the booking that the page had shown; if none was sent, a number that no booking has."""
    typed = request.POST.get("sequence", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1


def _actor(request: HttpRequest) -> Actor:
    name = request.user.name or request.user.email  # type: ignore[union-attr] # only staff gets here
    return Actor(ActorKind.STAFF, BookingChannel.DESK, user_id=request.user.pk, name=name)


def _to_step(object_id: Any, name: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:bookings_booking_step", args=[object_id, name]))


def _page_of(booking: Booking) -> str:
    return reverse("admin:bookings_booking_change", args=[booking.pk])


def _when(booking: Booking) -> str:
    local = booking.starts_at.astimezone(ZoneInfo(booking.location.time_zone))
    return with_zone(booking, f"{full_day_text(local.date())}, {time_text(local)}")


def _today_at_each_place(now: datetime) -> Q:
    """Return the bookings that begin today at their own location."""
    found = Q(pk=None)
    for name in set(Location.objects.values_list("time_zone", flat=True)):
        zone = ZoneInfo(name)
        begins, ends = local_day(now.astimezone(zone).date(), zone)
        found |= Q(location__time_zone=name, starts_at__gte=begins, starts_at__lt=ends)
    return found


def _what(booking: Booking) -> str:
    return ", ".join(
        f"{line.service_name} · {line.staff_member.short_name}" if line.staff_member else line.service_name
        for line in booking.lines.all()
    )
