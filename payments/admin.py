"""Read-only admin of bills, payments, refunds and alerts. Operations write the rows; staff act on them at the desk."""

from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, ReadOnlyInline, display
from core.formats import money_text
from payments.enums import AlertKind, PaymentStatus, RefundStatus
from payments.models import (
    Bill,
    BillLine,
    MoneyAlert,
    Payment,
    Receipt,
    Reconciliation,
    Refund,
    SavedCard,
    StripeEvent,
)

LINE_FIELDS = ("text", "kind", "quantity", "net", "tax", "gross", "created_at")
PAYMENT_COLOURS = {
    PaymentStatus.SUCCEEDED: "success",
    PaymentStatus.PROCESSING: "info",
    PaymentStatus.OPEN: "warning",
    PaymentStatus.CREATED: "warning",
    PaymentStatus.FAILED: "danger",
}
REFUND_COLOURS = {
    RefundStatus.SUCCEEDED: "success",
    RefundStatus.AWAITING_APPROVAL: "warning",
    RefundStatus.QUEUED: "warning",
    RefundStatus.SUBMITTED: "info",
    RefundStatus.PENDING: "info",
    RefundStatus.REQUIRES_ACTION: "warning",
    RefundStatus.FAILED: "danger",
    RefundStatus.DECLINED: "danger",
}


class _Amounts:
    """Columns: the amounts of a line in the currency of its bill."""

    @display(description=_("net"))
    def net(self, obj: BillLine) -> str:
        return money_text(obj.net_minor, obj.bill.currency)

    @display(description=_("tax"))
    def tax(self, obj: BillLine) -> str:
        return money_text(obj.tax_minor, obj.bill.currency)

    @display(description=_("owed"), ordering="gross_minor")
    def gross(self, obj: BillLine) -> str:
        return money_text(obj.gross_minor, obj.bill.currency)


class _Amount:
    """Columns: the amount of a payment or refund, and the most that a saved card may be charged."""

    @display(description=_("amount"), ordering="amount_minor")
    def amount(self, obj: Payment | Refund) -> str:
        return money_text(obj.amount_minor, obj.currency)

    @display(description=_("at most"), ordering="cap_minor")
    def cap(self, obj: Payment | SavedCard) -> str:
        return money_text(obj.cap_minor, obj.currency)


class BillLineInline(_Amounts, ReadOnlyInline):
    model = BillLine
    fields = readonly_fields = LINE_FIELDS
    show_change_link = False


class PaymentInline(_Amount, ReadOnlyInline):
    model = Payment
    fields = readonly_fields = ("created_at", "purpose", "method", "status", "amount", "card_last4", "actor_name")


class RefundInline(_Amount, ReadOnlyInline):
    model = Refund
    fields = readonly_fields = ("created_at", "reason", "method", "status", "amount", "note", "actor_name")


@admin.register(Bill)
class BillAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "customer", "total", "created_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "bookings__reference")
    fields = ("customer", "total", "created_at")
    inlines = (BillLineInline, PaymentInline)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(total_minor=Sum("lines__gross_minor"))

    @display(description=_("owed"), ordering="total_minor")
    def total(self, obj: Any) -> str:
        return money_text(obj.total_minor or 0, obj.currency)


@admin.register(BillLine)
class BillLineAdmin(_Amounts, ReadOnlyAdmin):
    list_display = ("bill", *LINE_FIELDS)
    list_filter = ("kind",)
    list_select_related = ("bill",)
    search_fields = ("text", "subject_ref")
    ordering = ("-id",)


@admin.register(Payment)
class PaymentAdmin(_Amount, ReadOnlyAdmin):
    list_display = (
        "created_at",
        "subject_ref",
        "purpose",
        "method",
        "shown_status",
        "amount",
        "card_last4",
        "actor_name",
    )
    list_filter = ("status", "method", "purpose", "is_disputed")
    search_fields = ("subject_ref", "intent_id", "bill__customer__email")
    inlines = (RefundInline,)
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {"fields": [("status", "amount"), ("purpose", "method"), ("bill", "subject_ref"), ("actor_name", "note")]},
        ),
        (
            _("Card"),
            {
                "classes": ["tab"],
                "fields": ["method_type", "card_brand", "card_last4", "saves_card", "cap", "is_off_session"],
            },
        ),
        (
            _("Provider"),
            {
                "classes": ["tab"],
                "fields": ["intent_id", "key", "failure_code", "is_disputed", "called_off_at", "checked_at"],
            },
        ),
        (_("Facts"), {"classes": ["tab"], "fields": ["created_at", "succeeded_at", "request_key"]}),
    )
    readonly_fields = ("amount", "cap", "key")

    @display(description=_("status"), ordering="status", label=PAYMENT_COLOURS)
    def shown_status(self, obj: Payment) -> tuple[str, str]:
        return obj.status, obj.get_status_display()


@admin.register(Refund)
class RefundAdmin(_Amount, ReadOnlyAdmin):
    list_display = ("created_at", "subject", "reason", "method", "shown_status", "amount", "actor_name")
    list_filter = ("status", "reason", "method")
    list_select_related = ("payment",)
    search_fields = ("payment__subject_ref", "stripe_refund_id")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": [("status", "amount"), ("reason", "method"), "payment", ("actor_name", "note")]}),
        (
            _("Approval"),
            {"classes": ["tab"], "fields": ["answer_by", "asked_minor", ("decided_at", "decided_by"), "decision"]},
        ),
        (_("Provider"), {"classes": ["tab"], "fields": ["stripe_refund_id", "key", "failure_code"]}),
        (_("Facts"), {"classes": ["tab"], "fields": ["created_at", "submitted_at", "done_at", "request_key"]}),
    )
    readonly_fields = ("amount", "key")

    @display(description=_("for"))
    def subject(self, obj: Refund) -> str:
        return obj.payment.subject_ref

    @display(description=_("status"), ordering="status", label=REFUND_COLOURS)
    def shown_status(self, obj: Refund) -> tuple[str, str]:
        return obj.status, obj.get_status_display()


@admin.register(SavedCard)
class SavedCardAdmin(_Amount, ReadOnlyAdmin):
    list_display = ("created_at", "subject_ref", "brand", "last4", "cap", "is_frozen", "detach_after", "detached_at")
    list_filter = ("is_frozen",)
    search_fields = ("subject_ref", "last4")
    ordering = ("-id",)
    fields = (
        "bill",
        "subject_ref",
        "consent",
        ("brand", "last4"),
        ("exp_month", "exp_year"),
        "cap",
        "is_frozen",
        ("created_at", "detach_after", "detached_at"),
    )
    readonly_fields = ("cap",)


@admin.register(MoneyAlert)
class MoneyAlertAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "shown_kind", "subject_ref", "resolved_at", "resolved_by", "resolution")
    list_filter = ("kind", ("resolved_at", admin.EmptyFieldListFilter))
    search_fields = ("subject_ref", "key", "resolution")
    ordering = ("-id",)

    @display(description=_("what"), ordering="kind")
    def shown_kind(self, obj: MoneyAlert) -> str:
        return str(AlertKind(obj.kind).label)


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ("number", "subject_ref", "payment", "refund", "issued_at")
    list_select_related = ("payment", "refund")
    search_fields = ("number", "subject_ref")
    ordering = ("-id",)


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "type", "object_id", "is_live", "handled_at", "outcome")
    list_filter = ("is_live", ("handled_at", admin.EmptyFieldListFilter))
    search_fields = ("event_id", "object_id", "type")
    ordering = ("-id",)


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "ended_at", "since", "checked_count", "repaired_count", "listed_count")
    ordering = ("-id",)
