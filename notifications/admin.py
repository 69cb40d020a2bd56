"""Read-only admin of messages, with one action: send again."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core import clock
from core.admin import ReadOnlyAdmin, display
from notifications.models import Notification
from notifications.operations import send_again


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("kind", "address", "recipient_role", "shown_status", "subject_ref", "created_at", "sent_at")
    list_filter = ("status", "kind", "recipient_role", "channel")
    search_fields = ("address", "subject_ref", "subject")
    ordering = ("-id",)
    actions = ("send_again",)
    fieldsets = (
        (None, {"fields": ["kind", "address", "recipient_role", "status", "error", "subject", "body"]}),
        (
            _("Delivery"),
            {
                "classes": ["tab"],
                "fields": [
                    "channel",
                    "language",
                    "subject_ref",
                    "version",
                    "recipient_ref",
                    "created_at",
                    "not_before",
                    "next_try_at",
                    "attempts",
                    "claimed_at",
                    "sent_at",
                    "message_id",
                    "key",
                ],
            },
        ),
    )

    @display(
        description=_("status"),
        ordering="status",
        label={
            "sent": "success",
            "delivered": "success",
            "permanent-failure": "danger",
            "technical-failure": "danger",
            "temporary-failure": "warning",
        },
    )
    def shown_status(self, obj: Notification) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    @admin.action(description=_("Send again …"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> HttpResponse | None:
        """Ask first; the second POST queues copies.

        A copy is dropped at sending time if its subject no longer wants it.
        """
        if "confirmed" not in request.POST:
            return self._ask(request, queryset)
        now = clock.now()
        chosen = list(queryset.values_list("pk", flat=True))
        for pk in chosen:
            send_again(notification_id=pk, now=now)
        said = ngettext("%d message goes out again.", "%d messages go out again.", len(chosen)) % len(chosen)
        messages.success(request, said)
        return None

    def _ask(self, request: HttpRequest, queryset: QuerySet[Notification]) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Send again?"),
            "opts": self.opts,
            "rows": queryset,
            "action": "send_again",
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/notifications/send_again.html", context)
