"""Admin of bills: to look at. Lines are written by operations and corrected by further lines."""

from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, ReadOnlyInline, display
from core.formats import money_text
from payments.models import Bill, BillLine

LINE_FIELDS = ("text", "kind", "quantity", "net", "tax", "gross", "created_at")


class _Amounts:
    """Amounts of a line with the currency of its bill."""

    @display(description=_("net"))
    def net(self, obj: BillLine) -> str:
        return money_text(obj.net_minor, obj.bill.currency)

    @display(description=_("tax"))
    def tax(self, obj: BillLine) -> str:
        return money_text(obj.tax_minor, obj.bill.currency)

    @display(description=_("owed"), ordering="gross_minor")
    def gross(self, obj: BillLine) -> str:
        return money_text(obj.gross_minor, obj.bill.currency)


class BillLineInline(_Amounts, ReadOnlyInline):
    model = BillLine
    fields = readonly_fields = LINE_FIELDS
    show_change_link = False


@admin.register(Bill)
class BillAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "customer", "total", "created_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "bookings__reference")
    fields = ("customer", "total", "created_at")
    inlines = (BillLineInline,)
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
